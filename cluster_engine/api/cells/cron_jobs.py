"""The cells of CronJobs, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.cells import apps
from cluster_engine.api.cells.common import NONE, since, status_of
from cluster_engine.api.objects import JSON, Object


def _spec(obj: Object) -> JSON:
    return obj.get("spec") or {}


def time_zone(obj: Object, now: datetime) -> str:
    """The time zone, if one is given."""
    del now
    return _spec(obj).get("timeZone") or NONE


def suspend(obj: Object, now: datetime) -> str:
    """`True`, `False`."""
    del now
    value = _spec(obj).get("suspend")
    return "<unset>" if value is None else str(value)


def active(obj: Object, now: datetime) -> int:
    """Number of Jobs that are running."""
    del now
    return len(status_of(obj).get("active") or ())


def last_schedule(obj: Object, now: datetime) -> str:
    """How long ago a Job was due."""
    moment = status_of(obj).get("lastScheduleTime")
    return since(moment, now) if moment else NONE


def containers(obj: Object, now: datetime) -> str:
    """Names of the containers of its Jobs' pods."""
    return apps.containers(_spec(obj).get("jobTemplate") or {}, now)


def images(obj: Object, now: datetime) -> str:
    """Images of the containers of its Jobs' pods."""
    return apps.images(_spec(obj).get("jobTemplate") or {}, now)


def selector(obj: Object, now: datetime) -> str:
    """The selector of its Jobs: none, since each has its own."""
    return apps.selector(_spec(obj).get("jobTemplate") or {}, now)
