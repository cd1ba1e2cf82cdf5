"""`pods/log`: the API server fetches a container's log from the kubelet of the pod's node and passes it on.

    kubectl logs web-0 -f ──► kube-apiserver ──► GET https://10.0.0.11:10250/containerLogs/default/web-0/nginx?follow=true

One of the few connections that an API server opens towards a node. It shows its own client certificate there
(CN=kube-apiserver-kubelet-client) and, as kubeadm sets it up, does not verify the kubelet's.

Modelled on pkg/registry/core/pod/strategy.go (LogLocation) and registry/core/pod/rest/log.go.
"""

import ssl
from urllib.parse import urlencode

import httpcore

from cluster_engine.api.kinds import NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import BadRequest, InternalError, NotFound, Refusal
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.serving.exchange import Response, Writer

KUBELET_PORT = 10250
ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname")
"""--kubelet-preferred-address-types, as kubeadm sets it."""

PARAMETERS = ("follow", "previous", "sinceSeconds", "sinceTime", "tailLines", "limitBytes", "timestamps")
BACKLOG_BYTES_MAX = 1024 * 1024
REFUSAL_BYTES_MAX = 2048
KUBELET_TROUBLES = (httpcore.NetworkError, httpcore.RemoteProtocolError, httpcore.TimeoutException)


class PodLogs:
    """Fetches logs. `tls` is how this server shows itself to kubelets."""

    def __init__(self, backend: Backend, tls: ssl.SSLContext) -> None:
        self._backend = backend
        self._tls = tls

    async def serve(self, call: Call) -> Response:
        """Answer one request for a log; what follows is streamed until either side ends it."""
        pod = await self._backend.find_surely(POD, call.namespace, call.name)
        if pod is None:
            raise NotFound(POD, call.name)
        container = chosen_container(pod, call.parameters.get("container", ""))
        node_name = pod["spec"].get("nodeName")
        if not node_name:
            return Response(200, "text/plain")
        node = await self._backend.find_surely(NODE, "", node_name)
        if node is None:
            raise NotFound(NODE, node_name)
        query = urlencode({name: call.parameters[name] for name in PARAMETERS if name in call.parameters})
        path = f"/containerLogs/{call.namespace}/{call.name}/{container}{'?' if query else ''}{query}"
        return await self._fetch(_location(node), path)

    async def _fetch(self, host: str, path: str) -> Response:
        url = f"https://{host}{path}"
        pool = httpcore.AsyncConnectionPool(ssl_context=self._tls, http1=True, http2=False, max_connections=1)
        try:
            answer = await pool.handle_async_request(httpcore.Request("GET", url, headers=[("Host", host)]))
            if answer.status != 200:
                raise await _refusal(answer)
        except (*KUBELET_TROUBLES, OSError) as error:
            await pool.aclose()
            raise Refusal(f'Get "{url}": dial tcp {host}: {_why(error)}', code=500) from error
        except BaseException:
            await pool.aclose()
            raise

        async def pass_on(writer: Writer) -> None:
            try:
                async for chunk in answer.aiter_stream():
                    writer.write(chunk)
                    if writer.backlog > BACKLOG_BYTES_MAX:
                        await writer.drain()
            except KUBELET_TROUBLES:
                return  # the kubelet has gone; what it said has been passed on
            finally:
                await answer.aclose()
                await pool.aclose()

        return Response(200, "text/plain", stream=pass_on)


def _why(error: BaseException) -> str:
    """Say in Go's words why a kubelet could not be dialled; what httpcore raises has the reason among its causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connect: connection refused"
        if isinstance(cause, TimeoutError | httpcore.TimeoutException):
            return "i/o timeout"
        cause = cause.__cause__ or cause.__context__
    return f"connect: {error}"


def chosen_container(pod: Object, asked: str) -> str:
    """Tell which container's log is meant; 400 when that is not clear."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    containers = [container["name"] for container in spec.get("containers") or ()]
    all_of_them = containers + [container["name"] for container in spec.get("initContainers") or ()]
    if asked:
        if asked not in all_of_them:
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) == 1:
        return str(containers[0])
    raise BadRequest(f"a container name must be specified for pod {name}, choose one of: [{' '.join(all_of_them)}]")


def _location(node: Object) -> str:
    status = node.get("status") or {}
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port", KUBELET_PORT)
    by_type = {each["type"]: each["address"] for each in status.get("addresses") or ()}
    for address_type in ADDRESS_TYPES:
        if address_type in by_type:
            return f"{by_type[address_type]}:{port}"
    name = node["metadata"]["name"]
    raise Refusal(f"no preferred addresses found; known addresses: [] (node {name})", code=500)


async def _refusal(answer: httpcore.Response) -> Refusal:
    """Pass a kubelet's refusal on as a Status."""
    text = b""
    async for chunk in answer.aiter_stream():
        text += chunk[: REFUSAL_BYTES_MAX - len(text)]
    message = text.decode(errors="replace").strip()
    if answer.status == 400:
        return BadRequest(message)
    return InternalError(message)
