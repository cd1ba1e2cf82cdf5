"""The audit events of a request: one when it came, one when a long one began to be answered, one at its end.

Theory of operation. What a request is about is known when it comes, who asks a little later, whether they may, what
was answered later still. A `Trail` follows one request and writes an event at each stage, unless the policy omits it.
All events of a request have its audit id, which the answer's header `Audit-Id` tells the client too; by it an event is
found in the journal as well, where a note `audit.event` has the line.

    POST pods             RequestReceived   …                    ResponseComplete {code: 201}
    GET pods?watch=1      RequestReceived   ResponseStarted      ResponseComplete, when the watch is over
    a certificate of      (nobody to ask for)                    ResponseStarted {code: 401}, as the real one has it
    nobody

    {"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"2f0c…","stage":"ResponseComplete",
     "requestURI":"/api/v1/namespaces/default/pods/web-0","verb":"get","user":{"username":"kubernetes-admin",…},…}

Of a body only as much is read as the level asks for: at Metadata the name and uid of the object. Modelled on
apiserver/pkg/endpoints/filters/audit.go, pkg/audit/request.go and apis/audit/v1 (v1.32). Left out: annotations of
admission, webhooks as back ends, truncation.
"""

import functools
from collections.abc import Iterable
from datetime import datetime

import msgspec

from cluster_engine.api import documents, time
from cluster_engine.api.objects import Object
from cluster_engine.apiserver.audit.event import Event, Form, Reference, as_json
from cluster_engine.apiserver.audit.log import LogFile
from cluster_engine.apiserver.audit.policy import API_VERSION, LEVELS, NOT_RECORDED, Policy, Recorded
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Decision, attributes_of
from cluster_engine.apiserver.request_info import RequestInfo
from cluster_engine.apiserver.serving.exchange import Request, Response, when_over
from cluster_engine.metrics.registry import Metric
from cluster_engine.world.process import Process

METADATA, REQUEST, REQUEST_RESPONSE = 1, 2, 3
USER_AGENT_MAX, TRUNCATED = 1024, "...TRUNCATED"
NOTED_LENGTH_MAX = 8192
"""Longer lines stand in the file only."""
STATUS_FIELDS = ("status", "message", "reason", "details")


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Named(msgspec.Struct):
    """What of a body stands in an event at every level."""

    metadata: _Metadata | None = None


_NAMED = msgspec.json.Decoder(_Named)
_encode = msgspec.json.Encoder().encode


@functools.lru_cache(maxsize=1024)
def _user(user: User) -> msgspec.Raw:
    return msgspec.Raw(_encode(user.to_dict()))


class Auditor:
    """Writes the events of all requests of a server, each as a line of a form, and counts them."""

    def __init__(self, process: Process, policy: Policy, log: LogFile, form: Form = as_json) -> None:
        self.process = process
        self.policy = policy
        self.log = log
        self._form = form
        metrics = process.metrics
        self._events = metrics.counter(
            "apiserver_audit_event_total",
            "[ALPHA] Counter of audit events generated and sent to the audit backend.",
        )
        self._levels = metrics.counter(
            "apiserver_audit_level_total",
            "[ALPHA] Counter of policy levels for audit events (1 per request).",
            ("level",),
        )
        metrics.compute(self._dropped)

    def _dropped(self) -> Iterable[Metric]:
        text = (
            "[ALPHA] Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected."
        )
        yield "apiserver_audit_error_total", "counter", text, [({"plugin": "log"}, self.log.dropped)]

    def follow(self, request: Request, info: RequestInfo, audit_id: str) -> "Trail":
        """Begin with a request that has just come."""
        return Trail(self, request, info, audit_id)

    def count(self, level: str) -> None:
        """Count a request of a level."""
        self._levels.values[(level,)] += 1

    def write(self, event: Event) -> None:
        """Put an event into the log, and into the journal."""
        if not self.process.is_alive:
            return
        line = self._form(event)
        self._events.values[()] += 1
        self.log.write(line + b"\n")
        reference, about = event.objectRef, event.requestURI
        fields = {
            "auditID": event.auditID,
            "stage": event.stage,
            "level": event.level,
            "verb": event.verb,
        }
        if reference is not None:
            fields |= {"resource": reference.resource, "namespace": reference.namespace, "name": reference.name}
            about = "/".join(filter(None, (reference.resource, reference.name, reference.subresource)))
        if len(line) <= NOTED_LENGTH_MAX:
            fields["line"] = line.decode("utf-8", "replace")
        world = self.process.world
        world.note("audit.event", f"{event.stage} {event.verb} {about}", fields, self.process)


class Trail:
    """One request's events. Called in the order of its methods; those that come to nothing are not called."""

    __slots__ = ("_at", "_auditor", "_event", "_id", "_info", "_recorded", "_request")

    def __init__(self, auditor: Auditor, request: Request, info: RequestInfo, audit_id: str) -> None:
        self._auditor = auditor
        self._request = request
        self._info = info
        self._id = audit_id
        self._at = auditor.process.now()
        self._recorded: Recorded = NOT_RECORDED
        self._event: Event | None = None

    def unauthenticated(self) -> None:
        """Nobody known asks: how they tried, and what they are answered."""
        self._begin(User(""))
        if self._event is not None:
            tried = ["x509"] if self._request.peer.certificates else []
            scheme = self._request.header("authorization").partition(" ")[0].lower()
            tried += [scheme] if scheme in ("bearer", "basic") else []
            message = f"Authentication failed, attempted: {', '.join(tried)}" if tried else "Authentication failed"
            self._event.responseStatus = {"metadata": {}, "message": message, "code": 401}
            self._say("ResponseStarted", self._now())
            self._event = None

    def authenticated(self, user: User) -> None:
        """Somebody asks: the policy says what of it is put on record."""
        self._begin(user)
        self._say("RequestReceived", self._at)

    def _begin(self, user: User) -> None:
        info, request, auditor = self._info, self._request, self._auditor
        self._recorded = auditor.policy.evaluate(attributes_of(user, info, request.query))
        level = LEVELS[self._recorded.level]
        auditor.count(level)
        if not self._recorded.level:
            return
        agent = request.header("user-agent")
        reference = None
        if info.is_resource:
            reference = Reference(
                resource=info.resource,
                namespace=info.namespace,
                name=info.name,
                api_group=info.group,
                api_version=info.version,
                subresource=info.subresource,
            )
        self._event = Event(
            kind="Event",
            apiVersion=API_VERSION,
            level=level,
            auditID=self._id,
            stage="",
            requestURI=f"{request.path}?{request.query}" if request.query else request.path,
            verb=info.verb,
            user=_user(user),
            sourceIPs=_sources(request),
            userAgent=agent if len(agent) <= USER_AGENT_MAX else agent[:USER_AGENT_MAX] + TRUNCATED,
            objectRef=reference,
            requestReceivedTimestamp=time.micro(self._at),
        )

    def impersonates(self, user: User) -> None:
        """From here on it is served as somebody else's."""
        if self._event is not None:
            self._event.impersonatedUser = _user(user)

    def decided(self, decision: Decision) -> None:
        """It was allowed or not, for a reason."""
        if self._event is not None:
            self._event.annotations = {
                "authorization.k8s.io/decision": "allow" if decision.allowed else "forbid",
                "authorization.k8s.io/reason": decision.reason,
            }

    def panicked(self, bug: Exception) -> None:
        """The server's own bug ended it."""
        if self._event is not None:
            message = f"APIServer panic'd: {bug}"
            status = {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}
            self._event.responseStatus = status
            self._say("Panic", self._now())
            self._event = None

    async def answered(self, response: Response) -> Response:
        """Say what is answered; what goes on is put on record again when it is over."""
        event = self._event
        if event is None:
            return response
        await self._take_request(event)
        event.responseStatus = self._status(event, response)
        if not self._info.is_long_running:
            self._say("ResponseComplete", self._now())
            return response
        self._say("ResponseStarted", self._now())
        if response.stream is None and response.upgrade is None:
            self._say("ResponseComplete", self._now())
            return response
        return when_over(response, lambda: self._say("ResponseComplete", self._now()))

    async def _take_request(self, event: Event) -> None:
        """Put down what of the body belongs there, if it has come."""
        info, request = self._info, self._request
        if not info.is_resource or info.verb not in ("create", "update", "patch", "delete", "deletecollection"):
            return
        if not request.body.is_complete:
            return
        raw = await request.read()
        if not raw:
            return
        body = _as_json(raw, request.header("content-type"))
        if body is None:
            return
        if info.verb in ("create", "update") and event.objectRef is not None:
            _complete(event.objectRef, body)
        if self._recorded.level >= REQUEST:
            event.requestObject = self._shown(body)

    def _status(self, event: Event, response: Response) -> Object:
        status: Object = {"metadata": {}}
        if self._info.is_resource and response.body and response.content_type == "application/json":
            if response.body.startswith(b'{"kind":"Status"'):
                said = msgspec.json.decode(response.body)
                status |= {name: said[name] for name in STATUS_FIELDS if name in said}
            if self._recorded.level >= REQUEST_RESPONSE:
                event.responseObject = self._shown(response.body)
        status["code"] = response.status if response.upgrade is None else 101
        return status

    def _shown(self, body: bytes) -> msgspec.Raw:
        if self._recorded.without_managed_fields:
            obj = msgspec.json.decode(body)
            for each in [obj, *(obj.get("items") or ())] if isinstance(obj, dict) else ():
                if isinstance(each, dict) and isinstance(each.get("metadata"), dict):
                    each["metadata"].pop("managedFields", None)
            return msgspec.Raw(_encode(obj))
        return msgspec.Raw(body.strip())

    def _say(self, stage: str, at: datetime) -> None:
        event = self._event
        if event is not None and stage not in self._recorded.omits:
            event.stage = stage
            event.stageTimestamp = time.micro(at)
            self._auditor.write(event)

    def _now(self) -> datetime:
        return self._auditor.process.now()


def _as_json(raw: bytes, content_type: str) -> bytes | None:
    """Return a body as one line of JSON; None where it cannot be read."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        if media.endswith("json") or not media:
            documents.read_json(raw)
            return raw if b"\n" not in raw else msgspec.json.format(raw, indent=-1)
        if media.endswith("yaml"):
            return _encode(documents.read_one_yaml(raw))
    except (documents.Unreadable, msgspec.MsgspecError):
        return None
    return None


def _complete(reference: Reference, body: bytes) -> None:
    """Name the object that a body is, as far as the path does not."""
    try:
        metadata = _NAMED.decode(body).metadata
    except msgspec.MsgspecError:
        return
    if metadata is not None:
        reference.name = reference.name or metadata.name
        reference.namespace = reference.namespace or metadata.namespace
        reference.uid, reference.resource_version = metadata.uid, metadata.resource_version


def _sources(request: Request) -> list[str]:
    """Return where a request came from, proxies included (utilnet.SourceIPs)."""
    said = [one.strip() for one in ",".join(request.headers.get("x-forwarded-for", ())).split(",")]
    found = [one for one in said if one][:64]
    if not found and (real := request.header("x-real-ip")):
        found = [real]
    return found if found and found[-1] == request.peer.address else [*found, request.peer.address]
