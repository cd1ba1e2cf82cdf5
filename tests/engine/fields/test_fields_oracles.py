"""What our dissectors say is what other programs' readers say: `hpack`, protobuf's own parser, wsproto."""

import random

import hpack
import wsproto.frame_protocol as wsproto_frames
from google.protobuf import json_format

from cluster_engine.fields import grpc, websocket
from cluster_engine.fields.field import UNREADABLE, every
from cluster_engine.fields.hpack import Blocks
from cluster_engine.rpc import cri_pb2, etcd_pb2, kv_pb2

NAMES = (":path", "accept", "user-agent", "x-long", "audit-id", "authorization", "te", "grpc-status")


def some_headers(chance):
    values = ("GET", "", "/api/v1/pods", "ü", "x" * chance.randrange(200), str(chance.randrange(50)))
    return [(chance.choice(NAMES), chance.choice(values)) for _ in range(chance.randrange(1, 12))]


def test_header_blocks_say_what_hpack_was_told_also_from_the_middle_of_a_connection():
    for seed in range(40):
        chance = random.Random(seed)
        encoder = hpack.Encoder()
        whole, blocks = Blocks(), []
        for at in range(12):
            if at in (4, 8):
                encoder.header_table_size = chance.choice((0, 100, 4096))
            headers = some_headers(chance)
            as_bytes = [(name, value.encode("latin-1"), name == "authorization") for name, value in headers]
            block = encoder.encode(as_bytes, huffman=chance.random() < 0.7)
            blocks.append((block, headers))
            fields = [one.value for one in whole.dissect(block, headers) if one.name != "hpack.table_size"]
            assert [_begin(value) for value in fields] == [_begin(f"{name}: {value}") for name, value in headers], seed
        late = Blocks()
        for block, headers in blocks[6:]:
            fields = [one.value for one in late.dissect(block, headers) if one.name != "hpack.table_size"]
            assert [_begin(value) for value in fields] == [_begin(f"{name}: {value}") for name, value in headers], seed


def _begin(text):
    return text[:160].rstrip("…")


MESSAGES = [
    etcd_pb2.TxnRequest(
        compare=[etcd_pb2.Compare(key=b"/registry/a", mod_revision=7)],
        success=[etcd_pb2.RequestOp(request_put=etcd_pb2.PutRequest(key=b"/registry/a", value=b'{"a":1}', lease=3))],
        failure=[etcd_pb2.RequestOp(request_range=etcd_pb2.RangeRequest(key=b"/registry/a"))],
    ),
    etcd_pb2.WatchResponse(
        watch_id=-1, events=[kv_pb2.Event(type=kv_pb2.Event.DELETE, kv=kv_pb2.KeyValue(key=b"k", mod_revision=1 << 40))]
    ),
    cri_pb2.RunPodSandboxRequest(
        config=cri_pb2.PodSandboxConfig(
            metadata=cri_pb2.PodSandboxMetadata(name="web", namespace="default"), labels={"app": "web"}
        )
    ),
]


def test_protobuf_fields_are_those_that_protobuf_itself_finds():
    for message in MESSAGES:
        data = b"\0" + message.ByteSize().to_bytes(4) + message.SerializeToString()
        fields = list(every(grpc.messages(data, message.DESCRIPTOR.full_name)))
        assert UNREADABLE not in {one.name for one in fields}
        found = [one.value.partition(" = ")[0] for one in fields if one.name == "protobuf.field"]
        assert sorted(found) == sorted(_names(json_format.MessageToDict(message, preserving_proto_field_name=True)))


def _names(value):
    """The names in a message as JSON; of a map, whose entries are messages, those of entry, key and value."""
    found = []
    for name, inner in value.items():
        for one in inner if isinstance(inner, list) else [inner]:
            if name == "labels":
                found += [part for _ in one for part in (name, "key", "value")]
                continue
            found.append(name)
            found += _names(one) if isinstance(one, dict) else []
    return found


def test_websocket_frames_are_those_that_wsproto_wrote():
    for size in (0, 5, 125, 126, 65535, 65536):
        for client in (False, True):
            writer = wsproto_frames.FrameProtocol(client=client, extensions=[])
            data = bytes(writer.send_data(b"a" * size) + writer.close(1000, "done"))
            fields = list(every(websocket.frames(data)))
            assert UNREADABLE not in {one.name for one in fields}
            said = [one for one in fields if one.name == "websocket.payload"]
            assert [one.end - one.begin for one in said] == ([size] if size else [])
            assert all(set(one.value) <= set("a…") for one in said)
            assert [one.value for one in fields if one.name.startswith("websocket.close")] == [
                "1000 normal closure",
                "done",
            ]
