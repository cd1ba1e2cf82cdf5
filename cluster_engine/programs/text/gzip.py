"""gzip, gunzip and zcat: files made smaller, and back. Modelled on gzip 1.12.

    gzip -k app.log        app.log.gz        zcat app.log.gz | head

What comes out is at most MEMORY_BYTES_MAX, whatever goes in. Left out: other forms (compress, pack), -l, -t, -r.
"""

import struct
import zlib

from cluster_engine.programs.invocation import MEMORY_BYTES_MAX, Invocation, MemoryExhaustedError
from cluster_engine.programs.streams import read_file
from cluster_engine.programs.text.reading import Complaint, Options, complain, read

SUFFIX = ".gz"
GZIP = 31
"""zlib's window size for data with gzip's header."""


async def gzip(invocation: Invocation) -> int:
    """Run gzip: -d unpacks, -c writes to standard output, -k keeps the file, -f overwrites."""
    try:
        options = read(
            invocation, "cdfknqv123456789", ["stdout", "to-stdout", "decompress", "force", "keep", "fast", "best"]
        )
    except Complaint as complaint:
        return complain(invocation, complaint)
    name = invocation.argv[0]
    unpacks = name in ("gunzip", "zcat") or "-d|--decompress" in options
    to_output = name == "zcat" or "-c|--stdout|--to-stdout" in options
    level = max((int(pair[0][1]) for pair in options.pairs if pair[0][1:].isdigit()), default=6)
    code = 0
    for path in options.operands or ["-"]:
        try:
            await _one(invocation, path, options, level=level, unpacks=unpacks, to_output=to_output)
        except Complaint as complaint:
            invocation.argv = ["gzip", *invocation.argv[1:]]
            code = max(code, complain(invocation, complaint))
        await invocation.drain()
    return code


async def _one(
    invocation: Invocation, path: str, options: Options, *, level: int, unpacks: bool, to_output: bool
) -> None:
    files, full = invocation.files, invocation.absolute(path)
    if unpacks and path != "-" and not path.endswith(SUFFIX):
        if not to_output:
            raise Complaint(f"{path}: unknown suffix -- ignored", 2)
        full, path = (full, path) if files.exists(full) else (full + SUFFIX, path + SUFFIX)
    try:
        data = await invocation.all() if path == "-" else read_file(files, full)
        invocation.moved(len(data))
        made = unpacked(data, path) if unpacks else _packed(invocation, data, path, level)
        if path == "-" or to_output:
            invocation.out(made)
            return
        target, shown = (full[:-3], path[:-3]) if unpacks else (full + SUFFIX, path + SUFFIX)
        if files.exists(target) and "-f|--force" not in options:
            raise Complaint(f"{shown} already exists;\tnot overwritten", 2)
        files.write(target, made, files.mode(full))
        if "-k|--keep" not in options:
            files.remove(full)
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}") from error


def _packed(invocation: Invocation, data: bytes, path: str, level: int) -> bytes:
    name = b"" if path == "-" else path.rpartition("/")[2].encode("utf-8", "replace") + b"\0"
    seconds = 0 if path == "-" else int(invocation.process.now().timestamp())
    head = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 8 if name else 0, seconds, 0, 3) + name
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def unpacked(data: bytes, path: str) -> bytes:
    """Return what was packed, of all members one behind the other. Complaint, MemoryExhaustedError."""
    shown = "stdin" if path == "-" else path
    if data[:2] != b"\x1f\x8b":
        raise Complaint(f"{shown}: not in gzip format" if data else f"{shown}: unexpected end of file")
    found: list[bytes] = []
    room = MEMORY_BYTES_MAX
    while data[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(GZIP)
        try:
            piece = unpacker.decompress(data, room + 1)
        except zlib.error as error:
            raise Complaint(f"{shown}: invalid compressed data--format violated") from error
        room -= len(piece)
        if room < 0:
            raise MemoryExhaustedError
        found.append(piece)
        if not unpacker.eof:
            raise Complaint(f"{shown}: unexpected end of file")
        data = unpacker.unused_data
    return b"".join(found)
