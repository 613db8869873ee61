"""Two tenants of one service: each sees, stops and counts its own jobs alone, over every door that asks for a key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import pytest
import yaml

from ditto import AsyncDitto, Ditto
from ditto.errors import Forbidden, NotFound, RateLimited, Unauthorized
from tests.acceptance.conftest import DITTO, Serving, service
from tests.acceptance.processes import process, said

PROMPT = "What is 17 * 23?"
HANGS = {"prompt": PROMPT, "models": ["sim/terse+hang"]}
SERVE = str(Path(DITTO).with_name("serve"))
NOBODYS = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """A running service, and a key of each tenant."""

    serving: Serving
    acme: str
    bolt: str
    cork: str
    operator: str

    def http(self, key: str | None) -> httpx.Client:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.serving.url, timeout=60, headers=headers)


def keys(environ: dict[str, str], *arguments: str) -> str:
    """Returns what `ditto keys` prints."""
    command = [DITTO, "keys", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    environ = {**os.environ, "DITTO_STORE": str(folder / "journal.db")}
    acme = keys(environ, "create", "--tenant", "acme")
    bolt = keys(environ, "create", "--tenant", "bolt", "--model", "sim/terse*", "--jobs-at-once", "2")
    cork = keys(environ, "create", "--tenant", "cork", "--requests-per-minute", "5", "--calls-per-day", "3")
    operator = keys(environ, "create")
    with service(folder, sim) as serving:
        yield Tenants(serving=serving, acme=acme, bolt=bolt, cork=cork, operator=operator)


def test_another_tenants_job_can_be_neither_seen_nor_stopped_nor_told_from_one_that_there_is_not(tenants):
    with tenants.http(tenants.acme) as acme, tenants.http(tenants.bolt) as bolt:
        asked = {**HANGS, "metadata": {"team": "red"}, "idempotencyKey": "k"}
        job_id = acme.post("/jobs", json=asked).raise_for_status().json()["jobId"]
        for method, path, body in (
            ("GET", "", None),
            ("GET", "?wait=500", None),
            ("GET", "/events", None),
            ("POST", "/cancel", None),
            ("POST", "/retry", None),
            ("POST", "/merge", {}),
            ("POST", "/feedback", {"correct": True}),
            ("DELETE", "", None),
        ):
            others = bolt.request(method, f"/jobs/{job_id}{path}", json=body)
            nobodys = bolt.request(method, f"/jobs/{NOBODYS}{path}", json=body)
            assert (others.status_code, others.text.replace(job_id, NOBODYS)) == (404, nobodys.text)
        assert bolt.get("/jobs", params={"metadata.team": "red"}).json() == {"jobs": [], "cursor": None}
        assert bolt.post("/jobs", json={**HANGS, "idempotencyKey": "k"}).status_code == 202
        bolt_job = bolt.get("/jobs").json()["jobs"][0]["jobId"]
        assert bolt_job != job_id
        assert bolt.post(f"/jobs/{bolt_job}/cancel").json()["state"] == "cancelled"
        assert acme.get(f"/jobs/{job_id}").json()["state"] == "running"
        assert acme.post(f"/jobs/{job_id}/cancel").json()["state"] == "cancelled"


def test_without_a_key_that_opens_there_is_nothing(tenants):
    for key in (None, "wrong", tenants.acme[:-1], f"{tenants.acme}x"):
        with tenants.http(key) as stranger:
            for path in ("/jobs", f"/jobs/{NOBODYS}", "/metrics", "/v1/models", "/nowhere"):
                assert stranger.get(path).status_code == 401
            assert stranger.post("/llm", json={"prompt": PROMPT}).status_code == 401
            for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
                assert stranger.get(path).status_code == 200
    with tenants.http(tenants.operator) as operator, tenants.http(tenants.acme) as acme:
        assert operator.get("/metrics").status_code == 200
        assert acme.get("/metrics").status_code == 403


def test_a_tenant_is_held_to_its_limits(tenants):
    with Ditto(tenants.serving.url, api_key=tenants.bolt) as bolt:
        with pytest.raises(Forbidden, match="may not ask sim/wordy"):
            bolt.ask(PROMPT, models=["sim/terse", "sim/wordy"])
        held = [bolt.submit(PROMPT, models=["sim/terse+hang"]) for _ in range(2)]
        with pytest.raises(RateLimited, match="2 jobs at once"):
            bolt.submit(PROMPT, models=["sim/terse"], deadline_s=1)
        held[0].cancel()
        assert bolt.ask(PROMPT, models=["sim/terse"]).structured.answer == 391
        held[1].cancel()


def test_what_a_tenant_uses_is_counted_by_the_minute_and_by_the_day(tenants):
    with tenants.http(tenants.cork) as cork:
        asked = {"prompt": PROMPT, "models": ["sim/terse", "sim/wordy"]}
        assert cork.post("/llm", json=asked).json()["structured"]["answer"] == 391
        above = cork.post("/llm", json=asked)
        assert (above.status_code, above.json()["error"]["type"]) == (429, "RateLimited")
        assert "3 calls a day: 2 were made, 2 more asked" in above.json()["error"]["message"]
        assert int(above.headers["retry-after"]) > 0
        statuses = [cork.get("/jobs").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]


async def test_dittos_own_clients_show_their_key_and_name_what_is_refused(tenants):
    async with AsyncDitto(tenants.serving.url, api_key=tenants.acme) as acme:
        job = await acme.submit(PROMPT, models=["sim/terse"])
        assert [event.kind async for event in acme.events(job.id)][-1] == "job.completed"
    async with AsyncDitto(tenants.serving.url, api_key=tenants.bolt) as bolt:
        with pytest.raises(NotFound):
            await bolt.get(job.id)
    async with AsyncDitto(tenants.serving.url) as stranger:
        with pytest.raises(Unauthorized, match="a key is needed"):
            await stranger.get(job.id)


def test_openais_client_shows_its_key(tenants):
    def client(key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{tenants.serving.url}/v1", api_key=key)

    asked = {"model": "sim/terse", "messages": [{"role": "user", "content": PROMPT}]}
    with client(tenants.acme) as acme, client("wrong") as stranger, client(tenants.bolt) as bolt:
        assert acme.chat.completions.create(**asked).choices[0].message.content == "391"
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.chat.completions.create(**asked)
        assert refused.value.code == "invalid_api_key"
        with pytest.raises(openai.PermissionDeniedError):
            bolt.chat.completions.create(**{**asked, "model": "sim/wordy"})
        assert all(model.id.startswith("sim/terse") for model in bolt.models.list())


def test_a_command_reads_its_key_from_the_environment(tenants):
    environ = {**os.environ, "DITTO_API_KEY": tenants.acme}
    command = [DITTO, "jobs", "--url", tenants.serving.url, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)


def test_a_revoked_key_opens_nothing_within_ten_seconds(tenants):
    environ = tenants.serving.environ
    shown = keys(environ, "create", "--tenant", "acme")
    until = time.monotonic() + 20
    with tenants.http(shown) as client:
        while client.get("/jobs").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        keys(environ, "revoke", shown.split("_")[1])
        until = time.monotonic() + 10
        while client.get("/jobs").status_code != 401:
            assert time.monotonic() < until
            time.sleep(0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at processes as Linux shows them")
def test_no_key_stands_in_the_store_or_a_log_or_a_process_list(tenants):
    secrets = [key.split("_", 2)[2].encode() for key in (tenants.acme, tenants.bolt, tenants.operator)]
    files = [path for path in tenants.serving.store.parent.iterdir() if path.is_file()]
    files += Path("/proc").glob("[0-9]*/cmdline")
    read = 0
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:  # a process that has ended
            continue
        read += 1
        assert not any(secret in content for secret in secrets), path
    assert read > 10


def test_where_there_is_no_key_other_machines_are_not_served(tmp_path):
    environ = {**os.environ, "DITTO_STORE": str(tmp_path / "journal.db")}
    command = [DITTO, "serve", "--host", "0.0.0.0", "--port", str(free_port())]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "ditto keys create" in done.stderr


def test_however_it_is_started_the_application_itself_refuses_that(tmp_path, sim):
    settings = yaml.safe_load((Path(__file__).parents[2] / "serve_config.yaml").read_text(encoding="utf-8"))
    settings["http_options"] = {"host": "0.0.0.0", "port": free_port()}
    (tmp_path / "open.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    environ = {**os.environ, "DITTO_STORE": str(tmp_path / "journal.db"), "DITTO_SIM_URL": sim}
    log = tmp_path / "run.log"
    with process(SERVE, "run", "open.yaml", environ=environ, log=log) as running:
        assert said(r"would listen on 0\.0\.0\.0.*`ditto keys create`", log, running)
