"""OpenAI's routes, each one short handler over the service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ditto.domain import view
from ditto.domain.job import Job
from ditto.domain.spec import JSON
from ditto.errors import Forbidden
from ditto.http import bodies, hang_up, queries
from ditto.http.door import Door, door_of
from ditto.http.openai import described
from ditto.http.openai.asked import Asked, read
from ditto.http.openai.chat_answer import Chunks, completion
from ditto.http.openai.chat_request import ChatRequest
from ditto.http.openai.models import Panel
from ditto.http.openai.responses_answer import Events, response
from ditto.http.openai.responses_request import ResponsesRequest
from ditto.http.openai.stream import AnswerStream
from ditto.http.responses import JOB_ID, Json

router = APIRouter()


@router.post("/v1/chat/completions", **described.CHAT)
async def create_chat_completion(request: Request) -> Response:
    """Asks a panel as if it were a model; `ditto` in the answer is the job.

    Without an idempotency key the job is cancelled when the client hangs up.
    """
    door = door_of(request)
    body = await bodies.off_loop(request, read, ChatRequest, await _body(request))
    asked = await bodies.off_loop(request, body.asked, door.models, request.headers.get("idempotency-key"))
    if body.stream:
        usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        return AnswerStream(asked, door, Chunks(body.model, usage=usage))
    job = await _answered(request, door, asked)
    return Json(completion(job, body.model), headers={JOB_ID: job.id})


@router.post("/v1/responses", **described.RESPONSES)
async def create_response(request: Request) -> Response:
    """Asks a panel as if it were a model, for text; `ditto` in the answer is the job.

    Nothing is stored under the response's id. Without an idempotency key the job is cancelled when the client hangs up.
    """
    door = door_of(request)
    body = await bodies.off_loop(request, read, ResponsesRequest, await _body(request))
    asked = await bodies.off_loop(request, body.asked, door.models, request.headers.get("idempotency-key"))
    if body.stream:
        return AnswerStream(asked, door, Events(body))
    job = await _answered(request, door, asked)
    return Json(response(job, body), headers={JOB_ID: job.id})


@router.get("/v1/models", **described.MODELS)
async def list_models(request: Request) -> Response:
    """Lists the ensembles, and the models that the settings name, of those that the tenant may ask.

    More can be asked than are listed: any model of a provider whose models are not listed in the settings, and
    `ditto/<strategy>:<model>,<model>`.
    """
    queries.check_none(request)
    door = door_of(request)
    panels = door.models.listed(door.service.tenant.allowance)
    return Json({"object": "list", "data": [_model(panel) for panel in panels]})


@router.get("/v1/models/{model:path}", **described.MODEL)
async def retrieve_model(request: Request) -> Response:
    """Returns a model that can be asked, listed or not."""
    queries.check_none(request)
    door = door_of(request)
    panel = door.models.panel(request.path_params["model"])
    if not all(map(door.service.tenant.allowance.permits, panel.models)):
        raise Forbidden(f"this key may not ask {panel.name}", [{"path": "model", "message": "may not be asked"}])
    return Json(_model(panel))


def _model(panel: Panel) -> dict[str, Any]:
    return {
        "id": panel.name,
        "object": "model",
        "created": 0,  # the contract wants a moment, and a model of the settings has none
        "owned_by": panel.owner,
        "ditto": {"models": list(panel.models), "strategy": str(panel.strategy)},
    }


async def _body(request: Request) -> JSON:
    queries.check_none(request)
    return await bodies.read_json(request, door_of(request).limits)


async def _answered(request: Request, door: Door, asked: Asked) -> Job:
    limits = door.limits
    job = await hang_up.ask(door.service, asked.request, request.receive, door.background, limits.listens_after_s)
    failure = view.error(job)
    if failure is not None:
        raise failure
    return job
