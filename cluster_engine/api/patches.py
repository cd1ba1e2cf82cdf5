"""Patches: how a client says what to change instead of what the whole object is to be.

Four ways, none of which changes the objects it is given (what is left as it was may be shared with them):
- `json_patch` (RFC 6902): a list of operations on paths;
- `merge_patch` (RFC 7386): an object laid over the object; null deletes, lists are replaced whole;
- `strategic_patch`, Kubernetes' own: see `strategic`;
- `three_way`, what `kubectl apply` sends: see `three_way`.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    >>> json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/a"}])
    {}
"""

import jsonpatch
from jsonpointer import JsonPointerException

from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.status import BadRequest, Refusal
from cluster_engine.api.strategic import TOO_DEEP, strategic_patch
from cluster_engine.api.three_way import three_way

JSON_PATCH_OPERATIONS_MAX = 10_000


def json_patch(obj: Object, operations: JSON) -> Object:
    """Apply a JSON patch. Raises BadRequest if it is none, and a 422 without further words if it does not apply."""
    if not isinstance(operations, list):
        raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > JSON_PATCH_OPERATIONS_MAX:
        text = f"The allowed maximum operations in a JSON patch is {JSON_PATCH_OPERATIONS_MAX}, got {len(operations)}"
        raise Refusal(text, code=413, reason="RequestEntityTooLarge")
    try:
        patched = jsonpatch.JsonPatch(operations).apply(obj)
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, ValueError, AttributeError):
        raise _unprocessable() from None
    if not isinstance(patched, dict):
        raise _unprocessable()
    return patched


def _unprocessable() -> Refusal:
    return Refusal("the server rejected our request due to an error in our request", code=422, reason="Invalid")


def merge_patch(obj: JSON, patch: JSON) -> JSON:
    """Apply a JSON merge patch. What is not changed is shared with `obj`. BadRequest if it is nested too deep."""
    try:
        return _merge(obj, patch)
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None


def _merge(obj: JSON, patch: JSON) -> JSON:
    if not isinstance(patch, dict):
        return patch
    merged = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


__all__ = ["json_patch", "merge_patch", "strategic_patch", "three_way"]
