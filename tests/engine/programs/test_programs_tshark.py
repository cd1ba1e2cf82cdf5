"""tshark: a capture file read to the top, with keys and without; rows and words as the real one has them."""

import asyncio
import re
import shutil
import subprocess

import pytest

from cluster_engine.programs.capture.display_filter import DisplayFilterError, condition_of
from cluster_engine.shell.terminal import Terminal
from tests.engine.programs.test_programs_tcpdump import written

OPENED = "-o tls.keylog_file:/tmp/keys"


@pytest.fixture
def captured(workstation):
    """Type lines on a workstation that has captured `kubectl get nodes`, with the keys; give the files too."""

    def start(*lines):
        async def story(sh):
            keys, tap = [], sh.cluster.world.network.tap
            told = tap.secret
            tap.secret = lambda line: (keys.append(line), told(line))
            listening = asyncio.ensure_future(sh("tcpdump -w /tmp/a.pcap port 6443", interrupt_after=20))
            await asyncio.sleep(1)
            await sh.ok("kubectl get nodes")
            await listening
            sh.host.files.write("/tmp/keys", "\n".join(keys).encode() + b"\n")
            said = [await sh(line) for line in lines]
            return said, sh.host.files.read("/tmp/a.pcap"), sh.host.files.read("/tmp/keys")

        return workstation(story, capture=True)

    return start


def test_with_the_keys_the_requests_are_seen_and_without_them_application_data(captured):
    (closed, opened, paths, handshakes), *_ = captured(
        "tshark -r /tmp/a.pcap",
        f"tshark -r /tmp/a.pcap {OPENED}",
        f"tshark -r /tmp/a.pcap {OPENED} -T fields -e http2.headers.path -Y http2.headers.method",
        f"tshark -r /tmp/a.pcap {OPENED} -T fields -e tls.handshake -e tls.handshake.type -Y tls.handshake",
    )
    assert "GET" not in closed.out
    assert handshakes.lines[:2] == ["1\t1", "1,1,1,1,1,1\t2,8,13,11,15,20"]
    assert re.search(r"TLSv1\.3 \d+ Application Data$", closed.out, re.M)
    ends = r"^ +\d+ +\d\.\d{6}   10\.0\.0\.100 → 10\.0\.0\.1 "
    row = rf"{ends}    HTTP2 \d+ HEADERS\[\d+\]: GET /api/v1/nodes\?limit=500$"
    assert re.search(row, opened.out, re.M)
    assert re.search(r"TLSv1\.3 \d+ Server Hello, Encrypted Extensions, Certificate Request, Certificate", opened.out)
    assert "/api/v1/nodes?limit=500" in paths.lines


def test_curl_writes_the_keys_with_which_its_own_requests_can_be_read(workstation):
    async def story(sh):
        listening = asyncio.ensure_future(sh("tcpdump -w /tmp/a.pcap port 6443", interrupt_after=20))
        await asyncio.sleep(1)
        await sh("SSLKEYLOGFILE=/tmp/keys curl -sk https://10.0.0.1:6443/version")
        await sh.ok("kubectl get nodes")
        await listening
        return await sh.ok(f"tshark -r /tmp/a.pcap {OPENED} | grep GET; wc -l < /tmp/keys")

    said = workstation(story).splitlines()
    assert said[0].endswith("HEADERS[1]: GET /version")
    assert len(said) == 2, "kubectl's keys nobody has written down"
    assert int(said[1]) >= 4


NOT_WRITTEN_DOWN = (
    r"Change Cipher Spec, |Magic, |, WINDOW_UPDATE\[\d+\]|, DATA\[\d+\]"
    r"|, JavaScript Object Notation \(application/json\)"
)


def test_rows_are_those_of_the_real_tshark_but_for_what_the_lens_passes_over(captured, tmp_path):
    if shutil.which("tshark") is None:
        pytest.skip("no tshark here")
    (ours,), file, keys = captured(f"tshark -r /tmp/a.pcap {OPENED}")
    (tmp_path / "a.pcap").write_bytes(file)
    (tmp_path / "keys").write_bytes(keys)
    line = ["tshark", "-r", "a.pcap", "-o", "tls.keylog_file:keys", "-d", "tcp.port==6443,tls"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    theirs = re.sub(NOT_WRITTEN_DOWN, "", done.stdout).replace("HTTP2/JSON", "HTTP2").replace("TLSv1 ", "TLSv1.3 ")
    assert ours.out == re.sub(r" \[TCP [^\]]*\]", "", theirs)


@pytest.fixture
def typed(run):
    def start(*lines):
        async def story(world):
            host = world.add_host("here", "10.0.0.99")
            host.files.write("/tmp/a.pcap", written())
            host.files.write("/tmp/text", b"x" * 99)
            terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
            found = []
            for line in lines:
                out, err = [], []
                code = await terminal.run(line, lambda s, text, o=out, e=err: (o if s == "stdout" else e).append(text))
                found.append((code, "".join(out), "".join(err)))
            return found

        return run(story)

    return start


def test_plain_http_dns_and_echoes_are_read_too(typed):
    ((code, out, _),) = typed("tshark -r /tmp/a.pcap")
    rows = [re.split(r" (?=TCP|HTTP|DNS|UDP|ICMP)", line, maxsplit=1)[1] for line in out.splitlines()]
    assert code == 0
    assert rows[:5] == [
        "TCP 54 40000 → 80 [SYN] Seq=0 Win=65535 Len=0",
        "TCP 54 80 → 40000 [SYN, ACK] Seq=0 Ack=1 Win=65535 Len=0",
        "TCP 54 40000 → 80 [ACK] Seq=1 Ack=1 Win=65535 Len=0",
        "HTTP 82 GET /a HTTP/1.1 ",
        "HTTP 94 HTTP/1.1 200 OK ",
    ]
    assert "DNS 105 Standard query response 0x04d2 A web.default.svc.cluster.local A 10.96.0.7" in rows
    assert "DNS 89 Standard query response 0x04d2 No such name A web.default.svc.cluster.local" in rows
    assert "ICMP 98 Echo (ping) request  id=0x0007, seq=1/256, ttl=64" in rows


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ("http", "4 5"),
        ("http.request", "4"),
        ("http.response", "5"),
        ("dns", "9 10 11"),
        ("tcp.flags.syn == 1", "1 2"),
        ("tcp.flags == 0x0002", "1"),
        ("icmp.type == 8 || udp.port == 9999", "12 13"),
        ("ip.dst == 10.96.0.0/16 and not icmp", "9"),
        ('http.request.uri contains "a" or frame.number > 16', "4 17"),
        ("!(ip.addr == 10.0.0.11)", ""),
        ("ip.addr != 10.0.0.11", ""),
        ("tcp.len >= 4840 && tcp", "16 17"),
    ],
)
def test_a_display_filter_chooses_rows(typed, filter_, numbers):
    ((code, out, err),) = typed(f"tshark -r /tmp/a.pcap -T fields -e frame.number -Y '{filter_}'")
    assert (code, out.split(), err) == (0, numbers.split(), "")


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("tshark -r /nosuch", 2, 'tshark: The file "/nosuch" doesn\'t exist.'),
        (
            "tshark -r /tmp/text",
            2,
            'tshark: The file "/tmp/text" isn\'t a capture file in a format TShark understands.',
        ),
        ("tshark -r /tmp/a.pcap -Y foo", 2, "tshark: foo is neither a field nor a protocol name."),
        ("tshark -r /tmp/a.pcap -Y 'tcp.port =='", 2, "tshark: Unexpected end of filter expression."),
        ("tshark -r /tmp/a.pcap -T fields -e foo", 1, "tshark: Some fields aren't valid:"),
        ("tshark -r /tmp/a.pcap -T foo", 1, 'tshark: Invalid -T parameter "foo"; it must be one of:'),
        ("tshark -r /tmp/a.pcap -o foo:bar", 1, 'tshark: -o flag "foo:bar" specifies unknown preference'),
    ],
)
def test_usage_errors_are_tsharks_own(typed, line, code, said):
    ((found, _, err),) = typed(line)
    assert (found, err.splitlines()[0]) == (code, said)


@pytest.mark.parametrize("text", ["(" * 3000, "not " * 390 + "tcp", "tcp or " * 900, '"' * 5000, "tcp.port == 'x'"])
def test_a_display_filter_is_bounded(text):
    with pytest.raises(DisplayFilterError):
        condition_of(text)
