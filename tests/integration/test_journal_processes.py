"""Many processes on one store: the database alone decides who was first, and nobody has to know of the others."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ditto.settings.stores import PostgresAddress
from ditto.store.opening import open_database, open_journal
from tests.integration.appends import acceptance
from tests.integration.rivals import PLACES

_END_S = 60
_MAKERS = 6
_STORES = 20


def raced(store, race, names):
    """Returns by name what each process has won; they begin at the same moment, also with the making of the store."""
    where = store.secret if isinstance(store, PostgresAddress) else str(store)
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tests.integration.rivals", name, race],
            env={**os.environ, "DITTO_STORE": where},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    }
    try:
        for process in running.values():
            assert process.stdout.readline() == "ready\n"
        for process in running.values():
            process.stdin.write("\n")
            process.stdin.flush()
        return {name: json.loads(process.communicate(timeout=_END_S)[0]) for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
            process.communicate()


async def test_each_place_in_a_jobs_journal_is_won_by_one_process(store):
    journal = open_journal(store)
    await journal.append(acceptance())
    won = await asyncio.to_thread(raced, store, "events", ["left", "right"])
    assert sorted(won["left"] + won["right"]) == list(range(2, PLACES + 2))
    assert [record.seq for record in await journal.read("j1")] == list(range(1, PLACES + 2))
    await journal.close()


async def test_a_hundred_claims_of_one_key_from_processes_that_make_the_store_together_are_one_job(store):
    told = await asyncio.to_thread(raced, store, "claims", ["a", "b", "c"])
    journal = open_journal(store)
    (winner,) = await journal.job_ids("", 10)
    assert {job_id for jobs in told.values() for job_id in jobs} == {winner}
    await journal.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_that_many_make_at_the_same_moment_is_made_once(kind, tmp_path, request):
    for number in range(_STORES):
        where = tmp_path / str(number) / "journal.db"
        if kind == "postgresql":
            where = PostgresAddress(request.getfixturevalue("postgres").new_database())
        together = Barrier(_MAKERS)

        def make(where=where, together=together):
            together.wait()
            open_database(where).close()

        with ThreadPoolExecutor(_MAKERS) as makers:
            for made in [makers.submit(make) for _ in range(_MAKERS)]:
                made.result()
