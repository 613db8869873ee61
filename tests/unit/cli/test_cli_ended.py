"""What the command line does with a job that has ended: ask its failed models again, or forget it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ditto.cli import main
from ditto.client.cluster_backend import ClusterBackend
from ditto.client.coming_back import Patience
from ditto.domain.events import Failure
from ditto.domain.job import JobState
from ditto.domain.request import parse
from ditto.errors import Unavailable
from ditto.store.opening import open_journal
from ditto.store.port import Append
from tests.fakes import FakeService, Held
from tests.unit.client.hasty import Hasty

DEAD = Failure(type="Timeout", message="no answer in 1 ms")
REPLY = "The vault opens at seven."
Said = tuple[int, str, str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def service() -> FakeService:
    return FakeService({"sim/alpha": REPLY})


@pytest.fixture
def hasty() -> Hasty:
    return Hasty()


@pytest.fixture
def ditto(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    service: FakeService,
    hasty: Hasty,
) -> Callable[..., Said]:
    """Runs the program in this process, `--url` over a service in memory; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DITTO_STORE", str(tmp_path / "journal.db"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def backend(url: str, api_key: str | None, patience: Patience) -> ClusterBackend:
        hasty.tell = patience.told
        return ClusterBackend(service, hasty.patience())

    monkeypatch.setattr("ditto.cli.doors.HttpBackend", backend)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int | None)
        return code or 0, said.out, said.err

    return run


def asked(service: FakeService, *models: str) -> str:
    """Returns the id of a job that these models were asked."""
    request = parse({"prompt": "When?", "models": list(models), "idempotencyKey": "k"})
    return asyncio.run(service.submit(request)).job.id


def stored(service: FakeService, job_id: str, path: Path) -> None:
    """Writes this job into a store."""

    async def copy() -> None:
        journal = open_journal(path)
        job = await service.get(job_id)
        records = []
        async for record in service.events(job_id):
            records.append(record)
            if record.seq == job.seq:
                break
        events = tuple((record.at, record.event) for record in records)
        await journal.append(Append(job_id=job_id, id="copy", after=0, events=events))
        await journal.close()

    asyncio.run(copy())


def test_a_retry_is_watched_and_its_verdict_shown(ditto: Callable[..., Said], service: FakeService) -> None:
    service.replies["sim/beta"] = DEAD
    job_id = asked(service, "sim/alpha", "sim/beta")
    service.replies["sim/beta"] = REPLY

    code, out, err = ditto("retry", job_id, "--url", "http://h")

    assert code == 0
    assert out.startswith(REPLY)
    assert "failed" not in out + err
    assert "sim/beta  answered in" in err
    assert job_id in out


def test_a_retry_that_fails_again_is_exit_code_1(ditto: Callable[..., Said], service: FakeService) -> None:
    service.replies["sim/alpha"] = DEAD
    job_id = asked(service, "sim/alpha")

    code, out, _ = ditto("retry", job_id, "--url", "http://h", "--json")

    assert code == 1
    assert json.loads(out)["state"] == "error"


def test_a_retry_of_a_good_job_asks_nothing_and_says_so(ditto: Callable[..., Said], service: FakeService) -> None:
    job_id = asked(service, "sim/alpha")

    code, out, err = ditto("retry", job_id, "--url", "http://h")

    assert (code, err) == (0, "no model of this job failed: nothing was asked\n")
    assert out.startswith(REPLY)


def test_a_job_that_runs_is_neither_retried_nor_deleted(
    ditto: Callable[..., Said], service: FakeService, tmp_path: Path
) -> None:
    service.replies["sim/alpha"] = Held()
    job_id = asked(service, "sim/alpha")
    stored(service, job_id, tmp_path / "journal.db")

    for arguments in (("retry", "--url", "http://h"), ("delete", "--url", "http://h"), ("delete",)):
        code, out, err = ditto(arguments[0], job_id, *arguments[1:])
        assert (code, out) == (1, "")
        assert err.startswith(f"ditto: job {job_id} is running")


def test_a_command_says_once_what_it_waits_for(ditto: Callable[..., Said], service: FakeService, hasty: Hasty) -> None:
    job_id = asked(service, "sim/alpha")
    service.unready = Unavailable("the disk is full")

    code, _, err = ditto("retry", job_id, "--url", "http://h")

    assert code == 1
    assert err == "ditto: the disk is full; waiting\nditto: the disk is full\n"
    assert hasty.now_s > 30


def test_a_job_is_deleted_from_the_store_bytes_and_all(
    ditto: Callable[..., Said], service: FakeService, tmp_path: Path
) -> None:
    job_id = asked(service, "sim/alpha")
    stored(service, job_id, tmp_path / "journal.db")
    before = REPLY.encode() in whole(tmp_path)

    code, out, err = ditto("delete", job_id)

    assert (code, out, err) == (0, f"job {job_id}: deleted\n", "")
    assert before
    assert REPLY.encode() not in whole(tmp_path)
    assert ditto("job", job_id)[0] == 1
    assert ditto("delete", job_id)[2] == f"ditto: there is no job {job_id} in this store\n"


def whole(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("journal.db*"))


@pytest.mark.parametrize(("typed", "code", "gone"), [("y\n", 0, True), ("n\n", 1, False), ("\n", 1, False)])
def test_on_a_terminal_it_is_asked_whether_it_is_meant(
    ditto: Callable[..., Said],
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
    gone: bool,
) -> None:
    job_id = asked(service, "sim/alpha")
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    ended, out, err = ditto("delete", job_id, "--url", "http://h")

    assert (ended, out.strip() == f"job {job_id}: deleted") == (code, gone)
    assert f"Forget job {job_id}, its replies and its result? [y/N]" in err
    assert (job_id in {job.id for job in asyncio.run(service.list()).jobs}) is not gone


def test_yes_is_not_asked_for_twice(
    ditto: Callable[..., Said], service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = asked(service, "sim/alpha")
    monkeypatch.setattr("sys.stdin", Terminal(""))

    assert ditto("delete", job_id, "--yes", "--url", "http://h") == (0, f"job {job_id}: deleted\n", "")


def test_what_cannot_be_asked_of_a_terminal_deletes_nothing(
    ditto: Callable[..., Said], service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = asked(service, "sim/alpha")
    monkeypatch.setattr("sys.stdin", Terminal(""))

    code, out, _ = ditto("delete", job_id, "--url", "http://h")

    assert (code, out.strip()) == (130, "")
    assert asyncio.run(service.get(job_id)).state is JobState.COMPLETE
