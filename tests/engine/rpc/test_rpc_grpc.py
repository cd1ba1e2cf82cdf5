import asyncio

import pytest
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import grpc

KV = pb.DESCRIPTOR.services_by_name["KV"]
WATCH = pb.DESCRIPTOR.services_by_name["Watch"]


def unexpected(bug):
    raise AssertionError from bug


class Parrot:
    """A service that gives back the key it was asked for, and refuses one."""

    async def Range(self, request):
        if request.key == b"forbidden":
            raise GRPCError(Status.OUT_OF_RANGE, "not that one")
        if request.key == b"broken":
            raise KeyError("planted")
        return pb.RangeResponse(count=request.limit)

    async def Watch(self, stream):
        async for request in stream:
            await stream.send_message(pb.WatchResponse(watch_id=request.create_request.watch_id))


def over_the_wire(run, conversation, on_bug=unexpected):
    async def story(world):
        parrot = Parrot()
        server = Server([grpc.handler(KV, parrot, on_bug), grpc.handler(WATCH, parrot, on_bug)])
        await server.start("10.0.0.254", 2379)
        channel = Channel("10.0.0.254", 2379)
        try:
            await conversation(channel)
        finally:
            channel.close()
            server.close()
            await server.wait_closed()

    run(story)


def test_a_unary_call_carries_request_and_reply(run):
    async def conversation(channel):
        reply = await grpc.call(channel, KV.methods_by_name["Range"])(pb.RangeRequest(limit=7))
        assert reply == pb.RangeResponse(count=7)

    over_the_wire(run, conversation)


def test_a_refusal_arrives_with_its_status_and_its_words(run):
    async def conversation(channel):
        with pytest.raises(GRPCError) as refusal:
            await grpc.call(channel, KV.methods_by_name["Range"])(pb.RangeRequest(key=b"forbidden"))
        assert (refusal.value.status, refusal.value.message) == (Status.OUT_OF_RANGE, "not that one")

    over_the_wire(run, conversation)


def test_a_method_the_implementation_lacks_is_unimplemented(run):
    async def conversation(channel):
        with pytest.raises(GRPCError) as refusal:
            await grpc.call(channel, KV.methods_by_name["Compact"])(pb.CompactionRequest())
        assert refusal.value.status is Status.UNIMPLEMENTED

    over_the_wire(run, conversation)


def test_a_streaming_call_answers_while_it_is_still_being_asked(run):
    async def conversation(channel):
        async with grpc.call(channel, WATCH.methods_by_name["Watch"]).open() as stream:
            for number in (3, 4):
                create = pb.WatchCreateRequest(watch_id=number)
                await stream.send_message(pb.WatchRequest(create_request=create))
                assert (await stream.recv_message()).watch_id == number
            await stream.end()

    over_the_wire(run, conversation)


def test_many_calls_share_one_connection_and_do_not_mix(run):
    async def conversation(channel):
        range_ = grpc.call(channel, KV.methods_by_name["Range"])
        replies = await asyncio.gather(*(range_(pb.RangeRequest(limit=number)) for number in range(50)))
        assert [reply.count for reply in replies] == list(range(50))

    over_the_wire(run, conversation)


def test_a_path_tells_both_message_types():
    assert grpc.message_types("/etcdserverpb.KV/Range") == (pb.RangeRequest, pb.RangeResponse)
    assert grpc.message_types("/etcdserverpb.Watch/Watch") == (pb.WatchRequest, pb.WatchResponse)


@pytest.mark.parametrize("path", ["/etcdserverpb.KV/Nothing", "/nobody.Nowhere/Range", "/", "", "Range", "/a/b/c"])
def test_a_path_of_no_service_tells_no_types(path):
    assert grpc.message_types(path) is None


def test_a_bug_in_a_handler_is_told_and_refusals_are_none(run):
    told = []

    async def conversation(channel):
        range_ = grpc.call(channel, KV.methods_by_name["Range"])
        for key, status in ((b"forbidden", Status.OUT_OF_RANGE), (b"broken", Status.UNKNOWN)):
            with pytest.raises(GRPCError) as raised:
                await range_(pb.RangeRequest(key=key))
            assert raised.value.status is status

    over_the_wire(run, conversation, told.append)
    assert [repr(bug) for bug in told] == ["KeyError('planted')"]
