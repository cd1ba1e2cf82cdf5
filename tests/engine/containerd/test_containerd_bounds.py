"""What a container's script, log and arguments may cost, and how each bound is told."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from cluster_engine.containerd import container_shell, images, logs
from cluster_engine.containerd.container_shell import CANNOT_FORK, PIDS_MAX
from cluster_engine.containerd.throttle import BURST_SECONDS, COMMANDS_A_SECOND
from cluster_engine.containerd.workloads import ARGUMENT_BYTES_MAX, SERVICES, NotExecutableError
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FileSystem

CPU_SECONDS_MAX = 60.0  # on a busy machine; the worst takes about seven

# -- commands, work, memory, nesting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "while true; do :; done",
        "while true; do echo x; done",
        "while true; do echo $x; y=$y.; done",
        "while [ 1 ]; do touch $words; done",
        "while true; do env; done",
        "while true; do if false; then " + "true;" * 10_000 + " fi; done",
        'while true; do y=$(sh -c "$x"); done',
        "true; " * 10_000,
        'for a in $words; do b="$(for c in $words; do true; done)"; done',
        "while true; do sleep 3600 & done",
        "while true; do /bin/sh -c 'while true; do :; done' & done",
    ],
)
@pytest.mark.long
def test_whatever_a_container_does_it_costs_little_and_goes_on(sh, text):
    began = time.process_time()
    ran = sh(text, x="y" * 50_000, words="f " * 5_000, seconds=120)
    assert ran.ends_at is None or text.startswith("true")
    assert time.process_time() - began < CPU_SECONDS_MAX


def test_commands_beyond_the_first_are_throttled(sh):
    count = int(BURST_SECONDS * COMMANDS_A_SECOND) + 200
    ran = sh("true; " * count, seconds=60)
    assert ran.ends_at == pytest.approx(200 / COMMANDS_A_SECOND, abs=3.0)


@pytest.mark.parametrize("condition", ["[ 1 ]", "true", ":"])
@pytest.mark.parametrize("grow", ["a=$a$a", 'a="$(echo $a$a)"', 'a="`echo $a$a`"', "a=${a}${a}"])
def test_a_value_that_doubles_is_killed_for_want_of_memory(sh, grow, condition):
    ran = sh(f"a=xxxx; while {condition}; do {grow}; sleep 1; done")
    assert (ran.exit_code, ran.reason) == (137, "OOMKilled")
    assert 1.0 < ran.ends_at < 60.0


def test_many_values_are_killed_for_want_of_memory_and_a_subshells_own_are_given_back(sh):
    value = "x" * 60_000
    assert sh("a=x; a=$a$a; echo $a").reason == "Completed"
    assert sh(";".join(f"v{i}={value}" for i in range(2)), x=value).reason == "Completed"
    assert sh("; ".join(f"v{i}=$x" for i in range(20)), x=value).reason == "OOMKilled"
    assert sh("; ".join("a=$(v=$x)" for i in range(20)), x=value).reason == "Completed"


def test_one_word_of_many_values_is_never_made(sh):
    ran = sh("echo " + "$x" * 20_000, x="x" * 100_000)
    assert (ran.exit_code, ran.reason) == (137, "OOMKilled")


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
def test_what_is_nested_too_deep_cannot_fork(sh, text):
    ran = sh(text, again='sh -c "$again"')
    assert set(ran.texts) == {f"sh: {CANNOT_FORK}"}
    assert ran.ends_at is not None


def test_a_container_has_so_many_processes(sh, monkeypatch):
    monkeypatch.setattr(container_shell, "PIDS_MAX", 8)
    ran = sh("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 50 & done; wait; echo end")
    assert f"sh: {CANNOT_FORK}" in ran.texts
    assert ran.texts[-1] == "end"
    assert PIDS_MAX > 8


def test_nesting_as_people_write_it_is_no_problem(sh):
    assert sh("if true; then " * 10 + "echo in" + "; fi" * 10).texts == ["in"]


def test_a_code_that_is_no_number_is_refused(sh):
    assert sh(f"exit {'9' * 5000}").exit_code == 2


def test_a_sleep_of_ages_is_for_ever(sh):
    assert sh(f"sleep {'9' * 12}; echo late").ends_at is None


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_substitution_takes_the_time_that_it_sleeps_and_may_never_end(sh):
    assert sh('x="$(sleep 3; echo a)"; echo $x').lines == [(3.0, "a", "stdout")]
    assert sh('x="$(tail -f /dev/null)"; echo late').lines == []


def test_a_flood_is_cut_and_the_newest_is_kept(on_node):
    async def story(node):
        text = "while true; do seq 1 100000; date; done"
        await node.container(await node.sandbox(), "busybox", "sh", "-c", text)
        began = time.process_time()
        await asyncio.sleep(60)
        return node.log().splitlines(), time.process_time() - began

    lines, seconds = on_node(story)
    assert len(lines) == logs.LINES_MAX
    assert lines == sorted(lines, key=lambda line: line.split()[0])
    assert seconds < 10


# -- logs --------------------------------------------------------------------------------------------------------------


def written(*texts, files=None):
    files = files or FileSystem()
    for text in texts:
        logs.append(files, "/log", logs.format_line(datetime(2026, 1, 1, tzinfo=UTC), "stdout", text.encode()))
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


# -- arguments ---------------------------------------------------------------------------------------------------------


LONG = "x" * (ARGUMENT_BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("argv", "env"),
    [(["sh", "-c", LONG], {}), (["sh"], {"A": LONG}), (["sh"], {f"V{i}": "x" * 100_000 for i in range(30)})],
)
def test_arguments_that_the_kernel_does_not_take_end_the_container_with_its_words(container, argv, env):
    ran = container("busybox", argv, **env)
    assert ran.lines == [(0.0, "exec sh: argument list too long", "stderr")]
    assert ran.exit_code == 255


def test_an_image_without_a_shell_has_none():
    with pytest.raises(NotExecutableError):
        SERVICES["pause"].started(["sh"])


def test_a_node_keeps_so_many_images_and_forgets_the_oldest_that_run_nowhere(on_node, monkeypatch):
    monkeypatch.setattr(images, "IMAGES_MAX", 4)

    async def story(node):
        await node.container(await node.sandbox(), "nginx:1.1")
        for minor in range(2, 9):
            await node("PullImage", image=cri.ImageSpec(image=f"nginx:1.{minor}"))
        return [image.repo_tags[0].rpartition("/")[2] for image in (await node("ListImages")).images]

    assert on_node(story) == ["pause:3.10", "nginx:1.1", "nginx:1.7", "nginx:1.8"]
