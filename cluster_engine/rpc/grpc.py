"""gRPC without generated stubs: services, calls and the lens all read the same protobuf descriptors.

A gRPC call is one HTTP/2 request, `POST /<package>.<Service>/<Method>`, whose body is messages with five bytes before
each (one flag, four of length), and whose outcome stands in the trailers (`grpc-status`). grpclib speaks that on any
asyncio loop. What a method takes and gives stands in the compiled `*.proto`; this module reads it there, so there is no
second list to keep.

    etcd_pb2.DESCRIPTOR.services_by_name["KV"]      the description of a service
    handler(description, implementation, crash)     serves it: implementation.Range(request) -> reply
    call(channel, description.methods_by_name["Range"])   calls it: await range_(request) -> reply
    message_types("/etcdserverpb.KV/Range")         (RangeRequest, RangeResponse), for who only sees bytes

Modelled on the stubs that grpclib's protoc plug-in writes. Left out: compression, reflection, health checking.
"""

import functools
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpclib import client, server
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

import cluster_engine.rpc

CLIENT_METHODS: Mapping[Cardinality, type[client.ServiceMethod[Any, Any]]] = {
    Cardinality.UNARY_UNARY: client.UnaryUnaryMethod,
    Cardinality.UNARY_STREAM: client.UnaryStreamMethod,
    Cardinality.STREAM_UNARY: client.StreamUnaryMethod,
    Cardinality.STREAM_STREAM: client.StreamStreamMethod,
}


OnBug = Callable[[Exception], None]


class Service:
    """A service ready to be given to `grpclib.server.Server`."""

    def __init__(self, mapping: Mapping[str, Handler]) -> None:
        self._mapping = mapping

    def __mapping__(self) -> Mapping[str, Handler]:
        return self._mapping


class Call(Protocol):
    """A method of a remote service: called with a message when unary, opened when it streams."""

    async def __call__(self, message: Any, /, *, timeout: float | None = None) -> Any:
        """Send the message, or the list of them, and give what came back."""

    def open(
        self, *, timeout: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> client.Stream[Any, Any]:
        """Prepare the call as an async context manager; nothing is sent before it is entered."""


def handler(service: ServiceDescriptor, implementation: object, on_bug: OnBug) -> Service:
    """Serve `service` by the methods of `implementation` that are named like its RPCs.

    Unary ones are `async def Range(self, request) -> reply`; all others take grpclib's server stream.
    An RPC that `implementation` lacks is answered UNIMPLEMENTED. `on_bug` is called with what is raised and is neither
    a status, nor an end of the stream, nor a network's error: grpc-go recovers no panic, so the server dies of it.
    """
    mapping = {}
    for method in service.methods:
        function = getattr(implementation, method.name, None)
        cardinality = _cardinality(method)
        if function is None:
            function = unimplemented(f"unknown method {method.name} for service {service.full_name}")
        elif cardinality is Cardinality.UNARY_UNARY:
            function = _unary(function)
        mapping[path(method)] = Handler(_guarded(function, on_bug), cardinality, *_types(method))
    return Service(mapping)


def unimplemented(text: str) -> Callable[[server.Stream[Any, Any]], Awaitable[None]]:
    """Make the function of a method that there is not; `text` is told to the client."""

    async def refuse(stream: server.Stream[Any, Any]) -> None:
        raise GRPCError(Status.UNIMPLEMENTED, text)

    return refuse


def call(channel: client.Channel, method: MethodDescriptor) -> Call:
    """Make the callable that calls `method` over `channel`; cheap to keep, so make it once."""
    return CLIENT_METHODS[_cardinality(method)](channel, path(method), *_types(method))  # type: ignore[return-value]


def path(method: MethodDescriptor) -> str:
    """Name a method as HTTP/2 does: "/etcdserverpb.KV/Range"."""
    return f"/{method.containing_service.full_name}/{method.name}"


@functools.lru_cache(maxsize=256)
def message_types(path: str) -> tuple[type[Message], type[Message]] | None:
    """Tell the request's and the reply's message class of a `:path`, or None where no service of ours has it."""
    compiled()
    _, _, rest = path.partition("/")
    service_name, _, method_name = rest.partition("/")
    try:
        service = descriptor_pool.Default().FindServiceByName(service_name)
        return _types(service.methods_by_name[method_name])
    except KeyError:
        return None


@functools.cache
def compiled() -> None:
    """Import every compiled `*.proto` of this package, so that the descriptor pool knows all services."""
    for module in pkgutil.iter_modules(cluster_engine.rpc.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{cluster_engine.rpc.__name__}.{module.name}")


def _cardinality(method: MethodDescriptor) -> Cardinality:
    streaming = (method.client_streaming, method.server_streaming)
    return next(cardinality for cardinality in Cardinality if cardinality.value == streaming)


def _types(method: MethodDescriptor) -> tuple[type[Message], type[Message]]:
    return GetMessageClass(method.input_type), GetMessageClass(method.output_type)


def _unary(function: Callable[[Any], Awaitable[Message]]) -> Callable[[server.Stream[Any, Any]], Awaitable[None]]:
    async def serve(stream: server.Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        if request is None:
            raise GRPCError(Status.INTERNAL, "grpc: the client sent no message")
        await stream.send_message(await function(request))

    return serve


def _guarded(
    function: Callable[[server.Stream[Any, Any]], Awaitable[None]], on_bug: OnBug
) -> Callable[[server.Stream[Any, Any]], Awaitable[None]]:
    """Refuse, as grpc-go does, bytes that are no message of the method's type; tell of bugs."""

    async def serve(stream: server.Stream[Any, Any]) -> None:
        try:
            await function(stream)
        except DecodeError as error:
            raise GRPCError(Status.INTERNAL, f"grpc: failed to unmarshal the received message: {error}") from error
        except (GRPCError, StreamTerminatedError, ProtocolError, OSError):
            raise
        except Exception as bug:
            on_bug(bug)
            raise

    return serve
