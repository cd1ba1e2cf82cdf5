"""ICMP echo requests and replies, as ping sends them (RFC 792)."""

from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected

TYPES = {0: "echo reply", 3: "destination unreachable", 8: "echo"}


def message(data: bytes) -> tuple[Field, ...]:
    """Dissect an ICMP message."""
    return dissected(data, _message)


def _message(stretch: Stretch) -> None:
    kind = stretch.number("icmp.type", 1, TYPES)
    stretch.number("icmp.code", 1)
    stretch.number("icmp.checksum", 2, hexadecimal=True)
    if kind in (0, 8):
        stretch.number("icmp.identifier", 2)
        stretch.number("icmp.sequence", 2)
    if stretch:
        stretch.take("icmp.data", len(stretch))
