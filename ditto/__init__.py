"""Ditto asks several language models at once and merges what they say into one typed answer.

This module is the client and the types, each loaded when it is first used; neither Ray nor FastAPI is. `Ditto` and
`AsyncDitto` call a server, `connect` joins a Ray cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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
else:
    from importlib import import_module

    _HOMES = {
        "ditto.client.asking": ("ChatMessage", "Confident"),
        "ditto.client.async_client": ("AsyncDitto",),
        "ditto.client.async_job": ("AsyncJob",),
        "ditto.client.backend": ("JobPage",),
        "ditto.client.job": ("Job",),
        "ditto.client.job_event": ("CallDelta", "JobEvent"),
        "ditto.client.sync_client": ("Ditto", "connect"),
        "ditto.domain.job": ("JobState",),
        "ditto.domain.verdict": ("BasisKind", "Intent"),
        "ditto.domain.view": (
            "BasisView",
            "CallErrorView",
            "DissentView",
            "FieldView",
            "JobErrorView",
            "JobView",
            "JudgeView",
            "ModelUsageView",
            "ReplyView",
            "StructuredView",
            "TimingsView",
            "UsageView",
        ),
    }
    """Where the names above are at home. Every process of the service imports `ditto`, and few use any of these."""

    def __getattr__(name):
        for home, names in _HOMES.items():
            if name in names:
                return globals().setdefault(name, getattr(import_module(home), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})


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
