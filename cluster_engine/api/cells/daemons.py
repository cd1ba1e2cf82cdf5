"""The cells of DaemonSets and ControllerRevisions, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.cells.common import NONE, format_labels
from cluster_engine.api.objects import Object


def node_selector(obj: Object, now: datetime) -> str:
    """Labels of the nodes that it is for."""
    del now
    spec = ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    return format_labels(spec.get("nodeSelector"))


def controller(obj: Object, now: datetime) -> str:
    """`daemonset.apps/web`."""
    del now
    for each in obj["metadata"].get("ownerReferences") or ():
        if each.get("controller"):
            group = each["apiVersion"].rpartition("/")[0]
            return f"{each['kind'].lower()}{'.' if group else ''}{group}/{each['name']}"
    return NONE


def revision(obj: Object, now: datetime) -> int:
    """Its number."""
    del now
    return int(obj.get("revision") or 0)
