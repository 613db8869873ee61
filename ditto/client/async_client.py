"""The asynchronous client: the one implementation of all verbs, over a server or over an attached cluster.

The signatures of `ask` and `submit` are packed, since their three overloads differ in `schema` alone.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from typing_extensions import TypeForm

from ditto.client import asking
from ditto.client.asking import Answer, ChatMessage, OnDisconnect, Place, Settle, Strategy
from ditto.client.async_job import AsyncJob
from ditto.client.backend import Backend, JobPage
from ditto.client.job_event import JobEvent
from ditto.client.typed_result import typed_result
from ditto.domain.job import JobState
from ditto.domain.view import JobView

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
API_KEY_ENV = "DITTO_API_KEY"


class AsyncDitto:
    """A client of one service.

    Args:
        url: The server's address; None: what `DITTO_URL` names, else `http://127.0.0.1:8000`.
        api_key: A key that `ditto keys create` has made; None: what `DITTO_API_KEY` holds, else none is shown.

    Raises:
        ConfigurationError: That is no HTTP address, or no key.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        from ditto.client.http_backend import HttpBackend  # not before it is needed: it loads an HTTP client

        api_key = api_key or os.environ.get(API_KEY_ENV) or None
        self._backend: Backend = HttpBackend(url or os.environ.get("DITTO_URL") or DEFAULT_URL, api_key)

    @classmethod
    async def connect(cls, address: str | None = None) -> Self:
        """Returns a client of the service in a Ray cluster, which this process joins.

        Args:
            address: Ray's address; None: what `RAY_ADDRESS` names, or the cluster that runs on this machine, else a
                new one that ends with this process.

        Raises:
            ConfigurationError: There is no such cluster, or its settings are wrong.
        """
        from ditto.client import cluster_backend  # not before it is needed: it loads Ray

        return cls.over(await cluster_backend.attach(address))

    @classmethod
    def over(cls, backend: Backend) -> Self:
        """Returns a client of the service behind this backend."""
        client = cls.__new__(cls)
        client._backend = backend
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # fmt: off
    @overload
    async def ask(
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
    async def ask(
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
    async def ask(
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

    async def ask(
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
        """Returns the completed job, its `result` the merged answer.

        Args:
            prompt: The question; or `messages`, a conversation that ends with a user's message.
            schema: What the result must be: a JSON Schema, or a type that pydantic can make one of (a model class,
                `list[Model]`, `Literal[...]`, `bool`), whose instance `result` then is. None: text.
            models: Who is asked; or `ensemble`, a configured list of models. None: the default ensemble.
            strategy: `consensus` (a vote, the default) or `cooperative` (each builds on the answers before).
            answer: What kind of answer is compared, or the allowed answers. None: read from question and panel.
            samples: Calls per model.
            weights: How much a model's reply counts, by its name; 1 where not given, 0: asked, not counted.
            settle: When to stop waiting: for `all`, once the answer is `decided` whatever the others say, or once its
                confidence is high enough, `{"confident": 0.95}`. What is not waited for is cancelled.
            judge: The model that is asked where the vote cannot decide.
            min_responses: Fewer usable replies fail the job.
            max_retries: Tries again per model.
            timeout_s: For one model: all its tries, pauses and re-asks together.
            grace_s: Once `min_responses` have answered, how long the others are waited for.
            deadline_s: For the job; what has arrived by then is merged, if it is enough.
            metadata: Kept with the job and searchable.
            placement: An actor of the job's own (`dedicated`), a host (`shared`), or what there is (`auto`).
            on_disconnect: `cancel`: the job ends when this call is given up. By default it goes on.
            idempotency_key: The same key and the same question is the same job. None: one of this call's own.

        What is None is left to the service's settings; `temperature` to `system` are passed on to the providers.

        Raises:
            BadRequest: Arguments are wrong; `details` lists each under its name on the wire. Nothing was started.
            JobError: Too few models gave a usable answer; `details` has one entry per model.
            DeadlineExceeded: The deadline passed before that.
            JobCancelled: Somebody cancelled the job.
            ResultInvalid: The type's own validators refuse the merged value.
            CrashLoop: The job killed every process that took it up.
            RateLimited: The service is full, and was so for `deadline_s`, or for a minute where that is not given.
            Unavailable: It takes no jobs, likewise; or it cannot be reached, and could not for a minute.
        """
        wanted = typed_result(schema)
        asked = asking.request(
            prompt=prompt, schema=wanted.schema,
            messages=messages, models=models, ensemble=ensemble, strategy=strategy, answer=answer,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, system=system,
            samples=samples, weights=weights, settle=settle, judge=judge,
            min_responses=min_responses, max_retries=max_retries, timeout_s=timeout_s,
            grace_s=grace_s, deadline_s=deadline_s, metadata=metadata, placement=placement, on_disconnect=on_disconnect,
            idempotency_key=idempotency_key,
        )
        return wanted.read(await self._backend.ask(asked))

    @overload
    async def submit(
        self, prompt: str | None = None, *, schema: None = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> AsyncJob[str]: ...

    @overload
    async def submit(
        self, prompt: str | None = None, *, schema: TypeForm[T],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> AsyncJob[T]: ...

    @overload
    async def submit(
        self, prompt: str | None = None, *, schema: dict[str, Any],
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> AsyncJob[Any]: ...

    async def submit(
        self, prompt: str | None = None, *, schema: Any = None,
        messages: list[ChatMessage] | None = None, models: list[str] | None = None, ensemble: str | None = None,
        strategy: Strategy | None = None, answer: Answer | None = None, temperature: float | None = None,
        top_p: float | None = None, max_tokens: int | None = None, stop: list[str] | None = None,
        seed: int | None = None, system: str | None = None, samples: int | None = None,
        weights: dict[str, float] | None = None, settle: Settle | None = None, judge: str | None = None,
        min_responses: int | None = None, max_retries: int | None = None,
        timeout_s: float | None = None, grace_s: float | None = None, deadline_s: float | None = None,
        metadata: dict[str, Any] | None = None, placement: Place | None = None, idempotency_key: str | None = None,
    ) -> AsyncJob[Any]:
        """Returns a handle on the job once the service has promised it; arguments as in `ask`.

        Raises:
            BadRequest: Arguments are wrong; `details` lists each under its name on the wire. Nothing was started.
            RateLimited, Unavailable: As in `ask`.
        """
        wanted = typed_result(schema)
        asked = asking.request(
            prompt=prompt, schema=wanted.schema,
            messages=messages, models=models, ensemble=ensemble, strategy=strategy, answer=answer,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, system=system,
            samples=samples, weights=weights, settle=settle, judge=judge,
            min_responses=min_responses, max_retries=max_retries, timeout_s=timeout_s,
            grace_s=grace_s, deadline_s=deadline_s, metadata=metadata, placement=placement,
            idempotency_key=idempotency_key,
        )
        view = await self._backend.submit(asked)
        return AsyncJob(view.job_id, self._backend, wanted)
    # fmt: on

    @overload
    def job(self, job_id: str, *, schema: None = None) -> AsyncJob[Any]: ...

    @overload
    def job(self, job_id: str, *, schema: TypeForm[T]) -> AsyncJob[T]: ...

    def job(self, job_id: str, *, schema: Any = None) -> AsyncJob[Any]:
        """Returns a handle on a job; its result is read as `schema`, the type it was asked with, None: as it is.

        Raises:
            BadRequest: That is no type that results can have.
        """
        return AsyncJob(job_id, self._backend, typed_result(schema))

    async def get(self, job_id: str) -> JobView[Any]:
        """Returns the job as it stands.

        Raises:
            NotFound: There is no such job.
        """
        return await self._backend.get(job_id)

    async def wait(self, job_id: str, timeout_s: float | None = None) -> JobView[Any]:
        """Returns the job when it has ended, however it ended, or as it stands after `timeout_s`.

        Raises:
            NotFound: There is no such job.
        """
        return await self._backend.wait(job_id, timeout_s)

    def events(self, job_id: str, after: int = 0) -> AsyncIterator[JobEvent]:
        """Yields the job's events after number `after` as they come, until it has ended.

        Replies come as `CallDelta` while they are written. After a lost connection no number and no word comes twice.
        """
        return self._backend.events(job_id, after)

    async def cancel(self, job_id: str) -> JobView[Any]:
        """Stops the job and returns it; harmless on one that has ended.

        Raises:
            NotFound: There is no such job.
        """
        return await self._backend.cancel(job_id)

    async def retry(self, job_id: str) -> JobView[Any]:
        """Has the models that failed asked again and returns the job, which then runs; the replies that came stay.

        A complete job of which no model failed is returned as it is.

        Raises:
            NotFound: There is no such job.
            Conflict: It runs, or was cancelled.
            RateLimited: The service is full.
        """
        return await self._backend.retry(job_id)

    async def merge(
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
        given = {"weights": weights, "schema": schema, "answer": answer}
        return await self._backend.merge(job_id, {name: value for name, value in given.items() if value is not None})

    async def feedback(self, job_id: str, *, correct: bool | None = None, answer: Any = None) -> JobView[Any]:
        """Tells whether a complete job's result is right, or what is, and returns the job; the last word counts.

        Raises:
            BadRequest: Neither is given, or both are.
            NotFound: There is no such job.
            Conflict: It is not complete.
        """
        given = {"correct": correct, "answer": answer}
        return await self._backend.feedback(job_id, {name: value for name, value in given.items() if value is not None})

    async def delete(self, job_id: str) -> None:
        """Has the service forget a job, its journal and its result; its idempotency key is free again.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended.
        """
        await self._backend.delete(job_id)

    async def jobs(
        self,
        *,
        state: JobState | None = None,
        needs_review: bool | None = None,
        metadata: dict[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Returns jobs, newest first, that meet all conditions; `cursor` of one page asks for the next."""
        return await self._backend.list(
            state=state, needs_review=needs_review, metadata=metadata or {}, limit=limit, cursor=cursor
        )

    async def close(self) -> None:
        """Gives up the connection; jobs go on."""
        await self._backend.close()
