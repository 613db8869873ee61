"""Ray Data's own pipeline of HTTP requests, with its checkpoints: a request for each row and model.

`python -m tests.benchmarks.overnight.ray_data IN OUT MODELS AT_ONCE NAME …` writes the folder OUT, a file for each
block of calls. What stands in a checkpoint is not asked again when it is started again. A batch's requests go out one
after the other there, so as many batches run at once as `AT_ONCE` says.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

BLOCK = 600
"""Calls in a block: so many are written, and noted in the checkpoint, at a time."""
BATCH = 8
_CPUS = 4
"""With two, and checkpoints, its actors wait for each other for ever."""
_AT_ONCE_ENV = "RAY_DATA_DEFAULT_ASYNC_BATCH_UDF_MAX_CONCURRENCY"


def split(source: str, folder: Path, models: list[str]) -> int:
    """Writes what is asked, each row's prompt of each model, as files of a block each; returns how many they are."""
    folder.mkdir(exist_ok=True)
    with open(source, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    calls = [{"id": f"{row['id']} {name}", "model": name, "prompt": row["prompt"]} for row in rows for name in models]
    blocks = range(0, len(calls), BLOCK)
    for number in blocks:
        lines = (f"{json.dumps(call)}\n" for call in calls[number : number + BLOCK])
        (folder / f"{number:08d}.jsonl").write_text("".join(lines))
    return len(blocks)


def asked(row: dict[str, Any]) -> dict[str, Any]:
    body = {"model": row["model"], "messages": [{"role": "user", "content": row["prompt"]}]}
    return {"id": row["id"], "payload": body}


def told(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "text": row["http_response"]["choices"][0]["message"]["content"]}


def main(source: str, output: str, url: str, at_once: int, models: list[str]) -> None:
    os.environ[_AT_ONCE_ENV] = str(at_once)
    import ray
    from ray.data.checkpoint import CheckpointConfig
    from ray.data.llm import HttpRequestProcessorConfig, build_processor

    ray.init(include_dashboard=False, num_cpus=max(_CPUS, os.cpu_count() or 1))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.checkpoint_config = CheckpointConfig("id", f"{output}.checkpoint", delete_checkpoint_on_success=False)
    blocks = split(source, Path(f"{output}.calls"), models)
    calls = ray.data.read_json(f"{output}.calls", override_num_blocks=blocks)
    config = HttpRequestProcessorConfig(url=f"{url}/v1/chat/completions", batch_size=BATCH, concurrency=1)
    build_processor(config, preprocess=asked, postprocess=told)(calls).write_json(output)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
