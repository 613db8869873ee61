"""What a batch promises: every row answered once, none lost, none asked twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ditto.batching import BatchReport, Reading, Source
from ditto.batching.places import listed
from ditto.batching.records import idempotency_key, row_key
from ditto.batching.source import Row
from ditto.client.cluster_backend import ClusterBackend
from ditto.domain.events import Failure
from ditto.domain.job import Job
from ditto.domain.request import Request
from ditto.domain.view import JobView
from ditto.errors import ConfigurationError, RateLimited, Unavailable
from ditto.runtime.service import Submitted
from tests.fakes import FakeService, Held
from tests.unit.client.hasty import Hasty


async def test_every_row_is_answered_under_its_own_id(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"id": 2, "prompt": "Two?"})

    report = await bench.run()

    assert report.rows == report.complete == 2
    rows = bench.rows()
    assert set(rows) == {"a", "2"}
    assert rows["a"]["state"] == "complete"
    assert rows["a"]["jobId"]
    assert rows["a"]["line"] == 1


async def test_a_row_says_what_the_verdict_says(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": "Yes.", "sim/beta": "Yes.", "sim/gamma": "No."}
    bench.write({"id": "a", "prompt": "Is it? Yes or no."})

    await bench.run()

    row = bench.rows()["a"]
    assert row["answer"] == "yes"
    assert row["agreement"] == pytest.approx(0.6667, abs=1e-3)
    assert row["supportingModels"] == ["sim/alpha", "sim/beta"]
    assert [dissent["models"] for dissent in row["dissent"]] == [["sim/gamma"]]
    assert row["confidence"] is not None
    assert "responses" not in row


async def test_the_replies_are_written_when_they_are_wanted(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"})

    await bench.run(responses=True)

    assert set(bench.rows()["a"]["responses"]) == {"sim/alpha", "sim/beta", "sim/gamma"}


async def test_run_again_asks_nothing_again(bench: Any, service: FakeService) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"prompt": "Two?"})
    await bench.run()
    asked, written = len(service.asked), bench.output.read_bytes()

    report = await bench.run()

    assert len(service.asked) == asked
    assert bench.output.read_bytes() == written
    assert report.rows == report.earlier == report.complete == 2


async def test_a_lost_output_finds_its_jobs_again(bench: Any, service: FakeService) -> None:
    bench.write({"id": "a", "prompt": "One?"})
    await bench.run()
    job_id = bench.rows()["a"]["jobId"]
    bench.output.unlink()

    await bench.run()

    assert bench.rows()["a"]["jobId"] == job_id


async def test_another_name_asks_anew(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"})
    await bench.run()
    job_id = bench.rows()["a"]["jobId"]
    bench.output.unlink()

    await bench.run(name="another")

    assert bench.rows()["a"]["jobId"] != job_id


async def test_a_changed_row_is_asked_anew_and_takes_the_place_of_the_old(bench: Any, service: FakeService) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Two?"})
    await bench.run()
    before = bench.rows()
    bench.write({"id": "a", "prompt": "Another one?"}, {"id": "b", "prompt": "Two?"})

    report = await bench.run()

    after = bench.rows()
    assert report.earlier == 1
    assert after["b"] == before["b"]
    assert after["a"]["jobId"] != before["a"]["jobId"]
    assert len(service.asked) == 3


async def test_changed_options_ask_anew(bench: Any, service: FakeService) -> None:
    bench.write({"id": "a", "prompt": "One?"})
    await bench.run()

    await bench.run(given={"models": ["sim/alpha"]})

    assert len(service.asked) == 2
    assert bench.rows()["a"]["usage"]["calls"] == 1


async def test_rows_without_id_may_move(bench: Any, service: FakeService) -> None:
    bench.write({"prompt": "One?"}, {"prompt": "Two?"}, {"prompt": "One?"})
    await bench.run()
    bench.write({"prompt": "Zero?"}, {"prompt": "Two?"}, {"prompt": "One?"}, {"prompt": "One?"})

    report = await bench.run()

    assert report.earlier == 3
    assert len(service.asked) == 4
    assert len(bench.rows()) == 4


async def test_a_bad_row_is_an_error_row_with_its_line(bench: Any, service: FakeService) -> None:
    bench.write(
        {"id": "good", "prompt": "One?"},
        "{broken",
        "",
        '["no object"]',
        {"id": "blank", "prompt": " "},
        {"id": "unknown", "prompt": "x", "colour": "red"},
        {"id": "good", "prompt": "Again?"},
        {"id": {}, "prompt": "x"},
        {"id": "also good", "prompt": "Two?"},
    )

    report = await bench.run()

    rows = bench.rows()
    wrong = {row["line"]: row["error"] for row in rows.values() if row["state"] == "error"}
    assert set(wrong) == {2, 4, 5, 6, 7, 8}
    assert wrong[6]["details"] == [{"path": "colour", "message": "unknown field"}]
    assert "line 1 already" in wrong[7]["details"][0]["message"]
    assert rows["blank"]["error"]["type"] == "BadRequest"
    assert (report.rows, report.complete, report.failed) == (8, 2, 6)
    assert len(service.asked) == 2


async def test_a_mended_bad_row_leaves_no_error_row_behind(bench: Any) -> None:
    bench.write("{broken", {"id": "b", "prompt": " "})
    await bench.run()
    bench.write({"prompt": "Whole."}, {"id": "b", "prompt": "Two?"})

    report = await bench.run()

    assert report.failed == 0
    assert {row["state"] for row in bench.rows().values()} == {"complete"}
    assert len(bench.rows()) == 2


async def test_what_the_service_refuses_is_an_error_row(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?", "models": ["no/such"]}, {"id": "b", "prompt": "Two?"})

    report = await bench.run()

    assert (report.complete, report.failed) == (1, 1)
    assert "unknown model" in bench.rows()["a"]["error"]["details"][0]["message"]


async def test_a_failed_job_is_a_failed_row_that_is_left_alone(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": Failure(type="Timeout", message="no answer in 1 ms")}
    bench.write({"id": "a", "prompt": "One?", "models": ["sim/alpha"]})

    report = await bench.run()
    again = await bench.run()

    row = bench.rows()["a"]
    assert row["state"] == "error"
    assert row["error"]["type"] == "JobError"
    assert row["errors"]["sim/alpha"]["type"] == "Timeout"
    assert report.failed == again.failed == 1
    assert len(service.asked) == 1


async def test_failed_rows_are_asked_again_when_that_is_wanted(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": Failure(type="Timeout", message="no answer in 1 ms")}
    bench.write({"id": "a", "prompt": "One?", "models": ["sim/alpha"]}, {"id": "b", "prompt": "Two?"})
    await bench.run()
    service.replies = {}

    report = await bench.run(retry_failed=True)

    assert (report.complete, report.failed, report.earlier) == (2, 0, 1)
    assert bench.rows()["a"]["attempt"] == 2


async def test_columns_fill_a_template_and_nothing_else(bench: Any, service: FakeService) -> None:
    bench.write({"id": "a", "text": "日本語 🙂", "answer": "not a kind of answer", "n": [1]})

    report = await bench.run(template="Classify {{this}}: {text} {n}", given={"answer": "text"})

    assert report.failed == 0
    assert service.asked[0].prompt == "Classify {this}: 日本語 🙂 [1]"
    assert service.asked[0].answer == "text"


async def test_a_row_without_the_templates_column_says_which(bench: Any) -> None:
    bench.write({"id": "a", "txt": "x"})

    await bench.run(template="Classify: {text}")

    assert "no text" in bench.rows()["a"]["error"]["details"][0]["message"]


async def test_a_row_goes_before_the_options(bench: Any, service: FakeService) -> None:
    bench.write(
        {"id": "a", "prompt": "x", "max_tokens": 7, "models": ["sim/alpha"]},
        {"id": "b", "messages": [{"role": "system", "content": "Mine."}, {"role": "user", "content": "x"}]},
    )

    report = await bench.run(given={"maxTokens": 9, "ensemble": "default", "system": "Yours."}, concurrency=1)

    assert report.failed == 0
    assert [request.max_tokens for request in service.asked] == [7, 9]
    assert service.asked[0].models == ["sim/alpha"]
    assert service.asked[0].ensemble is None
    assert service.asked[1].system is None


async def test_bom_crlf_and_empty_lines_are_read(bench: Any) -> None:
    text = '\ufeff{"id":"a","prompt":"One?"}\r\n\r\n{"id":"b","prompt":"Two?"}'
    bench.input.write_bytes(text.encode())

    report = await bench.run()

    assert report.complete == 2


async def test_a_row_beyond_all_measure_is_skipped_to_its_end(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ditto.batching.reading.LINE_LIMIT_BYTES", 64)
    bench.write({"id": "a", "prompt": "x" * 300}, {"id": "b", "prompt": "Two?"})

    report = await bench.run()

    assert (report.complete, report.failed) == (1, 1)
    assert (
        "longer than"
        in next(row for row in bench.rows().values() if row["line"] == 1)["error"]["details"][0]["message"]
    )


async def test_so_many_jobs_run_at_once_and_no_more(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": Held()}
    bench.write(*({"id": number, "prompt": "x", "models": ["sim/alpha"]} for number in range(10)))

    running = asyncio.create_task(bench.run(concurrency=3))
    for _ in range(400):
        await asyncio.sleep(0)
        if len(service.asked) >= 3:
            break
        await asyncio.to_thread(lambda: None)
    at_once = len(service.asked)
    await service.release("sim/alpha", "Done.")
    report = await running

    assert at_once == 3
    assert report.complete == 10


async def test_an_unreachable_service_ends_the_batch_and_leaves_the_rest(bench: Any, service: FakeService) -> None:
    service.unready = Unavailable("the store is down")
    bench.write({"id": "a", "prompt": "One?"})

    with pytest.raises(Unavailable):
        await bench.run()
    service.unready = None
    report = await bench.run()

    assert report.complete == 1
    assert report.earlier == 0


async def test_in_a_cluster_a_row_is_given_to_its_holder_and_comes_back_ended_in_one(bench: Any) -> None:
    class Counting(FakeService):
        waited = 0

        async def ask(self, request: Request) -> Submitted:
            submitted = await super().ask(request)
            self.waited -= 1  # its own
            return submitted

        async def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
            self.waited += 1
            return await super().wait(job_id, timeout_s)

    bench.service = Counting()
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Two?"})

    report = await bench.run()

    assert report.complete == 2
    assert (len(bench.service.asked), bench.service.waited) == (2, 0)


class Busy:
    """Jobs of a service that now and then refuses to take any, or to tell of them."""

    def __init__(self, service: FakeService, *refusals: Exception) -> None:
        self._jobs = ClusterBackend(service, Hasty().patience())
        self.hold_batch = self._jobs.hold_batch
        self._refusals = iter(refusals)
        self.keys: list[str | None] = []

    async def begin(self, request: Request) -> JobView[Any]:
        self.keys.append(request.idempotency_key)
        self._refuse()
        return await self._jobs.submit(request)

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]:
        self._refuse()
        return await self._jobs.wait(job_id, timeout_s)

    def _refuse(self) -> None:
        if (refusal := next(self._refusals, None)) is not None:
            raise refusal


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ditto.batching.batch.FIRST_PAUSE_S", 0.0)


@pytest.mark.usefixtures("no_pauses")
async def test_a_row_that_meets_a_full_service_waits_for_its_turn_however_long(
    bench: Any, service: FakeService
) -> None:
    busy = Busy(service, *[RateLimited("the service is full")] * 1000)
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Two?"})

    report = await bench.run(over=busy, patience_s=0.0)

    assert (report.complete, report.failed) == (2, 0)
    assert len(set(busy.keys)) == 2
    assert len(service.asked) == 2


@pytest.mark.usefixtures("no_pauses")
async def test_a_row_outlives_a_restart_of_the_service(bench: Any, service: FakeService) -> None:
    busy = Busy(service, *[Unavailable("the service is draining")] * 20)
    bench.write({"id": "a", "prompt": "One?"})

    report = await bench.run(over=busy, patience_s=3600.0)

    assert (report.complete, report.failed) == (1, 0)
    assert len(set(busy.keys)) == 1


async def test_a_batchs_jobs_carry_its_name(bench: Any, service: FakeService) -> None:
    bench.write(
        {"id": "a", "prompt": "One?"},
        {"id": "b", "prompt": "Two?", "metadata": {"team": "ops"}},
        {"id": "c", "prompt": "Three?", "metadata": {"batch": "mine"}},
    )

    await bench.run(name="/out/\udcff.jsonl", concurrency=1)

    named = "/out/?.jsonl"
    assert [request.metadata for request in service.asked] == [
        {"batch": named},
        {"team": "ops", "batch": named},
        {"batch": "mine"},
    ]
    assert bench.rows()["b"]["metadata"] == {"team": "ops", "batch": named}


async def test_the_name_that_jobs_carry_changes_neither_their_keys_nor_what_is_asked(
    bench: Any, service: FakeService
) -> None:
    bench.write({"id": "a", "prompt": "One?"})
    with Source(listed(str(bench.input), ""), Reading(given={})) as source:
        row = await source.next()
    assert isinstance(row, Row)
    plain = row.request.model_copy(update={"idempotency_key": idempotency_key(row_key("test", row), 1)})
    known = (await service.submit(plain)).job.id

    await bench.run()

    assert bench.rows()["a"]["jobId"] == known


async def test_a_full_disk_ends_the_batch(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": "Two?"})

    def half(fd: int, data: bytes) -> int:
        with open(f"/proc/self/fd/{fd}", "ab") as file:
            return file.write(data[: len(data) // 2])

    with monkeypatch.context() as patched:
        patched.setattr("ditto.batching.sink.os.write", half)
        with pytest.raises(OSError, match="No space left"):
            await bench.run()

    assert bench.output.read_bytes() == b""
    assert (await bench.run()).complete == 2


async def test_progress_is_told_after_each_row(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"id": "b", "prompt": " "})
    seen: list[BatchReport] = []

    await bench.run(progress=seen.append, concurrency=1)

    assert [report.rows for report in seen] == [1, 2]
    assert (seen[-1].complete, seen[-1].failed) == (1, 1)


async def test_a_missing_input_is_said(bench: Any) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        await bench.run()


async def test_every_line_is_a_row_of_its_own(bench: Any, service: FakeService) -> None:
    service.replies = {"sim/alpha": "one\ntwo\u2028three\r\n", "sim/beta": "b", "sim/gamma": "c"}
    bench.write(*({"id": number, "prompt": "x"} for number in range(20)))

    await bench.run(responses=True)

    lines = bench.output.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert sorted(int(json.loads(line)["id"]) for line in lines) == list(range(20))
