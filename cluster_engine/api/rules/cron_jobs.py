"""Rules for CronJobs, from `pkg/apis/batch/validation/validation.go` and v1/defaults.go."""

import re

from cluster_engine.api import cron
from cluster_engine.api.causes import child, go_label_selector, invalid, not_supported, required
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

NAME_LENGTH_MAX = 63 - 11
"""The controller adds a dash and ten digits to make the names of Jobs."""
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


def cron_job(obj: Object, path: str, causes: list[Cause]) -> None:
    """The name leaves room for a Job's."""
    name = obj["metadata"].get("name", "")
    if len(name) > NAME_LENGTH_MAX:
        causes.append(invalid("metadata.name", name, f"must be no more than {NAME_LENGTH_MAX} characters"))


def cron_job_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Schedule and time zone can be read."""
    schedule, zone = obj.get("schedule", ""), obj.get("timeZone")
    where = child(path, "schedule")
    if not schedule:
        causes.append(required(where))
    else:
        if problem := _schedule_problem(schedule):
            causes.append(invalid(where, schedule, problem))
        if "TZ" in schedule:
            detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            both = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            causes.append(invalid(where, schedule, detail if zone is None else both))
    if zone is not None:
        causes += [invalid(child(path, "timeZone"), zone, each) for each in _zone_problems(zone)]


def _schedule_problem(schedule: str) -> str:
    try:
        cron.parse(schedule)
    except ValueError as error:
        return str(error)
    return ""


def _zone_problems(zone: str) -> list[str]:
    if not zone:
        return ["timeZone must be nil or non-empty string"]
    if any(part in (".", "..") or part[:1] == "-" or not _ZONE_PART.fullmatch(part) for part in zone.split("/")):
        return [f"unknown time zone {zone}"]
    if zone.lower() == "local":
        return ["timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"]
    try:
        cron.zone(zone)
    except ValueError as error:
        return [str(error)]
    return []


def job_template(obj: Object, path: str, causes: list[Cause]) -> None:
    """The selector is made for each Job."""
    spec = obj.get("spec") or {}
    if spec.get("selector") is not None:
        selector = go_label_selector(spec["selector"])
        causes.append(invalid(child(path, "spec.selector"), selector, "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        causes.append(not_supported(child(path, "spec.manualSelector"), True, ("nil", "false")))
