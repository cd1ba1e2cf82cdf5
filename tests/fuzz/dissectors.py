"""What takes bytes apart into fields: real messages of each protocol, spoiled, cut and put behind each other.

Whatever they are: no exception, every byte in a field, fields in order inside their parents, and not too many.
"""

import random
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise

import dns.message
import h2.config
import h2.connection

from cluster_engine.fields import dns as dns_fields
from cluster_engine.fields import icmp, kubernetes, raft, tls, x509
from cluster_engine.fields.application import Part, application
from cluster_engine.fields.bodies import Context
from cluster_engine.fields.field import VALUE_CHARS_MAX, Field, every
from cluster_engine.fields.stretch import DEPTH_MAX, FIELDS_MAX
from cluster_engine.lens.evidence import KUBERNETES_PROTOBUF
from cluster_engine.lens.protection import TLS_1_2, TLS_1_3
from cluster_engine.rpc import cri_pb2, etcd_pb2, kv_pb2, raft_pb2
from tests.engine.fields import rfc8448
from tests.fuzz import making

Case = tuple[str, bytes, int]
Dissect = Callable[[bytes, int], tuple[Field, ...]]
FIELDS_OF_ALL_MAX = 4 * FIELDS_MAX
STREAM = 1
NAME = "web.default.svc.cluster.local"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'11;a=b\r\n{"type": "ADDED"}\r\n0\r\nA: b\r\n\r\n'
)
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
FRAMES = bytes.fromhex("8182 37fa213d 369f 8203 026869 8900 880203e8")
POD = b"k8s\0" + bytes.fromhex("0a090a0276311203506f64") + b"\x12\x0c\x0a\x0a\x0a\x03web\x22\x03abc"


def _framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


def _raft(message: raft_pb2.Message) -> bytes:
    return message.ByteSize().to_bytes(8) + message.SerializeToString()


def _http2(path: str, body: bytes, answer: bytes) -> tuple[bytes, bytes]:
    """Return what a client and a server of h2 say: a call with trailers."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client.initiate_connection()
    client.send_headers(
        STREAM, [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", path), ("te", "trailers")]
    )
    client.send_data(STREAM, body, end_stream=True)
    asked = client.data_to_send()
    server.receive_data(asked)
    server.initiate_connection()
    server.send_headers(STREAM, [(":status", "200"), ("content-type", "application/grpc")])
    server.send_data(STREAM, answer)
    server.send_headers(STREAM, [("grpc-status", "0")], end_stream=True)
    server.ping(b"12345678")
    server.close_connection()
    return asked, server.data_to_send()


@lru_cache(maxsize=1)
def samples() -> dict[str, tuple[bytes, Dissect]]:
    """Return for each protocol what is right, and what takes it apart."""
    asked, answered = _http2(
        "/etcdserverpb.KV/Range",
        _framed(
            etcd_pb2.RangeRequest(key=b"/registry/pods/", range_end=b"/registry/pods0", limit=500).SerializeToString()
        ),
        _framed(
            etcd_pb2.RangeResponse(kvs=[kv_pb2.KeyValue(key=b"/a", value=POD, mod_revision=7)]).SerializeToString()
        ),
    )
    watched = etcd_pb2.WatchResponse(watch_id=1, events=[kv_pb2.Event(kv=kv_pb2.KeyValue(key=b"/a", value=b"{}"))])
    sandbox = cri_pb2.RunPodSandboxRequest(config=cri_pb2.PodSandboxConfig(hostname="web", labels={"app": "web"}))
    append = raft_pb2.Message(type=raft_pb2.MsgApp, term=2, entries=[raft_pb2.Entry(Term=2, Index=7, Data=b"x")])
    messages = b"".join(rfc8448.MESSAGES.values())
    query = dns.message.make_query(NAME, "SRV", id=7, use_edns=True).to_wire()
    return {
        "handshake of TLS 1.2": (messages, _alone(lambda data: tls.content(tls.HANDSHAKE, data, TLS_1_2))),
        "handshake of TLS 1.3": (messages, _alone(lambda data: tls.content(tls.HANDSHAKE, data, TLS_1_3))),
        "certificate": (rfc8448.CERTIFICATE[11:-2], _alone(x509.der_certificate)),
        "HTTP/1": (CHUNKED, _within("http.response", headers=[("content-type", "application/json")])),
        "upgrade": (UPGRADED + FRAMES, _within("websocket.message", fields={"type": "stdout"})),
        "WebSocket": (FRAMES, _within("watch.event")),
        "HTTP/2": (asked[24:], _within("h2.settings")),
        "etcd's request": (asked[24:], _within("grpc.request", STREAM, body_type="protobuf:etcdserverpb.RangeRequest")),
        "etcd's answer": (answered, _within("grpc.response", STREAM, body_type="protobuf:etcdserverpb.RangeResponse")),
        "etcd's event": (
            _http2("/etcdserverpb.Watch/Watch", b"", _framed(watched.SerializeToString()))[1],
            _within("etcd.event", STREAM, body_type="protobuf:mvccpb.Event"),
        ),
        "CRI": (
            _http2("/runtime.v1.RuntimeService/RunPodSandbox", _framed(sandbox.SerializeToString()), b"")[0][24:],
            _within("grpc.request", STREAM, body_type="protobuf:runtime.v1.RunPodSandboxRequest"),
        ),
        "gRPC of others": (answered, _within("grpc.response", STREAM)),
        "Kubernetes' protobuf": (POD, _alone(kubernetes.kubernetes_object)),
        "Kubernetes' protobuf in HTTP/2": (
            _http2("/api/v1/pods", POD, POD)[1],
            _within("http.response", STREAM, headers=[("content-type", KUBERNETES_PROTOBUF)]),
        ),
        "messages of Raft": (_raft(append) * 2, _alone(raft.messages)),
        "entries of Raft": (
            b"\2" + _raft(append) + bytes(1) + b"\1" + (1).to_bytes(8) + bytes(16),
            _alone(raft.appends),
        ),
        "snapshot of Raft": (_raft(append) + b"database", _alone(raft.snapshot)),
        "DNS": (query, _alone(dns_fields.message)),
        "ICMP": (bytes.fromhex("0800f7ff00070001") + b"abc", _alone(icmp.message)),
    }


def _alone(dissect: Callable[[bytes], tuple[Field, ...]]) -> Dissect:
    return lambda data, begun: dissect(data)


def _within(
    kind: str,
    stream: int | None = None,
    fields: dict[str, str] | None = None,
    headers: list[tuple[str, str]] | None = None,
    body_type: str = "",
) -> Dissect:
    context = Context(kind, stream, fields or {}, headers or [], body_type)
    return partial(_dissect, context)


def _dissect(context: Context, data: bytes, begun: int) -> tuple[Field, ...]:
    """Take it apart as the parts of an entry: in one, and in two that follow each other."""
    half = len(data) // 2
    cut = [Part(data[:half], begun=min(begun, half)), Part(data[half:], follows=True)]
    for part, fields in zip(cut, application(cut, context), strict=True):
        _hold(fields, 0, len(part.data))
    return application([Part(data, begun=begun)], context)[0]


def make(rng: random.Random) -> Case:
    """Choose a protocol, spoil its messages, and say how many bytes belong to what was before."""
    name = rng.choice(list(samples()))
    data = samples()[name][0] * rng.choice((1, 1, 1, 2, 40))
    roll = rng.random()
    if roll < 0.8:
        data = making.spoiled_bytes(rng, data)
    elif roll < 0.9:
        at = rng.randrange(len(data))
        data = data[:at] + data[at : at + rng.randrange(1, 9)] * rng.choice((10, 1000, 20_000))
    data = data[rng.randrange(len(data)) if data and rng.random() < 0.2 else 0 :]
    return name, data, rng.choice((0, 0, 0, 1, len(data), rng.randrange(len(data) + 1)))


def take(case: Case) -> None:
    """Take it apart; judge what comes of it."""
    name, data, begun = case
    fields = samples()[name][1](data, min(begun, len(data)))
    _hold(fields, 0, len(data))
    assert not data or fields
    assert not fields or (fields[0].begin, fields[-1].end) == (0, len(data))
    assert all(one.end == other.begin for one, other in pairwise(fields)), "not every byte is in a field"
    assert sum(1 for _ in every(fields)) <= FIELDS_OF_ALL_MAX


def _hold(fields: tuple[Field, ...], begin: int, end: int, depth: int = 0) -> None:
    """Fail unless fields lie in order between `begin` and `end`, and so do those in them."""
    assert depth <= DEPTH_MAX + 4, "fields lie too deep"
    for field in fields:
        assert begin <= field.begin < field.end <= end, field
        assert len(field.value) <= VALUE_CHARS_MAX + 1
        _hold(field.fields, field.begin, field.end, depth + 1)
        begin = field.end
