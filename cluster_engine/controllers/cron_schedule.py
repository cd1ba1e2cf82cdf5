"""When a CronJob's next Job is due, which times were missed, and what the Job looks like: pure functions.

Theory of operation. What counts is the last time that a Job was made, or else the CronJob's creation. The times since
are not listed one by one: from the distance of the first two their number is estimated, and only the last is sought.

    created 10:00, */5, now 10:12    due: 10:10 (10:05 is lost), next look at 10:15 and a tenth of a second

Modelled on `pkg/controller/cronjob/utils.go`.
"""

from datetime import datetime, timedelta

import msgspec

from cluster_engine.api import cron, time
from cluster_engine.api.kinds import CRON_JOB, JOB
from cluster_engine.api.objects import Object
from cluster_engine.controllers.ownership import controller_reference

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
DELTA = timedelta(milliseconds=100)
"""So much later than due a CronJob is looked at: clocks may differ."""
MISSED_MAX = 100
NEVER = "time difference between two schedules is less than 1 second"


class Due(msgspec.Struct, frozen=True):
    """The last time that has come since `earliest`, if any, and how many have."""

    earliest: datetime
    last: datetime | None
    missed: int = 0


def schedule_of(cron_job: Object) -> cron.Schedule | cron.Every:
    """Read a CronJob's schedule. ValueError."""
    spec = cron_job["spec"]
    return cron.parse(spec["schedule"], spec.get("timeZone") or "UTC")


def due(
    cron_job: Object, status: Object, schedule: cron.Schedule | cron.Every, now: datetime, *, within_deadline: bool
) -> Due:
    """Find the last time that has come. ValueError for a schedule that never strikes."""
    earliest = time.parse(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if within_deadline and deadline is not None:
        earliest = max(earliest, now - timedelta(seconds=min(deadline, 10**9)))
    first = schedule.next(earliest)
    second = first and schedule.next(first)
    if first is None or second is None:
        raise ValueError(NEVER)
    if now < first:
        return Due(earliest, None)
    if now < second:
        return Due(earliest, first)
    step = second - first
    missed = (now - first) // step + 1
    last, moment = None, schedule.next(first + (missed - 2) * step)
    while moment is not None and moment <= now:
        last, moment = moment, schedule.next(moment)
    return Due(earliest, last, missed)


def seconds_to_next(cron_job: Object, status: Object, schedule: cron.Schedule | cron.Every, now: datetime) -> float:
    """Say after how many seconds a CronJob is to be looked at again."""
    try:
        found = due(cron_job, status, schedule, now, within_deadline=False)
        since = found.last or (now if found.missed else found.earliest)
    except ValueError:
        since = now
    moment = schedule.next(since)
    return (moment + DELTA - now).total_seconds() if moment else 0.0


def job_name(cron_job: Object, at: datetime) -> str:
    """Name the Job of a time, so that it cannot be made twice."""
    return f"{cron_job['metadata']['name']}-{int(at.timestamp()) // 60}"


def job_of(cron_job: Object, at: datetime) -> Object:
    """Make the Job of a time from the template."""
    spec, metadata = cron_job["spec"], cron_job["metadata"]
    template = spec["jobTemplate"]
    said = template.get("metadata") or {}
    local = at.astimezone(cron.zone(spec.get("timeZone") or "UTC")).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "metadata": {
            "name": job_name(cron_job, at),
            "namespace": metadata["namespace"],
            **({"labels": said["labels"]} if said.get("labels") else {}),
            "annotations": {**(said.get("annotations") or {}), SCHEDULED_AT: local},
            "ownerReferences": [controller_reference(CRON_JOB, cron_job)],
        },
        "spec": template["spec"],
    }
