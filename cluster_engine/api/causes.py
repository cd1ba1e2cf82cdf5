"""The sentences of validation, as `apimachinery/pkg/util/validation/field/errors.go` words them.

>>> str(required("spec.containers"))
'spec.containers: Required value'
>>> str(invalid("spec.replicas", -1, "must be greater than or equal to 0"))
'spec.replicas: Invalid value: -1: must be greater than or equal to 0'
>>> str(not_supported("spec.type", "Foo", ("ClusterIP", "NodePort")))
'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "NodePort"'
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cluster_engine.api.status import Cause

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"


class Go(str):
    """Text that already looks as Go's `%#v` prints a value, and is not to be quoted again."""

    __slots__ = ()


def go(value: Any) -> str:
    """Print a value as Go does in an error: strings quoted, numbers bare, maps and lists with their types."""
    if isinstance(value, Go):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{go(key)}:{go(each)}" for key, each in sorted(value.items()))
        return f"map[string]string{{{pairs}}}"
    if isinstance(value, list | tuple):
        return f"[]string{{{', '.join(go(each) for each in value)}}}"
    return str(value)


def go_label_selector(selector: Mapping[str, Any] | None) -> Go:
    """Print a LabelSelector as Go does."""
    if selector is None:
        return Go("(*v1.LabelSelector)(nil)")
    labels = selector.get("matchLabels")
    expressions = selector.get("matchExpressions")
    matched = go(labels) if labels else "map[string]string(nil)"
    if not expressions:
        return Go(
            f"v1.LabelSelector{{MatchLabels:{matched}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}}",
        )
    printed = ", ".join(
        f"v1.LabelSelectorRequirement{{Key:{go(each.get('key', ''))}, Operator:{go(each.get('operator', ''))}, "
        f"Values:{go(each.get('values')) if each.get('values') else '[]string(nil)'}}}"
        for each in expressions
    )
    return Go(
        f"v1.LabelSelector{{MatchLabels:{matched}, MatchExpressions:[]v1.LabelSelectorRequirement{{{printed}}}}}",
    )


def go_int_or_string(value: int | str) -> Go:
    """Print an IntOrString as Go does."""
    if isinstance(value, int):
        return Go(f'intstr.IntOrString{{Type:0, IntVal:{value}, StrVal:""}}')
    return Go(f"intstr.IntOrString{{Type:1, IntVal:0, StrVal:{go(value)}}}")


def child(path: str, name: str) -> str:
    """Return the path of a field below a path; the root has the empty path."""
    return f"{path}.{name}" if path else name


def _cause(path: str, reason: str, body: str, detail: str) -> Cause:
    return Cause(path or "<nil>", reason, f"{body}: {detail}" if detail else body)


def required(path: str, detail: str = "") -> Cause:
    """Something must be given."""
    return _cause(path, "FieldValueRequired", "Required value", detail)


def invalid(path: str, value: Any, detail: str) -> Cause:
    """The value will not do."""
    return _cause(path, "FieldValueInvalid", f"Invalid value: {go(value)}", detail)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> Cause:
    """The value is not one of those that there are."""
    detail = "supported values: " + ", ".join(go(each) for each in supported)
    return _cause(path, "FieldValueNotSupported", f"Unsupported value: {go(value)}", detail)


def forbidden(path: str, detail: str) -> Cause:
    """The field may not be given, or not be changed."""
    return _cause(path, "FieldValueForbidden", "Forbidden", detail)


def duplicate(path: str, value: Any) -> Cause:
    """The value is there already."""
    return _cause(path, "FieldValueDuplicate", f"Duplicate value: {go(value)}", "")


def not_found(path: str, value: Any) -> Cause:
    """The value names something that is not there."""
    return _cause(path, "FieldValueNotFound", f"Not found: {go(value)}", "")


def too_long(path: str, bytes_max: int) -> Cause:
    """The value is too long."""
    return _cause(path, "FieldValueTooLong", "Too long", f"may not be more than {bytes_max} bytes")


def too_many(path: str, items: int, items_max: int) -> Cause:
    """The list has too many items."""
    return _cause(path, "FieldValueTooMany", f"Too many: {items}", f"must have at most {items_max} items")
