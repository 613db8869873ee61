"""A job is a trace and its calls are spans in it, by OpenTelemetry's conventions, from whichever process they come."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from ditto.domain.events import Failure, Reply
from ditto.domain.spec import Message, Sampling
from ditto.errors import ConfigurationError
from ditto.providers.port import ModelRequest
from ditto.runtime import tracing
from ditto.runtime.orders import Order
from ditto.runtime.spans import Spans
from ditto.settings import Traces, from_args
from tests.unit.domain.jobs import begun, failed, finished, settled, spec, started
from tests.unit.runtime.house import House, asked, until

SECRET = "the prompt that nobody may see"
SAID = "42, says the reply that nobody may see"
NOW = 1_772_366_400_000_000_000
REQUEST = ModelRequest(
    model="mistral-small",
    messages=(Message(role="user", content=SECRET),),
    system="Be brief.",
    sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=7, stop=("END",)),
    seed=3,
)


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exported: InMemorySpanExporter) -> Spans:
    return Spans(SimpleSpanProcessor(exported), clock=lambda: NOW)


@pytest.fixture
def traced(spans: Spans) -> Iterator[Spans]:
    """This process traces while the test runs."""
    tracing.trace_by(spans)
    yield spans
    tracing.trace_by(tracing.Nobody())


def order(job_id: str = "j1", call: str = "mistral/mistral-small", retries: int = 0) -> Order:
    return Order(
        id=f"{job_id}/{retries}.1/{call}",
        adoptions=0,
        provider="mistral",
        name="mistral-small",
        request=REQUEST,
        timeout_s=9,
        max_retries=2,
    )


def only(exported: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exported.get_finished_spans()
    return span


def test_a_call_is_a_clients_span_with_the_attributes_of_the_conventions(
    spans: Spans, exported: InMemorySpanExporter
) -> None:
    spans.call_ended(order(), Reply(text=SAID, input_tokens=12, output_tokens=4, attempts=2, elapsed_s=0.5))

    span = only(exported)
    assert (span.name, span.kind) == ("chat mistral-small", SpanKind.CLIENT)
    assert (span.start_time, span.end_time) == (NOW - 500_000_000, NOW)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-small",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.seed": 3,
        "gen_ai.output.type": "text",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 4,
        "ditto.job.id": "j1",
        "ditto.call.attempts": 2,
    }


def test_a_call_that_failed_says_how_and_not_what_it_was_told(spans: Spans, exported: InMemorySpanExporter) -> None:
    spans.call_ended(order(), Failure(type="Overloaded", message=f"503: {SECRET}", attempts=3, elapsed_s=1.0))

    span = only(exported)
    assert (span.attributes or {})["error.type"] == "Overloaded"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert SECRET not in span.to_json()


def test_a_job_is_the_root_of_its_trace_and_its_calls_are_its_children_wherever_they_were_made(
    exported: InMemorySpanExporter,
) -> None:
    job = settled(spec("sim/a", "sim/b"), {"sim/a": "42", "sim/b": "It is 42."})
    of_caller, of_holder = Spans(SimpleSpanProcessor(exported)), Spans(SimpleSpanProcessor(exported))

    of_caller.call_ended(order(job.id), Reply(text="42"))
    of_holder.job_ended(job)

    call, root = exported.get_finished_spans()
    assert call.context is not None
    assert root.context is not None
    assert (root.name, root.kind, root.parent) == ("invoke_workflow consensus", SpanKind.INTERNAL, None)
    assert call.context.trace_id == root.context.trace_id
    assert call.parent is not None
    assert call.parent.span_id == root.context.span_id
    told = dict(root.attributes or {})
    assert (told["gen_ai.operation.name"], told["gen_ai.workflow.name"]) == ("invoke_workflow", "consensus")
    assert (told["ditto.job.id"], told["ditto.job.state"], told["ditto.job.calls"]) == ("j1", "complete", 2)
    assert told["gen_ai.usage.input_tokens"] == 6
    assert "error.type" not in told
    assert root.end_time is not None
    assert root.start_time == int(job.begun_at.timestamp()) * 10**9
    assert root.end_time > root.start_time


def test_two_jobs_are_two_traces_and_a_retry_is_in_the_trace_of_its_job(
    spans: Spans, exported: InMemorySpanExporter
) -> None:
    for job_id, retries in (("j1", 0), ("j1", 1), ("j2", 0)):
        spans.call_ended(order(job_id, retries=retries), Reply(text="42"))

    first, again, other = exported.get_finished_spans()
    assert first.context is not None
    assert again.context is not None
    assert other.context is not None
    assert first.context.trace_id == again.context.trace_id != other.context.trace_id
    assert first.parent is not None
    assert again.parent is not None
    assert first.parent.span_id != again.parent.span_id
    assert len({span.context.span_id for span in (first, again, other) if span.context}) == 3


def test_a_job_that_failed_says_how(spans: Spans, exported: InMemorySpanExporter) -> None:
    spans.job_ended(finished(failed(started(begun(spec("sim/a"))), "sim/a")))

    span = only(exported)
    assert (span.attributes or {})["error.type"] == "JobError"
    assert span.status.status_code is StatusCode.ERROR


def test_what_was_asked_and_answered_is_in_a_span_only_where_that_was_switched_on(
    exported: InMemorySpanExporter,
) -> None:
    spans = Spans(SimpleSpanProcessor(exported), content=True)

    spans.call_ended(order(), Reply(text=SAID))

    told = only(exported).attributes or {}
    asked_of = [{"role": "user", "parts": [{"type": "text", "content": SECRET}]}]
    answer = {"role": "assistant", "parts": [{"type": "text", "content": SAID}], "finish_reason": "stop"}
    assert json.loads(str(told["gen_ai.input.messages"])) == asked_of
    assert json.loads(str(told["gen_ai.output.messages"])) == [answer]
    assert json.loads(str(told["gen_ai.system_instructions"])) == [{"type": "text", "content": "Be brief."}]


async def test_a_job_that_runs_is_traced_from_its_holder_and_its_caller_without_what_was_said(
    traced: Spans, exported: InMemorySpanExporter
) -> None:
    house = House(a=Reply(text=SAID), bad=Failure(type="Timeout", message="late"))
    host = await house.host()
    await host.accept("j1", asked("a", "bad", system=SECRET), None)
    await house.ended(host, "j1")
    await until(lambda: len(exported.get_finished_spans()) == 3)
    await house.close()

    found = exported.get_finished_spans()
    assert sorted(span.name.partition(" ")[0] for span in found) == ["chat", "chat", "invoke_workflow"]
    assert len({span.context.trace_id for span in found if span.context}) == 1
    for secret in (SECRET, SAID):
        assert [span.name for span in found if secret in span.to_json()] == []


def test_nothing_is_traced_unless_a_collector_is_named() -> None:
    assert from_args({}, source="nothing").traces == Traces(endpoint=None, content=False)
    tracing.begin(Traces())
    assert isinstance(tracing._tracer, tracing.Nobody)


def test_a_collector_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    named = from_args({"traces": {"endpoint": "http://127.0.0.1:4318", "content": True}}, source="x").traces
    assert (named.endpoint, named.content) == ("http://127.0.0.1:4318", True)
    with pytest.raises(ConfigurationError, match=r"traces\.endpoint"):
        from_args({"traces": {"endpoint": "nowhere"}}, source="x")
    monkeypatch.setattr("ditto.settings.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install"):
        from_args({"traces": {"endpoint": "http://127.0.0.1:4318"}}, source="x")
