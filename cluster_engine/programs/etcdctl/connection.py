"""etcdctl's way to etcd: which endpoints, with which certificates, and calls that try until a deadline.

Theory of operation. grpc-go connects by itself, again and again, 1, 1.6, 2.56 … seconds apart; a call waits for a
connection until the command's deadline (--command-timeout, 5 s) and then says what the last attempt failed of. A
connection counts once the server has answered: TLS 1.3 lets a client without certificate believe that it is connected.

    127.0.0.1:2379           TLS if --cacert, --cert or --key is given
    https://10.0.0.1:2379    TLS in any case
    http://10.0.0.1:2379     none

Modelled on etcdctl/ctlv3/command/global.go and client/v3 (3.5.16). Left out: discovery by SRV records, users and
passwords, balancing (the first endpoint that answers is used).
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from grpclib.client import Stream
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.protocol import H2Protocol
from h2.exceptions import StreamClosedError

from cluster_engine.programs.etcdctl.failures import BAD_ARGUMENTS, FailedError
from cluster_engine.programs.invocation import Invocation
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc.endpoints import Channel
from cluster_engine.rpc.grpc import Call, call
from cluster_engine.world.tls import client_tls

PORT = 2379
BACKOFF_SECONDS, BACKOFF_FACTOR = 1.0, 1.6
CLIENT = "v3@v3.5.16"
TIMED_OUT = "context deadline exceeded"
_ALERTS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "certificate required",
    "TLSV1_ALERT_UNKNOWN_CA": "unknown certificate authority",
    "SSLV3_ALERT_BAD_CERTIFICATE": "bad certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "expired certificate",
}
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


class Settings(msgspec.Struct, frozen=True):
    """Where etcd is, and who asks. `tls` None: no TLS, unless an endpoint asks for it."""

    endpoints: Sequence[str]
    tls: ssl.SSLContext | None
    timeout_seconds: float


class _Telling(Channel):
    """A channel that knows why its last connection ended."""

    why: BaseException | None = None

    def _protocol_factory(self) -> H2Protocol:
        made = super()._protocol_factory()
        lost = made.connection_lost

        def remember(error: BaseException | None) -> None:
            self.why = error
            lost(error)

        made.connection_lost = remember  # type: ignore[method-assign, assignment]
        return made


class Etcd:
    """One endpoint; connections are opened when needed. Must be closed."""

    def __init__(self, invocation: Invocation, settings: Settings, endpoint: str) -> None:
        self.endpoint = endpoint
        self._invocation = invocation
        self._timeout_seconds = settings.timeout_seconds
        host, port, tls = _address(endpoint, settings.tls)
        self._where = f"{host}:{port}"
        self._channel = _Telling(host, port, ssl=tls)
        self._has_answered = False
        self._target = f"etcd-endpoints://0xc000{invocation.process.rng.getrandbits(24) & ~0xFFF:06x}/{endpoint}"

    async def call(self, service: str, method: str, request: Any) -> Any:
        """Call a method that takes one message and gives one. FailedError with etcd's own words, or at the deadline."""
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        remote = self._method(service, method)
        trouble = ""
        pause = BACKOFF_SECONDS
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        # grpclib cancels whoever waits for a connection that is lost, which a deadline must not count
                        answer = await asyncio.create_task(self._once(remote, request))
                    except (OSError, ssl.SSLError, StreamTerminatedError) as error:
                        trouble = self._trouble(error)
                        await asyncio.sleep(pause)
                        pause *= BACKOFF_FACTOR
                    else:
                        return answer
        except TimeoutError as error:
            latest = f' desc = latest balancer error: last connection error: connection error: desc = "{trouble}"'
            self._warn(f"rpc error: code = DeadlineExceeded{latest if trouble else f' desc = {TIMED_OUT}'}")
            raise FailedError(TIMED_OUT) from error
        except GRPCError as error:
            name = "".join(word.title() for word in error.status.name.split("_"))
            self._warn(f"rpc error: code = {name} desc = {error.message}")
            raise FailedError(error.message or name) from error

    async def _once(self, remote: Call, request: Any) -> Any:
        answer = await remote(request)
        self._has_answered = True
        return answer

    @contextlib.asynccontextmanager
    async def stream(self, service: str, method: str) -> AsyncIterator[Stream[Any, Any]]:
        """Open a method that streams. FailedError where etcd cannot be reached in time, or says no on the way."""
        await self.call("Maintenance", "Status", pb.StatusRequest()) if not self._has_answered else None
        try:
            async with self._method(service, method).open() as stream:
                try:
                    yield stream
                finally:
                    with contextlib.suppress(StreamTerminatedError, StreamClosedError):
                        await stream.cancel()
        except GRPCError as error:
            raise FailedError(error.message or error.status.name) from error
        except (StreamTerminatedError, ConnectionError) as error:
            raise FailedError(f"rpc error: code = Unavailable desc = {self._trouble(error)}") from error

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    def log(self, level: str, caller: str, message: str, *, logger: str = "etcd-client", **fields: Any) -> None:
        """Write a line of the client's own log to standard error, as zap does."""
        now = self._invocation.process.now()
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        by = {"logger": logger} if logger else {}
        line = {"level": level, "ts": stamp, **by, "caller": caller, "msg": message, **fields}
        self._invocation.err(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")

    def _warn(self, error: str) -> None:
        message = "retrying of unary invoker failed"
        caller = f"{CLIENT}/retry_interceptor.go:63"
        self.log("warn", caller, message, target=self._target, attempt=0, error=error)

    def _method(self, service: str, method: str) -> Call:
        return call(self._channel, pb.DESCRIPTOR.services_by_name[service].methods_by_name[method])

    def _trouble(self, error: BaseException) -> str:
        """Say as grpc-go why there is no connection."""
        if isinstance(error, StreamTerminatedError):
            return f"error reading server preface: {_as_go_says(self._channel.why)}"
        if isinstance(error, ssl.SSLCertVerificationError):
            unknown = error.verify_code in _UNKNOWN_AUTHORITY
            why = "certificate signed by unknown authority" if unknown else error.verify_message
            return f"transport: authentication handshake failed: tls: failed to verify certificate: x509: {why}"
        if isinstance(error, ssl.SSLError):
            return f"transport: authentication handshake failed: {_as_go_says(error)}"
        if isinstance(error, ConnectionRefusedError):
            return f"transport: Error while dialing: dial tcp {self._where}: connect: connection refused"
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        return f"transport: Error while dialing: dial tcp {self._where}: {why}"


def _as_go_says(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        return f"remote error: tls: {_ALERTS.get(reason, reason.lower().replace('_', ' '))}"
    return "EOF" if error is None else "read: connection reset by peer"


def _address(endpoint: str, tls: ssl.SSLContext | None) -> tuple[str, int, ssl.SSLContext | None]:
    scheme, separator, rest = endpoint.rpartition("://")
    if separator and scheme == "https" and tls is None:
        tls = client_tls(ca=b"", alpn=("h2",))
    elif separator and scheme == "http":
        tls = None
    host, colon, port = rest.split("/")[0].rpartition(":")
    if not colon:
        host, port = rest, str(PORT)
    if not (port.isascii() and port.isdigit() and 0 < len(port) <= 5 and int(port) < 65536) or not host:
        raise FailedError(f"invalid endpoint {endpoint}", BAD_ARGUMENTS)
    return host, int(port), tls
