"""The cells of a node."""

from collections.abc import Callable
from datetime import datetime

from cluster_engine.api.cells.common import NONE, UNKNOWN, status_of
from cluster_engine.api.objects import Object

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"


def status(node: Object, now: datetime) -> str:
    """`Ready`, `NotReady`, `Unknown`, each perhaps with `,SchedulingDisabled`."""
    del now
    words = [
        "Ready" if each.get("status") == "True" else "NotReady"
        for each in status_of(node).get("conditions", ())
        if each.get("type") == "Ready"
    ] or ["Unknown"]
    if (node.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def roles(node: Object, now: datetime) -> str:
    """Roles by label, sorted."""
    del now
    labels = node["metadata"].get("labels") or {}
    found = {key[len(ROLE_PREFIX) :] for key in labels if key.startswith(ROLE_PREFIX)} - {""}
    if labels.get(ROLE_LABEL):
        found.add(labels[ROLE_LABEL])
    return ",".join(sorted(found)) or NONE


def version(node: Object, now: datetime) -> str:
    """The kubelet's version."""
    del now
    return (status_of(node).get("nodeInfo") or {}).get("kubeletVersion") or ""


def _address(address_type: str) -> Callable[[Object, datetime], str]:
    def cell(node: Object, now: datetime) -> str:
        del now
        addresses = status_of(node).get("addresses", ())
        return next((each["address"] for each in addresses if each.get("type") == address_type), NONE)

    return cell


def _information(field: str) -> Callable[[Object, datetime], str]:
    def cell(node: Object, now: datetime) -> str:
        del now
        return (status_of(node).get("nodeInfo") or {}).get(field) or UNKNOWN

    return cell


internal_ip = _address("InternalIP")
external_ip = _address("ExternalIP")
os_image = _information("osImage")
kernel_version = _information("kernelVersion")
container_runtime = _information("containerRuntimeVersion")
