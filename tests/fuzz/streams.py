"""Bytes on upgraded connections, and archives: WebSocket frames, SPDY frames, statuses, tar. Spoiled, or made up."""

import asyncio
import contextlib
import io
import random
import struct
import tarfile
import zlib
from collections.abc import AsyncIterator

from cluster_engine.programs.archive import ArchiveError, members
from cluster_engine.streaming import channels
from cluster_engine.streaming.channels import RemoteError
from cluster_engine.streaming.spdy import DICTIONARY, Connection, SpdyError
from cluster_engine.streaming.websocket import WebSocket
from tests.fuzz import making

Case = tuple[str, bytes]


class Given:
    """A `Duplex` that says what it was given, in pieces, and takes anything."""

    def __init__(self, data: bytes) -> None:
        self._pieces = [data[at : at + 7] for at in range(0, len(data), 7)]

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data: bytes) -> None:
        pass

    async def close(self) -> None:
        self._pieces.clear()


def make(rng: random.Random) -> Case:
    """Choose what it is to be, and spoil a good one."""
    name, good = rng.choice((("websocket", _websocket), ("spdy", _spdy), ("status", _status), ("tar", _tar)))
    data = good(rng)
    return name, making.spoiled_bytes(rng, data) if rng.random() < 0.8 else data


def take(case: Case) -> None:
    name, data = case
    {"websocket": _take_websocket, "spdy": _take_spdy, "status": _take_status, "tar": _take_tar}[name](data)


def _websocket(rng: random.Random) -> bytes:
    frames = b""
    for _ in range(rng.randrange(1, 5)):
        payload, mask = rng.randbytes(rng.randrange(200)), rng.randbytes(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        frames += bytes([rng.choice((0x82, 0x81, 0x02, 0x80, 0x88, 0x89))]) + size + mask + masked
    return frames


def _take_websocket(data: bytes) -> None:
    async def hear() -> None:
        socket = WebSocket(Given(data), is_client=False)
        while await socket.receive() is not None:
            pass

    asyncio.run(hear())


def _spdy(rng: random.Random) -> bytes:
    packer = zlib.compressobj(zdict=DICTIONARY)
    frames = b""
    for number in range(1, 2 * rng.randrange(1, 5), 2):
        texts = [rng.randbytes(rng.randrange(20)) for _ in range(2 * rng.randrange(4))]
        plain = struct.pack(">I", len(texts) // 2) + b"".join(struct.pack(">I", len(text)) + text for text in texts)
        head = struct.pack(">IIH", number, 0, 0) + packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH)
        frames += struct.pack(">HHI", 0x8003, 1, len(head)) + head
        data = rng.randbytes(rng.randrange(50))
        frames += struct.pack(">II", number, rng.randrange(2) << 24 | len(data)) + data
        frames += struct.pack(">HHI", 0x8003, rng.randrange(10), 4) + rng.randbytes(4)
    return frames


def _take_spdy(data: bytes) -> None:
    async def hear() -> None:
        try:
            async for stream in Connection(Given(data), is_client=False).streams():
                await stream.close()
        except SpdyError:
            return

    asyncio.run(hear())


def _status(rng: random.Random) -> bytes:
    return making.as_json(rng, making.value(rng, ("status", "reason", "details", "causes", "message"), 4)).encode(
        "utf-8", "surrogatepass"
    )


def _take_status(data: bytes) -> None:
    try:
        channels.exit_code(data)
    except RemoteError:
        return


def _tar(rng: random.Random) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=rng.choice((tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT))) as archive:
        for number in range(rng.randrange(1, 4)):
            info = tarfile.TarInfo(f"{'../' * rng.randrange(2)}f{number}")
            info.size = rng.randrange(700)
            info.type = rng.choice((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE))
            archive.addfile(info, io.BytesIO(rng.randbytes(info.size)))
    return out.getvalue()


def _take_tar(data: bytes) -> None:
    async def take() -> None:
        async for _, content, _ in members(_in_pieces(data)):
            assert len(content) <= len(data)

    with contextlib.suppress(ArchiveError):
        asyncio.run(take())


async def _in_pieces(data: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), 700):
        yield data[begin : begin + 700]
