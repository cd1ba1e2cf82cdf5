import ast
import random
import statistics
from pathlib import Path
from types import SimpleNamespace

import pytest

import cluster_engine
from cluster_engine.world.work import Effort, durations

ENGINE = Path(cluster_engine.__file__).parent


def names_in(tree):
    """Strings of the form "program.name" that stand in code, docstrings left out."""
    programs = {name.split(".")[0] for name in durations()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            program, dot, name = node.value.partition(".")
            if dot and program in programs and name.isidentifier():
                yield node.value


def work_in_code():
    for path in sorted(ENGINE.rglob("*.py")):
        text = path.read_text()
        if ".work(" in text or "effort.seconds(" in text:
            yield from names_in(ast.parse(text))


@pytest.fixture
def run(run):
    def run_with(story, effort=0.0, **about):
        async def tell(world):
            world.effort = effort
            return await story(world)

        return run(tell, **about)

    return run_with


@pytest.mark.parametrize("name", durations())
def test_half_of_the_draws_are_below_the_median_and_99_of_100_below_the_99th_percentile(name):
    duration, rng = durations()[name], random.Random(1)
    drawn = sorted(duration.draw(rng) for _ in range(20_000))
    assert statistics.median(drawn) == pytest.approx(duration.median, rel=0.05)
    assert drawn[int(0.99 * len(drawn))] == pytest.approx(duration.p99, rel=0.1)


@pytest.mark.parametrize("name", durations())
def test_each_duration_says_where_it_comes_from(name):
    assert len(durations()[name].source) > 20
    assert 0 < durations()[name].median < durations()[name].p99 < 1


def test_every_duration_is_worked_somewhere():
    assert set(durations()) <= set(work_in_code())


def test_work_takes_its_time_and_without_effort_none(run):
    async def story(world):
        took = []

        async def main(process):
            before = world.loop.time()
            await process.work("scheduler.cycle", "etcd.fsync")
            took.append(world.loop.time() - before)

        await world.spawn(world.add_host("a", "10.0.0.1"), "worker", main).wait()
        return took[0]

    assert run(story) == 0.0
    assert run(story, effort=0.0) == 0.0
    once, twice = run(story, effort=1.0), run(story, effort=2.0)
    assert 0.0005 < once < 0.05
    assert twice == pytest.approx(2 * once, abs=1e-7)
    assert run(story, effort=1.0, seed=2) != once


def test_what_one_process_works_does_not_move_what_another_draws(run):
    def drawn(busy):
        async def story(world):
            host = world.add_host("a", "10.0.0.1")

            async def one(process):
                for _ in range(busy):
                    await process.work("kubelet.sync")

            times = []

            async def other(process):
                times.extend(process.effort.seconds("etcd.fsync") for _ in range(5))
                times.append(process.rng.random())

            await world.spawn(host, "one", one).wait()
            await world.spawn(host, "other", other).wait()
            return times

        return run(story, effort=1.0)

    assert drawn(busy=0) == drawn(busy=10)


def test_work_without_a_duration_is_a_bug():
    with pytest.raises(KeyError):
        Effort(SimpleNamespace(effort=1.0), "seed").seconds("nobody.knows")
