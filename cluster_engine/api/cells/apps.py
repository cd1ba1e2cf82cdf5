"""The cells of Deployments and ReplicaSets."""

from collections.abc import Callable
from datetime import datetime

from cluster_engine.api.cells.common import NONE, status_of
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.selectors import label_selector_from_object


def count(part: str, field: str) -> Callable[[Object, datetime], int]:
    """Make a cell that shows one number of the spec or the status."""
    return lambda obj, now: (obj.get(part) or {}).get(field) or 0


def deployment_ready(deployment: Object, now: datetime) -> str:
    """`2/3`."""
    del now
    wanted = (deployment.get("spec") or {}).get("replicas") or 0
    return f"{status_of(deployment).get('readyReplicas') or 0}/{wanted}"


def _containers(obj: Object) -> JSON:
    template = (obj.get("spec") or {}).get("template") or {}
    return (template.get("spec") or {}).get("containers") or ()


def containers(obj: Object, now: datetime) -> str:
    """Names of the template's containers."""
    del now
    return ",".join(each.get("name", "") for each in _containers(obj))


def images(obj: Object, now: datetime) -> str:
    """Images of the template's containers."""
    del now
    return ",".join(each.get("image", "") for each in _containers(obj))


def selector(obj: Object, now: datetime) -> str:
    """The selector as text."""
    del now
    found = (obj.get("spec") or {}).get("selector")
    return str(label_selector_from_object(found)) or NONE
