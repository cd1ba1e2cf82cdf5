"""The CronJob controller: a Job whenever its time has come.

Theory of operation. A CronJob is looked at when it or one of its Jobs changes, and when its next time has come. A look
takes away finished Jobs beyond the limits, notes which of its Jobs have ended, finds the last time that is due, and
makes one Job for it, named after the minute: made twice it would be refused, so nothing is lost when the controller
dies between the Job and the status.

    10:05:00.1   POST jobs/hello-29453885   PUT cronjobs/hello/status  lastScheduleTime 10:05, active [hello-29453885]
    10:05:09     PUT cronjobs/hello/status  active [], lastSuccessfulTime

Modelled on `pkg/controller/cronjob/cronjob_controllerv2.go`.
"""

from datetime import UTC, datetime
from typing import Any

from cluster_engine.api import cron, time
from cluster_engine.api.kinds import CRON_JOB, JOB
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Forbidden, NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import cron_schedule, job_status
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.cron_schedule import job_name, schedule_of, seconds_to_next
from cluster_engine.controllers.ownership import (
    BY_CONTROLLER,
    controller_of,
    controller_uids,
    is_controlled_by,
    is_deleting,
)
from cluster_engine.controllers.pod_control import namespace_ends

WORKERS = 5
TOO_MANY = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
FORBIDDEN = "Not starting job because prior execution is running and concurrency policy is Forbid"


class CronJobController:
    """Keeps CronJobs; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._cron_jobs = context.informers.informer(CRON_JOB)
        self._jobs = context.informers.informer(JOB)
        self._jobs.add_index(BY_CONTROLLER, controller_uids)
        self._queue = WorkQueue[str]("cronjob")
        self._cron_jobs.on(add=self._enqueue, update=self._changed, delete=self._enqueue)
        self._jobs.on(add=self._job_seen, update=lambda _, new: self._job_seen(new), delete=self._job_seen)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    # -- what wakes it

    def _enqueue(self, cron_job: Object) -> None:
        self._queue.add(key_of(cron_job))

    def _changed(self, old: Object, new: Object) -> None:
        """Look at once, but only at its time after a change of the schedule."""
        if all(old["spec"].get(name) == new["spec"].get(name) for name in ("schedule", "timeZone")):
            self._enqueue(new)
            return
        try:
            schedule = schedule_of(new)
        except ValueError:
            text = f"unparseable schedule for cronjob: {new['spec']['schedule']}"
            self._events.event(new, "Warning", "UnParseableCronJobSchedule", text)
            return
        seconds = seconds_to_next(new, new.get("status") or {}, schedule, self._process.now())
        self._queue.add_after(key_of(new), seconds)

    def _job_seen(self, job: Object) -> None:
        reference = controller_of(job)
        if reference is None or reference["kind"] != CRON_JOB.name:
            return
        owner = self._cron_jobs.get(f"{job['metadata']['namespace']}/{reference['name']}")
        if owner and is_controlled_by(job, owner):
            self._enqueue(owner)

    # -- one look

    async def _sync(self, key: str) -> None:
        cron_job = self._cron_jobs.get(key)
        if cron_job is None:
            return
        before = cron_job.get("status") or {}
        status: dict[str, Any] = {**before, "active": list(before.get("active") or ())}
        jobs = self._jobs.by_index(BY_CONTROLLER, cron_job["metadata"]["uid"])
        failure: Refusal | None = None
        seconds: float | None = None
        try:
            await self._forget_old(cron_job, status, jobs)
            await self._note_jobs(cron_job, status, jobs)
            seconds = await self._start(cron_job, status)
        except Refusal as refusal:
            failure = refusal
        if not status["active"]:
            del status["active"]
        if status != before:
            await self._client.update(CRON_JOB, {**cron_job, "status": status}, "status")
        if failure is not None:
            raise failure
        if seconds is not None:
            self._queue.add_after(key, seconds)

    async def _forget_old(self, cron_job: Object, status: Object, jobs: list[Object]) -> None:
        """Delete the oldest finished Jobs beyond the limits."""
        for type_, field in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            limit = cron_job["spec"].get(field)
            ended = [job for job in jobs if job_status.has(job, type_) and not is_deleting(job)]
            if limit is None or len(ended) <= limit:
                continue
            ended.sort(key=lambda job: (job["status"].get("startTime") or "~", job["metadata"]["name"]))
            for job in ended[: len(ended) - limit]:
                await self._delete(cron_job, status, job)

    async def _delete(self, cron_job: Object, status: Object, job: Object) -> bool:
        metadata = job["metadata"]
        try:
            await self._client.delete(
                JOB, metadata["name"], metadata["namespace"], options={"propagationPolicy": "Background"}
            )
        except Refusal as refusal:
            self._events.event(cron_job, "Warning", "FailedDelete", f"Deleted job: {refusal}")
            return False
        _drop(status, metadata["uid"])
        self._events.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {metadata['name']}")
        return True

    async def _note_jobs(self, cron_job: Object, status: Object, jobs: list[Object]) -> None:
        """Note which Jobs have ended, succeeded or are gone."""
        active = {each["uid"] for each in status["active"]}
        for job in jobs:
            uid, name = job["metadata"]["uid"], job["metadata"]["name"]
            if not job_status.is_finished(job):
                if uid not in active and not await self._is_active_by_now(cron_job, uid):
                    text = f"Saw a job that the controller did not create or forgot: {name}"
                    self._events.event(cron_job, "Warning", "UnexpectedJob", text)
                continue
            if uid in active:
                _drop(status, uid)
                condition = "Complete" if job_status.has(job, "Complete") else "Failed"
                text = f"Saw completed job: {name}, condition: {condition}"
                self._events.event(cron_job, "Normal", "SawCompletedJob", text)
            ended = job["status"].get("completionTime")
            if job_status.has(job, "Complete") and ended:
                status["lastSuccessfulTime"] = max(status.get("lastSuccessfulTime") or "", ended)
        known = {job["metadata"]["uid"] for job in jobs}
        for reference in [each for each in status["active"] if each["uid"] not in known]:
            try:
                await self._client.get(JOB, reference["name"], reference["namespace"])
            except NotFound:
                text = f"Active job went missing: {reference['name']}"
                self._events.event(cron_job, "Normal", "MissingJob", text)
                _drop(status, reference["uid"])

    async def _is_active_by_now(self, cron_job: Object, uid: str) -> bool:
        """Ask the server: what this controller has written itself may not have been heard of yet."""
        metadata = cron_job["metadata"]
        live = await self._client.get(CRON_JOB, metadata["name"], metadata["namespace"])
        return any(each["uid"] == uid for each in (live.get("status") or {}).get("active") or ())

    async def _start(self, cron_job: Object, status: Object) -> float | None:
        """Make the Job that is due; return after how many seconds to look again, None: when something changes."""
        spec, now = cron_job["spec"], self._process.now()
        if is_deleting(cron_job):
            return None
        if not self._zone_is_known(cron_job) or spec.get("suspend"):
            return None
        try:
            schedule = schedule_of(cron_job)
        except ValueError as error:
            text = f'unparseable schedule: "{spec["schedule"]}" : {error}'
            self._events.event(cron_job, "Warning", "UnparseableSchedule", text)
            return None
        try:
            due = cron_schedule.due(cron_job, status, schedule, now, within_deadline=True)
        except ValueError as error:
            text = f"invalid schedule: {spec['schedule']} : {error}"
            self._events.event(cron_job, "Warning", "InvalidSchedule", text)
            return None
        if due.last is not None:
            if due.missed > cron_schedule.MISSED_MAX:
                self._events.event(cron_job, "Warning", "TooManyMissedTimes", TOO_MANY)
            if self._may_start(cron_job, status, due.last, now):
                await self._make(cron_job, status, due.last)
        return seconds_to_next(cron_job, status, schedule, now)

    def _zone_is_known(self, cron_job: Object) -> bool:
        zone = cron_job["spec"].get("timeZone")
        try:
            cron.zone(zone or "UTC")
        except ValueError as error:
            text = f'invalid timeZone: "{zone}": {error}'
            self._events.event(cron_job, "Warning", "UnknownTimeZone", text)
            return False
        return True

    def _may_start(self, cron_job: Object, status: Object, at: datetime, now: datetime) -> bool:
        deadline = cron_job["spec"].get("startingDeadlineSeconds")
        if deadline is not None and (now - at).total_seconds() > deadline:
            text = f"Missed scheduled time to start a job: {at.strftime('%a, %d %b %Y %H:%M:%S +0000')}"
            self._events.event(cron_job, "Warning", "MissSchedule", text)
            return False
        name = job_name(cron_job, at)
        if any(each["name"] == name for each in status["active"]) or status.get("lastScheduleTime") == time.rfc3339(at):
            return False
        if cron_job["spec"].get("concurrencyPolicy") == "Forbid" and status["active"]:
            self._events.event(cron_job, "Normal", "JobAlreadyActive", FORBIDDEN)
            return False
        return True

    async def _make(self, cron_job: Object, status: Object, at: datetime) -> None:
        if cron_job["spec"].get("concurrencyPolicy") == "Replace":
            await self._end_running(cron_job, status)
        wanted = cron_schedule.job_of(cron_job, at.astimezone(UTC))
        metadata = wanted["metadata"]
        try:
            job = await self._client.create(JOB, wanted)
        except AlreadyExists:  # made before, by this controller, and not noted: or it is somebody else's
            job = await self._client.get(JOB, metadata["name"], metadata["namespace"])
            if not is_controlled_by(job, cron_job) or any(
                each["uid"] == job["metadata"]["uid"] for each in status["active"]
            ):
                return
        except Refusal as refusal:
            if not (isinstance(refusal, Forbidden) and namespace_ends(refusal)):
                self._events.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {refusal}")
            raise
        else:
            self._events.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {metadata['name']}")
        status["active"].append(
            {
                "kind": JOB.name,
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": job["metadata"]["uid"],
                "apiVersion": JOB.api_version,
                "resourceVersion": job["metadata"]["resourceVersion"],
            }
        )
        status["lastScheduleTime"] = time.rfc3339(at)

    async def _end_running(self, cron_job: Object, status: Object) -> None:
        for reference in list(status["active"]):
            try:
                job = await self._client.get(JOB, reference["name"], reference["namespace"])
            except Refusal as refusal:
                self._events.event(cron_job, "Warning", "FailedGet", f"Get job: {refusal}")
                raise
            if not await self._delete(cron_job, status, job):
                raise Refusal(f"could not replace job {key_of(job)}")


def _drop(status: Object, uid: str) -> None:
    status["active"] = [each for each in status["active"] if each["uid"] != uid]
