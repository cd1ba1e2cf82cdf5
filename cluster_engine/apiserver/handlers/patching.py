"""PATCH: which of the patch types a body is, and how it is applied.

    application/json-patch+json               [{"op": "replace", "path": "/spec/replicas", "value": 5}]
    application/merge-patch+json              {"spec": {"replicas": 5}}           null deletes, lists are replaced
    application/strategic-merge-patch+json    {"containers": [{"name": "a", …}]}  lists merge by their keys
    application/apply-patch+yaml              all that one manager wants          see server_side_apply

Modelled on apiserver/pkg/endpoints/handlers/patch.go.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cluster_engine.api import documents, patches
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import APPLY_PATCHES, JSON_PATCH, MERGE_PATCH
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Refusal, UnsupportedMediaType
from cluster_engine.apiserver.handlers.bodies import JSON, YAML, complete, copied, decode_json, doubled, media_type
from cluster_engine.apiserver.registry import server_side_apply
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.managed_fields import APPLY
from cluster_engine.apiserver.request_info import is_true

OPERATIONS_MAX = 10000


def patcher(content_type: str, body: bytes, call: Call) -> Callable[[Kind, Object], Object]:
    """Return the function that applies a patch to an object of a kind. 400, 413, 415, 422."""
    media = media_type(content_type)
    accepted = patches.patch_types(call.kind)
    if media not in accepted or media in APPLY_PATCHES:
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


def applier(body: bytes, call: Call) -> Callable[[Object | None], Object]:
    """Return the function that applies a configuration to an object, or makes a new one of it. 400, 409, 500."""
    config = _configuration(body, call)
    server_side_apply.check(call.kind, config)
    force = is_true(call.parameters.get("force"))
    writer = replace(call.writer, operation=APPLY)

    def apply(old: Object | None) -> Object:
        new = server_side_apply.applied(call.kind, old, copied(config), writer, force=force)
        new = complete(call, call.kind, copied(new))
        return new if old is None else same_but_for_times(new, old)

    return apply


def _configuration(body: bytes, call: Call) -> Object:
    """Read YAML, of which JSON is the most frequent case."""
    try:
        config = documents.read_json(body) if body[:1] == b"{" else documents.read_one_yaml(body)
    except documents.Unreadable as problem:
        raise BadRequest(f"error decoding YAML: {problem}") from problem
    if not isinstance(config, dict):
        raise BadRequest("error decoding YAML: error unmarshaling JSON: json: cannot unmarshal into a map")
    mode = call.parameters.get("fieldValidation", "")
    if mode in ("Strict", "Warn"):
        for twice in doubled(body, JSON if body[:1] == b"{" else YAML):
            if mode == "Strict":
                raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: {twice}")
            call.warnings.append(twice)
    return config


def same_but_for_times(new: Object, old: Object) -> Object:
    """Return the new object, with the old one's managedFields if these differ in nothing but their times."""
    before, after = (obj["metadata"].get("managedFields") or [] for obj in (old, new))
    if [{**each, "time": ""} for each in before] != [{**each, "time": ""} for each in after]:
        return new
    if {**new, "metadata": {}} != {**old, "metadata": {}}:
        return new
    settled = {**new["metadata"], "managedFields": before}
    return {**new, "metadata": settled} if settled == old["metadata"] else new


def _json_patch(operations: Any) -> Callable[[Kind, Object], Object]:
    if not isinstance(operations, list):
        raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > OPERATIONS_MAX:
        why = f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(operations)}"
        raise Refusal(why, code=413, reason="RequestEntityTooLarge")
    return lambda kind, obj: patches.json_patch(obj, operations)
