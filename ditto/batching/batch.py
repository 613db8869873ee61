"""A batch: many rows asked at once, each answer written as it comes, nothing asked twice.

Each row is a job under an idempotency key made of the batch's name, the row's id and what it asks. So a row whose
answer was lost on the way to the file finds its job again, and a row that has changed is another job. Each job carries
the batch's name as `metadata.batch`, by which the store keeps a batch together while it grows.

A service that is full is no error of a row: the row waits for its turn, for as long as that takes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ditto.batching import records
from ditto.batching.ordering import InOrder
from ditto.batching.records import Done
from ditto.batching.source import BadRow, Row
from ditto.batching.throttle import Throttle
from ditto.domain.request import Request
from ditto.domain.spec import JSON
from ditto.domain.view import JobView
from ditto.errors import BadRequest, IdempotencyMismatch, InternalError, RateLimited, TooLarge, Unavailable

FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_BATCH = "batch"


Seen = Callable[[Row | BadRow, Mapping[str, Any]], None]


class JobsPort(Protocol):
    """What a batch needs of a service. The same idempotency key is the same job."""

    async def begin(self, request: Request) -> JobView[Any]:
        """Returns the job, accepted or ended."""
        ...

    async def wait(self, job_id: str, timeout_s: float | None) -> JobView[Any]: ...


class RowsPort(Protocol):
    """Where rows come from; `source.Source` reads them from a file."""

    async def next(self) -> Row | BadRow | None: ...

    def has(self, id: str) -> bool: ...


class SinkPort(Protocol):
    """Where rows go; `sink.Sink` appends them to a file."""

    @property
    def done(self) -> dict[str, Done]: ...

    def write(self, record: Mapping[str, JSON]) -> None: ...

    def read(self, id: str) -> dict[str, Any] | None: ...

    def settle(self, is_input: Callable[[str], bool]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is run.

    Attributes:
        name: The same rows under the same name are the same jobs.
        concurrency: How many jobs run at once, None: as many as are found to make it faster.
        responses: Every model's reply is written too.
        ordered: Rows are written in the order of the input.
        retry_failed: Rows whose last attempt failed are asked again.
        max_errors: With more rows that fail than these the batch stops, None: it never does.
        patience_s: How long a service that cannot be reached is tried before the batch stops.
    """

    name: str
    concurrency: int | None = None
    responses: bool = False
    ordered: bool = False
    retry_failed: bool = False
    max_errors: int | None = None
    patience_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What became of the rows so far.

    Attributes:
        rows: Read from the input.
        earlier: Of them, in the output before this run began.
        complete: With a result.
        failed: Without one, be it the models' fault or the row's.
        review: Complete, and to be looked at by a person.
        stopped: More rows have failed than are allowed, and the rest was left.
        elapsed_s: Of this run.
    """

    rows: int = 0
    earlier: int = 0
    complete: int = 0
    failed: int = 0
    review: int = 0
    stopped: bool = False
    elapsed_s: float = 0.0

    def after(self, done: Done, *, earlier: bool) -> BatchReport:
        """Returns the report with one more row."""
        complete = done.state == records.COMPLETE
        return replace(
            self,
            rows=self.rows + 1,
            earlier=self.earlier + earlier,
            complete=self.complete + complete,
            failed=self.failed + (not complete),
            review=self.review + (complete and done.needs_review),
        )


async def run_batch(
    service: JobsPort,
    source: RowsPort,
    sink: SinkPort,
    options: BatchOptions,
    progress: Callable[[BatchReport], None] = lambda report: None,
    throttle: Throttle | None = None,
    seen: Seen = lambda row, record: None,
) -> BatchReport:
    """Returns the report when every row of the source is in the sink, or when too many have failed.

    Args:
        progress: Called after each row.
        throttle: Says how many jobs run at once; of its own if None.
        seen: Called with each row that is in the output, also from an earlier run.

    Raises:
        Unavailable: The service cannot be reached for longer than the options allow. The rest is left to another run.
        OSError: A row cannot be written, likewise.
    """
    throttle = throttle or Throttle(options.concurrency)
    run = _Run(service, source, sink, options, progress, throttle, seen)
    try:
        async with asyncio.TaskGroup() as group:
            await run.begin_all(group)
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    report = run.report()
    if not report.stopped:
        sink.settle(source.has)
    return report


class _Run:
    def __init__(
        self,
        service: JobsPort,
        source: RowsPort,
        sink: SinkPort,
        options: BatchOptions,
        progress: Callable[[BatchReport], None],
        throttle: Throttle,
        seen: Seen,
    ) -> None:
        self._service = service
        self._source = source
        self._sink = sink
        self._options = options
        self._progress = progress
        self._throttle = throttle
        self._seen = seen
        self._order = InOrder(sink.write) if options.ordered else None
        self._fresh_errors = 0
        self._tally = BatchReport()
        self._began_s = time.monotonic()

    async def begin_all(self, group: asyncio.TaskGroup) -> None:
        """Begins the rows, each when its turn has come, until there are no more."""
        number = 0
        while True:
            await self._throttle.turn()
            if self._order is not None:
                await self._order.room(number)
            row = None if self._tally.stopped else await self._source.next()
            if row is None:
                return
            group.create_task(self._do(number, row))
            number += 1

    async def _do(self, number: int, row: Row | BadRow) -> None:
        try:
            await self._answer(number, row)
        finally:
            self._throttle.give_back()

    async def _answer(self, number: int, row: Row | BadRow) -> None:
        key = records.row_key(self._options.name, row)
        before = self._sink.done.get(row.id)
        if before is not None and before.key == key and not self._again(before):
            await self._write(number, None)
            if (record := self._sink.read(row.id)) is not None:
                self._seen(row, record)
            self._count(before, earlier=True)
            return
        attempt = before.attempt + 1 if before is not None and before.key == key else 1
        record = records.of_bad_row(row, key) if isinstance(row, BadRow) else await self._ask(row, key, attempt)
        await self._write(number, record)
        self._seen(row, record)
        self._count(records.done(record), earlier=False)

    async def _write(self, number: int, record: dict[str, Any] | None) -> None:
        if self._order is not None:
            await self._order.give(number, record)
        elif record is not None:
            self._sink.write(record)

    def report(self) -> BatchReport:
        return replace(self._tally, elapsed_s=time.monotonic() - self._began_s)

    def _again(self, before: Done) -> bool:
        return self._options.retry_failed and before.state != records.COMPLETE

    def _count(self, done: Done, *, earlier: bool) -> None:
        self._tally = self._tally.after(done, earlier=earlier)
        if not earlier:
            self._throttle.ended()
            self._fresh_errors += done.state != records.COMPLETE
            limit = self._options.max_errors
            if limit is not None and self._fresh_errors > limit:
                self._tally = replace(self._tally, stopped=True)
        self._progress(self.report())

    async def _ask(self, row: Row, key: str, attempt: int) -> dict[str, Any]:
        try:
            job = await self._patiently(self._request(row, key, attempt))
        except (BadRequest, TooLarge, IdempotencyMismatch, InternalError) as error:
            return records.of_refusal(row, key, attempt, error)
        return records.of_job(row, key, attempt, job, responses=self._options.responses)

    def _request(self, row: Row, key: str, attempt: int) -> Request:
        """Returns what is sent for a row: what it asks, its key, and the batch's name unless it names one itself."""
        request, more = row.request, dict[str, Any]()
        if request.idempotency_key is None:
            more["idempotency_key"] = records.idempotency_key(key, attempt)
        if _BATCH not in (request.metadata or {}):
            name = self._options.name.encode("utf-8", "replace").decode()
            more["metadata"] = {**(request.metadata or {}), _BATCH: name}
        return request.model_copy(update=more)

    async def _patiently(self, request: Request) -> JobView[Any]:
        away_since_s: float | None = None
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                job = await self._service.begin(request)
                away_since_s = None
                return job if job.state.ended else await self._service.wait(job.job_id, None)
            except RateLimited:
                self._throttle.slow()
                away_since_s = None
            except Unavailable:
                now_s = time.monotonic()
                away_since_s = now_s if away_since_s is None else away_since_s
                if now_s + pause_s > away_since_s + self._options.patience_s:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    failure = failures.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure
