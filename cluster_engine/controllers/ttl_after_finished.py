"""The TTL controller: Jobs that are over are deleted when their time has come.

    Job with ttlSecondsAfterFinished 100, Complete at 10:00:00   →   10:01:40   GET, DELETE (foreground)

Modelled on `pkg/controller/ttlafterfinished/ttlafterfinished_controller.go`.
"""

import contextlib

from cluster_engine.api import time
from cluster_engine.api.kinds import JOB
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.job_status import has
from cluster_engine.controllers.ownership import is_deleting

WORKERS = 5


class TtlAfterFinishedController:
    """Deletes finished Jobs after their time to live."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._jobs = context.informers.informer(JOB)
        self._queue = WorkQueue[str]("ttl_jobs_to_delete")
        self._jobs.on(add=self._seen, update=lambda _, new: self._seen(new))

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    def _seen(self, job: Object) -> None:
        if (seconds := self._seconds_left(job)) is not None:
            self._queue.add_after(key_of(job), seconds)

    def _seconds_left(self, job: Object) -> float | None:
        """Return in how many seconds a Job is to go; None when it is not, or not yet known."""
        lives = job["spec"].get("ttlSecondsAfterFinished")
        end = has(job, "Complete") or has(job, "Failed")
        if lives is None or end is None or is_deleting(job):
            return None
        return float(lives) - (self._process.now() - time.parse(end["lastTransitionTime"])).total_seconds()

    async def _sync(self, key: str) -> None:
        if (known := self._jobs.get(key)) is None:
            return
        metadata = known["metadata"]
        with contextlib.suppress(NotFound):
            live = await self._client.get(JOB, metadata["name"], metadata["namespace"])
            seconds = self._seconds_left(live)
            if seconds is None:
                return
            if seconds > 0:
                self._queue.add_after(key, seconds)
                return
            meant = {"uid": live["metadata"]["uid"], "resourceVersion": live["metadata"]["resourceVersion"]}
            options = {"propagationPolicy": "Foreground", "preconditions": meant}
            await self._client.delete(JOB, metadata["name"], metadata["namespace"], options=options)
