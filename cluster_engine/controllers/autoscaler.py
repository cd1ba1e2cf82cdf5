"""The HorizontalPodAutoscaler controller, in a cluster where nobody measures.

Theory of operation. Every 15 seconds it asks for the target's Scale, and for the pods' metrics. Without a metrics API
the answer to the second is 404: it says so in conditions and events, and changes nothing; but a number outside the
bounds is brought within them.

    GET deployments/web/scale   GET /apis/metrics.k8s.io/v1beta1/…/pods 404   PUT …/status ScalingActive=False

Modelled on `pkg/controller/podautoscaler/horizontal.go`. Left out: computing a number of replicas (there is no metrics
API here), metrics other than resources.
"""

import asyncio
from datetime import datetime

from cluster_engine.api import time
from cluster_engine.api.kinds import BUILT_IN, HORIZONTAL_POD_AUTOSCALER
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Conflict, NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context

PERIOD_SECONDS = 15.0
METRICS = "/apis/metrics.k8s.io/v1beta1"
GOT_SCALE = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
DISABLED = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
NO_API = "the server could not find the requested resource (get pods.metrics.k8s.io)"


class HorizontalPodAutoscalerController:
    """Looks after autoscalers; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._autoscalers = context.informers.informer(HORIZONTAL_POD_AUTOSCALER)
        self._queue = WorkQueue[str]("horizontalpodautoscaler")
        self._autoscalers.on(add=self._seen)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run(self._sync, workers=5))
            while True:
                await asyncio.sleep(PERIOD_SECONDS)
                for each in self._autoscalers.items():
                    self._seen(each)

    def _seen(self, autoscaler: Object) -> None:
        self._queue.add(key_of(autoscaler))

    async def _sync(self, key: str) -> None:
        autoscaler = self._autoscalers.get(key)
        if autoscaler is None:
            return
        before, now = autoscaler.get("status") or {}, self._process.now()
        status: Object = {**before, "desiredReplicas": before.get("desiredReplicas", 0)}
        try:
            scale = await self._scale(autoscaler)
        except Refusal as refusal:
            text = f"the HPA controller was unable to get the target's current scale: {refusal}"
            self._events.event(autoscaler, "Warning", "FailedGetScale", str(refusal))
            _set(status, "AbleToScale", "False", ("FailedGetScale", text), now)
        else:
            _set(status, "AbleToScale", "True", GOT_SCALE, now)
            await self._judge(autoscaler, status, scale, now)
        if status != before:
            try:
                await self._client.update(HORIZONTAL_POD_AUTOSCALER, {**autoscaler, "status": status}, "status")
            except Conflict:
                return

    def _target(self, autoscaler: Object) -> Kind:
        wanted = autoscaler["spec"]["scaleTargetRef"]
        kind = BUILT_IN.by_kind(wanted.get("apiVersion", ""), wanted["kind"])
        if kind is None or kind.subresource("scale") is None:
            group = wanted.get("apiVersion", "").partition("/")[0]
            raise Refusal(f'no matches for kind "{wanted["kind"]}" in group "{group}"')
        return kind

    async def _scale(self, autoscaler: Object) -> Object:
        name, namespace = autoscaler["spec"]["scaleTargetRef"]["name"], autoscaler["metadata"]["namespace"]
        return await self._client.get(self._target(autoscaler), name, namespace, subresource="scale")

    async def _judge(self, autoscaler: Object, status: Object, scale: Object, now: datetime) -> None:
        spec = autoscaler["spec"]
        current = (scale.get("spec") or {}).get("replicas", 0)
        status["currentReplicas"] = (scale.get("status") or {}).get("replicas", 0)
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if not current:
            status["desiredReplicas"] = 0
            _set(status, "ScalingActive", "False", DISABLED, now)
        elif not least <= current <= most:
            await self._rescale(autoscaler, status, scale, min(max(least, current), most))
        else:
            await self._measure(autoscaler, status, scale, now)

    async def _rescale(self, autoscaler: Object, status: Object, scale: Object, replicas: int) -> None:
        await self._client.update(self._target(autoscaler), {**scale, "spec": {"replicas": replicas}}, "scale")
        status["desiredReplicas"] = replicas
        status["lastScaleTime"] = time.rfc3339(self._process.now())
        which = "above Spec.MaxReplicas" if replicas == autoscaler["spec"]["maxReplicas"] else "below Spec.MinReplicas"
        text = f"New size: {replicas}; reason: Current number of replicas {which}"
        self._events.event(autoscaler, "Normal", "SuccessfulRescale", text)

    async def _measure(self, autoscaler: Object, status: Object, scale: Object, now: datetime) -> None:
        """Ask for metrics, and say that there are none."""
        metrics = autoscaler["spec"].get("metrics") or ()
        name = next((each["resource"]["name"] for each in metrics if each.get("resource")), "cpu")
        selector = (scale.get("status") or {}).get("selector", "")
        path = f"{METRICS}/namespaces/{autoscaler['metadata']['namespace']}/pods"
        response = await self._client.request("GET", path, params={"labelSelector": selector})
        why = NO_API if response.status == NotFound.code else f"status {response.status}"
        unable = f"unable to get metrics for resource {name}: unable to fetch metrics from resource metrics API: {why}"
        failed = f"failed to get {name} utilization: {unable}"
        text = f"the HPA was unable to compute the replica count: {failed}"
        _set(status, "ScalingActive", "False", ("FailedGetResourceMetric", text), now)
        self._events.event(autoscaler, "Warning", "FailedGetResourceMetric", failed)
        invalid = f"invalid metrics ({len(metrics)} invalid out of {len(metrics)}), first error is: "
        first = f"{invalid}failed to get {name} resource metric value: {failed}"
        self._events.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", first)


def _set(status: Object, type_: str, value: str, why: tuple[str, str], now: datetime) -> None:
    """Write a condition, dated from when its status last changed."""
    conditions = status.get("conditions") or []
    known = next((each for each in conditions if each["type"] == type_), None)
    since = known["lastTransitionTime"] if known and known["status"] == value else time.rfc3339(now)
    made = {"type": type_, "status": value, "lastTransitionTime": since, "reason": why[0], "message": why[1]}
    status["conditions"] = [made if each is known else each for each in conditions] if known else [*conditions, made]
