"""Writes what a cluster's network tells its tap as a capture file and a key log, for tshark.

Theory of operation. The tap hears every segment when it arrives, as a mirror port would; each becomes a packet with
true headers, between the addresses that the client sees, and each secret a line of the key log. `connections` says
whose a packet is, so that nobody has to guess it from addresses and ports, which are used again.

    recorder = Recorder(cluster.world.network.tap)
    cluster.world.network.tap = recorder             the lens hears what it would hear anyway
    recorder.connections[0]                          the first packet's connection, and whether the client sent it

Three things differ from what crosses. Sequence numbers begin at 0 in the world, and elsewhere by the connection's
number, as on a real host they begin anywhere (RFC 6528): otherwise tshark takes a port's second connection for more of
the first. Each connection has a server address of its own in 127.0.0.0/8 where it goes through a unix socket, which has
no packets. What was lost does not arrive, and is not in the file.
"""

from pathlib import Path
from typing import Any

from cluster_engine.programs.capture import packets, pcap
from cluster_engine.world.captures import Frame, back
from cluster_engine.world.tap import Connection, Endpoint, Note, Segment, Tap

UNIX_PORT, CRI_PORT = 4, 6
"""Ports on which tshark expects nothing of its own: of unix sockets, and of the one on which CRI is spoken."""
SEQUENCES_APART = 104_729_000
MICROSECONDS = 1_000_000


class Recorder:
    """A tap that passes everything on and writes it down."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._ways: dict[int, tuple[Endpoint, Endpoint]] = {}
        self._records = [pcap.header(packets.ETHERNET, pcap.SNAPSHOT_BYTES)]
        self._secrets: list[str] = []
        self.connections: list[tuple[int, bool]] = []

    def write(self, file: Path, keys: Path) -> None:
        """Write the capture and the key log."""
        file.write_bytes(b"".join(self._records))
        keys.write_text("".join(f"{line}\n" for line in self._secrets))

    def connection(self, connection: Connection) -> None:
        """See `Tap`."""
        if connection.protocol == "tcp":
            self._ways[connection.number] = _way(connection)
        self._tap.connection(connection)

    def accepted(self, connection: int, process: str) -> None:
        """See `Tap`."""
        self._tap.accepted(connection, process)

    def segment(self, segment: Segment) -> None:
        """See `Tap`."""
        way = self._ways.get(segment.connection)
        if way is not None and segment.arrived is not None and segment.flags != "U":
            self._record(segment, segment.arrived, way if segment.from_client else back(way))
        self._tap.segment(segment)

    def secret(self, line: str) -> None:
        """See `Tap`."""
        self._secrets.append(line)
        self._tap.secret(line)

    def note(self, note: Note) -> None:
        """See `Tap`."""
        self._tap.note(note)

    def _record(self, segment: Segment, at: float, way: tuple[Endpoint, Endpoint]) -> None:
        begins, nobody = segment.connection * SEQUENCES_APART, _NOBODY
        frame = Frame(
            protocol="tcp",
            sender=nobody,
            receiver=nobody,
            between=way,
            wire=way,
            is_leaving=False,
            flags=segment.flags,
            sequence=begins + segment.sequence,
            acknowledgement=begins + segment.acknowledgement,
            window=packets.WINDOW_MAX,
            payload=segment.payload,
        )
        for packet in packets.packets_of(frame, way):
            raw = packets.ethernet(*way, packet, is_loopback=True)
            self._records.append(pcap.record(pcap.Record(round(at * MICROSECONDS), raw, len(raw))))
            self.connections.append((segment.connection, segment.from_client))


_NOBODY: Any = None


def _way(connection: Connection) -> tuple[Endpoint, Endpoint]:
    if connection.client.port or connection.server.port:
        return connection.client, connection.server
    high, low = divmod(connection.number, 250)
    port = CRI_PORT if connection.server.address.endswith("/containerd.sock") else UNIX_PORT
    return Endpoint("127.255.0.1", 32_768), Endpoint(f"127.254.{high}.{low + 1}", port)
