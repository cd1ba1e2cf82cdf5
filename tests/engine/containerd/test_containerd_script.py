import asyncio

import pytest
from grpclib.exceptions import GRPCError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_engine.rpc import cri_pb2 as cri


def test_a_script_writes_lines_at_their_times_and_ends(sh):
    ran = sh("echo up; sleep 5; echo down; exit 3")
    assert ran.lines == [(0.0, "up", "stdout"), (5.0, "down", "stdout")]
    assert (ran.ends_at, ran.exit_code, ran.reason) == (5.0, 3, "Error")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("true; false", 1),
        ("false; true", 0),
        ("exit", 0),
        ("frobnicate --now", 127),
        ("exec false", 1),
        ("(exit 4)", 4),
    ],
)
def test_the_code_of_the_last_command_is_the_scripts(sh, text, code):
    assert sh(text).exit_code == code


def test_and_and_or_look_at_the_code_before(sh):
    assert sh("true && echo a; false && echo b; false || echo c; true || echo d").texts == ["a", "c"]


def test_an_unknown_command_in_a_script_is_not_found(sh):
    assert sh("frobnicate --now").lines == [(0.0, "sh: frobnicate: not found", "stderr")]


def test_a_shell_without_a_script_ends_at_once(container):
    ran = container("busybox", ["sh"])
    assert (ran.ends_at, ran.exit_code) == (0.0, 0)


@pytest.mark.parametrize(("argument", "seconds"), [("7", 7.0), ("2m", 120.0), ("1h", 3600.0), ("0.5", 0.5)])
def test_sleep_knows_units(container, argument, seconds):
    assert container("busybox", ["sleep", argument], seconds=4000).ends_at == seconds


def test_an_endless_loop_goes_on_with_what_is_true_then(sh):
    ran = sh("while true; do date +%S; sleep 10; done", seconds=35)
    assert ran.ends_at is None
    assert [at for at, _, _ in ran.lines] == pytest.approx([0.0, 10.0, 20.0, 30.0], abs=0.1)
    assert len(set(ran.texts)) == 4


def test_an_endless_loop_that_leaves_is_an_end(sh):
    ran = sh("while true; do echo once; sleep 1; exit 4; done")
    assert (ran.ends_at, ran.exit_code) == (1.0, 4)


def test_a_script_counts(sh):
    assert sh("i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done | sort -r").texts == ["3", "2", "1"]


def test_variables_come_from_the_environment_and_from_assignments(sh):
    text = 'NAME=x; echo $NAME ${GREETING}; if [ "$MODE" = test ]; then echo yes; fi'
    assert sh(text, GREETING="hello", MODE="test").texts == ["x hello", "yes"]


def test_what_is_written_to_a_file_is_in_it_and_not_in_the_log(sh):
    text = "echo secret > /tmp/file; echo told; sleep 1; cat /tmp/file | wc -c; rm /tmp/file; cat /tmp/file"
    assert sh(text).texts == [
        "told", "7", "cat: can't open '/tmp/file': No such file or directory",
    ]  # fmt: skip


def test_standard_error_is_a_stream_of_its_own(sh):
    assert sh("echo a >&2; echo b > /dev/stderr; echo c").lines == [
        (0.0, "a", "stderr"), (0.0, "b", "stderr"), (0.0, "c", "stdout"),
    ]  # fmt: skip


def test_what_has_no_end_of_line_is_written_when_it_ends(sh):
    assert sh("printf half; sleep 1; printf '-whole'").lines == [(1.0, "half-whole", "stdout")]


def test_a_container_has_the_names_of_its_pod(sh):
    ran = sh("hostname; cat /etc/hostname; echo $HOSTNAME; cat /etc/hosts")
    assert ran.texts[:3] == ["web-0", "web-0", "web-0"]
    assert "10.244.1.2\tweb-0" in ran.texts


def test_what_runs_in_the_background_is_waited_for(sh):
    ran = sh("sleep 2 & echo up; wait; exit 4")
    assert ran.lines == [(0.0, "up", "stdout")]
    assert (ran.ends_at, ran.exit_code) == (2.0, 4)


STOPPED = [
    ("while true; do sleep 1; done", 137, 30.0),
    ("trap 'echo bye; exit 3' TERM; while true; do sleep 1; done", 3, 0.4),
    ("trap 'exit 0' TERM; sleep 3600 & wait", 0, 0.0),
    ("trap 'exit 0' TERM; sleep 3600", 137, 30.0),
    ("echo x; exec nginx -g 'daemon off;'", 0, 0.1),
    ("exec sleep 3600", 137, 30.0),
]


@pytest.mark.parametrize(("text", "code", "seconds"), STOPPED)
def test_a_shell_hears_sigterm_as_the_first_process_does(on_node, text, code, seconds):
    async def story(node):
        id_ = await node.container(await node.sandbox(), "nginx", "sh", "-c", text)
        await asyncio.sleep(10.5)
        before = asyncio.get_running_loop().time()
        await node("StopContainer", container_id=id_, timeout=30)
        return asyncio.get_running_loop().time() - before, await node.status(id_)

    took, status = on_node(story)
    assert (status.state, status.exit_code) == (cri.CONTAINER_EXITED, code)
    assert seconds <= took <= seconds + 0.7


SCRIPT_WORDS = (
    "echo sleep 1 exit 3 while for if do done then else fi in true false ; && || | > $(date) ` $ ' [ ] = x trap wait &"
)
WORDS = st.sampled_from([*SCRIPT_WORDS.split(), "\n", '"'])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=25))
def test_any_script_can_be_run(sh, words):
    ran = sh(" ".join(words), seconds=5)
    assert ran.ends_at is None or ran.ends_at >= 0


def test_a_script_is_given_parameters_and_stops_at_what_fails(sh, container):
    args = ["sh", "-ec", 'echo "$0 $1 $#"; shift; echo $1; false; echo no', "name", "a", "b"]
    ran = container("busybox", args)
    assert (ran.texts, ran.exit_code) == (["name a 2", "b"], 1)
    ran = sh("set -u; f() { case $1 in a*) echo one;; esac; }; f abc; echo $NOTHING; echo no")
    assert (ran.texts, ran.exit_code) == (["one", "sh: NOTHING: parameter not set"], 2)


def test_a_script_reads_lines(sh):
    assert sh("printf 'a b\\nc d\\n' | while read -r x y; do echo $y$x; done").texts == ["ba", "dc"]


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; f; }; f",
        "f() { f | f & }; f; f; f",
        "yes | tr -d '\\n' | { read x; echo read; }",
        "x=$(yes a | tr -d '\\n' | head -c 200000); while true; do case $x in *a*a*a*a*a*b) ;; esac; done",
        "while true; do set -- $@ $@ x; done",
        'while true; do eval "f$i() { echo $i; }"; i=$((i+1)); done',
    ],
)
def test_what_a_script_may_define_read_and_match_is_bounded(sh, text):
    ran = sh(text, seconds=20)
    assert ran.ends_at is not None or len(ran.lines) < 600


def test_ps_counts_what_runs_in_the_container_from_1(sh):
    ran = sh("sleep 100 & echo $$ $!; ps; pidof sleep; sleep 1")
    own, *table, sleeps = ran.texts
    assert own.startswith("1 ")
    assert table[0] == "PID   USER     TIME  COMMAND"
    assert table[1] == "    1 root      0:00 sh -c sleep 100 & echo $$ $!; ps; pidof sleep; sleep 1"
    assert [line.split()[3] for line in table[1:]] == ["sh", "sleep", "ps"]
    assert sleeps == table[2].split()[0]


def test_process_1_of_a_container_hears_only_what_it_waits_for(on_node):
    async def story(node):
        codes = []
        for number, (image, command) in enumerate(FIRST):
            sandbox = await node.sandbox(f"web-{number}", f"u{number}")
            id_ = await node.container(sandbox, image, *command)
            await node.seconds(0.5)
            await node("ExecSync", container_id=id_, cmd=["sh", "-c", "kill -9 1; kill 1; kill 9999"], timeout=5)
            await node.seconds(1)
            status = await node.status(id_)
            codes.append(status.exit_code if status.state == cri.CONTAINER_EXITED else None)
        return codes

    assert on_node(story) == [None, 0, 7]


FIRST = [
    ("busybox", ["sleep", "1000"]),
    ("nginx", []),
    ("busybox", ["sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.1; done"]),
]


def test_a_script_is_started_by_its_path_where_it_may_be_executed(on_node):
    async def story(node):
        node.host.files.write("/volumes/run.sh", b"#!/bin/sh\necho $0 $1; chmod 600 $0; $0\n", 0o644)
        mounts = [cri.Mount(container_path="/scripts", host_path="/volumes")]
        sandbox = await node.sandbox()
        with pytest.raises(GRPCError) as refused:
            await node.container(sandbox, "busybox", "/scripts/run.sh", "a", mounts=mounts)
        node.host.files.change_mode("/volumes/run.sh", 0o755)
        await node.container(sandbox, "busybox", "/scripts/run.sh", "a", mounts=mounts, attempt=1)
        await node.seconds(1)
        return refused.value.message, node.log(attempt=1)

    message, log = on_node(story)
    assert message.endswith('unable to start container process: exec: "/scripts/run.sh": permission denied: unknown')
    assert [line.split(" ", 3)[3] for line in log.splitlines()] == [
        "/scripts/run.sh a",
        "sh: /scripts/run.sh: Permission denied",
    ]
