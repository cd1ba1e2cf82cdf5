"""Rules for pods and pod templates, from `pkg/apis/core/validation/validation.go`."""

import json
from collections.abc import Iterator

from cluster_engine.api.causes import child, duplicate, forbidden, invalid, not_found, required
from cluster_engine.api.names import dns_label_problems, dns_subdomain_problems
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.quality_of_service import quality_of_service
from cluster_engine.api.rules.metadata import labels, metadata
from cluster_engine.api.status import Cause

MAY_NOT_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


def prepare_pod(pod: Object) -> None:
    """A new pod is pending, whatever it says, and has its class."""
    pod["status"] = {"phase": "Pending", "qosClass": quality_of_service(pod.get("spec") or {})}


def pod_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Names within the pod must be unique and must lead somewhere."""
    _unique_names(obj, path, causes)
    _mounted_volumes(obj, path, causes)
    _host_ports(obj, path, causes)
    _ephemeral(obj, path, causes)
    for field, problems_of in (
        ("hostname", dns_label_problems),
        ("subdomain", dns_label_problems),
        ("serviceAccountName", dns_subdomain_problems),
        ("nodeName", dns_subdomain_problems),
    ):
        value = obj.get(field)
        if value:
            causes += [invalid(child(path, field), value, each) for each in problems_of(value)]
    if obj.get("nodeSelector"):
        labels(obj["nodeSelector"], child(path, "nodeSelector"), causes)
    if obj.get("dnsPolicy") == "None" and not (obj.get("dnsConfig") or {}).get("nameservers"):
        detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        where = "dnsConfig.nameservers" if obj.get("dnsConfig") else "dnsConfig"
        causes.append(required(child(path, where), detail))


def pod_template(obj: Object, path: str, causes: list[Cause]) -> None:
    """Labels and annotations of a template are as good as an object's own."""
    metadata(obj.get("metadata") or {}, child(path, "metadata"), causes)


def _containers(obj: Object, path: str) -> Iterator[tuple[str, Object]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, each in enumerate(obj.get(field, ())):
            yield f"{child(path, field)}[{index}]", each


def _unique_names(obj: Object, path: str, causes: list[Cause]) -> None:
    seen: list[str] = []
    for where, each in _containers(obj, path):
        if each["name"] and each["name"] in seen:
            causes.append(duplicate(f"{where}.name", each["name"]))
        seen.append(each["name"])
    volumes: list[str] = []
    for index, volume in enumerate(obj.get("volumes", ())):
        if volume["name"] and volume["name"] in volumes:
            causes.append(duplicate(f"{child(path, 'volumes')}[{index}].name", volume["name"]))
        volumes.append(volume["name"])


def _mounted_volumes(obj: Object, path: str, causes: list[Cause]) -> None:
    volumes = [volume["name"] for volume in obj.get("volumes", ())]
    for where, each in _containers(obj, path):
        for index, mount in enumerate(each.get("volumeMounts", ())):
            if mount["name"] and mount["name"] not in volumes:
                causes.append(not_found(f"{where}.volumeMounts[{index}].name", mount["name"]))


def _ephemeral(obj: Object, path: str, causes: list[Cause]) -> None:
    """An ephemeral container has no duties, and joins a container that there is."""
    names = {each["name"] for field in ("initContainers", "containers") for each in obj.get(field, ())}
    for index, each in enumerate(obj.get("ephemeralContainers", ())):
        where = f"{child(path, 'ephemeralContainers')}[{index}]"
        target = each.get("targetContainerName")
        if target and target not in names:
            causes.append(not_found(child(where, "targetContainerName"), target))
        duties = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources")
        not_here = "cannot be set for an Ephemeral Container"
        causes += [forbidden(child(where, field), not_here) for field in duties if each.get(field)]


def _host_ports(obj: Object, path: str, causes: list[Cause]) -> None:
    seen: list[tuple[str, str, int]] = []
    for where, each in _containers(obj, path):
        names: list[str] = []
        for index, port in enumerate(each.get("ports", ())):
            if port.get("name"):
                if port["name"] in names:
                    causes.append(duplicate(f"{where}.ports[{index}].name", port["name"]))
                names.append(port["name"])
            if port.get("hostPort") and where.startswith(child(path, "containers")):
                key = (port["protocol"], port.get("hostIP", ""), port["hostPort"])
                if key in seen:
                    text = "/".join(str(part) for part in key)
                    causes.append(duplicate(f"{where}.ports[{index}].hostPort", text))
                seen.append(key)


def pod_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """Of a pod's spec only images, the deadline, more tolerations and nothing else may change."""
    if new["spec"] == old["spec"]:
        return
    before, after = old["spec"], new["spec"]
    _same_containers(before, after, causes)
    deadline = after.get("activeDeadlineSeconds")
    was = before.get("activeDeadlineSeconds")
    if was is not None and (deadline is None or deadline > was):
        detail = "must be less than or equal to previous value" if deadline is not None else "must not update from a "
        detail += "" if deadline is not None else "positive integer to nil value"
        causes.append(invalid("spec.activeDeadlineSeconds", deadline, detail))
    if any(each not in after.get("tolerations", ()) for each in before.get("tolerations", ())):
        causes.append(
            forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
        )
    if causes:
        return
    changed = _first_difference(_fixed(before), _fixed(after), "spec")
    if changed:
        causes.append(forbidden("spec", MAY_NOT_CHANGE + changed))


def _same_containers(before: Object, after: Object, causes: list[Cause]) -> None:
    causes += [
        forbidden(f"spec.{field}", "pod updates may not add or remove containers")
        for field in ("containers", "initContainers")
        if len(before.get(field, ())) != len(after.get(field, ()))
    ]


_CHANGEABLE = ("activeDeadlineSeconds", "tolerations")


def _fixed(spec: Object) -> Object:
    """Copy a spec without what may change."""
    fixed = {key: value for key, value in spec.items() if key not in _CHANGEABLE}
    for field in ("containers", "initContainers"):
        if field in fixed:
            fixed[field] = [{**each, "image": ""} for each in fixed[field]]
    if fixed.get("schedulingGates") is not None:
        del fixed["schedulingGates"]
    return fixed


def _first_difference(before: JSON, after: JSON, path: str) -> str:
    if before == after:
        return ""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            found = _first_difference(before.get(key), after.get(key), f"{path}.{key}")
            if found:
                return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            found = _first_difference(one, other, f"{path}[{index}]")
            if found:
                return found
    return f"  {path}:\n-   {_printed(before)}\n+   {_printed(after)}\n"


def _printed(value: JSON) -> str:
    return "nil" if value is None else json.dumps(value, ensure_ascii=False)
