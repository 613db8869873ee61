"""OpenAI's contract over the same service: its clients ask Ditto's panels as if they were models."""
