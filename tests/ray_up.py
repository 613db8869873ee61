"""`python -m tests.ray_up`: brings up a cluster with `ray up` over ssh, as `cluster.yaml` says, and runs a batch there.

The machine is this one, reached over an ssh server of the run's own on loopback, with a home of its own; it needs
Debian's `openssh-server` and `rsync`, and to be run by a user who may start sshd. Two lines of `cluster.yaml` are left
out: `ray stop`, which would end every cluster of the user, and the ports, which are free ones here. Everything that is
begun is ended, by its process id.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml

from tests.acceptance.heads import LOOPBACK, free_ports
from tests.acceptance.processes import process, said
from tests.chaos.processes import marked

ROOT = Path(__file__).parents[1]
MODELS = 5
BATCHES = 2
"""One by `ray submit`, begun twice, and one by `ray job submit`, to a file of its own."""
LONG_S = 600
SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A home that is reached over ssh.

    Attributes:
        home: Of who logs in there.
        path: Where an `ssh` lies that finds the way.
        key: The private key.
    """

    home: Path
    path: Path
    key: Path


@contextlib.contextmanager
def machine(folder: Path, sim: str) -> Iterator[Machine]:
    """Yields a machine on which nothing is installed but Python, with Ditto's dependencies within its reach."""
    home, path = folder / "home", folder / "path"
    for made in (home, path):
        made.mkdir()
    host_key, key = folder / "host", folder / "key"
    for each in (host_key, key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", each], check=True)
    (port,) = free_ports(1)
    served = folder / "sshd_config"
    served.write_text(
        f"Port {port}\nListenAddress {LOOPBACK}\nHostKey {host_key}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"PasswordAuthentication no\nAuthorizedKeysFile {key}.pub\nSetEnv HOME={home} RAY_TMPDIR={home}\n"
    )
    (path / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder / "ssh_config"} "$@"\n')
    (path / "ssh").chmod(0o755)
    (folder / "ssh_config").write_text(f"Host *\n  Port {port}\n  LogLevel ERROR\n")
    venv.create(home / "ditto-venv", with_pip=True)
    (near,) = (home / "ditto-venv").glob("lib/python*/site-packages")
    (near / "near.pth").write_text("\n".join(site.getsitepackages()))
    ray = home / "ditto-venv" / "bin" / "ray"
    ray.write_text(f"#!{ray.with_name('python')}\nfrom ray.scripts.scripts import main\nmain()\n")
    ray.chmod(0o755)
    (home / ".bashrc").write_text(f"cd ~\nexport DITTO_SIM_URL={sim} DITTO_STORE={home}/journal.db\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    with process(SSHD, "-D", "-e", "-f", str(served), environ={}, log=folder / "sshd.log") as running:
        said("listening on", folder / "sshd.log", running)
        yield Machine(home=home, path=path, key=key)


def cluster_file(where: Machine, folder: Path) -> tuple[Path, str]:
    """Writes the repository's `cluster.yaml` for this machine, and returns it with the dashboard's address."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))
    content["cluster_name"] = f"ditto-{os.getpid()}"
    content["provider"]["head_ip"] = LOOPBACK
    content["auth"] = {"ssh_user": getpass.getuser(), "ssh_private_key": str(where.key)}
    content["file_mounts"] = {"~/ditto-src": str(ROOT)}
    gcs, dashboard, agent, client, metrics = free_ports(5)
    stop, *others, start = content["head_start_ray_commands"]
    assert stop == "ray stop"
    assert "--port=6379" in start
    ports = (
        f"--port={gcs} --node-ip-address={LOOPBACK} --dashboard-port={dashboard} --dashboard-agent-listen-port={agent}"
        f" --ray-client-server-port={client} --metrics-export-port={metrics} --disable-usage-stats"
    )
    content["head_start_ray_commands"] = [*others, start.replace("--port=6379", ports)]
    written = folder / "cluster.yaml"
    written.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return written, f"http://127.0.0.1:{dashboard}"


def run(where: Machine, folder: Path, *command: str, **variables: str) -> str:
    """Returns what a command says; its failure ends the run."""
    path = f"{where.path}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "HOME": str(folder), **variables}
    began = time.monotonic()
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LONG_S, check=False)
    print(f"  exit {done.returncode} after {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
    return done.stdout + done.stderr


def end(home: Path) -> None:
    """Ends the processes that have this home, each by its id."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until_s = time.monotonic() + 10
        while (left := marked(str(home), "HOME")) and time.monotonic() < until_s:
            for each in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, number)
            time.sleep(0.5)


def main(
    rows: Annotated[int, typer.Option(help="So many rows are asked.")] = 20,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
) -> None:
    """Prints each command and how long it took; ends with 1 where a row is missing, wrong, double or asked twice."""
    for needed in (SSHD, "rsync", "ssh-keygen"):
        if shutil.which(needed) is None:
            raise SystemExit(f"waits for {needed}: Debian has it in openssh-server or rsync")
    with tempfile.TemporaryDirectory(prefix="du-") as name:
        folder = Path(name)
        sim_log = folder / "sim.log"
        ditto = str(Path(sys.executable).with_name("ditto"))
        with process(ditto, "sim", "--port", "0", environ=dict(os.environ), log=sim_log) as running:
            sim = said(r"models, at (http://\S+)", sim_log, running)[1]
            with machine(folder, sim) as where:
                try:
                    figures = asked(where, folder, sim, rows)
                finally:
                    end(where.home)
    print(json.dumps(figures))
    if json_file is not None:
        json_file.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    raise typer.Exit(0 if figures["asked"] == BATCHES * rows * MODELS else 1)


def asked(where: Machine, folder: Path, sim: str, rows: int) -> dict[str, int]:
    """Brings the cluster up, has the rows asked by `ray submit` and `ray job submit`, and returns what came of it."""
    cluster, dashboard = cluster_file(where, folder)
    lines = [json.dumps({"id": str(each), "prompt": f"What is {each} * 7?"}) for each in range(rows)]
    (folder / "IN.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = str(ROOT / "ditto" / "submit.py")

    run(where, folder, "ray", "up", "-y", "--no-config-cache", str(cluster))
    run(where, folder, "ray", "rsync-up", str(cluster), "IN.jsonl", "~/IN.jsonl")
    run(where, folder, "ray", "submit", str(cluster), script, "IN.jsonl", "OUT.jsonl")
    again = run(where, folder, "ray", "submit", str(cluster), script, "IN.jsonl", "OUT.jsonl")
    assert f"{rows} of them already there" in again, again
    run(where, folder, "ray", "rsync-down", str(cluster), "~/OUT.jsonl", "OUT.jsonl")
    run(where, folder, "ray", "rsync-down", str(cluster), "~/.ray/auth_token", "head_token")
    job = ("ray", "job", "submit", "--address", dashboard, "--working-dir", str(folder / "rows"), "--")
    (folder / "rows").mkdir()
    shutil.copy(folder / "IN.jsonl", folder / "rows")
    batch = ("ditto", "batch", "IN.jsonl", f"{where.home}/JOB.jsonl")
    run(where, folder, *job, *batch, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(folder / "head_token"))

    right = 0
    for written in (folder / "OUT.jsonl", where.home / "JOB.jsonl"):
        answered = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
        assert len({row["id"] for row in answered}) == len(answered) == rows, written
        right = sum(row["answer"] == int(row["id"]) * 7 for row in answered)
        assert right == rows, answered
    return {"rows": rows, "right": right, "asked": httpx.get(f"{sim}/sim/counts").json()["total"]}


if __name__ == "__main__":
    typer.run(main)
