"""What really happened in a run, written down as it happens, and every promise that it broke.

The ledger stands outside of all processes: it sees each write of the journal, each question that reaches a model and
each thing that a client is shown, and compares them at that very moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ditto.domain import events as ev
from ditto.domain.events import Recorded
from ditto.domain.job import Job, Outcome
from ditto.errors import IllegalMove
from ditto.runtime.orders import judge_order_id, order_id
from ditto.runtime.roles import JOB

ANYBODYS = (ev.JobAdopted, ev.JobRetried, ev.JobMerged, ev.FeedbackGiven)
"""What others than a job's holder write."""
SHARED_DEATHS = 4
"""Of a job that makes no progress: the first one that merges it, and three that adopt it; then it is taken apart."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and when."""

    at_s: float
    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.at_s:9.4f} s  {self.promise}: {self.what}"


class Ledger:
    """Of one run.

    Args:
        now: Returns the virtual time in seconds.
        replaced: Tells of a process whether it is dead, or another one has its name.
    """

    def __init__(self, now: Callable[[], float], replaced: Callable[[str], bool]) -> None:
        self._now = now
        self._replaced = replaced
        self.violations: list[Violation] = []
        self.notes: list[tuple[object, ...]] = []
        self.counts: Counter[str] = Counter()
        self.jobs: dict[str, Job] = {}
        self.records: dict[str, list[Recorded]] = {}
        self.promised: set[str] = set()
        self.ends: dict[tuple[str, int], Outcome] = {}
        self._askers: dict[str, dict[str, float]] = {}
        self._order_ids: dict[tuple[str, str], str] = {}
        self._started: set[str] = set()
        self._answered_at_s: dict[str, float] = {}
        self._submitted: dict[str, str] = {}
        self._epochs: dict[tuple[str, str], int] = {}
        self._deaths: Counter[str] = Counter()
        self.open: set[str] = set()

    def note(self, *what: object) -> None:
        """Writes a line of the trace."""
        self.notes.append((self._now(), *what))

    def broken(self, promise: str, what: str) -> None:
        self.violations.append(Violation(self._now(), promise, what))
        self.notes.append((self._now(), "BROKEN", promise, what))

    def written(self, process: str, job_id: str, records: Sequence[Recorded], fold: Callable[[], Job]) -> None:
        """Sees what an append added to a job's journal; `fold` returns the job that it makes."""
        self.records.setdefault(job_id, []).extend(records)
        before = self.jobs.get(job_id)
        if before is not None and type(records[0].event) not in ANYBODYS and before.holder != _name(process):
            self.broken("only its holder writes to a job", f"{process} to {job_id}, which {before.holder} holds")
        for record in records:
            self.note("journal", process, job_id, record.seq, record.event.kind, getattr(record.event, "call", ""))
        try:
            job = self.jobs[job_id] = fold()
        except IllegalMove as error:
            self.broken("journals fold", str(error))
            return
        if any(not isinstance(record.event, ev.JobAdopted) for record in records):
            self._deaths.pop(job_id, None)
        for record in records:
            self._look_at(job, record)

    def _look_at(self, job: Job, record: Recorded) -> None:
        job_id, event = job.id, record.event
        if job.state.ended:
            self.open.discard(job_id)
            self.ends[job_id, job.seq] = job.outcome
        else:
            self.open.add(job_id)
        match event:
            case ev.CallStarted():
                order = order_id(job, event.call, event.round)
                self._order_ids[job_id, event.call] = order
                self._started.add(order)
            case ev.CallCompleted():
                self._answered_at_s[self._order_ids[job_id, event.call]] = self._now()
            case ev.JudgeStarted():
                self._started.add(judge_order_id(job))
            case ev.JudgeCompleted():
                self._answered_at_s[judge_order_id(job)] = self._now()
            case ev.JobAdopted():
                self.counts["adoptions"] += 1
            case ev.JobAccepted():
                self.counts["jobs"] += 1
            case ev.JobRetried():
                self.counts["retries"] += 1
            case ev.JobFailed(type="InternalError"):
                self.broken("Ditto does not stumble", f"{job_id} ended in an InternalError")

    def ask(self, process: str, order: str, taken_at_s: float) -> None:
        """Sees a question reach a model.

        What a process took before it froze it may ask when it thaws, though another has its name by then: that call was
        in flight when its caller was taken for dead.
        """
        self.note("asked", process, order)
        before = self._askers.setdefault(order, {})
        of_the_dead = self._replaced(process) and all(
            taken_at_s < at_s or self._replaced(asker) for asker, at_s in before.items()
        )
        if self._answered_at_s.get(order, taken_at_s) < taken_at_s or (
            order in self._answered_at_s and not of_the_dead
        ):
            self.broken("no journalled answer is asked for again", f"{order}, by {process}")
        if order not in self._started:
            self.broken("written, then acted", f"{order} was asked before its start was in the journal")
        if process in before:
            self.broken("a living caller asks once", f"{order}, twice by {process}")
        elif before and not of_the_dead and not all(self._replaced(asker) for asker in before):
            self.broken("a call is repeated only after its caller's death", f"{order}, by {[*before]} and {process}")
        self.counts["asked"] += 1
        if before:
            self.counts["in flight repeated"] += 1
        job = self.jobs.get(order.partition("/")[0])
        if job is not None and job.state.ended:
            self.counts["asked after the job's end"] += 1
        before[process] = self._now()

    def obeyed(self, caller: str, holder: str, epoch: int) -> None:
        """Sees a caller take orders of an instance of a holder."""
        latest = self._epochs.get((caller, holder), 0)
        if epoch < latest:
            self.broken("callers refuse older epochs", f"{caller} obeyed epoch {epoch} of {holder} after {latest}")
        self._epochs[caller, holder] = max(epoch, latest)

    def poisoned(self, process: str, job: Job, *, thawed: bool) -> None:
        """Sees a process die of merging a job; a copy that had been replaced takes nobody down."""
        self.note("poisoned", process, job.id)
        self.counts["deaths of poison"] += 1
        if not process.startswith(JOB) and not thawed:
            self._deaths[job.id] += 1
            if self._deaths[job.id] > SHARED_DEATHS:
                self.broken("poison kills few", f"{job.id} has killed {self._deaths[job.id]} shared hosts")

    def accepted(self, tag: str, keyed: bool, job_id: str) -> None:
        """Sees a client be promised a job."""
        self.note("promised", tag, job_id)
        self.promised.add(job_id)
        if job_id not in self.jobs:
            self.broken("an accepted job is in the journal", f"{job_id} was promised and is not")
        elif self.jobs[job_id].spec.metadata["tag"] != tag:
            self.broken("a client gets its own job", f"{tag} was given {job_id}, which is another's")
        if keyed and self._submitted.setdefault(tag, job_id) != job_id:
            self.broken("one key, one job", f"the key of {tag} named {self._submitted[tag]}, and now {job_id}")

    def shown(self, client: str, job: Job) -> None:
        """Sees a client be shown a job."""
        self.note("shown", client, job.id, job.seq, str(job.state))
        records = self.records.get(job.id, ())
        if job.seq > len(records):
            self.broken("nothing is shown that is not journalled", f"{job.id} at event {job.seq} of {len(records)}")
            return
        if job.state.ended and self.ends.get((job.id, job.seq)) != job.outcome:
            self.broken("one result is visible", f"{client} was shown another end of {job.id} than the journal's")

    def streamed(self, client: str, job_id: str, record: Recorded, after: int) -> None:
        """Sees a client be sent an event."""
        self.note("streamed", client, job_id, record.seq)
        records = self.records.get(job_id, ())
        if record.seq > len(records) or records[record.seq - 1] != record:
            self.broken("nothing is shown that is not journalled", f"event {record.seq} of {job_id}")
        if record.seq != after + 1:
            self.broken("events come in order, each once", f"{client} got event {record.seq} of {job_id} after {after}")


def _name(process: str) -> str:
    return process.rpartition("!")[0]
