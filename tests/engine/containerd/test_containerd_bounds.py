"""What a container's script, log and arguments may cost, and how each bound is told."""

import asyncio
from datetime import UTC, datetime

import pytest

from cluster_engine.containerd import images, logs, script
from cluster_engine.containerd.script import CANNOT_FORK, LIMITS, TURN_SECONDS, evaluate
from cluster_engine.containerd.shim import FAST_WRITE_SECONDS
from cluster_engine.containerd.timeline import Line, NotExecutableError
from cluster_engine.containerd.workloads import ARGUMENT_BYTES_MAX, SERVICES
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.shell.budget import THING_BYTES
from cluster_engine.world.files import FileSystem

MEBIBYTE = 1024 * 1024


def sh(text, **env):
    return evaluate(["sh", "-c", text], env)


def size(timeline):
    lines = timeline.lines + (timeline.repeat.lines if timeline.repeat else ())
    return sum(len(line.text) + THING_BYTES for line in lines) + THING_BYTES * len(timeline.files)


# -- commands, work, memory, nesting -----------------------------------------------------------------------------------


def test_a_command_within_a_word_counts_as_one_of_the_scripts(monkeypatch):
    run = []
    monkeypatch.setitem(script.COMMANDS, "true", lambda *_: run.append(1) or 0)
    words = "x " * 900
    timeline = sh(f'for a in {words}; do b="$(for c in {words}; do true; done)"; done; echo done')
    assert 900 < len(run) <= LIMITS.steps
    assert (timeline.ends_at, timeline.lines) == (None, ())


@pytest.mark.parametrize("condition", ["[ 1 ]", "true", ":"])
@pytest.mark.parametrize("grow", ["a=$a$a", 'a="$(echo $a$a)"', 'a="`echo $a$a`"', "a=${a}${a}"])
def test_a_value_that_doubles_is_killed_for_want_of_memory(grow, condition):
    timeline = sh(f"a=xxxx; while {condition}; do {grow}; sleep 1; done")
    assert (timeline.exit_code, timeline.out_of_memory) == (137, True)
    assert 1.0 < timeline.ends_at < 60.0
    assert not sh("a=x; a=$a$a; echo $a").out_of_memory


def test_many_values_are_killed_for_want_of_memory_and_a_subshells_own_are_given_back():
    value = "x" * 60_000
    assert sh(";".join(f"v{i}={value}" for i in range(2)), x=value).out_of_memory is False
    assert sh("; ".join(f"v{i}=$x" for i in range(20)), x=value).out_of_memory is True
    assert sh("; ".join("a=$(v=$x)" for i in range(20)), x=value).out_of_memory is False


def test_one_word_of_many_values_is_never_made():
    timeline = sh("echo " + "$x" * 20_000, x="x" * 100_000)
    assert (timeline.exit_code, timeline.out_of_memory) == (137, True)


@pytest.mark.parametrize(
    "text",
    [
        "while [ 1 ]; do echo $x; y=$y.; done",
        "while [ 1 ]; do env; y=$y.; done",
        "while [ 1 ]; do touch $words; y=$y.; done",
        'while [ 1 ]; do echo "$lines"; y=$y.; done',
        "while [ 1 ]; do if false; then " + "true;" * 20_000 + " fi; y=$y.; done",
        'while [ 1 ]; do y=$y$(sh -c "$x"); y=$y.; done',
    ],
)
def test_a_timeline_is_no_larger_than_the_work_allowed(text):
    timeline = sh(text, x="y" * 50_000, words="f " * 20_000, lines="\n" * 20_000)
    assert timeline.ends_at is None
    assert size(timeline) <= LIMITS.work_bytes


@pytest.mark.parametrize(
    "text",
    [
        "exec " * 3000 + "true",
        "busybox " * 3000 + "true",
        "timeout 1 " * 3000 + "true",
        "if true; then " * 3000 + "true" + "; fi" * 3000,
        "while true; do " * 3000 + "true" + "; done" * 3000,
        'sh -c "$again"',
        'x="$(sh -c "$again")"',
    ],
)
def test_what_is_nested_too_deep_cannot_fork(text):
    timeline = sh(text, again='sh -c "$again"')
    said = {line.text for line in timeline.lines}
    assert said == {CANNOT_FORK} or "x=" in text
    assert timeline.ends_at is not None


def test_nesting_as_people_write_it_is_no_problem():
    assert sh("if true; then " * 10 + "echo in" + "; fi" * 10).lines == (Line(0.0, "in"),)


def test_an_empty_substitution_is_empty():
    assert sh("echo a$()b``c").lines == (Line(0.0, "abc"),)


def test_a_code_that_is_no_number_is_refused_as_ash_does():
    timeline = sh(f"exit {'9' * 5000}")
    assert (timeline.exit_code, timeline.lines[0].text[:28]) == (2, "sh: exit: Illegal number: 99")


def test_a_sleep_of_ages_is_for_ever():
    assert sh(f"sleep {'9' * 5000}; echo late").ends_at is None


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["while true; do echo x; sleep 0.000000001; done", "while true; do echo x; done"])
def test_a_turn_of_a_loop_takes_a_millisecond_at_least(text):
    timeline = sh(text)
    assert timeline.repeat.period == TURN_SECONDS == timeline.repeat.begins_at
    assert [line.text for line in timeline.repeat.lines] == ["x"]


def test_a_loop_that_changes_nothing_goes_on_whatever_its_condition():
    timeline = sh("while sleep 1; do echo x; done")
    assert timeline.repeat.period == 1.0
    assert timeline.repeat.lines == (Line(1.0, "x"),)
    assert sh("until [ -f /tmp/x ]; do touch /tmp/x; done").ends_at == TURN_SECONDS


def test_a_substitution_takes_the_time_that_it_sleeps_and_may_never_end():
    assert sh('x="$(sleep 3; echo a)"; echo $x').lines == (Line(3.0, "a"),)
    assert sh('x="$(tail -f /dev/null)"; echo late').lines == ()


def test_a_flood_is_written_a_few_times_a_second_and_the_newest_is_kept(on_node, monkeypatch):
    writes = []
    append = logs.append

    def counted(files, path, lines, begun):
        writes.append(len(lines))
        append(files, path, lines, begun)

    monkeypatch.setattr(logs, "append", counted)

    async def story(node):
        await node.container(await node.sandbox(), "busybox", "sh", "-c", "while true; do date; echo x; done")
        await asyncio.sleep(10)
        return node.log().splitlines(), node.world.now()

    lines, now = on_node(story)
    assert len(writes) <= 10 / FAST_WRITE_SECONDS + 2
    assert sum(writes) <= len(writes) * (logs.LINES_MAX + 2)
    assert len(lines) == logs.LINES_MAX
    newest = datetime.fromisoformat(lines[-1].split()[0][:26] + "+00:00")
    assert 0 <= (now - newest).total_seconds() <= 2 * FAST_WRITE_SECONDS
    assert lines == sorted(lines, key=lambda line: line.split()[0])


# -- logs --------------------------------------------------------------------------------------------------------------


def written(*texts, files=None):
    files = files or FileSystem()
    for text in texts:
        logs.append(files, "/log", [Line(0.0, text)], datetime(2026, 1, 1, tzinfo=UTC))
    return files.read("/log").splitlines() if files.exists("/log") else []


def test_a_long_line_is_written_in_pieces_as_containerd_does():
    lines = written("a" * (2 * logs.LINE_BYTES_MAX + 1))
    assert [line.split(b" ")[2] for line in lines] == [b"P", b"P", b"F"]
    assert max(map(len, lines)) < logs.LINE_BYTES_MAX + 64


def test_a_log_has_at_most_so_many_bytes_and_begins_with_a_whole_line():
    lines = written(*("b" * 5000 for _ in range(300)), "last")
    assert sum(map(len, lines)) <= logs.LOG_BYTES_MAX
    assert lines[0].startswith(b"2026-01-01T00:00:00.000000000Z stdout F b")
    assert lines[-1].endswith(b" last")


def test_a_containerd_that_comes_back_writes_no_line_twice_in_a_log_that_was_cut(on_node):
    async def story(node):
        text = "; ".join(f"echo {i}" for i in range(logs.LINES_MAX + 100)) + "; sleep 60; echo late"
        await node.container(await node.sandbox(), "busybox", "sh", "-c", text)
        await asyncio.sleep(5)
        await node.restart(away=1)
        await asyncio.sleep(90)
        return [line.split()[-1] for line in node.log().splitlines()]

    said = on_node(story)
    assert len(said) == logs.LINES_MAX == len(set(said))
    assert said[-2:] == [str(logs.LINES_MAX + 99), "late"]


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_arguments_that_the_kernel_does_not_take_end_the_container_with_its_words():
    long = "x" * (ARGUMENT_BYTES_MAX + 1)
    for argv, env in (
        (["sh", "-c", long], {}),
        (["sh"], {"A": long}),
        (["sh"], {f"V{i}": "x" * 100_000 for i in range(30)}),
    ):
        timeline = SERVICES["busybox"].timeline(command=argv, args=[], env=env)
        assert timeline.lines == (Line(0.0, "exec sh: argument list too long", "stderr"),)
        assert timeline.exit_code == 255
    with pytest.raises(NotExecutableError):
        SERVICES["pause"].timeline(command=["sh"], args=[], env={})


def test_a_node_keeps_so_many_images_and_forgets_the_oldest_that_run_nowhere(on_node, monkeypatch):
    monkeypatch.setattr(images, "IMAGES_MAX", 4)

    async def story(node):
        await node.container(await node.sandbox(), "nginx:1.1")
        for minor in range(2, 9):
            await node("PullImage", image=cri.ImageSpec(image=f"nginx:1.{minor}"))
        return [image.repo_tags[0].rpartition("/")[2] for image in (await node("ListImages")).images]

    assert on_node(story) == ["pause:3.10", "nginx:1.1", "nginx:1.7", "nginx:1.8"]
