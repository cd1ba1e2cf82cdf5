"""Rules for affinity, taints and tolerations, from `pkg/apis/core/validation/validation.go`."""

from cluster_engine.api.causes import child, duplicate, forbidden, invalid, required
from cluster_engine.api.names import label_value_problems, qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause


def node_requirement(obj: Object, path: str, causes: list[Cause]) -> None:
    """Values must fit the operator."""
    values, where = obj.get("values"), child(path, "values")
    match obj.get("operator"):
        case "In" | "NotIn" if not values:
            causes.append(required(where, "must be specified when `operator` is 'In' or 'NotIn'"))
        case "Exists" | "DoesNotExist" if values:
            causes.append(forbidden(where, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
        case "Gt" | "Lt" if len(values or ()) != 1:
            causes.append(required(where, "must be specified single value when `operator` is 'Lt' or 'Gt'"))


def toleration(obj: Object, path: str, causes: list[Cause]) -> None:
    """Key, operator, value, effect and seconds must fit each other."""
    operator = obj.get("operator", "")
    if obj.get("key"):
        causes += [invalid(child(path, "key"), obj["key"], each) for each in qualified_name_problems(obj["key"])]
    elif operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        causes.append(invalid(child(path, "operator"), operator, detail))
    if obj.get("tolerationSeconds") is not None and obj.get("effect") != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        causes.append(invalid(child(path, "effect"), obj.get("effect", ""), detail))
    value = obj.get("value", "")
    if operator == "Exists" and value:
        causes.append(invalid(child(path, "operator"), value, "value must be empty when `operator` is 'Exists'"))
    elif value:
        problems = label_value_problems(value)
        if problems:
            causes.append(invalid(child(path, "operator"), value, ";".join(problems)))


def node_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Taints must be well named and unique by key and effect."""
    seen: list[tuple[str, str]] = []
    for index, taint in enumerate(obj.get("taints", ())):
        where = f"{child(path, 'taints')}[{index}]"
        causes += [invalid(f"{where}.key", taint["key"], each) for each in qualified_name_problems(taint["key"])]
        causes += [
            invalid(f"{where}.value", taint["value"], each) for each in label_value_problems(taint.get("value", ""))
        ]
        pair = (taint["key"], taint["effect"])
        if pair in seen:
            causes.append(duplicate(where, f"{taint['key']}:{taint['effect']}"))
        seen.append(pair)
