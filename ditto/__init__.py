"""Ditto asks several language models at once and merges what they say into one typed answer."""
