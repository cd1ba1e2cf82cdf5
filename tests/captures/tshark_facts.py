"""What the real tshark reads in a capture with its keys inside, as facts (`facts`).

tshark finds the protocols by itself, and is told of one port only: HTTP/2 without TLS, as CRI is spoken, it looks for
nowhere by itself. Its JSON has a name more than once where a packet has several
records or frames, and keeps their order, so objects are read as pairs.

    layers: tcp {flags: 0x18}, tls {record {handshake {type: 1}}}       client_hello
            tcp {flags: 0x18}, http2 {stream {type: 1, streamid: 3, header {name: ":method", value: "GET"} …}}
"""

import json
import re
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster_engine.export.pcapng import CRI_PORT
from tests.captures.facts import HTTP1, HTTP2, TCP, TLS, WEBSOCKET, Fact, Thread

Pairs = list[tuple[str, Any]]

SECONDS_MAX = 300
SHOWN = "frame tcp tls http http2 websocket"
PASSED_OVER = ("json", "protobuf", "grpc", "xml", "data-text-lines")
OPTIONS = {
    "tcp.try_heuristic_first": "TRUE",
    "tcp.reassemble_out_of_order": "TRUE",
}
SYN, FIN, RST, ACK = 0x02, 0x01, 0x04, 0x10
HANDSHAKE = {
    1: "client_hello", 2: "server_hello", 4: "new_session_ticket", 8: "encrypted_extensions", 11: "certificate",
    12: "server_key_exchange", 13: "certificate_request", 14: "server_hello_done", 15: "certificate_verify",
    16: "client_key_exchange", 20: "finished", 24: "key_update",
}  # fmt: skip
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM = ACKNOWLEDGES = 0x01
CERTIFICATE_REQUIRED = 116
"""The ssl module has no name for it."""
TEXT, BINARY, CLOSE = 1, 2, 8
WATCHES = re.compile(r"[?&]watch=(1|true)\b|/watch/")


def read(file: Path, *more: str, shown: str = "") -> list[Pairs]:
    """Have tshark read a capture; return the layers of each frame, with those of a protocol `shown` besides.

    Of a layer that it can say nothing of, a segment in the middle of a record, it prints the name instead of fields.
    """
    line = ["tshark", "-r", str(file), "-T", "json", "-J", f"{SHOWN} {shown}", "-d", f"tcp.port=={CRI_PORT},http2"]
    line += [word for name, value in OPTIONS.items() for word in ("-o", f"{name}:{value}")]
    line += [word for one in PASSED_OVER if one != shown for word in ("--disable-protocol", one)]
    line += more
    done = subprocess.run(line, capture_output=True, check=True, timeout=SECONDS_MAX)
    frames = json.loads(done.stdout, object_pairs_hook=list)
    all_layers = (_first(_first(frame, "_source"), "layers") for frame in frames)
    return [[(name, layer) for name, layer in layers if isinstance(layer, list)] for layers in all_layers]


def tshark_facts(frames: Sequence[Pairs], connections: Sequence[tuple[int, bool]]) -> list[Fact]:
    """Return the facts of all frames; `connections` says to whom each belongs."""
    reading = Reading()
    for number, (layers, (connection, from_client)) in enumerate(zip(frames, connections, strict=True), start=1):
        reading.frame(f"frame {number}", layers, connection, from_client=from_client)
    return reading.facts


class Exchange:
    """A stream of HTTP/2: what was asked, and which facts are not due yet, by who said them."""

    def __init__(self) -> None:
        self.asked: Mapping[str, str] = {}
        self.open: dict[bool, int] = {}
        self.block_ends_stream = False

    @property
    def is_grpc(self) -> bool:
        """Whether it is a call of gRPC, whose outcome stands in the trailers."""
        return self.asked.get("content-type", "").startswith("application/grpc")


class Reading:
    """Goes through frames; `facts` are what they have said so far."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._exchanges: dict[tuple[int, str], Exchange] = {}
        self._where, self._connection, self._from_client = "", 0, False

    def frame(self, where: str, layers: Pairs, connection: int, *, from_client: bool) -> None:
        """Take a frame's layers."""
        self._where, self._connection, self._from_client = where, connection, from_client
        for name, layer in layers:
            match name:
                case "tcp":
                    self._tcp(int(_first(layer, "tcp.flags"), 16))
                case "tls":
                    self._tls(layer)
                case "http":
                    self._http1(layer)
                case "http2":
                    for stream in _all(layer, "http2.stream"):
                        self._http2(stream)
                case "websocket":
                    self._websocket(layer)

    def _say(self, thread: str, said: str, *, is_due: bool = True) -> int:
        self.facts.append(Fact(Thread(self._connection, self._from_client, thread), said, self._where, is_due))
        return len(self.facts) - 1

    def _tcp(self, flags: int) -> None:
        if flags & SYN:
            self._say(TCP, "SYN, ACK" if flags & ACK else "SYN")
        if flags & FIN:
            self._say(TCP, "FIN")
        if flags & RST:
            self._say(TCP, "RST")

    def _tls(self, layer: Pairs) -> None:
        for name, value in _within(layer):
            if name == "tls.handshake.type":
                self._say(TLS, HANDSHAKE.get(int(value), f"handshake {value}"))
            elif name == "tls.alert_message.desc":
                self._say(TLS, f"alert {_alert(int(value))}")

    def _http1(self, layer: Pairs) -> None:
        found = dict(_within(layer))
        if "http.request.method" in found:
            self._say(HTTP1, f"{found['http.request.method']} {found['http.request.uri']}")
        elif (status := found.get("http.response.code", "1")) >= "2" or status == "101":
            self._say(HTTP1, status)

    def _websocket(self, layer: Pairs) -> None:
        found = dict(_within(layer))
        opcode = int(found["websocket.opcode"])
        if opcode in (TEXT, BINARY):
            self._say(WEBSOCKET, "message")
        elif opcode == CLOSE:
            self._say(WEBSOCKET, f"close {found['websocket.payload.close.status_code']}")

    # -- HTTP/2 --------------------------------------------------------------------------------------------------------

    def _http2(self, frame: Pairs) -> None:
        found = dict(frame)
        if "http2.type" not in found:
            return  # the preface
        kind, flags, stream = int(found["http2.type"]), int(found["http2.flags"], 16), found["http2.streamid"]
        match kind:
            case 4 | 6:
                word = "SETTINGS" if kind == SETTINGS else "PING"
                self._say(HTTP2, f"{word} ACK" if flags & ACKNOWLEDGES else word)
            case 7:
                self._say(HTTP2, f"GOAWAY {found['http2.goaway.error']}")
            case 3:
                self._say(HTTP2, f"RST_STREAM {stream} {found['http2.rst_stream.error']}")
            case 0 | 1 | 9:
                self._exchange(stream, frame, kind, flags)

    def _exchange(self, stream: str, frame: Pairs, kind: int, flags: int) -> None:
        exchange = self._exchanges.setdefault((self._connection, stream), Exchange())
        ends = bool(flags & END_STREAM) if kind != CONTINUATION else exchange.block_ends_stream
        if kind == HEADERS:
            exchange.block_ends_stream = ends
        headers = {
            _first(header, "http2.header.name"): _first(header, "http2.header.value")
            for header in _all(frame, "http2.header")
        }
        if headers:
            self._headers(stream, exchange, headers)
        has_message = kind == DATA and self._from_client and exchange.is_grpc and dict(frame)["http2.length"] != "0"
        if (ends or has_message) and self._from_client in exchange.open:
            at = exchange.open.pop(self._from_client)
            self.facts[at] = self.facts[at]._replace(is_due=True)

    def _headers(self, stream: str, exchange: Exchange, headers: Mapping[str, str]) -> None:
        thread = f"stream {stream}"
        if self._from_client:
            exchange.asked = headers
            said = f"{headers[':method']} {headers[':path']}"
            exchange.open[True] = self._say(thread, said, is_due=False)
        elif exchange.is_grpc:
            if "grpc-status" in headers:
                self._say(thread, f"grpc-status {headers['grpc-status']}")
        elif (status := headers.get(":status", "1")) >= "2":
            is_watch = status == "200" and WATCHES.search(exchange.asked[":path"]) is not None
            exchange.open[False] = self._say(thread, status, is_due=is_watch)


def _alert(number: int) -> str:
    if number == CERTIFICATE_REQUIRED:
        return "certificate_required"
    return ssl.AlertDescription(number).name.lower().removeprefix("alert_description_")


def _all(pairs: Pairs, name: str) -> Iterator[Any]:
    return (value for key, value in pairs if key == name)


def _first(pairs: Pairs, name: str) -> Any:
    return next(_all(pairs, name))


def _within(pairs: Pairs) -> Iterator[tuple[str, Any]]:
    """Yield all fields of a tree that have a value, in order."""
    for name, value in pairs:
        if isinstance(value, list):
            yield from _within([pair for pair in value if isinstance(pair, list | tuple)])
        else:
            yield name, value
