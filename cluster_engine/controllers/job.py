"""The Job controller: pods that come to an end, until so many of them have succeeded.

Theory of operation. It keeps as many pods as `parallelism` and what is left of `completions` allow, counts those that
end (`job_status`), makes no new one too soon after a failure, and says what has come of it in two steps: what decides
is written before the last finalizers go (SuccessCriteriaMet, FailureTarget), the end after it (Complete, Failed).

    POST pod  → … Succeeded → PUT jobs/status uncounted, SuccessCriteriaMet → PATCH pod → PUT jobs/status Complete

A Job that has failed has its running pods deleted; one that is suspended too. Modelled on
`pkg/controller/job/job_controller.go`. What is special of indexes is in `job_indexes`.
"""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import JOB, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import job_indexes, job_status, pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.job_orphans import OrphanPods
from cluster_engine.controllers.job_status import INDEX, TRACKING, condition, has
from cluster_engine.controllers.owned_pods import OwnedPods
from cluster_engine.controllers.ownership import controller_reference, is_deleting
from cluster_engine.controllers.pod_control import Failure, PodControl, slow_start

WORKERS = 5
SYNC_DELAY_SECONDS = 1.0
"""So long the news of pods are gathered before a Job is looked at (syncJobBatchPeriod)."""
PODS_A_SYNC_MAX = 500
UNCOUNTED_MAX = 500
POD_NAME_PREFIX_MAX = 253 - 5


class _Sync(msgspec.Struct):
    """One look at a Job: its status as it is to be, its pods, and what has come of it."""

    key: str
    job: Object
    status: dict[str, Any]
    pods: list[Object]
    active: list[Object]
    now: datetime
    succeeded: int = 0
    done: set[int] = msgspec.field(default_factory=set)
    lost: set[int] = msgspec.field(default_factory=set)
    """Indexes that have failed for good."""
    removed: int = 0
    """Pods that this look has deleted, and that do not say so yet."""
    verdict: Object | None = None
    changed: bool = False


class JobController:
    """Keeps Jobs; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._jobs = context.informers.informer(JOB)
        self._queue = WorkQueue[str]("job")
        self._expectations = Expectations()
        self._pods = OwnedPods(
            context, JOB, self._queue, self._expectations, delay_seconds=SYNC_DELAY_SECONDS, seen=self._pod_seen
        )
        self._orphans = OrphanPods(context)
        self._control = PodControl(context, self._expectations)
        self._failures: dict[str, tuple[int, datetime | None]] = {}
        """By key: failures in a row, and when the last was."""
        self._released: dict[str, set[str]] = {}
        """By key: uids of pods whose finalizer was taken away and may still be in the cache."""
        self._finished: set[str] = set()
        """Uids of Jobs whose end was written and may not be in the cache yet (finishedJobExpectations)."""
        self._jobs.on(update=self._changed, delete=self._gone)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._orphans.run())
            tasks.create_task(self._queue.run(self._sync, workers=WORKERS))

    def _changed(self, before: Object, job: Object) -> None:
        if job_status.is_finished(job):
            self._finished.discard(job["metadata"]["uid"])

    def _gone(self, job: Object) -> None:
        key = key_of(job)
        self._finished.discard(job["metadata"]["uid"])
        self._failures.pop(key, None)
        self._released.pop(key, None)

    def _pod_seen(self, key: str, pod: Object) -> None:
        if not job_status.is_tracked(pod):
            self._released.get(key, set()).discard(pod["metadata"]["uid"])

    # -- one sync

    async def _sync(self, key: str) -> None:
        job = self._jobs.get(key)
        if job is None:
            return
        if job["spec"].get("managedBy") or job_status.is_finished(job):
            await self._let_go(job)
            return
        if job["metadata"]["uid"] in self._finished:
            return
        sync = await self._look(key, job)
        self._count_failures(sync)
        self._judge(sync)
        failure: Failure | None = None
        if sync.verdict is not None:
            failure = await self._end_all(sync)
        else:
            failure = await self._manage(sync)
        await self._track(sync)
        if failure is not None:
            raise failure

    async def _look(self, key: str, job: Object) -> _Sync:
        """Gather what is known of a Job."""
        now = self._process.now()
        spec = job["spec"]
        status = dict(job.get("status") or {})
        status.setdefault("uncountedTerminatedPods", {})
        own = await self._pods.claim(job)
        own.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        active = [pod for pod in own if pods.is_active(pod)]
        sync = _Sync(key, job, status, own, active, now)
        if not status.get("startTime") and not spec.get("suspend"):
            status["startTime"] = time.rfc3339(now)
            sync.changed = True
            if spec.get("activeDeadlineSeconds") is not None:
                self._queue.add_after(key, float(spec["activeDeadlineSeconds"]))
        if job_status.is_indexed(job):
            sync.done = job_status.read_indexes(status.get("completedIndexes", ""), spec["completions"])
            ended = [pod for pod in own if pods.phase(pod) == "Succeeded"]
            sync.done |= {n for pod in ended if (n := job_status.index_of(pod)) is not None and n < spec["completions"]}
            sync.succeeded = len(sync.done)
            if job_indexes.is_limited(job):
                sync.lost = job_indexes.failed(job, own, sync.done)
        else:
            sync.succeeded = status.get("succeeded", 0) + self._uncounted(sync, "succeeded")
        return sync

    def _is_counted(self, sync: _Sync, pod: Object) -> bool:
        released = self._released.get(sync.key, set())
        return not job_status.is_tracked(pod) or pod["metadata"]["uid"] in released

    def _uncounted(self, sync: _Sync, which: str) -> int:
        """Count the pods that have ended so and are in no number yet."""
        known = sync.status["uncountedTerminatedPods"].get(which) or ()
        if which == "succeeded":
            new = [pod for pod in sync.pods if pods.phase(pod) == "Succeeded"]
        else:
            new = [pod for pod in sync.pods if job_status.is_failed(pod, sync.job) and self._counts(sync.job, pod)]
        uids = {pod["metadata"]["uid"] for pod in new if not self._is_counted(sync, pod)}
        return len(uids | set(known))

    @staticmethod
    def _counts(job: Object, pod: Object) -> bool:
        return job_status.verdict_of_policy(job, pod)[0] != "Ignore"

    def _count_failures(self, sync: _Sync) -> None:
        """Keep count of the failures in a row: a success sets it back."""
        failures, last = self._failures.get(sync.key, (0, None))
        fresh = [pod for pod in sync.pods if not self._is_counted(sync, pod)]
        known = sync.status["uncountedTerminatedPods"]
        seen = {*(known.get("succeeded") or ()), *(known.get("failed") or ())}
        ends = [pod for pod in fresh if pod["metadata"]["uid"] not in seen]
        for pod in sorted(ends, key=lambda one: job_status.ended_at(one) or sync.now):
            if pods.phase(pod) == "Succeeded":
                failures, last = 0, None
            elif job_status.is_failed(pod, sync.job) and self._counts(sync.job, pod):
                failures, last = failures + 1, job_status.ended_at(pod) or sync.now
        self._failures[sync.key] = (failures, last)

    def _judge(self, sync: _Sync) -> None:
        """Decide whether the Job has failed."""
        job, spec, now = sync.job, sync.job["spec"], sync.now
        if (decided := has(job, "FailureTarget") or has(job, "SuccessCriteriaMet")) is not None:
            sync.verdict = decided
            return
        for pod in sync.pods:
            if job_status.is_failed(pod, job):
                action, text = job_status.verdict_of_policy(job, pod)
                if action == "FailJob":
                    sync.verdict = condition("FailureTarget", ("PodFailurePolicy", text), now)
                    return
        failed = sync.status.get("failed", 0) + self._uncounted(sync, "failed")
        limit = spec["backoffLimit"]
        restarted = 0
        if spec["template"]["spec"].get("restartPolicy") == "OnFailure":
            restarted = job_status.restarts(sync.pods)
        if failed > limit or (restarted and restarted >= max(limit, 1)):
            sync.verdict = condition("FailureTarget", job_status.BACKOFF_LIMIT, now)
        elif (deadline := spec.get("activeDeadlineSeconds")) is not None and not spec.get("suspend"):
            left = deadline - (now - time.parse(sync.status["startTime"])).total_seconds()
            if left <= 0:
                sync.verdict = condition("FailureTarget", job_status.DEADLINE, now)
            else:
                self._queue.add_after(sync.key, left)
        if sync.verdict is None and job_status.is_indexed(job):
            failed_by_index = job_indexes.verdict(job, sync.lost, sync.done, now)
            sync.verdict = failed_by_index or job_indexes.success(job, sync.done, now)

    # -- pods

    async def _end_all(self, sync: _Sync) -> Failure | None:
        """Delete the pods of a Job that is over."""
        failures = await asyncio.gather(*(self._control.delete(sync.job, sync.key, pod) for pod in sync.active))
        sync.removed = failures.count(None)
        sync.active = [pod for pod, failure in zip(sync.active, failures, strict=True) if failure is not None]
        return next((failure for failure in failures if failure is not None), None)

    async def _manage(self, sync: _Sync) -> Failure | None:
        """Make and delete pods until there are as many as there should be."""
        job, spec = sync.job, sync.job["spec"]
        if not self._expectations.satisfied(sync.key) or is_deleting(job):
            return None
        self._say_whether_suspended(sync)
        surplus = len(sync.active) - self._wanted(sync)
        if surplus > 0:
            chosen = pods.to_delete(sync.active, sync.active, surplus, sync.now)[:PODS_A_SYNC_MAX]
            self._expectations.expect_deletions(sync.key, [key_of(pod) for pod in chosen])
            failures = await asyncio.gather(*(self._control.delete(sync.job, sync.key, pod) for pod in chosen))
            sync.removed = failures.count(None)
            sync.active = [pod for pod in sync.active if pod not in chosen]
            return next((failure for failure in failures if failure is not None), None)
        waiting = 0
        if spec.get("podReplacementPolicy") == "Failed":
            waiting = sum(is_deleting(pod) and not pods.is_terminal(pod) for pod in sync.pods)
        missing = -surplus - waiting
        if missing <= 0:
            self._judge_success(sync)
            return None
        if job_indexes.is_limited(job):
            return await self._create_by_index(sync, min(missing, PODS_A_SYNC_MAX))
        wait = job_status.wait_seconds(*self._failures.get(sync.key, (0, None)), sync.now)
        if wait > 0:
            self._queue.add_after(sync.key, wait)
            return None
        return await self._create(sync, min(missing, PODS_A_SYNC_MAX))

    def _wanted(self, sync: _Sync) -> int:
        spec = sync.job["spec"]
        if spec.get("suspend"):
            return 0
        if spec.get("completions") is None:
            return len(sync.active) if sync.succeeded else int(spec["parallelism"])
        left = int(spec["completions"]) - sync.succeeded - len(sync.lost)
        return max(0, min(left, int(spec["parallelism"])))

    def _judge_success(self, sync: _Sync) -> None:
        needed = sync.job["spec"].get("completions")
        enough = sync.succeeded > 0 if needed is None else sync.succeeded >= needed
        if enough and not sync.active and not sync.job["spec"].get("suspend"):
            sync.verdict = condition("SuccessCriteriaMet", job_status.COMPLETE, sync.now)

    def _say_whether_suspended(self, sync: _Sync) -> None:
        known = pods.condition(sync.job, "Suspended")
        if sync.job["spec"].get("suspend"):
            wanted = condition("Suspended", ("JobSuspended", "Job suspended"), sync.now)
        elif known is not None:
            wanted = condition("Suspended", ("JobResumed", "Job resumed"), sync.now, "False")
        else:
            return
        if known is not None and known["status"] == wanted["status"]:
            return
        others = [each for each in sync.status.get("conditions") or () if each["type"] != "Suspended"]
        sync.status["conditions"] = [*others, wanted]
        sync.changed = True
        if wanted["status"] == "False":
            sync.status["startTime"] = time.rfc3339(sync.now)
        event = "Suspended" if wanted["status"] == "True" else "Resumed"
        self._events.event(sync.job, "Normal", event, wanted["message"])

    async def _create_by_index(self, sync: _Sync, count: int) -> Failure | None:
        """Make pods of those indexes that have waited long enough after their last failure."""
        job = sync.job
        failed = job_indexes.last_failed(job, sync.pods)
        waits = {index: job_indexes.wait_seconds(pod, sync.now) for index, pod in failed.items()}
        waiting = {index for index, wait in waits.items() if wait > 0 and index not in sync.done | sync.lost}
        if waiting:
            self._queue.add_after(sync.key, min(waits[index] for index in waiting))
        taken = sync.done | sync.lost | waiting
        found = job_status.pending_indexes(sync.active, taken, count, job["spec"]["completions"])
        wanted = []
        for index in found:
            pod = pod_of(job, index)
            pod["metadata"]["annotations"].update(job_indexes.annotations(job, failed.get(index)))
            wanted.append(pod)
        return await self._make(sync, wanted)

    async def _create(self, sync: _Sync, count: int) -> Failure | None:
        job = sync.job
        if not job_status.is_indexed(job):
            return await self._make(sync, [pod_of(job, None) for _ in range(count)])
        found = job_status.pending_indexes(sync.active, sync.done, count, job["spec"]["completions"])
        return await self._make(sync, [pod_of(job, index) for index in found])

    async def _make(self, sync: _Sync, wanted: list[Object]) -> Failure | None:
        """Make these pods."""
        self._expectations.expect_creations(sync.key, len(wanted))
        left = iter(wanted)
        made: list[Object] = []
        created, failure = await slow_start(len(wanted), lambda: self._control.create(sync.job, next(left), made))
        for _ in range(len(wanted) - created):
            self._expectations.created(sync.key)
        sync.active = [*sync.active, *made]
        return failure

    # -- counting

    async def _track(self, sync: _Sync) -> None:
        """Count what has ended, and say what has come of the Job."""
        job, status = sync.job, sync.status
        kept = self._kept(sync)
        going = [pod for pod in sync.pods if pod["metadata"]["uid"] not in kept and self._may_go(sync, pod)]
        going = going[:UNCOUNTED_MAX]
        self._note_uncounted(sync, going)
        tracked = {pod["metadata"]["uid"] for pod in sync.pods if not self._is_counted(sync, pod)}
        status, counted = job_status.counted(status, tracked)
        status |= self._numbers(sync)
        conditions = list(status.get("conditions") or ())
        if sync.verdict is not None and has(job, sync.verdict["type"]) is None:
            status["conditions"] = [*conditions, sync.verdict]
            sync.changed = True
        if sync.changed or counted or status != (job.get("status") or {}):
            job = await self._write(job, status)
            status = dict(job["status"])
        released = await asyncio.gather(*(self._release(sync.key, pod) for pod in going))
        tracked -= {pod["metadata"]["uid"] for pod, gone in zip(going, released, strict=True) if gone}
        status, counted = job_status.counted(status, tracked)
        finished = self._end(sync, status)
        if counted or finished:
            await self._write(job, status)
        if finished:
            self._finished.add(job["metadata"]["uid"])
            self._tell_the_end(job, status)

    @staticmethod
    def _kept(sync: _Sync) -> set[str]:
        """Return uids of failed pods that are kept: the next pod of their index will have to know of them."""
        if sync.verdict is not None or is_deleting(sync.job) or not job_indexes.is_limited(sync.job):
            return set()
        replaced = {job_status.index_of(pod) for pod in sync.active} | sync.done | sync.lost
        failed = job_indexes.last_failed(sync.job, sync.pods)
        return {pod["metadata"]["uid"] for index, pod in failed.items() if index not in replaced}

    def _may_go(self, sync: _Sync, pod: Object) -> bool:
        if self._is_counted(sync, pod):
            return False
        over = is_deleting(sync.job) or sync.verdict is not None or pods.phase(pod) == "Succeeded"
        return over or job_status.is_failed(pod, sync.job)

    def _note_uncounted(self, sync: _Sync, going: list[Object]) -> None:
        uncounted = {name: list(uids) for name, uids in sync.status["uncountedTerminatedPods"].items()}
        failed = sync.verdict is not None and sync.verdict["type"] != "SuccessCriteriaMet"
        for pod in going:
            uid = pod["metadata"]["uid"]
            if pods.phase(pod) == "Succeeded":
                if not job_status.is_indexed(sync.job):
                    _add(uncounted, "succeeded", uid)
            elif (failed or job_status.is_failed(pod, sync.job)) and self._counts(sync.job, pod):
                _add(uncounted, "failed", uid)
        if uncounted != sync.status["uncountedTerminatedPods"]:
            sync.status["uncountedTerminatedPods"] = uncounted
            sync.changed = True

    def _numbers(self, sync: _Sync) -> dict[str, Any]:
        """Return the numbers of pods that are there now; Go leaves out an `active` of zero."""
        deleted = [pod for pod in sync.pods if is_deleting(pod) and not pods.is_terminal(pod)]
        found: dict[str, Any] = {
            "ready": sum(pods.is_ready(pod) for pod in sync.active),
            "terminating": len(deleted) + sync.removed,
            "active": len(sync.active),
        }
        if job_status.is_indexed(sync.job):
            found["completedIndexes"] = job_status.written_indexes(sync.done)
            found["succeeded"] = len(sync.done)
        if job_indexes.is_limited(sync.job):
            found["failedIndexes"] = job_status.written_indexes(sync.lost)
        return found

    async def _release(self, key: str, pod: Object) -> bool:
        """Take the finalizer away; return whether it is gone."""
        metadata = pod["metadata"]
        released = self._released.setdefault(key, set())
        released.add(metadata["uid"])
        try:
            await self._client.patch(POD, metadata["name"], job_status.untracked(), metadata["namespace"])
        except NotFound:
            released.discard(metadata["uid"])
        except (Refusal, ConnectionError, TimeoutError):
            released.discard(metadata["uid"])
            return False
        return True

    def _end(self, sync: _Sync, status: Object) -> bool:
        """Write the end into the status, if it is one; return whether it is."""
        uncounted = status.get("uncountedTerminatedPods") or {}
        if sync.verdict is None or any(uncounted.values()) or status.get("terminating") or status.get("active"):
            return False
        type_ = "Complete" if sync.verdict["type"] == "SuccessCriteriaMet" else "Failed"
        why = (sync.verdict["reason"], sync.verdict["message"])
        status["conditions"] = [*(status.get("conditions") or ()), condition(type_, why, self._process.now())]
        if type_ == "Complete":
            status["completionTime"] = time.rfc3339(self._process.now())
        return True

    def _tell_the_end(self, job: Object, status: Object) -> None:
        end = status["conditions"][-1]
        if end["type"] == "Complete":
            self._events.event(job, "Normal", "Completed", "Job completed")
        else:
            self._events.event(job, "Warning", end["reason"], end["message"])

    async def _let_go(self, job: Object) -> None:
        """Let the pods of a Job that is over go, also those that turned up late."""
        if not job_status.is_finished(job):
            return
        key = key_of(job)
        for pod in self._pods.of(job):
            if job_status.is_tracked(pod) and pod["metadata"]["uid"] not in self._released.get(key, set()):
                await self._release(key, pod)

    async def _write(self, job: Object, status: Object) -> Object:
        left = {name: value for name, value in status.items() if value != 0 or name in ("ready", "terminating")}
        return await self._client.update(JOB, {**job, "status": left}, "status")


def _add(uncounted: dict[str, list[str]], which: str, uid: str) -> None:
    uids = uncounted.setdefault(which, [])
    if uid not in uids:
        uids.append(uid)


def pod_of(job: Object, index: int | None) -> Object:
    """Make a pod from the template; the server makes up the end of its name."""
    template, name = job["spec"]["template"], job["metadata"]["name"]
    metadata = {key: dict(value) for key, value in template.get("metadata", {}).items() if key in _CARRIED}
    spec = template["spec"]
    if index is not None:
        metadata.setdefault("annotations", {})[INDEX] = str(index)
        metadata.setdefault("labels", {})[INDEX] = str(index)
        spec = _with_index(spec, f"{name}-{index}")
        name = f"{name}-{index}"
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"{name}-"[:POD_NAME_PREFIX_MAX],
            "namespace": job["metadata"]["namespace"],
            **metadata,
            "finalizers": [TRACKING],
            "ownerReferences": [controller_reference(JOB, job)],
        },
        "spec": spec,
    }


_CARRIED = ("labels", "annotations")


def _with_index(spec: Object, hostname: str) -> Object:
    """Tell each container its number."""
    path = f"metadata.labels['{INDEX}']"
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": path}}}
    changed: Object = {"hostname": hostname}
    for field_ in ("initContainers", "containers"):
        if spec.get(field_):
            changed[field_] = [{**each, "env": [*(each.get("env") or ()), variable]} for each in spec[field_]]
    return {**spec, **changed}
