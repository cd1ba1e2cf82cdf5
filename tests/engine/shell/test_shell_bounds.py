"""Files, pipes and output of the workstation's shell: what does not fit is refused in bash's and coreutils' words."""

import asyncio

import pytest

from cluster_engine import shell
from cluster_engine.etcd import quota
from cluster_engine.shell import builtins
from cluster_engine.shell.main import OUTPUT_BYTES_MAX, PIPELINE_LENGTH_MAX
from cluster_engine.shell.syntax import parse
from cluster_engine.world.process import DISK_BYTES_MAX, FILE_BYTES_MAX

MEBIBYTE = 1024 * 1024


class Line:
    """What lines did on a host without a cluster."""

    def __init__(self, world):
        self.world = world
        self.host = world.add_host("workstation", "10.0.0.100")
        self.files = self.host.files

    async def __call__(self, line):
        said = {"stdout": [], "stderr": []}
        code = await shell.run(self.world, self.host, line, lambda stream, text: said[stream].append(text))
        return code, "".join(said["stdout"]), "".join(said["stderr"])


@pytest.fixture
def on_host(run):
    return lambda story: run(lambda world: story(Line(world)))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo a > /", "sh: /: Is a directory\n"),
        ("echo a > ''", "sh: : No such file or directory\n"),
        ("echo a >> ~", "sh: ~: Is a directory\n"),
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
        errors = [(await sh(f"cat big > file{i}"))[2] for i in range(130)]
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
        sh.files.write("/root/big", b"x" * MEBIBYTE)
        return await sh("cat " + "big " * 100), await sh("cat big;" * 100 + "echo end")

    for code, out, err in on_host(story):
        assert len(out) <= OUTPUT_BYTES_MAX
        assert "sh: cat: a line may print 16777216 bytes: File too large\n" in err
        assert code == 1


@pytest.mark.parametrize("name", ["sort", "tail -n 99999999", "head -n -99999999", "wc -l", "grep -c y"])
def test_a_filter_takes_so_much_and_no_more(name):
    said = []
    sink = builtins.Sink(lambda stream, text: said.append((stream, text)))
    filter_ = builtins.FILTERS[name.split()[0]](name.split(), sink)
    for _ in range(100):
        filter_.write("stdout", "y\n" * 10_000 + "y")
    assert filter_.close() == 2
    assert said == [("stderr", f"{name.split()[0]}: memory exhausted\n")]


def test_one_endless_line_is_not_held():
    said = []
    filter_ = builtins.Head(["head"], builtins.Sink(lambda stream, text: said.append(text)))
    for _ in range(40):
        filter_.write("stdout", "x" * MEBIBYTE)
    assert (filter_.close(), said) == (2, ["head: memory exhausted\n"])


def test_a_pipeline_is_as_long_as_there_are_processes(on_host):
    async def story(sh):
        return await sh("echo a" + " | head" * 3000), await sh("echo a" + " | head" * (PIPELINE_LENGTH_MAX - 1))

    refused, served = on_host(story)
    assert refused == (126, "", "sh: fork: retry: Resource temporarily unavailable\n")
    assert served == (0, "a\n", "")


def test_filters_give_lines_on_as_they_come_and_the_last_ones_code_counts(on_host):
    said = []
    head = builtins.Head(["head", "-2"], builtins.Sink(lambda stream, text: said.append(text)))
    head.write("stdout", "a\nb\nc\n")
    assert said == ["a\n", "b\n"]

    async def story(sh):
        return (await sh("echo a | grep b | wc -l"))[:2], (await sh("echo a | grep b | grep c"))[0]

    assert on_host(story) == ((0, "0\n"), 1)


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
        return await sh(f"cat letters | {filter_}")

    assert on_host(story) == (0, "".join(f"{letter}\n" for letter in kept), "")


def test_a_line_of_thousands_of_commands_is_read_in_time():
    assert len(parse("a;" * 16_000)) == 16_000


def test_a_disk_without_room_for_the_examples_is_a_workstation_still(on_host):
    async def story(sh):
        for number in range(8):
            sh.files.write(f"/{number}", b"x" * (FILE_BYTES_MAX - 3))
        return await sh("echo here")

    assert on_host(story) == (0, "here\n", "")


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
