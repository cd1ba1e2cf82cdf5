"""Descriptors of sockets, their queues, and what a host remembers of connections that it closed."""

import asyncio

from cluster_engine.world.sockets import TIME_WAIT_SECONDS, TIME_WAITS_MAX, Descriptors, TimeWaits
from cluster_engine.world.tap import Endpoint
from cluster_engine.world.tcp_states import State


def test_a_new_descriptor_is_the_lowest_that_is_free_from_3_on():
    descriptors = Descriptors()
    assert [descriptors.open() for _ in range(3)] == [3, 4, 5]
    descriptors.close(4)
    assert [descriptors.open() for _ in range(2)] == [4, 6]


def test_listeners_and_connections_of_a_process_share_its_descriptors_and_give_them_back(run):
    seen = {}

    async def server(process):
        listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 80)
        _, writer = await asyncio.open_connection("127.0.0.1", 80)
        (listener,) = process.listeners
        seen["open"] = (listener.fd, sorted(end.fd for end in process.ends))
        writer.close()
        listening.close()
        await asyncio.sleep(1)
        for end in list(process.ends):
            end.close()
        await asyncio.sleep(1)
        seen["free"] = process.descriptors.open()

    async def story(world):
        await world.spawn(world.add_host("a", "10.0.0.1"), "server", server).wait()

    run(story)
    assert seen == {"open": (3, [4, 5]), "free": 3}


def test_what_is_unread_and_what_has_not_arrived_stands_in_the_queues(run):
    async def story(world):
        accepted = []

        class Deaf(asyncio.Protocol):
            def connection_made(self, transport):
                transport.pause_reading()
                accepted.append(transport)

        async def main(process):
            loop = asyncio.get_running_loop()
            await loop.create_server(Deaf, "127.0.0.1", 80)
            client, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", 80)
            client.write(b"x" * 100)
            before = client.queues
            await asyncio.sleep(1)
            client.write_eof()
            await asyncio.sleep(1)
            return before, client.queues, accepted[0].queues, accepted[0].state

        found = []

        async def keep(process):
            found.append(await main(process))

        await world.spawn(world.add_host("a", "10.0.0.1"), "a", keep).wait()
        return found[0]

    assert run(story) == ((0, 100), (0, 0), (101, 0), State.CLOSE_WAIT)


def test_who_closes_first_remembers_the_connection_for_a_minute(run):
    async def story(world):
        a, b = world.add_host("a", "10.0.0.1"), world.add_host("b", "10.0.0.2")

        async def server(process):
            async def answer(reader, writer):
                await reader.read()
                writer.close()

            await asyncio.start_server(answer, "10.0.0.2", 80)
            await asyncio.sleep(1000)

        async def client(process):
            _, writer = await asyncio.open_connection("10.0.0.2", 80)
            writer.close()

        world.spawn(b, "server", server)
        await world.spawn(a, "client", client).wait()
        await asyncio.sleep(1)
        now = world.loop.time()
        (wait,) = a.time_waits.at(now)
        kept = (wait.local.address, str(wait.remote), 58 < wait.until - now < 60, b.time_waits.at(now))
        await asyncio.sleep(TIME_WAIT_SECONDS)
        return kept, a.time_waits.at(world.loop.time())

    assert run(story) == (("10.0.0.1", "10.0.0.2:80", True, []), [])


def test_a_host_remembers_no_more_than_so_many_connections():
    waits = TimeWaits()
    for number in range(TIME_WAITS_MAX + 10):
        waits.add(Endpoint("10.0.0.1", number), Endpoint("10.0.0.2", 80), 0.0)
    assert len(waits.at(1.0)) == TIME_WAITS_MAX
    assert waits.at(1.0)[0].local.port == 10
