"""Captures made in memory: real TLS engines and real HTTP machines on both ends, and no network.

A `Capture` records what a tap would hear (connections, segments, secrets, notes) as a list that can be replayed to a
lens as often as a test likes, cut into other segments each time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import h2.config
import h2.connection
import h2.events

from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.pki.authority import Authority, KeyPair, Usage
from cluster_engine.world.tap import Connection, Endpoint, Note, Segment
from cluster_engine.world.tls import ClientEngine, ServerTLS, client_tls

Cut = Callable[[bytes], Iterable[bytes]]
KUBECTL, API, ETCD = "workstation/kubectl", "control-plane/kube-apiserver", "control-plane/etcd"


def whole(payload: bytes) -> list[bytes]:
    return [payload]


def byte_by_byte(payload: bytes) -> list[bytes]:
    return [payload[at : at + 1] for at in range(len(payload))]


@dataclass
class Capture:
    """What a tap hears, in order. Times are virtual seconds; `at` is moved by the test."""

    heard: list[Any] = field(default_factory=list)
    at: float = 1.0
    connections: int = 0

    def connect(self, client: str = KUBECTL, server: str = API, *, port: int = 6443) -> int:
        self.connections += 1
        number = self.connections
        ends = Endpoint("10.0.0.100", 40000 + number), Endpoint("10.0.0.1", port)
        self.heard.append(Connection(number, *ends, client, server, self.at))
        self.flag(number, True, "S")
        self.flag(number, False, "SA")
        self.flag(number, True, "A")
        return number

    def flag(self, number: int, from_client: bool, flags: str, payload: bytes = b"", *, lost: bool = False) -> None:
        self.heard.append(("segment", number, from_client, flags, payload, self.at, lost))

    def data(self, number: int, from_client: bool, payload: bytes) -> None:
        if payload:
            self.flag(number, from_client, "PA", payload)

    def note(self, process: str, kind: str, text: str = "", /, **fields: Any) -> None:
        self.heard.append(Note(self.at, process, process.partition("/")[0], kind, text, fields))

    def secret(self, line: str) -> None:
        self.heard.append(line)

    def replay(self, lens: Lens, cut: Cut = whole) -> None:
        numbers: dict[tuple[int, bool], int] = {}
        count = 0
        for heard in self.heard:
            if isinstance(heard, Connection):
                lens.connection(heard)
            elif isinstance(heard, str):
                lens.secret(heard)
            elif isinstance(heard, Note):
                lens.note(heard)
            else:
                _, number, from_client, flags, payload, at, lost = heard
                for part in cut(payload) if payload else [b""]:
                    count += 1
                    sequence = numbers.get((number, from_client), 0)
                    if not lost:
                        numbers[number, from_client] = sequence + len(part) + ("S" in flags) + ("F" in flags)
                    arrived = None if lost else at
                    lens.segment(Segment(count, number, from_client, at, arrived, flags, sequence, 0, part))

    def entries(self, cut: Cut = whole) -> list[dict[str, Any]]:
        """Replay to a fresh lens; give the journal."""
        return self.journal(cut).since(0, 100_000)

    def journal(self, cut: Cut = whole) -> Journal:
        journal = Journal()
        self.replay(Lens(journal), cut)
        return journal


@cache
def authority(name: str = "kubernetes") -> Authority:
    return Authority(name, now=datetime.now(UTC))


@cache
def server_pair() -> KeyPair:
    return authority().issue("kube-apiserver", usage=Usage.SERVER, names=["kube-apiserver", "10.0.0.1"])


@cache
def client_pair() -> KeyPair:
    return authority().issue("kubernetes-admin", usage=Usage.CLIENT, organizations=["kubeadm:cluster-admins"])


class Secured:
    """A TLS connection of two real engines; what they send each other goes into a capture."""

    def __init__(
        self,
        capture: Capture,
        number: int,
        *,
        alpn: tuple[str, ...] = ("h2",),
        client: KeyPair | None = None,
        tls12: bool = False,
        suites: str = "",
        with_secrets: bool = True,
        client_auth: str = "request",
    ) -> None:
        self.capture, self.number = capture, number
        server = ServerTLS(
            server_pair().certificate,
            server_pair().key,
            client_ca=authority().pair.certificate,
            client_auth=client_auth,
            alpn=alpn,
        )
        if with_secrets:
            server.on_secret = capture.secret
        pair = client or client_pair()
        context = client_tls(ca=authority().pair.certificate, certificate=pair.certificate, key=pair.key, alpn=alpn)
        if tls12:
            import ssl

            context.maximum_version = ssl.TLSVersion.TLSv1_2
            if suites:
                context.set_ciphers(suites)
        elif suites:
            server._context.set_tls13_ciphersuites(suites.encode())
        self.client = ClientEngine(context, "kube-apiserver")
        self.server = server.engine()

    def shake_hands(self) -> None:
        done = [False, False]
        for _ in range(10):
            if not done[1]:
                done[1] = self.client.handshake()
            self.pump(True)
            if not done[0]:
                done[0] = self.server.handshake()
            self.pump(False)
            if all(done):
                self.pump(True)
                return
        raise AssertionError("no handshake")

    def pump(self, from_client: bool) -> None:
        source, target = (self.client, self.server) if from_client else (self.server, self.client)
        data = source.outgoing()
        self.capture.data(self.number, from_client, data)
        if data:
            target.feed(data)

    def send(self, from_client: bool, plaintext: bytes) -> None:
        if not plaintext:
            return
        source, target = (self.client, self.server) if from_client else (self.server, self.client)
        source.write(plaintext)
        self.pump(from_client)
        assert target.read() == plaintext


class Clear:
    """A connection without TLS, as on a unix socket."""

    def __init__(self, capture: Capture, number: int) -> None:
        self.capture, self.number = capture, number

    def send(self, from_client: bool, data: bytes) -> None:
        self.capture.data(self.number, from_client, data)


class H2:
    """Two h2 state machines over a connection; `flush` sends what they have to say."""

    def __init__(self, wire: Secured | Clear) -> None:
        self.wire = wire
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self.server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.flush()

    def flush(self) -> None:
        for _ in range(3):
            for from_client, source, target in ((True, self.client, self.server), (False, self.server, self.client)):
                data = source.data_to_send()
                if data:
                    self.wire.send(from_client, data)
                    for event in target.receive_data(data):
                        if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                            target.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def request(self, method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> int:
        stream = self.client.get_next_available_stream_id()
        every = [(":method", method), (":scheme", "https"), (":authority", "10.0.0.1:6443"), (":path", path), *headers]
        self.client.send_headers(stream, every, end_stream=not body)
        if body:
            self.client.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def respond(
        self,
        stream: int,
        status: int,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        end: bool = True,
    ) -> None:
        headers = [(":status", str(status)), ("content-type", content_type)]
        self.server.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.server.send_data(stream, body, end_stream=end)
        self.flush()

    def more(self, stream: int, body: bytes, *, end: bool = False) -> None:
        self.server.send_data(stream, body, end_stream=end)
        self.flush()


def secured_h2(capture: Capture, client: str = KUBECTL, server: str = API, **how: Any) -> H2:
    wire = Secured(capture, capture.connect(client, server), **how)
    wire.shake_hands()
    return H2(wire)


def clear_h2(capture: Capture, client: str, server: str) -> H2:
    return H2(Clear(capture, capture.connect(client, server, port=0)))


def kinds(entries: Iterable[dict[str, Any]], prefix: str = "") -> list[str]:
    return [entry["kind"] for entry in entries if entry["kind"].startswith(prefix)]


def one(entries: Iterable[dict[str, Any]], kind: str, **fields: Any) -> dict[str, Any]:
    """The only entry of a kind with these fields."""
    found = [
        entry
        for entry in entries
        if entry["kind"] == kind and all(entry["fields"].get(key) == value for key, value in fields.items())
    ]
    assert len(found) == 1, f"{len(found)} entries of {kind} with {fields}"
    return found[0]


def chain(entries: list[dict[str, Any]], entry: dict[str, Any]) -> list[dict[str, Any]]:
    """From an entry back to where it began."""
    by_seq = {other["seq"]: other for other in entries}
    found = [entry]
    while entry["cause"] is not None:
        assert entry["cause"] < entry["seq"]
        entry = by_seq[entry["cause"]]
        found.append(entry)
    return found


class Grpc:
    """gRPC over a pair of h2 machines: messages with their five bytes, and trailers."""

    def __init__(self, h2_pair: H2) -> None:
        self.h2 = h2_pair

    def ask(self, path: str, message: Any | None = None, *, end: bool = True) -> int:
        client = self.h2.client
        stream = client.get_next_available_stream_id()
        headers = [(":method", "POST"), (":scheme", "http"), (":authority", "etcd"), (":path", path)]
        client.send_headers(stream, [*headers, ("content-type", "application/grpc"), ("te", "trailers")])
        if message is not None:
            client.send_data(stream, prefixed(message), end_stream=end)
        self.h2.flush()
        return stream

    def say(self, stream: int, message: Any, *, from_client: bool = True) -> None:
        side = self.h2.client if from_client else self.h2.server
        side.send_data(stream, prefixed(message))
        self.h2.flush()

    def open_answer(self, stream: int) -> None:
        self.h2.server.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        self.h2.flush()

    def end(self, stream: int, status: int = 0, message: str = "") -> None:
        trailers = [("grpc-status", str(status)), *([("grpc-message", message)] if message else [])]
        self.h2.server.send_headers(stream, trailers, end_stream=True)
        self.h2.flush()

    def answer(self, stream: int, message: Any) -> None:
        self.open_answer(stream)
        self.say(stream, message, from_client=False)
        self.end(stream)


def prefixed(message: Any) -> bytes:
    data = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4) + data
