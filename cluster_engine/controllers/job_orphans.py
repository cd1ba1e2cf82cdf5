"""Pods of Jobs that are gone: their finalizer is taken away, or they could never go.

A pod of a Job carries a finalizer until it is counted (`job_status`). Where its Job is deleted first, nobody counts it
any more, and the garbage collector's DELETE would wait for the finalizer for ever.

    jobs/sum DELETED                                     each of its pods that carries the finalizer, into the queue
    pod sum-x7k2p MODIFIED, and there is no such Job     into the queue
    PATCH pods/sum-x7k2p                                 without the finalizer; again later, where that is refused

Modelled on enqueueOrphanPod and syncOrphanPod in `pkg/controller/job/job_controller.go`.
"""

from cluster_engine.api.kinds import JOB, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.job_status import is_tracked, untracked
from cluster_engine.controllers.ownership import BY_CONTROLLER, controller_of, is_controlled_by


class OrphanPods:
    """Lets the pods of deleted Jobs go."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._jobs = context.informers.informer(JOB)
        self._pods = context.informers.informer(POD)
        self._queue = WorkQueue[str]("job_orphan_pod")
        self._jobs.on(delete=self._job_gone)
        self._pods.on(add=self._seen, update=lambda _, new: self._seen(new))

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    def _job_gone(self, job: Object) -> None:
        for pod in self._pods.by_index(BY_CONTROLLER, job["metadata"]["uid"]):
            self._seen(pod)

    def _seen(self, pod: Object) -> None:
        if self._is_orphan(pod):
            self._queue.add(key_of(pod))

    def _is_orphan(self, pod: Object) -> bool:
        owner = controller_of(pod)
        if not is_tracked(pod) or (owner is not None and owner["kind"] != JOB.name):
            return False
        job = self._jobs.get(f"{pod['metadata']['namespace']}/{owner['name']}") if owner is not None else None
        return job is None or not is_controlled_by(pod, job)

    async def _sync(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None or not self._is_orphan(pod):
            return
        try:
            await self._client.patch(POD, pod["metadata"]["name"], untracked(), pod["metadata"]["namespace"])
        except NotFound:
            return
