"""A connection of the simulated network behaves as TCP does."""

import asyncio

import pytest

from cluster_engine.world.process import Process
from cluster_engine.world.tcp import WINDOW_BYTES
from cluster_engine.world.world import World

SERVER = "10.0.0.1"


async def shout(process: Process) -> None:
    """Answer every line in capitals."""

    async def answer(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()

    server = await asyncio.start_server(answer, SERVER, 80)
    process.ready()
    await server.serve_forever()


async def never_read(process: Process) -> None:
    async def hold(reader, writer):
        writer.transport.pause_reading()
        process.disk["transport"] = writer.transport
        process.disk["received"] = reader
        await asyncio.sleep(1e6)

    await asyncio.start_server(hold, SERVER, 80)
    process.ready()
    await asyncio.sleep(1e9)


async def serving(world: World, main=shout) -> Process:
    host = world.network.hosts.get("server") or world.add_host("server", SERVER)
    process = world.spawn(host, "server", main)
    await process.wait_ready()
    return process


def test_a_line_there_and_back_takes_two_round_trips(run):
    async def story(world):
        await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        writer.write(b"hello\n")
        assert await reader.readline() == b"HELLO\n"
        assert world.loop.time() == pytest.approx(4 * 0.00025)

    run(story)


def test_a_port_nobody_listens_on_is_refused(run):
    async def story(world):
        await serving(world)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("server", 81)

    run(story)


def test_an_address_nobody_has_is_unreachable_after_arp_gives_up(run):
    async def story(world):
        with pytest.raises(OSError, match="No route to host"):
            await asyncio.open_connection("10.0.0.99", 80)
        assert world.loop.time() == 3.0

    run(story)


def test_of_a_network_in_which_nobody_is_nobody_says_so(run):
    async def story(world):
        with pytest.raises(TimeoutError):
            await asyncio.open_connection("10.9.9.9", 80)
        assert world.loop.time() == 127.0

    run(story)


def test_an_unknown_name_is_not_resolved(run):
    async def story(world):
        with pytest.raises(OSError, match="Name or service not known"):
            await asyncio.open_connection("nowhere.example", 80)

    run(story)


def test_connecting_through_a_cut_link_times_out_after_six_retries(run):
    async def story(world):
        await serving(world)
        world.network.partition("outside", "server")
        with pytest.raises(TimeoutError):
            await asyncio.open_connection("server", 80)
        assert world.loop.time() == pytest.approx(127, abs=1)

    run(story)


def test_what_was_written_during_a_partition_arrives_after_healing(run):
    async def story(world):
        await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        world.network.partition("outside", "server")
        writer.write(b"one\n")
        writer.write(b"two\n")
        await asyncio.sleep(10)
        world.network.heal("outside", "server")
        assert await reader.readexactly(8) == b"ONE\nTWO\n"
        assert world.loop.time() < 30

    run(story)


def test_a_partition_that_lasts_breaks_the_connection_with_a_timeout(run):
    async def story(world):
        await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        world.network.partition("outside", "server")
        writer.write(b"one\n")
        with pytest.raises(TimeoutError):
            await reader.readline()
        assert 800 < world.loop.time() < 1100

    run(story)


def test_a_reader_that_pauses_stops_the_writer_and_loses_nothing(run):
    async def story(world):
        process = await serving(world, never_read)
        _, writer = await asyncio.open_connection("server", 80)
        sent = 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                while True:
                    writer.write(b"x" * 10_000)
                    sent += 10_000
                    await writer.drain()
        assert WINDOW_BYTES <= sent < 3 * WINDOW_BYTES
        transport, received = process.disk["transport"], process.disk["received"]
        transport.resume_reading()
        writer.write_eof()
        assert len(await received.read()) == sent

    run(story)


def test_a_reset_breaks_both_ends(run):
    async def story(world):
        await serving(world)
        reader, _ = await asyncio.open_connection("server", 80)
        (number,) = world.network.ends
        world.network.reset(number)
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        assert world.network.ends == {}

    run(story)


def test_writing_to_a_closed_peer_is_answered_with_a_reset(run):
    async def story(world):
        process = await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        process.kill()
        assert await reader.read() == b""
        writer.write(b"too late\n")
        await asyncio.sleep(1)
        assert writer.is_closing()

    run(story)


def test_a_power_cut_says_nothing(run):
    async def story(world):
        process = await serving(world)
        reader, _ = await asyncio.open_connection("server", 80)
        process.kill(power_cut=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.read()

    run(story)


def test_a_port_is_free_again_after_its_process_was_killed(run):
    async def story(world):
        first = await serving(world)
        first.kill()
        await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        writer.write(b"again\n")
        assert await reader.readline() == b"AGAIN\n"

    run(story)


def test_a_port_in_use_cannot_be_taken(run):
    async def story(world):
        await serving(world)
        process = world.spawn(world.host("server"), "second", shout)
        with pytest.raises(ChildProcessError) as told:
            await process.wait_ready()
        assert "Address already in use" in str(told.value.__cause__)
        world.failed.exception()

    with pytest.raises(OSError, match="Address already in use"):
        run(story)


def test_unix_sockets_lead_to_the_same_host_only(run):
    path = "/run/hello.sock"

    async def main(process):
        server = await asyncio.start_unix_server(lambda _, writer: writer.write(b"hi") or writer.close(), path)
        process.ready()
        await server.serve_forever()

    async def there(process):
        reader, _ = await asyncio.open_unix_connection(path)
        process.disk["heard"] = await reader.read()

    async def story(world):
        host = world.add_host("a", "10.0.0.2")
        await world.spawn(host, "server", main).wait_ready()
        await world.spawn(host, "client", there).wait()
        assert host.disk["heard"] == b"hi"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_unix_connection(path)

    run(story)


def test_what_a_full_window_held_back_is_sent_on_when_it_opens(run):
    async def story(world):
        process = await serving(world, never_read)
        _, writer = await asyncio.open_connection("server", 80)
        writer.write(b"x" * (4 * WINDOW_BYTES))
        writer.write_eof()
        await asyncio.sleep(1)
        process.disk["transport"].resume_reading()
        async with asyncio.timeout(5):
            assert len(await process.disk["received"].read()) == 4 * WINDOW_BYTES

    run(story)


def test_a_slower_link_delays_what_crosses_it(run):
    async def story(world):
        await serving(world)
        world.network.set_latency("outside", "server", 0.1)
        reader, writer = await asyncio.open_connection("server", 80)
        writer.write(b"hello\n")
        await reader.readline()
        assert world.loop.time() == pytest.approx(0.4)
        world.network.set_latency("outside", "server", 0.5)
        writer.write(b"hello\n")
        await reader.readline()
        assert world.loop.time() == pytest.approx(1.4)

    run(story)


def test_a_one_way_partition_lets_questions_through_but_no_answers(run):
    async def story(world):
        process = await serving(world)
        reader, writer = await asyncio.open_connection("server", 80)
        world.network.partition("server", "outside", both_ways=False)
        writer.write(b"hello\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await reader.readline()
        assert [end.sequence for end in process.ends] == [1]  # the answer is written and cannot leave
        world.network.heal("server", "outside")
        assert await reader.readline() == b"HELLO\n"

    run(story)
