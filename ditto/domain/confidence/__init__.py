"""Probabilities: how likely it is that an answer is right, given who gave which. The mathematics is in `posterior`."""

from __future__ import annotations

from ditto.domain.confidence.kinship import Family, effective
from ditto.domain.confidence.posterior import Votes, posteriors
from ditto.domain.confidence.prior import PRIOR, Prior, forms

__all__ = ["PRIOR", "Family", "Prior", "Votes", "effective", "forms", "posteriors"]
