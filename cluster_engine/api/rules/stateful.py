"""Rules for StatefulSets, from `pkg/apis/apps` (v1/defaults.go, validation)."""

from cluster_engine.api.causes import child, forbidden, invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.apps import workload_spec
from cluster_engine.api.status import Cause

CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def default_strategy(strategy: Object) -> None:
    """Only a rolling update has parameters."""
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)


def strategy(obj: Object, path: str, causes: list[Cause]) -> None:
    """Parameters stand with a rolling update only."""
    if obj.get("type") == "OnDelete" and obj.get("rollingUpdate") is not None:
        detail = "only allowed for updateStrategy 'RollingUpdate'"
        causes.append(invalid(child(path, "rollingUpdate"), obj["rollingUpdate"], detail))


def stateful_set_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Pods are made in order or all at once; the rest is as with every workload."""
    policy = obj.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        detail = "must be 'OrderedReady' or 'Parallel'"
        causes.append(invalid(child(path, "podManagementPolicy"), policy or "", detail))
    workload_spec(obj, path, causes)


def stateful_set_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """What the set is stays; how many pods of what kind may change."""
    changed = {key for key in {*new["spec"], *old["spec"]} if new["spec"].get(key) != old["spec"].get(key)}
    if changed - set(CHANGEABLE):
        *most, last = (f"'{each}'" for each in CHANGEABLE)
        fields = f"{', '.join(most)} and {last}"
        causes.append(forbidden("spec", f"updates to statefulset spec for fields other than {fields} are forbidden"))
