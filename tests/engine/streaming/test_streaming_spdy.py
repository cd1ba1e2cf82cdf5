"""SPDY/3.1: streams open, carry bytes both ways and end; what is not SPDY ends the connection, in bounded memory."""

import asyncio
import struct
import zlib

import pytest

from cluster_engine.programs.streams import Pipe
from cluster_engine.streaming import channels
from cluster_engine.streaming.spdy import DICTIONARY, FRAME_BYTES_MAX, Connection, SpdyError
from cluster_engine.streaming.spdy_channels import SpdyChannels


class Wire:
    """One end of a pair of pipes."""

    def __init__(self, incoming, outgoing):
        self.incoming, self.outgoing = incoming, outgoing

    async def read(self):
        return await self.incoming.read()

    async def write(self, data):
        self.outgoing.write(data)
        await self.outgoing.drain()

    async def close(self):
        self.outgoing.end()


def pair():
    up, down = Pipe(), Pipe()
    return Connection(Wire(down, up), is_client=True), Connection(Wire(up, down), is_client=False)


def test_the_dictionary_is_spdy_3s():
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_a_stream_carries_bytes_both_ways_and_each_side_ends_on_its_own():
    async def story():
        client, server = pair()

        async def echo(stream):
            while data := await stream.read():
                await stream.write(data.upper())
            await stream.end()

        async def serve(tasks):
            async for stream in server.streams():
                tasks.create_task(echo(stream))

        async def hear():
            async for _ in client.streams():
                raise AssertionError("the server opens none")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(tasks))
            tasks.create_task(hear())
            for number, text in enumerate((b"hello", b"x" * 200_000)):
                stream = await client.open({"port": "80", "requestid": str(number)})
                await stream.write(text)
                await stream.end()
                answer = b""
                while piece := await stream.read():
                    answer += piece
                assert answer == text.upper()
            await client.close()

    asyncio.run(story())


def control(kind, payload):
    return struct.pack(">HHI", 0x8003, kind, len(payload)) + payload


def opening(number, pairs):
    plain = struct.pack(">I", len(pairs))
    for text in (text for one in pairs for text in one):
        plain += struct.pack(">I", len(text)) + text
    packer = zlib.compressobj(zdict=DICTIONARY)
    return control(1, struct.pack(">IIH", number, 0, 0) + packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">HHI", 0x8003, 1, FRAME_BYTES_MAX + 1),
        struct.pack(">HHI", 0x8002, 1, 0),
        control(1, b"short"),
        control(1, struct.pack(">IIH", 1, 0, 0) + b"not zlib"),
        opening(1, [(b"a" * 10_000_000, b"")]),
        opening(1, [(b"a", b"b")])[:-9] + b"\0" * 9,
    ],
    ids=["http", "frame", "version", "short", "zlib", "bomb", "broken"],
)
def test_what_is_not_spdy_ends_the_connection(data):
    async def story():
        incoming = Pipe()
        incoming.write(data)
        incoming.end()
        server = Connection(Wire(incoming, Pipe()), is_client=False)
        return [stream async for stream in server.streams()]

    with pytest.raises(SpdyError):
        asyncio.run(story())


def test_what_a_client_types_and_its_terminals_size_come_as_messages_of_their_channels():
    async def story():
        client, server = pair()
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(_nothing(client))
            names = ("error", "stdin", "resize", "stdout")
            opening = [tasks.create_task(client.open({"streamtype": name})) for name in names]
            async with SpdyChannels(server, names) as streams:
                opened = [await one for one in opening]
                await opened[1].write(b"ls\n")
                assert await streams.receive() == b"\0ls\n"
                await opened[2].write(b'{"Width":80,"Height":24}\n')
                assert channels.size_in((await streams.receive())[1:]) == (80, 24)
                await opened[1].end()
                assert await streams.receive() == bytes([channels.CLOSE, channels.STDIN])
                await client.close()
                assert await streams.receive() is None
            hearing.cancel()

    async def _nothing(client):
        async for _ in client.streams():
            raise AssertionError("the server opens none")

    asyncio.run(story())
