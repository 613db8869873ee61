"""What people write: asyncio, httpx and a semaphore; a line is appended for each row that is answered.

`python -m tests.benchmarks.overnight.script IN OUT MODELS AT_ONCE NAME …` leaves out rows whose ids are in OUT, and
lines there that are no JSON. It merges nothing, tries nothing again and keeps no reply but in a row that is whole.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, TextIO

import httpx


def read(source: str, output: str) -> list[dict[str, Any]]:
    """Returns the rows that are not in the output."""
    done = set()
    if Path(output).exists():
        with open(output, encoding="utf-8") as file:
            for line in file:
                try:
                    done.add(json.loads(line)["id"])
                except json.JSONDecodeError:
                    continue  # the last one, torn by a kill
    with open(source, encoding="utf-8") as file:
        return [row for line in file if (row := json.loads(line))["id"] not in done]


async def main(rows: list[dict[str, Any]], out: TextIO, url: str, at_once: int, models: list[str]) -> None:
    gate = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(timeout=60) as client:

        async def ask(model: str, prompt: str) -> str:
            body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
            answer = await client.post(f"{url}/v1/chat/completions", json=body)
            answer.raise_for_status()
            return str(answer.json()["choices"][0]["message"]["content"])

        async def do(row: dict[str, Any]) -> None:
            async with gate:
                replies = await asyncio.gather(*(ask(model, row["prompt"]) for model in models))
            out.write(json.dumps({"id": row["id"], "responses": dict(zip(models, replies, strict=True))}) + "\n")
            out.flush()

        await asyncio.gather(*(do(row) for row in rows))


if __name__ == "__main__":
    todo = read(sys.argv[1], sys.argv[2])
    with open(sys.argv[2], "a", encoding="utf-8") as writing:
        asyncio.run(main(todo, writing, sys.argv[3], int(sys.argv[4]), sys.argv[5:]))
