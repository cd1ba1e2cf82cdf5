"""The cells of events."""

from datetime import datetime

from cluster_engine.api.cells.common import object_name, since
from cluster_engine.api.objects import Object

name = object_name


def first_seen(event: Object, now: datetime) -> str:
    """How long ago it was first seen."""
    return since(event.get("firstTimestamp") or event.get("eventTime"), now)


def last_seen(event: Object, now: datetime) -> str:
    """How long ago it was last seen."""
    series = event.get("series")
    if series is not None:
        return since(series.get("lastObservedTime"), now)
    return since(event["lastTimestamp"], now) if event.get("lastTimestamp") else first_seen(event, now)


def count(event: Object, now: datetime) -> int:
    """How often it was seen."""
    del now
    return (event.get("series") or {}).get("count") or event.get("count") or 1


def type_(event: Object, now: datetime) -> str:
    """`Normal` or `Warning`."""
    del now
    kind: str = event.get("type", "")
    return kind


def reason(event: Object, now: datetime) -> str:
    """Why, as one word."""
    del now
    why: str = event.get("reason", "")
    return why


def involved(event: Object, now: datetime) -> str:
    """`pod/web-0`."""
    del now
    about = event.get("involvedObject") or {}
    kind = about.get("kind", "").lower()
    return f"{kind}/{about['name']}" if about.get("name") else kind


def subobject(event: Object, now: datetime) -> str:
    """`spec.containers{web}`."""
    del now
    path: str = (event.get("involvedObject") or {}).get("fieldPath", "")
    return path


def source(event: Object, now: datetime) -> str:
    """`kubelet, worker-1`."""
    del now
    found = event.get("source") or {}
    component = found.get("component") or event.get("reportingComponent") or ""
    instance = found.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


def message(event: Object, now: datetime) -> str:
    """What happened."""
    del now
    text: str = event.get("message", "")
    return text.strip()
