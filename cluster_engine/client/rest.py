"""A client of the API server: one HTTP request a call, one stream a watch.

Theory of operation. Modelled on client-go's `rest`: a client is made from a kubeconfig and says who one is in one of
two ways, by the certificate of the TLS connection or by a bearer token in each request's header. The server's
authenticators take the certificate first; so `with_token` speaks over connections that show none, all such clients of
one kubeconfig over the same ones. (That is why a real controller-manager, with a service account for each controller,
has three connections.)

    client = Client.from_kubeconfig(process, "/etc/kubernetes/scheduler.conf", user_agent="kube-scheduler")
    node = await client.get(NODE, "worker-1")                     # GET /api/v1/nodes/worker-1
    async with client.watch(POD, resource_version="7") as events:  # GET /api/v1/pods?watch=true&…
        async for type_, pod in events:                           # "ADDED", {…}

Answers that are failures raise `Refusal` with the server's Status. Network trouble is ConnectionError or TimeoutError.
An answer with `Retry-After` (429 and 5xx) is waited for and asked again, up to RETRIES_MAX times; a GET whose
connection broke likewise, after one second (`rest/with_retry.go`).

Each client has a limit of its own to what it sends (`rate_limits`), None where nothing limits it (client-go: a QPS of
-1); one that is derived from another has a bucket of its own, as each clientset of a real component.

A client may have a time for each request (`timeout_seconds`, Go's http.Client.Timeout), its answer's body included.

Left out: protobuf, gzip.
"""

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from cluster_engine.api.objects import Object
from cluster_engine.api.patches import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Refusal
from cluster_engine.api.strconv import int_of
from cluster_engine.client import kubeconfig
from cluster_engine.client.http1 import Http1Transport
from cluster_engine.client.http2 import Headers
from cluster_engine.client.kubeconfig import KubeConfig, KubeConfigError
from cluster_engine.client.rate_limits import Limit, ThrottleLog, TokenBucket
from cluster_engine.client.transport import Answering, Transport
from cluster_engine.client.unexplained import unexplained
from cluster_engine.metrics.registry import Counter, Histogram, Registry
from cluster_engine.streaming import dialling
from cluster_engine.streaming.dialling import Answer
from cluster_engine.world.tls import client_tls

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

RETRIES_MAX = 10
REQUEST_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
RETRY_BROKEN_GET_SECONDS = 1
WATCH_LINE_BYTES_MAX = 16 << 20
AWAITING_CONNECTION = "net/http: request canceled while waiting for connection"
AWAITING_HEADERS = "context deadline exceeded"
READING_BODY = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
"""What net/http says when a client's time is up: in Go 1.23, the first two by chance either way."""

JSON = "application/json"
PATCH_TYPES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_MERGE_PATCH}

WatchEvent = tuple[str, Object]
Token = str | Callable[[], Awaitable[str]]
Params = Mapping[str, str | int | bool | None]


class Response(msgspec.Struct, frozen=True):
    """An answer, whole. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return msgspec.json.decode(self.body)


class Incoming(msgspec.Struct, frozen=True):
    """An answer whose body is still arriving."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


class Forwarded:
    """An answer to somebody else's request, to be passed on. Header names are lower case, and may come twice."""

    def __init__(self, stream: Answering, headers: Headers) -> None:
        self._stream = stream
        decoded = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        self.status = int(dict(decoded)[":status"])
        self.headers = [(name, value) for name, value in decoded if not name.startswith(":")]

    def header(self, name: str) -> str:
        """Return a header's value, "" where there is none."""
        return dict(self.headers).get(name, "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes; it ends early when the server goes away."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async for chunk in _chunks(self._stream):
                yield chunk

    async def close(self) -> None:
        """Leave the stream; the connection stays for the others."""
        self._stream.close()


class Client:
    """Requests of one identity to one API server. Cheap to derive (`with_token`); connections are shared."""

    def __init__(self, config: KubeConfig, process: "Process", user_agent: str, *, limit: Limit | None = None) -> None:
        self.config = config
        self.process = process
        self.user_agent = user_agent
        self.impersonation: tuple[tuple[str, str], ...] = ()
        """Headers that are sent with each request, by which it is served as somebody else's."""
        self.timeout_seconds: float | None = None
        self._token: Token | None = config.token
        self._transports: dict[bool, Transport | Http1Transport] = {}
        self._counts: tuple[Counter, Histogram] | None = None
        self._shows_certificate = config.certificate is not None
        self._limit = limit
        self._bucket = None if limit is None else TokenBucket(limit)
        self.throttle_log = ThrottleLog(functools.partial(process.note, "client.throttled"))

    @classmethod
    def from_kubeconfig(
        cls,
        process: "Process",
        path: str,
        *,
        user_agent: str,
        limit: Limit | None = None,
        overrides: kubeconfig.Overrides = kubeconfig.Overrides(),  # noqa: B008, frozen
    ) -> "Client":
        """Make a client of what the file says; nothing is dialled yet. FileNotFoundError, KubeConfigError.

        Of a token and a certificate both are shown, and API servers look at the certificate first.
        """
        client = cls(kubeconfig.load(process.files, path, overrides), process, user_agent, limit=limit)
        if client.config.scheme == "https":
            client._transport()  # a certificate or key that cannot be used is found now
        return client

    def with_token(self, token: Token, *, user_agent: str | None = None) -> "Client":
        """Speak as the token's owner, without the certificate. `token` may be a coroutine function, asked each time."""
        other = self._derive(user_agent or self.user_agent, self._limit)
        other._token, other._shows_certificate = token, False
        return other

    def with_user_agent(self, user_agent: str) -> "Client":
        """Be the same identity under another User-Agent, over the same connections."""
        return self._derive(user_agent, self._limit)

    def with_limit(self, limit: Limit | None) -> "Client":
        """Be the same, held to another limit."""
        return self._derive(self.user_agent, limit)

    def _derive(self, user_agent: str, limit: Limit | None) -> "Client":
        other = Client(self.config, self.process, user_agent, limit=limit)
        other._token, other._transports, other.throttle_log = self._token, self._transports, self.throttle_log
        other._shows_certificate, other.impersonation = self._shows_certificate, self.impersonation
        other.timeout_seconds = self.timeout_seconds
        return other

    def show(self, config: KubeConfig) -> None:
        """Show another certificate from now on, as do all clients that share connections with this one.

        Connections that are open are closed, and what runs over them breaks off (client-go's certificate rotation).
        """
        self.config, old = config, self._transports.pop(True, None)
        self._transport()
        if old is not None:
            old.close()

    # -- verbs -----------------------------------------------------------------------------------------------------

    async def get(
        self, kind: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Object:
        """Read one object."""
        return await self._call("GET", kind.path(namespace, name, subresource))

    async def list(self, kind: Resource, namespace: str | None = None, **params: str | int | bool | None) -> Object:
        """Read a collection (`limit`, `resourceVersion`, `labelSelector` … as on the wire); items carry their kind."""
        listed = await self._call("GET", kind.path(namespace), params=params)
        for item in listed["items"]:
            item.setdefault("kind", kind.name)
            item.setdefault("apiVersion", kind.api_version)
        return listed

    async def create(
        self,
        kind: Resource,
        obj: Object,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        name: str | None = None,
    ) -> Object:
        """POST to a collection, or to a subresource of the named object."""
        namespace = namespace or obj.get("metadata", {}).get("namespace")
        return await self._call("POST", kind.path(namespace, name, subresource), obj)

    async def update(self, kind: Resource, obj: Object, subresource: str | None = None) -> Object:
        """PUT an object back; its resourceVersion, if there, must still be current (Conflict)."""
        metadata = obj["metadata"]
        return await self._call("PUT", kind.path(metadata.get("namespace"), metadata["name"], subresource), obj)

    async def patch(
        self,
        kind: Resource,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        type: Literal["strategic", "merge", "json"] = "strategic",  # noqa: A002, Kubernetes' word
        subresource: str | None = None,
    ) -> Object:
        """PATCH an object with one of the three client-side patch types."""
        return await self._call("PATCH", kind.path(namespace, name, subresource), patch, content_type=PATCH_TYPES[type])

    async def delete(
        self, kind: Resource, name: str, namespace: str | None = None, *, options: Object | None = None
    ) -> Object:
        """DELETE; `options` is a DeleteOptions. Gives the Status or the object on its way out."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **options} if options else None
        return await self._call("DELETE", kind.path(namespace, name), body)

    async def delete_collection(
        self, kind: Resource, namespace: str | None = None, *, options: Object | None = None
    ) -> Object:
        """DELETE every object of a collection."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **(options or {})}
        return await self._call("DELETE", kind.path(namespace), body)

    @contextlib.asynccontextmanager
    async def watch(
        self,
        kind: Resource,
        namespace: str | None = None,
        *,
        resource_version: str | None,
        **params: str | int | bool | None,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """Follow a collection from a version. An ERROR event raises its Refusal (410 Expired among them)."""
        query = {"allowWatchBookmarks": True, "resourceVersion": resource_version, **params, "watch": True}
        async with self.stream("GET", kind.path(namespace), params=query) as incoming:
            if incoming.status != 200:
                raise refusal_of(incoming.status, b"".join([chunk async for chunk in incoming.chunks]))
            yield _events(incoming.chunks, self.process, kind.plural)

    # -- plain requests --------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request and read the whole answer, whatever its status; waits out Retry-After."""
        for attempt in range(RETRIES_MAX + 1):
            last = attempt == RETRIES_MAX
            await self._throttle(method, path, params)
            try:
                response = await self._once(method, path, params, body, headers)
            except (ConnectionResetError, BrokenPipeError):
                if method != "GET" or last:
                    raise
                await asyncio.sleep(RETRY_BROKEN_GET_SECONDS)
                continue
            wait = _retry_after_seconds(response)
            if wait is None or last:
                return response
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Incoming]:
        """Send a request once, read the answer as it arrives (a watch, a log). Leaving the block resets the stream."""
        if not (params and params.get("watch")):
            await self._throttle(method, path, params)
        stream = await self._open(method, path, params, body, (headers or {}).items())
        try:
            status, answered = _split(await stream.headers())
            yield Incoming(status, answered, _chunks(stream))
        finally:
            stream.close()

    async def forward(
        self, path: str, *, method: str = "GET", headers: Iterable[tuple[str, str]] = (), content: bytes = b""
    ) -> "Forwarded":
        """Send somebody else's request as one's own, a stream among the others. ConnectionError, TimeoutError."""
        stream = await self._open(method, path, None, content or None, headers)
        return Forwarded(stream, await stream.headers())

    async def ask(
        self, path: str, *, method: str = "GET", headers: Iterable[tuple[str, str]] = (), content: bytes = b""
    ) -> Answer:
        """Ask by HTTP/1.1, on a connection of its own, which may become another protocol's. DialError."""
        sent = [*headers, *self.impersonation]
        if self._token is not None or self.config.token_file:
            sent.append(("Authorization", f"Bearer {await self._bearer()}"))
        secure = self.config.scheme == "https"
        return await dialling.ask(
            f"{self.config.url}{path}",
            method=method,
            headers=sent,
            content=content,
            tls=_tls(self.config, alpn=("http/1.1",)) if secure else None,
            server_name=self.config.server_name if secure else None,
        )

    async def aclose(self) -> None:
        """Close the connections, also those of clients derived from this one."""
        for transport in self._transports.values():
            transport.close()

    async def _call(
        self, method: str, path: str, obj: Any = None, *, params: Params | None = None, content_type: str = JSON
    ) -> Object:
        body = None if obj is None else msgspec.json.encode(obj)
        headers = {"content-type": content_type} if body is not None else None
        response = await self.request(method, path, params=params, body=body, headers=headers)
        if response.status >= 400:
            raise refusal_of(response.status, response.body)
        answer: Object = msgspec.json.decode(response.body)
        return answer

    async def _once(
        self, method: str, path: str, params: Params | None, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Response:
        limit = asyncio.timeout(self.timeout_seconds)
        when = ""
        try:
            async with limit:
                stream = await self._open(method, path, params, body, (headers or {}).items())
                when = READING_BODY
                try:
                    status, answered = _split(await stream.headers())
                    chunks = [await stream.read()]
                    while chunks[-1]:
                        chunks.append(await stream.read())
                finally:
                    stream.close()
        except TimeoutError as error:
            if limit.expired():
                raise TimeoutError(when or self.awaiting()) from error
            raise
        return Response(status, answered, b"".join(chunks))

    def awaiting(self) -> str:
        """Say what was still awaited when a request's time was up before its answer had begun."""
        said = AWAITING_HEADERS if self._transport().is_connected else AWAITING_CONNECTION
        return f"{said} (Client.Timeout exceeded while awaiting headers)"

    async def _throttle(self, method: str, path: str, params: Params | None) -> None:
        if self._bucket is not None and (seconds := await self._bucket.wait()):
            url = f"{self.config.url}{with_query(path, params)}"
            self.throttle_log.waited(seconds, f"{method}:{url}")

    async def _open(
        self, method: str, path: str, params: Params | None, body: bytes | None, headers: Iterable[tuple[str, str]]
    ) -> Answering:
        transport = self._transport()
        target = with_query(path, params)
        sent: Headers = [
            (b":method", method.encode()),
            (b":authority", self.config.authority.encode()),
            (b":scheme", self.config.scheme.encode()),
            (b":path", f"{self.config.prefix}{target}".encode()),
        ]
        extra = [(name.lower(), value) for name, value in headers]
        named = {name for name, _ in extra}
        if "accept" not in named:
            sent.append((b"accept", b"application/json, */*"))
        if "user-agent" not in named:
            sent.append((b"user-agent", self.user_agent.encode()))
        if "authorization" not in named and (self._token is not None or self.config.token_file):
            sent.append((b"authorization", f"Bearer {await self._bearer()}".encode()))
        sent.extend((name.encode(), value.encode()) for name, value in extra)
        sent.extend((name.lower().encode(), value.encode()) for name, value in self.impersonation)
        if body is not None:
            sent.append((b"content-length", str(len(body)).encode()))
        return await self._counted(method, transport.open(sent, body))

    async def _counted(self, method: str, opening: Awaitable[Answering]) -> Answering:
        """Await an answer's headers, and count the request (client-go, tools/metrics)."""
        if self._counts is None:
            self._counts = requests_counted(self.process.metrics)
        (total, seconds), host = self._counts, self.config.authority
        time = asyncio.get_running_loop().time
        began, code = time(), "<error>"
        try:
            stream = await opening
            code = dict(await stream.headers())[b":status"].decode()
        finally:
            total.values[code, host, method] += 1
            seconds.observe(time() - began, host, method)
        return stream

    async def _bearer(self) -> str:
        if isinstance(self._token, str):
            return self._token
        if self._token is not None:
            return await self._token()
        assert self.config.token_file is not None
        return self.process.files.read(self.config.token_file).decode().strip()

    def _transport(self) -> Transport | Http1Transport:
        transport = self._transports.get(self._shows_certificate)
        if transport is None:
            config = self.config if self._shows_certificate else replace(self.config, certificate=None, key=None)
            transport = self._transports[self._shows_certificate] = _transport_of(config)
        return transport


def requests_counted(registry: Registry) -> tuple[Counter, Histogram]:
    """Return what counts a program's requests: `rest_client_*`."""
    total = registry.counter(
        "rest_client_requests_total",
        "[ALPHA] Number of HTTP requests, partitioned by status code, method, and host.",
        ("code", "host", "method"),
    )
    seconds = registry.histogram(
        "rest_client_request_duration_seconds",
        "[ALPHA] Request latency in seconds. Broken down by verb, and host.",
        REQUEST_BUCKETS,
        ("host", "verb"),
    )
    return total, seconds


def _transport_of(config: KubeConfig) -> Transport | Http1Transport:
    if config.scheme == "http":
        return Http1Transport(config.host, config.port)
    if config.scheme == "https":
        return Transport(config.host, config.port, _tls(config), server_name=config.server_name)
    raise ConnectionError(f'unsupported protocol scheme "{config.scheme}"')


def _tls(config: KubeConfig, alpn: Sequence[str] = ("h2", "http/1.1")) -> ssl.SSLContext:
    if problem := kubeconfig.pem_problem(config):
        raise KubeConfigError(problem)
    try:
        tls = client_tls(ca=config.ca or b"", certificate=config.certificate, key=config.key, alpn=alpn)
    except ssl.SSLError as error:
        raise KubeConfigError(f"tls: {_mismatch(error)}") from error
    if config.insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _mismatch(error: ssl.SSLError) -> str:
    return "private key does not match public key" if error.reason == "KEY_VALUES_MISMATCH" else str(error)


def with_query(path: str, params: Params | None) -> str:
    """Put parameters behind a path, which may have some: those that are not None, bools in small letters."""
    said = ((name, str(value).lower() if isinstance(value, bool) else value) for name, value in (params or {}).items())
    query = urlencode([(name, value) for name, value in said if value is not None])
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _split(headers: Headers) -> tuple[int, dict[str, str]]:
    decoded = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    return int(decoded.pop(":status", "0")), decoded


async def _chunks(stream: Answering) -> AsyncIterator[bytes]:
    while chunk := await stream.read():
        yield chunk


async def _events(chunks: AsyncIterator[bytes], process: "Process", plural: str) -> AsyncIterator[WatchEvent]:
    rest, slow = b"", process.host.machine.slow_watches
    async for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > WATCH_LINE_BYTES_MAX:
            raise ConnectionAbortedError("a watch event is longer than any object may be")
        for line in lines:
            event = msgspec.json.decode(line)
            if event["type"] == "ERROR":
                raise Refusal.from_status(event["object"])
            if slow and (seconds := slow.get((process.name, plural))):
                await asyncio.sleep(seconds)
            yield event["type"], event["object"]


def _retry_after_seconds(response: Response) -> int | None:
    if response.status != 429 and response.status < 500:
        return None
    return int_of(response.headers.get("retry-after", ""))


def refusal_of(status: int, body: bytes) -> Refusal:
    """Read the Status of a failed answer; make one, as client-go does, where the server (or a proxy) sent none."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return Refusal.from_status(answer)
    return unexplained(status, body[:2048].decode("utf-8", "replace").strip())
