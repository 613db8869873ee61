"""Every error that Ditto raises, as one tree; the type says whether asking again helps.

::

    DittoError
    ├── ServiceError                what a caller of the service sees; each has a `type` and an HTTP status
    │   ├── BadRequest              400  a field is wrong; `details` lists every one with its path
    │   ├── Unauthorized            401
    │   ├── Forbidden               403
    │   ├── NotFound                404
    │   ├── MethodNotAllowed        405
    │   ├── RequestTimeout          408
    │   ├── Conflict                409  the job is in a state that does not allow this
    │   ├── JobCancelled            409  the job that was waited for has been cancelled
    │   ├── TooLarge                413
    │   ├── UnsupportedMediaType    415
    │   ├── IdempotencyMismatch     422
    │   ├── RateLimited             429
    │   ├── InternalError           500
    │   ├── CrashLoop               500  the job has killed every process that took it up
    │   ├── JobError                502  the models failed; `details` has one entry per model
    │   ├── Unavailable             503
    │   └── DeadlineExceeded        504
    ├── ResultInvalid               the merged value fails the caller's own validators
    ├── Misfit                      a reply holds no value that satisfies the schema; in the validator's words
    ├── ConfigurationError          settings are wrong; the message names the path
    ├── IllegalMove                 an event that the job's state does not allow
    ├── StoreError                  the journal
    │   ├── AppendConflict          another writer was there first: stop
    │   ├── KeyTaken                the idempotency key belongs to another job
    │   ├── JournalUnreadable       a job's journal holds what this version does not know; that job alone stops
    │   └── StoreUnavailable        asking again may help
    ├── HolderGone                  the process that held a job is gone; asking its successor helps
    ├── SpareTaken                  another job lives in this actor: take another
    ├── StaleEpoch                  this holder has been replaced: stop
    └── CallError                   one model's call failed
        ├── TransientCallError      asking again may help
        │   ├── CallUnreachable
        │   ├── CallRateLimited     obeys `retry_after_s`
        │   └── CallOverloaded      obeys `retry_after_s`
        └── PermanentCallError      asking again does not help
            ├── CallTimeout
            ├── CallNoTurn          not asked: its turn did not come while the job had time
            ├── CallCircuitOpen     not asked: the model has only failed lately
            ├── CallAuthenticationFailed
            ├── CallMissingKey
            ├── CallBadRequest
            ├── CallModelNotFound
            ├── CallContextTooLong
            ├── CallInvalidReply
            ├── CallTruncated
            ├── CallTooLarge
            ├── CallCancelled
            └── CallFailed

Ray rebuilds an error from its `args`, so every constructor passes its own arguments on unchanged.
A message never holds a prompt or a key.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AppendConflict",
    "BadRequest",
    "CallAuthenticationFailed",
    "CallBadRequest",
    "CallCancelled",
    "CallCircuitOpen",
    "CallContextTooLong",
    "CallError",
    "CallFailed",
    "CallInvalidReply",
    "CallMissingKey",
    "CallModelNotFound",
    "CallNoTurn",
    "CallOverloaded",
    "CallRateLimited",
    "CallTimeout",
    "CallTooLarge",
    "CallTruncated",
    "CallUnreachable",
    "ConfigurationError",
    "Conflict",
    "CrashLoop",
    "DeadlineExceeded",
    "DittoError",
    "Forbidden",
    "HolderGone",
    "IdempotencyMismatch",
    "IllegalMove",
    "InternalError",
    "JobCancelled",
    "JobError",
    "JournalUnreadable",
    "KeyTaken",
    "MethodNotAllowed",
    "Misfit",
    "NotFound",
    "PermanentCallError",
    "RateLimited",
    "RequestTimeout",
    "ResultInvalid",
    "ServiceError",
    "SpareTaken",
    "StaleEpoch",
    "StoreError",
    "StoreUnavailable",
    "TooLarge",
    "TransientCallError",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
    "service_error",
]


class DittoError(Exception):
    """Anything that Ditto raises on purpose."""


class ServiceError(DittoError):
    """An error of the wire contract.

    Args:
        message: What happened to what.
        details: Decoded JSON; for a bad request a list of `{"path": ..., "message": ...}`.
        job_id: The job that this is about, where there is one.
    """

    type: ClassVar[str] = "InternalError"
    status: ClassVar[int] = 500

    def __init__(self, message: str, details: Any = None, job_id: str | None = None) -> None:
        super().__init__(message, details, job_id)
        self.message = message
        self.details = details
        self.job_id = job_id

    def __str__(self) -> str:
        return self.message


class BadRequest(ServiceError):
    type, status = "BadRequest", 400

    def __str__(self) -> str:
        if not isinstance(self.details, list):
            return self.message
        wrong = "; ".join(f"{d['path']}: {d['message']}" if d["path"] else d["message"] for d in self.details)
        return f"{self.message}: {wrong}"


class Unauthorized(ServiceError):
    type, status = "Unauthorized", 401


class Forbidden(ServiceError):
    type, status = "Forbidden", 403


class NotFound(ServiceError):
    type, status = "NotFound", 404


class MethodNotAllowed(ServiceError):
    type, status = "MethodNotAllowed", 405


class RequestTimeout(ServiceError):
    type, status = "RequestTimeout", 408


class Conflict(ServiceError):
    type, status = "Conflict", 409


class JobCancelled(ServiceError):
    type, status = "Cancelled", 409


class TooLarge(ServiceError):
    type, status = "TooLarge", 413


class UnsupportedMediaType(ServiceError):
    type, status = "UnsupportedMediaType", 415


class IdempotencyMismatch(ServiceError):
    type, status = "IdempotencyMismatch", 422


class RateLimited(ServiceError):
    type, status = "RateLimited", 429


class InternalError(ServiceError):
    type, status = "InternalError", 500


class CrashLoop(ServiceError):
    type, status = "CrashLoop", 500


class JobError(ServiceError):
    type, status = "JobError", 502


class Unavailable(ServiceError):
    type, status = "Unavailable", 503


class DeadlineExceeded(ServiceError):
    type, status = "DeadlineExceeded", 504


class ResultInvalid(DittoError):
    """The merged value satisfies the JSON Schema but not the Python type's own validators.

    Args:
        message: The validators' words.
        job_id: The job; its replies and its merged value are kept.
        value: The merged value, decoded JSON.
    """

    def __init__(self, message: str, job_id: str, value: Any = None) -> None:
        super().__init__(message, job_id, value)
        self.message = message
        self.job_id = job_id
        self.value = value

    def __str__(self) -> str:
        return f"the merged result of job {self.job_id} does not validate: {self.message}"


class Misfit(DittoError):
    """A reply holds no value that satisfies the schema; the message is the validator's words."""


class ConfigurationError(DittoError):
    """Settings that cannot be used; the message is one line and names the path."""


class IllegalMove(DittoError):
    """An event that the table of legal moves does not list."""


class StoreError(DittoError):
    """The journal could not do what was asked."""


class AppendConflict(StoreError):
    """The journal holds another event at the sequence number that the writer expected to write."""


class KeyTaken(StoreError):
    """The idempotency key already names a job.

    Args:
        job_id: That job.
        fingerprint: What it was asked, to tell a repetition from another request.
    """

    def __init__(self, job_id: str, fingerprint: str) -> None:
        super().__init__(job_id, fingerprint)
        self.job_id = job_id
        self.fingerprint = fingerprint


class JournalUnreadable(StoreError):
    """A job's journal holds an event that this version cannot read."""


class StoreUnavailable(StoreError):
    """The database does not answer or cannot write just now."""


class HolderGone(DittoError):
    """The actor that was called died or was replaced in the middle; a successor may hold the job."""


class SpareTaken(DittoError):
    """A job's own actor was asked to hold another job."""


class StaleEpoch(DittoError):
    """The holder that speaks has been replaced by a later instance."""


class CallError(DittoError):
    """One model's call failed.

    Args:
        message: What happened, without prompt or key.
        retry_after_s: What the provider asked to wait, in seconds.
    """

    type: ClassVar[str] = "Failed"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.message


class TransientCallError(CallError):
    """Asking again may help."""


class PermanentCallError(CallError):
    """Asking again does not help."""


class CallUnreachable(TransientCallError):
    type = "Unreachable"


class CallRateLimited(TransientCallError):
    type = "RateLimited"


class CallOverloaded(TransientCallError):
    type = "Overloaded"


class CallTimeout(PermanentCallError):
    type = "Timeout"


class CallNoTurn(PermanentCallError):
    type = "RateLimited"


class CallCircuitOpen(PermanentCallError):
    type = "CircuitOpen"


class CallAuthenticationFailed(PermanentCallError):
    type = "AuthenticationFailed"


class CallMissingKey(PermanentCallError):
    type = "MissingKey"


class CallBadRequest(PermanentCallError):
    type = "BadRequest"


class CallModelNotFound(PermanentCallError):
    type = "ModelNotFound"


class CallContextTooLong(PermanentCallError):
    type = "ContextTooLong"


class CallInvalidReply(PermanentCallError):
    type = "InvalidReply"


class CallTruncated(PermanentCallError):
    type = "Truncated"


class CallTooLarge(PermanentCallError):
    type = "TooLarge"


class CallCancelled(PermanentCallError):
    type = "Cancelled"


class CallFailed(PermanentCallError):
    type = "Failed"


def service_error(type: str, status: int, message: str, details: Any = None, job_id: str | None = None) -> ServiceError:
    """Returns the error of the wire contract with this type, for a client that read it off the wire."""
    for kind in ServiceError.__subclasses__():
        if kind.type == type:
            return kind(message, details, job_id)
    for kind in ServiceError.__subclasses__():
        if kind.status == status:
            return kind(message, details, job_id)
    return InternalError(message, details, job_id)
