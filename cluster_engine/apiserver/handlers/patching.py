"""PATCH: which of the three patch types a body is, and how it is applied.

    application/json-patch+json               [{"op": "replace", "path": "/spec/replicas", "value": 5}]
    application/merge-patch+json              {"spec": {"replicas": 5}}           null deletes, lists are replaced
    application/strategic-merge-patch+json    {"containers": [{"name": "a", …}]}  lists merge by their keys

Modelled on apiserver/pkg/endpoints/handlers/patch.go. Left out: server-side apply, which needs managedFields.
"""

from collections.abc import Callable
from typing import Any

from cluster_engine.api import patches
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import JSON_PATCH, MERGE_PATCH
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Refusal, UnsupportedMediaType
from cluster_engine.apiserver.handlers.bodies import decode_json, media_type
from cluster_engine.apiserver.registry.backend import Call

OPERATIONS_MAX = 10000


def patcher(content_type: str, body: bytes, call: Call) -> Callable[[Kind, Object], Object]:
    """Return the function that applies a patch to an object of a kind. 400, 413, 415, 422."""
    media = media_type(content_type)
    accepted = patches.patch_types(call.kind)
    if media not in accepted:
        why = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
        raise UnsupportedMediaType(why)
    patch = decode_json(body, "patch")
    if media == JSON_PATCH:
        return _json_patch(patch)
    if not isinstance(patch, dict):
        raise BadRequest("error decoding patch: json: cannot unmarshal a value that is not an object")
    if media == MERGE_PATCH:
        return lambda kind, obj: patches.merge_patch(obj, patch)
    return lambda kind, obj: patches.strategic_patch(kind, obj, patch)


def _json_patch(operations: Any) -> Callable[[Kind, Object], Object]:
    if not isinstance(operations, list):
        raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > OPERATIONS_MAX:
        why = f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(operations)}"
        raise Refusal(why, code=413, reason="RequestEntityTooLarge")
    return lambda kind, obj: patches.json_patch(obj, operations)
