"""Spans for what reads OpenTelemetry: requests with their answers, and what each follows from.

Theory of operation. A trace is seen from the wire alone, as the journal has it: no component is instrumented. A request
and its answer are a client's span, of the participant that asks. What came without being asked for each time (a watch
event, a message on a stream) is a consumer's span of the participant that heard it, and a note an internal one of who
wrote it. So every cause has a span:

    a request not yet answered, made to who speaks now     its span is the parent           POST pods → Txn to etcd
    an answer to who speaks now                            the same parent, and a link      GET → 404 → POST
    anything else                                          a link, and a trace of its own   watch event ⇢ Binding

    {"resourceSpans": [{"resource": {"attributes": [service.name kubectl, host.name workstation]}, "scopeSpans": …}]}

One line is one such document, of up to `SPANS_AT_ONCE` spans (OTLP file exporter; opentelemetry.io/docs/specs/otel/
protocol/file-exporter). Names of attributes are OpenTelemetry's semantic conventions; ours begin with "glassplane.".
Housekeeping is left out. Bounded: of requests without an answer the latest `OPEN_MAX` wait for one, and at least half
of the latest `KNOWN_MAX` causes are known; what is older is written without an end of its own, or not linked.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from cluster_engine.export.selection import Context, Selection, entries
from cluster_engine.journal import Entry, Journal
from cluster_engine.journal.recent import Recent

SPANS_AT_ONCE = 256
OPEN_MAX = 4096
KNOWN_MAX = 1 << 16
REQUESTS = ("http.request", "grpc.request", "dns.query", "command.started")
ANSWERS = ("http.response", "grpc.response", "dns.response", "command.finished")
INTERNAL, CLIENT, CONSUMER = 1, 3, 5
OK, ERROR = 1, 2
ATTRIBUTES = {
    "http.request": {"method": "http.request.method", "path": "url.path", "verb": "k8s.verb"},
    "http.response": {"status": "http.response.status_code"},
    "grpc.request": {"service": "rpc.service", "method": "rpc.method"},
    "dns.query": {"name": "dns.question.name"},
}
"""Of which fields attributes are made; what an object is has the same names in all of them."""
OBJECT = {"resource": "k8s.resource", "namespace": "k8s.namespace.name", "name": "k8s.object.name"}
_encode = msgspec.json.Encoder().encode


class Span(msgspec.Struct):
    """A span that may still go on; `trace` is the seq of its first, `parent` that of the span above it, 0 for none."""

    seq: int
    trace: int
    parent: int
    who: str
    listener: str
    written: dict[str, Any]


class Cause(msgspec.Struct, frozen=True):
    """What may be a cause: an entry of a span; `heard_by` is whose request it answers, "" where it answers none."""

    span: int
    trace: int
    parent: int
    heard_by: str = ""


def otlp(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield lines of spans; those without an answer come last."""
    spans = Spans(context)
    for entry in entries(journal, selection):
        if entry is not None and entry["layer"] == "story" and not entry["heartbeat"]:
            spans.take(entry)
        yield spans.line() if len(spans.done) >= SPANS_AT_ONCE else b""
    spans.finish()
    while spans.done:
        yield spans.line()


class Spans:
    """Makes spans of entries, in order; `done` are those that are to be written."""

    def __init__(self, context: Context) -> None:
        self.done: list[Span] = []
        self._context = context
        self._open: dict[int, Span] = {}
        self._known: Recent[int, Cause] = Recent(KNOWN_MAX)

    def take(self, entry: Entry) -> None:
        """Take one entry of the story."""
        kind, seq = entry["kind"], entry["seq"]
        asked = entry["replyTo"] if kind != "command.finished" else self._command(entry)
        span = self._open.get(asked) if kind in ANSWERS and asked is not None else None
        if span is not None:
            self._end(span, entry)
            return
        span = self._begin(entry)
        self._known[seq] = Cause(seq, span.trace, span.parent)
        if kind in REQUESTS:
            self._open[seq] = span
            if len(self._open) > OPEN_MAX:
                self.done.append(self._open.pop(next(iter(self._open))))
        else:
            self.done.append(span)

    def line(self) -> bytes:
        """Return a line of what is done, by participant."""
        now, self.done = self.done[:SPANS_AT_ONCE], self.done[SPANS_AT_ONCE:]
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for span in now:
            found[span.who].append(span.written)
        return _encode({"resourceSpans": [_resource(who, spans) for who, spans in found.items()]}) + b"\n"

    def finish(self) -> None:
        """Let go of what has no answer."""
        self.done += self._open.values()
        self._open = {}

    def _command(self, entry: Entry) -> int | None:
        """Find the command that has finished: the latest that its author began."""
        mine = (seq for seq in reversed(self._open) if self._open[seq].listener == f"command of {entry['from']}")
        return next(mine, None)

    def _begin(self, entry: Entry) -> Span:
        kind, seq, cause = entry["kind"], entry["seq"], entry["cause"]
        is_request, begin = kind in REQUESTS, self._context.nanoseconds(entry["at"])
        is_note = entry["to"] is None
        who = entry["from"] if is_request or is_note else entry["to"]
        arrived = entry["at"] if entry["arrived"] is None else entry["arrived"]
        written: dict[str, Any] = {
            "traceId": "",
            "spanId": _span_id(seq),
            "name": entry["label"],
            "kind": INTERNAL if is_note else CLIENT if is_request else CONSUMER,
            "startTimeUnixNano": str(begin),
            "endTimeUnixNano": str(self._context.nanoseconds(arrived)),
            "attributes": _attributes(entry),
        }
        listener = f"command of {who}" if kind == "command.started" else entry["to"] or ""
        span = Span(seq, seq, 0, who, listener, written)
        if known := None if cause is None else self._known.get(cause):
            self._follow(span, known, entry["from"])
        if span.parent:
            written["parentSpanId"] = _span_id(span.parent)
        written["traceId"] = self._trace_id(span.trace)
        return span

    def _follow(self, span: Span, cause: Cause, speaker: str) -> None:
        """Put a span where its cause says."""
        above = self._open.get(cause.span)
        if above is not None and (above.listener == speaker or above.listener.startswith("command of ")):
            span.trace, span.parent = cause.trace, cause.span
            return
        span.written["links"] = [{"traceId": self._trace_id(cause.trace), "spanId": _span_id(cause.span)}]
        if cause.heard_by == speaker and cause.parent in self._open:
            span.trace, span.parent = cause.trace, cause.parent

    def _trace_id(self, seq: int) -> str:
        """Name a trace, otherwise than those of other runs."""
        return f"{self._context.epoch_ns % 2**64:016x}{seq:016x}"

    def _end(self, span: Span, entry: Entry) -> None:
        arrived = entry["at"] if entry["arrived"] is None else entry["arrived"]
        span.written["endTimeUnixNano"] = str(self._context.nanoseconds(arrived))
        span.written["attributes"] += _attributes(entry)
        span.written["status"] = _status(entry)
        self._known[entry["seq"]] = Cause(span.seq, span.trace, span.parent, span.who)
        self.done.append(self._open.pop(span.seq))


def _resource(who: str, spans: list[dict[str, Any]]) -> dict[str, Any]:
    host, _, program = who.rpartition("/")
    attributes = [_attribute("service.name", program), _attribute("host.name", host)]
    return {
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": {"name": "glassplane"}, "spans": spans}],
    }


def _attributes(entry: Entry) -> list[dict[str, Any]]:
    fields, kind = entry["fields"], entry["kind"]
    begins = kind not in ANSWERS
    own = [_attribute("glassplane.seq" if begins else "glassplane.answer.seq", entry["seq"])]
    if begins:
        own.append(_attribute("glassplane.kind", kind))
        if entry["to"] is not None:
            peer = entry["to"] if kind in REQUESTS else entry["from"]
            own.append(_attribute("network.peer.name", peer))
        if entry["connection"] is not None:
            own.append(_attribute("glassplane.connection", entry["connection"]))
    named = ATTRIBUTES.get(kind, {}) | (OBJECT if begins and kind != "dns.query" else {})
    return own + [_attribute(name, fields[key]) for key, name in named.items() if fields.get(key)]


def _attribute(name: str, value: Any) -> dict[str, Any]:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return {"key": name, "value": {"intValue": str(value)} if is_number else {"stringValue": str(value)}}


def _status(answer: Entry) -> dict[str, Any]:
    fields = answer["fields"]
    match answer["kind"]:
        case "http.response":
            failed = int(fields.get("status") or 0) >= 400
        case "grpc.response":
            failed = fields.get("status", "OK") != "OK"
        case "dns.response":
            failed = fields.get("status", "NOERROR") != "NOERROR"
        case _:
            failed = bool(fields.get("exitCode"))
    return {"code": ERROR, "message": answer["label"]} if failed else {"code": OK}


def _span_id(seq: int) -> str:
    return f"{seq:016x}"
