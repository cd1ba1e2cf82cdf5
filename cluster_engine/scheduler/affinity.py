"""Node selectors and tolerations: what a pod says of the nodes it wants and bears. Pure functions.

Modelled on `staging/src/k8s.io/component-helpers/scheduling/corev1`.
"""

from collections.abc import Mapping

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of


def matches_node_selector(pod: Object, node: Object) -> bool:
    """Return whether nodeSelector and the required node affinity allow this node."""
    labels: Mapping[str, str] = node["metadata"].get("labels", {})
    selector: Mapping[str, str] = pod["spec"].get("nodeSelector") or {}
    if not selector.items() <= labels.items():
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(matches_term(term, node) for term in required.get("nodeSelectorTerms") or ())


def preference(pod: Object, node: Object) -> int:
    """Sum the weights of the preferred terms that this node matches."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(int(each["weight"]) for each in preferred if matches_term(each["preference"], node))


def matches_term(term: Object, node: Object) -> bool:
    """Return whether all expressions of a term hold; a term without any matches nothing."""
    labels = node["metadata"].get("labels", {})
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    return all(_holds(each, labels) for each in expressions) and all(_holds(each, name) for each in fields)


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            number, bound = int_of(value or ""), int_of(values[0])
            if number is None or bound is None:
                return False
            return number > bound if operator == "Gt" else number < bound
    return False


def tolerates(pod: Object, taint: Object) -> bool:
    """Return whether one of the pod's tolerations covers the taint."""
    return any(_covers(each, taint) for each in pod["spec"].get("tolerations") or ())


def _covers(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")
