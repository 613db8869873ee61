"""`ditto.batch(...)`: a batch from Python, over a running service or in a cluster. All is loaded when it is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ditto.batching import BatchReport, Work
    from ditto.client.backend import Backend


def batch(
    source: str | Path,
    output: str | Path,
    *,
    prompt: str | None = None,
    request: dict[str, Any] | None = None,
    url: str | None = None,
    address: str | None = None,
    name: str | None = None,
    concurrency: int | None = None,
    responses: bool = False,
    ordered: bool = False,
    merge: Literal["auto", "one-pass", "two-pass"] = "auto",
    label: str | None = None,
    limit: int | None = None,
    sample: float | None = None,
    retry_failed: bool = False,
    max_errors: int | None = None,
    report: bool = False,
    progress: Callable[[BatchReport], None] = lambda report: None,
) -> BatchReport:
    """Asks every row of a file, writes one row for each, and returns what became of them; called again, it goes on.

    Args:
        source: JSON lines, CSV or Parquet by its name: a file, a folder, a pattern, or a place that fsspec knows.
        output: Likewise, a file.
        prompt: A prompt with columns, `Classify: {text}`; None: each row is a request.
        request: What every row's request has where the row says nothing, in the spelling of the wire or Python's:
            `{"models": [...], "answer": "boolean"}`.
        url: A running service; None: the cluster.
        address: Ray's address; None: what `RAY_ADDRESS` names, or the cluster that runs on this machine, else a new
            one that ends with this process.
        name: The same row under the same name is never asked twice; None: the path of the output.
        concurrency: Jobs at once; None: as many as are found to make it faster.
        responses: Every model's reply is written too.
        ordered: Rows are written in the order of the input.
        merge: Whether verdicts are made once more when all answers are there; auto: from 30 rows of one panel.
        label: A column that says what is right; it is not asked.
        limit: Take no more rows than these.
        sample: Take this share of the rows, always the same ones.
        retry_failed: Ask rows that failed before again.
        max_errors: Stop when more rows than these have failed.
        report: Write a report beside the output: a page, and the same as JSON.
        progress: Called after each row, on another thread.

    Raises:
        BadRequest: `request` is wrong.
        ConfigurationError: The input cannot be read, the output not be written, or there is no such service.
        Conflict: Another batch writes this output.
        Unavailable: The service has been gone for too long. What is written stays; call it again.
    """
    from ditto.batching import BatchOptions, Merging, Plan, Reading, Template, Work, default_name
    from ditto.client.portal import Portal
    from ditto.domain.request import parse

    given = request or {}
    parse({**given, "prompt": "any"})
    plan = Plan(
        source=str(source),
        output=str(output),
        reading=Reading(
            given=given,
            template=None if prompt is None else Template(prompt),
            label=label,
            limit=limit,
            sample=sample,
        ),
        options=BatchOptions(
            name=name or default_name(str(output)),
            concurrency=concurrency,
            responses=responses,
            ordered=ordered,
            retry_failed=retry_failed,
            max_errors=max_errors,
        ),
        merging=Merging(merge),
        report=report,
    )
    portal = Portal()
    try:
        with Work(plan) as work:
            return portal.run(lambda: _run(work, url, address, progress))
    finally:
        portal.close()


async def _run(
    work: Work, url: str | None, address: str | None, progress: Callable[[BatchReport], None]
) -> BatchReport:
    backend = await _backend(url, address)
    try:
        return await work.run(backend, progress)
    finally:
        await backend.close()


async def _backend(url: str | None, address: str | None) -> Backend:
    if url is None:
        from ditto.client.cluster_backend import attach  # loads Ray

        return await attach(address)
    from ditto.client.async_client import AsyncDitto

    return AsyncDitto(url)._backend  # the verbs of its client take no whole requests
