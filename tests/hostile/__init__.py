"""Requests that nobody means well with, at a running service: `python -m tests.hostile`."""
