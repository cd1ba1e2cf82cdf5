"""Who pays for a bug of ours: the process it is in, or the world."""

import asyncio
import contextvars

import pytest

from cluster_engine.world import bugs
from cluster_engine.world.supervisor import RESTART_SECONDS, Program, Supervisor
from tests.ears import Ears


async def rest(process):
    process.ready()
    await asyncio.sleep(1e6)


async def break_in_main(process):
    raise KeyError("planted")


async def break_in_a_task(process):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(break_in_main(process))
        await asyncio.sleep(1e6)


async def break_in_a_timer(process):
    asyncio.get_running_loop().call_later(0.5, {}.__getitem__, "planted")
    await asyncio.sleep(1e6)


async def break_in_a_task_of_nobody(process):
    process.task = asyncio.create_task(break_in_main(process))
    await asyncio.sleep(0.1)
    del process.task
    await asyncio.sleep(1e6)


async def break_when_bytes_arrive(process):
    class Broken(asyncio.Protocol):
        def data_received(self, data):
            raise KeyError("planted")

    server = await asyncio.get_running_loop().create_server(Broken, "10.0.0.1", 80)
    _, writer = await asyncio.open_connection("10.0.0.1", 80)
    writer.write(b"x")
    await server.serve_forever()


BREAKING = [break_in_main, break_in_a_task, break_in_a_timer, break_in_a_task_of_nobody, break_when_bytes_arrive]


@pytest.mark.bears_bugs
@pytest.mark.parametrize("main", BREAKING, ids=lambda main: main.__name__)
def test_a_bug_crashes_its_process_and_no_other_and_the_journal_is_told(run, main):
    ears = Ears()

    async def story(world):
        host = world.add_host("a", "10.0.0.1")
        broken, other = world.spawn(host, "broken", main), world.spawn(host, "other", rest)
        assert await broken.wait() == bugs.EXIT_CODE == 70
        assert other.is_alive
        assert broken.apology == f"{bugs.APOLOGY}: KeyError: 'planted'"
        return world.loop.time()

    run(story, tap=ears)
    (note,) = ears.noted(bugs.KIND)
    assert note.process == "a/broken"
    assert note.text == "a bug of Glassplane, not of Kubernetes: KeyError: 'planted'"
    assert main is break_in_a_timer or note.fields["trace"].splitlines()[-1].startswith("test_world_bugs.py:")
    assert [one.fields["exitCode"] for one in ears.noted("process.exited") if one.process == "a/broken"] == [70]


@pytest.mark.bears_bugs
def test_what_crashed_is_started_again_by_its_supervisor(run):
    runs = []

    async def main(process):
        runs.append(process.pid)
        if len(runs) < 3:
            raise KeyError("planted")
        await rest(process)

    async def story(world):
        world.add_host("a", "10.0.0.1")
        supervisor = Supervisor(world)
        async with asyncio.TaskGroup() as group:
            supervisor.start(Program("a", "program", main), group)
            await asyncio.sleep(2 * RESTART_SECONDS + 1)
            assert len(runs) == 3
            supervisor.processes["a/program"].kill()

    run(story)


@pytest.mark.parametrize("main", BREAKING, ids=lambda main: main.__name__)
def test_in_a_strict_world_every_bug_ends_it(run, main):
    async def story(world):
        assert world.is_strict
        world.spawn(world.add_host("a", "10.0.0.1"), "broken", main)
        await asyncio.sleep(1e6)

    with pytest.raises(KeyError, match="planted"):
        run(story)


@pytest.mark.bears_bugs
def test_a_bug_of_no_process_and_one_of_a_part_of_the_world_end_the_world(run):
    async def timer(world):
        world.loop.call_later(1, {}.__getitem__, "planted", context=contextvars.Context())
        await asyncio.sleep(1e6)

    async def part(world):
        world.spawn(world.add_host("a", "10.0.0.1"), "part", break_in_main, part_of_world=True)
        await asyncio.sleep(1e6)

    for story in (timer, part):
        with pytest.raises(KeyError, match="planted"):
            run(story)


@pytest.mark.bears_bugs
@pytest.mark.parametrize("method", ["connection", "segment", "note"])
def test_a_bug_of_the_tap_ends_the_world_and_is_not_felt_by_who_was_speaking(run, method):
    class Broken(Ears):
        pass

    def broken(self, told):
        raise KeyError("planted")

    setattr(Broken, method, broken)

    async def story(world):
        host, said = world.add_host("a", "10.0.0.1"), []

        async def main(process):
            process.note("something", "happens")
            await asyncio.start_server(lambda reader, writer: None, "10.0.0.1", 80)
            await asyncio.open_connection("10.0.0.1", 80)
            said.append("spoken")
            await rest(process)

        process = world.spawn(host, "speaker", main)
        await process.wait_ready()
        assert said == ["spoken"]

    with pytest.raises(KeyError, match="planted") as raised:
        run(story, tap=Broken())
    assert "in the lens" in raised.value.__notes__[0]


@pytest.mark.bears_bugs
def test_running_out_of_memory_ends_the_world(run):
    async def hungry(process):
        raise MemoryError

    async def story(world):
        world.spawn(world.add_host("a", "10.0.0.1"), "hungry", hungry)
        await asyncio.sleep(1e6)

    with pytest.raises(MemoryError):
        run(story)


def test_a_bug_is_described_in_one_line_and_its_trace_names_no_path_of_this_machine():
    error = ValueError("two\nlines")
    assert bugs.described(ExceptionGroup("tasks", [error])) == "ValueError: two lines"
    assert bugs.described(KeyError()) == "KeyError"
    try:
        bugs.first_of(None.nothing)
    except AttributeError as caught:
        assert bugs.trace_of(caught).startswith("test_world_bugs.py:")
