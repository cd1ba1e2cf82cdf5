"""Rules for containers, from `pkg/apis/core/validation/validation.go`: ports, variables, resources, probes."""

from collections.abc import Sequence

from cluster_engine.api.causes import NOT_NEGATIVE, child, forbidden, invalid, required
from cluster_engine.api.names import (
    dns_label_problems,
    env_name_problems,
    port_name_problems,
    qualified_name_problems,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import parse
from cluster_engine.api.status import Cause

PORT_RANGE = "must be between 1 and 65535, inclusive"
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def container(obj: Object, path: str, causes: list[Cause]) -> None:
    """Check a container's name and image, and that liveness and startup need one success only."""
    if obj["name"]:
        causes += [invalid(child(path, "name"), obj["name"], each) for each in dns_label_problems(obj["name"])]
    image = obj.get("image", "")
    if not image:
        causes.append(required(child(path, "image")))
    elif image != image.strip():
        causes.append(invalid(child(path, "image"), image, "must not have leading or trailing whitespace"))
    for probe_name in ("livenessProbe", "startupProbe"):
        found = obj.get(probe_name)
        if found and found.get("successThreshold", 1) != 1:
            where = child(child(path, probe_name), "successThreshold")
            causes.append(invalid(where, found["successThreshold"], "must be 1"))
    _mounts(obj.get("volumeMounts", ()), child(path, "volumeMounts"), causes)


def _mounts(mounts: Sequence[Object], path: str, causes: list[Cause]) -> None:
    seen: list[str] = []
    for index, mount in enumerate(mounts):
        where = mount.get("mountPath", "")
        if where in seen:
            causes.append(invalid(f"{path}[{index}].mountPath", where, "must be unique"))
        seen.append(where)
        if mount.get("subPath") and mount.get("subPathExpr"):
            causes.append(
                invalid(
                    f"{path}[{index}].subPathExpr",
                    mount["subPathExpr"],
                    "subPathExpr and subPath are mutually exclusive",
                )
            )


def port(obj: Object, path: str, causes: list[Cause]) -> None:
    """Check a port's name; its numbers are checked by their bounds."""
    if obj.get("name"):
        causes += [invalid(child(path, "name"), obj["name"], each) for each in port_name_problems(obj["name"])]


def port_number(value: int | str, path: str, causes: list[Cause]) -> None:
    """Check a port given by number or name."""
    if isinstance(value, int):
        if not 1 <= value <= 65535:
            causes.append(invalid(path, value, PORT_RANGE))
    else:
        causes += [invalid(path, value, each) for each in port_name_problems(value)]


def env(obj: Object, path: str, causes: list[Cause]) -> None:
    """Check a variable's name, and that it has one value only."""
    if obj["name"]:
        causes += [invalid(child(path, "name"), obj["name"], each) for each in env_name_problems(obj["name"])]
    if obj.get("value") and obj.get("valueFrom") is not None:
        causes.append(invalid(child(path, "valueFrom"), "", "may not be specified when `value` is not empty"))


def env_source(obj: Object, path: str, causes: list[Cause]) -> None:
    """Exactly one source."""
    if not obj:
        detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        causes.append(invalid(path, "", detail))
    elif len(obj) > 1:
        causes.append(invalid(path, "", "may not have more than one field specified at a time"))


def resources(obj: Object, path: str, causes: list[Cause]) -> None:
    """No negative quantities, known names only, and requests within limits."""
    limits, requests = obj.get("limits") or {}, obj.get("requests") or {}
    for field, quantities in (("limits", limits), ("requests", requests)):
        for name, quantity in quantities.items():
            where = f"{child(path, field)}[{name}]"
            _resource_name(name, where, causes)
            if parse(quantity) < 0:
                causes.append(invalid(where, quantity, NOT_NEGATIVE))
    for name, quantity in requests.items():
        if name in limits and parse(quantity) > parse(limits[name]):
            detail = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(invalid(child(path, "requests"), quantity, detail))


def _resource_name(name: str, path: str, causes: list[Cause]) -> None:
    problems = qualified_name_problems(name)
    causes += [invalid(path, name, each) for each in problems]
    if not problems and "/" not in name and name not in _STANDARD_RESOURCES and not name.startswith("hugepages-"):
        causes.append(invalid(path, name, "must be a standard resource type or fully qualified"))
        causes.append(invalid(path, name, "must be a standard resource for containers"))


def handler(obj: Object, path: str, causes: list[Cause]) -> None:
    """Exactly one thing to do, and that well described."""
    chosen = [each for each in _HANDLERS if each in obj]
    if not chosen:
        causes.append(required(path, "must specify a handler type"))
    causes += [forbidden(child(path, each), "may not specify more than 1 handler type") for each in chosen[1:]]
    for each in ("httpGet", "tcpSocket"):
        if each in obj:
            port_number(obj[each].get("port", 0), f"{child(path, each)}.port", causes)
    if "exec" in obj and not obj["exec"].get("command"):
        causes.append(required(child(path, "exec.command")))


def probe(obj: Object, path: str, causes: list[Cause]) -> None:
    """A probe does exactly one thing."""
    handler(obj, path, causes)
    grace = obj.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        causes.append(invalid(child(path, "terminationGracePeriodSeconds"), grace, "must be greater than 0"))
