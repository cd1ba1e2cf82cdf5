"""A capture from the journal is what crossed the wires, with the keys before what they open."""

import io
import shutil
import struct
import subprocess

import pytest

from cluster_engine.export import blocks
from cluster_engine.export.pcapng import LATE, SEQUENCES_APART, Recording, pcapng
from cluster_engine.export.selection import Context, Selection, packets
from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.programs.capture.packets import ETHERNET, PAYLOAD_BYTES_MAX, packet_of
from cluster_engine.world.tap import Connection, Endpoint, Segment

EPOCH_NS = 1_700_000_000_123_456_000
CLIENT, SERVER = Endpoint("10.0.0.100", 40_000), Endpoint("10.0.0.1", 6443)
CLIENT_HELLO = b"\x16\x03\x01\x00\x2a\x01\x00\x00\x26\x03\x03" + bytes(range(32)) + b"\0\0\0\0"


def blocks_of(data):
    """Yield type and content of each block; the lengths at both ends have to agree."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        yield kind, data[at + 8 : at + length - 4]
        at += length


def captured(data):
    """Yield time, packet and comment."""
    for kind, content in blocks_of(data):
        if kind == blocks.PACKET:
            _, high, low, size, _ = struct.unpack_from("<IIIII", content)
            end = 20 + size + -size % 4
            comment = ""
            if end < len(content):
                code, length = struct.unpack_from("<HH", content, end)
                assert code == blocks.COMMENT
                comment = content[end + 4 : end + 4 + length].decode()
            yield high << 32 | low, packet_of(content[20 : 20 + size], size, ETHERNET), comment


def heard(*segments, protocol="tcp", translated=None):
    """A journal of one connection; a segment is (from_client, flags, payload, arrived)."""
    journal = Journal()
    lens = Lens(journal)
    lens.connection(Connection(7, CLIENT, SERVER, "workstation/kubectl", "control-plane", 0.0, translated, protocol))
    lens.accepted(7, "control-plane/kube-apiserver")
    for number, (from_client, flags, payload, arrived) in enumerate(segments):
        lens.segment(Segment(number, 7, from_client, number / 4, arrived, flags, 0, 0, payload))
    return journal


def export(journal, **chosen):
    return b"".join(pcapng(journal, Selection(**chosen), Context(EPOCH_NS)))


def test_every_packet_that_arrived_is_in_the_capture_and_nothing_else(told):
    arrived = [one for one in told.heard.segments if one.arrived is not None]
    kept = [packet for packet in packets(told.journal, Selection()) if packet is not None]
    assert [packet.segment.payload for packet in kept] == [one.payload for one in arrived]
    found = list(captured(told.export("pcapng")))
    pieces = [max(1, -(-len(one.payload) // PAYLOAD_BYTES_MAX)) for one in arrived]
    assert len(found) == sum(pieces) > 500
    assert all(packet is not None for _, packet, _ in found)
    times = [at for at, _, _ in found]
    assert times == sorted(times)
    assert times[0] - EPOCH_NS == round(arrived[0].arrived * 1e9)


def test_a_section_says_what_the_capture_does_not_carry(told):
    (kind, first), (second, _), *rest = blocks_of(told.export("pcapng"))
    assert (kind, second) == (blocks.SECTION, blocks.INTERFACE)
    assert b"acknowledgements without data" in first
    assert {kind for kind, _ in rest} == {blocks.NAMES, blocks.SECRETS, blocks.PACKET}


def test_the_secrets_of_a_session_stand_before_its_client_hello(told):
    known, greeted = set(), 0
    for kind, content in blocks_of(told.export("pcapng")):
        if kind == blocks.SECRETS:
            known |= {line.split()[1] for line in content[8:].rstrip(b"\0").decode().splitlines()}
        elif kind == blocks.PACKET:
            payload = packet_of(content[20:], len(content) - 20, ETHERNET).payload
            if payload[:1] == b"\x16" and payload[5:6] == b"\x01":
                greeted += 1
                assert payload[11:43].hex() in known
    assert greeted > 5


def test_one_connection_is_taken_along_alone(told):
    connection = told.one("http.request", resource="deployments", verb="create")["connection"]
    comments = [comment for _, _, comment in captured(told.export("pcapng", connection=connection)) if comment]
    assert comments == [f"connection {connection}: workstation/kubectl → control-plane/kube-apiserver"]


def test_a_range_that_begins_within_a_connection_says_so(told):
    request = told.one("http.request", resource="deployments", verb="create")
    data = told.export("pcapng", first=request["seq"], connection=request["connection"])
    (comment,) = [comment for _, _, comment in captured(data) if comment]
    assert comment.endswith(LATE)
    assert blocks.SECRETS not in {kind for kind, _ in blocks_of(data)}


def test_a_segment_acknowledges_what_had_arrived_when_it_was_sent():
    journal = Journal()
    lens = Lens(journal)
    lens.connection(Connection(7, CLIENT, SERVER, "workstation/kubectl", "control-plane/kube-apiserver", 0.0))
    for number, (from_client, flags, sequence, payload, sent, arrived) in enumerate(
        [
            (True, "S", 0, b"", 0.0, 0.1),
            (False, "SA", 0, b"", 0.1, 0.2),
            (False, "PA", 1, b"early", 0.2, 0.5),
            (True, "PA", 1, b"crosses it", 0.3, 0.6),
            (False, "PA", 10, b"after a gap", 0.6, 0.7),
            (True, "PA", 11, b"later", 0.8, 0.9),
            (False, "PA", 6, b"fill", 0.8, 1.0),
            (True, "FA", 16, b"", 1.1, 1.2),
        ]
    ):
        lens.segment(Segment(number, 7, from_client, sent, arrived, flags, sequence, 99, payload))
    begins = 7 * SEQUENCES_APART
    found = [packet.tcp.acknowledgement for _, packet, _ in captured(export(journal)) if packet.source == CLIENT]
    assert found == [0, begins + 1, begins + 6, begins + 21]


def test_lost_packets_are_not_in_it():
    journal = heard((True, "S", b"", None), (True, "S", b"", 1.0))
    assert [at for at, _, _ in captured(export(journal))] == [EPOCH_NS + 1_000_000_000]


def test_datagrams_and_what_a_packet_filter_answers_are_packets():
    (_, datagram, comment), (_, answer, _) = captured(
        export(heard((True, "", b"hello", 1.0), (False, "U", b"", 1.5), protocol="udp"))
    )
    assert (datagram.protocol, datagram.payload) == (17, b"hello")
    assert comment == "connection 7: workstation/kubectl → control-plane/kube-apiserver"
    assert (answer.protocol, answer.payload[:2]) == (1, b"\x03\x03")
    assert (answer.source.address, answer.destination.address) == (SERVER.address, CLIENT.address)


def test_a_unix_socket_is_given_an_address_with_a_name():
    journal = Journal()
    lens = Lens(journal)
    path = Endpoint("/run/containerd/containerd.sock", 0)
    lens.connection(Connection(7, Endpoint("", 0), path, "worker-1/kubelet", "worker-1/containerd", 0.0))
    lens.segment(Segment(1, 7, True, 0.5, 0.5, "S", 0, 0, b""))
    data = export(journal)
    ((_, packet, _),) = captured(data)
    assert str(packet.destination) == "127.254.0.8:6"
    assert b"containerd.sock.worker-1" in data


def test_where_a_service_leads_is_said():
    pod = Endpoint("10.244.1.3", 8080)
    journal = heard((True, "S", b"", 1.0), translated=(CLIENT, pod))
    ((_, packet, comment),) = captured(export(journal))
    assert packet.destination == SERVER
    assert comment.endswith("which leads to 10.244.1.3:8080")


SECRET = f"SERVER_TRAFFIC_SECRET_0 {bytes(range(32)).hex()} {'ab' * 32}"


def test_a_file_that_is_written_meanwhile_is_the_same_as_one_made_afterwards():
    journal, file = Journal(), io.BytesIO()
    Recording(journal, file, Context(EPOCH_NS))
    lens = Lens(journal)
    lens.connection(Connection(7, CLIENT, SERVER, "workstation/kubectl", "control-plane/kube-apiserver", 0.0))
    lens.segment(Segment(1, 7, True, 0.5, 0.5, "S", 0, 0, b""))
    lens.segment(Segment(2, 7, True, 0.6, 0.6, "PA", 1, 1, CLIENT_HELLO))
    lens.secret(SECRET)
    for number in range(1500):
        lens.connection(Connection(8 + number, CLIENT, SERVER, "workstation/kubectl", "control-plane", 1.0))
        lens.segment(Segment(3 + number, 8 + number, True, number / 10, number / 10, "S", 0, 0, b""))
    written = len(file.getvalue())
    afterwards = export(journal)
    journal.close()
    assert 0 < written < len(file.getvalue())
    assert [content for kind, content in blocks_of(file.getvalue())][1:] == [
        content for kind, content in blocks_of(afterwards)
    ][1:]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark to read it")
def test_tshark_reads_the_requests_with_the_keys_inside(told, tmp_path):
    file = tmp_path / "run.pcapng"
    file.write_bytes(told.export("pcapng"))
    line = ["tshark", "-r", str(file), "-T", "fields", "-e", "http2.headers.path", "-Y", "http2.headers.method == POST"]
    out = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "/apis/apps/v1/namespaces/default/deployments" in out
