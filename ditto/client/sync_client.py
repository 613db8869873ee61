"""The blocking client: each verb runs its asynchronous twin on an event loop of its own.

The signatures of `ask` and `submit` are packed, since their three overloads differ in `schema` alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from typing_extensions import TypeForm

from ditto.client.asking import Answer, ChatMessage, OnDisconnect, Place, Settle, Strategy
from ditto.client.async_client import AsyncDitto
from ditto.client.backend import Backend, JobPage
from ditto.client.job import Job
from ditto.client.job_event import JobEvent
from ditto.client.portal import Portal
from ditto.domain.job import JobState
from ditto.domain.view import JobView

T = TypeVar("T")


class Ditto:
    """A client of one service.

    Args:
        url: The server's address; None: what `DITTO_URL` names, else `http://127.0.0.1:8000`.
        api_key: A key that `ditto keys create` has made; None: what `DITTO_API_KEY` holds, else none is shown.

    Raises:
        ConfigurationError: That is no HTTP address, or no key.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        self._client = AsyncDitto(url, api_key)
        self._portal = Portal()

    @classmethod
    def connect(cls, address: str | None = None) -> Self:
        """Returns a client of the service in a Ray cluster, which this process joins.

        Args:
            address: Ray's address; None: what `RAY_ADDRESS` names, or the cluster that runs on this machine, else a
                new one that ends with this process.

        Raises:
            ConfigurationError: There is no such cluster, or its settings are wrong.
        """
        return cls._opened(lambda: AsyncDitto.connect(address))

    @classmethod
    def over(cls, backend: Backend) -> Self:
        """Returns a client of the service behind this backend."""

        async def opened() -> AsyncDitto:
            return AsyncDitto.over(backend)

        return cls._opened(opened)

    @classmethod
    def _opened(cls, opening: Callable[[], Awaitable[AsyncDitto]]) -> Self:
        portal = Portal()
        try:
            client = portal.run(opening)
        except BaseException:  # raised on; only the portal's thread must not stay
            portal.close()
            raise
        opened = cls.__new__(cls)
        opened._client, opened._portal = client, portal
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # fmt: off
    @overload
    def ask(
        self, prompt: str | None = None, *, schema: None = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None,
        on_disconnect: OnDisconnect | None = None, idempotency_key: str | None = None,
    ) -> JobView[str]: ...

    @overload
    def ask(
        self, prompt: str | None = None, *, schema: TypeForm[T],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None,
        on_disconnect: OnDisconnect | None = None, idempotency_key: str | None = None,
    ) -> JobView[T]: ...

    @overload
    def ask(
        self, prompt: str | None = None, *, schema: dict[str, Any],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None,
        on_disconnect: OnDisconnect | None = None, idempotency_key: str | None = None,
    ) -> JobView[Any]: ...

    def ask(
        self, prompt: str | None = None, *, schema: Any = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None,
        on_disconnect: OnDisconnect | None = None, idempotency_key: str | None = None,
    ) -> JobView[Any]:
        """Returns the completed job, its `result` the merged answer; arguments and errors as in `AsyncDitto.ask`."""
        return self._portal.run(lambda: self._client.ask(
            prompt, schema=schema,
            messages=messages, models=models, ensemble=ensemble, strategy=strategy, answer=answer,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, system=system,
            samples=samples, weights=weights, settle=settle, judge=judge,
            min_responses=min_responses, max_retries=max_retries, timeout_s=timeout_s,
            grace_s=grace_s, deadline_s=deadline_s, metadata=metadata, placement=placement, on_disconnect=on_disconnect,
            idempotency_key=idempotency_key,
        ))

    @overload
    def submit(
        self, prompt: str | None = None, *, schema: None = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> Job[str]: ...

    @overload
    def submit(
        self, prompt: str | None = None, *, schema: TypeForm[T],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> Job[T]: ...

    @overload
    def submit(
        self, prompt: str | None = None, *, schema: dict[str, Any],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> Job[Any]: ...

    def submit(
        self, prompt: str | None = None, *, schema: Any = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> Job[Any]:
        """Returns a handle on the job once the service has promised it; arguments as in `ask`.

        Raises:
            BadRequest: Arguments are wrong; `details` lists each under its name on the wire. Nothing was started.
            RateLimited, Unavailable: As in `ask`.
        """
        job = self._portal.run(lambda: self._client.submit(
            prompt, schema=schema,
            messages=messages, models=models, ensemble=ensemble, strategy=strategy, answer=answer,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, system=system,
            samples=samples, weights=weights, settle=settle, judge=judge,
            min_responses=min_responses, max_retries=max_retries, timeout_s=timeout_s,
            grace_s=grace_s, deadline_s=deadline_s, metadata=metadata, placement=placement,
            idempotency_key=idempotency_key,
        ))
        return Job(job, self._portal)
    # fmt: on

    @overload
    def job(self, job_id: str, *, schema: None = None) -> Job[Any]: ...

    @overload
    def job(self, job_id: str, *, schema: TypeForm[T]) -> Job[T]: ...

    def job(self, job_id: str, *, schema: Any = None) -> Job[Any]:
        """Returns a handle on a job; its result is read as `schema`, the type it was asked with, None: as it is.

        Raises:
            BadRequest: That is no type that results can have.
        """
        return Job(self._client.job(job_id, schema=schema), self._portal)

    def get(self, job_id: str) -> JobView[Any]:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
        """
        return self._portal.run(lambda: self._client.get(job_id))

    def wait(self, job_id: str, timeout_s: float | None = None) -> JobView[Any]:
        """Returns the job when it has ended, however it ended, or as it stands after `timeout_s`.

        Raises:
            NotFound: There is no such job.
        """
        return self._portal.run(lambda: self._client.wait(job_id, timeout_s))

    def events(self, job_id: str, after: int = 0) -> Iterator[JobEvent]:
        """Yields the job's events after number `after` as they come, until it has ended.

        Replies come as `CallDelta` while they are written. After a lost connection no number and no word comes twice.
        """
        return self._portal.iterate(self._client.events(job_id, after))

    def cancel(self, job_id: str) -> JobView[Any]:
        """Stops the job and returns it; harmless on one that has ended.

        Raises:
            NotFound: There is no such job.
        """
        return self._portal.run(lambda: self._client.cancel(job_id))

    def retry(self, job_id: str) -> JobView[Any]:
        """Has the models that failed asked again and returns the job, which then runs; the replies that came stay.

        A complete job of which no model failed is returned as it is.

        Raises:
            NotFound: There is no such job.
            Conflict: It runs, or was cancelled.
            RateLimited: The service is full.
        """
        return self._portal.run(lambda: self._client.retry(job_id))

    def merge(
        self,
        job_id: str,
        *,
        weights: dict[str, float] | None = None,
        schema: dict[str, Any] | None = None,
        answer: str | list[str] | None = None,
    ) -> JobView[Any]:
        """Merges the replies of a complete job anew and returns it; the new verdict is the last of its `merges`.

        No model is asked, and the job's own result stays. What is None is as the job has it.

        Args:
            weights: By the model's name; one that is not named counts 1.
            schema: JSON Schema of the new result; `{}`: text.
            answer: The kind of answer that is compared, or the allowed answers.

        Raises:
            NotFound: There is no such job.
            Conflict: It is not complete, or no reply satisfies the schema.
        """
        return self._portal.run(lambda: self._client.merge(job_id, weights=weights, schema=schema, answer=answer))

    def feedback(self, job_id: str, *, correct: bool | None = None, answer: Any = None) -> JobView[Any]:
        """Tells whether a complete job's result is right, or what is, and returns the job; the last word counts.

        Raises:
            BadRequest: Neither is given, or both are.
            NotFound: There is no such job.
            Conflict: It is not complete.
        """
        return self._portal.run(lambda: self._client.feedback(job_id, correct=correct, answer=answer))

    def delete(self, job_id: str) -> None:
        """Has the service forget a job, its journal and its result; its idempotency key is free again.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended.
        """
        self._portal.run(lambda: self._client.delete(job_id))

    def jobs(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: dict[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Returns jobs, newest first, that meet all conditions; `cursor` of one page asks for the next."""
        return self._portal.run(
            lambda: self._client.jobs(
                state=state, needs_review=needs_review, metadata=metadata, limit=limit, cursor=cursor
            )
        )

    def close(self) -> None:
        """Gives up the connection and ends the client's thread; jobs go on. Harmless when closed."""
        if self._portal.open:
            self._portal.run(self._client.close)
            self._portal.close()


def connect(address: str | None = None) -> Ditto:
    """Returns a client of the service in a Ray cluster, which this process joins.

    Args:
        address: Ray's address; None: what `RAY_ADDRESS` names, or the cluster that runs on this machine, else a
                new one that ends with this process.

    Raises:
        ConfigurationError: There is no such cluster, or its settings are wrong.
    """
    return Ditto.connect(address)
