"""What is done with a batch's rows when all are there: merged a second time, held against labels, put in place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ditto.batching import records
from ditto.batching.batch import JobsPort
from ditto.batching.labelling import Corrections, Labels, is_right, labelled
from ditto.batching.second_pass import Lesson, Lessons, Merging, seconded
from ditto.batching.source import BadRow, Row, Source
from ditto.batching.staging import Staged
from ditto.batching.summary import Summary
from ditto.errors import NotFound

Pair = tuple[Row | BadRow | None, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be done with the rows.

    Attributes:
        merging: How their verdicts are made.
        responses: Every model's reply is kept.
        labels: They have labels.
        review_threshold: Below this confidence a row needs a person's review.
    """

    merging: Merging
    responses: bool
    labels: bool
    review_threshold: float


class Finishing:
    """Puts the rows of one batch in place.

    Args:
        source: As it was read; read again where it can be.
        sink: Has all rows.
    """

    def __init__(self, source: Source, sink: Staged, wanted: Wanted) -> None:
        self._source = source
        self._sink = sink
        self._wanted = wanted

    async def finish(self, service: JobsPort, *, fresh: bool) -> tuple[Summary, Lesson | None]:
        """Publishes the output; returns what it comes to, and what the batch has taught, where that was used.

        Args:
            fresh: Some rows were asked in this run.
        """
        if fresh and self._wanted.merging is not Merging.ONE_PASS:
            await self._fetch_replies(service)
        return await asyncio.to_thread(self._finish)

    def _finish(self) -> tuple[Summary, Lesson | None]:
        lesson, summary = self._lesson(), Summary()
        corrections = self._corrections(lesson)
        self._sink.publish(self._final(pair, lesson, corrections, summary) for pair in self._pairs())
        return summary, lesson

    def _lesson(self) -> Lesson | None:
        if self._wanted.merging is Merging.ONE_PASS:
            return None
        lessons = Lessons(len(self._sink.done), self._wanted.review_threshold)
        for row, record in self._pairs():
            if isinstance(row, Row):
                lessons.add(row, record)
        return lessons.lesson(wanted=self._wanted.merging is Merging.TWO_PASS)

    def _corrections(self, lesson: Lesson | None) -> Corrections | None:
        if not self._wanted.labels:
            return None
        labels = Labels()
        for row, record in self._pairs():
            if isinstance(row, Row):
                labels.add(labelled(row, _merged(row, record, lesson)))
        return labels.corrections()

    def _final(
        self, pair: Pair, lesson: Lesson | None, corrections: Corrections | None, summary: Summary
    ) -> dict[str, Any]:
        row, record = pair
        first_right = None
        if isinstance(row, Row):
            record = _merged(row, record, lesson)
            if corrections is not None:
                record = corrections.corrected(labelled(row, record), self._wanted.review_threshold)
                if "correct" in record and "firstPass" in record:
                    first_right = is_right(row, {**record, **record["firstPass"]}, row.label)
        summary.add(row, record, first_right=first_right)
        if not self._wanted.responses:
            record = {name: value for name, value in record.items() if name != "responses"}
        return record

    def _pairs(self) -> Iterator[Pair]:
        """Yields the rows of the output: those of the input in its order, then others that were asked once."""
        again = self._source.again() if self._source.repeatable else None
        for row in () if again is None else again.each():
            if (record := self._sink.read(row.id)) is not None:
                yield row, record
        for id, done in self._sink.done.items():
            rest = done.asked or self._source.has(id) if again is None else done.asked and not again.has(id)
            if rest and (record := self._sink.read(id)) is not None:
                yield None, record

    async def _fetch_replies(self, service: JobsPort) -> None:
        """Has the replies of rows that an earlier run has published without them: the service still knows them."""
        again = self._source.again()
        with again:
            while (row := await again.next()) is not None:
                record = self._sink.read(row.id)
                if not isinstance(row, Row) or record is None or not _lacks_replies(record):
                    continue
                try:
                    job = await service.wait(record["jobId"], 0.0)
                except NotFound:
                    continue  # it is past retention: the row stays as it is
                key, attempt = record["key"], record["attempt"]
                self._sink.write(records.of_job(row, key, attempt, job, responses=True))


def _merged(row: Row, record: Mapping[str, Any], lesson: Lesson | None) -> dict[str, Any]:
    return dict(record) if lesson is None else seconded(row, record, lesson)


def _lacks_replies(record: Mapping[str, Any]) -> bool:
    return record["state"] == records.COMPLETE and "responses" not in record
