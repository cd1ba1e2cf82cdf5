"""A bad link changes when bytes arrive, never which; only what no checksum finds gets through, and TLS finds that."""

import asyncio
import itertools
import random

import pytest

from cluster_engine.lens.tcp import Stream
from cluster_engine.world.noise import LOSSES_MAX, PLAIN, RETRANSMIT_SECONDS, Noise
from tests.ears import Ears

LINES = [f"line {number}\n".encode() for number in range(200)]


async def listen(process):
    async def take(reader, writer):
        process.disk["got"] = process.disk.get("got", b"") + await reader.read()
        process.disk["at"] = asyncio.get_running_loop().time()
        writer.close()

    await asyncio.start_server(take, "10.0.0.1", 80)
    process.ready()
    await asyncio.sleep(1e9)


async def send(world, noise):
    """Send LINES, one a millisecond, over a link that is as bad as `noise`; give the receiver's disk."""
    server, client = world.add_host("server", "10.0.0.1"), world.add_host("client", "10.0.0.2")
    await world.spawn(server, "server", listen).wait_ready()
    world.network.set_noise("server", "client", noise)

    async def speak(_):
        _, writer = await asyncio.open_connection("server", 80)
        for line in LINES:
            writer.write(line)
            await asyncio.sleep(0.001)
        writer.close()

    await world.spawn(client, "client", speak).wait()
    await world.until(lambda: "at" in server.disk)
    return server.disk


@pytest.mark.parametrize("share", [{"lost": 0.3}, {"late": 0.5}, {"repeated": 0.5}, {"lost": 0.2, "late": 0.2}])
def test_bytes_arrive_once_and_in_order_however_bad_the_link(run, share):
    ears = Ears()

    async def story(world):
        disk = await send(world, Noise(random.Random(3), **share))
        assert disk["got"] == b"".join(LINES)

    run(story, tap=ears)
    stream = Stream()
    stream.begin(1)
    sent = [one for one in ears.segments if one.from_client and one.arrived is not None and one.payload]
    read = b"".join(chunk for one in sent for chunk, _ in stream.receive(one.sequence, one.payload, 0))
    assert read == b"".join(LINES)
    assert [one.arrived for one in sent] == sorted(one.arrived for one in sent)
    sequences = [one.sequence for one in sent]
    assert ("late" in share or "lost" in share) == (sequences != sorted(sequences))
    assert ("repeated" in share) == (len(sequences) != len(set(sequences)))
    assert ("lost" in share) == any(one.arrived is None for one in ears.segments)


@pytest.mark.parametrize(("lost", "later"), [(0, False), (len(LINES) - 1, True)])
def test_what_is_lost_costs_a_retransmission_time_out_unless_what_follows_takes_longer(run, lost, later):
    async def story(world):
        noise = Noise(random.Random(3), lost=0.5)
        noise.rng.random = itertools.chain([0.9] * 4 * lost, [0.1], itertools.repeat(0.9)).__next__
        took = (await send(world, noise))["at"] - len(LINES) * 0.001
        assert took == pytest.approx(RETRANSMIT_SECONDS if later else 0.001, abs=0.002)

    run(story)


def test_losses_in_a_row_are_bounded_and_wait_twice_as_long_each():
    noise = Noise(random.Random(1), lost=0.5)
    noise.rng.random = lambda: 0.0
    resent = noise.fate().resent
    assert len(resent) == LOSSES_MAX
    assert resent[:3] == pytest.approx((0.2, 0.6, 1.4))


def test_a_good_link_is_plain_and_a_link_made_good_again_too(run):
    assert Noise(random.Random(1)).fate() == PLAIN

    async def story(world):
        world.add_host("a", "10.0.0.8"), world.add_host("b", "10.0.0.9")
        world.network.set_noise("a", "b", Noise(random.Random(1), lost=0.5))
        world.network.set_noise("b", "a", None)
        assert world.network._noise == {}

    run(story)


def test_damage_that_no_checksum_finds_reaches_the_program(run):
    async def story(world):
        noise = Noise(random.Random(3), damaged=0.2)
        got = (await send(world, noise))["got"]
        assert len(got) == len(b"".join(LINES))
        assert got != b"".join(LINES)

    run(story)


def test_a_link_that_becomes_faster_delivers_nothing_before_what_was_sent_earlier(run):
    async def story(world):
        world.add_host("x", "10.0.0.7")
        server, client = world.add_host("server", "10.0.0.1"), world.add_host("client", "10.0.0.2")
        await world.spawn(server, "server", listen).wait_ready()

        async def speak(_):
            _, writer = await asyncio.open_connection("server", 80)
            world.network.set_latency("server", "client", 5.0)
            writer.write(b"first")
            await asyncio.sleep(0.1)
            world.network.set_latency("server", "client", 0.001)
            writer.write(b"second")
            writer.close()

        await world.spawn(client, "client", speak).wait()
        await world.until(lambda: "at" in server.disk)
        assert server.disk["got"] == b"firstsecond"
        assert server.disk["at"] == pytest.approx(5.0, abs=0.1)

    run(story)


def test_a_server_that_dies_on_a_link_that_has_become_faster_than_its_syn_ack_refuses_the_connection(run):
    async def story(world):
        server, client = world.add_host("server", "10.0.0.1"), world.add_host("client", "10.0.0.2")
        process = world.spawn(server, "server", listen)
        await process.wait_ready()
        world.network.set_latency("server", "client", 5.0)

        async def speak(_):
            with pytest.raises(ConnectionResetError):
                await asyncio.open_connection("server", 80)

        speaker = world.spawn(client, "client", speak)
        await asyncio.sleep(6.0)  # the SYN has arrived, the SYN-ACK is under way
        world.network.set_latency("server", "client", 0.001)
        process.kill()
        assert await speaker.wait() == 0

    run(story)
