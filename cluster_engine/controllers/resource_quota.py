"""The ResourceQuota controller: how much of each quota is used, counted from what there is.

Theory of operation. The API server adds to a quota's status what new objects use; this controller counts anew when a
quota has changed, when something that it counts has gone or a pod has ended, and every five minutes. Only what some
quota limits is watched.

    DELETED pod a (its namespace has a quota of pods)   →   PUT resourcequotas/sum/status  used {pods: 2}

Modelled on `pkg/controller/resourcequota/resource_quota_controller.go` and resource_quota_monitor.go.
"""

import asyncio

from cluster_engine.api import usage
from cluster_engine.api.kinds import BUILT_IN, RESOURCE_QUOTA
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical, total
from cluster_engine.api.schema import Kind
from cluster_engine.client import Informer, WorkQueue, key_of
from cluster_engine.controllers.context import Context

WORKERS = 5
RESYNC_SECONDS = 300.0


class ResourceQuotaController:
    """Keeps the status of quotas."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._informers = context.informers
        self._quotas = context.informers.informer(RESOURCE_QUOTA)
        self._followed: dict[Kind, Informer] = {}
        self._queue = WorkQueue[str]("resourcequota_primary")
        self._quotas.on(add=self._enqueue, update=self._changed)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run(self._sync, workers=WORKERS))
            while True:
                await asyncio.sleep(RESYNC_SECONDS)
                for quota in self._quotas.items():
                    self._enqueue(quota)

    def _enqueue(self, quota: Object) -> None:
        self._queue.add(key_of(quota))

    def _changed(self, old: Object, new: Object) -> None:
        if old["spec"] != new["spec"]:
            self._enqueue(new)

    def _freed(self, obj: Object) -> None:
        for quota in self._quotas.items():
            if quota["metadata"]["namespace"] == obj["metadata"]["namespace"]:
                self._enqueue(quota)

    def _pod_changed(self, old: Object, new: Object) -> None:
        if usage.has_ended(new) and not usage.has_ended(old):
            self._freed(new)

    def _follow(self, kind: Kind) -> Informer:
        informer = self._followed.get(kind)
        if informer is None:
            informer = self._followed[kind] = self._informers.informer(kind)
            informer.on(delete=self._freed, update=self._pod_changed if kind.name == "Pod" else None)
        return informer

    async def _sync(self, key: str) -> None:
        quota = self._quotas.get(key)
        if quota is None:
            return
        hard = {name: canonical(amount) for name, amount in (quota["spec"].get("hard") or {}).items()}
        listed: dict[str, list[str]] = {name: [] for name in hard}
        namespace = quota["metadata"]["namespace"]
        for kind in {kind for name in hard if (kind := kind_of(name)) is not None}:
            informer = self._follow(kind)
            await informer.synced()
            for obj in informer.items():
                if obj["metadata"].get("namespace") != namespace or not usage.counts(quota, kind, obj):
                    continue
                for name, amount in usage.usage_of(kind, obj).items():
                    if name in listed:
                        listed[name].append(amount)
        status = {"hard": hard, "used": {name: total(amounts) for name, amounts in listed.items()}}
        if hard and status != quota.get("status"):
            await self._client.update(RESOURCE_QUOTA, {**quota, "status": status}, "status")


def kind_of(name: str) -> Kind | None:
    """Return the kind that a quota's resource is about."""
    if name.startswith("count/"):
        plural = name.removeprefix("count/")
    else:
        plural = name.partition(".")[0] if name.partition(".")[0] in usage.OLD_NAMES else "pods"
    return next((kind for kind in BUILT_IN.stored if kind.resource_name == plural and kind.namespaced), None)
