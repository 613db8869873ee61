"""Batches: a file of rows in, one answer row for each out, and never an answer asked for twice."""

from __future__ import annotations

from ditto.batching.asking import Asker, ServiceAsker, UrlAsker
from ditto.batching.batch import BatchOptions, BatchReport, run_batch
from ditto.batching.sink import Sink
from ditto.batching.source import Source

__all__ = ["Asker", "BatchOptions", "BatchReport", "ServiceAsker", "Sink", "Source", "UrlAsker", "run_batch"]
