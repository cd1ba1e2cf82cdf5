"""Refusals: how an API server says no, as a Python exception that is a Kubernetes `Status`.

Modelled on `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`: one class a reason, the message texts letter by
letter, because kubectl prints them and test suites match them. `details.kind` is the *resource* (plural) for NotFound,
Conflict, AlreadyExists and Forbidden, and the *Kind* for Invalid: an old inconsistency that clients rely on.

Left out: `ServerTimeout` and the generic error made from a bare HTTP code (kubectl makes that one itself).

    >>> from cluster_engine.api.kinds import DEPLOYMENT
    >>> NotFound(DEPLOYMENT, "web").message
    'deployments.apps "web" not found'
    >>> Refusal.from_status(NotFound(DEPLOYMENT, "web").status()).code
    404
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cluster_engine.api.resource import Resource

STALE = "the object has been modified; please apply your changes to the latest version and try again"
UNKNOWN_RESOURCE = "the server could not find the requested resource"
NOT_ACCEPTABLE = "only the following media types are accepted: application/json, application/yaml"
UNSUPPORTED_MEDIA_TYPE = (
    "the body of the request was in an unknown format - accepted media types include: application/json, "
    "application/yaml, application/vnd.kubernetes.protobuf"
)


class Cause(msgspec.Struct, frozen=True):
    """One thing wrong with an object: `message` is Kubernetes' ErrorBody (`Required value: …`), without the field."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def to_dict(self) -> dict[str, str]:
        """Say it as `details.causes[]` of a Status does: what is empty is left out."""
        said = {"reason": self.reason, "message": self.message, "field": self.field}
        return {name: text for name, text in said.items() if text}


class Refusal(Exception):  # noqa: N818, the field's word; it is an answer, not an error of ours
    """An answer that is a failure: `code`, `reason`, `message`, `details`, and seconds to wait where there are some."""

    code: int = 500
    reason: str = ""

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = type(self).code if code is None else code
        self.reason = type(self).reason if reason is None else reason
        self.details: dict[str, Any] = {} if details is None else details
        self.retry_after_seconds = retry_after_seconds
        if retry_after_seconds is not None:
            self.details.setdefault("retryAfterSeconds", retry_after_seconds)

    def status(self) -> dict[str, Any]:
        """Return the `Status` object that goes over the wire."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details or self.reason in _DETAILS_EVEN_IF_EMPTY:
            status["details"] = self.details
        status["code"] = self.code
        return status

    @staticmethod
    def from_status(status: dict[str, Any]) -> Refusal:
        """Make the refusal a client raises from the `Status` it was sent."""
        reason = status.get("reason", "")
        details = dict(status.get("details") or {})
        refusal_class = _BY_REASON.get(reason, Refusal)
        refusal = refusal_class.__new__(refusal_class)
        Refusal.__init__(
            refusal,
            status.get("message", ""),
            code=status.get("code", 500),
            reason=reason,
            details=details,
            retry_after_seconds=details.get("retryAfterSeconds"),
        )
        return refusal


def _qualified(kind: Resource, subresource: str) -> str:
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    return f"{resource}.{kind.group}" if kind.group else resource


def _named(kind: Resource, name: str, subresource: str = "") -> dict[str, Any]:
    details: dict[str, Any] = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = f"{kind.plural}/{subresource}" if subresource else kind.plural
    return details


class BadRequest(Refusal):
    """400: the request itself cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(Refusal):
    """401: credentials were given and are bad."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class Forbidden(Refusal):
    """403: the whole message is given; `kind` and `name` only fill the details."""

    code, reason = 403, "Forbidden"

    def __init__(
        self,
        message: str,
        kind: Resource | None = None,
        name: str = "",
        *,
        causes: Sequence[Cause] = (),
        subresource: str = "",
    ) -> None:
        details = _named(kind, name, subresource) if kind else {}
        if causes:
            details["causes"] = [cause.to_dict() for cause in causes]
        super().__init__(message, details=details)

    @staticmethod
    def because(kind: Resource, name: str, why: str, *, causes: Sequence[Cause] = ()) -> Forbidden:
        """Say `pods "x" is forbidden: <why>`, as admission does."""
        quoted = f' "{name}"' if name else ""
        return Forbidden(f"{kind.resource_name}{quoted} is forbidden: {why}", kind, name, causes=causes)


class NotFound(Refusal):
    """404: no such object, or without arguments: no such resource."""

    code, reason = 404, "NotFound"

    def __init__(self, kind: Resource | None = None, name: str = "", *, subresource: str = "") -> None:
        if kind is None:
            super().__init__(UNKNOWN_RESOURCE)
        else:
            message = f'{_qualified(kind, subresource)} "{name}" not found'
            super().__init__(message, details=_named(kind, name, subresource))


class MethodNotAllowed(Refusal):
    """405: the path exists, the verb does not."""

    code, reason = 405, "MethodNotAllowed"

    def __init__(self, message: str = "the server does not allow this method on the requested resource") -> None:
        super().__init__(message)


class NotAcceptable(Refusal):
    """406: none of the asked-for media types can be served."""

    code, reason = 406, "NotAcceptable"

    def __init__(self, message: str = NOT_ACCEPTABLE) -> None:
        super().__init__(message)


class AlreadyExists(Refusal):
    """409: create found an object of that name."""

    code, reason = 409, "AlreadyExists"

    def __init__(self, kind: Resource, name: str) -> None:
        super().__init__(f'{kind.resource_name} "{name}" already exists', details=_named(kind, name))


class Conflict(Refusal):
    """409: the object is not in the state the request was made for."""

    code, reason = 409, "Conflict"

    def __init__(self, kind: Resource, name: str, why: str = STALE, *, subresource: str = "") -> None:
        message = f'Operation cannot be fulfilled on {_qualified(kind, subresource)} "{name}": {why}'
        super().__init__(message, details=_named(kind, name, subresource))


class Expired(Refusal):
    """410: the asked-for resourceVersion is no longer in the history."""

    code, reason = 410, "Expired"


class TooLarge(Refusal):
    """413: the body is over the limit."""

    code, reason = 413, "RequestEntityTooLarge"

    def __init__(self, why: str) -> None:
        super().__init__(f"Request entity too large: {why}")


class UnsupportedMediaType(Refusal):
    """415: the body is in a format that is not read here."""

    code, reason = 415, "UnsupportedMediaType"

    def __init__(self, message: str = UNSUPPORTED_MEDIA_TYPE) -> None:
        super().__init__(message)


class Invalid(Refusal):
    """422: understood, and not valid; the causes say where and why."""

    code, reason = 422, "Invalid"

    def __init__(self, kind: Resource, name: str, causes: Sequence[Cause]) -> None:
        qualified = f"{kind.name}.{kind.group}" if kind.group else kind.name
        texts = list(dict.fromkeys(str(cause) for cause in causes))
        message = f'{qualified} "{name}" is invalid'
        if texts:
            message += f": {texts[0]}" if len(texts) == 1 else f": [{', '.join(texts)}]"
        details: dict[str, Any] = {"name": name} if name else {}
        if kind.group:
            details["group"] = kind.group
        details["kind"] = kind.name
        if causes:
            details["causes"] = [cause.to_dict() for cause in causes]
        super().__init__(message, details=details)
        self.causes = tuple(causes)


class TooManyRequests(Refusal):
    """429: come back later."""

    code, reason = 429, "TooManyRequests"

    def __init__(self, message: str, retry_after_seconds: int | None = None, *, causes: Sequence[Cause] = ()) -> None:
        details: dict[str, Any] = {"causes": [cause.to_dict() for cause in causes]} if causes else {}
        super().__init__(message, details=details, retry_after_seconds=retry_after_seconds)


class InternalError(Refusal):
    """500 with a reason: the server could not do its part."""

    code, reason = 500, "InternalError"

    def __init__(self, why: str) -> None:
        super().__init__(f"Internal error occurred: {why}", details={"causes": [{"message": why}]})


class ServiceUnavailable(Refusal):
    """503: not now."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(Refusal):
    """504: not done in time; `why` is said after `Timeout: `."""

    code, reason = 504, "Timeout"

    def __init__(self, why: str, retry_after_seconds: int | None = None, *, causes: Sequence[Cause] = ()) -> None:
        details: dict[str, Any] = {"causes": [cause.to_dict() for cause in causes]} if causes else {}
        super().__init__(f"Timeout: {why}", details=details, retry_after_seconds=retry_after_seconds)


_CLASSES: tuple[type[Refusal], ...] = (
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    AlreadyExists,
    Conflict,
    Expired,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    InternalError,
    ServiceUnavailable,
    Timeout,
)
_BY_REASON = {refusal_class.reason: refusal_class for refusal_class in _CLASSES}
_DETAILS_EVEN_IF_EMPTY = frozenset({"NotFound", "MethodNotAllowed", "Forbidden", "Invalid"})


def success(details: dict[str, Any] | None = None, *, code: int = 200) -> dict[str, Any]:
    """Return the `Status` that says a request without another answer went well."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        status["details"] = details
    if code != 200:
        status["code"] = code
    return status
