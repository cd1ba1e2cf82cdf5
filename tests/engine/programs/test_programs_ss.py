"""ss and netstat: a host's sockets, in the columns and words of the real ones."""

import asyncio
import re

import pytest

from cluster_engine.programs.network.services import port_name, port_number
from cluster_engine.programs.network.sockets import Socket
from cluster_engine.programs.network.ss import Ss, _duration
from cluster_engine.programs.network.ss_columns import laid_out
from cluster_engine.programs.network.ss_filter import AddressError, Filter, FilterSyntaxError
from cluster_engine.shell.terminal import Terminal
from cluster_engine.world.tap import Endpoint
from cluster_engine.world.tcp_states import State
from tests.engine.programs.real_network import real_outputs


def test_what_the_documents_type_shows_who_watches_the_api_server(workstation):
    async def story(sh):
        await sh.ok("ssh control-plane true")
        here = await sh.ok("ssh control-plane 'sudo ss -tanp | grep 6443'")
        kubelet = await sh.ok("ssh worker-1 'sudo ss -tanp | grep 6443'")
        netstat = await sh.ok("ssh worker-1 'sudo netstat -tunp | grep kube'")
        return here, kubelet, netstat

    here, kubelet, netstat = workstation(story)
    for name in ("kubelet", "kube-proxy"):
        assert re.search(
            rf'^ESTAB +0 +0 +10\.0\.0\.11:\d+ +10\.0\.0\.1:6443 +users:\(\("{name}",pid=\d+,fd=\d+\)\) *$',
            kubelet,
            re.M,
        )
        assert re.search(rf"^tcp +0 +0 10\.0\.0\.11:\d+ +10\.0\.0\.1:6443 +ESTABLISHED \d+/{name} *$", netstat, re.M)
    assert re.search(r'^LISTEN +0 +4096 +0\.0\.0\.0:6443 +0\.0\.0\.0:\* +users:\(\("kube-apiserver",', here, re.M)
    assert re.search(r'10\.0\.0\.1:6443 .*users:\(\("kube-controller",', here), "fifteen letters, as the kernel keeps"
    assert re.search(r'10\.0\.0\.1:6443 .*users:\(\("kube-scheduler",', here)


def test_what_a_killed_program_leaves_has_no_process_and_is_gone_after_a_minute(workstation):
    async def story(sh):
        await sh.ok("kubectl get nodes")
        at_once = await sh.ok("sleep 1; ss -tanop; netstat -tanop")
        await asyncio.sleep(61)
        return at_once, await sh.ok("ss -tanH")

    at_once, later = workstation(story)
    assert re.search(r"^TIME-WAIT .*10\.0\.0\.1:6443 +timer:\(timewait,[\d.]+(sec|ms),0\) *$", at_once, re.M)
    assert re.search(r"^tcp .*10\.0\.0\.1:6443 +TIME_WAIT +- +timewait \([\d.]+/0/0\)$", at_once, re.M)
    assert later == ""


def test_what_waits_for_a_cut_link_is_seen_in_the_send_queue_with_its_timer(workstation):
    async def story(sh):
        sh.cluster.world.network.partition("worker-1", "control-plane")
        await asyncio.sleep(30)
        return await sh.ok("ssh worker-1 'ss -tno dport = :6443'"), await sh.ok("ssh worker-1 netstat -tno")

    ss, netstat = workstation(story)
    assert re.search(r"^ESTAB +0 +[1-9]\d+ .*timer:\(on,[\dsecm.]+,\d+\) *$", ss, re.M)
    assert re.search(r"^tcp +0 +[1-9]\d+ .*ESTABLISHED on \([\d.]+/\d+/0\)$", netstat, re.M)


LINES = (
    "ss -tan", "ss -tln", "ss -Htan", "ss -tn state established", "ss -tan sport = :6443", "ss -ta", "ss -tunl",
    "ss -tan not dst 127.0.0.1", "ss -tn exclude established", "ss -tn state bogus", "ss -tn dport = :nosuch",
    "ss -tn dst nosuch.invalid", "ss -V", "ss -uan", "ss -tn dst 10.9.0.0/16",
    "netstat -tan", "netstat -tln", "netstat -tun", "netstat -tlnp4", "netstat -ta", "netstat -uan",
)  # fmt: skip


def _alike(text):
    """Ports and process numbers differ, and the order of what is in the same state."""
    text = re.sub(r"\d+/python\S* *", "PROGRAM ", re.sub(r":[3-6]\d{4}\b", ":PPPPP", text))
    return sorted(text.splitlines())


def test_lines_are_those_of_the_real_tools(run):
    real = real_outputs(LINES)
    if real is None:
        pytest.skip("no ss, netstat or network of their own here")

    async def story(world):
        host = world.add_host("here", "10.0.0.1")

        class Quiet(asyncio.Protocol):
            made = []

            def connection_made(self, transport):
                self.made.append(transport)

        class Deaf(Quiet):
            def connection_made(self, transport):
                transport.pause_reading()

        async def python(process):
            loop = asyncio.get_running_loop()
            await loop.create_server(Quiet, "127.0.0.1", 6443)
            await loop.create_server(Quiet, "0.0.0.0", 10250)
            await loop.create_connection(Deaf, "127.0.0.1", 6443)
            await asyncio.sleep(1)
            Quiet.made[0].write(b"x" * 100)
            await loop.create_connection(Deaf, "127.0.0.1", 6443)
            await asyncio.sleep(1)
            Quiet.made[1].close()
            await asyncio.sleep(1e6)

        world.spawn(host, "python3", python)
        await asyncio.sleep(10)
        terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
        found = []
        for line in LINES:
            out = []
            await terminal.run(line, lambda _, piece, out=out: out.append(piece))
            found.append("".join(out))
        return found

    for line, ours, theirs in zip(LINES, run(story), real, strict=True):
        assert _alike(ours) == _alike(theirs), line


def test_on_a_terminal_the_columns_are_spread_over_its_width():
    rows = [
        ["", "State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process"],
        ["", "CLOSE-WAIT", "1", "0", "127.0.0.1:", "47272", "127.0.0.1:", "6443", ""],
        ["", "ESTAB", "0", "0", "10.0.0.11:", "47582", "10.0.0.11:", "10250", ""],
    ]
    assert laid_out(rows, {0}, 100) == [  # iproute2 6.1.0 with `stty cols 100`
        "State         Recv-Q    Send-Q         Local Address:Port          Peer Address:Port     Process    ",
        "CLOSE-WAIT    1         0                  127.0.0.1:47272            127.0.0.1:6443                ",
        "ESTAB         0         0                  10.0.0.11:47582            10.0.0.11:10250               ",
    ]


def _socket(local, remote):
    return Socket("tcp", State.ESTABLISHED, Endpoint(*local), Endpoint(*remote))


ONE = _socket(("10.0.0.11", 32770), ("10.0.0.1", 6443))


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("dport = :6443", True),
        ("dport 6443", True),
        ("sport = :6443", False),
        ("( sport = :6443 or dport = :6443 )", True),
        ("( sport = :6443 or dport = :6443 ) and not dst 10.0.0.1", False),
        ("dport != :6443", False),
        ("sport gt :1024 dport lt :1024", False),
        ("sport >= 32770 && dport <= 6443", True),
        ("dst 10.0.0.1", True),
        ("dst = 10.0.0.1:6443", True),
        ("dst 10.0.0.1:443", False),
        ("src 10.0.0.0/28", True),
        ("dst control-plane", True),
        ("! src 10.0.0.11 or dport :https", False),
        ("dst != 10.0.0.1", False),
        ("dst *:6443", True),
    ],
)
def test_a_filter_says_which_sockets_it_means(words, holds):
    condition = Filter(words.split(), {"control-plane": "10.0.0.1"}.__getitem__).condition()
    assert condition(ONE) is holds


@pytest.mark.parametrize("words", ["dport =", "( dport = :1", "dport = :1 )", "or dport = :1", "not", "src"])
def test_what_is_no_filter_is_a_syntax_error(words):
    with pytest.raises(FilterSyntaxError):
        Filter(words.split(), str).condition()


def test_a_filter_is_bounded_in_depth_and_length():
    for words in (["not"] * 2000, ["("] * 900 + ["dport", ":1"], ["dport", ":1", "or"] * 500):
        with pytest.raises(FilterSyntaxError):
            Filter(words, str).condition()


def test_a_filter_names_what_is_no_address():
    with pytest.raises(AddressError, match="an inet prefix is expected rather than"):
        Filter(["dst", "300.1.1.1/99"], str).condition()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(55.2, "55sec"), (1.2, "1.200ms"), (0.2, "200ms"), (192, "3min12sec"), (3, "3sec"), (720.5, "12min")],
)
def test_times_are_written_as_ss_writes_them(seconds, text):
    assert _duration(seconds) == text


def test_states_may_be_named_more_than_once():
    assert Ss(["-t", "state", "time-wait", "state", "listening"]).states == {State.TIME_WAIT, State.LISTEN}
    assert State.ESTABLISHED not in Ss(["-t", "exclude", "established"]).states


def test_ports_have_names_both_ways():
    assert (port_name(443, "tcp"), port_name(6443, "tcp"), port_number("domain")) == ("https", None, 53)
    with pytest.raises(ValueError, match="no port"):
        port_number("70000")


def test_usage_errors_are_the_tools_own(workstation):
    async def story(sh):
        lines = ("ss -Q", "ss 'sport = '", "ss state bogus", "ss -t dport = :nosuch", "netstat -q", "ss -A foo")
        return [await sh(line) for line in lines]

    assert [(done.code, done.err.splitlines()[0]) for done in workstation(story)] == [
        (255, "ss: invalid option -- 'Q'"),
        (255, 'ss: bison bellows (while parsing filter): "syntax error!" Sorry.'),
        (255, "ss: wrong state name: bogus"),
        (1, 'Error: "nosuch" does not look like a port.'),
        (3, "netstat: invalid option -- 'q'"),
        (255, 'ss: "foo" is illegal socket table id'),
    ]
