"""The key log of what was chosen, as SSLKEYLOGFILE has it: for Wireshark beside a capture, or to look at.

    SERVER_HANDSHAKE_TRAFFIC_SECRET 52f1…  9bd0…        label, the client's random, the secret

A line belongs to the connection on which a ClientHello has its random.
"""

from collections.abc import Iterator

from cluster_engine.export.selection import Context, Selection, packets
from cluster_engine.journal import Journal

RECORD_HEADER_BYTES, RANDOM_AT, RANDOM_BYTES = 5, 11, 32
HANDSHAKE_RECORD, CLIENT_HELLO = 22, 1


def keylog(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield the lines of the connections chosen, in the order in which they were written."""
    del context
    randoms: set[str] = set()
    if not selection.is_everything:
        chosen: set[int] = set()
        greeted: dict[str, int] = {}
        for packet in packets(journal, selection):
            yield b""  # so that each step is short
            if packet is not None:
                chosen.add(packet.segment.connection)
        until = Selection(last=selection.last, connection=selection.connection)
        for packet in packets(journal, until):  # who began before the range has greeted before it
            yield b""
            if packet is not None and (
                random := random_of(packet.segment.payload, from_client=packet.segment.from_client)
            ):
                greeted[random] = packet.segment.connection
        randoms = {random for random, connection in greeted.items() if connection in chosen}
    for line in lines(journal):
        is_chosen = selection.is_everything or random_in(line) in randoms
        yield f"{line}\n".encode() if is_chosen else b""


def lines(journal: Journal, first: int = 0) -> Iterator[str]:
    """Yield the key log's lines that the journal has, from number `first` on."""
    for number in range(max(first, journal.secrets.first), journal.secrets.end):
        position = journal.secrets.position(number)
        line = None if position is None else journal.read(position)
        if line is not None:
            yield line.decode()


def random_in(line: str) -> str:
    """Return the client's random of a line, in hex; "" where it has none."""
    parts = line.split()
    return parts[1].lower() if len(parts) == 3 else ""


def random_of(payload: bytes, *, from_client: bool) -> str:
    """Return the random of a ClientHello that a segment begins with, in hex; "" where it does not."""
    if not from_client or len(payload) < RANDOM_AT + RANDOM_BYTES:
        return ""
    if payload[0] != HANDSHAKE_RECORD or payload[1] != 3 or payload[RECORD_HEADER_BYTES] != CLIENT_HELLO:
        return ""
    return payload[RANDOM_AT : RANDOM_AT + RANDOM_BYTES].hex()
