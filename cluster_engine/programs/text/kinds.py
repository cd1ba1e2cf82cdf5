"""file: what a file is, by its first bytes. Modelled on file 5.44, for the files that there are here.

file /etc/kubernetes/pki/ca.crt       /etc/kubernetes/pki/ca.crt: PEM certificate
"""

import json
import struct
from datetime import UTC, datetime

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory
from cluster_engine.programs.text.reading import Complaint, complain, read

JSON_BYTES_MAX = 64 * 1024
LOOKED_AT_BYTES = 1024 * 1024
NUL = b"\0"
PEM = {
    b"-----BEGIN CERTIFICATE-----": "PEM certificate",
    b"-----BEGIN CERTIFICATE REQUEST-----": "PEM certificate request",
    b"-----BEGIN RSA PRIVATE KEY-----": "PEM RSA private key",
    b"-----BEGIN EC PRIVATE KEY-----": "PEM EC private key",
}
MIME = {"directory": "inode/directory", "empty": "inode/x-empty", "data": "application/octet-stream",
        "JSON text data": "application/json"}  # fmt: skip


async def file(invocation: Invocation) -> int:
    """Run file: -b without the name, -i as a media type."""
    try:
        options = read(invocation, "biLzk", ["brief", "mime", "mime-type"])
        if not options.operands:
            raise Complaint("missing file operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    width = max(map(len, options.operands)) + 1
    for path in options.operands:
        what = _described(invocation, path)
        if "-i|--mime" in options or "--mime-type" in options:
            what = _mime(what, with_charset="--mime-type" not in options)
        invocation.out(f"{what}\n" if "-b|--brief" in options else f"{f'{path}:':<{width}} {what}\n")
        await invocation.drain()
    return 0


def _described(invocation: Invocation, path: str) -> str:
    full = invocation.absolute(path)
    if is_directory(invocation.files, full):
        return "directory"
    try:
        return kind(invocation.files.read(full)[:LOOKED_AT_BYTES])
    except OSError as error:
        return f"cannot open `{path}' ({error.strerror})"


def kind(data: bytes) -> str:
    """Say what bytes are."""
    if not data:
        return "empty"
    first = data.split(b"\n", 1)[0].rstrip()
    if first in PEM:
        return PEM[first]
    if data[:2] == b"\x1f\x8b":
        return _packed(data)
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4") and len(data) >= 24:
        return _capture(data)
    if data[257:262] == b"ustar":
        return f"POSIX tar archive{' (GNU)' if data[262:264] == b'  ' else ''}"
    text = _text(data)
    if text is None:
        return "Certificate, Version=3" if data[:2] == b"\x30\x82" else "data"
    script = {b"#!/bin/sh": "POSIX shell script, ", b"#!/bin/bash": "Bourne-Again shell script, "}.get(first, "")
    if script:
        return f"{script}{text} executable"
    if data.lstrip()[:6].lower() in (b"<html>", b"<!doct"):
        return f"HTML document, {text}"
    return "JSON text data" if data[:1] in b"{[" and _is_json(data) else text


def _packed(data: bytes) -> str:
    told = "gzip compressed data"
    if len(data) < 18:
        return told
    flags, seconds = data[3], int.from_bytes(data[4:8], "little")
    if flags & 8:
        told += f', was "{data[10:300].partition(NUL)[0].decode("utf-8", "replace")}"'
    if seconds:
        told += f", last modified: {datetime.fromtimestamp(seconds, UTC):%a %b %e %H:%M:%S %Y}"
    return f"{told}, from Unix, original size modulo 2^32 {int.from_bytes(data[-4:], 'little')}"


def _capture(data: bytes) -> str:
    little = data[0] == 0xD4
    _, major, minor, _, _, length, link = struct.unpack("<IHHiIII" if little else ">IHHiIII", data[:24])
    order = "little-endian" if little else "big-endian"
    name = {1: "Ethernet", 101: "Raw IP", 113: "Linux cooked v1", 276: "Linux cooked v2"}.get(link, f"#{link}")
    version = f"version {major}.{minor}"
    return f"pcap capture file, microsecond ts ({order}) - {version} ({name}, capture length {length})"


def _text(data: bytes) -> str | None:
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b\x08\x07" for byte in set(data)):
        return None
    try:
        named = "ASCII text" if data.isascii() else "Unicode text, UTF-8 text" if data.decode() else ""
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3 or len(data) < LOOKED_AT_BYTES:
            return None
        named = "Unicode text, UTF-8 text"
    if b"\r\n" in data:
        return f"{named}, with CRLF line terminators"
    return named if b"\n" in data else f"{named}, with no line terminators"


def _is_json(data: bytes) -> bool:
    if len(data) > JSON_BYTES_MAX:
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _mime(what: str, *, with_charset: bool) -> str:
    if what.startswith("cannot open"):
        return what
    textual = "text" in what or "script" in what or what.startswith("PEM")
    type_ = MIME.get(what, "text/plain" if textual else "application/octet-stream")
    charset = "utf-8" if "UTF-8" in what else "us-ascii" if textual else "binary"
    return f"{type_}; charset={charset}" if with_charset else type_
