"""The table of a connection's states, the connections that obey it, and the picture that is drawn from it."""

import asyncio
from pathlib import Path

import pytest

from cluster_engine.world import tcp_states
from cluster_engine.world.tcp_states import TRANSITIONS, Event, State, after

SERVER = "10.0.0.1"
PICTURE = Path(__file__).parents[3] / "docs" / "pictures" / "tcp-states.md"


def test_the_picture_is_drawn_from_the_table():
    assert PICTURE.read_text() == tcp_states.drawn()


def test_every_state_can_be_reached_and_left_for_closed():
    def reached(start):
        found, ahead = {start}, [start]
        while ahead:
            ahead += (new := set(TRANSITIONS[ahead.pop()].values()) - found)
            found |= new
        return found

    assert reached(State.CLOSED) | reached(State.LISTEN) == set(State)
    for state in State:
        assert State.CLOSED in reached(state)


def test_an_event_that_has_no_place_in_a_state_is_an_error():
    with pytest.raises(KeyError):
        after(State.CLOSED, Event.CLOSE)


@pytest.mark.parametrize("first", ["client", "server"])
def test_an_orderly_end_goes_through_the_states_of_the_rfc(run, first):
    """Both ends close, one after the other; what each was in is seen at each segment's arrival."""
    second = "server" if first == "client" else "client"

    async def story(world):
        ends, kept, seen = {}, [], {"client": [], "server": []}

        async def serve(process):
            def made(_, writer):
                ends["server"] = writer.transport
                kept.append(writer)  # from Python 3.13 on a writer that nobody keeps closes its connection

            await asyncio.start_server(made, SERVER, 80)
            process.ready()
            await asyncio.sleep(1e9)

        process = world.spawn(world.add_host("server", SERVER), "server", serve)
        await process.wait_ready()
        _, writer = await asyncio.open_connection(SERVER, 80)
        ends["client"] = writer.transport
        await asyncio.sleep(1)

        def look():
            for name, end in ends.items():
                seen[name].append(end.state)

        look()
        ends[first].write_eof()
        look()
        await asyncio.sleep(0.0003)
        look()
        ends[second].close()
        look()
        await asyncio.sleep(0.0003)
        look()
        assert seen[first] == [
            State.ESTABLISHED,
            State.FIN_WAIT_1,
            State.FIN_WAIT_2,
            State.FIN_WAIT_2,
            State.TIME_WAIT,
        ]
        assert seen[second] == [
            State.ESTABLISHED,
            State.ESTABLISHED,
            State.CLOSE_WAIT,
            State.LAST_ACK,
            State.CLOSED,
        ]

    run(story)


def test_who_gives_up_connecting_leaves_nothing_behind_at_the_server(run):
    async def story(world):
        async def serve(process):
            await asyncio.start_server(lambda reader, writer: None, SERVER, 80)
            process.ready()
            await asyncio.sleep(1e9)

        server = world.spawn(world.add_host("server", SERVER), "server", serve)
        await server.wait_ready()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.0004):  # the SYN has arrived, the SYN, ACK not yet
                await asyncio.open_connection(SERVER, 80)
        assert [end.state for end in server.ends] == [State.SYN_RECEIVED]
        await asyncio.sleep(1)
        assert not server.ends
        assert not world.network.ends

    run(story)


def test_what_was_not_read_yet_is_read_after_both_ends_have_closed(run):
    async def story(world):
        got = asyncio.get_running_loop().create_future()

        class Slow(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport, self.data = transport, b""
                transport.pause_reading()
                transport.get_protocol()
                world.loop.call_later(1, transport.write_eof)
                world.loop.call_later(2, transport.resume_reading)

            def data_received(self, data):
                self.data += data

            def connection_lost(self, exc):
                got.set_result(self.data)

        async def serve(process):
            await asyncio.get_running_loop().create_server(Slow, SERVER, 80)
            process.ready()
            await asyncio.sleep(1e9)

        process = world.spawn(world.add_host("server", SERVER), "server", serve)
        await process.wait_ready()
        _, writer = await asyncio.open_connection(SERVER, 80)
        writer.write(b"last words")
        writer.write_eof()
        assert await asyncio.wait_for(got, 10) == b"last words"

    run(story)
