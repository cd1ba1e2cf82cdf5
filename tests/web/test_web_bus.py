"""One suite for all buses: what one does, all do."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from web_until import PATIENCE

from visualizer.hosting import messages
from visualizer.hosting.bus import STREAM_BYTES_MAX, STREAM_MESSAGES_MAX, Bus, BusLost, EmbeddedBus, Held
from visualizer.hosting.messages import Clock, Rights
from visualizer.hosting.pipe_bus import PipeBus, lend
from visualizer.hosting.redis_bus import RedisBus

pytestmark = pytest.mark.asyncio
KEPT = 5


async def pipe() -> tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamWriter]:
    ours, theirs = socket.socketpair()
    return *await asyncio.open_connection(sock=ours), *await asyncio.open_connection(sock=theirs)


@pytest_asyncio.fixture(params=["embedded", "pipe", pytest.param("redis", marks=pytest.mark.redis)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "redis":
        redis = RedisBus(
            request.getfixturevalue("redis_url"), stream_messages_max=KEPT, prefix=f"test-{secrets.token_hex(4)}*?[:"
        )
        yield redis
        await redis.aclose()
        return
    embedded = EmbeddedBus(stream_messages_max=KEPT)
    if request.param == "embedded":
        yield embedded
        return
    reader, writer, child_reader, child_writer = await pipe()
    lending = asyncio.create_task(lend(embedded, reader, writer))
    lent = PipeBus(child_reader, child_writer, stream_messages_max=KEPT)
    yield lent
    await lent.aclose()
    await lending


async def take(bus: Bus, stream: str, count: int) -> list[bytes]:
    taken: list[bytes] = []
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(bus.follow(stream)) as followed:
        async for messages in followed:
            taken += messages
            if len(taken) >= count:
                return taken
    raise AssertionError("a followed stream never ends")


async def test_a_follower_is_handed_what_is_kept_then_what_comes(bus):
    await bus.append("s", b"1")
    await bus.append("s", b"2")
    following = asyncio.create_task(take(bus, "s", 4))
    await asyncio.sleep(0)
    await bus.append("s", b"3")
    await bus.append("s", b"4")
    assert await following == [b"1", b"2", b"3", b"4"]


async def test_a_second_follower_of_a_stream_is_handed_everything_too(bus):
    async with contextlib.aclosing(bus.follow("s")) as first:
        await bus.append("s", b"1")
        assert await anext(first) == [b"1"]
        assert await take(bus, "s", 1) == [b"1"]
        second = asyncio.create_task(take(bus, "s", 2))
        await bus.append("s", b"2")
        assert await second == [b"1", b"2"]
        async with asyncio.timeout(PATIENCE):
            assert await anext(first) == [b"2"]


async def test_streams_do_not_mix(bus):
    await bus.append("one", b"1")
    await bus.append("two", b"2")
    assert await take(bus, "two", 1) == [b"2"]
    assert await take(bus, "one", 1) == [b"1"]


async def test_only_the_newest_messages_are_kept(bus):
    for number in range(20):
        await bus.append("s", str(number).encode())
    assert await take(bus, "s", KEPT) == [b"15", b"16", b"17", b"18", b"19"]


async def test_a_follower_that_falls_behind_misses_the_oldest_and_nothing_else(bus):
    async with contextlib.aclosing(bus.follow("s")) as followed:
        await bus.append("s", b"first")
        assert await anext(followed) == [b"first"]
        for number in range(50):
            await bus.append("s", str(number).encode())
        seen: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            while not seen or seen[-1] != b"49":
                seen += await anext(followed)
    assert [int(one) for one in seen] == sorted({int(one) for one in seen})
    assert seen[-KEPT:] == [b"45", b"46", b"47", b"48", b"49"]


async def test_a_follower_that_falls_behind_sees_that_it_missed_something(bus):
    reader = messages.Reader()
    async with contextlib.aclosing(bus.follow("s")) as followed:
        await bus.append("s", messages.say(Clock(1, 1, False), 1, n=1))
        assert reader.read(await anext(followed)) == [Clock(1, 1, False)]
        await bus.append("s", messages.say(Rights(), 0))
        await bus.append("s", messages.say(Clock(2, 1, False), 1, n=2))
        seen: list[object] = []
        async with asyncio.timeout(PATIENCE):
            while len(seen) < 2:
                seen += reader.read(await anext(followed))
                assert not reader.has_missed
        for number in range(3, 50):
            await bus.append("s", messages.say(Clock(number, 1, False), 1, n=number))
        missed = []
        async with asyncio.timeout(PATIENCE):
            while Clock(49, 1, False) not in seen:
                told = reader.read(await anext(followed))
                missed.append(reader.has_missed)
                seen += told
    assert missed.count(True) >= 1
    assert seen[-KEPT:] == [Clock(number, 1, False) for number in range(45, 50)]


async def test_a_burst_through_a_pipe_passes_no_follower_who_takes_what_comes():
    reader, writer, child_reader, child_writer = await pipe()
    parent = EmbeddedBus()
    lending = asyncio.create_task(lend(parent, reader, writer))
    child = PipeBus(child_reader, child_writer)
    burst = [str(number).encode() for number in range(4 * STREAM_MESSAGES_MAX)]
    up, down = (asyncio.create_task(take(bus, "s", len(burst))) for bus in (parent, child))
    await child.append("s", burst[0])
    await child.holder("all followers are there")
    for message in burst[1:]:
        await child.append("s", message)
    assert await up == burst
    assert await down == burst
    await child.aclose()
    await lending


async def test_a_dropped_stream_is_forgotten_but_its_followers_go_on(bus):
    async with contextlib.aclosing(bus.follow("s")) as followed:
        await bus.append("s", b"1")
        assert await anext(followed) == [b"1"]
        await bus.drop("s")
        await bus.append("s", b"2")
        async with asyncio.timeout(PATIENCE):
            assert await anext(followed) == [b"2"]
    assert await take(bus, "s", 1) == [b"2"]


async def test_dropping_what_does_not_exist_is_no_error(bus):
    await bus.drop("nothing")


async def test_many_streams_are_followed_at_once(bus):
    following = [asyncio.create_task(take(bus, f"s{number}", 2)) for number in range(20)]
    for number in range(20):
        await bus.append(f"s{number}", b"a")
        await bus.append(f"s{number}", b"b")
    assert await asyncio.gather(*following) == [[b"a", b"b"]] * 20


async def test_any_bytes_pass_unchanged(bus):
    message = bytes(range(256)) * 4000
    await bus.append("s", message)
    assert await take(bus, "s", 1) == [message]


async def test_a_lease_has_one_holder_who_may_renew_it(bus):
    assert await bus.hold("cluster:a", "worker-1", 30)
    assert not await bus.hold("cluster:a", "worker-2", 30)
    assert await bus.hold("cluster:a", "worker-1", 30)
    assert await bus.holder("cluster:a") == "worker-1"
    assert await bus.holder("cluster:b") is None


async def test_a_lease_that_is_not_renewed_expires_and_is_taken_over(bus):
    assert await bus.hold("cluster:a", "worker-1", 0.05)
    async with asyncio.timeout(PATIENCE):
        while not await bus.hold("cluster:a", "worker-2", 30):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await bus.holder("cluster:a") == "worker-2"
    assert not await bus.hold("cluster:a", "worker-1", 30)


async def test_only_its_holder_releases_a_lease(bus):
    await bus.hold("cluster:a", "worker-1", 30)
    await bus.release("cluster:a", "worker-2")
    assert await bus.holder("cluster:a") == "worker-1"
    await bus.release("cluster:a", "worker-1")
    assert await bus.holder("cluster:a") is None
    await bus.release("cluster:a", "worker-1")


async def test_leases_are_listed_by_prefix(bus):
    await bus.hold("cluster:a", "worker-1", 30)
    await bus.hold("cluster:b", "worker-2", 30)
    await bus.hold("worker:1", "worker-1", 30)
    assert await bus.leases("cluster:") == {"cluster:a": "worker-1", "cluster:b": "worker-2"}
    assert await bus.leases("nothing:") == {}


async def test_the_embedded_bus_bounds_the_bytes_it_keeps_too():
    bus = EmbeddedBus()
    for number in range(10):
        await bus.append("s", bytes([number]) * (STREAM_BYTES_MAX // 3))
    assert [message[0] for message in await take(bus, "s", 3)] == [7, 8, 9]
    await bus.append("s", b"x" * (STREAM_BYTES_MAX + 1))
    assert [len(message) for message in await take(bus, "s", 1)] == [STREAM_BYTES_MAX + 1]


async def test_a_child_learns_that_its_parent_is_gone():
    reader, writer, child_reader, child_writer = await pipe()
    lending = asyncio.create_task(lend(EmbeddedBus(), reader, writer))
    lost = asyncio.Event()
    lent = PipeBus(child_reader, child_writer, on_lost=lost.set)
    followed = asyncio.create_task(take(lent, "s", 1))
    assert await lent.hold("cluster:a", "worker-1", 30)
    lending.cancel()
    async with asyncio.timeout(PATIENCE):
        await lost.wait()
        with pytest.raises(BusLost):
            await followed
        with pytest.raises(BusLost):
            await lent.holder("cluster:a")
        with pytest.raises(BusLost):
            await lent.append("s", b"1")
    await lent.aclose()
    await asyncio.gather(lending, return_exceptions=True)


@pytest.mark.redis
async def test_a_redis_that_cannot_be_reached_is_told_as_a_lost_bus():
    bus = RedisBus("redis://127.0.0.1:1/0")
    with pytest.raises(BusLost, match="Redis cannot be reached"):
        await bus.append("s", b"1")
    await bus.aclose()


async def test_an_append_under_a_lease_is_made_only_while_it_is_held(bus):
    held = Held("cluster:a", "worker-1#1")
    await bus.append("s", b"before it is held", under=held)
    await bus.hold(*held, 30)
    await bus.append("s", b"held", under=held)
    await bus.append("s", b"another's", under=Held("cluster:a", "worker-1#2"))
    await bus.release(*held)
    await bus.hold("cluster:a", "worker-2#2", 30)
    await bus.append("s", b"over", under=held)
    await bus.append("s", b"end")
    assert await take(bus, "s", 2) == [b"held", b"end"]
