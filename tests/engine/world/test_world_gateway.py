"""A real socket of this machine reaches a host of the world: engine tests with real sockets, that being the subject."""

import asyncio
import contextlib
import resource
import socket
import threading

import pytest

from cluster_engine.world.clock import Clock
from cluster_engine.world.gateway import DESCRIPTORS_LEFT, open_gateway
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from cluster_engine.world.story import end_all
from cluster_engine.world.visitors import CONNECTIONS_MAX
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


class Door:
    """A world with a server, its gateway open and a real clock that the test turns."""

    def __init__(self, loop, world, gateway):
        self.loop, self.world, self.gateway = loop, world, gateway
        self.real = 0.0
        loop.clock.outside.real = lambda: self.real
        self.visitors = []

    async def visit(self):
        """Connect, and wait until the connection inside is there too."""
        visitor = socket.create_connection(self.gateway.address)
        self.visitors.append(visitor)
        while len(self.gateway.connections) < len(self.visitors):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        return visitor


def at_the_door(story, serve=shout):
    """Run `story(door)` while the world lives, on the world's own loop."""
    loop = ClusterLoop(Clock(1.0))

    async def main():
        world = World(loop)
        await world.spawn(world.add_host("server", "10.0.0.1"), "server", serve).wait_ready()
        gateway = await open_gateway(world, to=("10.0.0.1", 80))
        door = Door(loop, world, gateway)
        try:
            return await story(door)
        finally:
            for visitor in door.visitors:
                visitor.close()
            gateway.close()
            await end_all(world)
            await asyncio.sleep(0.01)

    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def ends(visitor):
    """Whether the connection has ended, as its client sees it without waiting."""
    try:
        return visitor.recv(100, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_an_answer_does_not_wait_for_the_clients_acknowledgement():
    async def story(door):
        await door.visit()
        (connection,) = door.gateway.connections
        real = connection.transport.get_extra_info("socket")
        assert real.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    at_the_door(story)


def test_what_is_for_a_real_client_is_there_before_anybody_inside_hears_of_it():
    heard = []

    async def serve(process):
        followers = []

        async def follow(reader, writer):
            followers.append(writer)
            await reader.read()

        async def answer(reader, writer):
            while await reader.read(100):
                for follower in followers:
                    follower.write(b"news")
                writer.write(b"done")

        await asyncio.start_server(follow, "0.0.0.0", 81)
        await asyncio.start_server(answer, "10.0.0.1", 80)
        process.ready()
        await asyncio.sleep(1e9)

    async def story(door):
        visitor = await door.visit()

        async def follower(_):
            reader, _ = await asyncio.open_connection("127.0.0.1", 81)
            await reader.read(100)
            try:
                heard.append(visitor.recv(100, socket.MSG_DONTWAIT))
            except BlockingIOError:
                heard.append(b"nothing yet")

        door.world.spawn(door.world.host("server"), "follower", follower)
        await asyncio.sleep(0.01)
        visitor.sendall(b"do")
        await door.world.until(lambda: heard)
        assert heard == [b"done"]

    at_the_door(story, serve)


def test_a_connection_that_says_nothing_ends_after_ten_real_seconds_and_one_that_spoke_does_not():
    async def story(door):
        silent, speaking = await door.visit(), await door.visit()
        speaking.sendall(b"hi")
        await asyncio.sleep(0.02)
        door.real += 9
        await asyncio.sleep(0.02)
        assert not ends(silent)
        door.real += 2
        await asyncio.sleep(0.02)
        assert ends(silent)
        assert speaking.recv(10) == b"HI"
        assert not ends(speaking)
        assert len(door.gateway.connections) == 1

    at_the_door(story)


def test_a_client_that_takes_nothing_for_a_real_minute_is_let_go_and_one_that_takes_is_not():
    async def pour(process):
        async def answer(reader, writer):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

        await asyncio.start_server(answer, "10.0.0.1", 80)
        process.ready()
        await asyncio.sleep(1e9)

    async def story(door):
        stalled, taking = await door.visit(), await door.visit()
        connections = list(door.gateway.connections)
        for visitor in (stalled, taking):
            visitor.sendall(b"go")
        await asyncio.sleep(0.1)
        while not all(each.transport.get_write_buffer_size() > 65536 for each in connections):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.001)
        for _ in range(3):
            door.real += 35
            taken = 0
            while taken < 16 * 2**20:  # more than all buffers on the way hold
                with contextlib.suppress(BlockingIOError):
                    taken += len(taking.recv(2**20, socket.MSG_DONTWAIT))
                await asyncio.sleep(0.0002)
        assert list(door.gateway.connections) == connections[1:]

    at_the_door(story, pour)


def test_a_thousand_connections_of_one_client_are_served_at_once():
    async def story(door):
        visitors = [socket.create_connection(door.gateway.address) for _ in range(1000)]
        door.visitors += visitors
        for number, visitor in enumerate(visitors):
            visitor.sendall(b"a%d" % number)
        await asyncio.sleep(0.5)
        for number, visitor in enumerate(visitors):
            visitor.settimeout(5)
            assert visitor.recv(10) == b"A%d" % number
            if number % 50 == 0:
                await asyncio.sleep(0.01)

    at_the_door(story)


def test_descriptors_are_asked_for_before_they_are_needed():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:

        async def story(door):
            assert door.gateway.connections.most == min(CONNECTIONS_MAX, hard - DESCRIPTORS_LEFT)

        at_the_door(story)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
