"""Subresources that lead to somebody else: a command in a container, a port of a pod, a proxied request.

    pods/web-0/exec?command=date&stdout=true    https://10.0.0.11:10250/exec/default/web-0/nginx?command=date&output=1
    pods/web-0/portforward                      https://10.0.0.11:10250/portForward/default/web-0
    nodes/worker-1/proxy/pods                   https://10.0.0.11:10250/pods
    pods/web-0:8080/proxy/index.html            http://10.244.1.2:8080/index.html
    services/https:web:443/proxy/               https:// one of its ready endpoints, chosen at random

The API server says yes or no (to `create` for a POST, `get` for a GET), dials, passes the request on, and where the
other side agrees to an upgrade carries bytes both ways without looking at them.

Modelled on pkg/registry/core/{pod,node,service}, apimachinery/pkg/util/proxy and apiserver/pkg/util/proxy. Where a
command cannot be run, the reason goes to the client on its error channel, as since 1.30. Left out: the translation of
WebSockets to SPDY between API server and kubelet, rewriting of links in proxied pages.
"""

import functools
import ssl
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode

import msgspec

from cluster_engine.api.kinds import ENDPOINTS, NODE, POD, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import BadRequest, InternalError, NotFound, ServiceUnavailable
from cluster_engine.api.strconv import int_of
from cluster_engine.apiserver.handlers.kubelets import Kubelets, chosen_container
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.request_info import is_true
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.proxying import headers_of, response_of
from cluster_engine.streaming import channels, dialling, websocket
from cluster_engine.streaming.dialling import Answer, DialError
from cluster_engine.streaming.duplex import Duplex

SCHEMES = ("", "http", "https")
STREAMED = ("exec", "attach")
PORT_MAX = 65535
PATH_PARTS = {True: 8, False: 6}
"""How many parts a path has up to `proxy`, in a namespace and outside of one."""


class Place(msgspec.Struct, frozen=True):
    """`[scheme:]name[:port]`, as a proxied object is named."""

    scheme: str
    name: str
    port: str


class Connections:
    """Answers requests for such subresources, after authentication and authorization.

    `pods_tls` verifies nothing and shows nothing: a pod is not to be given what kubelets obey.
    """

    def __init__(self, backend: Backend, kubelets: Kubelets, pods_tls: ssl.SSLContext) -> None:
        self._backend = backend
        self._kubelets = kubelets
        self._pods_tls = pods_tls

    async def serve(self, request: Request, call: Call) -> Response:
        """Answer one request."""
        if call.subresource == "proxy":
            return await self._proxy(request, call)
        return await self._stream(request, call)

    # -- streams -------------------------------------------------------------------------------------------------------

    async def _stream(self, request: Request, call: Call) -> Response:
        pod = await self._kubelets.pod(call)
        path = await self._stream_path(request, call, pod)
        if not pod["spec"].get("nodeName"):
            raise BadRequest(f"pod {call.name} does not have a host assigned")
        host = await self._kubelets.location(pod["spec"]["nodeName"])
        if not request.asks_for_upgrade:
            raise BadRequest("Upgrade request required")
        try:
            answer = await self._kubelets.ask(f"https://{host}{path}", method=request.method, headers=_headers(request))
        except DialError as error:
            if said := _over_websocket(request, call, f"error sending request: {error}"):
                return said
            raise InternalError(f"error dialing backend: {error.reason}") from error
        if answer.status != 101 and (said := await self._failed(request, call, answer)):
            return said
        return response_of(answer)

    async def _stream_path(self, request: Request, call: Call, pod: Object) -> str:
        place = f"{call.namespace}/{call.name}"
        asked = parse_qsl(request.query, keep_blank_values=True)
        if call.subresource == "portforward":
            ports = urlencode([(name, value) for name, value in asked if name == "ports"])
            return f"/portForward/{place}{'?' if ports else ''}{ports}"
        container = chosen_container(pod, call.parameters.get("container", ""))
        wanted = {
            "input": is_true(call.parameters.get("stdin")),
            "output": is_true(call.parameters.get("stdout", "true")),
            "error": is_true(call.parameters.get("stderr", "true")),
            "tty": is_true(call.parameters.get("tty")),
        }
        query = [("command", value) for name, value in asked if name == "command"] if call.subresource == "exec" else []
        query += [(name, "1") for name, value in wanted.items() if value]
        return f"/{call.subresource}/{place}/{container}?{urlencode(query)}"

    async def _failed(self, request: Request, call: Call, answer: Answer) -> Response | None:
        if not websocket.is_asked_for(request.headers) or call.subresource not in STREAMED:
            return None
        text = await answer.text()
        await answer.close()
        return _over_websocket(request, call, f"unable to upgrade connection: {text}")

    # -- proxies -------------------------------------------------------------------------------------------------------

    async def _proxy(self, request: Request, call: Call) -> Response:
        rest = "/".join(request.path.split("/")[PATH_PARTS[call.kind.namespaced] :])
        path = f"/{rest}{'?' if request.query else ''}{request.query}"
        content = b"" if request.asks_for_upgrade else await request.read()
        where, headers = await self._target(call), _headers(request)
        ask = self._kubelets.ask if call.kind is NODE else functools.partial(dialling.ask, tls=self._pods_tls)
        try:
            answer = await ask(f"{where}{path}", method=request.method, headers=headers, content=content)
        except DialError as error:
            raise ServiceUnavailable(f"error trying to reach service: {error.reason}") from error
        return response_of(answer)

    async def _target(self, call: Call) -> str:
        if call.kind is NODE:
            return f"https://{await self._kubelets.location(_place(call, 'node').name)}"
        return await (self._pod(call) if call.kind is POD else self._service(call))

    async def _pod(self, call: Call) -> str:
        place = _place(call, "pod")
        pod = await self._backend.find_surely(POD, call.namespace, place.name)
        if pod is None:
            raise NotFound(POD, place.name)
        declared = [port for each in pod["spec"]["containers"] for port in each.get("ports") or ()]
        port = place.port or next((str(port["containerPort"]) for port in declared), "")
        return _url(place.scheme, (pod.get("status") or {}).get("podIP") or "", port)

    async def _service(self, call: Call) -> str:
        place = _place(call, "service")
        service = await self._backend.find_surely(SERVICE, call.namespace, place.name)
        if service is None:
            raise NotFound(SERVICE, place.name)
        wanted = place.port
        if (number := int_of(wanted)) is not None:
            ports = [port for port in service["spec"].get("ports") or () if port["port"] == number]
            if not ports:
                raise ServiceUnavailable(f'no service port {number} found for service "{place.name}"')
            wanted = ports[0].get("name", "")
        endpoints = await self._backend.find_surely(ENDPOINTS, call.namespace, place.name) or {}
        ready = [
            (address["ip"], str(port["port"]))
            for subset in endpoints.get("subsets") or ()
            for port in subset.get("ports") or ()
            if not place.port or port.get("name", "") == wanted
            for address in subset.get("addresses") or ()
        ]
        if not ready:
            raise ServiceUnavailable(f'no endpoints available for service "{place.name}"')
        return _url(place.scheme, *self._backend.process.rng.choice(ready))


def _place(call: Call, what: str) -> Place:
    """Read `[scheme:]name[:port]` (apimachinery/pkg/util/net, SplitSchemeNamePort). BadRequest."""
    parts = call.name.split(":")
    if len(parts) == 1:
        return Place("", parts[0], "")
    scheme, name, port = ("", *parts) if len(parts) == 2 else parts if len(parts) == 3 else ("?", "", "")
    if scheme not in SCHEMES or not name:
        raise BadRequest(f'invalid {what} request "{call.name}"')
    return Place(scheme, name, port)


def _url(scheme: str, address: str, port: str) -> str:
    """Return where a pod is asked. BadRequest for addresses that lead back to this host; ServiceUnavailable."""
    try:
        found = ip_address(address)
    except ValueError:
        raise BadRequest("address not allowed") from None
    if found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified:
        raise BadRequest("address not allowed")
    number = int_of(port or "80")
    if number is None:
        raise ServiceUnavailable(f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port")
    if not 0 < number <= PORT_MAX:
        raise ServiceUnavailable(f"error trying to reach service: dial tcp: address {port}: invalid port")
    return f"{scheme or 'http'}://{address}:{number}"


def _headers(request: Request) -> list[tuple[str, str]]:
    """Return what of a request's headers is passed on: nothing that says who asks."""
    identity = {name for name in request.headers if name == "authorization" or name.startswith("impersonate-")}
    return [*headers_of(request, identity), ("X-Forwarded-For", request.peer.address)]


def _over_websocket(request: Request, call: Call, message: str) -> Response | None:
    """Accept a client's WebSocket only to say on its error channel why there is nothing behind it."""
    if not websocket.is_asked_for(request.headers) or call.subresource not in STREAMED:
        return None
    try:
        _, headers = websocket.accept(request.headers, channels.PROTOCOLS)
    except websocket.HandshakeError as error:
        raise BadRequest(str(error)) from error

    async def say(client: Duplex) -> None:
        socket = websocket.WebSocket(client, is_client=False)
        await socket.send(bytes([channels.ERROR]) + msgspec.json.encode(channels.failure(message)))
        await socket.close()

    return Response(101, "", headers=tuple(headers), upgrade=say)
