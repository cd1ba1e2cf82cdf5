"""A capture with its keys inside: what crossed the wires, as Wireshark opens it, decrypted.

Theory of operation. The journal keeps every segment and datagram that arrived, with who speaks to whom, and the key
log's lines. Each becomes a packet as our tcpdump writes it (`programs/capture/packets.py`), at its virtual time in
nanoseconds. Before the first packet of a connection stand the names of its hosts, before a ClientHello the secrets of
its session, so that tshark can read on without looking ahead.

    names of 10.0.0.100 and 10.0.0.1 · SYN · SYN, ACK · secrets · ClientHello · ServerHello …

What a capture does not have, or has otherwise than it crossed; its first block says so too:

  - what was lost: it did not arrive, and packets are heard where they arrive, as at a mirror port
  - acknowledgements without data and windows, of which the tap does not tell: all windows are 65,535
  - sequence numbers begin at 0 in the world, and here by the connection's number, as on real hosts they begin anywhere
    (RFC 6528); otherwise a port's second connection would be taken for more of its first
  - addresses are those that the client sees, also where a packet filter has rewritten them on the way
  - a unix socket has no packets: its connections are given an address of their own in 127.254.0.0/16
  - a connection that had begun before has no handshake here, so that Wireshark cannot decrypt it; its first packet has
    a comment that says so
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from cluster_engine.export import blocks
from cluster_engine.export.acknowledgements import Arrived
from cluster_engine.export.keylog import lines, random_in, random_of
from cluster_engine.export.selection import Context, Packet, Selection, packet_of, packets
from cluster_engine.journal import Entry, Journal
from cluster_engine.journal.recent import Recent
from cluster_engine.lens.evidence import StoredConnection, StoredSegment
from cluster_engine.programs.capture.packets import ETHERNET, WINDOW_MAX, address_bytes, ethernet, packets_of
from cluster_engine.world.captures import Frame, Way, back
from cluster_engine.world.tap import Endpoint

UNIX_PORT, CRI_PORT = 4, 6
"""Ports on which Wireshark expects nothing of its own: of unix sockets, and of the one on which CRI is spoken."""
SEQUENCES_APART = 104_729_000
UNIX_CLIENT, LOOPBACK = "127.255.0.1", "127."
WITHHELD_SECONDS = 1.0
"""How long a packet waits for secrets, where a file is written while things happen; a handshake is shorter."""
WRITTEN_AT_ONCE = 512
REMEMBERED_MAX = 1 << 15
"""Connections and sessions, where a file is written for as long as a cluster lives."""
WHOLE = 1 << 62
"""As many as a journal holds, which has a bound of its own."""

ABOUT = (
    "Recorded by Glassplane in a simulated network: entries {first} to {last} of its journal. Packets are heard where "
    "and when they arrive, in virtual time. Not in here: packets that were lost, acknowledgements without data, and "
    "window sizes (all are {window}). Sequence numbers begin by the number of the connection; addresses are as the "
    "client sees them; unix sockets are shown as 127.254.0.0/16."
)
LATE = "it begins before this capture: without its handshake nothing of it can be decrypted"
_NOBODY: Any = None  # a frame's machines, which its bytes do not depend on


def pcapng(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield the file, a few packets at a time."""
    writer = Writer(context, WHOLE)
    yield writer.begin(max(selection.first, journal.first), min(selection.last or journal.head, journal.head))
    writer.learn(lines(journal))
    for packet in packets(journal, selection):
        yield b"" if packet is None else writer.packet(packet)


Ends = tuple[Arrived, Arrived]
"""What has arrived of what the server has sent, and of what the client has."""


class Writer:
    """Writes packets one after another; knows what has been said of the latest connections before.

    Of half of `remembered_max` it does at least: addresses with names, connections, sessions.
    """

    def __init__(self, context: Context, remembered_max: int) -> None:
        self._context = context
        self._secrets: Recent[str, list[str]] = Recent(remembered_max)
        self._named: Recent[str, bool] = Recent(remembered_max)
        self._connections: Recent[int, Ends] = Recent(remembered_max)
        self._greeted: Recent[str, bool] = Recent(remembered_max)

    def begin(self, first: int, last: int | str) -> bytes:
        """Return what a file of these entries begins with."""
        about = ABOUT.format(first=first, last=last, window=WINDOW_MAX)
        heard = "every packet of every host and pod, where it arrives"
        return blocks.section(about, "Glassplane") + blocks.interface(ETHERNET, "glassplane", heard)

    def learn(self, key_log: Iterator[str]) -> bytes:
        """Take lines of the key log; return those for which it is high time, as their ClientHello is written."""
        late = []
        for line in key_log:
            random = random_in(line)
            self._secrets[random] = [*(self._secrets.get(random) or ()), line]
            if self._greeted.get(random):
                late.append(line)
        return _secrets(late)

    def packet(self, packet: Packet) -> bytes:
        """Return a packet, and what has to stand before it; nothing for what was lost."""
        segment, connection = packet.segment, packet.connection
        if segment.arrived is None:
            return b""
        known = self._connections.get(connection.number)
        before = self._names(connection) if known is None else b""
        comment = _introduction(segment, connection) if known is None else ""
        if known is None:
            known = self._connections[connection.number] = Arrived(), Arrived()
        if connection.protocol == "tcp" and (random := random_of(segment.payload, from_client=segment.from_client)):
            self._greeted[random] = True
            before += _secrets(self._secrets.get(random) or [])
        known[segment.from_client].take(segment)
        acknowledged = known[not segment.from_client].at(segment.sent)
        at = self._context.nanoseconds(segment.arrived)
        raw = frames(segment, connection, acknowledged)
        return before + b"".join(blocks.packet(at, one, "" if n else comment) for n, one in enumerate(raw))

    def _names(self, connection: StoredConnection) -> bytes:
        """Name the hosts of a connection that have no name yet."""
        client, server = way_of(connection)
        answers = connection.server if connection.translated is None else connection.translated[1]
        found = {client.address: connection.client_process.partition("/")[0]}
        if is_unix(connection):
            path = connection.server.address.rpartition("/")[2]
            found = {server.address: f"{path}.{connection.server_process.partition('/')[0]}"}
        else:
            found[answers.address] = connection.server_process.partition("/")[0]
        fresh = {
            address_bytes(address): name
            for address, name in found.items()
            if name and not self._named.get(address) and (is_unix(connection) or not address.startswith(LOOPBACK))
        }
        for address in found:
            self._named[address] = True
        return blocks.names(fresh) if fresh else b""


def _secrets(key_log: list[str]) -> bytes:
    return blocks.secrets("".join(f"{line}\n" for line in key_log).encode()) if key_log else b""


def _introduction(segment: StoredSegment, connection: StoredConnection) -> str:
    text = f"connection {connection.number}: {connection.client_process} → {connection.server_process}"
    if connection.translated is not None and connection.translated[1] != connection.server:
        text += f", which leads to {connection.translated[1]}"
    begins = connection.protocol != "tcp" or segment.flags in ("S", "U")
    return text if begins else f"{text}; {LATE}"


# -- a segment's bytes -------------------------------------------------------------------------------------------------


def frames(segment: StoredSegment, connection: StoredConnection, acknowledged: int | None = None) -> Iterator[bytes]:
    """Yield the Ethernet frames of a segment or datagram; what is too long for one has several.

    Up to where it acknowledges is as the tap told it where that is not known better.
    """
    way = way_of(connection) if segment.from_client else back(way_of(connection))
    protocol, about = connection.protocol, None
    if segment.flags == "U":
        client, server = way_of(connection)
        protocol, about = "icmp", (connection.protocol, client, server)
        way = Endpoint(_rejecter(connection), 0), Endpoint(client.address, 0)
    begins = connection.number * SEQUENCES_APART
    frame = Frame(
        protocol=protocol,
        sender=_NOBODY,
        receiver=_NOBODY,
        between=way,
        wire=way,
        is_leaving=False,
        flags=segment.flags,
        sequence=begins + segment.sequence,
        acknowledgement=begins + (segment.acknowledgement if acknowledged is None else acknowledged),
        window=WINDOW_MAX,
        payload=segment.payload,
        about=about,
    )
    is_loopback = way[0].address == way[1].address or way[0].address.startswith(LOOPBACK)
    return (ethernet(*way, packet, is_loopback=is_loopback) for packet in packets_of(frame, way))


def way_of(connection: StoredConnection) -> Way:
    """Return from where to where a client's packets go; of a unix socket addresses that are no other connection's."""
    if not is_unix(connection):
        return connection.client, connection.server
    again, number = divmod(connection.number, 250 * 250)
    high, low = divmod(number, 250)
    port = CRI_PORT if connection.server.address.endswith("/containerd.sock") else UNIX_PORT
    return Endpoint(UNIX_CLIENT, 32_768 + again % 32_768), Endpoint(f"127.254.{high}.{low + 1}", port)


def is_unix(connection: StoredConnection) -> bool:
    """Whether it goes through a unix socket."""
    return connection.protocol == "tcp" and not (connection.client.port or connection.server.port)


def _rejecter(connection: StoredConnection) -> str:
    """Return the address of the machine whose packet filter has rejected a packet."""
    own = connection.client_process.partition("/")[0] == connection.server_process.partition("/")[0]
    if own:
        return connection.client.address
    return (connection.server if connection.translated is None else connection.translated[1]).address


# -- a file that is written while things happen ------------------------------------------------------------------------


class Recording:
    """Writes a journal's packets into a file as they come, from now until the journal is closed.

    A packet waits until the secrets that belong before it are there. The file is the caller's, and is to stay open.
    """

    def __init__(self, journal: Journal, file: BinaryIO, context: Context) -> None:
        self._journal, self._file = journal, file
        self._writer = Writer(context, REMEMBERED_MAX)
        self._packets = journal.packets.end
        self._secrets = journal.secrets.end
        self._heard: Callable[[Packet], None] | None = None
        self._file.write(self._writer.begin(journal.head + 1, "the last"))
        journal.subscribe(self._entry)
        journal.before_close(self._write)

    def each(self, hear: Callable[[Packet], None]) -> None:
        """Call `hear` with each packet that is written."""
        self._heard = hear

    def _entry(self, entry: Entry) -> None:
        if self._journal.packets.end - self._packets >= WRITTEN_AT_ONCE:
            self._write(entry["at"] - WITHHELD_SECONDS)

    def _write(self, until: float | None = None) -> None:
        self._file.write(self._writer.learn(lines(self._journal, self._secrets)))
        self._secrets = self._journal.secrets.end
        known: dict[int, StoredConnection] = {}
        while self._packets < self._journal.packets.end:
            packet = packet_of(self._journal, self._packets, known)
            if packet is not None and until is not None and packet.segment.sent > until:
                break
            self._packets += 1
            if packet is not None and (written := self._writer.packet(packet)):
                self._file.write(written)
                if self._heard is not None:
                    self._heard(packet)
