"""A real socket of this machine reaches a host of the world: engine tests with real sockets, that being the subject."""

import asyncio
import contextlib
import resource
import socket
import threading
import time

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.world.clock import Clock
from cluster_engine.world.gateway import DESCRIPTORS_LEFT, open_gateway
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from cluster_engine.world.story import end_all
from cluster_engine.world.visitors import CONNECTIONS_MAX
from cluster_engine.world.world import World


async def comes_true(condition):
    """Let the world live until what its real sockets must bring about is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def heard(visitor):
    """Let the world live until the visitor has been sent something; give it."""
    await comes_true(lambda: waits(visitor))
    return visitor.recv(100)


def waits(visitor):
    """Whether there is something to read for the visitor, or the end."""
    try:
        visitor.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    return True


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
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(100):
                received += data
            return received

    assert with_gateway(outside) == b"HELLO"


def test_a_megabyte_is_not_lost_on_slow_readers():
    def outside(address):
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
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
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
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
        assert await heard(visitor) == b"HI"
        assert len(gateway.connections) == 1
        visitor.shutdown(socket.SHUT_WR)
        await comes_true(lambda: len(gateway.connections) == 0)
        visitor.close()
        gateway.close()
        await end_all(world)
        await asyncio.sleep(0.01)

    loop.run_until_complete(main())
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
        await comes_true(lambda: len(self.gateway.connections) == len(self.visitors))
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
    told = []

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
            visitor.settimeout(PATIENCE_SECONDS)  # the kernel may take its time; nobody else here does anything then
            told.append(visitor.recv(100))

        door.world.spawn(door.world.host("server"), "follower", follower)
        await asyncio.sleep(0.01)
        visitor.sendall(b"do")
        await comes_true(lambda: told)
        assert told == [b"done"]

    at_the_door(story, serve)


def test_a_connection_that_says_nothing_ends_after_ten_real_seconds_and_one_that_spoke_does_not():
    async def story(door):
        silent, speaking = await door.visit(), await door.visit()
        speaking.sendall(b"hi")
        assert await heard(speaking) == b"HI"
        door.real += 9
        await asyncio.sleep(0.02)
        assert not ends(silent)
        door.real += 2
        await comes_true(lambda: ends(silent))
        await asyncio.sleep(0.02)
        assert not ends(speaking)
        assert len(door.gateway.connections) == 1

    at_the_door(story)


class Pours:
    """Serves bytes without an end to whoever says something; `poured` counts them."""

    def __init__(self):
        self.poured = 0

    async def __call__(self, process):
        async def answer(reader, writer):
            await reader.read(1)
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                self.poured += 65536

        await asyncio.start_server(answer, "10.0.0.1", 80)
        process.ready()
        await asyncio.sleep(1e9)


def test_little_waits_on_this_machine_for_a_client_that_reads_nothing():
    pours = Pours()

    async def story(door):
        (await door.visit()).sendall(b"go")
        seen = 0
        while seen == 0 or pours.poured > seen:
            seen = pours.poured
            await asyncio.sleep(0.3)
        assert seen < 3 * 2**20

    at_the_door(story, pours)


def test_a_client_that_takes_nothing_for_a_real_minute_is_let_go_and_one_that_takes_is_not():
    async def story(door):
        stalled, taking = await door.visit(), await door.visit()
        for visitor in (stalled, taking):
            visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**18)  # else the kernel lets it grow
        connections = list(door.gateway.connections)
        for visitor in (stalled, taking):
            visitor.sendall(b"go")
        await comes_true(lambda: all(each.transport.get_write_buffer_size() > 65536 for each in connections))
        for _ in range(3):
            door.real += 35
            taken = 0
            while taken < 16 * 2**20:  # more than all buffers on the way hold
                with contextlib.suppress(BlockingIOError):
                    taken += len(taking.recv(2**20, socket.MSG_DONTWAIT))
                await asyncio.sleep(0.0002)
        await comes_true(lambda: connections[0] not in door.gateway.connections)
        assert list(door.gateway.connections) == connections[1:]

    at_the_door(story, Pours())


def test_a_thousand_connections_of_one_client_are_served_at_once():
    async def story(door):
        visitors = [socket.create_connection(door.gateway.address) for _ in range(1000)]
        door.visitors += visitors
        for number, visitor in enumerate(visitors):
            visitor.sendall(b"a%d" % number)
        for number, visitor in enumerate(visitors):
            assert await heard(visitor) == b"A%d" % number

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
