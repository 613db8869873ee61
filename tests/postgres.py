"""A PostgreSQL server of a test's own, from the machine's own binaries: Debian's package `postgresql`.

`begun()` gives one that can be stopped, restarted and asked for new empty databases. It listens on a free port of
loopback with a password, so that any process of any user can reach it; its files are gone afterwards. Its processes
are killed in tests, the machine is not: so it does without `fsync`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_WAIT_S = 60
_USER = "postgres"
PASSWORD = "a-secret-of-the-test"


def binaries() -> Path | None:
    """Returns the folder of PostgreSQL's programs, the newest version's; None where there is none."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted((path.parent for path in installed), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


class Server:
    """A server over one folder.

    Args:
        folder: Empty, and owned by who runs the server.
        durable: Each commit is on the disk, as it is where the machine may be killed too.
    """

    def __init__(self, programs: Path, folder: Path, *, durable: bool = False) -> None:
        self._programs = programs
        self._durable = durable
        self._data = folder / "data"
        self._folder = folder
        self._port = _free_port()
        password = folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        access = ("-U", _USER, "-A", "scram-sha-256", "--pwfile", password)
        self._run("initdb", "-D", self._data, "-E", "UTF8", "--locale=C", "--no-sync", *access)

    def start(self) -> None:
        """Returns when the server takes connections."""
        options = f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c log_min_messages=fatal"
        options += " -c fsync=on" if self._durable else " -c fsync=off"
        self._run("pg_ctl", "start", "-D", self._data, "-w", "-t", _WAIT_S, "-l", self._folder / "log", "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Ends the server, if it runs; `immediate` as a crash would, with nothing written that was not yet."""
        if not (self._data / "postmaster.pid").exists():
            return
        self._run("pg_ctl", "stop", "-D", self._data, "-w", "-t", _WAIT_S, "-m", mode)

    def restart(self) -> None:
        """Crashes the server and begins it again."""
        self.stop()
        self.start()

    def new_database(self) -> str:
        """Returns the address of a database that is empty."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.psql("postgres", f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql://{_USER}:{PASSWORD}@127.0.0.1:{self._port}/{name}"

    def processes(self) -> list[int]:
        """Returns the server's first process and those that it has begun."""
        first = int((self._data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        begun = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="utf-8").split()
        return [first, *map(int, begun)]

    def psql(self, database: str, command: str) -> str:
        """Returns what the server's own client prints for this command."""
        given = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.address(database), "-c", command]
        return self._run("psql", *given).strip()

    def database_of(self, dump: Path) -> str:
        """Returns the address of a new database with what PostgreSQL's `pg_dump` has written."""
        address = self.new_database()
        copy = Path(shutil.copy(dump, self._folder / dump.name))
        copy.chmod(0o644)
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", copy)
        return address

    def _run(self, program: str, *given: object) -> str:
        """Runs one of PostgreSQL's programs, which refuse to run as root, and returns what it prints."""
        command = [str(self._programs / program), *map(str, given)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", _USER, "--", *command]
        environ = {**os.environ, "LC_ALL": "C"}
        log = self._folder / "output"
        with log.open("w+", encoding="utf-8") as output:  # a pipe would stay open as long as the server
            done = subprocess.run(
                command, stdout=output, stderr=output, env=environ, cwd="/", timeout=2 * _WAIT_S, check=False
            )
            output.seek(0)
            said = output.read()
        assert done.returncode == 0, f"{program}: {said}"
        return said


@contextmanager
def begun(*, durable: bool = False) -> Iterator[Server]:
    """Yields a server that runs; it is ended and its files are removed afterwards."""
    programs = binaries()
    if programs is None:
        message = "there is no PostgreSQL server on this machine; Debian's package is postgresql"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(f"waits for a PostgreSQL server: {message}")
    folder = Path(tempfile.mkdtemp(prefix="ditto-postgres-"))
    try:
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        server = Server(programs, folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
