"""kube-proxy's own two ports: 10256 says how it is, to anybody; 10249 what it counts, to its host only.

    GET :10256/healthz            200 while what it has heard is in the rules; 503 once its node is leaving
    GET 127.0.0.1:10249/metrics   Prometheus' text      /proxyMode  iptables      /healthz  ok

Modelled on `pkg/proxy/healthcheck/proxy_health.go` and `cmd/kube-proxy/app/server.go` (serveMetrics). Left out:
/configz, profiling.
"""

import asyncio
import contextlib
from collections.abc import Callable

REQUEST_SECONDS_MAX = 10.0
HEALTH_PORT, METRICS_PORT = 10256, 10249
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8; escaping=values"
OK, UNAVAILABLE = "200 OK", "503 Service Unavailable"

Answer = tuple[str, str, bytes]
"""Status, content type, body."""
NOT_FOUND: Answer = ("404 Not Found", TEXT, b"404 page not found\n")


async def serve(address: str, port: int, answers: Callable[[str], Answer | None]) -> asyncio.AbstractServer:
    """Answer requests for paths, one a connection; None is 404."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
            path = [*head.split(b" ", 2), b"", b""][1].partition(b"?")[0].decode("ascii", "replace")
            writer.write(_http(*(answers(path) or NOT_FOUND)))
            await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, address, port)


def _http(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
