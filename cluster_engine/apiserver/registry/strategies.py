"""What is special about a kind when it is created or updated (the PrepareForCreate and PrepareForUpdate of
pkg/registry).

A strategy changes the object in place before it is validated: it sets what clients may not set and clears what they may
not bring. Kinds without an entry here have nothing special.

    Namespace   spec.finalizers ["kubernetes"], status.phase Active, label kubernetes.io/metadata.name
    Pod         status: phase Pending and its quality-of-service class
    Node        keeps the status it brings: a kubelet registers with it
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster_engine.api.kinds import DEPLOYMENT, NAMESPACE, NODE, POD, REPLICA_SET
from cluster_engine.api.quantity import parse as parse_quantity
from cluster_engine.api.schema import Kind

Object = dict[str, Any]
METADATA_NAME_LABEL = "kubernetes.io/metadata.name"


def _nothing(obj: Object) -> None:
    pass


def _keep(new: Object, old: Object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Strategy:
    """Two changes in place: on create, and on an update of the object itself (not of a subresource)."""

    on_create: Callable[[Object], None] = _nothing
    on_update: Callable[[Object, Object], None] = _keep


def _create_namespace(obj: Object) -> None:
    obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
    obj["status"] = {"phase": "Active"}
    label_namespace(obj)


def _update_namespace(new: Object, old: Object) -> None:
    new["spec"] = old.get("spec", {})
    label_namespace(new)


def label_namespace(obj: Object) -> None:
    """Put the label on a namespace that lets selectors name it."""
    metadata = obj["metadata"]
    metadata["labels"] = {METADATA_NAME_LABEL: metadata.get("name", ""), **(metadata.get("labels") or {})}
    metadata["labels"][METADATA_NAME_LABEL] = metadata.get("name", "")


def _create_pod(obj: Object) -> None:
    obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(obj.get("spec") or {})}


def quality_of_service(spec: Object) -> str:
    """Tell a pod's class (pkg/apis/core/v1/helper/qos): Guaranteed if limits equal requests everywhere."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asks = [(container.get("resources") or {}) for container in containers]
    if not any(ask.get("requests") or ask.get("limits") for ask in asks):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(ask) for ask in asks) else "Burstable"


def _is_guaranteed(ask: Object) -> bool:
    limits, requests = ask.get("limits") or {}, ask.get("requests") or {}
    if not {"cpu", "memory"} <= limits.keys():
        return False
    return all(parse_quantity(requests.get(name, limits[name])) == parse_quantity(limits[name]) for name in limits)


STRATEGIES: dict[Kind, Strategy] = {
    NAMESPACE: Strategy(_create_namespace, _update_namespace),
    POD: Strategy(_create_pod),
}
KEEPS_STATUS_ON_CREATE = frozenset({NODE, POD, NAMESPACE})
STATUS_CARRIES_METADATA = frozenset({POD, NODE, NAMESPACE, DEPLOYMENT, REPLICA_SET})
"""Kinds whose status subresource also takes labels and annotations: the deployment controller numbers revisions so."""


PLAIN = Strategy()


def strategy_of(kind: Kind) -> Strategy:
    """Give what is special about a kind."""
    return STRATEGIES.get(kind, PLAIN)
