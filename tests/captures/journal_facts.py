"""What a journal says of what crossed the wires, as facts (`facts`).

    tcp.syn "SYN, ACK"                           tcp        SYN, ACK
    tls.client_hello                             tls        client_hello
    http.request {"method": "GET", "path": …}    stream 3   GET /api/v1/nodes
    grpc.request {"service": …, "method": …}     stream 5   POST /etcdserverpb.KV/Range
    grpc.response {"status": "NOT_FOUND"}        stream 5   grpc-status 5
    watch.event on a WebSocket                   websocket  message

Passed over are notes, which cross no wire, what was lost, and what others carry (`watch.event`, `grpc.message`).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from grpclib.const import Status
from h2.errors import ErrorCodes

from tests.captures.facts import HTTP1, HTTP2, TCP, TLS, WEBSOCKET, Fact, Thread

Entry = dict[str, Any]
STREAM_ENDS = {"http.request", "http.response", "grpc.request", "grpc.response"}


def journal_facts(entries: Iterable[Entry]) -> Iterator[Fact]:
    """Yield the facts of a journal, in its order."""
    clients: dict[int, str] = {}
    sockets: set[int] = set()
    going_on: set[int] = set()
    for entry in entries:
        connection = entry["connection"]
        if connection is None:
            continue
        if entry["kind"] == "tcp.syn" and entry["label"] == "SYN":
            clients.setdefault(connection, entry["from"])
        if entry["kind"] == "http.response" and entry["fields"]["status"] == 101:
            sockets.add(connection)
        name, said = _told(entry, is_websocket=connection in sockets)
        if name:
            from_client = entry["from"] == clients.get(connection)
            if entry["kind"] == "http.request" and _goes_on(entry["fields"]):
                going_on.add(entry["seq"])
            is_due = name != HTTP1 or entry["replyTo"] not in going_on
            yield Fact(Thread(connection, from_client, name), said, f"entry {entry['seq']}", is_due)


def _goes_on(request: dict[str, Any]) -> bool:
    """Whether what answers a request is a body that lasts as long as somebody listens."""
    return bool(request["verb"] == "watch" or request["path"].startswith("/raft/stream/"))


def _told(entry: Entry, *, is_websocket: bool) -> tuple[str, str]:
    kind, fields = entry["kind"], entry["fields"]
    family, _, rest = kind.partition(".")
    if kind in STREAM_ENDS:
        stream = entry["stream"]
        return HTTP1 if stream is None else f"stream {stream}", _exchange(kind, fields)
    if is_websocket and kind in ("watch.event", "websocket.message"):
        return WEBSOCKET, "message"
    match family:
        case "tcp" if rest in ("syn", "fin", "rst"):
            return TCP, entry["label"]
        case "tls" if rest == "alert":
            return TLS, f"alert {fields['description']}"
        case "tls" if rest not in ("encrypted", "data"):
            return TLS, rest
        case "h2":
            return HTTP2, _frame(rest, entry)
        case "websocket":
            return WEBSOCKET, f"close {fields['code']}"
    return "", ""


def _exchange(kind: str, fields: dict[str, Any]) -> str:
    match kind:
        case "http.request":
            return f"{fields['method']} {fields['path']}"
        case "http.response":
            return str(fields["status"])
        case "grpc.request":
            return f"POST /{fields['service']}/{fields['method']}"
        case _:
            return f"grpc-status {Status[fields['status']].value}"


def _frame(kind: str, entry: Entry) -> str:
    fields = entry["fields"]
    match kind:
        case "settings" | "ping":
            return f"{kind.upper()} ACK" if fields["ack"] else kind.upper()
        case "goaway":
            return f"GOAWAY {ErrorCodes[fields['error']].value}"
        case _:
            return f"RST_STREAM {entry['stream']} {ErrorCodes[fields['error']].value}"
