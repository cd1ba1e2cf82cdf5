"""Requests and responses of Kubernetes' REST API, and of any other HTTP; watch streams event by event.

    http.request   POST deployments      <- what led to it (causes.why)
    http.response  201 Created           <- its request
    watch.event    ADDED deployment web  <- the etcd event of the same key and version
    http.end       the watch is over     <- the server's timer

A watch's events are lines of JSON in a body that goes on for minutes; each becomes an entry when its line is complete.
So it is with what etcd's members tell each other (`raft`). Left out: watches in protobuf (shown as one response).
"""

from http import HTTPStatus
from typing import Any

import msgspec

from cluster_engine.api.patches import APPLY_PATCHES
from cluster_engine.api.strconv import int_of
from cluster_engine.lens import kubernetes, objects, raft
from cluster_engine.lens.causes import TIMER, Participant, Reason, Serving, Tokens
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import KUBERNETES_PROTOBUF, Evidence, Headers, Piece
from cluster_engine.lens.exchange import Exchange, Part, header
from cluster_engine.lens.header_compression import bounded
from cluster_engine.lens.objects import Thing
from cluster_engine.lens.scribe import STORY, Said
from cluster_engine.lens.watch import WatchStream, watch_key

HEALTH = frozenset({"/healthz", "/livez", "/readyz", "/metrics"})
DISCOVERY = frozenset({"/api", "/apis"})
CONDITION_HEARTBEAT = frozenset({"type", "lastHeartbeatTime"})


class RestExchange(Exchange):
    """A request by path and its response; a watch when the path asks for one and the server agrees."""

    __slots__ = ("_applies_as", "_asked", "_name", "_status", "_watch")

    def __init__(self, conversation: Conversation, stream: int | None, headers: Headers) -> None:
        super().__init__(conversation, stream)
        self._asked = kubernetes.parse(header(headers, ":method"), header(headers, ":path"))
        self._applies_as = ""
        self._name = self._asked.name
        self._status = 0
        self._watch: WatchStream | raft.RaftStream | None = None

    def headers(self, from_client: bool, headers: Headers, size: int, pieces: list[Piece]) -> None:
        """Take a head, or trailers."""
        part = self.question if from_client else self.answer
        part.seen(pieces)
        part.size += size
        if part.headers:
            part.headers = bounded(headers, part.headers)
            return
        if not from_client:
            status = header(headers, ":status")
            self._status = int_of(status) or 0
            if 100 <= self._status < 200 and self._status != 101:
                return
        part.headers = headers
        if from_client or self._status != 200:
            return
        if self._asked.verb == "watch" and _is_json(headers):
            self._respond()
            self._watch = WatchStream(self.conversation, self._asked, self.stream, self.request)
        elif self._asked.path.startswith(raft.PATH):
            self._respond()
            self._watch = raft.RaftStream(self.conversation, self._asked.path, self.question.headers, self.stream)

    def data(self, from_client: bool, data: bytes, pieces: list[Piece]) -> None:
        """Take some of a body; of a watch, as many events as it completes."""
        if self._watch is not None and not from_client:
            self._watch.data(data, pieces)
            return
        part = self.question if from_client else self.answer
        part.seen(pieces)
        part.add(data)

    def ended(self, from_client: bool, pieces: list[Piece]) -> None:
        """A side has said all: write it."""
        part = self.question if from_client else self.answer
        if part.done:
            return
        part.seen(pieces)
        part.done = True
        if from_client:
            if self.request is None:
                self._request()
        elif self._watch is not None:
            self._watch.ended(pieces)
        else:
            self._respond()
        if self.question.done and self.answer.done:
            self.finished()

    def in_messages(self) -> WatchStream | None:
        """See `Exchange`: a watch over a WebSocket."""
        is_watch = self._asked.verb == "watch" and self._watch is None
        return WatchStream(self.conversation, self._asked, self.stream, self.request) if is_watch else None

    def broken(self) -> None:
        """Write what was begun, as unfinished."""
        if not self.question.done and self.request is None and self.question.headers:
            self._request(unfinished=True)
        if not self.answer.done and self._watch is None and self.answer.headers:
            self._respond(unfinished=True)
        self.finished()

    def _request(self, *, unfinished: bool = False) -> None:
        conversation, asked, part = self.conversation, self._asked, self.question
        body = part.text()
        thing = self._thing(part, body)
        metadata = thing.metadata
        prefix = ""
        if metadata is not None:
            metadata.namespace = metadata.namespace or asked.namespace
            if not self._name:
                self._name = metadata.name
                if metadata.generate_name and not metadata.name:
                    prefix = kubernetes.token(asked.resource, asked.namespace, metadata.generate_name)
        tokens = thing.tokens(asked.resource)
        own = ""
        if asked.resource:
            own = kubernetes.token(asked.resource, asked.namespace, self._name)
            tokens.append(own)
        self.tokens = tuple(tokens)
        reason = self._request_reason(conversation.client, body, (*tokens, *thing.target_tokens()))
        target = thing.target.name if thing.target is not None else ""
        fields = asked.fields()
        if self._name:
            fields["name"] = self._name
        elif metadata is not None and metadata.generate_name:
            fields["generateName"] = metadata.generate_name
        if asked.verb == "patch":
            fields["patchType"] = header(part.headers, "content-type")
        if header(part.headers, "content-type") in APPLY_PATCHES:
            fields["appliesAs"] = self._applies_as = asked.parameter("fieldManager")
        if target:
            fields["target"] = target
        if conversation.certificate:
            fields["certificate"] = conversation.certificate
        if unfinished:
            fields["unfinished"] = True
        self.request = seq = self._say(True, Said(STORY, "http.request", asked.label, fields, reason), body)
        conversation.fresh = False
        causes = conversation.causes
        serving = Serving(own, self.tokens, prefix, watches=asked.verb == "watch", heartbeat=self.heartbeat)
        causes.serve(conversation.server, seq, serving)
        if not self.heartbeat:
            causes.heard(conversation.server, seq, conversation.scribe.now, self.tokens)
        if asked.path == raft.SNAPSHOT_PATH and not unfinished:
            raft.tell_snapshot(conversation, body, part.body_bytes, seq, part.pieces)

    def _request_reason(self, client: Participant, body: bytes, tokens: Tokens) -> Reason:
        """Find the cause, and whether this is housekeeping; `tokens` are of all that the request speaks of."""
        conversation, asked = self.conversation, self._asked
        causes = conversation.causes
        if not client.command and asked.path in DISCOVERY:
            if asked.path in client.discovered:
                self.heartbeat = True
                return TIMER
            client.discovered.add(asked.path)
            if client.started is not None:
                return Reason(client.started, how="begun")
        elif not client.command and _housekeeping(asked, body):
            first, client.beats = not client.beats, True
            if asked.verb != "get" or not first:
                self.heartbeat = True
                return TIMER
        if asked.verb == "watch":
            ended = causes.watch_ended_at(client, watch_key(asked))
            if ended is not None:
                self.heartbeat = True
                return Reason(ended)
        opened = conversation.opened if conversation.fresh else None
        within = f"namespaces//{asked.namespace}" if asked.verb == "create" and asked.namespace else ""
        created = asked.resource if asked.verb == "create" else ""
        return causes.why(client, conversation.scribe.sent, tokens, opened, within=within, resource=created)

    def _respond(self, *, unfinished: bool = False) -> None:
        if self.request is None:
            self._request(unfinished=not self.question.done)
        conversation, part = self.conversation, self.answer
        body = part.text()
        thing = self._thing(part, body)
        tokens = [*self.tokens, *self._answer_tokens(thing)]
        failed = self._status >= 400
        problem = thing.message or "" if failed else ""
        phrase = _phrase(self._status)
        label = f"{self._status} {thing.reason if problem and thing.reason else phrase}".rstrip()
        fields: dict[str, Any] = {"status": self._status, **self._subject()}
        if self._asked.verb == "patch":
            fields["patchType"] = header(self.question.headers, "content-type")
        if failed:
            fields["failed"] = True
        if problem:
            fields["reason"] = thing.reason
            if thing.reason == "Conflict" and self._applies_as:
                fields["appliesAs"] = self._applies_as
            if problem != phrase:
                fields["message"] = problem
        elif thing.metadata is not None and thing.metadata.resource_version:
            fields["resourceVersion"] = thing.metadata.resource_version
        if thing.items is not None:
            fields["items"] = len(thing.items)
        if conversation.certificate:
            fields["certificate"] = conversation.certificate
        if unfinished:
            fields["unfinished"] = True
        audited = conversation.causes.audited
        if audited is not None and audited.get(audit_id := header(part.headers, "audit-id")) is not None:
            fields["auditID"] = audit_id
        said = Said(STORY, "http.response", label, fields, Reason(self.request), self.request)
        seq = self._say(False, said, body)
        if not self.heartbeat:
            causes, client, now = conversation.causes, conversation.client, conversation.scribe.now
            if self._asked.resource == "events":  # that an event was taken is no news of what it is about
                tokens = [token for token in tokens if token.startswith("events/")]
            causes.heard(client, seq, now, tokens)
            if self._asked.verb == "create" and not failed:
                causes.created(client, seq, now, self._asked.resource, self.tokens)

    def _answer_tokens(self, thing: Thing) -> list[str]:
        """Name what a response is about; the name that the server chose becomes the exchange's."""
        resource, namespace = self._asked.resource, self._asked.namespace
        if thing.items is not None or thing.rows is not None:
            return thing.item_tokens(resource)
        metadata = thing.metadata
        if metadata is None or not resource or thing.kind == "Status":
            return []
        metadata.namespace = metadata.namespace or namespace
        if not self._name:
            self._name = metadata.name
        return thing.tokens(resource)

    def _subject(self) -> dict[str, Any]:
        asked = self._asked
        found = {"verb": asked.verb}
        if asked.resource:
            found["resource"] = asked.resource
        if asked.namespace:
            found["namespace"] = asked.namespace
        if self._name:
            found["name"] = self._name
        if asked.since:
            found["since"] = asked.since
        return found

    def _say(self, from_client: bool, said: Said, body: bytes) -> int:
        part = self.question if from_client else self.answer
        said.stream, said.size, said.heartbeat = self.stream, part.size, self.heartbeat
        evidence = Evidence(part.pieces, part.headers, body, header(part.headers, "content-type"), part.truncated)
        return self.conversation.say(from_client, said, evidence)

    @staticmethod
    def _thing(part: Part, body: bytes) -> Thing:
        if not body:
            return Thing()
        content_type = header(part.headers, "content-type")
        if content_type.startswith(KUBERNETES_PROTOBUF):
            return objects.read_protobuf(body)
        return objects.read(body) if body[0] == 0x7B else Thing()


def _phrase(status: int) -> str:
    """Name an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _is_json(headers: Headers) -> bool:
    return header(headers, "content-type").startswith("application/json")


def _housekeeping(asked: kubernetes.Asked, body: bytes) -> bool:
    """Tell lease renewals, health checks, and node statuses in which nothing but the heartbeat has changed."""
    if asked.resource == "leases":
        return asked.verb in ("get", "update", "patch")
    if asked.resource == "nodes" and asked.subresource == "status" and asked.verb == "patch":
        return _only_heartbeats(body)
    return not asked.resource and any(asked.path.startswith(path) for path in HEALTH)


def _only_heartbeats(body: bytes) -> bool:
    try:
        status = msgspec.json.decode(body).get("status", {})
        conditions = status.pop("conditions", [])
        rest = [key for key in status if not key.startswith("$")]
        return not rest and all(condition.keys() <= CONDITION_HEARTBEAT for condition in conditions)
    except (*objects.UNREADABLE, AttributeError, TypeError):
        return False
