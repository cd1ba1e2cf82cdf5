"""Pipes: bounded, both ends at the same time, broken by a reader that ends; and what programs do with them."""

import asyncio

import pytest

from cluster_engine.programs import table
from cluster_engine.programs.running import Program
from cluster_engine.programs.streams import PIPE_BYTES_MAX, Bytes, Pipe
from cluster_engine.shell.terminal import Terminal


def test_a_pipe_holds_64_kib_and_the_writer_waits_for_its_reader(run):
    async def story(world):
        pipe = Pipe()
        pipe.write(b"x" * (PIPE_BYTES_MAX + 1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pipe.drain(), 10)
        first = await pipe.read()
        await asyncio.wait_for(pipe.drain(), 10)
        pipe.end()
        return len(first), await pipe.read(), await pipe.read()

    assert run(story) == (PIPE_BYTES_MAX, b"x", b"")


def test_a_pipe_that_nobody_reads_any_more_is_broken(run):
    async def story(world):
        pipe = Pipe()
        pipe.write(b"x" * (PIPE_BYTES_MAX + 1))
        waiting = asyncio.ensure_future(pipe.drain())
        await asyncio.sleep(1)
        pipe.abandon()
        with pytest.raises(BrokenPipeError):
            await waiting
        with pytest.raises(BrokenPipeError):
            pipe.write(b"y")

    run(story)


@pytest.fixture
def with_programs(run, monkeypatch):
    """Run a story with a terminal, and programs of the test's own."""

    def start(story, **programs):
        added = {name: Program(name, main) for name, main in programs.items()}
        monkeypatch.setattr("cluster_engine.shell.terminal.PROGRAMS", {**table.PROGRAMS, **added})

        async def told(world):
            terminal = Terminal(world, world.add_host("a", "10.0.0.1"), lambda work, _: world.loop.create_task(work))

            async def line(text, **options):
                out = []
                code = await terminal.run(text, lambda _, piece: out.append(piece), **options)
                return code, "".join(out)

            return await story(line, world)

        return run(told)

    return start


def test_programs_of_a_pipeline_run_side_by_side(with_programs):
    """The reader has what was written before the writer ends."""
    times = []

    async def feed(invocation):
        for _ in range(3):
            invocation.out("x\n")
            await asyncio.sleep(1)
        return 0

    async def sink(invocation):
        times.extend([asyncio.get_running_loop().time() async for _ in invocation.lines()])
        return 0

    assert with_programs(lambda line, _: line("feed | sink"), feed=feed, sink=sink) == (0, "")
    assert times == [0.0, 1.0, 2.0]


def test_a_writer_gets_sigpipe_when_its_reader_has_ended(with_programs):
    ends = {}

    async def feed(invocation):
        ends["process"] = invocation.process
        for number in range(1_000_000):
            ends["written"] = number
            invocation.out("x\n")
            await invocation.drain()
            await asyncio.sleep(0.1)
        return 0

    assert with_programs(lambda line, _: line("feed | head -2"), feed=feed) == (0, "x\nx\n")
    assert ends["process"].exit_code == 141
    assert ends["written"] == 2


def test_a_slow_reader_holds_up_its_writer(with_programs):
    seen = []

    async def feed(invocation):
        for number in range(40):
            invocation.out(b"x" * 16 * 1024)
            await invocation.drain()
            seen.append(number)
        return 0

    async def slow(invocation):
        await asyncio.sleep(10)
        seen.append("reads")
        return 0 if len(await invocation.all()) == 40 * 16 * 1024 else 1

    assert with_programs(lambda line, _: line("feed | slow"), feed=feed, slow=slow) == (0, "")
    assert seen.index("reads") == 4, "64 KiB were taken, and the fifth piece waited"


def test_ctrl_c_ends_every_program_of_a_pipeline(with_programs):
    processes = []

    async def forever(invocation):
        processes.append(invocation.process)
        await asyncio.sleep(1e6)
        return 0

    async def story(line, world):
        running = asyncio.ensure_future(line("forever | forever | cat; echo not"))
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait([running])
        return running.cancelled(), [process.exit_code for process in processes], world.host("a").processes

    assert with_programs(story, forever=forever) == (True, [130, 130], {})


def test_standard_input_environment_and_directory_are_the_programs(with_programs):
    async def probe(invocation):
        data = await invocation.all()
        invocation.out(f"{data!r} {invocation.environment['A']} {invocation.directory} {list(invocation.argv)}\n")
        return 5

    code, said = with_programs(
        lambda line, _: line("cd /; A=b probe 'c d' $(echo e)", stdin=Bytes(b"in\xff")), probe=probe
    )
    assert (code, said) == (5, "b'in\\xff' b / ['probe', 'c d', 'e']\n")


def test_bytes_go_through_a_pipe_and_into_a_file_unchanged(with_programs):
    async def raw(invocation):
        invocation.out(bytes(range(256)))
        return 0

    async def story(line, world):
        await line("raw | cat > f")
        return world.host("a").files.read("/root/f")

    assert with_programs(story, raw=raw) == bytes(range(256))


def test_programs_of_text_are_no_participants_and_kubectl_is():
    of_text = (
        "cat",
        "head",
        "tail",
        "sort",
        "wc",
        "grep",
        "echo",
        "printf",
        "seq",
        "tee",
        "tar",
        "base64",
        "cut",
        "ls",
    )
    assert not [name for name in of_text if table.PROGRAMS[name].connects]
    assert table.PROGRAMS["kubectl"].connects
