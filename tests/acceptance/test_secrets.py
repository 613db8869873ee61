"""Keys, prompts and replies stay where they belong: nothing of them in logs, metrics, errors or process lists."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import ray

from ditto.runtime import cluster
from tests.acceptance.conftest import Serving, service
from tests.chaos.processes import marked

KEY = "sk-zebra-4711-key"
PROMPT = "walrus-prompt-marker"
ASKED = f"{PROMPT}: What is 6 * 7?"
CONFIG = """
applications:
  - import_path: ditto.serve:app
    args:
      providers:
        marked: {{base_url: "{sim}/v1", key_env: MARKED_KEY}}
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "config.yaml").write_text(CONFIG.format(sim=sim))
    with service(folder, sim, MARKED_KEY=KEY, DITTO_CONFIG=str(folder / "config.yaml")) as running:
        yield running


@pytest.fixture(scope="module")
def answers(guarded: Serving) -> list[httpx.Response]:
    """What was answered to requests that go well, that fail at the provider, and that are wrong."""
    with httpx.Client(base_url=guarded.url, timeout=60) as http:
        good = {"prompt": ASKED, "models": ["marked/terse", "marked/wordy"]}
        typed = {**good, "schema": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}
        chat = {"model": "marked/terse", "messages": [{"role": "user", "content": ASKED}]}
        found = [http.post("/llm", json=body) for body in (good, {**good, "placement": "shared"}, typed)]
        found += [http.post("/v1/chat/completions", json=body) for body in (chat, {**chat, "stream": True})]
        found += [
            http.post("/llm", json={**good, **wrong})
            for wrong in (
                {"models": ["marked/terse+fail=401"]},
                {"models": ["marked/terse+fail=400"]},
                {"models": ["marked/nobody"]},
                {"models": ["marked/terse+garbage"]},
                {"temperature": PROMPT},
                {"messages": []},
                {"schema": {"pattern": "("}},
            )
        ]
        bodies = ("{" + ASKED, f'["{ASKED}"]', f'{{"prompt": "{ASKED}", "nope": 1}}')
        found += [http.post("/llm", content=body, headers={"content-type": "application/json"}) for body in bodies]
        for path in ("/jobs/none", "/jobs?limit=x", "/nowhere"):
            found.append(http.get(path, headers={"authorization": f"Bearer {KEY}"}))
        return found


def test_the_requests_went_as_they_should(answers: list[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert {answer.status_code for answer in answers} <= {200, 400, 404, 502}
    assert "42" in answers[0].json()["result"]


def test_no_error_tells_a_key_or_a_prompt(answers: list[httpx.Response]) -> None:
    assert [answer.text for answer in answers if KEY in answer.text] == []
    refused = [answer.text for answer in answers if answer.status_code in (400, 404)]
    assert [text for text in refused if PROMPT in text] == []


def test_no_log_has_a_key_a_prompt_or_a_reply(guarded: Serving, answers: list[httpx.Response]) -> None:
    job = answers[0].json()["jobId"]
    cluster.join(guarded.ray)
    try:
        logs = Path(ray._private.worker.global_worker.node.get_logs_dir_path())
    finally:
        cluster.leave()
    until = time.monotonic() + 30
    while not any(job in text for text in _texts(logs).values()):  # the jobs' lines are there
        assert time.monotonic() < until
        time.sleep(0.5)
    texts = {**_texts(logs), "serve.log": (guarded.store.parent / "serve.log").read_text(errors="replace")}
    for secret in (KEY, PROMPT):
        assert [name for name, text in texts.items() if secret in text] == []


def test_no_metric_has_a_key_or_a_prompt(guarded: Serving, answers: list[httpx.Response]) -> None:
    page = httpx.get(f"{guarded.url}/metrics").raise_for_status().text
    assert 'provider="marked"' in page
    assert KEY not in page
    assert PROMPT not in page


def test_no_command_line_has_a_key_or_a_prompt(guarded: Serving, answers: list[httpx.Response]) -> None:
    titles = [process.title for process in marked(str(guarded.store), "DITTO_STORE")]
    assert len(titles) > 3
    assert [title for title in titles if KEY in title or PROMPT in title] == []


def test_the_store_has_no_key(guarded: Serving, answers: list[httpx.Response]) -> None:
    files = list(guarded.store.parent.glob("journal.db*"))
    stored = b"".join(file.read_bytes() for file in files)
    assert PROMPT.encode() in stored
    assert KEY.encode() not in stored


def test_the_service_says_which_ports_are_open_and_the_ingress_opens_none_to_other_machines(guarded: Serving) -> None:
    log = (guarded.store.parent / "serve.log").read_text()
    (line,) = [line for line in log.splitlines() if line.startswith("ports")]
    assert "on loopback; other machines reach" in line
    assert "haproxy" not in line


def _texts(logs: Path) -> dict[str, str]:
    return {str(log): log.read_text(errors="replace") for log in logs.rglob("*") if log.is_file()}
