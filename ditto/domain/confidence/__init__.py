"""Probabilities: how likely it is that an answer is right, given who gave which. The mathematics is in `posterior`."""
