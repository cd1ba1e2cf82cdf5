"""Time moves only while everything waits, and nothing that happens depends on how fast it moves."""

import asyncio
import time

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.world.clock import Clock, DeadlockError
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.story import run_story
from cluster_engine.world.tap import Connection, Note, Segment


class Recorder:
    """A tap that keeps what it hears, without what is truly random."""

    def __init__(self) -> None:
        self.heard: list[tuple] = []

    def connection(self, connection: Connection) -> None:
        self.heard.append((connection.opened, connection.client_process, connection.server_process))

    def accepted(self, connection: int, process: str) -> None:
        self.heard.append((connection, process))

    def segment(self, segment: Segment) -> None:
        self.heard.append((segment.arrived, segment.connection, segment.from_client, segment.flags, segment.payload))

    def secret(self, line: str) -> None:
        self.heard.append(line.split()[:1])

    def note(self, note: Note) -> None:
        self.heard.append((note.at, note.process, note.kind))


async def chatter(world) -> None:
    """Three clients and a server that talk at random times, from the seed."""

    async def server(process):
        async def answer(reader, writer):
            while line := await reader.readline():
                await asyncio.sleep(process.rng.random() / 100)
                writer.write(line)
            writer.close()

        await asyncio.start_server(answer, "10.0.0.1", 80)
        process.ready()
        await asyncio.sleep(1e9)

    async def client(process):
        reader, writer = await asyncio.open_connection("10.0.0.1", 80)
        for _ in range(5):
            writer.write(f"{process.rng.random()}\n".encode())
            await reader.readline()
            await asyncio.sleep(process.rng.random() / 50)
        writer.close()

    host = world.add_host("server", "10.0.0.1")
    await world.spawn(host, "server", server).wait_ready()
    clients = [world.spawn(host, f"client-{n}", client) for n in range(3)]
    for process in clients:
        await process.wait()


def test_an_hour_passes_at_once_when_leaping(run):
    async def story(world):
        before = time.monotonic()
        await asyncio.sleep(3600)
        assert world.loop.time() == 3600
        assert time.monotonic() - before < PATIENCE_SECONDS

    run(story)


@pytest.mark.parametrize("pace", [None, 1.0, 20.0])
def test_one_scenario_is_the_same_at_any_pace(pace):
    leaping, paced = Recorder(), Recorder()
    run_story(chatter, tap=leaping)
    run_story(chatter, tap=paced, pace=pace)
    assert paced.heard == leaping.heard
    assert len(leaping.heard) > 50


def test_another_seed_tells_another_story():
    one, other = Recorder(), Recorder()
    run_story(chatter, tap=one, seed=1)
    run_story(chatter, tap=other, seed=2)
    assert one.heard != other.heard


def test_a_paused_clock_stands_until_it_is_stepped():
    clock = Clock()
    clock.pause()
    ticks = []
    clock.outside_may_speak = True
    clock.step(lambda: len(ticks) >= 2)
    loop = ClusterLoop(clock)

    async def main() -> None:
        for n in range(5):
            await asyncio.sleep(1)
            ticks.append(n)
            if n == 1:
                loop.call_soon(loop.stop)

    task = loop.create_task(main())
    loop.run_forever()
    assert (ticks, loop.time()) == ([0, 1], 2.0)
    clock.resume()
    loop.run_until_complete(task)
    loop.close()
    assert ticks == [0, 1, 2, 3, 4]


def test_a_deadlock_is_named_with_who_waits_where(run):
    async def waits_for_ever(_):
        await asyncio.get_running_loop().create_future()

    async def story(world):
        world.spawn(world.host("outside"), "stuck", waits_for_ever)
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError, match=r"outside/stuck waits at .*test_world_time.py"):
        run(story)


def test_a_wait_that_never_ends_is_named(run):
    async def story(world):
        def pigs_fly() -> bool:
            return False

        async def tick(_):
            for _ in range(1000):
                await asyncio.sleep(1)

        world.spawn(world.host("outside"), "ticker", tick)
        await world.until(pigs_fly, within_seconds=30)

    with pytest.raises(TimeoutError, match="pigs_fly did not come true within 30 s"):
        run(story)


def test_a_program_that_fails_ends_the_world_and_says_where(run):
    async def bad(_):
        await asyncio.sleep(2)
        raise ZeroDivisionError

    async def story(world):
        world.spawn(world.host("outside"), "bad", bad)
        await asyncio.sleep(10)

    with pytest.raises(ZeroDivisionError) as told:
        run(story, seed=5)
    assert told.value.__notes__ == ["in outside/bad at 2.000000 s of virtual time, seed 5"]


def test_the_tasks_of_a_killed_process_all_end(run):
    async def main(process):
        async def child():
            try:
                await asyncio.sleep(1e6)
            finally:
                process.disk["ended"] = process.disk.get("ended", 0) + 1

        tasks = [asyncio.create_task(child()) for _ in range(3)]
        process.ready()
        await asyncio.gather(*tasks)

    async def story(world):
        process = world.spawn(world.host("outside"), "parent", main)
        await process.wait_ready()
        await asyncio.sleep(1)
        process.kill()
        assert await process.wait() == 137
        assert process.disk["ended"] == 3

    run(story)


def test_stop_asks_first_and_kills_after_the_grace(run):
    async def stubborn(process):
        process.ready()
        while True:
            try:
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                if process.exit_code is not None:
                    raise

    async def story(world):
        process = world.spawn(world.host("outside"), "stubborn", stubborn)
        await process.wait_ready()
        assert await process.stop(grace_seconds=5) == 137
        assert world.loop.time() == 5

    run(story)


def test_threads_are_refused(run):
    async def story(world):
        with pytest.raises(RuntimeError, match="no threads"):
            await asyncio.to_thread(print)

    run(story)


def test_a_timer_is_never_called_before_its_time(run):
    async def story(world):
        loop, early = world.loop, []
        for number in range(2000):
            due = loop.time() + world.rng.random()
            loop.call_at(due, lambda due=due: early.append(due) if loop.time() < due else None)
            if number % 10 == 0:
                await asyncio.sleep(world.rng.random() / 1e6)
        await asyncio.sleep(2)
        assert not early

    run(story)


@pytest.mark.parametrize("others", [0, 40, 400])
def test_timers_for_one_time_come_in_the_order_in_which_they_were_set_whatever_others_there_are(others):
    loop = ClusterLoop(Clock())
    called = []
    for n in range(100):
        loop.call_at(1.0, called.append, n)
        for m in range(others // 100 + (n < others % 100)):
            timer = loop.call_at(0.5 + (n * 7 + m * 3) % 11 / 10, lambda: None)
            if n % 3:
                timer.cancel()
    loop.run_until_complete(asyncio.sleep(2.0))
    loop.close()
    assert called == list(range(100))


def test_a_group_of_tasks_is_cancelled_in_the_same_order_in_every_run(run):
    kept = []  # so that what comes later lies elsewhere in memory

    async def story(world):
        cancelled = []

        async def wait(n):
            try:
                await asyncio.sleep(100)
            finally:
                cancelled.append(n)

        async def main(_):
            async with asyncio.TaskGroup() as group:
                kept.extend(group.create_task(wait(n)) for n in range(50))

        process = world.spawn(world.add_host("host", "10.0.0.1"), "program", main)
        await asyncio.sleep(1)
        await process.stop()
        kept.extend(object() for _ in range(1000))
        return cancelled

    orders = [run(story) for _ in range(3)]
    assert len(orders[0]) == 50
    assert orders[0] == orders[1] == orders[2]


def test_a_loop_that_is_wound_up_leaves_no_task_pending():
    loop, began = ClusterLoop(Clock(None)), []

    async def long() -> None:
        began.append(True)
        await asyncio.sleep(100)

    task = loop.create_task(long())
    loop.run_until_complete(asyncio.sleep(1))
    loop.wind_up()
    assert (began, task.cancelled(), loop.is_closed(), loop.time()) == ([True], True, True, 1.0)
