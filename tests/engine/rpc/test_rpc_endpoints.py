import asyncio

import pytest
from grpclib.const import Status
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError

from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import grpc
from cluster_engine.rpc.endpoints import WAITING_BYTES_MAX, Channel, GatheringTransport, Server
from tests.ears import Ears

LEASE = pb.DESCRIPTOR.services_by_name["Lease"]
KV = pb.DESCRIPTOR.services_by_name["KV"]


class Echo:
    async def Range(self, request):
        return pb.RangeResponse(kvs=[{"value": request.key}])


class Below(asyncio.Transport):
    """A transport that remembers what was written to it."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(data)

    def close(self):
        self.closed = True

    def abort(self):
        self.closed = True


def unexpected(bug):
    raise AssertionError from bug


def test_a_unary_call_crosses_the_wire_as_one_segment_each_way(run):
    ears = Ears()

    async def story(world):
        server = Server([grpc.handler(KV, Echo(), unexpected)])
        await server.start("10.0.0.254", 2379)
        channel = Channel("10.0.0.254", 2379)
        range_ = grpc.call(channel, KV.methods_by_name["Range"])
        await range_(pb.RangeRequest(key=b"first, and settings"))
        await asyncio.sleep(1)
        ears.segments.clear()
        await range_(pb.RangeRequest(key=b"second"))
        await asyncio.sleep(1)
        assert [segment.from_client for segment in ears.segments if segment.payload] == [True, False]
        channel.close()
        server.close()

    run(story, tap=ears)


class Garbage(ProtoCodec):
    """Sends what no message looks like."""

    def encode(self, message, message_type):
        return b"\xff\xff\xff"


def refusal_of(run, request, *, service=KV, method="Range", codec=None):
    """Call a server of KV, tell how it refused, and make sure that it goes on serving the same connection."""

    async def story(world):
        server = Server([grpc.handler(KV, Echo(), unexpected)], message_bytes_max=1000)
        await server.start("10.0.0.254", 2379)
        channel = Channel("10.0.0.254", 2379, codec=codec)
        with pytest.raises(GRPCError) as refusal:
            await grpc.call(channel, service.methods_by_name[method])(request)
        channel._codec = ProtoCodec()
        reply = await grpc.call(channel, KV.methods_by_name["Range"])(pb.RangeRequest(key=b"alive"))
        assert reply.kvs[0].value == b"alive"
        channel.close()
        server.close()
        return refusal.value

    return run(story)


def test_a_message_that_is_none_is_refused(run):
    assert refusal_of(run, pb.RangeRequest(), codec=Garbage()).status is Status.INTERNAL


def test_a_message_beyond_the_bound_is_refused_before_it_is_read(run):
    refusal = refusal_of(run, pb.RangeRequest(key=bytes(10_000_000)))
    assert refusal.status is Status.RESOURCE_EXHAUSTED
    assert refusal.message == "grpc: received message larger than max (10000005 vs. 1000)"


def test_a_service_that_is_not_there_is_unimplemented(run):
    refusal = refusal_of(run, pb.LeaseGrantRequest(), service=LEASE, method="LeaseGrant")
    assert (refusal.status, refusal.message) == (Status.UNIMPLEMENTED, "unknown service etcdserverpb.Lease")


def test_a_method_that_is_not_there_is_unimplemented(run):
    refusal = refusal_of(run, pb.CompactionRequest(), method="Compact")
    assert refusal.message == "unknown method Compact for service etcdserverpb.KV"


def test_what_is_written_in_one_round_goes_out_as_one_and_in_order(run):
    async def story(world):
        below = Below()
        transport = GatheringTransport(below)
        for part in (b"one ", b"", b"two ", b"three"):
            transport.write(part)
        assert below.written == []
        await asyncio.sleep(0)
        transport.write(b"later")
        await asyncio.sleep(0)
        assert below.written == [b"one two three", b"later"]

    run(story)


def test_no_more_than_the_limit_waits(run):
    async def story(world):
        below = Below()
        transport = GatheringTransport(below)
        transport.write(bytes(WAITING_BYTES_MAX))
        assert below.written == []
        transport.write(b"x")
        assert [len(data) for data in below.written] == [WAITING_BYTES_MAX + 1]
        await asyncio.sleep(0)
        assert len(below.written) == 1

    run(story)


def test_closing_writes_what_waits_and_aborting_drops_it(run):
    async def story(world):
        for end, written in (("close", [b"last words"]), ("abort", [])):
            below = Below()
            transport = GatheringTransport(below)
            transport.write(b"last words")
            getattr(transport, end)()
            await asyncio.sleep(0)
            assert (below.written, below.closed) == (written, True)

    run(story)
