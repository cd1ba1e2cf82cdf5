"""What `-v=6` and more make kubectl tell of its requests, on standard error.

    6    Config loaded from file:  /root/.kube/config
         GET https://10.0.0.1:6443/api/v1/namespaces/default/pods?limit=500 200 OK in 12 milliseconds
    7    GET https://…, Request Headers, Response Status: 200 OK in 12 milliseconds
    8    besides, Request Body, Response Headers, Response Body, the first BODY_CHARACTERS_MAX[8] of it
    9    curl -v -XGET … 'https://…' in place of the request, HTTP Statistics, more of the body

Modelled on client-go `transport/round_trippers.go`, `rest/request.go` and klog's lines, as of kubectl 1.32. Left out:
what kubectl logs of anything else, such as its feature gates; headers stand in the order of their names.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

REQUEST_LEVEL, HEADERS_LEVEL, BODY_LEVEL, CURL_LEVEL = 6, 7, 8, 9
BODY_CHARACTERS_MAX = {8: 1024, 9: 10240}
"""By level; beyond the last, all of it."""


class Sent(msgspec.Struct, frozen=True):
    """A request: the virtual time at which it was sent, and what it said."""

    at: float
    method: str
    url: str
    headers: Mapping[str, str]


class Trace(msgspec.Struct, frozen=True):
    """Writes klog's lines for a process at a level; nothing where the level asks for none."""

    level: int
    process: "Process"

    def config(self, path: str) -> str:
        """Tell which kubeconfig was read."""
        return self._lines([f"loader.go:402] Config loaded from file:  {path}"], REQUEST_LEVEL)

    def request(self, sent: Sent, body: bytes | None) -> str:
        """Tell of a request that is being sent."""
        shown = [name for name in sent.headers if not name.startswith("Kubectl-")]  # those are put on beneath the log
        names = sorted(shown, key=str.lower)
        lines = [f'helper.go:105] "Request Body" body={self._body(body or b"")}'] if self.level >= BODY_LEVEL else []
        if self.level >= CURL_LEVEL:
            headers = " ".join(f'-H "{_canonical(name)}: {sent.headers[name]}"' for name in names)
            lines.append(f"round_trippers.go:473] curl -v -X{sent.method}  {headers} '{sent.url}'")
        else:
            lines += [f"round_trippers.go:470] {sent.method} {sent.url}", "round_trippers.go:476] Request Headers:"]
            lines += [f"round_trippers.go:480]     {_canonical(name)}: {sent.headers[name]}" for name in names]
        return self._lines(lines, HEADERS_LEVEL)

    def answer(self, sent: Sent, status: int, headers: Mapping[str, str], body: bytes | None) -> str:
        """Tell of the answer that has just come; `body` is None where it is still to come."""
        milliseconds = f"{(asyncio.get_running_loop().time() - sent.at) * 1000:.0f}"
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
        took = f"{status} {phrase} in {milliseconds} milliseconds"
        lines = [f"round_trippers.go:560] {sent.method} {sent.url} {took}"]
        if HEADERS_LEVEL <= self.level < CURL_LEVEL:
            lines = [f"round_trippers.go:581] Response Status: {took}"]
        if self.level >= CURL_LEVEL:
            statistics = f"GetConnection 0 ms ServerProcessing {milliseconds} ms Duration {milliseconds} ms"
            lines.append(f"round_trippers.go:577] HTTP Statistics: {statistics}")
        if self.level >= BODY_LEVEL:
            lines.append("round_trippers.go:584] Response Headers:")
            lines += [f"round_trippers.go:587]     {_canonical(name)}: {headers[name]}" for name in sorted(headers)]
            if body is not None:
                lines.append(f'helper.go:105] "Response Body" body={self._body(body)}')
        return self._lines(lines, REQUEST_LEVEL)

    def _lines(self, lines: list[str], level: int) -> str:
        if self.level < level:
            return ""
        head = self._head("I")
        return "".join(f"{head}{line}\n" for line in lines)

    def note(self, text: str) -> str:
        """Tell, at whatever level."""
        return f"{self._head('I')}{text}\n"

    def warning(self, text: str) -> str:
        """Warn, at whatever level."""
        return f"{self._head('W')}{text}\n"

    def error(self, text: str) -> str:
        """Tell of an error, at whatever level."""
        return f"{self._head('E')}{text}\n"

    def _head(self, severity: str) -> str:
        now = self.process.now()
        return f"{severity}{now:%m%d %H:%M:%S}.{now.microsecond:06d} {self.process.pid:>7} "

    def _body(self, body: bytes) -> str:
        """Write a body as klog writes a value: in quotes, or as a block where it has several lines."""
        text = body.decode("utf-8", "replace")
        rest = len(text) - BODY_CHARACTERS_MAX.get(self.level, len(text))
        if rest > 0:
            text = f"{text[:-rest]} [truncated {rest} chars]"
        if "\n" not in text:
            return json.dumps(text, ensure_ascii=False)
        block = text.removesuffix("\n").replace("\n", "\n\t")
        return f"<\n\t{block}\n >"


def _canonical(name: str) -> str:
    """Write a header's name as Go does; secrets are the caller's not to hand here."""
    return "-".join(part.capitalize() for part in name.split("-"))
