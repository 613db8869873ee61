"""A journal in PostgreSQL: its server goes and comes back, and what is said of it never holds the password."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from ditto.domain.events import JobAdopted
from ditto.errors import AppendConflict, ConfigurationError, StoreUnavailable
from ditto.settings.stores import PostgresAddress
from ditto.store import journal as journal_module
from ditto.store.journal import _Write
from ditto.store.opening import open_journal
from ditto.store.port import Append
from ditto.store.postgres import PostgresJournal
from ditto.store.tables import to_us
from tests.integration.appends import STARTED, acceptance, life, more
from tests.postgres import PASSWORD, begun
from tests.unit.domain.jobs import at

PAUSE_S = 0.01
PATIENCE_S = 60


@pytest.fixture
def own_server():
    """A server of this test's own, which it may stop."""
    with begun() as server:
        yield server


@pytest.fixture
def address(postgres):
    return PostgresAddress(postgres.new_database())


async def persistently(journal: PostgresJournal, append: Append) -> int:
    """Appends as the runtime does: the same again until it is written; returns how often the store was away."""
    away = 0
    while True:
        try:
            await journal.append(append)
        except StoreUnavailable:
            away += 1
            await asyncio.sleep(PAUSE_S)
        else:
            return away


async def test_restarts_in_the_middle_of_writes_lose_nothing_that_was_acknowledged_and_writers_go_on(own_server):
    store = PostgresAddress(own_server.new_database())
    journals = [PostgresJournal(store), PostgresJournal(store)]
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def write(name: str, journal: PostgresJournal) -> int:
        away = number = 0
        while not stop.is_set():
            job_id, number = f"{name}{number}", number + 1
            for append in life(job_id):
                away += await persistently(journal, append)
            acknowledged.append(job_id)
        return away

    writers = [asyncio.create_task(write(f"{n}-{k}-", journal)) for n, journal in enumerate(journals) for k in range(8)]
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            written = len(acknowledged)
            while len(acknowledged) < written + 50:  # noqa: ASYNC110  # the writers have no event
                await asyncio.sleep(PAUSE_S)
            await asyncio.to_thread(own_server.restart)
        written = len(acknowledged)
        while len(acknowledged) < written + 50:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_S)
        stop.set()
        await asyncio.gather(*writers)

    found = [len(await journals[0].read(job_id)) for job_id in acknowledged]
    assert found == [4] * len(acknowledged)
    for journal in journals:
        await journal.close()


async def test_a_server_that_is_down_is_said_without_the_password_and_used_again_when_it_is_back(own_server):
    store = PostgresAddress(own_server.new_database())
    journal = open_journal(store)
    await journal.append(acceptance())
    await asyncio.to_thread(own_server.stop)
    for attempt in (journal.append(more(STARTED)), journal.read("j1"), journal.check(), journal.begin_epoch("host:0")):
        with pytest.raises(StoreUnavailable, match=r"postgres:\*\*\*@127.* cannot be used: ") as error:
            await attempt
        assert PASSWORD not in str(error.value)
    with pytest.raises(StoreUnavailable, match="refused"):
        open_journal(store)
    await asyncio.to_thread(own_server.start)
    await journal.append(more(STARTED))
    assert len(await journal.read("j1")) == 2
    await journal.close()


async def test_a_restart_between_two_uses_is_not_seen_at_all(own_server):
    journal = open_journal(PostgresAddress(own_server.new_database()))
    await journal.append(acceptance())
    await journal.read("j1")
    await asyncio.to_thread(own_server.restart)
    assert len(await journal.read("j1")) == 1
    await journal.append(more(STARTED))
    await asyncio.to_thread(own_server.restart)
    await journal.check()
    await journal.close()


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda url: url.replace(PASSWORD, "wr0ng-secret"), StoreUnavailable, "password authentication failed"),
        (lambda url: url + "_nothing", StoreUnavailable, "does not exist"),
        (lambda url: url.replace(PASSWORD, PASSWORD + "%zz"), ConfigurationError, "is no address of a database"),
        (lambda url: url + "?nonsense=1", ConfigurationError, "is no address of a database"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_without_the_password(address, spoil, error, said):
    with pytest.raises(error, match=said) as raised:
        open_journal(PostgresAddress(spoil(address.secret)))
    for secret in (PASSWORD, "wr0ng-secret"):
        assert secret not in str(raised.value)
        assert secret not in repr(raised.value.__cause__)


def test_a_user_who_may_make_no_tables_is_told_so(postgres, address):
    name = address.secret.rpartition("/")[2]
    role = f"reader_of_{name}"
    postgres.psql(name, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    with pytest.raises(ConfigurationError, match="permission denied"):
        open_journal(PostgresAddress(address.secret.replace("//postgres:", f"//{role}:")))


def test_a_database_that_cannot_hold_every_text_is_refused(postgres):
    postgres.psql("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    with pytest.raises(ConfigurationError, match="encoding is SQL_ASCII, and has to be UTF8"):
        open_journal(PostgresAddress(postgres.address("ascii")))


async def test_a_commit_is_on_disk_whatever_the_server_is_set_to(postgres, address):
    name = address.secret.rpartition("/")[2]
    postgres.psql(name, f"ALTER DATABASE {name} SET synchronous_commit TO off")
    journal = open_journal(address)
    show = _Write(run=lambda it: it.exec_driver_sql("SHOW synchronous_commit").scalar_one())
    assert await journal._writer.put(show) == "on"
    await journal.close()


async def test_who_is_frozen_in_the_middle_of_a_write_holds_up_nobody_for_long(postgres, address, monkeypatch):
    monkeypatch.setattr("ditto.store.postgres._SESSION", ("SET search_path TO ditto", "SET lock_timeout TO '100ms'"))
    journal = open_journal(address)
    await journal.append(acceptance())
    with journal._database.engine.connect() as frozen:
        frozen.exec_driver_sql("BEGIN")
        frozen.exec_driver_sql("UPDATE jobs SET seq = seq")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await journal.append(more(STARTED))
        frozen.exec_driver_sql("ROLLBACK")
    await journal.append(more(STARTED))
    await journal.close()


async def test_a_job_is_not_taken_over_while_its_holder_is_renewing_its_lease(address):
    one, other = PostgresJournal(address), PostgresJournal(address)
    epoch = await one.begin_epoch("host:0")
    await one.append(acceptance())
    renewed, commit = threading.Event(), threading.Event()

    def renew(connection: Connection) -> None:
        journal_module._lease(connection, "host:0", epoch, to_us(at(30)))
        renewed.set()
        commit.wait(PATIENCE_S)

    renewing = asyncio.ensure_future(one._put(_Write(run=renew)))
    await asyncio.to_thread(renewed.wait, PATIENCE_S)
    over = replace(more(JobAdopted(holder="host:1", epoch=1)), unheld_at=at(20))
    taking_over = asyncio.ensure_future(other.append(over))
    await asyncio.wait([taking_over], timeout=0.5)
    commit.set()
    await renewing
    with pytest.raises(AppendConflict):
        await taking_over
    assert [row.job_id for row in await one.held("host:0")] == ["j1"]
    await one.close()
    await other.close()


async def test_a_standby_that_takes_no_writes_is_not_ready(postgres, address):
    journal = open_journal(address)
    name = address.secret.rpartition("/")[2]
    await journal.check()
    postgres.psql(name, f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    postgres.psql("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    for attempt in (journal.check(), journal.append(acceptance())):
        with pytest.raises(StoreUnavailable, match="read-only"):
            await attempt
    postgres.psql("postgres", f"ALTER DATABASE {name} SET default_transaction_read_only TO off")
    await journal.check()
    await journal.append(acceptance())
    await journal.close()


async def test_tables_of_others_in_the_same_database_are_left_alone(postgres, address):
    name = address.secret.rpartition("/")[2]
    postgres.psql(name, "CREATE TABLE events (what text); INSERT INTO events VALUES ('theirs')")
    journal = open_journal(address)
    await journal.append(acceptance())
    assert postgres.psql(name, "SELECT what FROM public.events") == "theirs"
    assert postgres.psql(name, "SELECT job_id FROM ditto.events") == "j1"
    await journal.close()


async def test_the_rows_of_a_forgotten_job_are_gone(postgres, address):
    journal = open_journal(address)
    for append in life("j1", metadata={"team": "red"}):
        await journal.append(append)
    assert await journal.forget("j1")
    name = address.secret.rpartition("/")[2]
    for table in ("events", "jobs", "labels", "keys"):
        assert postgres.psql(name, f"SELECT count(*) FROM ditto.{table}") == "0"
    await journal.close()


async def test_a_table_that_is_not_there_is_the_stores_fault_and_no_jobs(postgres, address):
    journal = PostgresJournal(address)
    name = address.secret.rpartition("/")[2]
    postgres.psql(name, "ALTER TABLE ditto.events RENAME TO elsewhere")
    results = await asyncio.gather(*(journal.append(acceptance(f"j{n}")) for n in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreUnavailable}
    postgres.psql(name, "ALTER TABLE ditto.elsewhere RENAME TO events")
    await journal.append(acceptance())
    await journal.close()


async def test_a_query_that_takes_too_long_is_ended_and_said(address, monkeypatch):
    monkeypatch.setattr(journal_module, "QUERY_S", 1.0)
    journal = PostgresJournal(address)
    with pytest.raises(StoreUnavailable, match="statement timeout"):
        await journal._query(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(60)").first())
    assert await journal.read("j1") == []
    await journal.close()


async def test_a_server_that_is_frozen_holds_no_reader_for_ever_and_is_used_again_when_it_has_thawed(
    own_server, monkeypatch
):
    monkeypatch.setattr(journal_module, "READ_S", 3.0)
    journal = PostgresJournal(PostgresAddress(own_server.new_database()))
    await journal.append(acceptance())
    pid = await journal._query(lambda connection: connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="has not answered"):
            await journal.read("j1")
        assert len(await journal.read("j1")) == 1  # over another connection
    finally:
        os.kill(pid, signal.SIGCONT)
    await journal.close()


async def test_a_frozen_connection_of_the_server_holds_up_no_write_for_ever_and_none_is_doubled(
    own_server, monkeypatch
):
    monkeypatch.setattr(journal_module, "WRITE_S", 3.0)
    journal = PostgresJournal(PostgresAddress(own_server.new_database()))
    await journal.append(acceptance())
    ask = _Write(run=lambda connection: connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    pid = await journal._put(ask)
    os.kill(pid, signal.SIGSTOP)
    try:
        await journal.append(more(STARTED))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len(await journal.read("j1")) == 2
    await journal.close()
