"""The strategic-merge PATCH that turns one status into another: only what differs goes over the wire.

    two_way({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}, …]}, {"phase": "Running", …})
    {"phase": "Running",
     "$setElementOrder/conditions": [{"type": "Ready"}, …],
     "conditions": [{"type": "Ready", "status": "True"}]}

Lists with a merge key are told element by element, all others whole. Modelled on apimachinery's
`strategicpatch.CreateTwoWayMergePatch`, for the fields that pod and node status have.
"""

from cluster_engine.api.objects import Object

MERGE_KEYS = {"conditions": "type", "addresses": "type", "podIPs": "ip", "hostIPs": "ip"}


def two_way(old: Object, new: Object) -> Object:
    """Return the patch; empty when nothing differs."""
    patch: Object = {}
    for field, value in new.items():
        before = old.get(field)
        if value == before:
            continue
        if field in MERGE_KEYS and isinstance(value, list) and isinstance(before, list):
            _merge_list(field, before, value, patch)
        elif isinstance(value, dict) and isinstance(before, dict):
            patch[field] = two_way(before, value)
        else:
            patch[field] = value
    patch.update({field: None for field in old if field not in new})
    return patch


def _merge_list(field: str, old: list[Object], new: list[Object], patch: Object) -> None:
    key = MERGE_KEYS[field]
    before = {element[key]: element for element in old}
    changes = []
    for element in new:
        known = before.pop(element[key], None)
        if known is None:
            changes.append(element)
        elif element != known:
            changes.append(two_way(known, element) | {key: element[key]})
    changes += [{"$patch": "delete", key: value} for value in before]
    patch[f"$setElementOrder/{field}"] = [{key: element[key]} for element in new]
    if changes:
        patch[field] = changes
