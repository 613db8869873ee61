"""Proves that a streamed reply is the reply that would have come whole, however its bytes are cut, or a plain try."""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.events import Failure, Reply
from ditto.errors import CallTooLarge
from ditto.providers.frames import Frames
from ditto.providers.models import DIALECTS
from ditto.providers.port import Hearer, ModelRequest
from ditto.settings.endpoints import KNOWN, Dialect, Endpoint
from tests.unit.providers.stage import COMPLETION, KEY, QUESTION, Stage, failing, refusing

TEXT = "Lisbon is the capital: «Lisboa» 🇵🇹.\n"


class Notes(Hearer):
    """What was heard of each try."""

    def __init__(self) -> None:
        self.tries: list[str] = []
        self.after: list[Failure | None] = []

    def begin(self, attempt: int, after: Failure | None) -> None:
        self.tries.append("")
        self.after.append(after)

    def said(self, text: str) -> None:
        self.tries[-1] += text


def framed(*events: Any, end: str = "\n") -> bytes:
    datas = [event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events]
    return "".join(f"data: {data}{end}{end}" for data in datas).encode()


def chunk(content: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}], **more}


CHAT = framed(
    chunk(""),
    *(chunk(c) for c in TEXT),
    chunk(None, "stop"),
    {"choices": [], "usage": {"completion_tokens": 9}},
    "[DONE]",
)
MESSAGE = framed(
    {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Portugal …"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    *({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": c}} for c in TEXT),
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
)
RUN = framed(*({"response": c} for c in TEXT), {"response": "", "usage": {"completion_tokens": 9}}, "[DONE]")
STREAMS: dict[Dialect, bytes] = {"openai": CHAT, "anthropic": MESSAGE, "workers-ai": RUN}


def streamed(body: bytes, *cuts: int, breaks: bool = False) -> httpx.Response:
    async def pieces() -> AsyncIterator[bytes]:
        ends = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
        for begin, end in itertools.pairwise(ends):
            yield body[begin:end]
        if breaks:
            raise httpx.ReadError("reset")

    return httpx.Response(200, headers={"content-type": "text/event-stream; charset=utf-8"}, content=pieces())


async def asked(stage: Stage, dialect: Dialect = "openai", **more: Any) -> tuple[Reply | Failure, Notes]:
    notes = Notes()
    models = stage.models(here=Endpoint(dialect=dialect, base_url="https://here.example", key_env="OPENAI_API_KEY"))
    more = {"timeout_s": 300.0, "max_retries": 2, **more}
    return await models.ask("here", "here/gpt-x", more.pop("request", QUESTION), hearer=notes, **more), notes


@pytest.mark.parametrize("dialect", STREAMS)
@given(cuts=st.lists(st.integers(min_value=0, max_value=5_000), max_size=12))
async def test_a_stream_is_read_alike_wherever_its_bytes_are_cut(dialect: Dialect, cuts: list[int]) -> None:
    stage = Stage(streamed(STREAMS[dialect], *cuts))

    reply, notes = await asked(stage, dialect)

    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, reply.output_tokens, reply.attempts) == (TEXT.strip(), "stop", 9, 1)
    assert notes.tries == [TEXT]
    assert stage.bodies[0]["stream"] is True


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_end_of_a_line_is_one_byte_by_byte(end: str) -> None:
    frames = Frames(1_000)
    body = f": hello{end}event: x{end}data: one{end}data: two{end}{end}data:three{end}{end}".encode()

    events = [event for at in range(len(body)) for event in frames.feed(body[at : at + 1])]

    assert events + frames.end() == ["one\ntwo", "three"]


def test_an_event_without_an_end_is_cut_off_at_the_limit() -> None:
    frames = Frames(100)
    for _ in range(100):
        frames.feed(b"x")

    with pytest.raises(CallTooLarge):
        frames.feed(b"x")


async def test_tokens_are_asked_for_and_a_provider_that_always_tells_them_is_not_told_so() -> None:
    stage = Stage(streamed(CHAT))
    await asked(stage)

    built = DIALECTS["openai"].build(QUESTION, KNOWN["mistral"], KEY, None, left_out=frozenset(), stream=True)

    assert stage.bodies[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in json.loads(built.request.content)
    assert built.warnings == ()


async def test_nobody_hears_nothing_is_streamed() -> None:
    stage = Stage(COMPLETION)

    await stage.ask()

    assert "stream" not in stage.bodies[0]


@pytest.mark.parametrize("refusal", [refusing("stream"), refusing("stream_options"), failing(400, "not like this")])
async def test_a_model_that_does_not_stream_is_asked_for_the_whole_reply_from_then_on(refusal: httpx.Response) -> None:
    stage = Stage(refusal, COMPLETION)
    models = stage.models()

    first = await models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=9, max_retries=0, hearer=Notes())
    second = await models.ask("openai", "openai/gpt-x", QUESTION, timeout_s=9, max_retries=0, hearer=Notes())

    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.text, first.warnings, second.attempts) == ("Lisbon.", (), 1)
    assert ["stream" in body for body in stage.bodies] == [True, False, False]


async def test_a_request_that_is_wrong_in_itself_still_fails_as_that() -> None:
    failure, _ = await asked(Stage(failing(400, "not like this")))

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("BadRequest", 2)


async def test_a_provider_that_answers_whole_in_spite_of_it_is_understood() -> None:
    reply, notes = await asked(Stage(COMPLETION))

    assert isinstance(reply, Reply)
    assert (reply.text, notes.tries) == ("Lisbon.", [""])


@pytest.mark.parametrize("breaks", [True, False])
async def test_what_a_stream_that_broke_off_had_said_is_void_and_the_whole_reply_is_asked_for(breaks: bool) -> None:
    stage = Stage(streamed(CHAT[:300], breaks=breaks), COMPLETION)

    reply, notes = await asked(stage)

    assert isinstance(reply, Reply)
    assert (reply.text, reply.attempts, notes.tries[1]) == ("Lisbon.", 2, "")
    assert TEXT.startswith(notes.tries[0])
    assert notes.tries[0]
    assert notes.after[1] is not None
    assert notes.after[1].type == "Unreachable"
    assert ["stream" in body for body in stage.bodies] == [True, False]


async def test_a_stream_that_breaks_after_the_replys_end_has_been_a_good_one() -> None:
    reply, _ = await asked(Stage(streamed(CHAT.removesuffix(framed("[DONE]")), breaks=True)))

    assert isinstance(reply, Reply)
    assert (reply.text, reply.attempts) == (TEXT.strip(), 1)


@pytest.mark.parametrize(
    ("dialect", "error", "type_"),
    [
        ("openai", {"error": {"message": "overloaded", "code": 503}}, "Overloaded"),
        ("anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        ("workers-ai", {"errors": [{"message": "capacity", "code": 3040}], "success": False}, "Overloaded"),
    ],
)
async def test_an_error_in_the_middle_of_a_stream_is_that_error(dialect: Dialect, error: Any, type_: str) -> None:
    stage = Stage(streamed(STREAMS[dialect][:200].rpartition(b"\n\n")[0] + b"\n\n" + framed(error)))

    failure, _ = await asked(stage, dialect, max_retries=0)

    assert isinstance(failure, Failure)
    assert failure.type == type_


async def test_what_is_no_stream_of_the_dialect_is_asked_for_whole() -> None:
    reply, _ = await asked(Stage(streamed(b"data: <html>\n\n"), COMPLETION))

    assert isinstance(reply, Reply)
    assert (reply.text, reply.attempts) == ("Lisbon.", 2)


async def test_a_reply_without_end_is_too_large() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield framed(chunk("x" * 100_000))

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=endless())
    failure, _ = await asked(Stage(response))

    assert isinstance(failure, Failure)
    assert (failure.type, failure.attempts) == ("TooLarge", 1)


async def test_a_stream_without_text_and_without_end_is_too_large_as_well() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b": " + b"x" * 4_000_000 + b"\n\n"

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=endless())
    failure, _ = await asked(Stage(response))

    assert isinstance(failure, Failure)
    assert failure.type == "TooLarge"


async def test_pieces_that_are_numbers_lists_or_half_a_character_are_text() -> None:
    body = framed(chunk([{"type": "thinking", "thinking": []}, {"type": "text", "text": "H"}]), chunk(2), chunk("O "))
    halves = b"".join(b'data: {"choices":[{"delta":{"content":"\\u%s"}}]}\n\n' % half for half in (b"d83d", b"de00"))

    reply, _ = await asked(Stage(streamed(body + halves + framed(chunk("", "stop"), "[DONE]"))))

    assert isinstance(reply, Reply)
    assert reply.text == "H2O 😀"


async def test_groqs_own_place_for_tokens_is_known() -> None:
    body = framed(chunk("Lisbon"), chunk("", "stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 1}}))

    reply, _ = await asked(Stage(streamed(body)))

    assert isinstance(reply, Reply)
    assert (reply.input_tokens, reply.output_tokens) == (3, 1)


async def test_a_refusal_is_streamed_like_text() -> None:
    body = framed({"choices": [{"delta": {"refusal": "I cannot "}}]}, {"choices": [{"delta": {"refusal": "help."}}]})

    reply, notes = await asked(Stage(streamed(body + framed(chunk(None, "stop"), "[DONE]"))))

    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, notes.tries) == ("I cannot help.", "content_filter", ["I cannot help."])


async def test_workers_ai_is_understood_where_its_own_route_streams_chunks_and_does_not_stream_a_schema() -> None:
    stage = Stage(streamed(CHAT))
    schema = ModelRequest(model="m", messages=QUESTION.messages, schema={"type": "object"})

    reply, notes = await asked(stage, "workers-ai")
    built = DIALECTS["workers-ai"].build(schema, KNOWN["cloudflare"], KEY, "a", left_out=frozenset(), stream=True)

    assert isinstance(reply, Reply)
    assert (reply.text, notes.tries) == (TEXT.strip(), [TEXT])
    assert built.assembly is None
