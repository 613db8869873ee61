"""Batches: rows of files in, one answer row for each out, and never an answer asked for twice."""

from __future__ import annotations

from ditto.batching.batch import BatchOptions, BatchReport, JobsPort, run_batch
from ditto.batching.pipe import Pipe
from ditto.batching.second_pass import Merging
from ditto.batching.sink import Sink
from ditto.batching.source import Reading, Source
from ditto.batching.template import Template
from ditto.batching.work import Plan, Work, default_name

__all__ = [
    "BatchOptions",
    "BatchReport",
    "JobsPort",
    "Merging",
    "Pipe",
    "Plan",
    "Reading",
    "Sink",
    "Source",
    "Template",
    "Work",
    "default_name",
    "run_batch",
]
