"""A DBOS application as DBOS's own guide writes one: a workflow of four steps, each a model call, on SQLite.

`python dbos_app.py FOLDER SIM SHAPE [--start]`: with `--start` it starts the workflow, without it recovers what is
pending, which `DBOS.launch()` does by itself. It says the moments of both, since its tables have whole seconds of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path

import httpx
from dbos import DBOS, DBOSConfig, SetWorkflowID

from tests.benchmarks.recovery.shape import PROMPT, Shape, models

WORKFLOW = "job"
DATABASE = "dbos.sqlite"
LIMIT_S = 60


def _say(what: str) -> None:
    os.write(1, f"{what} {time.time()}\n".encode())  # whole lines, although two threads speak


def _asked(earlier: list[str]) -> str:
    return "\n".join([PROMPT, *(f"Answer {number}: {answer}" for number, answer in enumerate(earlier, 1))])


def _body(model: str, prompt: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


@DBOS.step()
def ask(sim: str, model: str, earlier: list[str]) -> str:
    answer = httpx.post(f"{sim}/v1/chat/completions", json=_body(model, _asked(earlier)), timeout=LIMIT_S)
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


@DBOS.step()
async def ask_async(sim: str, model: str) -> str:
    async with httpx.AsyncClient(timeout=LIMIT_S) as client:
        answer = await client.post(f"{sim}/v1/chat/completions", json=_body(model, PROMPT))
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


@DBOS.workflow()
def sequence(sim: str, names: list[str]) -> list[str]:
    _say("running")
    answers: list[str] = []
    for name in names:
        answers.append(ask(sim, name, list(answers)))
    _say("finished")
    return answers


@DBOS.workflow()
async def together(sim: str, names: list[str]) -> list[str]:
    _say("running")
    answers = await asyncio.gather(*(ask_async(sim, name) for name in names))
    _say("finished")
    return answers


def main() -> None:
    """Launches DBOS, starts the workflow if it is to, and stays until the workflow has ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("sim")
    parser.add_argument("shape", type=Shape)
    parser.add_argument("--start", action="store_true")
    options = parser.parse_args()
    config: DBOSConfig = {
        "name": "recovery",
        "system_database_url": f"sqlite:///{options.folder / DATABASE}",
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    _say("launched")
    names = list(models(options.shape))
    if options.start and options.shape is Shape.SEQUENCE:
        with SetWorkflowID(WORKFLOW):
            DBOS.start_workflow(sequence, options.sim, names)
        _say("accepted")
    elif options.start:
        asyncio.run(_run_together(options.sim, names))
    DBOS.retrieve_workflow(WORKFLOW).get_result()


async def _run_together(sim: str, names: list[str]) -> None:
    with SetWorkflowID(WORKFLOW):
        handle = await DBOS.start_workflow_async(together, sim, names)
    _say("accepted")
    await handle.get_result()


if __name__ == "__main__":
    main()
