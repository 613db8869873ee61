"""The commands as a user gives them, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import DITTO, Serving

LONG_S = 120
_CHATTER = re.compile(r"INFO|WARNING|raylet|gcs_|\(pid=|ray\.init|Ray instance|SIGTERM handler")


class Shell:
    """A folder with a store of its own, in which commands are given."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.folder = folder
        self.store = Path(environ.get("DITTO_STORE", folder / "journal.db"))
        left_out = ("RAY_ADDRESS", "DITTO_CONFIG", "DITTO_URL", "OPENAI_API_KEY")
        kept = {name: value for name, value in environ.items() if name not in left_out}
        self._begun: list[subprocess.Popen[str]] = []
        self.environ = {**kept, "DITTO_STORE": str(self.store), "COLUMNS": "100"}

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [DITTO, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._begun.append(process)
        return process

    def give(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        process = self.begin(*arguments)
        out, err = process.communicate(stdin, timeout=LONG_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def left(self) -> list[str]:
        """Returns the commands of living processes that were begun with this store."""
        mark = f"DITTO_STORE={self.store}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it has ended, or is another user's
        return found

    def end(self) -> None:
        """Ends what a failed test has left running."""
        for process in self._begun:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=60)

    def assert_nothing_left(self, within_s: float = 10.0) -> None:
        until_s = time.monotonic() + within_s
        while self.left() and time.monotonic() < until_s:
            time.sleep(0.2)
        assert self.left() == []


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.end()


def _ending_with(err: str, said: str) -> None:
    assert said in err
    assert "Traceback" not in err
    assert not _CHATTER.search(err), err


def _until(line: Callable[[], str], wanted: str) -> str:
    said = ""
    while wanted not in said:
        new = line()
        assert new, f"ended before it said {wanted!r}: {said}"
        said += new
    return said


def test_one_question_is_answered_by_the_simulated_panel_and_says_so(shell: Shell) -> None:
    done = shell.give("run", "What is 17*23?")

    assert done.returncode == 0, done.stderr
    assert "391" in done.stdout.split("\n\n")[0]
    assert re.search(r"^dissent .*sim/contrary", done.stdout, re.MULTILINE)
    assert re.search(r"^confidence +\d+ %", done.stdout, re.MULTILINE)
    assert re.search(r"^time +[\d.]+ s", done.stdout, re.MULTILINE)
    assert done.stderr.count("answered in") == 5
    _ending_with(done.stderr, "These are simulated models, no language models.")
    shell.assert_nothing_left()

    listed, shown = shell.give("jobs", "--json"), shell.give("jobs")
    (job,) = json.loads(listed.stdout)
    assert job["state"] == "complete"
    assert shown.stdout.startswith(job["jobId"])
    one = shell.give("job", job["jobId"])
    assert one.stdout == done.stdout
    assert shell.give("job", "01NONE").returncode == 1


def test_stdin_any_script_and_json_alone(shell: Shell) -> None:
    question = 'Is this urgent? Yes or no. "緊急です！ 🔥 Ответьте до полудня, מיד"'
    done = shell.give(
        "run", "-", "--json", "-m", "sim/terse", "-m", "sim/wordy", "--metadata", "team=ops", stdin=question
    )

    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert job["state"] == "complete"
    assert set(job["responses"]) == {"sim/terse", "sim/wordy"}
    assert job["metadata"] == {"team": "ops"}
    assert json.loads(shell.give("job", job["jobId"], "--json").stdout) == job
    assert json.loads(shell.give("jobs", "--metadata", "team=dev", "--json").stdout) == []


def test_a_schema_gives_a_typed_result(shell: Shell) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    (shell.folder / "schema.json").write_text(json.dumps(schema))

    done = shell.give("run", "Invoice. Total: 49.90 EUR", "--schema", "schema.json", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["result"] == {"total": 49.9}


def test_a_failed_job_is_exit_code_1_and_names_the_failure(shell: Shell) -> None:
    done = shell.give("run", "Hello?", "-m", "sim/terse+dead", "-m", "openai/gpt-x", "--max-retries", "0")

    assert done.returncode == 1
    assert re.search(r"^error +JobError", done.stdout, re.MULTILINE)
    assert re.search(r"^failed +sim/terse\+dead: Unreachable", done.stdout, re.MULTILINE)
    assert re.search(r"^failed +openai/gpt-x: MissingKey: .*OPENAI_API_KEY", done.stdout, re.MULTILINE)
    shell.assert_nothing_left()


def test_a_failed_model_is_asked_again_and_the_job_forgotten(shell: Shell, sim: str) -> None:
    shell.environ["DITTO_SIM_URL"] = sim
    flaky = "sim/wordy+fail=503*1"
    first = shell.give("run", "What is 31*23?", "-m", "sim/terse", "-m", flaky, "--max-retries", "0")
    (job,) = json.loads(shell.give("jobs", "--json").stdout)

    again = shell.give("retry", job["jobId"])
    deleted = shell.give("delete", job["jobId"])

    assert re.search(rf"^failed +{re.escape(flaky)}: Overloaded", first.stdout, re.MULTILINE)
    assert again.returncode == 0, again.stderr
    assert "713" in again.stdout
    assert "failed" not in again.stdout
    assert f"{flaky}  answered in" in again.stderr
    _ending_with(again.stderr, "answered in")
    assert deleted.stdout == f"job {job['jobId']}: deleted\n"
    assert json.loads(shell.give("jobs", "--json").stdout) == []
    assert shell.give("delete", job["jobId"]).stderr == f"ditto: there is no job {job['jobId']} in this store\n"
    shell.assert_nothing_left()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_job_and_leaves_no_process(shell: Shell, number: signal.Signals, code: int) -> None:
    process = shell.begin("run", "Hello?", "-m", "sim/terse", "-m", "sim/wordy+hang")
    assert process.stderr is not None
    _until(process.stderr.readline, "answered in")

    os.killpg(process.pid, number) if number is signal.SIGINT else process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert process.returncode == code
    assert out == ""
    _ending_with(err, "is cancelled")
    shell.assert_nothing_left()
    assert [job["state"] for job in json.loads(shell.give("jobs", "--json").stdout)] == ["cancelled"]


@pytest.mark.parametrize("after_s", [0.5, 2.0, 4.0])
def test_a_signal_while_ray_starts_leaves_no_process(shell: Shell, after_s: float) -> None:
    process = shell.begin("run", "Hello?", "-m", "sim/wordy+hang")

    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode != 0
    shell.assert_nothing_left()


def test_a_killed_command_leaves_no_process(shell: Shell) -> None:
    process = shell.begin("run", "Hello?", "-m", "sim/terse", "-m", "sim/wordy+hang")
    assert process.stderr is not None
    _until(process.stderr.readline, "answered in")

    process.kill()
    process.communicate(timeout=30)

    shell.assert_nothing_left(within_s=90.0)  # Ray's agents look for their parent now and then


def test_wrong_usage_is_exit_code_2_and_begins_nothing(shell: Shell) -> None:
    done = shell.give("run", "Hello?", "-m", "sim/ters", "--temperature", "1")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ditto: --model: unknown model 'sim/ters'")
    assert done.stderr.count("\n") == 1
    assert not shell.store.exists()


def test_the_simulated_models_are_served_until_they_are_stopped(shell: Shell) -> None:
    process = shell.begin("sim", "--port", "0")
    assert process.stdout is not None
    url = _until(process.stdout.readline, "DITTO_SIM_URL=").strip().rpartition("=")[2]

    models = httpx.get(f"{url}/v1/models").json()["data"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)

    assert any(model["id"] == "terse" for model in models)
    assert process.returncode == 0


def test_a_running_service_is_asked_by_its_address(tmp_path: Path, serving: Serving) -> None:
    shell = Shell(tmp_path, serving.environ)
    there = ("--url", serving.url, "--metadata", "asked=by address")

    done = shell.give("run", "What is 17*23?", *there)
    assert done.returncode == 0, done.stderr
    assert "391" in done.stdout
    assert done.stderr.count("answered in") == 5

    process = shell.begin("run", "Hello?", "-m", "sim/wordy+hang", "-m", "sim/terse", *there)
    assert process.stderr is not None
    _until(process.stderr.readline, "answered in")
    running, complete = json.loads(shell.give("jobs", "--json", *there).stdout)
    assert shell.give("jobs", *there[2:], "--json").stdout == shell.give("jobs", *there, "--json").stdout
    assert (running["state"], complete["state"]) == ("running", "complete")
    cancelled = shell.give("cancel", running["jobId"], *there[:2])
    assert cancelled.stdout == f"job {running['jobId']}: cancelled\n"
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert shell.give("job", running["jobId"], "--wait", *there[:2]).returncode == 1

    wrong = shell.give("run", "Hello?", "-m", "nobody/ters", *there)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("ditto: --model: unknown model 'nobody/ters'")


def test_a_running_cluster_is_joined_and_left_running(tmp_path: Path, serving: Serving) -> None:
    shell = Shell(tmp_path, serving.environ)

    done = shell.give("run", "What is 17*23?", "--json", "--address", serving.ray)

    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert httpx.get(f"{serving.url}/jobs/{job['jobId']}").json() == job


def test_a_service_that_is_not_there_is_said(shell: Shell) -> None:
    done = shell.give("run", "Hello?", "--url", "http://127.0.0.1:9")

    assert done.returncode == 1
    _ending_with(done.stderr, "http://127.0.0.1:9")


def test_a_cluster_that_is_not_there_is_said(shell: Shell) -> None:
    done = shell.give("run", "Hello?", "--address", "127.0.0.1:9")

    assert done.returncode == 2
    _ending_with(done.stderr, "there is no Ray cluster at 127.0.0.1:9")
