"""A port that answers a few paths, a connection each: what small servers tell of themselves, in plain HTTP/1.1.

    await serve("127.0.0.1", 10249, answers)      answers("/metrics") -> ("200 OK", PROMETHEUS, b"…"), or None: 404

`answers` gets the path with its query, and may take its time. Left out: methods, bodies, kept connections.
"""

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from cluster_engine.metrics.registry import TEXT_TYPE

REQUEST_SECONDS_MAX = 10.0
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
PROMETHEUS = f"{TEXT_TYPE}; escaping=values"
OK, UNAVAILABLE = "200 OK", "503 Service Unavailable"

Answer = tuple[str, str, bytes]
"""Status, content type, body."""
Answers = Callable[[str], Answer | Awaitable[Answer | None] | None]
NOT_FOUND: Answer = ("404 Not Found", TEXT, b"404 page not found\n")


async def serve(address: str, port: int, answers: Answers, tls: Any = None) -> asyncio.AbstractServer:
    """Answer requests for paths on a port, over TLS where that is given."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_one(reader, writer, answers)

    return await asyncio.start_server(answer, address, port, ssl=tls)


async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
    """Answer one request of a connection, and close it."""
    with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(REQUEST_SECONDS_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
            target = [*head.split(b" ", 2), b"", b""][1].decode("ascii", "replace")
            found = answers(target)
            if inspect.isawaitable(found):
                found = await found
        writer.write(_http(*(found or NOT_FOUND)))
        await writer.drain()
    writer.close()


def _http(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
