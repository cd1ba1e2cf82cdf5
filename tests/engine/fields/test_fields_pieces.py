"""However the bytes of a connection were cut into pieces, each message is read from its own beginning."""

import json

import pytest
from lens_capture import API, ETCD, KUBECTL, Capture, Clear, Grpc, clear_h2
from test_fields_opened import judge

from cluster_engine.fields.field import every
from cluster_engine.fields.opened import open_entry
from cluster_engine.rpc import etcd_pb2


def cut_into(size):
    return lambda payload: [payload[at : at + size] for at in range(0, len(payload), size)]


def read(capture, size):
    """Return each entry with the names and values of its fields; every one must be readable."""
    journal = capture.journal(cut_into(size))
    found = []
    for entry in journal.since(0, 1000):
        detail = open_entry(journal, entry["seq"])
        assert judge(detail) == [], (entry["kind"], entry["label"])
        fields = [one for segment in detail["segments"] for one in every(segment.get("payloadFields", ()))]
        found.append((entry, fields))
    return found


def values(fields, name):
    return list(dict.fromkeys(one.value for one in fields if one.name == name))


@pytest.mark.parametrize("size", [7, 23, 64, 1000])
def test_requests_and_answers_of_many_streams(size):
    capture = Capture()
    h2 = clear_h2(capture, KUBECTL, API)
    streams = [h2.request("GET", f"/api/v1/namespaces/n{number}/pods") for number in range(3)]
    for number, stream in enumerate(streams):
        h2.respond(stream, 200, json.dumps({"kind": "PodList", "n": "x" * 40 * number}).encode())
    found = read(capture, size)
    asked = [values(fields, "hpack.incremental") for entry, fields in found if entry["kind"] == "http.request"]
    assert ":path: /api/v1/namespaces/n0/pods" in asked[0]
    answers = [fields for entry, fields in found if entry["kind"] == "http.response"]
    assert len(answers) == 3
    for fields in answers:
        assert any("PodList" in value for value in values(fields, "body.json"))
        assert ":status: 200" in values(fields, "hpack.indexed")


@pytest.mark.parametrize("size", [7, 23, 64, 1000])
def test_calls_of_etcd(size):
    capture = Capture()
    calls = Grpc(clear_h2(capture, API, ETCD))
    for number in range(3):
        stream = calls.ask("/etcdserverpb.KV/Range", etcd_pb2.RangeRequest(key=f"/registry/{number}".encode()))
        calls.answer(stream, etcd_pb2.RangeResponse(count=number + 1))
    found = read(capture, size)
    asked = [values(fields, "protobuf.bytes") for entry, fields in found if entry["kind"] == "grpc.request"]
    assert asked[0] == ["/registry/0"]
    told = [fields for entry, fields in found if entry["kind"] == "grpc.response"]
    assert "count = 1" in values(told[0], "protobuf.field")
    assert all("grpc-status: 0" in {one.value for one in fields} for fields in told)


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@pytest.mark.parametrize("size", [7, 23, 64, 1000])
def test_events_of_a_watch_in_chunks(size):
    capture = Capture()
    wire = Clear(capture, capture.connect(KUBECTL, API))
    wire.send(True, b"GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.send(False, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    events = [{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"name": f"p{n}"}}} for n in range(4)]
    wire.send(False, b"".join(chunk(json.dumps(event).encode() + b"\n") for event in events))
    found = read(capture, size)
    told = [fields for entry, fields in found if entry["kind"] == "watch.event"]
    assert len(told) == 4
    for number, fields in enumerate(told):
        assert any(f'"p{number}"' in value for value in values(fields, "body.watch_event"))


@pytest.mark.parametrize("size", [7, 23, 64, 1000])
def test_messages_of_a_websocket(size):
    capture = Capture()
    wire = Clear(capture, capture.connect(KUBECTL, API))
    wire.send(
        True, b"GET /api/v1/namespaces/d/pods/p/exec HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    head = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    )
    texts = [f"line {number} ".encode() * 8 for number in range(4)]
    wire.send(False, head + b"".join(b"\x82" + bytes([len(text) + 1]) + b"\x01" + text for text in texts))
    found = read(capture, size)
    told = [fields for entry, fields in found if entry["kind"] == "websocket.message"]
    assert len(told) == 4
    for number, fields in enumerate(told):
        assert values(fields, "websocket.channel") == ["1 stdout"]
        assert any(value.startswith(f"line {number}") for value in values(fields, "websocket.payload"))
