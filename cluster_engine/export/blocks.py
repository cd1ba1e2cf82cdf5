"""The blocks of a pcapng file, as bytes (draft-ietf-opsawg-pcapng): what Wireshark 3 and later read.

    a block     its type, its length, what is in it, its length again; all in multiples of four bytes
    section     comment, application                      the first
    interface   link type, name, resolution of times      to which packets belong
    names       of addresses                              "Resolved" in Wireshark
    secrets     lines of a key log                        before the packets that they open
    packet      interface, time, bytes, comment

Written are those that a capture of ours has; `cluster_engine.recordings` reads them.
"""

import struct

SECTION, INTERFACE, NAMES, PACKET, SECRETS = 0x0A0D0D0A, 1, 4, 6, 10
BYTE_ORDER = 0x1A2B3C4D
UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
TLS_KEY_LOG = 0x544C534B
COMMENT, APPLICATION, NAME, DESCRIPTION, RESOLUTION = 1, 4, 2, 3, 9
NANOSECONDS = b"\x09"
IPV4_NAME = 1
OPTION_BYTES_MAX = 0xFFFF

Options = list[tuple[int, bytes]]


def section(comment: str, application: str) -> bytes:
    """Return the block with which a file begins."""
    content = struct.pack("<IHHQ", BYTE_ORDER, 1, 0, UNKNOWN_LENGTH)
    return _block(SECTION, content, [(COMMENT, comment.encode()), (APPLICATION, application.encode())])


def interface(link: int, name: str, description: str) -> bytes:
    """Return the block of an interface whose packets are whole, and whose times are in nanoseconds."""
    options = [(NAME, name.encode()), (DESCRIPTION, description.encode()), (RESOLUTION, NANOSECONDS)]
    return _block(INTERFACE, struct.pack("<HHI", link, 0, 0), options)


def names(known: dict[bytes, str]) -> bytes:
    """Return the block that names IPv4 addresses (four bytes each)."""
    content = b"".join(_record(IPV4_NAME, address + name.encode() + b"\0") for address, name in known.items())
    return _block(NAMES, content + bytes(4), [])


def secrets(key_log: bytes) -> bytes:
    """Return the block that opens TLS."""
    return _block(SECRETS, struct.pack("<II", TLS_KEY_LOG, len(key_log)) + _padded(key_log), [])


def packet(at_ns: int, raw: bytes, comment: str = "") -> bytes:
    """Return the block of a packet of the first interface, which was there at a time in nanoseconds since 1970."""
    head = struct.pack("<IIIII", 0, at_ns >> 32, at_ns & 0xFFFF_FFFF, len(raw), len(raw))
    return _block(PACKET, head + _padded(raw), [(COMMENT, comment.encode())] if comment else [])


def _block(kind: int, content: bytes, options: Options) -> bytes:
    if options:
        content += b"".join(_record(code, value[:OPTION_BYTES_MAX]) for code, value in options) + bytes(4)
    length = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", kind) + length + content + length


def _record(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
