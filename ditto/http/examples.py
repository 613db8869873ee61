"""The words and examples of the OpenAPI document."""

from __future__ import annotations

from typing import Any

FIELDS: dict[str, str] = {
    "prompt": "The question, not blank. Exactly one of `prompt` and `messages`.",
    "messages": "Chat messages instead of a prompt; the last one is a user's.",
    "models": "Who is asked. The same name twice is two calls, `name` and `name#2`.",
    "ensemble": "A configured list of models instead of `models`; with neither, the default ensemble.",
    "strategy": "How answers are combined: by vote, or each building on the ones before. Default `consensus`.",
    "temperature": "Passed on to the providers.",
    "topP": "Passed on to the providers.",
    "maxTokens": "Passed on to the providers.",
    "stop": "Passed on to the providers.",
    "seed": "Passed on to the providers; the second call of one model gets `seed` + 1, and so on.",
    "system": "The system prompt, unless it is among the messages.",
    "maxRetries": "Tries again per model. Default 2.",
    "timeout": "Milliseconds for one model: all its tries, pauses and re-asks together. Default 300000.",
    "grace": "Milliseconds: once `minResponses` have answered, how long the others are waited for.",
    "deadline": "Milliseconds for the job; what has arrived by then is merged, if it is enough. Default 1800000.",
    "metadata": "Kept with the job, returned with it, searchable.",
    "schema": "JSON Schema 2020-12 of the result, any root type. `{}` or absent: text.",
    "minResponses": "Fewer usable replies fail the job. Default 1.",
    "settle": "When to stop waiting: for all (default), once no missing reply can change the answer, or once its "
    "confidence is high enough. What is not waited for is cancelled and counted as `saved`.",
    "weights": "How much a model's reply counts, by its name. Default 1; 0: asked, not counted.",
    "answer": "What kind of answer is compared, or the allowed answers; absent: read from question and panel.",
    "judge": "The model that is asked where the vote cannot decide: open prose, a tie, a confidence below the review "
    "threshold. It sees the replies without names, in shuffled order.",
    "samples": "Calls per model. Default 1.",
    "placement": "An actor of its own, or a shared host. Default `auto`: its own while there are spares.",
    "onDisconnect": "What happens to the job when the waiting client hangs up. Default `continue`.",
    "idempotencyKey": "The same key and the same request is the same job. Also as the `Idempotency-Key` header.",
}

REQUESTS: dict[str, Any] = {
    "judged": {
        "value": {
            "prompt": "Suggest a name for a bakery by the sea.",
            "models": ["sim/terse", "sim/wordy", "sim/friendly"],
            "judge": "sim/careful",
        }
    },
    "settled early": {
        "value": {"prompt": "What is 17 * 23?", "models": ["sim/terse", "sim/careful", "sim/slow"], "settle": "decided"}
    },
    "yes or no": {"value": {"prompt": "Is this email urgent? 'Please answer before noon.'"}},
    "in turn": {"value": {"prompt": "Extract key points, then summarize: …", "strategy": "cooperative"}},
    "typed": {
        "value": {
            "prompt": "Read the order: 3 lamps at 19.90 each.",
            "schema": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "count": {"type": "integer"}, "total": {"type": "number"}},
                "required": ["item", "count", "total"],
            },
        }
    },
}

_ID = "01JZ8M3W5T9Q2X7R4K6N1B0VCD"

_OPEN: dict[str, Any] = {
    "merges": [],
    "feedback": None,
    "jobId": _ID,
    "state": "pending",
    "host": f"job:{_ID}",
    "createdAt": "2025-07-01T09:30:00.000Z",
    "endedAt": None,
    "result": None,
    "responses": {},
    "structured": None,
    "timings": None,
    "errors": {},
    "warnings": [],
    "usage": {"calls": 0, "inputTokens": None, "outputTokens": None, "saved": 0, "cost": None, "models": {}},
    "progress": {"sim/alpha": "waiting", "sim/beta": "waiting"},
    "error": None,
    "metadata": {},
}

ACCEPTED: dict[str, Any] = _OPEN

RETRIED: dict[str, Any] = {
    **_OPEN,
    "state": "running",
    "responses": {"sim/alpha": "Yes: it asks for an answer before noon."},
    "usage": {
        "calls": 1,
        "inputTokens": 21,
        "outputTokens": 9,
        "saved": 0,
        "cost": None,
        "models": {
            "sim/alpha": {"calls": 1, "inputTokens": 21, "outputTokens": 9},
            "sim/beta": {"calls": 0, "inputTokens": None, "outputTokens": None},
        },
    },
    "progress": {"sim/alpha": "answered", "sim/beta": "running"},
}

CANCELLED: dict[str, Any] = {**_OPEN, "state": "cancelled", "endedAt": "2025-07-01T09:30:00.400Z"}

JOB: dict[str, Any] = {
    **_OPEN,
    "state": "complete",
    "endedAt": "2025-07-01T09:30:00.812Z",
    "result": "Yes: it asks for an answer before noon.",
    "responses": {"sim/alpha": "Yes: it asks for an answer before noon.", "sim/beta": "No, it can wait."},
    "structured": {
        "summary": "Yes: it asks for an answer before noon.",
        "intent": "answer",
        "confidence": 0.93,
        "needsClarification": False,
        "supportingModels": ["sim/alpha"],
        "responses": [
            {
                "model": "sim/alpha",
                "raw": "Yes: it asks for an answer before noon.",
                "summary": "Yes: it asks for an answer before noon.",
                "intent": "answer",
                "confidence": 0.93,
            },
            {
                "model": "sim/beta",
                "raw": "No, it can wait.",
                "summary": "No, it can wait.",
                "intent": "answer",
                "confidence": 0.07,
            },
        ],
        "answer": "yes",
        "chosenModel": "sim/alpha",
        "agreement": 0.5,
        "needsReview": False,
        "basis": {"kind": "cold", "skills": None},
        "dissent": [{"answer": "no", "models": ["sim/beta"], "share": 0.5}],
        "fields": {},
        "judge": None,
    },
    "timings": {"total": 812.4, "fanout": 3.1, "slowest": 806.0, "merge": 0.6},
    "usage": {
        "calls": 2,
        "inputTokens": 42,
        "outputTokens": 14,
        "saved": 0,
        "cost": None,
        "models": {
            "sim/alpha": {"calls": 1, "inputTokens": 21, "outputTokens": 9},
            "sim/beta": {"calls": 1, "inputTokens": 21, "outputTokens": 5},
        },
    },
    "progress": {"sim/alpha": "answered", "sim/beta": "answered"},
}

EVENTS = (
    "event: call.started\n"
    f'data: {{"jobId":"{_ID}","seq":2,"at":"2025-07-01T09:30:00.003Z",'
    '"kind":"call.started","call":"sim/alpha","round":1,"caller":"caller:0"}\n'
    "id: 2\n\n"
    "event: call.delta\n"
    f'data: {{"jobId":"{_ID}","at":"2025-07-01T09:30:00.412Z",'
    '"kind":"call.delta","call":"sim/alpha","round":1,"start":0,"text":"Yes: it asks"}\n\n'
)

METRICS = (
    "# HELP ditto_jobs_total Jobs that have ended.\n"
    "# TYPE ditto_jobs_total counter\n"
    'ditto_jobs_total{actor="keeper",strategy="consensus",state="complete"} 12\n'
)


def error(type_: str, message: str, details: Any = None, job_id: str | None = None) -> dict[str, Any]:
    content = {"type": type_, "message": message, "details": details}
    return {"error": content if job_id is None else {**content, "jobId": job_id}}


_DEAD = {"sim/alpha": {"type": "Timeout", "message": "no answer in 300000 ms", "attempts": 1}}

ERRORS: dict[int, dict[str, Any]] = {
    400: error("BadRequest", "the request is wrong", [{"path": "prompt", "message": "is blank"}]),
    401: error("Unauthorized", "a key is needed: send it as Authorization: Bearer <key>"),
    403: error(
        "Forbidden",
        "this key may not ask sim/beta",
        [{"path": "models", "message": "sim/beta is none of the models that may be asked"}],
    ),
    404: error("NotFound", f"there is no job {_ID}"),
    408: error("RequestTimeout", "the body did not arrive within 30 s"),
    409: error("Cancelled", f"job {_ID} was cancelled", None, _ID),
    413: error("TooLarge", "the body is above the limit of 16777216 bytes", {"limitBytes": 16777216}),
    415: error("UnsupportedMediaType", "the body is not declared as JSON: send Content-Type: application/json"),
    422: error("IdempotencyMismatch", "the key was used with another request", [{"path": "prompt", "message": "…"}]),
    429: error("RateLimited", "the service is full"),
    500: error("InternalError", "something went wrong here; it is logged under 5f0c1b2a9d3e", {"id": "5f0c1b2a9d3e"}),
    502: error("JobError", "0 of 1 models gave a usable answer, 1 needed", _DEAD, _ID),
    503: error("Unavailable", "the store does not answer"),
    504: error("DeadlineExceeded", "the deadline passed: 0 of 1 models gave a usable answer, 1 needed", _DEAD, _ID),
}

_NOT_RETRIED = f"job {_ID} is running; only one that is complete or has failed can be retried"
NOT_RETRIED: dict[str, Any] = error("Conflict", _NOT_RETRIED, None, _ID)
NOT_COMPLETE: dict[str, Any] = error("Conflict", f"job {_ID} is running, not complete", None, _ID)
NOT_FORGOTTEN: dict[str, Any] = error(
    "Conflict", f"job {_ID} is running: cancel it first, or wait for its end", None, _ID
)

MERGES: dict[str, Any] = {
    "weights": {"summary": "Other weights", "value": {"weights": {"sim/beta": 2}}},
    "answer": {"summary": "Another kind of answer", "value": {"answer": "boolean"}},
}
_WEIGHED: dict[str, Any] = {
    "at": "2025-07-01T10:00:00.000Z",
    "weights": {"sim/beta": 2},
    "schema": None,
    "answer": None,
    "result": "No, it can wait.",
    "structured": {
        **JOB["structured"],
        "summary": "No, it can wait.",
        "confidence": 0.61,
        "supportingModels": ["sim/beta"],
        "answer": "no",
        "chosenModel": "sim/beta",
        "needsReview": True,
        "dissent": [{"answer": "yes", "models": ["sim/alpha"], "share": 0.5}],
    },
}
MERGED: dict[str, Any] = {**JOB, "merges": [_WEIGHED]}

FEEDBACKS: dict[str, Any] = {
    "right": {"summary": "It is right", "value": {"correct": True}},
    "answer": {"summary": "What is right", "value": {"answer": "no"}},
}
JUDGED: dict[str, Any] = {**JOB, "feedback": {"correct": True, "answer": None}}
