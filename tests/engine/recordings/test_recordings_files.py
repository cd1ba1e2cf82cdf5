"""Capture files in every form that tools write, and frames of every link."""

import struct

import pytest

from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Selection, date_of
from cluster_engine.journal import Journal
from cluster_engine.recordings.capture_files import CaptureError, CaptureFile, Frame
from cluster_engine.recordings.internet import packet_of
from cluster_engine.recordings.story import read

HTTP = b"GET / HTTP/1.1\r\n\r\n"
TCP = struct.pack("!HHIIBBHHH", 40_000, 80, 7, 9, 5 << 4, 0x18, 65_535, 0, 0) + HTTP


def ipv4(content=TCP, protocol=6, length=None):
    length = 20 + len(content) if length is None else length
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, protocol, 0) + bytes([10, 0, 0, 5, 10, 0, 0, 1]) + content
    )


def ipv6(content=TCP, following=6):
    ends = bytes(15) + b"\1" + bytes(15) + b"\2"
    return struct.pack("!IHBB", 6 << 28, len(content), following, 64) + ends + content


def pcap(order, magic, link=101):
    header = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    return header + struct.pack(f"{order}IIII", 3, 5, len(ipv4()), len(ipv4())) + ipv4()


def block(order, kind, content):
    content += bytes(-len(content) % 4)
    return struct.pack(f"{order}II", kind, 12 + len(content)) + content + struct.pack(f"{order}I", 12 + len(content))


def pcapng(order, options=b"", *blocks):
    section = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(order, 1, struct.pack(f"{order}HHI", 101, 0, 0) + options)
    raw = ipv4()
    packet = block(order, 6, struct.pack(f"{order}IIIII", 0, 0, 3_000_005, len(raw), len(raw)) + raw)
    return section + interface + b"".join(blocks) + packet


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "part"), [(0xA1B2C3D4, 5000), (0xA1B23C4D, 5)])
def test_pcap_in_both_orders_and_resolutions(order, magic, part):
    assert list(CaptureFile(pcap(order, magic)).frames()) == [Frame(3_000_000_000 + part, 101, ipv4(), len(ipv4()))]


@pytest.mark.parametrize("order", "<>")
def test_pcapng_in_both_orders(order):
    assert list(CaptureFile(pcapng(order)).frames()) == [Frame(3_000_005_000, 101, ipv4(), len(ipv4()))]


def test_an_interface_says_how_long_its_ticks_are_and_where_they_begin():
    options = struct.pack("<HHB3xHHq", 9, 1, 9, 14, 8, 60)
    (frame,) = CaptureFile(pcapng("<", options)).frames()
    assert frame.at_ns == 60_003_000_005
    (frame,) = CaptureFile(pcapng("<", struct.pack("<HHB3x", 9, 1, 0x80 | 20))).frames()
    assert frame.at_ns == 3_000_005 * 10**9 // 2**20


@pytest.mark.parametrize("offset", [-(2**63), -1, 2**63 - 1])
def test_a_time_that_no_clock_has_is_taken_for_the_nearest_and_everything_can_be_made_of_it(offset):
    journal = Journal()
    story = read(pcapng("<", struct.pack("<HHq", 14, 8, offset)), "", journal)
    assert 0 <= story.began_ns < 2**63
    for name, form in FORMATS.items():
        if name != "html":
            assert b"".join(form(journal, Selection(), Context(story.began_ns))) or name in ("keylog", "audit")
    assert date_of(story.began_ns).year in (1970, 2262)


def test_names_and_secrets_that_stand_in_the_file():
    names = struct.pack("<HH4s", 1, 11, b"\x0a\0\0\1") + b"master\0\0" + bytes(4)
    secrets = struct.pack("<II", 0x544C534B, 8) + b"A B C\nD\n"
    file = CaptureFile(pcapng("<", b"", block("<", 4, names), block("<", 10, secrets)))
    assert len(list(file.frames())) == 1
    assert (file.names, file.secrets) == ({"10.0.0.1": "master"}, ["A B C", "D"])


@pytest.mark.parametrize("whole", [pcap("<", 0xA1B2C3D4), pcapng("<"), pcapng(">")])
def test_a_file_that_is_cut_anywhere_is_read_up_to_there(whole):
    for size in range(4, len(whole)):
        file = CaptureFile(whole[:size])
        assert list(file.frames()) == []
        assert file.problem or size in (24, len(pcapng("<")) - len(whole) + 28, 48)


@pytest.mark.parametrize("data", [b"", b"\0\0", b"GET / HTTP/1.1"])
def test_what_is_no_capture_is_refused(data):
    with pytest.raises(CaptureError, match="no capture"):
        CaptureFile(data)


def test_a_file_has_an_end(monkeypatch):
    monkeypatch.setattr("cluster_engine.recordings.capture_files.FRAMES_MAX", 2)
    data = pcap("<", 0xA1B2C3D4)
    file = CaptureFile(data + data[24:] * 5)
    assert len(list(file.frames())) == 2
    assert file.problem == "only the first 2 packets were read"


LINKS = {
    "ethernet": (1, bytes(12) + b"\x08\0" + ipv4()),
    "in two VLANs": (1, bytes(12) + b"\x88\xa8\0\1\x81\0\0\2\x08\0" + ipv4()),
    "loopback of BSD": (0, b"\2\0\0\0" + ipv4()),
    "raw": (101, ipv4()),
    "cooked": (113, bytes(14) + b"\x08\0" + ipv4()),
    "cooked 2": (276, b"\x08\0" + bytes(18) + ipv4()),
    "offloaded": (101, ipv4(length=0)),
    "IPv6": (1, bytes(12) + b"\x86\xdd" + ipv6()),
    "IPv6 with options": (101, ipv6(bytes([6, 0]) + bytes(6) + TCP, 0)),
}


@pytest.mark.parametrize("name", LINKS)
def test_what_tcp_carries_is_found_on_every_link(name):
    link, data = LINKS[name]
    packet = packet_of(Frame(0, link, data, len(data)))
    assert (packet.protocol, packet.payload, packet.sequence, packet.flags) == ("tcp", HTTP, 7, 0x18)
    assert (packet.source.port, packet.destination.port) == (40_000, 80)
    assert packet.source.address == ("::1" if "IPv6" in name else "10.0.0.5")
    assert not packet.is_cut


def test_what_was_captured_in_part_says_so():
    assert packet_of(Frame(0, 101, ipv4()[:50], len(ipv4()))).is_cut


@pytest.mark.parametrize("link", [0, 1, 12, 101, 108, 113, 228, 229, 276, 4711])
def test_every_beginning_of_a_frame_is_taken(link):
    whole = next((data for number, data in LINKS.values() if number == link), ipv4())
    for size in range(len(whole)):
        packet_of(Frame(0, link, whole[:size], size))
