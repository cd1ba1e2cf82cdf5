"""A real socket of this machine reaches a host of the world: engine tests with real sockets, that being the subject."""

import asyncio
import socket
import threading

import pytest

from cluster_engine.world.clock import Clock
from cluster_engine.world.gateway import open_gateway
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from cluster_engine.world.story import end_all
from cluster_engine.world.world import World


async def shout(process: Process) -> None:
    async def answer(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data.upper())
                await writer.drain()
        finally:
            writer.close()

    await asyncio.start_server(answer, "10.0.0.1", 80)
    process.ready()
    await asyncio.sleep(1e9)


def with_gateway(outside, port=80):
    """Run `outside(address)` in a thread of its own while the world lives."""
    loop = ClusterLoop(Clock(1.0))
    result = []

    async def main():
        world = World(loop)
        await world.spawn(world.add_host("server", "10.0.0.1"), "server", shout).wait_ready()
        gateway = await open_gateway(world, to=("10.0.0.1", port))
        done = asyncio.Event()

        def visit():
            try:
                result.append(outside(gateway.address))
            finally:
                loop.call_soon_threadsafe(done.set)

        thread = threading.Thread(target=visit)
        thread.start()
        await done.wait()
        thread.join()
        gateway.close()
        await end_all(world)
        await asyncio.sleep(0.01)

    loop.run_until_complete(main())
    loop.close()
    return result[0]


def test_bytes_pass_both_ways_and_the_end_does_too():
    def outside(address):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(100):
                received += data
            return received

    assert with_gateway(outside) == b"HELLO"


def test_a_megabyte_is_not_lost_on_slow_readers():
    def outside(address):
        with socket.create_connection(address, timeout=10) as connection:
            sender = threading.Thread(target=connection.sendall, args=(b"x" * 1_000_000,))
            sender.start()
            received = 0
            while received < 1_000_000:
                received += len(connection.recv(65536))
            sender.join()
            return received

    assert with_gateway(outside) == 1_000_000


def test_a_closed_port_inside_closes_the_real_connection():
    def outside(address):
        with socket.create_connection(address, timeout=10) as connection:
            try:
                return connection.recv(100)
            except ConnectionResetError:
                return b""

    assert with_gateway(outside, port=81) == b""


def test_a_port_that_is_taken_is_named(run):
    async def story(world):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
                await open_gateway(world, to=("10.0.0.1", 80), port=port)

    run(story)


def test_a_visitor_that_ends_first_leaves_nothing_behind():
    """Its end goes in, the server's comes out: that is all of a connection, though nobody has called close."""
    loop = ClusterLoop(Clock(1.0))

    async def main():
        world = World(loop)
        await world.spawn(world.add_host("server", "10.0.0.1"), "server", shout).wait_ready()
        gateway = await open_gateway(world, to=("10.0.0.1", 80))
        visitor = socket.create_connection(gateway.address)
        visitor.sendall(b"hi")
        await asyncio.sleep(0.1)
        assert visitor.recv(10) == b"HI"
        assert len(gateway.connections) == 1
        visitor.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.2)
        visitor.close()
        left = len(gateway.connections)
        gateway.close()
        await end_all(world)
        await asyncio.sleep(0.01)
        return left

    assert loop.run_until_complete(main()) == 0
    loop.close()


def test_a_gateway_listens_on_loopback_only(run):
    async def story(world):
        with pytest.raises(ValueError, match="loopback only"):
            await open_gateway(world, to=("10.0.0.1", 80), host="0.0.0.0")

    run(story)
