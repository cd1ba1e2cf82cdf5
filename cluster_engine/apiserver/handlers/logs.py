"""`pods/log`: the API server fetches a container's log from the kubelet of the pod's node and passes it on.

    kubectl logs web-0 -f ──► kube-apiserver ──► GET https://10.0.0.11:10250/containerLogs/default/web-0/nginx?follow=true

Modelled on pkg/registry/core/pod/strategy.go (LogLocation) and registry/core/pod/rest/log.go.
"""

from urllib.parse import urlencode

from cluster_engine.api.status import BadRequest, InternalError, Refusal
from cluster_engine.apiserver.handlers.kubelets import Kubelets, chosen_container
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.serving.exchange import Response
from cluster_engine.apiserver.serving.proxying import body_of
from cluster_engine.streaming.dialling import Answer, DialError

PARAMETERS = ("follow", "previous", "sinceSeconds", "sinceTime", "tailLines", "limitBytes", "timestamps")


class PodLogs:
    """Fetches logs."""

    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets

    async def serve(self, call: Call) -> Response:
        """Answer one request for a log; what follows is streamed until either side ends it."""
        pod = await self._kubelets.pod(call)
        container = chosen_container(pod, call.parameters.get("container", ""))
        node_name = pod["spec"].get("nodeName")
        if not node_name:
            return Response(200, "text/plain")
        host = await self._kubelets.location(node_name)
        query = urlencode({name: call.parameters[name] for name in PARAMETERS if name in call.parameters})
        path = f"/containerLogs/{call.namespace}/{call.name}/{container}{'?' if query else ''}{query}"
        try:
            answer = await self._kubelets.ask(f"https://{host}{path}")
        except DialError as error:
            raise Refusal(str(error), code=500) from error
        if answer.status != 200:
            try:
                raise await _refusal(answer)
            finally:
                await answer.close()
        return Response(200, "text/plain", stream=body_of(answer))


async def _refusal(answer: Answer) -> Refusal:
    """Pass a kubelet's refusal on as a Status."""
    message = await answer.text()
    return BadRequest(message) if answer.status == 400 else InternalError(message)
