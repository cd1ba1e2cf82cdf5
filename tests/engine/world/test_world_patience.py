"""Who lives in another time is judged by the slower of two clocks."""

import asyncio

import pytest

from cluster_engine.world.patience import Patience, within


@pytest.mark.parametrize(("pace", "seconds_here"), [(60, 600), (1, 10), (0.1, 10)])
def test_time_is_up_when_it_is_up_on_both_clocks(run, pace, seconds_here):
    async def story(world):
        up = asyncio.Event()
        Patience(lambda: world.loop.time() / pace, 10.0, up.set)
        await up.wait()
        assert seconds_here <= world.loop.time() <= seconds_here + 1

    run(story)


def test_a_peer_of_the_worlds_own_time_is_judged_at_the_instant(run):
    async def story(world):
        up = asyncio.Event()
        Patience(None, 10.0, up.set)
        await up.wait()
        assert world.loop.time() == 10.0

    run(story)


def test_what_is_cancelled_does_not_call_back(run):
    async def story(world):
        called = []
        judge = Patience(lambda: world.loop.time() / 60, 10.0, lambda: called.append(1))
        await asyncio.sleep(300)
        judge.cancel()
        await asyncio.sleep(1000)
        assert not called

    run(story)


def test_within_raises_as_asyncio_does_and_only_when_it_is_due(run):
    async def story(world):
        def peer_time():
            return world.loop.time() / 60

        async with within(10.0, peer_time):
            await asyncio.sleep(500)
        with pytest.raises(TimeoutError):
            async with within(10.0, peer_time):
                await asyncio.sleep(700)
        with pytest.raises(TimeoutError):
            async with within(10.0, None):
                await asyncio.sleep(11)

    run(story)
