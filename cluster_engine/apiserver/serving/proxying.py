"""Passing a request on to another server and its answer back: what every proxy in a cluster does.

    answer = await ask(url, method=request.method, headers=headers_of(request), content=await request.read())
    return response_of(answer)                      a body as it comes; after 101 the connection, both ways

The API server passes on to kubelets and pods, a kubelet to its container runtime, `kubectl proxy` to the API server.
Modelled on net/http/httputil's ReverseProxy and apimachinery/pkg/util/proxy.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Protocol

from cluster_engine.apiserver.serving.exchange import Request, Response, Writer
from cluster_engine.streaming.dialling import HOP_BY_HOP, Answer
from cluster_engine.streaming.duplex import Duplex, splice

SWITCHING_PROTOCOLS = 101
BACKLOG_BYTES_MAX = 1024 * 1024
NOT_PASSED_ON = HOP_BY_HOP | {"host", "content-length", "upgrade"}
NOT_PASSED_BACK = HOP_BY_HOP | {"content-length", "content-type", "date", "upgrade"}


class Streamed(Protocol):
    """Another server's answer whose body is still arriving. Header names are lower case."""

    status: int
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str:
        """Return a header's value, "" where there is none."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes."""

    async def close(self) -> None:
        """Want no more of it."""


def headers_of(request: Request, without: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return a request's headers as they are passed on: nothing about the connection, but for upgrades."""
    dropped = NOT_PASSED_ON.union(without)
    headers = [
        (name, value)
        for name, values in request.headers.items()
        if name not in dropped and not name.startswith(":")
        for value in values
    ]
    if request.asks_for_upgrade:
        headers += [("Connection", "Upgrade"), ("Upgrade", request.header("upgrade"))]
    return headers


def response_of(answer: Answer) -> Response:
    """Pass an answer on, or the connection that it has become."""
    if answer.status == SWITCHING_PROTOCOLS:

        async def carry(client: Duplex) -> None:
            await splice(client, answer.duplex)

        return Response(SWITCHING_PROTOCOLS, "", headers=tuple(answer.headers), upgrade=carry)
    return streamed(answer)


def streamed(answer: Streamed) -> Response:
    """Pass an answer on, its body as it comes."""
    headers = tuple((name, value) for name, value in answer.headers if name not in NOT_PASSED_BACK)
    return Response(answer.status, answer.header("content-type"), headers=headers, stream=body_of(answer))


def body_of(answer: Streamed) -> Callable[[Writer], Awaitable[None]]:
    """Make a body of another server's answer, as it comes; who reads slowly slows the other server down."""

    async def pass_on(writer: Writer) -> None:
        try:
            async for chunk in answer.chunks():
                writer.write(chunk)
                if writer.backlog > BACKLOG_BYTES_MAX:
                    await writer.drain()
        finally:
            await answer.close()

    return pass_on
