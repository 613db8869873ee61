"""Ditto asks several language models at once and merges what they say into one typed answer.

This module is the client and the types; it loads neither Ray nor FastAPI. `Ditto` and `AsyncDitto` call a server,
`connect` joins a Ray cluster.
"""

from __future__ import annotations

from ditto.client.asking import ChatMessage, Confident
from ditto.client.async_client import AsyncDitto
from ditto.client.async_job import AsyncJob
from ditto.client.backend import JobPage
from ditto.client.job import Job
from ditto.client.job_event import CallDelta, JobEvent
from ditto.client.sync_client import Ditto, connect
from ditto.domain.job import JobState
from ditto.domain.verdict import BasisKind, Intent
from ditto.domain.view import (
    BasisView,
    CallErrorView,
    DissentView,
    FieldView,
    JobErrorView,
    JobView,
    JudgeView,
    ModelUsageView,
    ReplyView,
    StructuredView,
    TimingsView,
    UsageView,
)
from ditto.errors import (
    BadRequest,
    ConfigurationError,
    Conflict,
    CrashLoop,
    DeadlineExceeded,
    DittoError,
    Forbidden,
    IdempotencyMismatch,
    InternalError,
    JobCancelled,
    JobError,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    RequestTimeout,
    ResultInvalid,
    ServiceError,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from ditto.from_python import batch
from ditto.version import VERSION

__version__ = VERSION

__all__ = [
    "AsyncDitto",
    "AsyncJob",
    "BadRequest",
    "BasisKind",
    "BasisView",
    "CallDelta",
    "CallErrorView",
    "ChatMessage",
    "Confident",
    "ConfigurationError",
    "Conflict",
    "CrashLoop",
    "DeadlineExceeded",
    "DissentView",
    "Ditto",
    "DittoError",
    "FieldView",
    "Forbidden",
    "IdempotencyMismatch",
    "Intent",
    "InternalError",
    "Job",
    "JobCancelled",
    "JobError",
    "JobErrorView",
    "JobEvent",
    "JobPage",
    "JobState",
    "JobView",
    "JudgeView",
    "MethodNotAllowed",
    "ModelUsageView",
    "NotFound",
    "RateLimited",
    "ReplyView",
    "RequestTimeout",
    "ResultInvalid",
    "ServiceError",
    "StructuredView",
    "TimingsView",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
    "UsageView",
    "__version__",
    "batch",
    "connect",
]
