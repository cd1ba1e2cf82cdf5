"""Columns that all kinds have, and small pieces of cells."""

from collections.abc import Callable, Mapping
from datetime import datetime

from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Column, field_path
from cluster_engine.api.time import age as human

NONE = "<none>"
UNKNOWN = "<unknown>"


def since(moment: str | None, now: datetime) -> str:
    """Say how long ago a moment was, `<unknown>` if there is none."""
    return human(now - datetime.fromisoformat(moment)) if moment else UNKNOWN


def object_name(obj: Object, now: datetime) -> str:
    """The object's name."""
    del now
    name: str = obj["metadata"].get("name", "")
    return name


def object_age(obj: Object, now: datetime) -> str:
    """How long ago the object was made."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def created_at(obj: Object, now: datetime) -> str | None:
    """When the object was made, as a time: for kinds without columns of their own."""
    del now
    moment: str | None = obj["metadata"].get("creationTimestamp")
    return moment


def name() -> Column:
    """Make the first column."""
    return Column(
        "Name", object_name, "Name of the object, unique among those of its kind in its namespace.", format="name"
    )


def age() -> Column:
    """Make the Age column."""
    return Column("Age", object_age, "Time since the object was made.")


def text(path: str) -> Callable[[Object, datetime], str]:
    """Make a cell that shows one field as it is."""
    get = field_path(path)
    return lambda obj, now: get(obj)


def format_labels(labels: Mapping[str, str] | None) -> str:
    """Say labels as `a=1,b=2`, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) if labels else NONE


def status_of(obj: Object) -> JSON:
    """The status, empty if there is none."""
    return obj.get("status") or {}
