"""Learning in the background: skills are fitted on the answers of the journal's own jobs, which nobody has labelled.

The keeper learns, every service reads. A job is given the newest skills when it is accepted, and keeps them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import replace
from datetime import datetime

from ditto.domain.confidence.calibration import Calibration, calibrated
from ditto.domain.job import Completed, Job, fold
from ditto.domain.labels import Label, label_of
from ditto.domain.skills.observations import Observation, observed
from ditto.domain.skills.sheet import NOTHING, Skills
from ditto.domain.spec import StrategyName
from ditto.errors import AppendConflict, IllegalMove, JournalUnreadable, StoreError
from ditto.store.port import Journal, Learned

log = logging.getLogger("ditto.learning")

LOOK_S = 60.0
READ_AGAIN_S = 30.0
FEWEST = 30
"""So many questions teach something, and so many new ones something new."""
MOST = 3000
"""So many of the latest questions are remembered, and so many of the latest labels."""
_READ = 500
"""So many of the questions that have ended since the last look are read; more of them teach little more."""
_PAUSE_S = 0.01
"""Between two journals that are read: learning leaves the machine to the jobs."""


class Learner:
    """Fits skills."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._since: datetime | None = None
        self._read_to: datetime | None = None
        self._judged_to: datetime | None = None
        self._observations: deque[Observation] = deque(maxlen=MOST)
        self._labels: dict[str, Label] = {}
        self._new = 0
        self._caught_up = False

    async def learn(self) -> None:
        """Learns, again and again."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("nothing learned", extra={"reason": str(error)})
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Reads what has ended since the last look, and fits skills where that is enough."""
        learned = await self._journal.learned()
        if learned.since != self._since:
            # all was forgotten, or this is the first look
            self._since = self._read_to = self._judged_to = learned.since
            self._observations.clear()
            self._labels.clear()
            self._new = 0
            self._caught_up = False
        assert self._read_to is not None
        for ended_at, job_id in await self._journal.completed(self._read_to, _READ if self._caught_up else MOST):
            await self._observe(job_id)
            self._read_to = ended_at
            await asyncio.sleep(_PAUSE_S)
        if not self._caught_up and learned.skills.version:
            self._new = 0  # these have taught what is known, or they are too few to matter
        self._caught_up = True
        calibrations = await self._calibrations()
        skills, version = learned.skills, learned.skills.version + 1
        if self._new >= FEWEST:
            from ditto.domain.skills.fitting import fit  # heavy, and needed in a service that has answered much

            fitted = await asyncio.to_thread(fit, list(self._observations), version=version)
            await self._keep(Learned(skills=replace(fitted, calibrations=calibrations), since=learned.since))
        elif calibrations != skills.calibrations:
            changed = replace(skills, version=version, calibrations=calibrations)
            await self._keep(Learned(skills=changed, since=learned.since))

    async def _calibrations(self) -> dict[str, Calibration]:
        """Returns for each task what its labels say, once there are enough."""
        assert self._judged_to is not None
        for at, job_id in await self._journal.judged(self._judged_to, MOST):
            job = await self._job(job_id)
            label = None if job is None else label_of(job)
            self._labels.pop(job_id, None)
            if label is not None:
                self._labels[job_id] = label
            self._judged_to = at
            await asyncio.sleep(_PAUSE_S)
        for job_id in list(self._labels)[:-MOST]:
            del self._labels[job_id]
        by_task: dict[str, list[tuple[float, bool]]] = {}
        for label in self._labels.values():
            by_task.setdefault(label.task, []).append((label.confidence, label.right))
        found = {task: calibrated(labels) for task, labels in sorted(by_task.items())}
        return {task: calibration for task, calibration in found.items() if calibration is not None}

    async def _observe(self, job_id: str) -> None:
        job = await self._job(job_id)
        if job is None or job.spec.strategy is not StrategyName.CONSENSUS or not isinstance(job.outcome, Completed):
            return
        seen = observed(job.outcome.verdict, {call.name: call.model for call in job.spec.calls})
        if seen is not None:
            self._observations.append(seen)
            self._new += 1

    async def _job(self, job_id: str) -> Job | None:
        """Returns a job, None where it cannot be read. While the store is away the look ends; the next one goes on."""
        try:
            return fold(job_id, await self._journal.read(job_id))
        except (IllegalMove, JournalUnreadable) as error:
            log.warning("job teaches nothing", extra={"job_id": job_id, "reason": str(error)})
            return None

    async def _keep(self, learned: Learned) -> None:
        try:
            await self._journal.learn(learned)
        except AppendConflict:
            return  # another service on this store was quicker
        self._new = 0
        log.info("skills learned", extra={"version": learned.skills.version, "questions": len(self._observations)})


class Book:
    """The newest skills as one process knows them, read again in the background now and then."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._skills: Skills = NOTHING
        self._read_at_s: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def skills(self) -> Skills:
        """Returns the newest skills; the first time, once they have been read."""
        first = self._read_at_s is None
        now_s = time.monotonic()
        if self._read_at_s is None or now_s - self._read_at_s > READ_AGAIN_S:
            self._read_at_s = now_s
            self._reading = asyncio.get_running_loop().create_task(self._read())
        if first and self._reading is not None:
            await asyncio.shield(self._reading)
        return self._skills

    async def _read(self) -> None:
        try:
            self._skills = (await self._journal.learned()).skills
        except StoreError as error:  # what is known is good enough
            log.warning("skills not read", extra={"reason": str(error)})


async def forget_skills(journal: Journal, now: datetime) -> int:
    """Has everything that was learned forgotten: only jobs that end from now on teach; returns the new version."""
    while True:
        version = (await journal.learned()).skills.version + 1
        try:
            await journal.learn(Learned(skills=Skills(version=version), since=now))
        except AppendConflict:
            continue  # something was learned in between
        return version
