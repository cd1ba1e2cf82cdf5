"""Rules for label selectors, from `apimachinery/pkg/apis/meta/v1/validation/validation.go`."""

from collections.abc import Mapping

from cluster_engine.api.causes import child, forbidden, invalid, required
from cluster_engine.api.names import label_value_problems, qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause


def label_selector(obj: Object, path: str, causes: list[Cause]) -> None:
    """Keys and values are well formed, and values fit the operators."""
    for key, value in (obj.get("matchLabels") or {}).items():
        where = child(path, "matchLabels")
        causes += [invalid(where, key, each) for each in qualified_name_problems(key)]
        causes += [invalid(where, value, each) for each in label_value_problems(value)]
    for index, requirement in enumerate(obj.get("matchExpressions") or ()):
        _requirement(requirement, f"{child(path, 'matchExpressions')}[{index}]", causes)


def _requirement(obj: Object, path: str, causes: list[Cause]) -> None:
    values = obj.get("values")
    match obj.get("operator"):
        case "In" | "NotIn":
            if not values:
                causes.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        case "Exists" | "DoesNotExist":
            if values:
                detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                causes.append(forbidden(f"{path}.values", detail))
        case operator:
            causes.append(invalid(f"{path}.operator", operator or "", "not a valid selector operator"))
    causes += [invalid(f"{path}.key", obj.get("key", ""), each) for each in qualified_name_problems(obj.get("key", ""))]


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Return whether a selector, valid or not, selects these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(requirement: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement.get("key", "")), requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
