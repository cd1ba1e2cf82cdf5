"""Rules for access reviews, from `pkg/apis/authorization/validation/validation.go`."""

from cluster_engine.api.causes import Go, child, invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause


def attributes(obj: Object, path: str, causes: list[Cause]) -> None:
    """Exactly one of the two kinds of request."""
    both = obj.get("resourceAttributes") is not None and obj.get("nonResourceAttributes") is not None
    neither = obj.get("resourceAttributes") is None and obj.get("nonResourceAttributes") is None
    if both:
        detail = "cannot be specified in combination with resourceAttributes"
        causes.append(invalid(child(path, "nonResourceAttributes"), Go(str(obj["nonResourceAttributes"])), detail))
    if neither:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(invalid(child(path, "resourceAttributes"), Go("null"), detail))


def subject_attributes(obj: Object, path: str, causes: list[Cause]) -> None:
    """As `attributes`, and somebody to ask about."""
    attributes(obj, path, causes)
    if not obj.get("user") and not obj.get("groups"):
        causes.append(invalid(child(path, "user"), "", "at least one of user or group must be specified"))
