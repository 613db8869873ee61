"""The simulated models answer the providers' own clients, and misbehave exactly as they are told to."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import anthropic
import httpx
import openai
import pytest
from pydantic import BaseModel

from ditto.sim.catalog import DEFAULT_PANEL, PERSONAS
from ditto.sim.server import Running, start

SUM = "What is 17 * 23?"
ORDER = """Read the order.

Order #A-991
Customer: Müller & Söhne
Date: 2026-01-15
- 3 x Notebook @ €4.20
- 10 pcs Stapler for €12
No rush."""


class Line(BaseModel):
    name: str
    quantity: int
    price: float


class Order(BaseModel):
    customer: str
    date: str
    priority: Literal["low", "normal", "high"]
    lines: list[Line]


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    running = await start(default_latency_s=0.0)
    yield running
    await running.stop()


@pytest.fixture
async def http(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=5) as client:
        yield client


@pytest.fixture
async def gpt(server: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(server: Running) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="any", max_retries=0) as client:
        yield client


async def ask(http: httpx.AsyncClient, model: str, prompt: str = SUM, **more: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
    return await http.post("/v1/chat/completions", json=body)


def content(response: httpx.Response) -> Any:
    return response.json()["choices"][0]["message"]["content"]


class TestOpenAIClient:
    async def test_a_plain_reply_has_text_finish_reason_and_usage(self, gpt: openai.AsyncOpenAI) -> None:
        reply = await gpt.chat.completions.create(model="terse", messages=[{"role": "user", "content": SUM}])

        assert reply.choices[0].message.content == "391"
        assert reply.choices[0].finish_reason == "stop"
        assert reply.usage is not None
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens

    async def test_a_stream_gives_the_same_text_and_ends_with_the_usage(self, gpt: openai.AsyncOpenAI) -> None:
        messages: Any = [{"role": "user", "content": SUM}]
        plain = await gpt.chat.completions.create(model="wordy", messages=messages)

        stream = await gpt.chat.completions.create(
            model="wordy", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]

        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == plain.choices[0].message.content
        assert len(chunks) > 5
        assert chunks[-1].usage == plain.usage

    async def test_a_pydantic_class_is_filled_from_the_text(self, gpt: openai.AsyncOpenAI) -> None:
        reply = await gpt.chat.completions.parse(
            model="wordy", messages=[{"role": "user", "content": ORDER}], response_format=Order
        )

        order = reply.choices[0].message.parsed
        assert order == Order(
            customer="Müller & Söhne",
            date="2026-01-15",
            priority="low",
            lines=[Line(name="Notebook", quantity=3, price=4.2), Line(name="Stapler", quantity=10, price=12)],
        )

    async def test_a_forced_tool_is_called_with_its_arguments(self, gpt: openai.AsyncOpenAI) -> None:
        tool: Any = {"type": "function", "function": {"name": "keep", "parameters": Order.model_json_schema()}}
        choice: Any = {"type": "function", "function": {"name": "keep"}}

        reply = await gpt.chat.completions.create(
            model="terse", messages=[{"role": "user", "content": ORDER}], tools=[tool], tool_choice=choice
        )

        (call,) = reply.choices[0].message.tool_calls or []
        assert reply.choices[0].finish_reason == "tool_calls"
        assert Order.model_validate_json(call.function.arguments).date == "2026-01-15"  # type: ignore[union-attr]

    async def test_max_tokens_cuts_the_reply_off(self, gpt: openai.AsyncOpenAI) -> None:
        reply = await gpt.chat.completions.create(
            model="wordy", messages=[{"role": "user", "content": SUM}], max_completion_tokens=3
        )

        assert reply.choices[0].finish_reason == "length"
        assert reply.usage is not None
        assert reply.usage.completion_tokens == 3

    async def test_models_are_listed_and_say_that_they_are_simulated(self, gpt: openai.AsyncOpenAI) -> None:
        models = [model async for model in gpt.models.list()]

        assert {model.id for model in models} == set(PERSONAS)
        assert all("no language model" in model.description for model in models)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("model", "error"),
        [
            ("terse+nokey", openai.AuthenticationError),
            ("terse+nomodel", openai.NotFoundError),
            ("nobody", openai.NotFoundError),
            ("terse+rate", openai.RateLimitError),
            ("terse+fail=503", openai.InternalServerError),
            ("terse+noparam=temperature", openai.BadRequestError),
            ("terse+context=2", openai.BadRequestError),
            ("terse+dead", openai.APIConnectionError),
            ("terse+reset", openai.APIConnectionError),
        ],
    )
    async def test_each_failure_is_the_clients_own_error(
        self, gpt: openai.AsyncOpenAI, model: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            await gpt.chat.completions.create(model=model, messages=[{"role": "user", "content": SUM}], temperature=0.5)


class TestAnthropicClient:
    async def test_a_plain_reply_has_text_stop_reason_and_usage(self, claude: anthropic.AsyncAnthropic) -> None:
        reply = await claude.messages.create(model="terse", max_tokens=100, messages=[{"role": "user", "content": SUM}])

        assert [block.text for block in reply.content if block.type == "text"] == ["391"]
        assert reply.stop_reason == "end_turn"
        assert reply.usage.output_tokens == 1

    async def test_a_stream_is_put_together_to_the_same_message(self, claude: anthropic.AsyncAnthropic) -> None:
        asked: Any = {"model": "wordy", "max_tokens": 100, "messages": [{"role": "user", "content": SUM}]}
        plain = await claude.messages.create(**asked)

        async with claude.messages.stream(**asked) as stream:
            pieces = [text async for text in stream.text_stream]
            final = await stream.get_final_message()

        assert len(pieces) > 5
        assert [block.text for block in final.content] == [block.text for block in plain.content]
        assert final.usage.output_tokens == plain.usage.output_tokens

    async def test_a_pydantic_class_is_filled_from_the_text(self, claude: anthropic.AsyncAnthropic) -> None:
        reply = await claude.messages.parse(
            model="careful", max_tokens=1000, messages=[{"role": "user", "content": ORDER}], output_format=Order
        )

        assert reply.parsed_output is not None
        assert reply.parsed_output.lines[1] == Line(name="Stapler", quantity=10, price=12)

    async def test_a_forced_tool_is_called_with_its_arguments(self, claude: anthropic.AsyncAnthropic) -> None:
        asked: Any = {
            "model": "terse",
            "max_tokens": 1000,
            "messages": [{"role": "user", "content": ORDER}],
            "tools": [{"name": "keep", "input_schema": Order.model_json_schema()}],
            "tool_choice": {"type": "tool", "name": "keep"},
        }

        reply = await claude.messages.create(**asked)
        async with claude.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()

        (block,) = reply.content
        assert reply.stop_reason == "tool_use"
        assert block.type == "tool_use"
        assert Order.model_validate(block.input).customer == "Müller & Söhne"
        assert streamed.content[0].input == block.input  # type: ignore[union-attr]

    async def test_thinking_comes_in_a_block_of_its_own(self, claude: anthropic.AsyncAnthropic) -> None:
        asked: Any = {
            "model": "thinker",
            "max_tokens": 4000,
            "messages": [{"role": "user", "content": SUM}],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }

        reply = await claude.messages.create(**asked)
        async with claude.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()

        assert [block.type for block in reply.content] == ["thinking", "text"]
        assert [block.type for block in streamed.content] == ["thinking", "text"]
        assert streamed.content[0] == reply.content[0]

    @pytest.mark.parametrize(
        ("model", "error"),
        [
            ("terse+nokey", anthropic.AuthenticationError),
            ("nobody", anthropic.NotFoundError),
            ("terse+rate", anthropic.RateLimitError),
            ("terse+fail=529", anthropic.InternalServerError),
            ("terse+noparam=temperature", anthropic.BadRequestError),
            ("terse+context=2", anthropic.BadRequestError),
        ],
    )
    async def test_each_failure_is_the_clients_own_error(
        self, claude: anthropic.AsyncAnthropic, model: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            await claude.messages.create(
                model=model, max_tokens=10, messages=[{"role": "user", "content": SUM}], extra_body={"temperature": 0.5}
            )

    @pytest.mark.parametrize(
        ("change", "headers", "status", "words"),
        [
            ({"max_tokens": None}, {}, 400, "max_tokens: Field required"),
            ({"temperature": 1.5}, {}, 400, "temperature"),
            ({"frequency": 1}, {}, 400, "frequency: Extra inputs are not permitted"),
            ({"messages": [{"role": "assistant", "content": "x"}]}, {}, 400, "must end with a user message"),
            ({"messages": [{"role": "system", "content": "x"}]}, {}, 400, "messages.0.role"),
            ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {}, 400, "budget_tokens"),
            (
                {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
                {},
                400,
                "additional",
            ),
            ({}, {"anthropic-version": ""}, 400, "anthropic-version: header is required"),
            ({}, {"x-api-key": ""}, 401, "x-api-key header is required"),
        ],
    )
    async def test_a_bad_request_is_refused_as_by_the_provider(
        self, http: httpx.AsyncClient, change: dict[str, Any], headers: dict[str, str], status: int, words: str
    ) -> None:
        body = {"model": "terse", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}], **change}

        answer = await http.post(
            "/v1/messages", json=body, headers={"x-api-key": "k", "anthropic-version": "2023-06-01", **headers}
        )

        assert answer.status_code == status
        assert answer.json()["type"] == "error"
        assert words in answer.json()["error"]["message"]


class TestWorkersAI:
    ROUTE = "/client/v4/accounts/acc/ai/run/@cf/sim/"
    KEY = {"authorization": "Bearer token"}  # noqa: RUF012

    async def test_the_plain_route_answers_under_result_response(self, http: httpx.AsyncClient) -> None:
        body = {"messages": [{"role": "user", "content": SUM}]}

        answer = await http.post(f"{self.ROUTE}terse", json=body, headers=self.KEY)

        assert answer.json()["result"]["response"] == "391"
        assert answer.json()["success"] is True

    async def test_with_a_schema_the_response_is_the_object_itself(self, http: httpx.AsyncClient) -> None:
        form = {"type": "json_schema", "json_schema": Order.model_json_schema()}

        answer = await http.post(
            f"{self.ROUTE}terse", json={"prompt": ORDER, "response_format": form}, headers=self.KEY
        )

        assert Order.model_validate(answer.json()["result"]["response"]).date == "2026-01-15"

    async def test_it_streams_pieces_and_then_done(self, http: httpx.AsyncClient) -> None:
        answer = await http.post(f"{self.ROUTE}wordy", json={"prompt": SUM, "stream": True}, headers=self.KEY)

        frames = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
        assert frames[-1] == "[DONE]"
        assert "The answer is 391." in "".join(json.loads(frame)["response"] for frame in frames[:-1])

    async def test_replies_are_cut_at_256_tokens_unless_asked_otherwise(self, http: httpx.AsyncClient) -> None:
        answer = await http.post(f"{self.ROUTE}terse+long=5000", json={"prompt": SUM}, headers=self.KEY)

        assert answer.json()["result"]["usage"]["completion_tokens"] == 256

    async def test_the_compatible_route_speaks_chat_completions(self, server: Running) -> None:
        base = f"{server.url}/client/v4/accounts/acc/ai/v1"
        async with openai.AsyncOpenAI(base_url=base, api_key="token") as client:
            reply = await client.chat.completions.create(
                model="@cf/sim/terse", messages=[{"role": "user", "content": SUM}]
            )

        assert reply.choices[0].message.content == "391"

    @pytest.mark.parametrize(
        ("model", "headers", "status", "code"),
        [
            ("terse", {}, 401, 10000),
            ("nobody", KEY, 400, 5007),
            ("terse+rate", KEY, 429, 3040),
            ("terse+context", KEY, 413, 5021),
            ("terse+fail=500", KEY, 500, 5000),
        ],
    )
    async def test_errors_have_cloudflares_codes(
        self, http: httpx.AsyncClient, model: str, headers: dict[str, str], status: int, code: int
    ) -> None:
        answer = await http.post(f"{self.ROUTE}{model}", json={"prompt": SUM}, headers=headers)

        assert answer.status_code == status
        assert answer.json()["errors"][0]["code"] == code
        assert answer.json()["success"] is False


class TestBadRequests:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"model": None}, "you must provide a model parameter"),
            ({"messages": []}, "empty array"),
            ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
            ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
            ({"temperature": 3}, "temperature"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"stream": "yes"}, "stream"),
            ({"colour": "red"}, "Unrecognized request argument supplied: colour"),
            ({"response_format": {"type": "json_object"}}, "must contain the word 'json'"),
            ({"response_format": {"type": "xml"}}, "xml"),
            (
                {
                    "response_format": {
                        "type": "json_schema",
                        "json_schema": {"name": "x", "strict": True, "schema": {}},
                    }
                },
                "Invalid schema",
            ),
            ({"sim": "slwo=2s"}, "did you mean slow?"),
        ],
    )
    async def test_a_wrong_field_is_refused_in_openais_shape(
        self, http: httpx.AsyncClient, change: dict[str, Any], words: str
    ) -> None:
        body = {"model": "terse", "messages": [{"role": "user", "content": "x"}], **change}

        answer = await http.post("/v1/chat/completions", json=body)

        assert answer.status_code == 400
        assert words in answer.json()["error"]["message"]

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
    async def test_a_body_that_is_no_json_object_is_refused(self, http: httpx.AsyncClient, raw: bytes) -> None:
        answer = await http.post("/v1/chat/completions", content=raw)

        assert answer.status_code == 400

    async def test_only_the_right_key_is_taken_where_one_is_set(self) -> None:
        running = await start(api_key="right", default_latency_s=0.0)
        async with httpx.AsyncClient(base_url=running.url) as client:
            statuses = []
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer right"}):
                client.headers = httpx.Headers(headers)
                statuses.append((await ask(client, "terse")).status_code)
        await running.stop()

        assert statuses == [401, 401, 200]


class TestMisbehaviour:
    async def test_slow_waits_before_the_first_byte(self, http: httpx.AsyncClient) -> None:
        began = time.monotonic()
        answer = await ask(http, "terse+slow=300ms")

        assert content(answer) == "391"
        assert time.monotonic() - began >= 0.3

    async def test_a_hanging_model_never_answers_and_is_counted_as_aborted(self, http: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(
                "/v1/chat/completions",
                json={"model": "terse+hang", "messages": [{"role": "user", "content": SUM}]},
                timeout=0.2,
            )

        await asyncio.sleep(0.1)
        counts = (await http.get("/sim/counts")).json()
        assert (counts["aborted"], counts["running"]) == (1, 0)

    async def test_fail_with_times_fails_so_often_and_then_answers(self, http: httpx.AsyncClient) -> None:
        statuses = [(await ask(http, "terse+fail=503*2")).status_code for _ in range(4)]

        assert statuses == [503, 503, 200, 200]

    async def test_each_prompt_has_its_own_first_failures(self, http: httpx.AsyncClient) -> None:
        statuses = [(await ask(http, "terse+fail=503*1", prompt)).status_code for prompt in ("1+1", "2+2", "1+1")]

        assert statuses == [503, 503, 200]

    async def test_rate_names_the_seconds_to_wait(self, http: httpx.AsyncClient) -> None:
        answers = [await ask(http, "terse+rate=1,retry-after=0.5") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [429, 200]
        assert answers[0].headers["retry-after"] == "0.5"

    async def test_garbage_is_no_json(self, http: httpx.AsyncClient) -> None:
        answer = await ask(http, "terse+garbage")

        assert answer.status_code == 200
        with pytest.raises(UnicodeDecodeError):
            answer.json()

    @pytest.mark.parametrize(("written", "status"), [("html", 200), ("html=502", 502)])
    async def test_html_is_the_page_of_a_proxy(self, http: httpx.AsyncClient, written: str, status: int) -> None:
        answer = await ask(http, f"terse+{written}")

        assert answer.status_code == status
        assert answer.text.startswith("<!DOCTYPE html>")

    async def test_dead_closes_the_connection_without_a_word(self, http: httpx.AsyncClient) -> None:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await ask(http, "terse+dead")

    @pytest.mark.parametrize("stream", [False, True])
    async def test_reset_breaks_off_in_the_middle(self, http: httpx.AsyncClient, stream: bool) -> None:
        body = {"model": "terse+reset", "messages": [{"role": "user", "content": SUM}], "stream": stream}
        received = bytearray()

        async def read() -> None:
            async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
                async for piece in answer.aiter_bytes():
                    received.extend(piece)

        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await read()
        assert received

    async def test_endless_sends_until_the_client_hangs_up(self, http: httpx.AsyncClient) -> None:
        size = 0
        async with http.stream(
            "POST",
            "/v1/chat/completions",
            json={"model": "terse+endless", "messages": [{"role": "user", "content": SUM}]},
        ) as answer:
            async for piece in answer.aiter_bytes():
                size += len(piece)
                if size > 2_000_000:
                    break

        assert size > 2_000_000
        await asyncio.sleep(0.1)
        assert (await http.get("/sim/counts")).json()["aborted"] == 1

    async def test_drip_sends_a_few_bytes_at_a_time(self, http: httpx.AsyncClient) -> None:
        began = time.monotonic()
        answer = await ask(http, "terse+drip=10ms")

        assert content(answer) == "391"
        assert time.monotonic() - began > 0.2

    async def test_empty_has_no_text(self, http: httpx.AsyncClient) -> None:
        assert content(await ask(http, "terse+empty")) == ""

    async def test_filter_ends_with_the_content_filter(self, http: httpx.AsyncClient) -> None:
        answer = await ask(http, "terse+filter")

        assert answer.json()["choices"][0]["finish_reason"] == "content_filter"

    async def test_cut_breaks_off_with_finish_length(self, http: httpx.AsyncClient) -> None:
        answer = await ask(http, "wordy+cut")

        assert answer.json()["choices"][0]["finish_reason"] == "length"
        assert "The answer is" not in content(answer)

    async def test_refuse_and_clarify_say_so_in_words(self, http: httpx.AsyncClient) -> None:
        assert "help" in content(await ask(http, "terse+refuse")) or "assist" in content(
            await ask(http, "terse+refuse")
        )
        assert content(await ask(http, "terse+clarify")).endswith("?")

    async def test_think_stands_before_the_answer_and_reasoning_beside_it(self, http: httpx.AsyncClient) -> None:
        thinking = content(await ask(http, "terse+think"))
        beside = (await ask(http, "terse+reasoning")).json()["choices"][0]["message"]

        assert thinking.startswith("<think>")
        assert thinking.endswith("</think>\n\n391")
        assert beside["content"] == "391"
        assert beside["reasoning_content"]

    async def test_wrong_is_well_formed_and_the_same_for_all(self, http: httpx.AsyncClient) -> None:
        answers = {
            content(await ask(http, f"{persona}+wrong")).strip("*").split()[-1] for persona in ("terse", "careful")
        }

        assert answers == {"381"}

    async def test_long_has_so_many_words(self, http: httpx.AsyncClient) -> None:
        assert len(content(await ask(http, "terse+long=500")).split()) == 500

    async def test_badjson_is_mended_when_asked_again(self, http: httpx.AsyncClient) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "order", "schema": Order.model_json_schema()}}
        asked: list[dict[str, str]] = [{"role": "user", "content": ORDER}]

        first = content(await ask(http, "terse+badjson", messages=asked, response_format=form))
        asked += [
            {"role": "assistant", "content": first},
            {"role": "user", "content": "That does not satisfy the JSON Schema: /customer\nAnswer again."},
        ]
        second = content(await ask(http, "terse+badjson", messages=asked, response_format=form))

        with pytest.raises(ValueError, match="customer"):
            Order.model_validate_json(first)
        assert Order.model_validate_json(second).customer == "Müller & Söhne"

    async def test_noparam_names_the_parameter_and_is_content_without_it(self, http: httpx.AsyncClient) -> None:
        refused = await ask(http, "terse+noparam=max_tokens", max_tokens=10)
        taken = await ask(http, "terse+noparam=max_tokens", max_completion_tokens=10)

        assert refused.json()["error"]["code"] == "unsupported_parameter"
        assert refused.json()["error"]["param"] == "max_tokens"
        assert taken.status_code == 200

    @pytest.mark.parametrize("way", ["name", "header", "body"])
    async def test_each_can_be_asked_for_by_name_by_header_and_in_the_body(
        self, http: httpx.AsyncClient, way: str
    ) -> None:
        body: dict[str, Any] = {"model": "terse", "messages": [{"role": "user", "content": SUM}]}
        headers = {"x-sim": "fail=418"} if way == "header" else {}
        body |= {"model": "terse+fail=418"} if way == "name" else {"sim": "fail=418"} if way == "body" else {}

        answer = await http.post("/v1/chat/completions", json=body, headers=headers)

        assert answer.status_code == 418


class TestCounts:
    async def test_calls_are_counted_per_model_prompt_and_call(self, http: httpx.AsyncClient) -> None:
        await ask(http, "terse", "1+1")
        await ask(http, "terse", "1+1")
        await ask(http, "wordy", "2+2")
        body = {"model": "terse+fail=500", "messages": [{"role": "user", "content": "3+3"}]}
        await http.post("/v1/chat/completions", json=body, headers={"x-ditto-call": "job-1/terse"})

        counts = (await http.get("/sim/counts")).json()

        assert (counts["total"], counts["answered"], counts["failed"]) == (4, 3, 1)
        assert counts["models"]["terse"]["answered"] == 2
        assert [tally["started"] for tally in counts["prompts"]["terse"].values()] == [2]
        assert counts["calls"]["job-1/terse"]["failed"] == 1
        assert counts["statuses"] == {"200": 3, "500": 1}

    async def test_reset_forgets_all_but_what_still_runs(self, http: httpx.AsyncClient) -> None:
        running = asyncio.create_task(ask(http, "terse+slow=400ms"))
        await asyncio.sleep(0.1)

        await http.post("/sim/reset")
        during = (await http.get("/sim/counts")).json()
        await running
        after = (await http.get("/sim/counts")).json()

        assert (during["total"], during["running"], during["maxConcurrent"]) == (0, 1, 1)
        assert (after["total"], after["running"], after["finished"]) == (0, 0, 0)

    async def test_the_prompts_that_are_remembered_are_bounded(self) -> None:
        running = await start(default_latency_s=0.0, prompt_limit=3)
        async with httpx.AsyncClient(base_url=running.url) as client:
            for number in range(5):
                await ask(client, "terse", f"{number}+1")
            counts = (await client.get("/sim/counts")).json()
        await running.stop()

        assert counts["total"] == 5
        assert len(counts["prompts"]["terse"]) == 3
        assert counts["forgotten"] == 2

    async def test_many_calls_at_once_are_all_answered(self, http: httpx.AsyncClient) -> None:
        limits = httpx.Limits(max_connections=300)
        async with httpx.AsyncClient(base_url=http.base_url, limits=limits, timeout=30) as client:
            answers = await asyncio.gather(*(ask(client, "terse+slow=500ms", f"{n} + 1") for n in range(300)))

        assert [content(answer) for answer in answers] == [str(n + 1) for n in range(300)]
        assert (await http.get("/sim/counts")).json()["maxConcurrent"] >= 200


class TestReplay:
    @pytest.fixture
    async def replaying(self, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
        rows = [
            {"id": "1", "prompt": "How many?", "answers": {"gpt-x": "Three. 🙂", "claude-y": "3"}},
            {"id": "2", "prompt": "How many? And why?", "answers": {"gpt-x": "Four."}},
        ]
        path = tmp_path / "rows.jsonl.gz"
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
        running = await start(replay=path)
        async with httpx.AsyncClient(base_url=running.url) as client:
            yield client
        await running.stop()

    async def test_a_recorded_prompt_gets_the_recorded_reply(self, replaying: httpx.AsyncClient) -> None:
        assert content(await ask(replaying, "gpt-x", "How many?")) == "Three. 🙂"

    async def test_the_longest_recorded_prompt_in_a_message_counts(self, replaying: httpx.AsyncClient) -> None:
        assert content(await ask(replaying, "gpt-x", "Please: How many? And why?\n\nBe brief.")) == "Four."

    async def test_a_recorded_model_can_misbehave(self, replaying: httpx.AsyncClient) -> None:
        statuses = [(await ask(replaying, "gpt-x+fail=503*1", "How many?")).status_code for _ in range(2)]

        assert statuses == [503, 200]

    async def test_what_is_not_recorded_is_named(self, replaying: httpx.AsyncClient) -> None:
        unknown = await ask(replaying, "gpt-x", "What else?")
        missing = await ask(replaying, "claude-y", "How many? And why?")

        assert (unknown.status_code, missing.status_code) == (404, 404)
        assert "What else?" in unknown.json()["error"]["message"]
        assert "No reply of claude-y" in missing.json()["error"]["message"]

    async def test_personas_are_there_beside_the_recorded_models(self, replaying: httpx.AsyncClient) -> None:
        listed = {model["id"] for model in (await replaying.get("/v1/models")).json()["data"]}

        assert {"gpt-x", "claude-y", *PERSONAS} == listed
        assert content(await ask(replaying, "terse", SUM)) == "391"


async def test_the_default_panel_agrees_but_for_one(http: httpx.AsyncClient) -> None:
    replies = [content(await ask(http, persona)) for persona in DEFAULT_PANEL]

    assert ["391" in reply for reply in replies] == [True, True, True, True, False]
    assert len(set(replies)) == 5


async def test_a_stand_in_plays_models_of_unknown_names() -> None:
    running = await start(stand_in="terse", default_latency_s=0.0)
    async with httpx.AsyncClient(base_url=running.url) as client:
        answer = await ask(client, "gpt-5")
    await running.stop()

    assert content(answer) == "391"


async def test_other_scripts_emoji_and_half_characters_pass_unharmed(http: httpx.AsyncClient) -> None:
    text = "日本語 עברית 🙂👩‍👩‍👧 \ud83d"
    raw = json.dumps({"model": "terse", "messages": [{"role": "user", "content": f"Say: {text}"}]}).encode()

    answer = await http.post("/v1/chat/completions", content=raw)

    assert content(answer) == text


async def test_a_megabyte_of_prompt_is_answered(http: httpx.AsyncClient) -> None:
    began = time.monotonic()
    answer = await ask(http, "careful", "Summarize this: " + "The plan was moved to May. " * 40_000)

    assert "The plan was moved to May." in content(answer)
    assert time.monotonic() - began < 2


async def test_the_front_page_says_what_it_is(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text

    assert "There is no language model behind it" in page
    assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_stopping_breaks_off_what_hangs() -> None:
    running = await start()
    async with httpx.AsyncClient(base_url=running.url, timeout=10) as client:
        hanging = asyncio.create_task(ask(client, "terse+hang"))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await running.stop()

        assert time.monotonic() - began < 2
        with pytest.raises(httpx.TransportError):
            await hanging


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_prints_its_url_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ditto.sim", "--port", "0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), 10)).decode().strip()
    async with httpx.AsyncClient(base_url=url) as client:
        assert content(await ask(client, "terse")) == "391"

    process.send_signal(number)
    output, errors = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 0
    assert (output, errors) == (b"", b"")
