"""mitmdump: the man in the middle, as a program that is started on any host and that others are pointed to.

    mitmdump --mode reverse:https://10.0.0.1:6443 -p 8443 --set ssl_verify_upstream_trusted_ca=/root/ca.crt &
    kubectl --server https://workstation:8443 get nodes

Theory of operation. There are two TLS connections, and between them the plaintext. To its client the proxy is a server
with a certificate that its own authority has just signed, for the names that the real server has; who does not trust
that authority breaks off (unknown_ca, bad_certificate), and nothing was read. To the real server it is a client of its
own: whatever certificate the first client would have shown stays behind, for only who has its key can show it. So an
API server takes the caller for system:anonymous, unless the proxy shows a certificate of its own (client_certs), or the
request carries a token, which is passed on like everything else and can be read.

    kubectl ──TLS, mitmproxy's certificate──▸ mitmdump ──TLS, no client certificate──▸ kube-apiserver

Its authority lies in ~/.mitmproxy, made when it is first started: mitmproxy-ca-cert.pem is what a client must trust.
With `client_certs` and -H it is what Envoy or any other front proxy is: it ends TLS, and says who the caller is by
X-Remote-User, over a certificate of the front-proxy authority (docs/decisions/0033).

Modelled on mitmdump 11. Left out: what `options` leaves out; mitmproxy takes ALPN from the client's hello, here the
server is offered h2 and http/1.1; the name of the host it runs on stands in its certificates too.
"""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cluster_engine.apiserver.serving.connection import Connection
from cluster_engine.apiserver.serving.exchange import Request, Response, Writer
from cluster_engine.apiserver.serving.listener import WIRES, Listener
from cluster_engine.apiserver.serving.proxying import NOT_PASSED_BACK, headers_of, response_of
from cluster_engine.pki.authority import Authority, KeyPair, Usage
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.mitmdump import options as command_line
from cluster_engine.programs.mitmdump.flows import Flow, Teller
from cluster_engine.programs.mitmdump.options import Options, OptionsError
from cluster_engine.programs.mitmdump.upstream import Upstream, why
from cluster_engine.streaming.dialling import Answer, DialError, ask
from cluster_engine.world.tls import ServerTLS, client_tls

VERSION = "Mitmproxy: 11.0.2\n"
CLIENTS_MAX = 512
KEPT_BYTES_MAX = 4 * 1024 * 1024
"""Of an answer that is not passed on as it comes; what is longer is, from then on."""
BACKDATED = timedelta(days=2)
"""How far before now its certificates begin, for clients whose clocks are behind (mitmproxy's certs.py)."""
NOT_TRUSTED = ("unknown ca", "bad certificate", "certificate unknown")


async def mitmdump(invocation: Invocation) -> int:
    """Run mitmdump until Ctrl-C."""
    try:
        options = command_line.read(invocation.argv[1:])
        if options.shows_version:
            invocation.out(VERSION)
            return 0
        await Proxy(invocation, options).serve()
    except OptionsError as problem:
        invocation.err(f"{problem}\n")
        return problem.code
    return 0


class Proxy:
    """One run."""

    def __init__(self, invocation: Invocation, options: Options) -> None:
        self._invocation, self._options = invocation, options
        self.process = invocation.process
        self.teller = Teller(invocation, detail=options.flow_detail, quiet=options.quiet)
        self._authority = self._own_authority()
        self.tls = self._upstream_tls()
        self._served: dict[tuple[str, ...], ServerTLS] = {}
        self._clients = 0

    async def serve(self) -> None:
        """Listen until cancelled. OptionsError when the port is not to be had."""
        options, loop = self._options, asyncio.get_running_loop()
        where = f"{options.listen_host or '*'}:{options.listen_port}"
        tasks = asyncio.TaskGroup()
        try:
            await loop.create_server(
                lambda: Arrival(self, tasks), options.listen_host or "0.0.0.0", options.listen_port
            )
        except OSError as error:
            raise OptionsError(f"Error: {options.host}: bind {where}: {error.strerror}") from error
        async with tasks:
            self.teller.log(f"reverse proxy to https://{options.host}:{options.port} listening at {where}.")
            await self._invocation.drain()
            await loop.create_future()

    # -- who it is ---------------------------------------------------------------------------------------------------

    def _own_authority(self) -> Authority:
        folder = self._invocation.absolute(self._options.confdir)
        files, now = self._invocation.files, self._invocation.process.now() - BACKDATED
        both, shown = f"{folder}/mitmproxy-ca.pem", f"{folder}/mitmproxy-ca-cert.pem"
        try:
            if not files.exists(both):
                made = Authority("mitmproxy", now=now).pair
                files.write(both, made.key + made.certificate, 0o600)
                files.write(shown, made.certificate)
            pem = files.read(both)
            return Authority.of(KeyPair(pem, pem), now=now)
        except (OSError, ValueError) as error:
            raise OptionsError(f"Error: {both}: {error}") from error

    def _upstream_tls(self) -> ssl.SSLContext:
        options = self._options
        own = self._read(options.client_certs) if options.client_certs else None
        ca = self._read(options.ssl_verify_upstream_trusted_ca) if options.ssl_verify_upstream_trusted_ca else b""
        try:
            context = client_tls(ca=ca, certificate=own, key=b"" if own else None)
        except (ssl.SSLError, ValueError) as error:
            raise OptionsError(f"Error: Cannot load TLS files: {error}") from error
        if options.ssl_insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def _read(self, path: str) -> bytes:
        try:
            return self._invocation.files.read(self._invocation.absolute(path))
        except OSError as error:
            raise OptionsError(f"Error: {path}: {error.strerror}") from error

    def serving_tls(self, names: Sequence[str]) -> ServerTLS:
        """Return what TLS with a client is: a certificate for these names, signed just now unless there is one."""
        key = tuple(dict.fromkeys(names))
        found = self._served.get(key)
        if found is None:
            pair = self._authority.issue(key[0], usage=Usage.SERVER, names=key)
            found = self._served[key] = ServerTLS(pair.certificate, pair.key, client_ca=None, client_auth="none")
            if len(self._served) > CLIENTS_MAX:
                del self._served[next(iter(self._served))]
        return found

    # -- one client --------------------------------------------------------------------------------------------------

    async def talk(self, transport: Any) -> None:
        """Serve a client from its first byte to its last."""
        if self._clients >= CLIENTS_MAX:
            transport.abort()
            return
        self._clients += 1
        client = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        upstream = Upstream(self._options, self.tls)
        self.teller.log("client connect", client)
        try:
            names = await self._met(upstream, client)
            local = str(transport.get_extra_info("sockname")[0])
            own = [local, self._options.host, self._invocation.process.host.name]
            await Client(self, upstream, client).served(transport, self.serving_tls([*names, *own]))
        finally:
            self._clients -= 1
            await upstream.close()
            self.teller.log("client disconnect", client)
            self.teller.log(f"server disconnect {upstream.address}", client)
            await self._invocation.drain()

    async def _met(self, upstream: Upstream, client: str) -> list[str]:
        """Connect to the server; return its names, none when it is not to be had."""
        try:
            names = await upstream.connect()
        except OSError as error:
            if isinstance(error, ssl.SSLError):
                self.teller.log(f"server connect {upstream.address}", client)
                self.teller.log(f"Server TLS handshake failed. {why(error)}", client)
            else:
                self.teller.log(f"error establishing server connection: {why(error)}", client)
            return []
        self.teller.log(f"server connect {upstream.address}", client)
        return names

    def changed(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return a request's headers as -H has them."""
        replaced = {name.lower() for name, _ in self._options.headers}
        return [one for one in headers if one[0].lower() not in replaced] + self._options.headers

    def keeps(self, answer: Answer) -> bool:
        """Whether an answer is passed on only when it is whole."""
        length = answer.header("content-length")
        most = self._options.stream_large_bodies
        return not most or (length.isdigit() and int(length) <= most)


class Arrival(asyncio.Protocol):
    """A connection that has come; nothing is read of it before the server has been met."""

    def __init__(self, proxy: Proxy, tasks: asyncio.TaskGroup) -> None:
        self._proxy, self._tasks = proxy, tasks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        transport.pause_reading()  # type: ignore[attr-defined]
        self._tasks.create_task(self._proxy.talk(transport))


class Client:
    """A client whose TLS ends here: each request is asked of the server, and written down."""

    def __init__(self, proxy: Proxy, upstream: Upstream, name: str) -> None:
        self._proxy, self._upstream, self._name = proxy, upstream, name

    async def served(self, transport: Any, tls: ServerTLS) -> None:
        """Shake hands and answer until the client has gone."""
        loop: Any = asyncio.get_running_loop()
        gone = loop.create_future()

        class Followed(Connection):
            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                if not gone.done():
                    gone.set_result(None)

        async with Listener(self._proxy.process, self._serve) as listener:
            layer = loop.secured(tls, lambda: Followed(listener, WIRES))
            self._layer = layer
            transport.set_protocol(layer)
            layer.connection_made(transport)
            transport.resume_reading()
            try:
                await layer.established
            except OSError as error:
                self._proxy.teller.log(f"Client TLS handshake failed. {self._failure(error)}", self._name)
                return
            await gone

    def _failure(self, error: OSError) -> str:
        reason = str(error.args[-1]) if isinstance(error, ssl.SSLError) else "connection closed"
        where = self._upstream.address
        if any(one in reason for one in NOT_TRUSTED):
            told = f"OpenSSL Error([('SSL routines', '', '{reason}')])"
            return f"The client does not trust the proxy's certificate for {where} ({told})"
        return (
            f"The client disconnected during the handshake. If this happens consistently for {where}, this may "
            "indicate that the client does not trust the proxy's certificate."
        )

    async def _serve(self, request: Request) -> Response:
        """Answer one request with what the server says."""
        target = request.path + ("?" if request.query else "") + request.query
        headers = self._proxy.changed(headers_of(request))
        content = b"" if request.asks_for_upgrade else await request.read()
        is_2 = self._layer.transport.get_extra_info("alpn_protocol") == "h2"
        flow = Flow(
            client=self._name, version="HTTP/2.0" if is_2 else "HTTP/1.1", method=request.method,
            url=f"https://{self._upstream.address}{target}", headers=headers, sent=content,
        )  # fmt: skip
        try:
            answer = await self._asked(request, target, headers, content)
        except (ConnectionError, DialError) as error:
            flow.error = str(error)
            self._proxy.teller.flow(flow)
            return Response(502, "text/html", f"<h1>502 Bad Gateway</h1><p>{error}</p>".encode())
        flow.status, flow.answer = answer.status, answer.headers
        if answer.status != 101 and self._proxy.keeps(answer):
            return await self._whole(flow, answer)
        return self._streamed(flow, response_of(answer))

    async def _asked(self, request: Request, target: str, headers: list[tuple[str, str]], content: bytes) -> Answer:
        if not request.asks_for_upgrade:
            return await self._upstream.ask(request.method, target, headers, content)
        url = f"https://{self._upstream.address}{target}"
        return await ask(url, method=request.method, headers=headers, content=content, tls=self._proxy.tls)

    async def _whole(self, flow: Flow, answer: Answer) -> Response:
        """Wait for an answer's end; one that is longer than KEPT_BYTES_MAX is cut off there."""
        kept = bytearray()
        try:
            async for chunk in answer.chunks():
                kept += chunk
                if len(kept) > KEPT_BYTES_MAX:
                    break
        finally:
            await answer.close()
        if len(kept) > KEPT_BYTES_MAX:
            flow.error = f"HTTP response body is longer than {KEPT_BYTES_MAX} bytes; set stream_large_bodies"
            self._proxy.teller.flow(flow)
            return Response(502, "text/html", f"<h1>502 Bad Gateway</h1><p>{flow.error}</p>".encode())
        flow.content = bytes(kept)
        self._proxy.teller.flow(flow)
        passed = tuple((name, value) for name, value in answer.headers if name not in NOT_PASSED_BACK)
        return Response(answer.status, answer.header("content-type"), flow.content, headers=passed)

    def _streamed(self, flow: Flow, response: Response) -> Response:
        """Pass an answer on as it comes, and write it down when it has ended."""
        stream = response.stream
        if stream is None:
            self._proxy.teller.flow(flow)
            return response

        async def told(writer: Writer) -> None:
            try:
                await stream(writer)
            finally:
                self._proxy.teller.flow(flow)

        response.stream = told
        return response
