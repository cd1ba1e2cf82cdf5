"""SPDY/3.1: many streams of bytes over one connection, as kubectl still speaks it in port-forward's tunnel.

Theory of operation. What HTTP/2 grew out of: frames of eight bytes of head and a payload; control frames open, answer
and break off streams, data frames carry bytes. Headers are pairs of text, compressed by zlib with a dictionary of words
that HTTP often says, with one compressor for each direction of the connection's life. Both sides may open streams, a
client those with odd numbers.

    80 03 00 01 00 00 00 2c  00 00 00 01 …      SYN_STREAM, 44 bytes: stream 1, its headers
    80 03 00 02 00 00 00 0c  00 00 00 01 …      SYN_REPLY
    00 00 00 01 00 00 00 05  h e l l o          data on stream 1
    00 00 00 01 01 00 00 00                     FIN: no more from this side

A side that is slow to read slows all streams, since nothing here has windows. Modelled on moby/spdystream, which
Kubernetes uses, and the SPDY/3 draft. Left out: flow control, priorities, settings, pushed streams.
"""

import asyncio
import contextlib
import struct
import zlib
from collections import deque
from collections.abc import AsyncIterator, Mapping

from cluster_engine.streaming.duplex import READ_BYTES_MAX, Duplex

Headers = dict[str, str]

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
REFUSED_STREAM, CANCEL = 3, 5
FRAME_BYTES_MAX = 1024 * 1024
HEADER_BYTES_MAX = 16 * 1024
STREAMS_MAX = 256
HELD_BYTES_MAX = 256 * 1024
"""What of one stream may be here and not read."""

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_NUMBERS = "100 101 201 202 205 206 300 302 303 304 305 306 307 402 405 406 407 408 409 410 411 412 413 414 415 416 417"
_PHRASES = (
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
)
_REST = (
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = (word.replace("_", " ").encode() for word in _WORDS.split())
    counted = b"".join(struct.pack(">I", len(word)) + word for word in words)
    numbers = f"{_NUMBERS} 502 504 505".replace(" ", "")
    return counted + (numbers + _PHRASES + _REST).encode()


DICTIONARY = _dictionary()
"""What both compressors know from the start (SPDY/3, section 2.6.10.1)."""


class SpdyError(ConnectionError):
    """Bytes that are not SPDY/3, or more than this end takes."""


class Stream:
    """One stream: a `Duplex` whose two directions end on their own. `headers` are those it was opened with."""

    def __init__(self, connection: "Connection", number: int, headers: Headers) -> None:
        self._connection = connection
        self.number, self.headers = number, headers
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self.here_ended = self.there_ended = False
        self.is_answered = False
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        """See `Duplex`."""
        while not self._pieces and not self.there_ended:
            await self.change()
        if not self._pieces:
            return b""
        data = self._pieces.popleft()
        self._held -= len(data)
        self._changed.set()
        return data

    async def write(self, data: bytes) -> None:
        """See `Duplex`."""
        if self.here_ended:
            raise ConnectionResetError("the stream is closed")
        for begin in range(0, len(data), READ_BYTES_MAX):
            await self._connection.send_data(self.number, data[begin : begin + READ_BYTES_MAX])

    async def end(self) -> None:
        """Say that nothing more comes from here."""
        if not self.here_ended:
            self.here_ended = True
            await self._connection.send_data(self.number, b"", FIN)
            self._connection.forget_if_over(self)

    async def close(self) -> None:
        """See `Duplex`; what has not been read is dropped on both sides."""
        if not (self.here_ended and self.there_ended):
            self.drop()
            await self._connection.send_reset(self.number)

    @property
    def is_over(self) -> bool:
        """Return whether both directions have ended."""
        return self.here_ended and self.there_ended

    # -- the connection's part -----------------------------------------------------------------------------------------

    async def feed(self, data: bytes) -> None:
        """Take bytes from the peer, as soon as there is room."""
        while self._held > HELD_BYTES_MAX and not self.there_ended:
            await self.change()
        if data and not self.there_ended:
            self._pieces.append(data)
            self._held += len(data)
            self._changed.set()

    def answered(self) -> None:
        """Take note that the peer takes the stream."""
        self.is_answered = True
        self._changed.set()

    def ended(self) -> None:
        """Take note that nothing more comes."""
        self.there_ended = True
        self._changed.set()

    def drop(self) -> None:
        """End both directions."""
        self.here_ended = True
        self._pieces.clear()
        self._held = 0
        self.ended()

    async def change(self) -> None:
        """Wait until something has changed."""
        self._changed.clear()
        await self._changed.wait()


class Connection:
    """SPDY over a `Duplex`. Nothing is read but while `streams` is iterated over."""

    def __init__(self, duplex: Duplex, *, is_client: bool) -> None:
        self._duplex = duplex
        self._next_number = 1 if is_client else 2
        self._streams: dict[int, Stream] = {}
        self._compressor = zlib.compressobj(zdict=DICTIONARY)
        self._decompressor = zlib.decompressobj(zdict=DICTIONARY)
        self._rest = bytearray()
        self._sending = asyncio.Lock()

    async def streams(self) -> AsyncIterator[Stream]:
        """Read until the peer has gone; give each stream that it opens, which has been answered. SpdyError."""
        try:
            while (head := await self._take(8)) is not None:
                first, second = struct.unpack(">II", head)
                flags, length = second >> 24, second & 0xFFFFFF
                if length > FRAME_BYTES_MAX:
                    raise SpdyError("a frame too large")
                payload = await self._take(length)
                if payload is None:
                    return
                if not first >> 31:
                    await self._data(first, flags, payload)
                elif (opened := await self._control(first, flags, payload)) is not None:
                    yield opened
        finally:
            for stream in list(self._streams.values()):
                stream.drop()
            self._streams.clear()
            await self._duplex.close()

    async def open(self, headers: Mapping[str, str], *, ends: bool = False) -> Stream:
        """Open a stream and wait until the peer has taken it; with `ends` nothing will be written on it.

        ConnectionError when it is refused, or the connection is gone. `streams` must be iterated over meanwhile.
        """
        async with self._sending:
            stream = Stream(self, self._next_number, dict(headers))
            self._next_number += 2
            self._streams[stream.number] = stream
            payload = struct.pack(">IIH", stream.number, 0, 0) + self._packed(headers)
            await self._duplex.write(_control(SYN_STREAM, payload, FIN if ends else 0))
        if ends:
            stream.here_ended = True
        while not stream.is_answered and not stream.there_ended:
            await stream.change()
        if not stream.is_answered:
            raise ConnectionResetError("the stream was refused")
        return stream

    async def close(self) -> None:
        """Say goodbye and end the connection."""
        with contextlib.suppress(ConnectionError):
            await self._send(_control(GOAWAY, struct.pack(">II", 0, 0)))
        await self._duplex.close()

    # -- from the peer -------------------------------------------------------------------------------------------------

    async def _take(self, size: int) -> bytes | None:
        while len(self._rest) < size:
            if not (data := await self._duplex.read()):
                return None
            self._rest += data
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        return taken

    async def _data(self, number: int, flags: int, payload: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None:
            return
        await stream.feed(payload)
        if flags & FIN:
            stream.ended()
            self.forget_if_over(stream)

    async def _control(self, first: int, flags: int, payload: bytes) -> Stream | None:
        if first >> 16 & 0x7FFF != VERSION:
            raise SpdyError("not SPDY/3")
        kind = first & 0xFFFF
        if kind == SYN_STREAM:
            return await self._opened(flags, payload)
        if kind == PING and len(payload) == 4:
            if int.from_bytes(payload) % 2 != self._next_number % 2:
                await self._send(_control(PING, payload))
        elif kind in (SYN_REPLY, HEADERS, RST_STREAM) and len(payload) >= 4:
            if kind != RST_STREAM:
                self._unpacked(payload[4:])  # the decompressor has to hear everything
            stream = self._streams.get(int.from_bytes(payload[:4]))
            if stream is None:
                return None
            if kind == RST_STREAM:
                stream.drop()
            else:
                stream.answered()
                if flags & FIN:
                    stream.ended()
            self.forget_if_over(stream)
        return None

    async def _opened(self, flags: int, payload: bytes) -> Stream | None:
        if len(payload) < 10:
            raise SpdyError("a SYN_STREAM too short")
        number = int.from_bytes(payload[:4])
        headers = self._unpacked(payload[10:])
        if number in self._streams or len(self._streams) >= STREAMS_MAX:
            await self._send(_control(RST_STREAM, struct.pack(">II", number, REFUSED_STREAM)))
            return None
        stream = self._streams[number] = Stream(self, number, headers)
        if flags & FIN:
            stream.ended()
        async with self._sending:
            await self._duplex.write(_control(SYN_REPLY, struct.pack(">I", number) + self._packed({})))
        return stream

    def _unpacked(self, data: bytes) -> Headers:
        try:
            plain = self._decompressor.decompress(data, HEADER_BYTES_MAX)
        except zlib.error as error:
            raise SpdyError("headers that are not compressed as SPDY does") from error
        if self._decompressor.unconsumed_tail:
            raise SpdyError("headers too large")
        try:
            return _read_headers(plain)
        except (struct.error, IndexError) as error:
            raise SpdyError("headers that cannot be read") from error

    # -- to the peer ---------------------------------------------------------------------------------------------------

    def _packed(self, headers: Mapping[str, str]) -> bytes:
        texts = [text.encode() for pair in headers.items() for text in pair]
        plain = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(text)) + text for text in texts)
        return self._compressor.compress(plain) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    async def send_data(self, number: int, data: bytes, flags: int = 0) -> None:
        """Send bytes of a stream. ConnectionError."""
        await self._send(struct.pack(">II", number, flags << 24 | len(data)) + data)

    async def send_reset(self, number: int) -> None:
        """Break a stream off."""
        self._streams.pop(number, None)
        with contextlib.suppress(ConnectionError):
            await self._send(_control(RST_STREAM, struct.pack(">II", number, CANCEL)))

    def forget_if_over(self, stream: Stream) -> None:
        """Forget a stream both of whose directions have ended."""
        if stream.is_over:
            self._streams.pop(stream.number, None)

    async def _send(self, frame: bytes) -> None:
        async with self._sending:
            await self._duplex.write(frame)


def _control(kind: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">HHI", 0x8000 | VERSION, kind, flags << 24 | len(payload)) + payload


def _read_headers(plain: bytes) -> Headers:
    (count,) = struct.unpack_from(">I", plain)
    at, texts = 4, []
    for _ in range(2 * min(count, HEADER_BYTES_MAX)):
        (size,) = struct.unpack_from(">I", plain, at)
        texts.append(plain[at + 4 : at + 4 + size].decode("latin-1"))
        at += 4 + size
    return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}
