"""Rules for Deployments and ReplicaSets, StatefulSets too, from `pkg/apis/apps/validation/validation.go`."""

import re

from cluster_engine.api.causes import (
    NOT_NEGATIVE,
    child,
    forbidden,
    go_int_or_string,
    go_label_selector,
    invalid,
    not_supported,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.selection import label_selector, matches
from cluster_engine.api.status import Cause

_PERCENT = re.compile(r"[0-9]+%")
BAD_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)


def workload_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """The selector selects the template's pods, and these restart for ever."""
    selector = obj.get("selector")
    template = obj.get("template") or {}
    if selector is not None:
        where = child(path, "selector")
        label_selector(selector, where, causes)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            causes.append(invalid(where, go_label_selector(selector), f"empty selector is invalid for {_noun(obj)}"))
        else:
            labels = (template.get("metadata") or {}).get("labels") or {}
            if not matches(selector, labels):
                detail = "`selector` does not match template `labels`"
                causes.append(invalid(child(path, "template.metadata.labels"), labels, detail))
    spec = template.get("spec") or {}
    where = child(path, "template.spec")
    if spec.get("restartPolicy") not in (None, "Always"):
        causes.append(not_supported(f"{where}.restartPolicy", spec["restartPolicy"], ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in ReplicaSet is not Supported"
        causes.append(forbidden(f"{where}.activeDeadlineSeconds", detail))
    deadline = obj.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= obj.get("minReadySeconds", 0):
        causes.append(invalid(child(path, "progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds"))


def _noun(obj: Object) -> str:
    if "podManagementPolicy" in obj:
        return "statefulset"
    return "deployment" if "strategy" in obj else "replicaset"


def strategy(obj: Object, path: str, causes: list[Cause]) -> None:
    """A rolling update must be able to move."""
    rolling = obj.get("rollingUpdate")
    if obj.get("type") == "Recreate" and rolling is not None:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden(child(path, "rollingUpdate"), detail))
        return
    if rolling is None:
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    where = child(path, "rollingUpdate")
    amount(unavailable, f"{where}.maxUnavailable", causes)
    amount(surge, f"{where}.maxSurge", causes)
    if is_zero(unavailable) and is_zero(surge):
        detail = "may not be 0 when `maxSurge` is 0"
        causes.append(invalid(f"{where}.maxUnavailable", go_int_or_string(unavailable), detail))
    at_most_100_percent(unavailable, f"{where}.maxUnavailable", causes)


def amount(value: int | str, path: str, causes: list[Cause]) -> None:
    """A number of pods or a percentage is not negative, and is one."""
    if isinstance(value, int):
        if value < 0:
            causes.append(invalid(path, value, NOT_NEGATIVE))
    elif not _PERCENT.fullmatch(value):
        causes.append(invalid(path, go_int_or_string(value), BAD_PERCENT))


def at_most_100_percent(value: int | str, path: str, causes: list[Cause]) -> None:
    """A percentage is one of a whole."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) and int(value[:-1]) > 100:
        causes.append(invalid(path, go_int_or_string(value), "must not be greater than 100%"))


def is_zero(value: int | str) -> bool:
    """Return whether a number or percentage is none."""
    return value == 0 or (isinstance(value, str) and value.rstrip("%").strip("0") == "")
