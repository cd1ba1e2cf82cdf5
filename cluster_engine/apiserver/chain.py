"""The handler chain: what every request goes through, outermost first.

    panic recovery → audit id → request info → deadline → authentication → audit → impersonation → authorization →
    handler

The order can be seen from outside: an anonymous user who asks for an unknown resource gets 403 and not 404, and a bad
certificate 401 whatever the path. Refusals are noted (who, what, why), because a learner looks for them; requests that
go through are on the wire for all to see.

Modelled on DefaultBuildHandlerChain in apiserver/pkg/server/config.go. Left out: CORS, priority and fairness.
"""

import asyncio
import gzip
from typing import Any

import msgspec

from cluster_engine.api.durations import go_seconds
from cluster_engine.api.patches import APPLY_PATCHES
from cluster_engine.api.status import BadRequest, NotFound, Refusal, Timeout
from cluster_engine.apiserver.audit.trail import Auditor, Trail
from cluster_engine.apiserver.authentication.chain import Authentication, impersonated
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Chain, attributes_of, refusal_text
from cluster_engine.apiserver.handlers.bodies import media_type
from cluster_engine.apiserver.handlers.meta import Meta
from cluster_engine.apiserver.handlers.negotiation import is_for_reading
from cluster_engine.apiserver.handlers.resources import Resources
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT, refused
from cluster_engine.apiserver.request_info import RequestInfo, parse_query, request_info
from cluster_engine.apiserver.request_metrics import RequestMetrics
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.trouble import Rule, trouble_of
from cluster_engine.world.patience import within
from cluster_engine.world.process import Process

REQUEST_SECONDS, WRITE_SECONDS = 60.0, 34.0
"""How long a request may take: --request-timeout, and requestTimeoutUpperBound of the handlers that write."""
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
GZIP_BYTES_MIN = 128 * 1024
GZIP_LEVEL = 1
WARNINGS_CHARACTERS_MAX = 4096
WARNING_CHARACTERS_MAX = 256
CACHE_CONTROL = ("cache-control", "no-cache, private")
READ, WRITE = ("apiserver.authentication",), ("apiserver.authentication", "apiserver.admission")
WORK = {
    "list": (*READ, "apiserver.list"),
    "watch": (*READ, "apiserver.watch"),
    "create": (*WRITE, "apiserver.create"),
    "update": (*WRITE, "apiserver.update"),
    "patch": (*WRITE, "apiserver.patch"),
    "delete": (*WRITE, "apiserver.delete"),
    "deletecollection": (*WRITE, "apiserver.delete"),
}
"""By verb, what it takes to serve a request, etcd's part excepted."""
WORK_ELSE = (*READ, "apiserver.get")
PANICKED = Response(
    500,
    "text/plain; charset=utf-8",
    b"This request caused apiserver to panic. Look in the logs for details.\n",
    (("x-content-type-options", "nosniff"),),
)
"""What WithPanicRecovery says (apiserver/pkg/server/filters/wrap.go)."""


TIMED_OUT = Response(
    504,
    "text/plain; charset=utf-8",
    msgspec.json.encode(
        {
            "metadata": {},
            "status": "Failure",
            "message": "Timeout: request did not complete within the allotted timeout",
            "reason": "Timeout",
            "details": {},
            "code": 504,
        }
    )
    + b"\n",
)
"""What WithTimeoutForNonLongRunningRequests says. It names no content type, so clients see no Status in it."""


class HandlerChain:
    """Serves requests, whatever happens."""

    def __init__(
        self,
        process: Process,
        authentication: Authentication,
        authorizer: Chain,
        resources: Resources,
        meta: Meta,
        *,
        metrics: RequestMetrics,
        auditor: Auditor | None = None,
    ) -> None:
        self._process = process
        self._trouble = trouble_of(process.disk)
        self._authentication = authentication
        self._authorizer = authorizer
        self._resources = resources
        self._meta = meta
        self._metrics = metrics
        self._auditor = auditor

    async def serve(self, request: Request) -> Response:
        """Answer a request; never raises but for cancellation."""
        audit_id = request.header("audit-id") or self._process.uuid()
        info = request_info(request.method, request.path, request.query)
        began = self._metrics.began(info)
        trail = None if self._auditor is None else self._auditor.follow(request, info, audit_id)
        warnings: list[str] = []
        try:
            response = await self._within_deadline(request, info, warnings, trail)
        except Refusal as refusal:
            response = refused(refusal)
        except Exception as bug:
            self._process.bug(bug, f"{request.method} {request.path}")
            response = PANICKED
            if trail is not None:
                trail.panicked(bug)
        if trail is not None:
            response = await trail.answered(response)
        applies = media_type(request.header("content-type")) in APPLY_PATCHES
        dry_run = "dryRun" in parse_query(request.query)
        response = self._metrics.answered(info, response, began, applies=applies, dry_run=dry_run)
        return _finished(request, response, audit_id, warnings)

    async def _within_deadline(
        self, request: Request, info: RequestInfo, warnings: list[str], trail: Trail | None
    ) -> Response:
        if info.is_resource and info.is_long_running:
            return await self._serve(request, info, warnings, trail)
        writes = info.is_resource and info.verb in WRITES
        try:
            async with within(_seconds(request, writes=writes), request.peer.time):
                return await self._serve(request, info, warnings, trail)
        except TimeoutError:
            if not writes:
                return TIMED_OUT
            raise Timeout("request did not complete within requested timeout - context deadline exceeded") from None

    async def _serve(self, request: Request, info: RequestInfo, warnings: list[str], trail: Trail | None) -> Response:
        await self._process.work(*WORK.get(info.verb, WORK_ELSE))
        await self._authentication.prepare(request, self._process.now())
        user = self._authenticated(request, info, trail)
        if trail is not None:
            trail.authenticated(user)
        served_as = await impersonated(request, user, self._authorizer)
        if trail is not None and served_as is not user:
            trail.impersonates(served_as)
        user = served_as
        await self._authorize(user, request, info, trail)
        rule = self._trouble.take(info) if self._trouble.rules and info.is_resource else None
        if rule is None:
            return await self._handle(user, request, info, warnings)
        return await self._in_trouble(rule, user, request, info, warnings)

    async def _in_trouble(
        self, rule: Rule, user: User, request: Request, info: RequestInfo, warnings: list[str]
    ) -> Response:
        """Serve a request to which something happens (`trouble`)."""
        if (refusal := await rule.refusal(info, request)) is not None:
            return refusal
        response = await self._handle(user, request, info, warnings)
        if rule.after is not None:
            rule.after()
            await asyncio.sleep(0)  # where the process has ended, so does this
        return response

    async def _handle(self, user: User, request: Request, info: RequestInfo, warnings: list[str]) -> Response:
        if "//" in request.path:
            return NOT_FOUND_TEXT
        if info.is_resource:
            if request.method in ("HEAD", "OPTIONS"):
                raise Refusal(NotFound().message, code=405, reason="MethodNotAllowed")
            return await self._resources.serve(request, info, user, warnings)
        return await self._meta.serve(request)

    def _authenticated(self, request: Request, info: RequestInfo, trail: Trail | None) -> User:
        try:
            return self._authentication.user(request, self._process.now())
        except Refusal as refusal:
            if trail is not None:
                trail.unauthenticated()
            self._process.note(
                "apiserver.unauthenticated",
                f"{info.verb} {request.path} from {request.peer.address} is refused: {refusal.__cause__}",
                verb=info.verb,
                path=request.path,
                source=request.peer.address,
                reason=str(refusal.__cause__),
            )
            raise

    async def _authorize(self, user: User, request: Request, info: RequestInfo, trail: Trail | None) -> None:
        attributes = attributes_of(user, info, request.query)
        decision = await self._authorizer.ask(attributes)
        if trail is not None:
            trail.decided(decision)
        if decision.allowed:
            return
        text = refusal_text(attributes, decision.reason)
        self._process.note(
            "apiserver.forbidden",
            text,
            user=user.name,
            groups=list(user.groups),
            verb=info.verb,
            path=request.path,
            reason=decision.reason,
        )
        details: dict[str, Any] = {}
        if info.is_resource:
            details = {"name": info.name, "group": info.group, "kind": info.resource}
            details = {key: value for key, value in details.items() if value}
        raise Refusal(text, code=403, reason="Forbidden", details=details)


def _seconds(request: Request, *, writes: bool) -> float:
    """Return how long a request may take: what its URL says, and no more than any may (WithRequestDeadline)."""
    most = WRITE_SECONDS if writes else REQUEST_SECONDS
    if not (said := parse_query(request.query).get("timeout")):
        return most
    try:
        seconds = go_seconds(said)
    except ValueError as error:
        raise BadRequest(f"invalid timeout specified in the request URL - {error}") from error
    return min(seconds, most) if seconds > 0 else most


def _finished(request: Request, response: Response, audit_id: str, warnings: list[str]) -> Response:
    """Add the headers that all answers have, indent or compress where that is wanted."""
    headers: list[tuple[str, str]] = [("audit-id", audit_id)]
    if all(name != "cache-control" for name, _ in response.headers):
        headers.append(CACHE_CONTROL)
    headers.extend(response.headers)
    headers.extend(("warning", f"299 - {_quoted(text)}") for text in _shortened(warnings))
    body = response.body
    is_json = response.content_type == "application/json" and response.stream is None
    if is_json and body and is_for_reading(request.header("user-agent"), parse_query(request.query).get("pretty")):
        body = msgspec.json.format(body, indent=2) + b"\n"
    if len(body) > GZIP_BYTES_MIN and "gzip" in request.header("accept-encoding"):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers += [("content-encoding", "gzip"), ("vary", "Accept-Encoding")]
    return Response(response.status, response.content_type, body, tuple(headers), response.stream, response.upgrade)


def _shortened(warnings: list[str]) -> list[str]:
    """Cut warnings that are many: each to its first characters, and the last ones away (filters/warning.go)."""
    found = list(dict.fromkeys(warnings))
    if sum(map(len, found)) <= WARNINGS_CHARACTERS_MAX:
        return found
    each = WARNING_CHARACTERS_MAX
    return [text[:each] for text in found[: WARNINGS_CHARACTERS_MAX // each]]


def _quoted(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
