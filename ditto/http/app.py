"""The application: each route of the wire contract as one short handler over the service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Lifespan
from starlette.websockets import WebSocket

from ditto.domain import view
from ditto.domain.job import Job
from ditto.domain.remerging import parse_feedback, parse_remerge
from ditto.domain.request import Request as Asked
from ditto.domain.request import parse
from ditto.domain.tenants import DEFAULT
from ditto.errors import BadRequest, Forbidden, NotFound, ServiceError, Unavailable
from ditto.http import batch_leases, bodies, event_socket, hang_up, heads, openapi, prometheus, queries, routing
from ditto.http.door import Door, door_of
from ditto.http.event_socket import EventSocket
from ditto.http.event_stream import EventStream, resumes_after
from ditto.http.gate import Gate, shown_key
from ditto.http.guard import Guard
from ditto.http.limits import Limits
from ditto.http.openai import described
from ditto.http.openai import routes as openai_routes
from ditto.http.openai.models import Models
from ditto.http.pages import docs_page, playground_page
from ditto.http.responses import Json
from ditto.runtime.service import ServicePort
from ditto.settings import Settings
from ditto.version import VERSION

_ID = re.compile(r"[\w-]{1,64}", re.ASCII)

ServiceFactory = Callable[[], Awaitable[ServicePort]]
"""Opens the service when the application starts; the application closes it when it stops."""


class Application(Starlette):
    """The routes of all doors and what stands in front of them.

    Args:
        lifespan: Opens the door and closes it.
    """

    def __init__(self, lifespan: Lifespan[Application], limits: Limits, settings: Settings) -> None:
        self._described = [*_router.routes, *openai_routes.router.routes, *batch_leases.router.routes]
        super().__init__(routes=routing.served(self._described), lifespan=lifespan)
        self.router.redirect_slashes = False
        self._limits = limits
        self._origins = settings.cors_origins
        self._document: dict[str, Any] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """Returns the way of a request; what Starlette's own two layers do, the guard does."""
        app: ASGIApp = Guard(Gate(self.router, self._limits.linger_s), self._limits.linger_s)
        if self._origins:
            app = heads.allowing(app, self._origins)
        return heads.Heads(app, self._limits.head_bytes)

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document."""
        if self._document is None:
            self._document = openapi.document(
                "Ditto",
                VERSION,
                self._described,
                more=[*described.OPERATIONS, batch_leases.LEASE],
                more_schemas=described.schemas(),
            )
        return self._document


def build(service_factory: ServiceFactory, *, limits: Limits, settings: Settings) -> Application:
    """Returns the application; the service is opened when it starts.

    Args:
        settings: Those of the service: they name the ensembles and models that OpenAI's clients are shown.
    """
    models = Models(settings)

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        service = await service_factory()
        try:
            async with hang_up.Background() as background:
                app.state.door = Door(
                    service=service,
                    limits=limits,
                    background=background,
                    models=models,
                    origins=frozenset(settings.cors_origins),
                )
                yield
        finally:
            await service.close()

    return Application(lifespan, limits, settings)


_router = APIRouter()


@_router.post("/llm", **openapi.ASK)
async def ask(request: Request) -> Response:
    """Asks all models, waits, and returns the merged answer."""
    asked, door = await _asked(request), door_of(request)
    job = await hang_up.ask(door.service, asked, request.receive, door.background, door.limits.listens_after_s)
    failure = view.error(job)
    if failure is not None:
        raise failure
    return Json(view.render(job))


@_router.post("/jobs", **openapi.SUBMIT)
async def submit(request: Request) -> Response:
    """Accepts a job and returns at once."""
    asked, door = await _asked(request), door_of(request)
    submitted = await asyncio.shield(door.background.start(door.service.submit(asked, live=True)))
    return _placed(request, submitted.job, 202 if submitted.created else 200)


@_router.get("/jobs", **openapi.JOBS)
async def jobs(request: Request) -> Response:
    """Lists jobs, newest first."""
    query = queries.read(queries.JobsQuery, request.query_params)
    page = await door_of(request).service.list(
        state=query.state,
        needs_review=query.needs_review,
        metadata=query.metadata or None,
        limit=query.limit,
        cursor=query.cursor,
    )
    return Json({"jobs": [view.render(job) for job in page.jobs], "cursor": page.cursor})


@_router.get("/jobs/{job_id}", **openapi.JOB)
async def job(request: Request) -> Response:
    """Returns the job as it stands, or with `wait` once it has ended or that time has passed."""
    query = queries.read(queries.JobQuery, request.query_params)
    service, job_id = door_of(request).service, _job_id(request)
    found = await (service.wait(job_id, query.wait / 1000) if query.wait else service.get(job_id))
    return Json(view.render(found))


@_router.post("/jobs/{job_id}/cancel", **openapi.CANCEL)
async def cancel(request: Request) -> Response:
    """Stops the job; harmless on one that has ended."""
    queries.check_none(request)
    door = door_of(request)
    cancelling = door.background.start(door.service.cancel(_job_id(request)))
    return Json(view.render(await asyncio.shield(cancelling)))


@_router.post("/jobs/{job_id}/retry", **openapi.RETRY)
async def retry(request: Request) -> Response:
    """Asks the models that failed again and keeps the replies that came.

    A complete job of which no model failed is returned as it is.
    """
    queries.check_none(request)
    door = door_of(request)
    retried = await asyncio.shield(door.background.start(door.service.retry(_job_id(request))))
    return _placed(request, retried, 200 if retried.state.ended else 202)


@_router.post("/jobs/{job_id}/merge", **openapi.MERGE)
async def merge(request: Request) -> Response:
    """Merges the replies that a complete job has anew: other weights, another schema or kind of answer, newer skills.

    No model is asked. The new verdict is the last of the job's `merges`; its own `result` and `structured` stay.
    """
    queries.check_none(request)
    door = door_of(request)
    wanted = await bodies.off_loop(request, parse_remerge, await bodies.read_json(request, door.limits))
    return Json(view.render(await asyncio.shield(door.background.start(door.service.merge(_job_id(request), wanted)))))


@_router.post("/jobs/{job_id}/feedback", **openapi.FEEDBACK)
async def feedback(request: Request) -> Response:
    """Keeps what somebody who knows says of a complete job's result; the last word counts."""
    queries.check_none(request)
    door = door_of(request)
    said = parse_feedback(await bodies.read_json(request, door.limits))
    return Json(view.render(await asyncio.shield(door.background.start(door.service.feedback(_job_id(request), said)))))


@_router.delete("/jobs/{job_id}", **openapi.FORGET)
async def forget(request: Request) -> Response:
    """Forgets a job that has ended, with its journal and its result; its idempotency key is free again."""
    queries.check_none(request)
    door = door_of(request)
    await asyncio.shield(door.background.start(door.service.forget(_job_id(request))))
    return Response(status_code=204)


@_router.get("/jobs/{job_id}/events", **openapi.EVENTS)
async def events(request: Request) -> Response:
    """Streams the job's journal as it is written, and its replies while they are.

    What is not journalled has no id: `call.delta` (a piece of a reply; with `start` 0 it begins the text, or begins it
    anew), `call.retried` and `verdict.leading`. A stream that is opened or resumed later gets the text so far and goes
    on from there. Replies are streamed for jobs that were submitted by `POST /jobs`, by providers that can do so.

    After the last event of a job that has ended comes 204, which tells a browser not to connect again. Where the job
    is retried, later events come all the same.
    """
    query = queries.read(queries.EventsQuery, request.query_params)
    after = resumes_after(request, query.after)
    door = door_of(request)
    found = await door.service.get(_job_id(request))
    if found.state.ended and after >= found.seq:
        return Response(status_code=204)
    return EventStream(found.id, door.service.events(found.id, after), door.limits)


@_router.get("/jobs/{job_id}/ws", **openapi.FOLLOW)
async def no_socket(request: Request) -> Response:
    """Follows the job over a WebSocket: one message for each event, the JSON that the event stream has as `data`.

    In a pause comes `{"kind": "heartbeat"}`. The client may say `{"type": "cancel"}`, which cancels the job, and
    nothing else. After the last event of a job that has ended the connection is closed with 1000. What is wrong is
    told by `{"error": …}` and a close code of 4000 and the HTTP status: 4400, 4401, 4403 (a page of another origin),
    4404, 4413, 4429, 4500, 4503. A reader that takes nothing for a minute is let go; `after` goes on where it stopped.
    """
    raise BadRequest("this is a WebSocket: connect with ws:// or wss://")


@_router.websocket("/jobs/{job_id}/ws")
async def follow(socket: WebSocket) -> None:
    """Tells the job's journal as it is written, and cancels the job where the client says so."""
    await socket.accept()
    try:
        event_socket.check_origin(socket, door_of(socket).origins)
        query = queries.read(queries.EventsQuery, socket.query_params)
        await EventSocket(socket, door_of(socket), _job_id(socket), query.after).tell()
        await event_socket.close(socket, event_socket.ENDED, "the job has ended")
    except Exception as error:  # noqa: BLE001  # whatever it is, here the client can still be told
        await event_socket.refuse(socket, error)


@_router.get("/healthz", **openapi.HEALTH)
async def healthz(request: Request) -> Response:
    """Says that the process is alive."""
    return Json({"status": "alive"})


@_router.get("/readyz", **openapi.READY)
async def readyz(request: Request) -> Response:
    """Says that the service can take jobs, or why it cannot; where a key is needed, why is told to who has one."""
    door = door_of(request)
    try:
        async with asyncio.timeout(door.limits.ready_s):
            await door.service.ready()
    except TimeoutError:
        raise Unavailable(f"the service did not say within {door.limits.ready_s:g} s whether it is ready") from None
    except Unavailable:
        try:
            await door.service.admit(shown_key(request.scope))
        except ServiceError:
            raise Unavailable("the service is not ready; who asks with a key is told why") from None
        raise
    return Json({"status": "ready"})


@_router.get("/metrics", **openapi.METRICS)
async def metrics(request: Request) -> Response:
    """Tells what all of Ditto's actors have counted, for Prometheus; `actor` names which one.

    A process that is begun anew counts from nought. `ditto_up` is 0 for an actor that did not answer. What is counted
    is all tenants' together, so it is for who runs the service: a key of the tenant `default`.
    """
    service = door_of(request).service
    if service.tenant.name != DEFAULT:
        raise Forbidden(f"what all tenants do is shown to the tenant {DEFAULT} alone")
    counted = await service.counted()
    return Response(prometheus.exposition(counted), media_type=prometheus.MEDIA_TYPE)


@_router.get("/", include_in_schema=False)
async def playground(request: Request) -> Response:
    """Returns the page on which a question is asked in a browser."""
    return playground_page()


@_router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Returns the readable form of the OpenAPI document; it needs no other host."""
    return docs_page()


@_router.get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request) -> Response:
    """Returns the OpenAPI document."""
    return Json(cast(Application, request.app).openapi())


def _placed(request: Request, job: Job, status: int) -> Response:
    """Returns the job, and where it is to be found."""
    return Json(view.render(job), status, {"location": f"{request.scope.get('root_path', '')}/jobs/{job.id}"})


def _job_id(connection: HTTPConnection) -> str:
    job_id: str = connection.path_params["job_id"]
    if not _ID.fullmatch(job_id):
        raise NotFound("there is no such job")
    return job_id


async def _asked(request: Request) -> Asked:
    queries.check_none(request)
    body = await bodies.read_json(request, door_of(request).limits)
    return await bodies.off_loop(request, parse, bodies.with_key(body, heads.said(request.scope, b"idempotency-key")))
