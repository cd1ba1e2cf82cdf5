"""tcpdump: what it hears, which packets a filter means, and lines that the real one would print."""

import asyncio
import os
import re
import shutil
import subprocess

import dns.message
import dns.rrset
import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.programs.capture import packets, pcap
from cluster_engine.programs.capture.expressions import ExpressionError, condition_of
from cluster_engine.programs.capture.lines import Printer, Style
from cluster_engine.programs.capture.listening import QUEUE_BYTES_MAX, Listening, passed
from cluster_engine.shell.terminal import Terminal
from cluster_engine.world.captures import Frame
from cluster_engine.world.datagrams import _echo
from cluster_engine.world.tap import Endpoint

CLIENT, SERVER = Endpoint("10.0.0.11", 40000), Endpoint("10.0.0.1", 80)
NAMESERVER, NOBODY = Endpoint("10.96.0.10", 53), Endpoint("10.0.0.1", 9999)
OUT, IN = (CLIENT, SERVER), (SERVER, CLIENT)


def frame(protocol, way, flags="", sequence=0, acknowledgement=0, payload=b"", about=None):
    return Frame(protocol, None, None, way, way, True, flags, sequence, acknowledgement, 65535, payload, about)


def conversation():
    query = dns.message.make_query("web.default.svc.cluster.local", "A", id=1234)
    found = dns.message.make_response(query)
    found.flags |= dns.flags.AA
    found.answer.append(dns.rrset.from_text(query.question[0].name, 5, "IN", "A", "10.96.0.7"))
    missing = dns.message.make_response(query)
    missing.set_rcode(dns.rcode.NXDOMAIN)
    return [
        frame("tcp", OUT, "S"),
        frame("tcp", IN, "SA", 0, 1),
        frame("tcp", OUT, "A", 1, 1),
        frame("tcp", OUT, "PA", 1, 1, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
        frame("tcp", IN, "PA", 1, 29, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        frame("tcp", IN, "PA", 41, 29, b"more\x00\x01data"),
        frame("tcp", OUT, "FA", 29, 51),
        frame("tcp", IN, "RA", 51, 30),
        frame("udp", (CLIENT, NAMESERVER), payload=query.to_wire()),
        frame("udp", (NAMESERVER, CLIENT), payload=found.to_wire()),
        frame("udp", (NAMESERVER, CLIENT), payload=missing.to_wire()),
        frame("udp", (CLIENT, NOBODY), payload=b"hello"),
        frame("icmp", OUT, payload=_echo(8, 7, 1, 56)),
        frame("icmp", IN, payload=_echo(0, 7, 1, 56)),
        frame("icmp", IN, "U", about=("tcp", *OUT)),
        frame("tcp", OUT, "PA", 29, 51, b"z" * 70000),
    ]


def written():
    """A capture file of the conversation."""
    found, at = pcap.header(packets.ETHERNET, 262_144), 1767261600_000000
    for one in conversation():
        for packet in packets.packets_of(one, one.wire):
            raw = packets.ethernet(*one.wire, packet, is_loopback=False)
            at += 1500
            found += pcap.record(pcap.Record(at, raw, len(raw)))
    return found


def read(file):
    reader = pcap.Reader(file)
    return [(one, packets.packet_of(one.data, one.size, reader.link)) for one in reader.records()]


@pytest.fixture
def typed(run):
    """Type lines on a host that has the capture file."""

    def start(*lines):
        async def story(world):
            host = world.add_host("here", "10.0.0.99")
            host.files.write("/tmp/a.pcap", written())
            terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
            found = []
            for line in lines:
                out, err = [], []
                code = await terminal.run(line, lambda s, text, o=out, e=err: (o if s == "stdout" else e).append(text))
                found.append((code, "".join(out), "".join(err)))
            return found

        return run(story)

    return start


STYLES = (
    "-nn",
    "-nnv",
    "-nne",
    "-nnvv",
    "-nnq",
    "-nnvvv -t",
    "-tt -nn",
    "-ttt -nn",
    "-tttt -nn -S",
    "-ttttt -nn",
    "-nnx -c 9",
    "-nnX -c 4",
    "-nnxx -c 2",
    "-nnXX -c 3",
    "-nnA",
    "-nnAA -c 5",
    "-nn -#",
    "-nne -q",
    "-n --count tcp",
    "-nn -c 3",
)
EXPRESSIONS = (
    "tcp",
    "udp",
    "icmp",
    "port 80",
    "tcp port 80 and src host 10.0.0.11",
    "dst port 53 or icmp",
    "host 10.0.0.1 or 10.96.0.10",
    "not port 80",
    "src port 53",
    "portrange 50-100",
    "net 10.96.0.0/16",
    "src net 10.96",
    "dst 10.0.0.1 and not tcp",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[13] == 2",
    "tcp[tcpflags] == tcp-syn|tcp-ack",
    "less 60",
    "greater 100",
    "icmp[icmptype] == icmp-echo",
    "ip[8] = 64 and len > 90",
    "port domain",
    "(port 80 and (tcp[2:2] = 80)) or udp port 9999",
    "src or dst port 9999",
    "src and dst port 80",
    "ip proto 1",
    "! tcp && ! udp",
    "arp",
    "udp[4:2] > 50",
    "tcp port 80 or 53",
    "1 = 1",
    "ip[0] & 0xf = 5 and tcp[0:2] / 2 > 1000",
    "icmp or udp and port 53",
    "host 10.0.0.1 and port 9999",
)
WRONG = (
    "port",
    "host",
    "port 70000",
    "tcp port x",
    "( port 1",
    "port 1 )",
    "host 300.1.1.1",
    "net 10.0.0.0/33",
    "port 1 and",
    "not",
    "portrange 1-",
    "host 10.0.0.1 10.0.0.2",
    "port 80 443",
    "@",
    "src host nosuch.invalid",
    "tcp[13] @ 2",
)


@pytest.mark.parametrize(
    "options", [*STYLES, *(f"-nn {one!r}" for one in EXPRESSIONS), *(f"-nn {one!r}" for one in WRONG)]
)
def test_a_file_is_read_as_the_real_tcpdump_reads_it(typed, tmp_path, options):
    if shutil.which("tcpdump") is None:
        pytest.skip("no tcpdump here")
    path = tmp_path / "a.pcap"
    path.write_bytes(written())
    ((code, out, err),) = typed(f"tcpdump -r /tmp/a.pcap {options}")
    done = subprocess.run(
        f"tcpdump -r {path} {options}", shell=True, capture_output=True, text=True, check=False,
        timeout=PATIENCE_SECONDS, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    assert out == done.stdout
    complaint = done.stderr.replace(str(path), "/tmp/a.pcap")
    assert err == complaint
    assert code == done.returncode


def test_checksums_and_lengths_are_right():
    for one, packet in read(written()):
        assert packet.length == len(packet.network) == one.size - 14
        assert packets.checksum(packet.network[:20]) == 0
        if packet.protocol in (packets.TCP, packets.UDP):
            found = packet.tcp.checksum if packet.tcp else packet.udp_checksum
            assert found == packets.expected_checksum(packet)
        else:
            assert packets.checksum(packet.transport) == 0


def test_more_than_a_packet_can_hold_is_two():
    sizes = [packet.payload_size for _, packet in read(written())][-2:]
    assert (sizes, sum(sizes)) == ([65160, 4840], 70000)


def test_a_file_ends_where_it_was_cut(typed):
    whole = written()
    with pytest.raises(pcap.PcapError, match="truncated dump file; tried to read 54 captured bytes, only got 14"):
        list(pcap.Reader(whole[: 24 + 16 + 14]).records())
    with pytest.raises(pcap.PcapError, match="unknown file format"):
        pcap.Reader(b"x" * 100)


def test_what_the_document_greps_for_is_not_to_be_seen_for_the_wire_is_encrypted(workstation):
    async def story(sh):
        async def watch():
            await asyncio.sleep(5)
            await sh.ok("kubectl get --raw /api/v1/pods")

        asking = asyncio.ensure_future(watch())
        line = """ssh control-plane 'sudo tcpdump -i eth0 port 6443 -A | grep "GET /api/v1/pods"'"""
        seen = await sh(line, interrupt_after=30)
        await asking
        shown = await sh("ssh control-plane 'sudo tcpdump -i eth0 -nn port 6443'", interrupt_after=30)
        return seen, shown

    seen, shown = workstation(story)
    assert seen.out == ""
    assert re.search(r"^[1-9]\d* packets captured$", seen.err, re.M)
    assert re.search(
        r"^\d\d:\d\d:\d\d\.\d{6} IP 10\.0\.0\.1\.6443 > 10\.0\.0\.11\.\d+: Flags \[P\.\], seq \d+:\d+, "
        r"ack \d+, win \d+, length \d+$",
        shown.out,
        re.M,
    )
    assert "10.0.0.1.6443 > 10.0.0.1." not in shown.out, "what a machine says to itself passes lo"


def test_a_capture_of_a_connection_has_it_from_its_first_segment_to_its_last(run):
    async def story(world):
        here, there = world.add_host("here", "10.0.0.1"), world.add_host("there", "10.0.0.2")

        async def server(process):
            async def answer(reader, writer):
                writer.write((await reader.read(100)).upper())
                writer.close()

            await asyncio.start_server(answer, "10.0.0.2", 80)
            await asyncio.sleep(1e6)

        async def client(process):
            reader, writer = await asyncio.open_connection("10.0.0.2", 80)
            writer.write(b"hi")
            await reader.read()
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("10.0.0.2", 81)

        world.spawn(there, "server", server)
        terminal = Terminal(world, here, lambda work, _: world.loop.create_task(work))
        out = []
        running = asyncio.ensure_future(terminal.run("tcpdump -nn -t -c 9", lambda s, text: out.append((s, text))))
        await asyncio.sleep(1)
        await world.spawn(here, "client", client).wait()
        await running
        return "".join(text for stream, text in out if stream == "stdout").splitlines(), world.network.captures

    lines, captures = run(story)
    assert lines == [
        "IP 10.0.0.1.32768 > 10.0.0.2.80: Flags [S], seq 0, win 65535, length 0",
        "IP 10.0.0.2.80 > 10.0.0.1.32768: Flags [S.], seq 0, ack 1, win 65535, length 0",
        "IP 10.0.0.1.32768 > 10.0.0.2.80: Flags [.], ack 1, win 65535, length 0",
        "IP 10.0.0.1.32768 > 10.0.0.2.80: Flags [P.], seq 1:3, ack 1, win 65535, length 2: HTTP",
        "IP 10.0.0.2.80 > 10.0.0.1.32768: Flags [P.], seq 1:3, ack 3, win 65535, length 2: HTTP",
        "IP 10.0.0.2.80 > 10.0.0.1.32768: Flags [F.], seq 3, ack 3, win 65535, length 0",
        "IP 10.0.0.1.32768 > 10.0.0.2.80: Flags [F.], seq 3, ack 4, win 65535, length 0",
        "IP 10.0.0.1.32769 > 10.0.0.2.81: Flags [S], seq 0, win 65535, length 0",
        "IP 10.0.0.2.81 > 10.0.0.1.32769: Flags [R.], seq 0, ack 1, win 0, length 0",
    ]
    assert not captures, "who has ended listens no more"


def test_a_frame_passes_the_interfaces_between_its_ends(run):
    async def story(world):
        network = world.network
        one, two = world.add_host("one", "10.0.0.11"), world.add_host("two", "10.0.0.12")
        pod = network.add_namespace(one, "a.default", "10.244.0.2")
        beside = network.add_namespace(one, "b.default", "10.244.0.3")

        def names(sender, receiver, host):
            found = []
            for is_leaving in (True, False):
                crossing = Frame("tcp", sender, receiver, OUT, IN, is_leaving, "S")
                if crossing.here.machine is host.machine:
                    found += [(name[:4], out, way is IN) for name, out, way in passed(crossing, host)]
            return found

        return [
            names(one, one, one),
            names(one, two, one),
            names(one, two, two),
            names(pod, two, one),
            names(pod, two, pod),
            names(two, pod, one),
            names(pod, beside, one),
            names(pod, beside, beside),
            names(one, pod, one),
        ]

    assert run(story) == [
        [("lo", False, False)],
        [("eth0", True, True)],
        [("eth0", False, True)],
        [("veth", False, False), ("eth0", True, True)],
        [("eth0", True, False)],
        [("eth0", False, True), ("veth", True, False)],
        [("veth", False, False), ("veth", True, False)],
        [("eth0", False, False)],
        [("veth", True, False)],
    ]


def test_who_reads_too_slowly_loses_packets_and_is_told_how_many(run):
    async def story(world):
        here, there = world.add_host("here", "10.0.0.1"), world.add_host("there", "10.0.0.2")
        found = []

        async def main(process):
            with Listening(process, "eth0", lambda _: True) as listening:
                way = (Endpoint("10.0.0.1", 1), Endpoint("10.0.0.2", 2))
                for _ in range(50):
                    world.network.captures.tell(Frame("tcp", here, there, way, way, True, "PA", 1, 1, 9, b"x" * 60_000))
                found.append((listening.received, listening.dropped))

        await world.spawn(here, "slow", main).wait()
        return found

    kept = QUEUE_BYTES_MAX // (60_000 + 54)
    assert run(story) == [(50, 50 - kept)]


def test_a_capture_to_disk_ends_where_the_disk_does(workstation):
    async def story(sh):
        sh.cluster.world.host("worker-1").files.write("/tmp/full", b"x" * (8 * 1024 * 1024))
        return await sh("ssh worker-1 'tcpdump -w /nosuch/../tmp/full/x'"), await sh("ssh worker-1 'tcpdump -i eth7'")

    full, absent = workstation(story)
    assert (full.code, full.err.splitlines()[-1]) == (1, "tcpdump: /nosuch/../tmp/full/x: Not a directory")
    assert (absent.code, absent.err) == (1, "tcpdump: eth7: No such device exists\n(No such device exists)\n")


def test_usage_errors_are_tcpdumps_own(typed):
    said = typed("tcpdump -c x", "tcpdump -c 0", "tcpdump -s x", "tcpdump -r /nosuch", "tcpdump -Q", "tcpdump -D")
    assert [(code, (err or out).splitlines()[0]) for code, out, err in said] == [
        (1, "tcpdump: invalid packet count x"),
        (1, "tcpdump: invalid packet count 0"),
        (1, "tcpdump: invalid snaplen x (must be >= 0 and <= 262144)"),
        (1, "tcpdump: /nosuch: No such file or directory"),
        (1, "tcpdump: invalid option -- 'Q'"),
        (0, "1.eth0 [Up, Running, Connected]"),
    ]


@pytest.mark.parametrize(
    "text", ["(" * 3000, "not " * 900, "((((" * 90 + "tcp", "tcp[" * 500, "1" * 5000, "tcp or " * 800 + "udp", "-" * 99]
)
def test_a_filter_is_bounded(text):
    with pytest.raises(ExpressionError):
        condition_of(text, str)


def test_a_filter_whose_bytes_are_not_there_rejects_the_packet():
    (_, packet), *_ = read(written())
    for text in ("tcp[4000] = 0", "tcp[1 / 0] = 0", "udp[0] = 0", "not tcp[4000] = 0"):
        assert condition_of(text, str)(packet) is False


def test_times_a_host_cannot_have_are_still_printed():
    (one, packet), *_ = read(written())
    assert Printer(Style(times=4)).text(2**62, packet, one.data, 1).startswith("4611686018427.387904 IP")
