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

from copy import deepcopy

import jsonpatch
import msgspec
from jsonpointer import JsonPointer, JsonPointerException

from cluster_engine.api.nesting import TOO_DEEP, exceeds
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Refusal
from cluster_engine.api.strategic import strategic_patch
from cluster_engine.api.three_way import three_way

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
APPLY_PATCHES = (APPLY_PATCH,)

JSON_PATCH_OPERATIONS_MAX = 10_000
JSON_PATCH_COPY_BYTES_MAX = 3 * 1024 * 1024
"""What all "copy" operations of one patch may add (kube-apiserver's JSONPatchMaxCopyBytes)."""


def patch_types(kind: Kind) -> tuple[str, ...]:
    """Return the media types of the patches that a server takes for a kind."""
    strategic = [STRATEGIC_MERGE_PATCH] if kind.takes_strategic_patches else []
    return (JSON_PATCH, MERGE_PATCH, *strategic, *APPLY_PATCHES)


def json_patch(obj: Object, operations: JSON) -> Object:
    """Apply a JSON patch. Raises BadRequest if it is none, and a 422 if it does not apply or copies too much."""
    if not isinstance(operations, list):
        raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > JSON_PATCH_OPERATIONS_MAX:
        text = f"The allowed maximum operations in a JSON patch is {JSON_PATCH_OPERATIONS_MAX}, got {len(operations)}"
        raise Refusal(text, code=413, reason="RequestEntityTooLarge")
    if exceeds(operations):
        raise BadRequest(TOO_DEEP)
    try:
        patched = _applied(obj, operations)
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, ValueError, AttributeError):
        raise _unprocessable() from None
    if not isinstance(patched, dict):
        raise _unprocessable()
    if exceeds(patched):
        raise BadRequest(TOO_DEEP)
    return patched


def _applied(obj: Object, operations: list[JSON]) -> JSON:
    """Apply one operation after the other: each copy doubles what it copies, so it is weighed before it is made."""
    jsonpatch.JsonPatch(operations)  # refuses what is no patch before anything is applied
    patched: JSON = deepcopy(obj)
    copied = 0
    for operation in deepcopy(operations):
        if operation["op"] == "copy":
            copied += len(msgspec.json.encode(JsonPointer(operation["from"]).resolve(patched)))
            if copied > JSON_PATCH_COPY_BYTES_MAX:
                raise _unprocessable(
                    "Unable to complete the copy, the accumulated size increase of copy is "
                    f"{copied}, exceeding the limit {JSON_PATCH_COPY_BYTES_MAX}"
                )
        patched = jsonpatch.JsonPatch([operation]).apply(patched, in_place=True)
    return patched


def _unprocessable(why: str = "") -> Refusal:
    text = "the server rejected our request due to an error in our request"
    return Refusal(f"{text}: {why}" if why else text, code=422, reason="Invalid")


def merge_patch(obj: JSON, patch: JSON) -> JSON:
    """Apply a JSON merge patch. What is not changed is shared with `obj`. BadRequest if it is nested too deep."""
    if exceeds(patch):
        raise BadRequest(TOO_DEEP)
    return _merge(obj, patch)


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


__all__ = [
    "JSON_PATCH",
    "MERGE_PATCH",
    "STRATEGIC_MERGE_PATCH",
    "json_patch",
    "merge_patch",
    "patch_types",
    "strategic_patch",
    "three_way",
]
