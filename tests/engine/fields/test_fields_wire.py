"""HTTP, HPACK, gRPC, protobuf, WebSocket and DNS: what their specifications give as examples, field by field."""

import random
from itertools import pairwise

import dns.flags
import dns.message
import dns.rrset
import pytest

from cluster_engine.fields import dns as dns_fields
from cluster_engine.fields import grpc, http1, http2, icmp, kubernetes, raft, websocket
from cluster_engine.fields.application import Part, application, dissect
from cluster_engine.fields.bodies import Context
from cluster_engine.fields.field import UNREADABLE, every
from cluster_engine.fields.hpack import Blocks
from cluster_engine.fields.stretch import FIELDS_MAX
from cluster_engine.rpc import etcd_pb2, raft_pb2


def lines(fields, depth=0):
    """Fields as lines: place, name, value."""
    found = []
    for field in fields:
        found.append(f"{' ' * depth}{field.begin}-{field.end} {field.name} {field.value}".rstrip())
        found += lines(field.fields, depth + 1)
    return found


def named(fields, name):
    return [field.value for field in every(fields) if field.name == name]


def covers(fields, begin, end):
    """Whether fields lie in these bounds, in order, without overlap, each with its own inside it."""
    at = begin
    for field in fields:
        if not (at <= field.begin < field.end <= end and covers(field.fields, field.begin, field.end)):
            return False
        at = field.end
    return True


HEADERS = {"indexed", "incremental", "without_indexing", "never_indexed"}

# RFC 7541 appendix C: for each example its blocks, and what they say.
C3 = [
    ("828684410f7777772e6578616d706c652e636f6d", ":method: GET|:scheme: http|:path: /|:authority: www.example.com"),
    (
        "828684be58086e6f2d6361636865",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache",
    ),
    (
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value",
    ),
]
C4 = [
    ("828684418cf1e3c2e5f23a6ba0ab90f4ff", C3[0][1]),
    ("828684be5886a8eb10649cbf", C3[1][1]),
    ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", C3[2][1]),
]
C5 = [
    (
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
        "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        ":status: 302|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: https://www.example.com",
    ),
    (
        "4803333037c1c0bf",
        ":status: 307|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: https://www.example.com",
    ),
]
C6 = [
    (
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        C5[0][1],
    ),
    ("4883640effc1c0bf", C5[1][1]),
]


@pytest.mark.parametrize("example", [C3, C4, C5, C6], ids=["C.3", "C.4", "C.5", "C.6"])
def test_header_blocks_of_rfc_7541_are_read_one_after_the_other(example):
    blocks = Blocks()
    for block, said in example:
        fields = blocks.dissect(bytes.fromhex(block))
        assert [field.value for field in fields] == said.split("|")
        assert {field.name.removeprefix("hpack.") for field in fields} <= HEADERS
        assert covers(fields, 0, len(block) // 2)


def test_each_representation_of_rfc_7541_c2_shows_its_parts():
    def read(block):
        return lines(Blocks().dissect(bytes.fromhex(block)))

    assert read("400a637573746f6d2d6b65790d637573746f6d2d686561646572") == [
        "0-26 hpack.incremental custom-key: custom-header",
        " 0-1 hpack.new_name 0",
        " 1-2 hpack.name_length H=0 10",
        " 2-12 hpack.name custom-key",
        " 12-13 hpack.value_length H=0 13",
        " 13-26 hpack.value custom-header",
    ]
    assert read("040c2f73616d706c652f70617468") == [
        "0-14 hpack.without_indexing :path: /sample/path",
        " 0-1 hpack.static_name 4 :path",
        " 1-2 hpack.value_length H=0 12",
        " 2-14 hpack.value /sample/path",
    ]
    assert read("100870617373776f726406736563726574")[0] == "0-17 hpack.never_indexed password: secret"
    assert read("82") == ["0-1 hpack.indexed :method: GET", " 0-1 hpack.static_index 2 :method: GET"]
    assert read("3fe11f") == ["0-3 hpack.table_size 4096"]
    assert read("418cf1e3c2e5f23a6ba0ab90f4ff")[2:] == [
        " 1-2 hpack.value_length H=1 12",
        " 2-14 hpack.value_huffman www.example.com",
    ]


def test_an_entry_of_the_dynamic_table_is_what_the_header_was_decoded_to():
    known = [(":method", "GET"), ("user-agent", "kubectl"), ("accept", "*/*")]
    block = bytes.fromhex("82c4") + b"\x7f\x05\x03*/*"  # indexed 2, indexed 68, name 68 with a new value
    fields = Blocks().dissect(block, known)
    assert [field.value for field in fields] == [":method: GET", "user-agent: kubectl", "accept: */*"]
    assert named(fields, "hpack.dynamic_index") == ["68 user-agent: kubectl"]
    assert named(fields, "hpack.dynamic_name") == ["68 accept"]
    assert [field.value for field in Blocks().dissect(block)] == [":method: GET", "", "?: */*"]


def test_what_is_known_is_not_believed_where_it_disagrees():
    fields = Blocks().dissect(bytes.fromhex("82c4"), [(":method", "POST"), ("user-agent", "kubectl")])
    assert [field.value for field in fields] == [":method: GET", ""]


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def test_of_a_stream_the_first_block_has_the_first_headers_and_the_last_its_trailers():
    headers = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")]

    def said(data, kind):
        fields = dissect(data, Context(kind, 1, {}, headers, ""))
        return [field.value for field in every(fields) if field.name == "hpack.indexed"]

    begin, end = frame(1, 4, 1, bytes.fromhex("bfbe")), frame(1, 5, 1, bytes.fromhex("c0"))
    other = frame(1, 4, 3, bytes.fromhex("bfbe"))
    assert said(begin + end, "grpc.response") == [":status: 200", "content-type: application/grpc", "grpc-status: 0"]
    assert said(end, "grpc.response") == ["grpc-status: 0"]
    assert said(end, "grpc.message") == [""]
    assert said(other, "grpc.response") == ["", ""]


def test_frames_of_rfc_9113_show_their_fields():
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(
        (
            frame(4, 0, 0, bytes.fromhex("000300000064000400 00ffff")),
            frame(4, 1, 0, b""),
            frame(8, 0, 0, (65535).to_bytes(4)),
            frame(6, 1, 0, b"12345678"),
            frame(3, 0, 7, (8).to_bytes(4)),
            frame(7, 0, 0, (5).to_bytes(4) + (11).to_bytes(4) + b"calm down"),
            frame(0x30, 0, 0, b"??"),
        )
    )
    fields = http2.frames(data)
    assert fields[0].name == "http2.preface"
    assert [field.value for field in fields[1:]] == [
        "SETTINGS stream=0",
        "SETTINGS stream=0",
        "WINDOW_UPDATE stream=0",
        "PING stream=0",
        "RST_STREAM stream=7",
        "GOAWAY stream=0",
        "0x30 stream=0",
    ]
    assert named(fields, "http2.setting") == ["MAX_CONCURRENT_STREAMS = 100", "INITIAL_WINDOW_SIZE = 65535"]
    assert named(fields, "http2.flags")[1] == "0x01 ACK"
    assert named(fields, "http2.error") == ["8 CANCEL", "11 ENHANCE_YOUR_CALM"]
    assert named(fields, "http2.debug") == ["calm down"]
    assert UNREADABLE not in {field.name for field in every(fields)}
    assert covers(fields, 0, len(data))


def test_a_padded_frame_with_priority_shows_all_of_it():
    payload = bytes([2]) + (0x80000003).to_bytes(4) + bytes([15]) + bytes.fromhex("8286") + b"\0\0"
    fields = http2.frames(frame(1, 0x2D, 5, payload))
    assert lines(fields)[1:] == [
        " 0-3 http2.length 10",
        " 3-4 http2.type 1 HEADERS",
        " 4-5 http2.flags 0x2d END_STREAM END_HEADERS PADDED PRIORITY",
        " 5-9 http2.stream 5",
        " 9-10 http2.pad_length 2",
        " 10-14 http2.dependency 3 exclusive",
        " 14-15 http2.weight 16",
        " 15-17 http2.header_block",
        "  15-16 hpack.indexed :method: GET",
        "   15-16 hpack.static_index 2 :method: GET",
        "  16-17 hpack.indexed :scheme: http",
        "   16-17 hpack.static_index 6 :scheme: http",
        " 17-19 http2.padding 00 00",
    ]


def test_a_header_block_in_continuation_frames_is_read_as_one():
    block = bytes.fromhex(C3[0][0])
    data = frame(1, 1, 1, block[:10]) + frame(9, 4, 1, block[10:])
    first, second = http2.frames(data)
    header = [field for field in every((first, second)) if field.name == "hpack.incremental"]
    assert [(field.begin, field.end) for field in header] == [(12, 19), (28, 38)]
    assert {field.value for field in header} == {":authority: www.example.com"}


def test_a_message_in_several_data_frames_is_read_as_one_past_those_of_other_streams():
    request = etcd_pb2.RangeRequest(key=b"/registry/pods/", limit=500)
    body = b"\0" + request.ByteSize().to_bytes(4) + request.SerializeToString()
    data = frame(0, 0, 1, body[:9]) + frame(0, 0, 3, b"other") + frame(0, 1, 1, body[9:])
    context = Context("grpc.request", 1, {}, [], "protobuf:etcdserverpb.RangeRequest")
    fields = dissect(data, context)
    assert named(fields, "grpc.message") == ["etcdserverpb.RangeRequest"] * 2
    assert named(fields, "protobuf.bytes") == ["/registry/pods/"] * 2
    assert named(fields, "protobuf.varint") == ["500"]
    assert [one.name for one in fields] == ["http2.frame", "http2.other_frame", "http2.frame"]
    assert covers(fields, 0, len(data))


def test_pieces_that_follow_each_other_are_read_as_one_and_fields_laid_back():
    data = frame(1, 4, 1, bytes.fromhex(C3[0][0])) + frame(0, 1, 1, b'{"a":1}')
    context = Context("http.request", 1, {}, [("content-type", "application/json")], "application/json")
    whole = dissect(data, context)
    for cut in range(1, len(data)):
        first, second = application([Part(data[:cut]), Part(data[cut:], follows=True)], context)
        assert covers(first, 0, cut)
        assert covers(second, 0, len(data) - cut)
        assert {field.name for field in every((*first, *second))} == {field.name for field in every(whole)}


def test_a_piece_may_begin_with_the_rest_of_a_frame():
    data = b"rest" + frame(6, 0, 0, b"12345678")
    fields = application([Part(data, begun=4)], Context("h2.ping", None, {}, [], ""))[0]
    assert [field.name for field in fields] == ["http2.continued", "http2.frame"]


def test_requests_of_rfc_9112_show_their_lines():
    data = b"GET /a?b HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
    assert lines(http1.messages(data)) == [
        "0-19 http1.request_line GET /a?b HTTP/1.1",
        " 0-3 http1.method GET",
        " 3-4 http1.space SP",
        " 4-8 http1.target /a?b",
        " 8-9 http1.space SP",
        " 9-17 http1.version HTTP/1.1",
        " 17-19 http1.end_of_line CRLF",
        "19-42 http1.header Host: www.example.org",
        " 19-23 http1.header_name Host",
        " 23-25 http1.colon :",
        " 25-40 http1.header_value www.example.org",
        " 40-42 http1.end_of_line CRLF",
        "42-44 http1.end_of_head CRLF",
    ]


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n5\r\npedia\r\n0\r\nX: y\r\n\r\n"


def test_chunks_of_rfc_9112_show_size_extension_data_and_trailers():
    fields = http1.messages(CHUNKED)
    assert named(fields, "http1.chunk_size") == ["0x4 = 4", "0x5 = 5", "0x0 = 0"]
    assert named(fields, "http1.chunk_extension") == [";a=b"]
    assert [CHUNKED[one.begin : one.end] for one in every(fields) if one.name == "http1.chunk_data"] == [
        b"Wiki",
        b"pedia",
    ]
    assert named(fields, "http1.header")[-1] == "X: y"
    assert UNREADABLE not in {field.name for field in every(fields)}
    assert covers(fields, 0, len(CHUNKED))


def test_a_watch_over_chunks_shows_its_events_wherever_the_chunks_are_cut():
    data = b'9\r\n{"type":"\r\nb\r\nADDED"}\n{"t\r\n'
    fields = dissect(data, Context("watch.event", None, {}, [], "application/json"))
    assert [name.count("body.watch_event") for name in lines(fields) if "watch_event" in name] == [1, 1, 1]
    assert named(fields, "body.watch_event")[0].startswith('{"type":"ADDED"}')


def test_several_messages_on_one_connection_are_read_one_after_the_other():
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    fields = http1.messages(data)
    assert named(fields, "http1.status") == ["100", "200"]
    assert fields[-1].name == "http1.body"


# RFC 6455 5.7
@pytest.mark.parametrize(
    ("frame_hex", "opcode", "payload"),
    [
        ("810548656c6c6f", "FIN 1 text", "Hello"),
        ("818537fa213d7f9f4d5158", "FIN 1 text", "Hello"),
        ("010348656c", "1 text", "Hel"),
        ("80026c6f", "FIN 0 continuation", "lo"),
        ("890548656c6c6f", "FIN 9 ping", "Hello"),
        ("8a8537fa213d7f9f4d5158", "FIN 10 pong", "Hello"),
    ],
)
def test_frames_of_rfc_6455_show_what_was_said(frame_hex, opcode, payload):
    data = bytes.fromhex(frame_hex)
    fields = websocket.frames(data)
    assert named(fields, "websocket.opcode") == [opcode]
    assert named(fields, "websocket.payload") == [payload]
    assert covers(fields, 0, len(data))


def test_long_lengths_of_rfc_6455_take_more_bytes():
    assert named(websocket.frames(b"\x82\x7e\x01\x00" + bytes(256)), "websocket.extended_length") == ["256"]
    long = b"\x82\x7f" + (65536).to_bytes(8) + bytes(65536)
    assert named(websocket.frames(long), "websocket.extended_length") == ["65536"]


def test_a_message_of_exec_begins_with_its_channel_and_a_close_has_its_code():
    data = bytes.fromhex("8203016f6b") + bytes.fromhex("880203e8")
    fields = dissect(data, Context("websocket.message", None, {"type": "stdout"}, [], ""))
    assert named(fields, "websocket.channel") == ["1 stdout"]
    assert named(fields, "websocket.payload") == ["ok"]
    assert named(fields, "websocket.close_code") == ["1000 normal closure"]
    parts = websocket.frames(bytes.fromhex("0202016f") + bytes.fromhex("80016b"), has_channels=True)
    assert named(parts, "websocket.channel") == ["1 stdout"]
    assert named(parts, "websocket.payload") == ["o", "k"]


def test_a_transaction_of_etcd_shows_the_object_that_it_stores():
    magic = b"k8s\0" + b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap" + b"\x12\x05\x0a\x03\x0a\x01c"
    txn = etcd_pb2.TxnRequest(
        success=[etcd_pb2.RequestOp(request_put=etcd_pb2.PutRequest(key=b"/registry/configmaps/c", value=magic))]
    )
    data = b"\0" + txn.ByteSize().to_bytes(4) + txn.SerializeToString()
    fields = grpc.messages(data, "etcdserverpb.TxnRequest")
    assert named(fields, "protobuf.field") == [
        "success",
        "request_put",
        "key = /registry/configmaps/c",
        "value",
        "typeMeta",
        "apiVersion = v1",
        "kind = ConfigMap",
        "raw",
        "metadata",
        "name = c",
    ]
    assert covers(fields, 0, len(data))


def test_protobuf_without_description_shows_numbers():
    fields = grpc.messages(b"\0\0\0\0\x0a" + bytes.fromhex("089601") + b"\x12\x02hi" + b"\x1d\0\0", "no.such.Message")
    assert named(fields, "protobuf.field") == ["1 = 150", "2 = hi", "3"]
    assert fields[0].fields[-1].fields[-1].name == UNREADABLE


def test_numbers_are_shown_as_their_field_means_them():
    message = raft_pb2.Message(type=raft_pb2.MsgVote, reject=True, term=3)
    fields = raft.messages(message.ByteSize().to_bytes(8) + message.SerializeToString())
    assert named(fields, "protobuf.field") == ["type = 5 MsgVote", "term = 3", "reject = true"]
    lease = etcd_pb2.LeaseGrantRequest(TTL=-1)
    data = b"\0" + lease.ByteSize().to_bytes(4) + lease.SerializeToString()
    assert named(grpc.messages(data, "etcdserverpb.LeaseGrantRequest"), "protobuf.field") == ["TTL = -1"]


def test_a_request_in_an_entry_of_the_log_is_read():
    request = etcd_pb2.InternalRaftRequest(put=etcd_pb2.PutRequest(key=b"a"))
    entry = raft_pb2.Entry(Type=raft_pb2.EntryNormal, Term=2, Index=9, Data=request.SerializeToString())
    message = raft_pb2.Message(type=raft_pb2.MsgApp, entries=[entry])
    fields = raft.messages(message.ByteSize().to_bytes(8) + message.SerializeToString())
    assert named(fields, "protobuf.field")[-3:] == ["Data", "put", "key = a"]


def answer():
    query = dns.message.make_query("web.default.svc.cluster.local", "A", use_edns=0)
    found = dns.message.make_response(query)
    found.flags |= dns.flags.AA
    name = "web.default.svc.cluster.local."
    found.answer.append(dns.rrset.from_text(name, 30, "IN", "A", "10.96.0.3"))
    found.answer.append(dns.rrset.from_text(f"_http._tcp.{name}", 30, "IN", "SRV", f"0 100 80 {name}"))
    found.authority.append(
        dns.rrset.from_text(
            "cluster.local.", 5, "IN", "SOA", "ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5"
        )
    )
    found.additional.append(dns.rrset.from_text(name, 30, "IN", "AAAA", "fd00::1"))
    found.additional.append(dns.rrset.from_text(name, 30, "IN", "TXT", '"some text"'))
    return found.to_wire()


def test_a_dns_answer_shows_its_records_and_what_pointers_lead_to():
    data = answer()
    fields = dns_fields.message(data)
    assert named(fields, "dns.flags") == ["0x8500 QR=1 QUERY AA RD NOERROR"]
    assert named(fields, "dns.question") == ["web.default.svc.cluster.local A"]
    assert named(fields, "dns.answer") == [
        "web.default.svc.cluster.local A 10.96.0.3",
        "_http._tcp.web.default.svc.cluster.local SRV 0 100 80 web.default.svc.cluster.local",
    ]
    assert named(fields, "dns.pointer")[0] == "12 web.default.svc.cluster.local"
    assert "cluster.local SOA ns.dns.cluster.local hostmaster.cluster.local 1" in named(fields, "dns.authority")
    assert named(fields, "dns.udp_payload_size") == ["8192"]
    assert named(fields, "dns.additional")[:2] == [
        "web.default.svc.cluster.local AAAA fd00::1",
        "web.default.svc.cluster.local TXT some text",
    ]
    assert UNREADABLE not in {field.name for field in every(fields)}
    assert covers(fields, 0, len(data))


def test_an_echo_shows_who_asks_and_the_how_manieth_time():
    fields = icmp.message(bytes.fromhex("0800f7ff00070001") + b"abc")
    assert [field.value for field in fields] == ["8 echo", "0", "0xf7ff", "7", "1", "61 62 63"]


def samples():
    pod = b"k8s\0" + bytes.fromhex("0a090a0276311203506f64") + b"\x12\x05\x0a\x03\x0a\x01c"
    append = raft_pb2.Message(type=raft_pb2.MsgApp, entries=[raft_pb2.Entry(Data=b"x")])
    return {
        "http1": (CHUNKED, http1.messages),
        "http2": (
            frame(1, 4, 1, bytes.fromhex(C4[0][0])) + frame(0, 1, 1, b"\0\0\0\0\2\x18\1") + frame(4, 0, 0, bytes(12)),
            lambda data: dissect(data, Context("grpc.request", 1, {}, [], "protobuf:etcdserverpb.RangeRequest")),
        ),
        "hpack": (bytes.fromhex(C6[0][0]), lambda data: Blocks().dissect(data, [("a", "b")] * 9)),
        "kubernetes": (pod, kubernetes.kubernetes_object),
        "websocket": (
            bytes.fromhex("818537fa213d7f9f4d5158880203e8"),
            lambda data: websocket.frames(data, has_channels=True),
        ),
        "raft": (append.ByteSize().to_bytes(8) + append.SerializeToString(), raft.messages),
        "dns": (answer(), dns_fields.message),
        "icmp": (bytes.fromhex("0800f7ff00070001"), icmp.message),
    }


@pytest.mark.parametrize("protocol", samples())
def test_whatever_the_bytes_every_one_of_them_is_in_a_field_and_there_are_not_too_many(protocol):
    good, read = samples()[protocol]
    chance = random.Random(7)
    for _ in range(400):
        data = bytearray(good * chance.choice((1, 1, 3)))
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xC0, 0xFF, chance.randrange(256)))
        data = bytes(data[: chance.randrange(1, len(data) + 1)])
        if chance.random() < 0.2:
            data = chance.randbytes(chance.randrange(1, 300))
        fields = read(data)
        assert covers(fields, 0, len(data)), data.hex()
        assert (fields[0].begin, fields[-1].end) == (0, len(data)), data.hex()
        assert all(one.end == other.begin for one, other in pairwise(fields)), data.hex()


@pytest.mark.parametrize("protocol", samples())
@pytest.mark.parametrize("byte", [b"\0", b"\x82", b"\xc0\x0c", b"\x01a", b"a\r\n", b"\x0a\x02", b"\x81\x01"])
def test_long_and_monotonous_bytes_give_a_bounded_tree(protocol, byte):
    _, read = samples()[protocol]
    data = byte * (60_000 // len(byte))
    assert sum(1 for _ in every(read(data))) <= 4 * FIELDS_MAX
