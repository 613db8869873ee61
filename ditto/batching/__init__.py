"""Batches: a file of rows in, one answer row for each out, and never an answer asked for twice."""

from __future__ import annotations

from ditto.batching.batch import BatchOptions, BatchReport, JobsPort, run_batch
from ditto.batching.sink import Sink
from ditto.batching.source import Source
from ditto.batching.template import Template

__all__ = ["BatchOptions", "BatchReport", "JobsPort", "Sink", "Source", "Template", "run_batch"]
