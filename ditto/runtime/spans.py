"""OpenTelemetry's spans of jobs and calls, by its conventions for generative AI; only where the extra `otel` is there.

Source: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans, as of 1.41; `invoke_workflow` is a job, `chat` a call.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from ditto.domain import view
from ditto.domain.events import Failure, Reply
from ditto.domain.job import Completed, Job, JobState
from ditto.domain.spec import Message
from ditto.runtime.orders import Order
from ditto.version import VERSION

_DELAY_MS = 1000
"""Between two exports: a job's own actor does not live long."""
_PROVIDERS = {"google": "gcp.gemini", "mistral": "mistral_ai"}
"""Ditto's names where the conventions have others; the rest are the same."""
_NS = 1_000_000_000


def exporting(endpoint: str, *, content: bool) -> Spans:
    """Returns what sends spans to a collector by OTLP over HTTP.

    Args:
        content: Whether they hold what was asked and answered.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return Spans(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MS), content=content)


class Spans:
    """Makes spans of what has ended.

    Args:
        processor: Gets them.
        content: Whether they hold what was asked and answered.
        clock: The moment in nanoseconds.
    """

    def __init__(
        self, processor: SpanProcessor, *, content: bool = False, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._ids = _Ids()
        resource = Resource.create({"service.name": "ditto", "service.version": VERSION})
        provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=True)
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("ditto", VERSION)
        self._content = content
        self._clock = clock

    def job_ended(self, job: Job) -> None:
        """Makes the span that a job is: the root of its trace, or of a retry the child of that."""
        parent = None if job.retries == 0 else _context(job.id, 0)
        self._ids.next = _ids(job.id, job.retries)
        span = self._tracer.start_span(
            f"invoke_workflow {job.spec.strategy}",
            context=parent,
            kind=SpanKind.INTERNAL,
            attributes=_of_job(job),
            start_time=_ns(job.begun_at),
        )
        if job.state is not JobState.COMPLETE:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_ns(job.ended_at or job.updated_at))

    def call_ended(self, order: Order, result: Reply | Failure) -> None:
        """Makes the span that a call is, a child of its job's."""
        job_id, _, rest = order.id.partition("/")
        retries = rest.partition(".")[0]
        now = self._clock()
        span = self._tracer.start_span(
            f"chat {order.name}",
            context=_context(job_id, int(retries) if retries.isdecimal() else 0),
            kind=SpanKind.CLIENT,
            attributes={**_of_order(order), **_of_result(result), **self._said(order, result)},
            start_time=now - int(result.elapsed_s * _NS),
        )
        if isinstance(result, Failure):
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    def _said(self, order: Order, result: Reply | Failure) -> dict[str, Any]:
        if not self._content:
            return {}
        said = {"gen_ai.input.messages": json.dumps([_message(each) for each in order.request.messages])}
        if order.request.system is not None:
            said["gen_ai.system_instructions"] = json.dumps([_text(order.request.system)])
        if isinstance(result, Reply):
            answer = {"role": "assistant", "parts": [_text(result.text)], "finish_reason": result.finish}
            said["gen_ai.output.messages"] = json.dumps([answer])
        return said


class _Ids(RandomIdGenerator):
    """Random ids, but for the one span that is about to be made."""

    def __init__(self) -> None:
        self.next: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self.next is None else self.next[0]

    def generate_span_id(self) -> int:
        given, self.next = self.next, None
        return super().generate_span_id() if given is None else given[1]


def _ids(job_id: str, retries: int) -> tuple[int, int]:
    """Returns the trace of a job, and its span: any process that knows its id finds the same."""
    digest = hashlib.blake2b(job_id.encode(), digest_size=16).digest()
    span = hashlib.blake2b(f"{job_id}/{retries}".encode(), digest_size=8).digest()
    return int.from_bytes(digest), int.from_bytes(span)


def _context(job_id: str, retries: int) -> Any:
    trace_id, span_id = _ids(job_id, retries)
    known = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(known))


def _of_job(job: Job) -> dict[str, Any]:
    verdict = job.outcome.verdict if isinstance(job.outcome, Completed) else None
    used = view.usage(job)
    error = view.error(job)
    return _given(
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": str(job.spec.strategy),
            "gen_ai.usage.input_tokens": used["inputTokens"],
            "gen_ai.usage.output_tokens": used["outputTokens"],
            "error.type": None if error is None else error.type,
            "ditto.job.id": job.id,
            "ditto.job.state": str(job.state),
            "ditto.job.models": tuple(call.name for call in job.spec.calls),
            "ditto.job.calls": used["calls"],
            "ditto.verdict.confidence": None if verdict is None else verdict.confidence,
            "ditto.verdict.agreement": None if verdict is None else verdict.agreement,
            "ditto.verdict.needs_review": None if verdict is None else verdict.needs_review,
        }
    )


def _of_order(order: Order) -> dict[str, Any]:
    request = order.request
    return _given(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _PROVIDERS.get(order.provider, order.provider),
            "gen_ai.request.model": order.name,
            "gen_ai.request.temperature": request.sampling.temperature,
            "gen_ai.request.top_p": request.sampling.top_p,
            "gen_ai.request.max_tokens": request.sampling.max_tokens,
            "gen_ai.request.stop_sequences": tuple(request.sampling.stop) or None,
            "gen_ai.request.seed": request.seed,
            "gen_ai.output.type": "text" if request.schema is None else "json",
            "ditto.job.id": order.id.partition("/")[0],
        }
    )


def _of_result(result: Reply | Failure) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"error.type": result.type, "ditto.call.attempts": result.attempts}
    return _given(
        {
            "gen_ai.response.finish_reasons": (result.finish,),
            "gen_ai.usage.input_tokens": result.input_tokens,
            "gen_ai.usage.output_tokens": result.output_tokens,
            "ditto.call.attempts": result.attempts,
        }
    )


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [_text(message.content)]}


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
