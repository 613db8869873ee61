"""The journal: what happened to every job, append only, under one port."""
