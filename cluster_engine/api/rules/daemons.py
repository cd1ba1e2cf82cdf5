"""Rules for DaemonSets and ControllerRevisions, from `pkg/apis/apps` and `pkg/registry/apps/daemonset/strategy.go`."""

from cluster_engine.api.causes import IMMUTABLE, child, go_int_or_string, go_label_selector, invalid, not_supported
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.apps import amount, is_zero
from cluster_engine.api.rules.selection import label_selector, matches
from cluster_engine.api.status import Cause
from cluster_engine.api.strconv import int_of

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def default_strategy(strategy: Object) -> None:
    """Only a rolling update has parameters."""
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def prepare_daemon_set(obj: Object) -> None:
    """Count its templates from 1, in an annotation as apps/v1 has it."""
    obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"


def prepare_daemon_set_update(new: Object, old: Object) -> None:
    """Count on when the template has changed; nobody else counts."""
    before = int_of((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")) or 1
    changed = new["spec"].get("template") != old["spec"].get("template")
    annotations = new["metadata"].get("annotations") or {}
    new["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: str(before + changed)}


def daemon_set_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """The selector selects the template's pods, and these restart for ever."""
    selector, template = obj.get("selector"), obj.get("template") or {}
    if selector is not None:
        where = child(path, "selector")
        label_selector(selector, where, causes)
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not matches(selector, labels):
            detail = "`selector` does not match template `labels`"
            causes.append(invalid(child(path, "template.metadata.labels"), labels, detail))
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            causes.append(invalid(where, go_label_selector(selector), "empty selector is invalid for daemonset"))
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        causes.append(not_supported(child(path, "template.spec.restartPolicy"), policy, ("Always",)))


def strategy(obj: Object, path: str, causes: list[Cause]) -> None:
    """A rolling update must be able to move, in one of the two ways."""
    rolling = obj.get("rollingUpdate")
    if rolling is None:
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    where = child(path, "rollingUpdate")
    amount(unavailable, f"{where}.maxUnavailable", causes)
    amount(surge, f"{where}.maxSurge", causes)
    if is_zero(unavailable) and is_zero(surge):
        detail = "cannot be 0 when maxSurge is 0"
        causes.append(invalid(f"{where}.maxUnavailable", go_int_or_string(unavailable), detail))
    if not is_zero(unavailable) and not is_zero(surge):
        detail = "may not be set when maxUnavailable is non-zero"
        causes.append(invalid(f"{where}.maxSurge", go_int_or_string(surge), detail))


def revision_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """What was, stays; only its number may grow."""
    if new.get("data") != old.get("data"):
        causes.append(invalid("data", "", IMMUTABLE))
