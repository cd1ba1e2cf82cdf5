"""One question of a probe: a request, a connection, a call or a command, and what is wrong with the answer.

    httpGet      GET with User-Agent kube-probe/1.32; 200 … 399 is well; redirects are followed on the same host
    tcpSocket    a connection that is opened, and closed
    grpc         grpc.health.v1.Health/Check
    exec         ExecSync: exit code 0 is well

What is not well raises `ProbeFailure`, in the words of the real kubelet, which are Go's. A probe that could not be
asked at all (no such program) raises `ProbeError`, and counts as nothing.

Modelled on pkg/probe and pkg/kubelet/prober/prober.go.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import h11
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from cluster_engine.api.objects import Object
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.streaming import lookup_errors

USER_AGENT = "kube-probe/1.32"
REDIRECTS_MAX = 10
HOOK_SECONDS = 30
BODY_BYTES_MAX = 10 * 1024
ANSWER_BYTES_MAX = 64 * 1024
OUTPUT_BYTES_MAX = 10 * 1024
DEADLINE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"
STATES = {b"": "UNKNOWN", b"\x08\x00": "UNKNOWN", b"\x08\x02": "NOT_SERVING", b"\x08\x03": "SERVICE_UNKNOWN"}
_HOP = frozenset({"host", "user-agent", "accept", "connection"})


class ProbeFailure(Exception):  # noqa: N818
    """Something is not well."""


class ProbeError(Exception):
    """The probe could not be asked."""


async def ask(probe: Object, container: Object, id_: str, ip: str, runtime: Runtime) -> None:
    """Ask once. ProbeFailure, ProbeError."""
    seconds = probe.get("timeoutSeconds") or 1
    if "exec" in probe:
        await _execute(runtime, id_, list(probe["exec"].get("command") or []), seconds)
        return
    action = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc") or {}
    port = _port(container, action.get("port"))
    host = str(action.get("host") or ip)
    if "httpGet" in probe:
        await _get(action, host, port, seconds)
    elif "grpc" in probe:
        await _check(host, port, str(action.get("service") or ""), seconds)
    else:
        try:
            async with asyncio.timeout(seconds), _connection(host, port):
                pass
        except (OSError, TimeoutError) as error:
            raise ProbeFailure(_dialled(host, port, error)) from error


async def http_hook(action: Object, container: Object, ip: str) -> None:
    """Send the request of a lifecycle hook. ProbeFailure, ProbeError."""
    port = _port(container, action.get("port") or 80)
    await _get(action, str(action.get("host") or ip), port, HOOK_SECONDS)


def _port(container: Object, port: object) -> int:
    """Return a port's number; ProbeError for a name that no port of the container has."""
    named = {entry.get("name"): entry["containerPort"] for entry in container.get("ports") or []}
    number = named.get(port, port)
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if not isinstance(number, int) or not 0 < number < 65536:
        raise ProbeError(f"invalid port number: {port}" if isinstance(port, int) else f'couldn\'t find port: "{port}"')
    return number


# -- exec --------------------------------------------------------------------------------------------------------------


async def _execute(runtime: Runtime, id_: str, command: list[str], seconds: int) -> None:
    try:
        answer = await runtime.execute(id_, command, seconds)
    except RuntimeRefusal as refusal:
        if refusal.code == "DeadlineExceeded":
            raise ProbeFailure(f'command "{" ".join(command)}" timed out') from refusal
        raise ProbeError(str(refusal)) from refusal
    if answer.exit_code:
        raise ProbeFailure((answer.stdout + answer.stderr)[:OUTPUT_BYTES_MAX].decode("utf-8", "replace"))


# -- connections -------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _connection(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.close()


def _dialled(host: str, port: int, error: Exception) -> str:
    """Say why there is no connection, as Go does."""
    if isinstance(error, socket.gaierror):
        return lookup_errors.in_words(host, error)
    if isinstance(error, OSError) and error.strerror and not isinstance(error, TimeoutError):
        return f"dial tcp {host}:{port}: connect: {error.strerror.lower()}"
    return f"dial tcp {host}:{port}: i/o timeout"


# -- HTTP --------------------------------------------------------------------------------------------------------------


async def _get(action: Object, host: str, port: int, seconds: int) -> None:
    scheme = str(action.get("scheme") or "HTTP").lower()
    url = urljoin(f"{scheme}://{host}:{port}/", str(action.get("path") or "/").strip())
    headers = {str(one["name"]): str(one.get("value") or "") for one in action.get("httpHeaders") or []}
    try:
        async with asyncio.timeout(seconds):
            status = await _followed(url, headers)
    except TimeoutError:
        raise ProbeFailure(f'Get "{url}": {DEADLINE}') from None
    except ssl.SSLError as error:
        raise ProbeFailure(f'Get "{url}": http: server gave HTTP response to HTTPS client') from error
    except (ConnectionResetError, EOFError) as error:
        raise ProbeFailure(f'Get "{url}": EOF') from error
    except OSError as error:
        raise ProbeFailure(f'Get "{url}": {_dialled(host, port, error)}') from error
    except h11.ProtocolError as problem:
        raise ProbeFailure(f'Get "{url}": net/http: HTTP/1.x transport connection broken: {problem}') from problem
    if not 200 <= status < 400:
        raise ProbeFailure(f"HTTP probe failed with statuscode: {status}")


async def _followed(url: str, headers: Mapping[str, str]) -> int:
    """Return the status at the end of the redirects; one that leads to another host is the end (and well)."""
    for _ in range(REDIRECTS_MAX):
        status, location = await _one_request(url, headers)
        target = urljoin(url, location)
        is_redirect = status in (301, 302, 303, 307, 308) and bool(location)
        if not is_redirect or urlsplit(target).hostname != urlsplit(url).hostname:
            return status
        url = target
    raise ProbeFailure(f'Get "{url}": stopped after {REDIRECTS_MAX} redirects')


async def _one_request(url: str, said: Mapping[str, str]) -> tuple[int, str]:
    """Send a GET; return status and Location."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    own = {"host": parts.netloc, "user-agent": USER_AGENT, "accept": "*/*", "connection": "close"}
    given = {name.lower(): value for name, value in said.items()}
    names = {"host": "Host", "user-agent": "User-Agent", "accept": "Accept", "connection": "Connection"}
    headers = [(names[name], given.get(name, value)) for name, value in own.items() if given.get(name, value)]
    headers += [(name, value) for name, value in said.items() if name.lower() not in _HOP]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=ANSWER_BYTES_MAX)
    async with _connection(host, port, _insecure() if parts.scheme == "https" else None) as (reader, writer):
        writer.write(http.send(h11.Request(method="GET", target=target, headers=headers)) or b"")
        writer.write(http.send(h11.EndOfMessage()) or b"")
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                piece = await reader.read(ANSWER_BYTES_MAX)
                if not piece and http.their_state is h11.SEND_RESPONSE:
                    raise EOFError
                http.receive_data(piece)
            elif isinstance(event, h11.Response):
                return event.status_code, _header(event, b"location")
            elif not isinstance(event, h11.InformationalResponse):
                raise EOFError


def _header(response: h11.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for found, value in response.headers if found == name), "")


def _insecure() -> ssl.SSLContext:
    """Return what the kubelet probes HTTPS with: it does not look whose certificate it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# -- gRPC --------------------------------------------------------------------------------------------------------------


class _Bytes(CodecBase):
    """Messages as they are on the wire: the health protocol's have one field."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        return data


async def _check(host: str, port: int, service: str, seconds: int) -> None:
    channel = Channel(host, port, codec=_Bytes())
    name = service.encode()[:127]
    request = b"\n%c%s" % (len(name), name) if name else b""
    try:
        answer = await UnaryUnaryMethod[bytes, bytes](channel, HEALTH_CHECK, bytes, bytes)(request, timeout=seconds)
    except GRPCError as error:
        if error.status.name == "UNIMPLEMENTED":
            why = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)"
        else:
            why = (
                f"error: health rpc probe failed: rpc error: code = {error.status.name.title()} desc = {error.message}"
            )
        raise ProbeFailure(why) from error
    except (TimeoutError, OSError, StreamTerminatedError, ProtocolError) as error:
        why = f'timeout: failed to connect service "{host}:{port}" within {seconds}s: context deadline exceeded'
        raise ProbeFailure(why) from error
    finally:
        channel.close()
    if answer != SERVING:
        raise ProbeFailure(f'service unhealthy (responded with "{STATES.get(answer, "UNKNOWN")}")')
