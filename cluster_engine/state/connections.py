"""Hosts, their programs, and connections, as the journal tells of them.

Theory of operation. A program lives from its note of a start to that of its end; a host that ran programs of its own
and has none is down. A connection is open from the server's SYN until both ends have said FIN, or one RST. What is
spoken over it is told by what the lens could read; who its client is, by the certificate or the token it has shown; how
much, by the payloads of the packets that led to its entries, counted where they arrived. Of a capture that begins
within a connection this one is open since the first packet with a payload.

    facts of connection 17 at 500    {"to": "control-plane/kube-apiserver", "tls": "TLS 1.3", "spoken": "HTTP/2", …}
"""

import sys
from bisect import bisect_right
from typing import Any

from cluster_engine.journal import Entry, Journal
from cluster_engine.lens.evidence import StoredSegment, unpack_connection, unpack_segment
from cluster_engine.state.callers import common_name, token_claims
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Timeline

SPOKEN = {"grpc": "gRPC", "websocket": "WebSocket", "raft": "Raft"}


class Facts:
    """What is so, by name, and since when; a value that does not change takes no room."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[int], list[Any]]] = {}

    def note(self, seq: int, name: str, value: Any) -> None:
        """Note that something is so from `seq` on."""
        seqs, values = self._known.setdefault(name, ([], []))
        if not values or values[-1] != value:
            seqs.append(seq)
            values.append(value)

    def at(self, seq: int, name: str) -> Any:
        """Say how it was at `seq`, None where that was not known."""
        seqs, values = self._known.get(name, ([], []))
        after = bisect_right(seqs, seq)
        return values[after - 1] if after else None

    def last(self, name: str) -> Any:
        """Say how it is at the end."""
        known = self._known.get(name)
        return known[1][-1] if known else None


class Connection:
    """One connection. `bytes`: what the client and the server had sent at each of its entries."""

    __slots__ = ("bytes", "client", "closed", "facts", "opened", "port", "received", "sent")

    def __init__(self, opened: int, client: str, port: int) -> None:
        self.opened = opened
        self.client = client
        self.port = port
        self.closed: int | None = None
        self.facts = Facts()
        self.bytes = Timeline()
        self.sent = self.received = 0

    def is_open(self, at: int) -> bool:
        """Whether it was established and not yet over."""
        return bool(self.facts.at(at, "established")) and (self.closed is None or self.closed > at)


class Connections:
    """All connections whose beginning was seen, by number, all hosts by name, and when each kube-proxy has loaded."""

    def __init__(self, reader: Reader, journal: Journal, *, from_within: bool = False) -> None:
        self._from_within = from_within
        self.by_number: dict[int, Connection] = {}
        self.hosts: dict[str, Facts] = {}
        self.synced: dict[str, Timeline] = {}
        self._reader = reader
        self._journal = journal

    def take(self, entry: Entry) -> None:
        """Read one entry more."""
        self._packets(entry["seq"])
        kind = entry["kind"]
        if kind in ("process.started", "process.exited"):
            self._process(entry, entry["fields"])
        elif kind == "proxy.synced":
            self.synced.setdefault(entry["from"], Timeline()).append(entry["seq"], 0, 0)
        elif entry["connection"] is not None:
            if kind == "tcp.syn" and "client" in entry["fields"]:
                self._open(entry)
            if (connection := self.by_number.get(entry["connection"])) is not None:
                self._heard(connection, entry, kind)

    def forget(self, first: int) -> None:
        """Forget connections that were over before entry `first`."""
        for number, one in list(self.by_number.items()):
            one.bytes.forget(first)
            if one.closed is not None and one.closed < first:
                del self.by_number[number]

    def _packets(self, seq: int) -> None:
        """Count the payloads of the packets that led to an entry."""
        packets = self._journal.packets
        for number in packets.between(seq, seq):
            position = packets.position(number)
            packed = None if position is None else self._journal.read(position)
            segment = None if packed is None else unpack_segment(packed)
            if segment is None or segment.arrived is None or not segment.payload:
                continue
            connection = self.by_number.get(segment.connection) or self._begun_before(seq, segment)
            if connection is not None:
                if segment.from_client:
                    connection.sent += len(segment.payload)
                else:
                    connection.received += len(segment.payload)

    def _begun_before(self, seq: int, segment: StoredSegment) -> Connection | None:
        """Take up a connection whose beginning nobody saw, where that may be."""
        told = self._journal.read(segment.told) if self._from_within else None
        stored = None if told is None else unpack_connection(told)
        if stored is None or stored.protocol != "tcp":
            return None
        connection = Connection(seq, stored.client_process, stored.server.port)
        connection.facts.note(seq, "established", True)
        self.by_number[segment.connection] = connection
        return connection

    def _process(self, entry: Entry, fields: Entry) -> None:
        name, _, program = entry["from"].partition("/")
        host = self.hosts.setdefault(name, Facts())
        running = dict(host.last("programs") or {})
        key = (program, fields.get("pid"))
        if entry["kind"] == "process.started":
            host.note(entry["seq"], "address", fields.get("address", ""))
            running[key] = entry["at"]
            if entry["trigger"] == "start":
                host.note(entry["seq"], "has programs of its own", True)
        else:
            running.pop(key, None)
        host.note(entry["seq"], "programs", running)

    def _open(self, entry: Entry) -> None:
        port = entry["fields"].get("server", "").rpartition(":")[2]
        number = entry["connection"]
        if number not in self.by_number:
            self.by_number[number] = Connection(entry["seq"], entry["from"], int(port) if port.isdecimal() else 0)

    def _heard(self, connection: Connection, entry: Entry, kind: str) -> None:
        seq, fields, facts = entry["seq"], entry["fields"], connection.facts
        from_client = entry["from"] == connection.client
        connection.bytes.append(seq, connection.sent, connection.received)
        facts.note(seq, "to", entry["to"] if from_client else entry["from"])
        family = kind.partition(".")[0]
        if kind == "tcp.syn":
            if not from_client:
                facts.note(seq, "established", True)
        elif kind in ("tcp.fin", "tcp.rst", "icmp.unreachable"):
            self._ends(connection, seq, kind, "client" if from_client else "server")
        elif kind == "tls.server_hello":
            facts.note(seq, "tls", fields.get("version"))
        elif kind == "tls.certificate" and fields.get("subject"):
            facts.note(seq, "client certificate" if from_client else "server certificate", (seq, entry["from"]))
            if from_client:
                facts.note(seq, "identity", fields.get("commonName") or fields["subject"])
        elif family in SPOKEN:
            facts.note(seq, "spoken", SPOKEN[family])
        elif family in ("h2", "http") and facts.last("spoken") is None:
            facts.note(seq, "spoken", "HTTP/2" if family == "h2" or entry["stream"] is not None else "HTTP/1.1")
        if kind == "http.request":
            if fields.get("certificate"):
                facts.note(seq, "identity", common_name(fields["certificate"]))
            else:
                self._token(connection, seq)

    def _token(self, connection: Connection, seq: int) -> None:
        claims = token_claims(self._reader, seq)
        if claims is not None and "sub" in claims:
            connection.facts.note(seq, "identity", sys.intern(str(claims["sub"])))
            tokens = connection.facts.last("tokens") or {}
            known = _known(claims)
            if known not in tokens:
                connection.facts.note(seq, "tokens", {**tokens, known: seq})

    def _ends(self, connection: Connection, seq: int, kind: str, end: str) -> None:
        connection.facts.note(seq, f"{end} ended", True)
        both = connection.facts.last("client ended") and connection.facts.last("server ended")
        if connection.closed is None and (kind != "tcp.fin" or both):
            connection.closed = seq


def _known(claims: Entry) -> tuple[str, str, int | None]:
    """Say of a token what may be shown: whose it is, for whom, until when."""
    audience, expires = claims.get("aud"), claims.get("exp")
    audiences = audience if isinstance(audience, list) else [audience] if audience else []
    until = int(expires) if isinstance(expires, int | float) and abs(expires) < 2**53 else None
    return str(claims["sub"]), ", ".join(map(str, audiences)), until
