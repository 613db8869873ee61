"""What is measured of calls, jobs and actors, and when: callers count calls at their end, holders count jobs.

No label holds anything of a prompt, a reply or a key. A job's own actor hands its counts to the keeper, since it ends;
the others keep theirs until their process ends. A job that ends, is retried, and ends again counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from ditto.domain.events import Failure, Reply
from ditto.domain.job import Completed, Job
from ditto.providers.limits.gates import Gate
from ditto.tally import Kind, Measure, Tally

_MODEL = ("provider", "model")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)

CALLS = Measure(
    name="ditto_calls_total",
    kind=Kind.COUNTER,
    about="Model calls that have ended: `reply`, or the type of the failure.",
    labels=(*_MODEL, "outcome"),
)
CALL_SECONDS = Measure(
    name="ditto_call_seconds",
    kind=Kind.HISTOGRAM,
    about="From its turn to the end of a model call, tries and pauses included.",
    labels=_MODEL,
    bounds=_SECONDS,
)
TOKENS = Measure(
    name="ditto_tokens_total",
    kind=Kind.COUNTER,
    about="Tokens, as the providers count them.",
    labels=(*_MODEL, "direction"),
)
RETRIES = Measure(
    name="ditto_call_retries_total",
    kind=Kind.COUNTER,
    about="Requests to a model beyond the first of each call.",
    labels=_MODEL,
)
RATE_LIMITED = Measure(
    name="ditto_rate_limited_total",
    kind=Kind.COUNTER,
    about="Answers of a provider that say that it was asked too much (429).",
    labels=_MODEL,
)
RATE_LIMITED_SECONDS = Measure(
    name="ditto_rate_limited_seconds_total",
    kind=Kind.COUNTER,
    about="What such answers cost: the requests that they came to, and the pauses after them.",
    labels=_MODEL,
)
TURN_SECONDS = Measure(
    name="ditto_turn_seconds",
    kind=Kind.HISTOGRAM,
    about="How long requests to a model waited for their turn, those that did, under a limit that is set or was found.",
    labels=_MODEL,
    bounds=_SECONDS,
)
CALLS_WAITING = Measure(
    name="ditto_calls_waiting", kind=Kind.GAUGE, about="Requests that wait for their turn.", labels=_MODEL
)
FOUND_RATE = Measure(
    name="ditto_found_rate",
    kind=Kind.GAUGE,
    about="Requests a second that are sent at most, as they were found where a provider said 429.",
    labels=_MODEL,
)
CIRCUITS_OPEN = Measure(
    name="ditto_circuits_open",
    kind=Kind.GAUGE,
    about="Callers that leave this model alone just now, because it has only failed.",
    labels=_MODEL,
)
CALLS_RUNNING = Measure(name="ditto_calls_running", kind=Kind.GAUGE, about="Model calls under way.")
JOBS = Measure(
    name="ditto_jobs_total",
    kind=Kind.COUNTER,
    about="Jobs that have ended.",
    labels=("strategy", "state"),
)
JOB_SECONDS = Measure(
    name="ditto_job_seconds",
    kind=Kind.HISTOGRAM,
    about="From the acceptance of a job, or its retry, to its end.",
    labels=("strategy",),
    bounds=_SECONDS,
)
CONFIDENCE = Measure(
    name="ditto_confidence",
    kind=Kind.HISTOGRAM,
    about="Confidence of the verdicts that have one.",
    labels=("strategy",),
    bounds=_SHARES,
)
REVIEWS = Measure(
    name="ditto_reviews_total",
    kind=Kind.COUNTER,
    about="Complete jobs that a person should look at.",
    labels=("strategy",),
)
JOBS_OPEN = Measure(name="ditto_jobs_open", kind=Kind.GAUGE, about="Jobs that run or wait.")
COMMITS = Measure(
    name="ditto_commits_total", kind=Kind.COUNTER, about="Transactions that holders have written to the journal."
)
SPARES = Measure(name="ditto_spares", kind=Kind.GAUGE, about="Actors that are ready for one job each.")
JOB_ACTORS = Measure(
    name="ditto_job_actors", kind=Kind.GAUGE, about="Actors of one job each: spares, running ones, those that linger."
)


def count_call(tally: Tally, provider: str, model: str, result: Reply | Failure) -> None:
    """Counts a model call that has ended."""
    labels = (provider, model)
    tally.count(CALLS, (*labels, "reply" if isinstance(result, Reply) else result.type))
    tally.observe(CALL_SECONDS, labels, result.elapsed_s)
    if result.attempts > 1:
        tally.count(RETRIES, labels, result.attempts - 1)
    if isinstance(result, Reply):
        tally.count(TOKENS, (*labels, "input"), result.input_tokens or 0)
        tally.count(TOKENS, (*labels, "output"), result.output_tokens or 0)


def count_gates(tally: Tally, gates: Iterable[Gate]) -> None:
    """Counts what is limited just now."""
    for gate in gates:
        labels = (gate.provider, gate.model)
        tally.count(CALLS_WAITING, labels, gate.waiting)
        tally.count(CIRCUITS_OPEN, labels, gate.open)
        if gate.rate is not None:
            tally.count(FOUND_RATE, labels, gate.rate)


def count_job(tally: Tally, job: Job) -> None:
    """Counts a job that has ended."""
    strategy = str(job.spec.strategy)
    tally.count(JOBS, (strategy, str(job.state)))
    if job.ended_at is not None:
        tally.observe(JOB_SECONDS, (strategy,), (job.ended_at - job.begun_at).total_seconds())
    if isinstance(job.outcome, Completed):
        verdict = job.outcome.verdict
        if verdict.confidence is not None:
            tally.observe(CONFIDENCE, (strategy,), verdict.confidence)
        if verdict.needs_review:
            tally.count(REVIEWS, (strategy,))
