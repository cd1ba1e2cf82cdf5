"""An audit log of a real cluster: each line becomes a note of the API server, as our API server writes them.

    {"kind": "Event", "auditID": "2f0c…", "stage": "ResponseComplete", "verb": "get", "user": {"username": "alice"}, …}
    -> audit.event "ResponseComplete get pods/web-0", at its `stageTimestamp`

An audit log says what was asked of an API server, never what crossed a wire: there are no messages, only notes. Lines
are taken in the order of their times. Modelled on apis/audit/v1. Bounded: `LINES_MAX` events, `LINE_BYTES_MAX` each;
what is no event is counted and passed over.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from cluster_engine.export.selection import nanoseconds_of
from cluster_engine.lens.evidence import Evidence
from cluster_engine.lens.lens import Lens
from cluster_engine.world.tap import Note

LINES_MAX = 200_000
LINE_BYTES_MAX = 1024 * 1024
NOTED_LENGTH_MAX = 8192
"""Longer lines are not in a note's fields, as with our own API server; here they are what it opens to."""
API_SERVER = "kube-apiserver"


class _Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class _User(msgspec.Struct):
    username: str = ""


class _Event(msgspec.Struct, rename="camel"):
    kind: str
    audit_id: str = msgspec.field(name="auditID")
    stage: str
    verb: str = ""
    level: str = ""
    request_uri: str = msgspec.field(name="requestURI", default="")
    user: _User = msgspec.field(default_factory=_User)
    object_ref: _Reference | None = None
    stage_timestamp: datetime | None = None
    request_received_timestamp: datetime | None = None


_decode = msgspec.json.Decoder(_Event).decode


def is_audit_log(data: bytes) -> bool:
    """Whether a file begins like an audit log."""
    return _event(data[:LINE_BYTES_MAX].lstrip().partition(b"\n")[0]) is not None


class AuditLog:
    """A log's lines, as events in the order of their times; `passed_over` of them are none, or too many."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._events: list[tuple[datetime, int, bytes, _Event]] = []
        self.passed_over = 0
        for number, line in enumerate(lines):
            event = _event(line) if number < LINES_MAX else None
            at = None if event is None else event.stage_timestamp or event.request_received_timestamp
            if event is None or at is None:
                self.passed_over += bool(line.strip())
            else:
                self._events.append((at, number, line, event))
        self._events.sort(key=lambda one: one[:2])

    @property
    def began_ns(self) -> int:
        """The date of the first event, in nanoseconds since 1970; 0 where there is none."""
        return nanoseconds_of(self._events[0][0]) if self._events else 0

    def tell(self, lens: Lens) -> None:
        """Write the events as notes."""
        for at, _, line, event in self._events:
            note = _note((at - self._events[0][0]).total_seconds(), line, event)
            lens.note(note, Evidence(body=line, body_type="application/json"))


def _event(line: bytes) -> _Event | None:
    if not line.startswith(b"{") or len(line) > LINE_BYTES_MAX:
        return None
    try:
        event = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    stamps = (event.stage_timestamp, event.request_received_timestamp)
    return event if event.kind == "Event" and all(one is None or one.tzinfo for one in stamps) else None


def _note(at: float, line: bytes, event: _Event) -> Note:
    fields = {"auditID": event.audit_id, "stage": event.stage, "level": event.level, "verb": event.verb}
    about = event.request_uri
    if (reference := event.object_ref) is not None:
        fields |= {"resource": reference.resource, "namespace": reference.namespace, "name": reference.name}
        about = "/".join(filter(None, (reference.resource, reference.name, reference.subresource)))
    if len(line) <= NOTED_LENGTH_MAX:
        fields["line"] = line.decode("utf-8", "replace")
    who = f" by {event.user.username}" if event.user.username else ""
    return Note(
        at, f"{API_SERVER}/{API_SERVER}", API_SERVER, "audit.event", f"{event.stage} {event.verb} {about}{who}", fields
    )
