"""`kubectl proxy`: plain HTTP on this host's loopback, passed on to the API server as whoever the kubeconfig says.

    kubectl proxy &                              Starting to serve on 127.0.0.1:8001
    curl http://127.0.0.1:8001/api/v1/pods       GET https://10.0.0.1:6443/api/v1/pods, with the certificate

All requests, and watches, are streams of one HTTP/2 connection to the API server, which is kept, and dialled anew once
it is lost. An upgrade has a connection of its own, by HTTP/1.1.

Who asks from elsewhere, and who asks for exec or attach, is refused here already. Ctrl-C ends it.

Modelled on kubectl/pkg/cmd/proxy and kubectl/pkg/proxy. Left out: files (--www), unix sockets, other filters than the
usual ones.
"""

import asyncio
import re
import socket

from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.apiserver.serving.proxying import headers_of, response_of, streamed
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.streaming.dialling import DialError

FLAGS = (
    Flag("port", "p", "int", default=8001),
    Flag("address", default="127.0.0.1"),
    Flag("api-prefix", default="/"),
    Flag("disable-filter", kind="bool"),
    Flag("keepalive", kind="duration", default=0.0),
)
PORT_MAX = 65535
REJECTED_PATHS = r"^/api/.*/pods/.*/(exec|attach)"
ACCEPTED_HOSTS = re.compile(r"^(localhost|127\.0\.0\.1|\[::1\])$")
NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
NOT_LOGGED_IN = "Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious\n"


async def run(session: Session, arguments: list[str]) -> int:
    """Serve until Ctrl-C."""
    flags = session.flags
    port, address = flags["port"], flags["address"]
    if not 0 <= port <= PORT_MAX:
        raise CommandError(f"listen tcp: address {port}: invalid port")
    if flags["disable-filter"]:
        session.err(NOT_LOGGED_IN)
    port = port or session.process.host.next_port()
    proxy = Proxy(session, prefix="/" + flags["api-prefix"].strip("/"), filters=not flags["disable-filter"])
    _ = session.client  # a kubeconfig that cannot be used is found now
    try:
        async with Listener(session.process, proxy.serve) as listener:
            await listener.listen(address, port, None)
            session.out(f"Starting to serve on {address}:{port}\n")
            await session.drain()
            await asyncio.get_running_loop().create_future()
    except socket.gaierror as error:
        raise CommandError(f"listen tcp: lookup {address}: no such host") from error
    except OSError as error:
        raise CommandError(f"listen tcp {address}:{port}: bind: {(error.strerror or str(error)).lower()}") from error
    return 0


class Proxy:
    """Answers what is asked of the proxy's port. `prefix` is where the API server's root is."""

    def __init__(self, session: Session, *, prefix: str, filters: bool) -> None:
        self._session = session
        self._prefix, self._filters = prefix.rstrip("/"), filters

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path
        if self._filters and not self._accepts(request):
            return _text(403, "Forbidden\n")
        if not path.startswith(f"{self._prefix}/"):
            return _text(404, "404 page not found\n")
        target = f"{path[len(self._prefix) :]}{'?' if request.query else ''}{request.query}"
        headers = [*headers_of(request), ("X-Forwarded-For", request.peer.address)]
        content = b"" if request.asks_for_upgrade else await request.read()
        client, method = self._session.client, request.method
        try:
            if request.asks_for_upgrade:
                return response_of(await client.ask(target, method=method, headers=headers))
            return streamed(await client.forward(target, method=method, headers=headers, content=content))
        except (ConnectionError, TimeoutError) as error:
            reason = error.reason if isinstance(error, DialError) else str(error)
            self._session.err(self._session.error(f"proxy_server.go:147] Error while proxying request: {reason}"))
            return _text(500, f"{reason}\n", NO_SNIFFING)

    def _accepts(self, request: Request) -> bool:
        host = request.header("host")
        name = host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host
        import re2  # it takes 3 MiB, which a cluster in which nobody proxies need not pay

        return bool(ACCEPTED_HOSTS.match(name)) and not re2.match(REJECTED_PATHS, request.path)


def _text(status: int, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, "text/plain; charset=utf-8", text.encode(), headers)
