"""Files, pipes and output of the workstation's shell: what does not fit is refused in bash's and coreutils' words."""

import asyncio

import msgspec
import pytest

from cluster_engine.apiserver.registry.backend import LEASE_REUSE_SECONDS
from cluster_engine.etcd import quota
from cluster_engine.programs import streams
from cluster_engine.programs.invocation import MEMORY_BYTES_MAX
from cluster_engine.programs.streams import TERMINAL_BYTES_MAX, Bytes
from cluster_engine.shell import shell
from cluster_engine.shell.jobs import JOBS_MAX
from cluster_engine.shell.shell import LIMITS, PIPELINE_LENGTH_MAX
from cluster_engine.shell.syntax import NESTING_MAX, parse
from cluster_engine.world.files import DISK_BYTES_MAX, FILE_BYTES_MAX

MEBIBYTE = 1024 * 1024
CANNOT_FORK = "sh: fork: retry: Resource temporarily unavailable\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo a > /", "sh: /: Is a directory\n"),
        ("echo a > ''", "sh: : No such file or directory\n"),
        ("echo a >> ~", "sh: /root: Is a directory\n"),
        ("echo a > x/", "sh: x/: Is a directory\n"),
        ("echo a > web.yaml/x", "sh: web.yaml/x: Not a directory\n"),
        ("echo a | grep a > /", "sh: /: Is a directory\n"),
        ("cat ''", "cat: '': No such file or directory\n"),
        ("cat /root", "cat: /root: Is a directory\n"),
        ("rm ''", "rm: cannot remove '': No such file or directory\n"),
        ("rm /root", "rm: cannot remove '/root': Is a directory\n"),
        ("echo a | head -n x", "head: invalid number of lines: 'x'\n"),
        ("echo a | head -n", "head: invalid number of lines: ''\n"),
        ("echo a | tail -q", "tail: invalid option -- 'q'\n"),
    ],
)
def test_what_cannot_be_opened_or_understood_is_said_in_bashs_words(on_host, line, words):
    async def story(sh):
        return await sh(line), await sh(f"{line} || echo on")

    (code, out, err), (_, then, _) = on_host(story)
    assert (code, out, err) == (1, "", words)
    assert then == "on\n", "the line goes on"


def test_a_name_that_is_too_long_is_no_file(on_host):
    code, _, err = on_host(lambda sh: sh(f"echo a > {'n' * 300}"))
    assert (code, err) == (1, f"sh: {'n' * 300}: File name too long\n")


def test_a_number_of_thousands_of_digits_is_too_large(on_host):
    async def story(sh):
        return await sh(f"echo a | head -{'9' * 5000}"), await sh(f"echo a | head -{'0' * 5000}1")

    (code, _, err), (_, one, _) = on_host(story)
    assert (code, err) == (
        1,
        f"head: invalid number of lines: '{'9' * 5000}': Value too large for defined data type\n",
    )
    assert one == "a\n"


def test_a_full_disk_says_so_and_the_cluster_of_files_is_bounded(on_host):
    async def story(sh):
        sh.files.write("/root/big", b"x" * int(5.5 * MEBIBYTE))
        errors = [(await sh(f"cat big > file{i}")).err for i in range(130)]
        return errors, sh.files._size, await sh("echo more >> file0")

    errors, size, (code, _, more) = on_host(story)
    assert errors[0] == ""
    assert set(errors) == {"", "cat: write error: No space left on device\n"}
    assert size <= DISK_BYTES_MAX
    assert (code, more) == (0, "")


def test_a_file_that_grows_too_large_fails_the_command_that_writes_it(on_host):
    async def story(sh):
        sh.files.write("/root/big", b"x\n" * (FILE_BYTES_MAX // 2))
        return await sh("cat big big > bigger"), await sh("echo a >> big && echo no"), sh.files.read("/root/big")[-2:]

    (code, _, err), (second, out, said), end = on_host(story)
    assert (code, err) == (1, "cat: write error: File too large\n")
    assert (second, out, said) == (1, "", "echo: write error: File too large\n")
    assert end == b"x\n"


def test_a_line_prints_so_much_and_no_more(on_host):
    async def story(sh):
        sh.files.write("/root/big", b"x" * (MEBIBYTE - 1))
        return await sh("cat " + "big " * 100), await sh("cat big;" * 100 + "echo end")

    one_program, many = on_host(story)
    assert one_program.code == 1
    for _, out, err in (one_program, many):
        assert len(out) + len(err) <= TERMINAL_BYTES_MAX
        assert out
        assert err.startswith("cat: write error: File too large\n"), "there is room to say so"


@pytest.mark.parametrize("line", ["sort", "tail -n 99999999", "head -n -99999999"])
def test_a_program_holds_so_many_lines_and_no_more(on_host, line):
    async def story(sh):
        sh.files.write("/root/lines", b"y\n" * MEBIBYTE)
        return await sh(f"{line} lines lines")

    name = line.split()[0]
    code, out, err = on_host(story)
    assert (code, err) == (2, f"{name}: memory exhausted\n")
    assert not out


@pytest.mark.parametrize("line", ["head", "grep x", "sort", "tail"])
def test_one_endless_line_is_not_held(on_host, line):
    async def story(sh):
        sh.files.write("/root/x", b"x" * (MEMORY_BYTES_MAX // 4))
        return await sh(f"cat x x x x x | {line}")

    code, out, err = on_host(story)
    assert (code, out, err) == (2, "", f"{line.split()[0]}: memory exhausted\n")


def test_a_pipeline_is_as_long_as_there_are_processes(on_host):
    async def story(sh):
        return await sh("echo a" + " | head" * 3000), await sh("echo a" + " | head" * (PIPELINE_LENGTH_MAX - 1))

    refused, served = on_host(story)
    assert tuple(refused) == (126, "", CANNOT_FORK)
    assert tuple(served) == (0, "a\n", "")


def test_the_last_commands_code_counts(on_host):
    async def story(sh):
        return list(await sh("echo a | grep b | wc -l"))[:2], (await sh("echo a | grep b | grep c")).code

    assert on_host(story) == ([0, "0\n"], 1)


@pytest.mark.parametrize(
    ("filter_", "kept"),
    [
        ("head -2", "ab"),
        ("head -n 2", "ab"),
        ("head -n2", "ab"),
        ("head --lines=2", "ab"),
        ("head -n -1", "abc"),
        ("tail -1", "d"),
        ("tail -n +3", "cd"),
        ("tail -n 0", ""),
        ("head", "abcd"),
        ("sort -r", "dcba"),
    ],
)
def test_numbers_of_lines_are_read_as_coreutils_does(on_host, filter_, kept):
    async def story(sh):
        sh.files.write("/root/letters", b"a\nb\nc\nd\n")
        return await sh.out(f"cat letters | {filter_}"), await sh.out(f"{filter_} letters")

    assert set(on_host(story)) == {"".join(f"{letter}\n" for letter in kept)}


def test_a_line_of_thousands_of_commands_is_read_in_time():
    assert len(parse("a;" * 16_000)) == 16_000


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("(" * 3000 + "true" + ")" * 3000, 2, CANNOT_FORK),
        ("if true; then " * 200 + "true" + "; fi" * 200, 2, CANNOT_FORK),
        ("echo " + "$(echo " * 200 + "a" + ")" * 200, 2, CANNOT_FORK),
        ('echo "' + "${a:-" * 3000 + "}" * 3000 + '"', 2, CANNOT_FORK),
        ('A=\'sh -c "$A"\'; export A; sh -c "$A"', 2, CANNOT_FORK),
        ("echo $((" + "(" * 3000 + "1" + ")" * 3000 + "))", 1, "expression recursion level exceeded\n"),
        ("a=xxxxxxxx; while true; do a=$a$a; done", 2, "sh: cannot allocate more than 1048576 bytes\n"),
        ("cat lines; a=$(cat lines lines)", 2, "sh: cannot allocate more than 1048576 bytes\n"),
        ("a=$(cat lines); echo " + "$a" * 20, 2, "sh: cannot allocate more than 1048576 bytes\n"),
        ("while true; do :; done", 2, "sh: a line may run 100000 commands: no more of it is run\n"),
        ("while true; do while true; do break; done; done | cat", 2, "no more of it is run\n"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_line_may_nest_hold_and_run_is_bounded(on_host, monkeypatch, line, code, said):
    assert LIMITS.steps == 100_000  # as is said; they are run out of sooner here
    monkeypatch.setattr(shell, "LIMITS", msgspec.structs.replace(LIMITS, steps=10_000))

    async def story(sh):
        sh.files.write("/root/lines", b"y\n" * (300 * 1024))
        return await asyncio.wait_for(sh(line), 3600), await sh("echo on")

    done, after = on_host(story)
    assert (done.code, done.err[-len(said) :]) == (code, said)
    assert after.out == "on\n"


def test_a_subshell_gives_back_what_its_variables_took_and_only_that(on_host):
    async def story(sh):
        sh.files.write("/root/half", b"y" * (600 * 1024))
        again = await sh("for i in 1 2 3 4 5; do (a=$(cat half)); a=$(cat half) | true; b=$(a=$(cat half)); done")
        sh.files.write("/root/part", b"y" * (100 * 1024))
        beside = "while true; do x=$(sleep 0.002); done | for i in $(seq 1 40); do export v$i=$(cat part); done"
        return again, await sh(beside)

    again, beside = on_host(story)
    assert (again.code, again.err) == (0, "")
    assert "cannot allocate" in beside.err


def test_nesting_as_people_write_it_is_no_problem(prints):
    assert prints("if true; then " * 10 + "echo in" + "; fi" * 10) == "in\n"
    assert prints("echo " + "$(echo " * 10 + "in" + ")" * 10) == "in\n"
    assert LIMITS.depth == NESTING_MAX


def test_a_loop_that_never_waits_takes_time_and_can_be_interrupted(on_host):
    async def story(sh):
        began = sh.world.loop.time()
        running = asyncio.ensure_future(sh("while true; do true; done"))
        await asyncio.sleep(0.0105)
        running.cancel()
        await asyncio.wait([running])
        return sh.world.loop.time() - began, running.cancelled()

    assert on_host(story) == (0.0105, True)


def test_much_data_takes_time_and_little_takes_none(on_host):
    async def story(sh):
        sh.files.write("/root/big", b"x\n" * (FILE_BYTES_MAX // 2))
        began = sh.world.loop.time()
        await sh.out("cat pod.yaml | sort | wc -l")
        little = sh.world.loop.time() - began
        assert await sh.out("cat big big big | wc -c") == f"{3 * FILE_BYTES_MAX}\n"
        return little, sh.world.loop.time() - began

    little, much = on_host(story)
    assert little == 0
    assert 0.1 < much < 5


def test_a_terminal_has_so_many_jobs(on_host):
    async def story(sh):
        said = await sh("for i in $(seq 1 40); do sleep 9 & done")
        return said, len(sh.terminal.jobs.all)

    said, jobs = on_host(story)
    assert jobs == JOBS_MAX
    assert said.err.count(CANNOT_FORK) == 40 - JOBS_MAX


def test_what_a_job_prints_counts_as_its_line_s(on_host, monkeypatch):
    monkeypatch.setattr(streams, "TERMINAL_BYTES_MAX", 64 * 1024)

    async def story(sh):
        sh.files.write("/root/big", b"x" * 1000)
        said = await sh("for i in $(seq 1 200); do cat big; done &")
        await asyncio.sleep(5)
        return said

    assert len(on_host(story).out) <= 64 * 1024


def test_standard_input_is_held_so_far(on_host):
    async def story(sh):
        return await sh("sort", stdin=Bytes(b"y\n" * MEBIBYTE))

    assert on_host(story).err == "sort: memory exhausted\n"


def test_a_disk_without_room_for_the_examples_is_a_workstation_still(on_host):
    async def story(sh):
        for number in range(8):
            sh.files.write(f"/{number}", b"x" * (FILE_BYTES_MAX - 3))
        return await sh("echo here")

    assert tuple(on_host(story)) == (0, "here\n", "")


def test_kubectl_goes_on_without_its_cache_and_says_what_its_config_lacks(workstation):
    async def story(sh):
        for number in range(7):
            sh.host.files.write(f"/{number}", b"x" * (FILE_BYTES_MAX - 3))
        room = DISK_BYTES_MAX - sh.host.files._size
        sh.host.files.write("/last", b"x" * (room - len("/last")))
        return await sh("kubectl get nodes"), await sh("kubectl config set-context --current --namespace=" + "n" * 50)

    nodes, context = workstation(story)
    assert nodes.code == 0
    assert (context.code, context.err) == (1, "error: open /root/.kube/config: no space left on device\n")


def test_sorting_into_a_file_copies_it_once(on_host):
    async def story(sh):
        sh.files.write("/root/lines", b"b\na\n" * 50_000)
        await asyncio.wait_for(sh("cat lines | sort > sorted"), 1)
        return sh.files.read("/root/sorted")

    assert on_host(story) == b"a\n" * 50_000 + b"b\n" * 50_000


@pytest.mark.long
def test_a_loop_of_large_objects_ends_in_etcds_words_and_the_cluster_goes_on(workstation, monkeypatch):
    async def story(sh):
        used = quota.used_bytes(sh.cluster._store())
        monkeypatch.setattr(quota, "QUOTA_BYTES", used + 4 * MEBIBYTE)
        sh.host.files.write("/root/big", b"x" * 1_000_000)
        made = [await sh(f"kubectl create configmap big{number} --from-file=big") for number in range(5)]
        await asyncio.sleep(120)
        nodes = await sh.ok("kubectl get nodes --no-headers")
        await sh.ok("kubectl delete configmap " + " ".join(f"big{n}" for n, done in enumerate(made) if not done.code))
        still = await sh("kubectl create configmap again --from-file=big")
        await asyncio.sleep(700)
        return made, nodes, still, await sh("kubectl create configmap again --from-file=big")

    made, nodes, still, again = workstation(story)
    refused = "error: failed to create configmap: etcdserver: mvcc: database space exceeded\n"
    assert [done.code for done in made[:3]] == [0, 0, 0]
    assert made[-1].err == still.err == refused
    assert nodes.count(" Ready ") == 2
    assert again.code == 0


EVENT = """apiVersion: v1
kind: Event
metadata: {name: heard, namespace: default}
involvedObject: {kind: Pod, name: web, namespace: default}
reason: Heard
"""


def test_an_event_that_a_full_store_gives_no_lease_is_refused_in_etcds_words(workstation, monkeypatch):
    async def story(sh):
        sh.host.files.write("/root/event.yaml", EVENT.encode())
        await asyncio.sleep(LEASE_REUSE_SECONDS + 1)  # a lease of the cluster's first events would be used again
        monkeypatch.setattr(quota, "QUOTA_BYTES", quota.used_bytes(sh.cluster._store()) - 1)
        return await sh("kubectl create -f event.yaml")

    refused = 'Error from server: error when creating "event.yaml": etcdserver: mvcc: database space exceeded\n'
    assert workstation(story).err == refused
