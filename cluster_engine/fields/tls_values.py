"""What TLS's messages are made of: lengths with what follows them, lists of numbers (RFC 8446 section 3)."""

from collections.abc import Mapping

from cluster_engine.fields.stretch import Stretch
from cluster_engine.lens.tls_names import SIGNATURES


def opaque(stretch: Stretch, name: str, size: int) -> None:
    """Read a length of `size` bytes, and so many bytes behind it as one field."""
    stretch.take(name, stretch.number("tls.length", size))


def numbers(stretch: Stretch, names: tuple[str, str], size: int, called: Mapping[int, str], *, item: int = 2) -> None:
    """Read a length of `size` bytes and a list of numbers; `names` are those of the list and of an item."""
    with stretch.within(names[0], stretch.number("tls.length", size)) as inner:
        while inner:
            inner.number(names[1], item, called, hexadecimal=item > 1)


def scheme(stretch: Stretch) -> None:
    """Read a list of signature schemes."""
    numbers(stretch, ("tls.signature_schemes", "tls.signature_scheme"), 2, SIGNATURES)
