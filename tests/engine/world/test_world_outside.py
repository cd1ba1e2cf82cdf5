"""Real seconds, as a loop hears of them; told by a clock of the test's own."""

import asyncio
import socket

import pytest

from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.outside import Outside, _whole


class Told:
    """A machine's clock that goes when it is told to."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def outside():
    selector = Outside(Told())
    yield selector
    selector.close()


@pytest.fixture
def handle():
    """Make the handle of a callback, as a loop would."""
    loop = ClusterLoop(Clock())
    yield lambda: asyncio.Handle(print, (), loop)
    loop.close()


def test_a_wait_is_whole_milliseconds_so_that_a_hop_of_a_quarter_of_one_is_not_four_times_as_long():
    assert _whole(0.00025) == 0
    assert _whole(0.00099) == 0
    assert 0.002 < _whole(0.0034) <= 0.003, "the selector rounds this up to three"
    assert _whole(None) is None
    assert _whole(0) == 0


def test_a_timer_is_an_event_once_its_real_seconds_have_passed(outside, handle):
    one = handle()
    outside.call_later(10, one)
    assert outside.select(0) == []
    outside.real.seconds += 10
    ((key, _),) = outside.select(None)
    assert key.data == (one, None)
    assert outside.select(0) == []


def test_timers_come_in_their_order_and_cancelled_ones_do_not(outside, handle):
    handles = [handle() for _ in range(3)]
    for one, seconds in zip(handles, (3, 2, 1), strict=True):
        outside.call_later(seconds, one)
    handles[1].cancel()
    outside.real.seconds += 5
    assert [key.data[0] for key, _ in outside.select(0)] == [handles[2], handles[0]]


def test_a_socket_is_heard_before_a_timer_that_is_not_due(outside, handle):
    here, there = socket.socketpair()
    outside.register(here, 1, "news")
    outside.call_later(1e6, handle())
    there.send(b"x")
    assert [key.data for key, _ in outside.select(None)] == ["news"]
    here.close()
    there.close()


def test_a_real_timer_fires_while_the_world_is_paused_and_its_time_stands():
    clock = Clock(1.0)
    real = clock.outside.real = Told()
    clock.outside_may_speak = True
    loop = ClusterLoop(clock)

    async def story():
        done = loop.create_future()
        clock.pause()
        began = loop.time()
        loop.call_outside_later(5, done.set_result, None)
        real.seconds += 5
        await done
        assert loop.time() == began

    loop.run_until_complete(story())
    loop.close()
