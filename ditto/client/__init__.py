"""The Python door: one client, for a URL or for a Ray cluster, in an asynchronous and a blocking form."""
