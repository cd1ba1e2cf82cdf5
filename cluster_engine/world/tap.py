"""What the network tells whoever listens: the seam between the world and the lens.

A tap is what a mirror port and a key-log file are in a real data centre: it hears that a connection was opened and by
which processes (as `ss -p` would tell on either host), every segment at the moment it arrives or is lost, the TLS
secrets as `SSLKEYLOGFILE` lines, and the notes that components write about what they did alone. It hears nothing else,
and nothing it does reaches the world: a tap is passive.

Modelled on tcpdump's view of a wire (RFC 9293's flags, sequence and acknowledgement numbers, which begin at 0 here) and
on the NSS key log. Left out: checksums, windows, options, fragmentation.

A worked example, a client that sends two bytes and hangs up:

    connection(Connection(number=1, client=Endpoint("10.0.0.100", 40000), server=Endpoint("10.0.0.1", 6443), …))
    accepted(1, "control-plane/kube-apiserver")
    segment(Segment(number=1, connection=1, from_client=True, flags="S",  sequence=0, acknowledgement=0, payload=b""))
    segment(Segment(number=2, connection=1, from_client=False, flags="SA", sequence=0, acknowledgement=1, payload=b""))
    segment(Segment(number=3, connection=1, from_client=True, flags="PA", sequence=1, acknowledgement=1, payload=b"hi"))
    segment(Segment(number=4, connection=1, from_client=True, flags="FA", sequence=3, acknowledgement=1, payload=b""))
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec


class Endpoint(msgspec.Struct, frozen=True):
    """One end of a connection; of a unix socket the path is the address and the port is 0."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}" if self.port else self.address


class Connection(msgspec.Struct, frozen=True):
    """A connection attempt, told once, before its first segment. Process ids are participants: "worker-1/kubelet".

    `server_process` is who listens when the client asks; the host where nobody does yet, or whose packet filter lets
    nobody through. `client` and `server` are as the client sees them; `translated` are both as the server sees them,
    where packet filters make a difference (a Service's address and that of the pod that answers). What is said by
    `protocol` "udp", or "icmp" (echoes; ports are 0), is no connection but datagrams between two ends.
    """

    number: int
    client: Endpoint
    server: Endpoint
    client_process: str
    server_process: str
    opened: float
    translated: tuple[Endpoint, Endpoint] | None = None
    protocol: str = "tcp"


class Segment(msgspec.Struct, frozen=True):
    """Bytes (or bare flags) that crossed a link; told at arrival, or at sending when lost: then `arrived` is None.

    `flags` is one of "S" "SA" "A" "PA" "FA" "R" "RA". SYN and FIN each take one sequence number, as in RFC 9293. "U" is
    no segment but what answers one: ICMP port unreachable, from the machine whose packet filter rejected it. Datagrams
    have no flags and no numbers; an ICMP echo's payload is its whole message.
    """

    number: int
    connection: int
    from_client: bool
    sent: float
    arrived: float | None
    flags: str
    sequence: int
    acknowledgement: int
    payload: bytes


class Note(msgspec.Struct, frozen=True):
    """Something a participant did alone, in its own words: its log."""

    at: float
    process: str
    host: str
    kind: str
    text: str
    fields: dict[str, Any]


class Tap(Protocol):
    """Whoever listens. Calls come on the cluster's thread, in the order in which things happened."""

    def connection(self, connection: Connection) -> None:
        """Hear of a connection before its first segment."""
        ...

    def accepted(self, connection: int, process: str) -> None:
        """Hear which process answers a connection's SYN, before that segment is told."""
        ...

    def segment(self, segment: Segment) -> None:
        """Hear one segment at its arrival (or loss)."""
        ...

    def secret(self, line: str) -> None:
        """Hear one line of an NSS key log (SSLKEYLOGFILE), as the connection's server wrote it."""
        ...

    def note(self, note: Note) -> None:
        """Hear something that crossed no wire."""
        ...


class GuardedTap:
    """A tap whose exceptions reach nobody who was only speaking; `on_bug` is called with them."""

    def __init__(self, tap: Tap, on_bug: Callable[[Exception], None]) -> None:
        self._tap, self._on_bug = tap, on_bug

    def connection(self, connection: Connection) -> None:
        """See `Tap`."""
        try:
            self._tap.connection(connection)
        except Exception as bug:
            self._on_bug(bug)

    def accepted(self, connection: int, process: str) -> None:
        """See `Tap`."""
        try:
            self._tap.accepted(connection, process)
        except Exception as bug:
            self._on_bug(bug)

    def segment(self, segment: Segment) -> None:
        """See `Tap`."""
        try:
            self._tap.segment(segment)
        except Exception as bug:
            self._on_bug(bug)

    def secret(self, line: str) -> None:
        """See `Tap`."""
        try:
            self._tap.secret(line)
        except Exception as bug:
            self._on_bug(bug)

    def note(self, note: Note) -> None:
        """See `Tap`."""
        try:
            self._tap.note(note)
        except Exception as bug:
            self._on_bug(bug)
