"""The pod garbage collector: pods that nobody else will ever finish.

Theory of operation. Every 20 s it looks for three sorts: pods bound to a node that is gone (its Node object must have
been missing for 40 s, and still be missing when the server is asked); pods that were deleted before they were bound;
and finished pods beyond a threshold, oldest first. Only for these the API server is told to forget a pod without the
kubelet having confirmed the stop: DELETE with gracePeriodSeconds 0.

    DELETE node worker-2 … 40–60 s later:  PATCH pod/status {phase: Failed}   DELETE pod {gracePeriodSeconds: 0}

Modelled on `pkg/controller/podgc/gc_controller.go`. Left out: the out-of-service taint.
"""

import asyncio
import contextlib

from cluster_engine.api import time
from cluster_engine.api.kinds import NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.controllers import pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import is_deleting

PERIOD_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
TERMINATED_PODS_MAX = 12500


class PodGarbageCollector:
    """Looks every 20 s; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._pods = context.informers.informer(POD)
        self._nodes = context.informers.informer(NODE)
        self._missing_since: dict[str, float] = {}

    async def run(self) -> None:
        """Work for ever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            with contextlib.suppress(Refusal, ConnectionError, TimeoutError):
                await self._collect()

    async def _collect(self) -> None:
        everything = self._pods.items()
        finished = [pod for pod in everything if pods.is_terminal(pod)]
        finished.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        for pod in finished[: max(0, len(finished) - TERMINATED_PODS_MAX)]:
            await self._remove(pod)
        await self._collect_orphans(everything)
        for pod in everything:
            if is_deleting(pod) and not pod["spec"].get("nodeName"):
                await self._remove(pod)

    async def _collect_orphans(self, everything: list[Object]) -> None:
        now = asyncio.get_running_loop().time()
        named = dict.fromkeys(pod["spec"]["nodeName"] for pod in everything if pod["spec"].get("nodeName"))
        missing = [name for name in named if self._nodes.get(name) is None]
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        for name in [name for name in missing if now - self._missing_since[name] >= QUARANTINE_SECONDS]:
            try:
                await self._client.get(NODE, name)
            except NotFound:
                for pod in everything:
                    if pod["spec"].get("nodeName") == name:
                        await self._fail_and_remove(pod)

    async def _fail_and_remove(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if not pods.is_terminal(pod):
            condition = {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
                "lastTransitionTime": time.rfc3339(self._process.now()),
            }
            patch = {"metadata": {"uid": metadata["uid"]}, "status": {"phase": "Failed", "conditions": [condition]}}
            await self._client.patch(POD, metadata["name"], patch, metadata["namespace"], subresource="status")
        await self._remove(pod)

    async def _remove(self, pod: Object) -> None:
        metadata = pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        with contextlib.suppress(NotFound):
            await self._client.delete(POD, metadata["name"], metadata["namespace"], options=options)
