"""Telling the API server how pods are: one writer, one PATCH for each real change.

Theory of operation. Workers hand in statuses; one that equals the last is dropped. A single task sends what is new: GET
the pod (is it still this one?), then a strategic PATCH of `pods/<name>/status` with the difference. What could not be
sent is tried again every RESYNC_SECONDS, and so often what others have overwritten is put right: two kubelets that
speak for one pod do not do so as fast as they can. Only a pod's latest status matters, those in between are never told.

A pod that is to be deleted and whose containers have ended is then removed by a second DELETE, with grace 0: only the
kubelet says that a pod has really stopped, which is why pods of a dead node stay Terminating.

    set Pending ─▶ GET, PATCH     set Running ─▶ GET, PATCH     set Running (same) ─▶ nothing
    overwritten (pods of a silent node are told Ready=False) ─▶ at the next of the 10 s: GET, PATCH
    finish Succeeded, deletionTimestamp is set ─▶ GET, PATCH, DELETE {gracePeriodSeconds: 0, preconditions: {uid}}

Modelled on pkg/kubelet/status/status_manager.go.
"""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.status_patch import two_way

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

RESYNC_SECONDS = 10.0


class _Told(msgspec.Struct):
    """The latest status of one pod, and whether its containers have ended for good."""

    pod: Object
    status: Object
    finished: bool = False
    version: int = 0
    """The pod's resourceVersion when it was last read or written here."""


class StatusManager:
    """Statuses by pod uid."""

    def __init__(self, client: Client, process: "Process") -> None:
        self._client = client
        self._process = process
        self._told: dict[str, _Told] = {}
        self._dirty: dict[str, None] = {}
        self._overwritten: dict[str, None] = {}
        self._work = asyncio.Event()

    def status(self, pod: Object) -> Object:
        """Return the latest status of a pod: as handed in here, else as the API has it."""
        told = self._told.get(pods.uid(pod))
        return told.status if told else dict(pod.get("status") or {})

    def set(self, pod: Object, status: Object) -> None:
        """Hand in a status."""
        uid = pods.uid(pod)
        told = self._told.get(uid)
        if told is None:
            told = self._told[uid] = _Told(pod, {})
        told.pod = pod
        if told.status != status:
            told.status = status
            self._mark(uid)

    def finish(self, pod: Object, status: Object) -> None:
        """Hand in the last status: no container of the pod will ever run again."""
        self.set(pod, status)
        self._told[pods.uid(pod)].finished = True
        if pods.is_deleted(pod):
            self._mark(pods.uid(pod))

    def reconcile(self, pod: Object, uid: str) -> None:
        """Tell a status once more that somebody has overwritten: the node controller, while this node was not heard.

        `uid` is the one by which the pod is known here: a mirror pod's is that of its static pod.
        """
        told = self._told.get(uid)
        if told is None or int(pod["metadata"]["resourceVersion"]) <= told.version:
            return
        if two_way(pod.get("status") or {}, _with_foreign_conditions(told.status, pod)):
            if not self._overwritten:
                loop = asyncio.get_running_loop()
                loop.call_later(RESYNC_SECONDS - loop.time() % RESYNC_SECONDS, self._resync)
            self._overwritten[uid] = None

    def _resync(self) -> None:
        for uid in self._overwritten:
            self._mark(uid)
        self._overwritten.clear()

    def forget(self, uid: str) -> None:
        """Drop a pod that the API no longer has."""
        self._told.pop(uid, None)
        self._dirty.pop(uid, None)
        self._overwritten.pop(uid, None)

    def _mark(self, uid: str) -> None:
        self._dirty[uid] = None
        self._work.set()

    async def run(self) -> None:
        """Send what changes, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            failed = [uid for uid in list(self._dirty) if not await self._send(uid)]
            if failed and not self._work.is_set():
                await asyncio.sleep(RESYNC_SECONDS)
                self._work.set()

    async def _send(self, uid: str) -> bool:
        self._dirty.pop(uid, None)
        told = self._told.get(uid)
        if told is None:
            return True
        try:
            await self._sync(uid, told)
        except NotFound:
            return True
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("kubelet.status", f"could not tell the status of {pods.full_name(told.pod)}: {error}")
            self._dirty[uid] = None
            return False
        return True

    async def _sync(self, uid: str, told: _Told) -> None:
        await self._process.work("kubelet.status")
        metadata = told.pod["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        pod = await self._client.get(POD, name, namespace)
        if pods.uid(pod) != uid and not pods.is_mirror_of(pod, told.pod):
            return
        told.version = int(pod["metadata"]["resourceVersion"])
        patch = two_way(pod.get("status") or {}, _with_foreign_conditions(told.status, pod))
        if patch:
            body = {"metadata": {"uid": pods.uid(pod)}, "status": patch}
            pod = await self._client.patch(POD, name, body, namespace, subresource="status")
            told.version = int(pod["metadata"]["resourceVersion"])
        if told.finished and pods.is_deleted(pod):
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pods.uid(pod)}}
            await self._client.delete(POD, name, namespace, options=options)


def _with_foreign_conditions(status: Object, pod: Object) -> Object:
    """Keep the conditions that others wrote meanwhile, and the fields that are not the kubelet's."""
    ours = {condition["type"] for condition in status.get("conditions") or []}
    theirs = [
        condition for condition in (pod.get("status") or {}).get("conditions") or [] if condition["type"] not in ours
    ]
    merged = {**status, "conditions": [*status.get("conditions", []), *theirs]}
    for field in ("nominatedNodeName", "resize"):
        if field in (pod.get("status") or {}):
            merged[field] = pod["status"][field]
    return merged
