"""Chaos, for real: a service started as a user does, and everything in it killed or frozen while clients wait."""
