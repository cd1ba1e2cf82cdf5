"""A watch as the lens reads it: lines of JSON in a body that goes on for minutes, each an entry as soon as it is whole.

    watch.event    ADDED deployment web  <- the etcd event of the same key and version
    watch.event    BOOKMARK 30           <- a timer
    watch.event    ERROR 410 Expired     <- the request: it asked for history that is gone
    http.end       the watch is over     <- a timer

An event that tells of a change before the watch began follows the request, which asked for it. Over a
WebSocket each message is a line. Left out: watches in protobuf (shown as one response).
"""

from typing import Any

from cluster_engine.lens import kubernetes, objects
from cluster_engine.lens.causes import TIMER, Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Piece
from cluster_engine.lens.kubernetes import Asked
from cluster_engine.lens.objects import NOTHING, Metadata, Thing
from cluster_engine.lens.scribe import HTTP, STORY, Said
from cluster_engine.lens.unreadable import Unreadable

EVENT_BYTES_MAX = 4 * 1024 * 1024


class WatchStream:
    """The body of a watch's response."""

    __slots__ = ("_asked", "_conversation", "_pieces", "_request", "_rest", "_selector", "_stream")

    def __init__(self, conversation: Conversation, asked: Asked, stream: int | None, request: int | None) -> None:
        self._conversation = conversation
        self._asked = asked
        self._selector = asked.selector
        self._stream = stream
        self._request = request
        self._rest = b""
        self._pieces: list[Piece] = []

    def data(self, data: bytes, pieces: list[Piece]) -> None:
        """Take some of the body; write as many events as it completes."""
        for piece in pieces:
            if not self._pieces or self._pieces[-1] is not piece:
                self._pieces.append(piece)
        lines = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line:
                self._event(line)
                self._pieces = pieces[-1:]
        if not self._rest:
            self._pieces = []
        elif len(self._rest) > EVENT_BYTES_MAX:
            raise Unreadable("a watch event without end")

    def ended(self, pieces: list[Piece]) -> None:
        """The body has come to its ordinary end."""
        conversation, asked = self._conversation, self._asked
        parts = (("verb", asked.verb), ("resource", asked.resource), ("namespace", asked.namespace))
        said = Said(
            HTTP,
            "http.end",
            f"end of watch {asked.resource}",
            {key: value for key, value in parts if value},
            TIMER,
            reply_to=self._request,
            stream=self._stream,
            heartbeat=True,
        )
        seq = conversation.say(False, said, Evidence(pieces))
        conversation.causes.watch_ended(conversation.client, watch_key(asked), seq)

    def _event(self, line: bytes) -> None:
        event = objects.read_watch_event(line)
        if event is None:
            self._unreadable(line)
            return
        thing = event.object or NOTHING
        if thing.rows:
            thing = thing.rows[0].object or thing
        metadata = thing.metadata or Metadata()
        resource = self._asked.resource
        fields = {"type": event.type, "resource": resource, "kind": thing.kind}
        fields["resourceVersion"] = metadata.resource_version
        if self._selector:
            fields["selector"] = self._selector
        if event.type == "BOOKMARK":
            self._bookmark(line, fields)
        elif event.type == "ERROR":
            self._error(line, fields, thing)
        else:
            self._change(line, fields, thing, metadata)

    def _change(self, line: bytes, fields: dict[str, Any], thing: Thing, metadata: Metadata) -> None:
        resource, name, namespace = self._asked.resource, metadata.name, metadata.namespace
        if namespace:
            fields["namespace"] = namespace
        fields["name"], fields["uid"] = name, metadata.uid
        token = kubernetes.token(resource, namespace, name)
        reason, heartbeat = self._origin(token, metadata.resource_version)
        kind = fields["type"]
        seq = self._say(
            line,
            fields,
            label=f"{kind} {kubernetes.singular(resource)} {name}",
            reason=reason,
            heartbeat=heartbeat,
        )
        if not heartbeat:
            scribe = self._conversation.scribe
            scribe.causes.heard(self._conversation.client, seq, scribe.now, thing.tokens(resource))

    def _bookmark(self, line: bytes, fields: dict[str, Any]) -> None:
        version = fields["resourceVersion"]
        self._say(line, fields, label=f"BOOKMARK {version}", reason=TIMER, heartbeat=True)

    def _error(self, line: bytes, fields: dict[str, Any], thing: Thing) -> None:
        fields["code"], fields["reason"], fields["message"] = thing.code, thing.reason, thing.message
        seq = self._say(
            line,
            fields,
            label=f"ERROR {thing.code or ''} {thing.reason or ''}".rstrip(),
            reason=Reason(self._request),
        )
        scribe = self._conversation.scribe
        collection = kubernetes.token(self._asked.resource, self._asked.namespace, "")
        scribe.causes.heard(self._conversation.client, seq, scribe.now, [collection])

    def _unreadable(self, line: bytes) -> None:
        fields = {"type": "", "resource": self._asked.resource, "unreadable": "not a watch event"}
        self._say(line, fields, label="unreadable", reason=Reason(self._request))

    def _origin(self, token: str, version: str) -> tuple[Reason, bool]:
        """Join an event with etcd's, or, of what happened before the watch began, with the request."""
        change = self._conversation.causes.change(self._conversation.server, token, version)
        if change is not None and (self._request is None or change[0] > self._request):
            return Reason(change[0]), change[1]
        return Reason(self._request), False

    def _say(self, line: bytes, fields: dict[str, Any], *, label: str, reason: Reason, heartbeat: bool = False) -> int:
        conversation = self._conversation
        event = Said(
            STORY,
            "watch.event",
            label,
            fields,
            reason,
            stream=self._stream,
            size=len(line),
            heartbeat=heartbeat,
        )
        return conversation.say(False, event, Evidence(self._pieces, body=line, body_type="application/json"))


def watch_key(asked: Asked) -> str:
    """Name what a watch watches, whatever version it starts from."""
    return "?".join((asked.path.partition("?")[0], asked.parameter("fieldSelector"), asked.parameter("labelSelector")))
