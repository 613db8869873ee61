"""What has ended is told to who traces it: a job is a trace, and each of its model calls a span in it.

Off unless the settings name a collector. The job's id is what the trace goes by, so the processes of holders and
callers need to tell each other nothing: each finds trace and parent by the id that stands in every order, also after a
crash.
"""

from __future__ import annotations

import logging
from typing import Protocol

from ditto.domain.events import Failure, Reply
from ditto.domain.job import Job
from ditto.runtime.orders import Order
from ditto.settings import Traces

_log = logging.getLogger("ditto.tracing")


class Tracer(Protocol):
    """Who traces."""

    def job_ended(self, job: Job) -> None: ...

    def call_ended(self, order: Order, result: Reply | Failure) -> None: ...


class Nobody:
    """Traces nothing."""

    def job_ended(self, job: Job) -> None:
        return None

    def call_ended(self, order: Order, result: Reply | Failure) -> None:
        return None


_tracer: Tracer = Nobody()


def trace_by(tracer: Tracer) -> None:
    """Has this tracer be told what ends in this process from now on."""
    global _tracer
    _tracer = tracer


def begin(traces: Traces) -> None:
    """Has this process tell the collector of the settings, where they name one."""
    if traces.endpoint is None:
        return
    try:
        from ditto.runtime.spans import exporting
    except ImportError:
        _log.warning("nothing is traced: OpenTelemetry is not installed here")
        return
    trace_by(exporting(traces.endpoint, content=traces.content))


def job_ended(job: Job) -> None:
    """Tells that a job has ended."""
    _tracer.job_ended(job)


def call_ended(order: Order, result: Reply | Failure) -> None:
    """Tells that a model call has ended."""
    _tracer.call_ended(order, result)
