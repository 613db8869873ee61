"""A process that races others for the same places in a journal: `python -m tests.integration.rivals NAME RACE`.

The store is `DITTO_STORE`. It says `ready`, waits for a line, races, and prints as JSON what it has won.
"""

from __future__ import annotations

import asyncio
import json
import sys

from ditto.errors import AppendConflict, KeyTaken
from ditto.settings import from_args
from ditto.store.opening import open_journal
from ditto.store.port import Claim, Journal
from tests.integration.appends import STARTED, acceptance, more

PLACES = 200
CLAIMS = 50


async def events(journal: Journal, name: str) -> list[int]:
    """Returns the numbers of the events that this process has written to the job `j1`."""
    won = []
    for after in range(1, PLACES + 1):
        try:
            await journal.append(more(STARTED, after=after, append_id=f"{name}/{after}"))
        except AppendConflict:
            continue
        won.append(after + 1)
    return won


async def claims(journal: Journal, name: str) -> list[str]:
    """Returns the jobs for which this process got the one key, and all the jobs that it was told have it."""
    claim = Claim(key="order-7", fingerprint="f")
    tried = [f"{name}{n}" for n in range(CLAIMS)]
    results = await asyncio.gather(
        *(journal.append(acceptance(job_id, claim=claim)) for job_id in tried), return_exceptions=True
    )
    wrong = [repr(result) for result in results if not isinstance(result, KeyTaken | None)]
    got = [job_id for job_id, result in zip(tried, results, strict=True) if result is None]
    return wrong + got + sorted({result.job_id for result in results if isinstance(result, KeyTaken)})


async def main(name: str, race: str) -> None:
    journal = open_journal(from_args({}, source="the environment").store)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await {"events": events, "claims": claims}[race](journal, name)), flush=True)
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
