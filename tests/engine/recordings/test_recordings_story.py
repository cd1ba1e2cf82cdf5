"""Captures and audit logs of other clusters, read into a journal."""

import base64
import json

import pytest

from cluster_engine.journal import Journal
from cluster_engine.programs.capture import packets, pcap
from cluster_engine.recordings.capture_files import CaptureError
from cluster_engine.recordings.naming import program_of
from cluster_engine.recordings.story import read
from cluster_engine.world.captures import Frame
from cluster_engine.world.tap import Endpoint

CLIENT, SERVER = Endpoint("10.0.0.5", 40_000), Endpoint("10.0.0.1", 8080)
SYN, SYN_ACK = (True, "S", 0, b""), (False, "SA", 0, b"")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def capture(*segments, client=CLIENT, server=SERVER, twice=False):
    """A pcap of one connection; a segment is (from_client, flags, sequence, payload)."""
    out = [pcap.header(packets.ETHERNET, pcap.SNAPSHOT_BYTES)]
    for number, (from_client, flags, sequence, payload) in enumerate(segments):
        way = (client, server) if from_client else (server, client)
        frame = Frame("tcp", None, None, way, way, False, flags, 2**32 - 5 + sequence, 0, 65_535, payload)
        for packet in packets.packets_of(frame, way):
            raw = packets.ethernet(*way, packet, is_loopback=False)
            out += [pcap.record(pcap.Record(number * 1000, raw, len(raw)))] * (1 + twice)
    return b"".join(out)


def entries(data, keys=""):
    journal = Journal()
    story = read(data, keys, journal)
    return journal.since(0, 10_000), story.problems


def request(headers=""):
    return f"GET /api/v1/pods HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode()


def said(data):
    return [(one["kind"], one["from"], one["to"]) for one in entries(data)[0]]


@pytest.mark.parametrize("twice", [False, True], ids=["once", "heard at two interfaces"])
def test_a_conversation_whose_numbers_pass_the_end_of_their_range(twice):
    ask = request("User-Agent: kubectl/v1.32 (linux)\r\n")
    data = capture(
        SYN, SYN_ACK, (True, "PA", 1, ask[:10]), (True, "PA", 11, ask[10:]), (False, "PA", 1, ANSWER),
        (True, "FA", 1 + len(ask), b""), twice=twice,
    )  # fmt: skip
    kubectl, server = "10.0.0.5/kubectl", "10.0.0.1/port 8080"
    assert said(data) == [
        ("tcp.syn", kubectl, server),
        ("tcp.syn", server, kubectl),
        ("http.request", kubectl, server),
        ("http.response", server, kubectl),
        ("tcp.fin", kubectl, server),
    ]


def test_a_capture_that_begins_late_takes_the_lower_port_for_the_server():
    ask = request()
    assert said(capture((False, "PA", 1, ANSWER), (True, "PA", 1, ask)))[-1][1:] == ("10.0.0.5", "10.0.0.1/port 8080")


def token(subject):
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).rstrip(b"=").decode()
    return f"Authorization: Bearer e30.{claims}.c2ln\r\n"


def test_a_token_says_more_than_how_a_program_calls_itself():
    ask = request(token("system:serviceaccount:kube-system:coredns") + "User-Agent: curl/8\r\n")
    assert said(capture(SYN, (True, "PA", 1, ask)))[0][1] == "10.0.0.5/coredns"


def conversations(*headers):
    """A capture in which as many clients of one address each ask once, with these headers."""
    parts = [
        capture(SYN, (True, "PA", 1, request(header)), client=Endpoint(CLIENT.address, 40_000 + number))
        for number, header in enumerate(headers)
    ]
    return parts[0] + b"".join(part[24:] for part in parts[1:])


@pytest.mark.parametrize(
    ("products", "names"),
    [
        (["kubectl/v1.32", "Helm/3.17"], {"admin:kubectl", "admin:Helm"}),
        (["kubectl/v1.32", "kubectl/v1.31"], {"admin"}),
        (["kubectl/v1.32", "Go-http-client/1.1"], {"admin"}),
        (["admin/1", "Helm/3.17"], {"admin", "admin:Helm"}),
    ],
)
def test_programs_of_one_address_and_one_name_are_told_apart_by_what_they_call_themselves(products, names):
    data = conversations(*(f"{token('admin')}User-Agent: {product}\r\n" for product in products))
    asked = {who for kind, who, _ in said(data) if kind == "http.request"}
    assert asked == {f"10.0.0.5/{name}" for name in names}


@pytest.mark.parametrize("header", ["Authorization: Bearer a.!.b\r\n", "Authorization: Bearer a.W10.b\r\n", ""])
def test_who_shows_nothing_is_called_by_its_address(header):
    server = Endpoint("10.0.0.1", 6443)
    (first, *_) = said(capture(SYN, (True, "PA", 1, request(header)), server=server))
    assert first[1:] == ("10.0.0.5", "10.0.0.1/kube-apiserver")


@pytest.mark.parametrize(
    ("user", "program"),
    [
        ("system:node:worker-1", "kubelet"),
        ("system:kube-scheduler", "kube-scheduler"),
        ("kube-apiserver-etcd-client", "kube-apiserver"),
        ("alice/../x\n", "alice_.._x_"),
    ],
)
def test_components_are_called_as_their_programs_are(user, program):
    assert program_of(user) == program


def test_what_is_in_no_form_that_can_be_read_is_said():
    data = capture(SYN) + pcap.record(pcap.Record(1, b"\xff" * 60, 60)) + b"\1"
    problems = entries(data)[1]
    assert problems == [
        "the file is cut short in the middle of a packet",
        "1 of 2 packets are neither TCP, UDP nor ICMP, or are fragments",
    ]


def event(seconds, **more):
    event = {"kind": "Event", "auditID": "a", "stage": "ResponseComplete", "verb": "get", "requestURI": "/api"}
    return json.dumps({**event, "stageTimestamp": f"2026-01-01T10:00:{seconds:02}.5Z", **more}).encode() + b"\n"


def test_an_audit_log_becomes_notes_in_the_order_of_their_times():
    reference = {"resource": "pods", "name": "web-0", "namespace": "default"}
    data = event(7, user={"username": "alice"}, objectRef=reference) + b"not JSON\n" + event(5)
    found, problems = entries(data)
    assert [(one["at"], one["label"]) for one in found] == [
        (0.0, "ResponseComplete get /api"),
        (2.0, "ResponseComplete get pods/web-0 by alice"),
    ]
    assert {one["from"] for one in found} == {"kube-apiserver/kube-apiserver"}
    assert found[1]["fields"]["line"].encode() + b"\n" == event(7, user={"username": "alice"}, objectRef=reference)
    assert problems == ["1 lines are no audit events, or too many"]


def test_a_file_that_is_neither_is_refused():
    with pytest.raises(CaptureError, match="no capture"):
        entries(b"{}\n")


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("cluster_engine.recordings.story.FILE_BYTES_MAX", 1 << 20)
    with pytest.raises(CaptureError, match="at most 1 MiB"):
        entries(bytes((1 << 20) + 1))
