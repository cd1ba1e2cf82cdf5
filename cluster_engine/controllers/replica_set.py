"""The ReplicaSet controller: so many pods of this template, no more, no fewer.

Theory of operation. It counts the pods that its ReplicaSet controls and that are neither finished nor on their way out.
Too few: it creates the difference, one at first, then two, four … (slow start: if the first fails, a quota perhaps, the
others are not even tried). Too many: it chooses the least useful (`pods.to_delete`) and deletes them. Expectations keep
it from acting twice on what its cache has not yet heard. Then the counts go into the status, if they have changed.

    wanted 3, has 0 → POST pod; POST pod, POST pod → PUT replicasets/status {replicas: 0 … observedGeneration: 1}
    (the pods appear, become ready)                → PUT replicasets/status {replicas: 3}, … {readyReplicas: 1} …

Modelled on `pkg/controller/replicaset/replica_set.go`.
"""

import asyncio
from datetime import datetime

from cluster_engine.api import time
from cluster_engine.api.kinds import REPLICA_SET
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.owned_pods import OwnedPods
from cluster_engine.controllers.ownership import controller_of, controller_reference, is_deleting
from cluster_engine.controllers.pod_control import Failure, PodControl, slow_start

BURST_REPLICAS = 500
WORKERS = 5
POD_NAME_PREFIX_MAX = 253 - 5


class ReplicaSetController:
    """Keeps ReplicaSets; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._replica_sets = context.informers.informer(REPLICA_SET)
        self._queue = WorkQueue[str]("replicaset")
        self._expectations = Expectations()
        self._pods = OwnedPods(context, REPLICA_SET, self._queue, self._expectations)
        self._control = PodControl(context, self._expectations)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    # -- one sync

    async def _sync(self, key: str) -> None:
        replica_set = self._replica_sets.get(key)
        if replica_set is None:
            return
        may_act = self._expectations.satisfied(key)
        active = await self._pods.claim(replica_set, only=pods.is_active)
        failure: Failure | None = None
        if may_act and not is_deleting(replica_set):
            failure = await self._act(key, replica_set, active)
        status = calculate_status(replica_set, active, failure, self._process.now())
        await self._write_status(replica_set, status)
        seconds = replica_set["spec"].get("minReadySeconds", 0)
        ready, available = status.get("readyReplicas", 0), status.get("availableReplicas", 0)
        if seconds and failure is None and ready == _wanted(replica_set) != available:
            self._queue.add_after(key, seconds)
        if failure is not None:
            raise failure

    async def _act(self, key: str, replica_set: Object, active: list[Object]) -> Failure | None:
        difference = _wanted(replica_set) - len(active)
        if difference > 0:
            return await self._create(key, replica_set, min(difference, BURST_REPLICAS))
        if difference < 0:
            return await self._delete(key, replica_set, active, min(-difference, BURST_REPLICAS))
        return None

    async def _create(self, key: str, replica_set: Object, count: int) -> Failure | None:
        self._expectations.expect_creations(key, count)
        created, failure = await slow_start(count, lambda: self._control.create(replica_set, pod_of(replica_set)))
        for _ in range(count - created):  # of those that were never asked for, nothing will be seen
            self._expectations.created(key)
        return failure

    async def _delete(self, key: str, replica_set: Object, active: list[Object], count: int) -> Failure | None:
        chosen = pods.to_delete(active, self._related(replica_set), count, self._process.now())
        self._expectations.expect_deletions(key, [key_of(pod) for pod in chosen])
        failures = await asyncio.gather(*(self._control.delete(replica_set, key, pod) for pod in chosen))
        return next((failure for failure in failures if failure is not None), None)

    def _related(self, replica_set: Object) -> list[Object]:
        """Return the pods of all ReplicaSets of the same Deployment."""
        owner = controller_of(replica_set)
        siblings = [
            one
            for one in self._replica_sets.items()
            if one is replica_set or (owner and (controller_of(one) or {}).get("uid") == owner["uid"])
        ]
        return [pod for one in siblings for pod in self._pods.of(one)]

    async def _write_status(self, replica_set: Object, status: Object) -> None:
        if status == replica_set.get("status", {}):
            return
        try:
            await self._client.update(REPLICA_SET, {**replica_set, "status": status}, "status")
        except Conflict:  # somebody changed its spec meanwhile; what was counted is still true
            metadata = replica_set["metadata"]
            live = await self._client.get(REPLICA_SET, metadata["name"], metadata["namespace"])
            if live.get("status", {}) != status:
                await self._client.update(REPLICA_SET, {**live, "status": status}, "status")


def pod_of(replica_set: Object) -> Object:
    """Make a pod from the template; the server makes up the end of its name."""
    template = replica_set["spec"]["template"]
    metadata = {key: value for key, value in template.get("metadata", {}).items() if key in ("labels", "annotations")}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"{replica_set['metadata']['name']}-"[:POD_NAME_PREFIX_MAX],
            "namespace": replica_set["metadata"]["namespace"],
            **metadata,
            "ownerReferences": [controller_reference(REPLICA_SET, replica_set)],
        },
        "spec": template["spec"],
    }


def calculate_status(replica_set: Object, active: list[Object], failure: Failure | None, now: datetime) -> Object:
    """Make the status: counts of the active pods (zeros left out but for `replicas`), ReplicaFailure if so."""
    labels = replica_set["spec"]["template"].get("metadata", {}).get("labels", {}).items()
    seconds = replica_set["spec"].get("minReadySeconds", 0)
    numbers = {
        "fullyLabeledReplicas": sum(labels <= pod["metadata"].get("labels", {}).items() for pod in active),
        "readyReplicas": sum(pods.is_ready(pod) for pod in active),
        "availableReplicas": sum(pods.is_available(pod, seconds, now) for pod in active),
        "observedGeneration": replica_set["metadata"].get("generation", 0),
    }
    status: Object = {"replicas": len(active), **{name: number for name, number in numbers.items() if number}}
    before = replica_set.get("status", {}).get("conditions", [])
    conditions = [dict(each) for each in before]
    known = next((each for each in conditions if each["type"] == "ReplicaFailure"), None)
    if failure is None:
        conditions = [each for each in conditions if each is not known]
    elif known is None:
        reason = "FailedCreate" if len(active) < _wanted(replica_set) else "FailedDelete"
        conditions.append(
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": time.rfc3339(now),
                "reason": reason,
                "message": str(failure),
            }
        )
    if conditions:
        status["conditions"] = conditions
    return status


def _wanted(replica_set: Object) -> int:
    return int(replica_set["spec"].get("replicas", 1))
