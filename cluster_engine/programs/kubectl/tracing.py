"""What `-v=6` and more make kubectl tell of its requests, on standard error.

    6 and more    GET https://10.0.0.1:6443/api/v1/namespaces/default/pods?limit=500 200 OK in 12 milliseconds
    7 and more    Request Headers, one a line
    8 and more    Response Body, its first BODY_CHARACTERS_MAX characters

Modelled on client-go `transport/round_trippers.go` and klog's lines. In the real one the first line comes in two halves
from 7 on, and response headers from 8 on; both are left out, and so is what kubectl logs of anything else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

BODY_CHARACTERS_MAX = 1024
REQUEST_LEVEL, HEADERS_LEVEL, BODY_LEVEL = 6, 7, 8


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: the virtual time at which it was sent, and what it said."""

    at: float
    method: str
    url: str
    headers: Mapping[str, str]


def trace(level: int, sent: Sent, process: "Process", status: int, body: bytes | None) -> str:
    """Return the lines about a request that has just been answered; `body` is None where it is still to come."""
    if level < REQUEST_LEVEL:
        return ""
    now, seconds = process.now(), asyncio.get_running_loop().time() - sent.at
    head = f"I{now:%m%d %H:%M:%S}.{now.microsecond:06d} {process.pid:>7} "
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    lines = [f"round_trippers.go:560] {sent.method} {sent.url} {status} {phrase} in {seconds * 1000:.0f} milliseconds"]
    if level >= HEADERS_LEVEL:
        lines.append("round_trippers.go:476] Request Headers:")
        lines += [
            f"round_trippers.go:480]     {_canonical(name)}: {sent.headers[name]}" for name in sorted(sent.headers)
        ]
    if level >= BODY_LEVEL and body is not None:
        text = body.decode("utf-8", "replace")
        rest = len(text) - BODY_CHARACTERS_MAX
        told = text if rest <= 0 else f"{text[:BODY_CHARACTERS_MAX]} [truncated {rest} chars]"
        lines.append(f"request.go:1351] Response Body: {told}")
    return "".join(f"{head}{line}\n" for line in lines)


def _canonical(name: str) -> str:
    """Write a header's name as Go does; secrets are the caller's not to hand here."""
    return "-".join(part.capitalize() for part in name.split("-"))
