"""The routes as OpenAPI tells them: what each takes, each status it can answer, and an example of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from ditto.domain.request import Request
from ditto.domain.spec import JSON
from ditto.http import examples, queries
from ditto.http.responses import Json
from ditto.http.shapes import ErrorResponse, HealthResponse, JobResponse, JobsResponse

REFS = "#/components/schemas/{model}"
_GIVEN = {"not": {"type": "null"}}
_JOB_ID = {
    "name": "job_id",
    "in": "path",
    "required": True,
    "description": "The job's id, as `jobId` names it.",
    "schema": {"type": "string"},
    "example": examples.JOB["jobId"],
}
_SCHEME = "key"
_KEYS = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key that `ditto keys create` has made. Needed once there is one, and wherever other machines "
    "reach the service; jobs and idempotency keys belong to its tenant.",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and the same request is the same job. May also be given as `idempotencyKey`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The number of the last event seen; counts more than `after`, unless it is empty.",
    "schema": {"type": "string", "pattern": "^[0-9]{0,15}$"},
}
_METADATA = {
    "name": "metadata",
    "in": "query",
    "required": False,
    "description": "Given as `metadata.key=value`, any number of them: jobs whose metadata holds these values.",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "propertyNames": {"pattern": r"^metadata\..+$"},
        "additionalProperties": {"type": "string"},
    },
}
EVENT_SHAPE = {
    "type": "object",
    "description": "One event; a stream is any number of them.",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
MEANINGS = {
    202: "The job has been accepted; `Location` names it.",
    400: "The body is no JSON, or fields are wrong: `details` lists every one with its path.",
    401: "A key is needed, and none was shown that opens.",
    403: "This key may not do this: `details` names the models that it may not ask.",
    404: "There is no such job, or it is another tenant's.",
    408: "The body did not arrive in time.",
    409: "The job was cancelled while it was waited for.",
    413: "The body is above 16 MiB, or holds more than 100000 values.",
    415: "The body is not declared as JSON.",
    422: "The idempotency key was used with another request; `details` names the fields that differ.",
    429: "Above the caller's limit, or the service is full; `Retry-After` says when to ask again.",
    500: "Our fault; the message names the id under which it is logged. `CrashLoop`: the job killed all that held it.",
    502: "The models failed; `details` has one entry per model.",
    503: "The store is down, or the service is draining: the message says which; `Retry-After` when to ask again.",
    504: "The deadline passed with fewer than `minResponses` answers.",
}


def document(
    title: str,
    version: str,
    routes: Sequence[BaseRoute],
    *,
    more: Iterable[dict[str, Any]],
    more_schemas: Mapping[str, Any],
) -> dict[str, Any]:
    """Returns the OpenAPI document of these routes.

    Args:
        more: What routes say of themselves that do not stand here.
        more_schemas: What their bodies refer to, besides Ditto's own request.
    """
    described = get_openapi(
        title=title,
        version=version,
        summary="Asks several language models at once and merges what they say into one typed answer.",
        routes=routes,
    )
    _restore(described, [*OPERATIONS, *more])
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({**_request_schemas(), **more_schemas})
    described["components"]["schemas"] = dict(sorted(schemas.items()))
    described["components"]["securitySchemes"] = {_SCHEME: _KEYS}
    return described


def _restore(described: dict[str, Any], operations: Iterable[dict[str, Any]]) -> None:
    """Mends what FastAPI does to answers: it leaves out nulls in examples, and adds JSON to a stream of events."""
    given = {operation["operation_id"]: operation["responses"] for operation in operations}
    for methods in described["paths"].values():
        for told in methods.values():
            for status, answer in given.get(told["operationId"], {}).items():
                shown = told["responses"][str(status)].get("content", {})
                for media_type in list(shown):
                    if media_type in answer["content"]:
                        shown[media_type]["example"] = answer["content"][media_type]["example"]
                    else:
                        del shown[media_type]


def _request_schemas() -> dict[str, Any]:
    """Returns the request and what it refers to; null is taken for absent everywhere."""
    whole = Request.model_json_schema(ref_template=REFS)
    parts: dict[str, Any] = whole.pop("$defs")
    properties = {name: _property(name, shape) for name, shape in whole["properties"].items()}
    properties["prompt"] = {"type": ["string", "null"], "pattern": r"\S", "description": examples.FIELDS["prompt"]}
    both = {"required": ["models", "ensemble"], "properties": {"models": _GIVEN, "ensemble": _GIVEN}}
    request = {
        "type": "object",
        "description": whole["description"],
        "properties": properties,
        "additionalProperties": False,
        "oneOf": [{"required": [name], "properties": {name: _GIVEN}} for name in ("prompt", "messages")],
        "not": both,
    }
    return {**parts, "Request": request}


def _property(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in shape.items() if key not in ("title", "default")}
    return {**kept, "description": examples.FIELDS[name]}


def operation(
    operation_id: str,
    summary: str,
    tag: str,
    *,
    answers: dict[int | str, dict[str, Any]],
    parameters: Iterable[dict[str, Any]] = (),
    body: dict[str, Any] | None = None,
    is_open: bool = False,
) -> dict[str, Any]:
    """Returns what a route says of itself, as FastAPI takes it.

    Args:
        answers: By status, a successful one first.
        body: The JSON that it takes: `schema` and `examples`.
        is_open: It never needs a key.
    """
    security: list[dict[str, Any]] = [] if is_open else [{_SCHEME: []}, {}]
    extra: dict[str, Any] = {"parameters": list(parameters), "security": security}
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": body}}
    return {
        "operation_id": operation_id,
        "summary": summary,
        "tags": [tag],
        "status_code": int(next(iter(answers))),
        "response_class": Json,
        "responses": answers,
        "openapi_extra": extra,
    }


def success(description: str, model: type, example: JSON) -> dict[str, Any]:
    """Returns an answer in JSON."""
    return {"description": description, "model": model, "content": {"application/json": {"example": example}}}


def failure(status: int, meaning: str, model: type, example: JSON) -> dict[str, Any]:
    """Returns an error, with the headers that tell whether asking again helps."""
    failed = {"description": meaning, "model": model, "content": {"application/json": {"example": example}}}
    if status == 401:
        failed["headers"] = {"WWW-Authenticate": {"description": "`Bearer`.", "schema": {"const": "Bearer"}}}
    if status in (429, 503):
        failed["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if status in (409, 500, 502, 504):
        settled = {"description": "Where the same again would fail the same.", "schema": {"const": "false"}}
        failed["headers"] = {"x-should-retry": settled}
    return failed


def own_operation(
    operation_id: str,
    summary: str,
    tag: str,
    *,
    succeeds: dict[int | str, dict[str, Any]],
    fails: Iterable[int],
    parameters: Iterable[dict[str, Any]] = (),
    body: dict[str, Any] | None = None,
    conflict: tuple[str, dict[str, Any]] | None = None,
    is_open: bool = False,
) -> dict[str, Any]:
    statuses = fails if is_open else sorted({*fails, *GATE_FAILS})
    failures: dict[int | str, dict[str, Any]] = {status: _failure(status, conflict) for status in statuses}
    answers = {**succeeds, **failures}
    return operation(operation_id, summary, tag, answers=answers, parameters=parameters, body=body, is_open=is_open)


def _failure(status: int, conflict: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    """Returns what an error means; `conflict` is what 409 means here, with its example."""
    meaning, example = MEANINGS[status], examples.ERRORS[status]
    if status == 409 and conflict is not None:
        meaning, example = conflict
    return failure(status, meaning, ErrorResponse, example)


def _query(kind: type[queries.Query], **descriptions: str) -> list[dict[str, Any]]:
    """Returns one parameter for each described field of a query string."""
    properties = kind.model_json_schema(ref_template=REFS)["properties"]
    parameters = []
    for name, description in descriptions.items():
        shape = {k: v for k, v in properties[name].items() if k not in ("title", "anyOf", "default")}
        choices = [choice for choice in properties[name].get("anyOf", []) if choice != {"type": "null"}]
        if choices:
            shape.update(choices[0])
        if properties[name].get("default") is not None:
            shape["default"] = properties[name]["default"]
        parameter = {"name": name, "in": "query", "required": False, "description": description, "schema": shape}
        parameters.append(parameter)
    return parameters


_REQUEST_BODY = {"schema": {"$ref": REFS.format(model="Request")}, "examples": examples.REQUESTS}
GATE_FAILS = (401, 429, 503)
"""What any route may answer that is not open to everybody."""
BODY_FAILS = (400, 403, 408, 413, 415, 422, 429, 500, 503)
_LOCATION = {"Location": {"description": "The job's path.", "schema": {"type": "string"}}}
_ACCEPTED = {**success(MEANINGS[202], JobResponse, examples.ACCEPTED), "headers": _LOCATION}
_GOES_ON = "The failed models are asked again; `Location` names the job."
_RETRIED = {**success(_GOES_ON, JobResponse, examples.RETRIED), "headers": _LOCATION}
_EVENTS = {
    "description": "The journal's events and, between them, what is not kept; the stream ends when the job has ended.",
    "content": {"text/event-stream": {"schema": EVENT_SHAPE, "example": examples.EVENTS}},
}
_METRICS = {
    "description": "Counters, gauges and histograms in Prometheus's text format.",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": examples.METRICS}},
}

_OF_A_REQUEST = Request.model_json_schema(by_alias=True, ref_template=REFS)["properties"]
_MERGE_BODY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {name: _OF_A_REQUEST[name] for name in ("weights", "schema", "answer")},
}
_FEEDBACK_BODY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"correct": {"type": ["boolean", "null"]}, "answer": {"description": "The right answer."}},
    "oneOf": [{"required": [name], "properties": {name: _GIVEN}} for name in ("correct", "answer")],
}

ASK = own_operation(
    "ask",
    "Ask and wait",
    "ask",
    body=_REQUEST_BODY,
    parameters=[KEY],
    succeeds={200: success("The merged answer.", JobResponse, examples.JOB)},
    fails=sorted((*BODY_FAILS, 409, 502, 504)),
)
SUBMIT = own_operation(
    "submitJob",
    "Submit a job",
    "jobs",
    body=_REQUEST_BODY,
    parameters=[KEY],
    succeeds={202: _ACCEPTED, 200: success("The job that the key already names.", JobResponse, examples.JOB)},
    fails=BODY_FAILS,
)
JOBS = own_operation(
    "listJobs",
    "List jobs",
    "jobs",
    parameters=[
        *_query(
            queries.JobsQuery,
            state="Jobs in this state.",
            needsReview="Jobs whose verdict does, or does not, need a person's review.",
            limit="How many at most.",
            cursor="Where the next page begins: the `cursor` of the page before.",
        ),
        _METADATA,
    ],
    succeeds={200: success("Jobs, newest first.", JobsResponse, {"jobs": [examples.JOB], "cursor": None})},
    fails=(400, 500, 503),
)
JOB = own_operation(
    "getJob",
    "A job as it stands",
    "jobs",
    parameters=[
        _JOB_ID,
        *_query(queries.JobQuery, wait="Milliseconds to wait for the end of the job before answering."),
    ],
    succeeds={200: success("The job, whatever its state.", JobResponse, examples.JOB)},
    fails=(400, 404, 500, 503),
)
CANCEL = own_operation(
    "cancelJob",
    "Stop a job",
    "jobs",
    parameters=[_JOB_ID],
    succeeds={200: success("The job, which has ended.", JobResponse, examples.CANCELLED)},
    fails=(400, 404, 500, 503),
)
RETRY = own_operation(
    "retryJob",
    "Ask the failed models again",
    "jobs",
    parameters=[_JOB_ID],
    succeeds={202: _RETRIED, 200: success("The job, which has ended: nothing was to do.", JobResponse, examples.JOB)},
    fails=(400, 404, 409, 429, 500, 503),
    conflict=("The job runs, is being retried already, or was cancelled.", examples.NOT_RETRIED),
)
MERGE = own_operation(
    "mergeJob",
    "Merge the replies anew",
    "jobs",
    parameters=[_JOB_ID],
    body={"schema": _MERGE_BODY, "examples": examples.MERGES},
    succeeds={200: success("The job; the new verdict is the last of its `merges`.", JobResponse, examples.MERGED)},
    fails=(400, 404, 408, 409, 413, 415, 500, 503),
    conflict=("The job is not complete, or no reply satisfies the schema.", examples.NOT_COMPLETE),
)
FEEDBACK = own_operation(
    "judgeJob",
    "Say whether the result is right",
    "jobs",
    parameters=[_JOB_ID],
    body={"schema": _FEEDBACK_BODY, "examples": examples.FEEDBACKS},
    succeeds={200: success("The job, which keeps it.", JobResponse, examples.JUDGED)},
    fails=(400, 404, 408, 409, 413, 415, 500, 503),
    conflict=("The job is not complete.", examples.NOT_COMPLETE),
)
FORGET = own_operation(
    "deleteJob",
    "Forget a job",
    "jobs",
    parameters=[_JOB_ID],
    succeeds={204: {"description": "The job is forgotten."}},
    fails=(400, 404, 409, 500, 503),
    conflict=("The job runs: cancel it first, or wait for its end.", examples.NOT_FORGOTTEN),
)
EVENTS = own_operation(
    "streamJobEvents",
    "Follow a job",
    "jobs",
    parameters=[
        _JOB_ID,
        *_query(queries.EventsQuery, after="The journal number after which to begin."),
        _LAST_EVENT_ID,
    ],
    succeeds={200: _EVENTS, 204: {"description": "The job has ended and there are no later events."}},
    fails=(400, 404, 500, 503),
)
FOLLOW = own_operation(
    "followJob",
    "Follow a job over a WebSocket",
    "jobs",
    parameters=[
        _JOB_ID,
        *_query(queries.EventsQuery, after="The journal number after which to begin."),
    ],
    succeeds={101: {"description": "A WebSocket. All that may be wrong with the job is told on it."}},
    fails=(400,),
)
HEALTH = own_operation(
    "isAlive",
    "Alive?",
    "health",
    succeeds={200: success("The process is alive.", HealthResponse, {"status": "alive"})},
    fails=(),
    is_open=True,
)
METRICS = own_operation(
    "getMetrics",
    "What was counted",
    "health",
    succeeds={200: _METRICS},
    fails=(403, 500, 503),
)
READY = own_operation(
    "isReady",
    "Ready to take jobs?",
    "health",
    succeeds={200: success("The service takes jobs.", HealthResponse, {"status": "ready"})},
    fails=(503,),
    is_open=True,
)

OPERATIONS = (ASK, SUBMIT, JOBS, JOB, CANCEL, RETRY, MERGE, FEEDBACK, FORGET, EVENTS, FOLLOW, HEALTH, READY, METRICS)
