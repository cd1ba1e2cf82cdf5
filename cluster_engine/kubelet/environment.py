"""A container's environment variables: Services first, then what the spec says, `$(NAME)` resolved.

    Service kubernetes 10.96.0.1:443      KUBERNETES_SERVICE_HOST=10.96.0.1  KUBERNETES_SERVICE_PORT=443  …
    envFrom configMapRef                  every key of it that is a name
    env [{name: A, value: "x"}, {name: B, value: "$(A)y"}]        A=x  B=xy

With the command and its arguments they have at most EXPANDED_BYTES_MAX, `$(NAME)` resolved: of thirty variables, each
`$(…)$(…)` of the one before, the last would have a gigabyte. Real kubelets have no such bound.

Modelled on kubelet_pods.go `makeEnvironmentVariables` and pkg/kubelet/envvars. Left out: resourceFieldRef divisors.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence

from cluster_engine.api.objects import Object
from cluster_engine.kubelet.objects import MissingObjectError, Objects

EXPANDED_BYTES_MAX = 1024 * 1024

_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")
_NAME = re.compile(r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")


class TooLargeError(Exception):
    """What a container is started with has more than EXPANDED_BYTES_MAX."""

    def __init__(self) -> None:
        super().__init__(f"environment, command and args are larger than {EXPANDED_BYTES_MAX} bytes after expansion")


async def environment(
    pod: Object, container: Object, *, services: Iterable[Object], objects: Objects, facts: Object
) -> dict[str, str]:
    """Return the variables. `facts` is what fieldRef may ask: podIP, hostIP. MissingObjectError, TooLargeError."""
    namespace = pod["metadata"]["namespace"]
    links = pod["spec"].get("enableServiceLinks", True)
    variables = service_variables(services, namespace if links else None)
    room = EXPANDED_BYTES_MAX - _size(variables)
    for source in container.get("envFrom") or []:
        found = await _from_object(source, namespace, objects)
        room = _less(room, _size(found))
        variables |= found
    for variable in container.get("env") or []:
        name = variable["name"]
        if "valueFrom" in variable:
            value = await _value_from(pod, container, variable["valueFrom"], objects, facts)
        else:
            value = expand(variable.get("value") or "", variables, room)
        if value is not None:
            room = _less(room, _size({name: value}))
            variables[name] = value
    return variables


def expand_all(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Resolve `$(NAME)` in words, which together with the variables are not larger than they may; TooLargeError."""
    room, expanded = EXPANDED_BYTES_MAX - _size(variables), []
    for word in words:
        expanded.append(expand(word, variables, room))
        room = _less(room, _bytes(expanded[-1]))
    return expanded


def expand(text: str, variables: Mapping[str, str], size_max: int = EXPANDED_BYTES_MAX) -> str:
    """Resolve `$(NAME)`; unknown names stay as they are, `$$` is a dollar. TooLargeError beyond `size_max`."""
    room = size_max - _bytes(text)

    def replace(match: re.Match[str]) -> str:
        nonlocal room
        value = "$" if match[0] == "$$" else variables.get(match[1], match[0])
        room = _less(room, _bytes(value) - _bytes(match[0]))
        return value

    return _REFERENCE.sub(replace, text)


def _size(variables: Mapping[str, str]) -> int:
    return sum(_bytes(name) + _bytes(value) for name, value in variables.items())


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _less(room: int, size: int) -> int:
    if size > room:
        raise TooLargeError
    return room - size


def service_variables(services: Iterable[Object], namespace: str | None) -> dict[str, str]:
    """Name the Services of the namespace (None: of none) and the `kubernetes` one, Docker links included."""
    variables: dict[str, str] = {}
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        is_master = (metadata["namespace"], metadata["name"]) == ("default", "kubernetes")
        address, ports = spec.get("clusterIP"), spec.get("ports") or []
        if (metadata["namespace"] != namespace and not is_master) or address in (None, "", "None") or not ports:
            continue
        prefix = _upper(metadata["name"])
        variables[f"{prefix}_SERVICE_HOST"] = address
        variables[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                variables[f"{prefix}_SERVICE_PORT_{_upper(port['name'])}"] = str(port["port"])
        variables |= _links(prefix, address, ports)
    return variables


def _links(prefix: str, address: str, ports: list[Object]) -> dict[str, str]:
    variables = {}
    for index, port in enumerate(ports):
        protocol = port.get("protocol") or "TCP"
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if index == 0:
            variables[f"{prefix}_PORT"] = url
        link = f"{prefix}_PORT_{port['port']}_{protocol}"
        variables |= {
            link: url,
            f"{link}_PROTO": protocol.lower(),
            f"{link}_PORT": str(port["port"]),
            f"{link}_ADDR": address,
        }
    return variables


def _upper(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")


async def _from_object(source: Object, namespace: str, objects: Objects) -> dict[str, str]:
    what, reference = (
        ("configmap", source["configMapRef"]) if source.get("configMapRef") else ("secret", source["secretRef"])
    )
    try:
        data = _data(what, await objects.get(what, namespace, reference["name"]))
    except MissingObjectError:
        if reference.get("optional"):
            return {}
        raise
    return {source.get("prefix", "") + key: value for key, value in data.items() if _NAME.match(key)}


async def _value_from(pod: Object, container: Object, source: Object, objects: Objects, facts: Object) -> str | None:
    if reference := source.get("fieldRef"):
        return field_value(pod, reference["fieldPath"], facts)
    if reference := source.get("resourceFieldRef"):
        return resource_value(container, reference)
    what, reference = (
        ("configmap", source["configMapKeyRef"])
        if source.get("configMapKeyRef")
        else ("secret", source["secretKeyRef"])
    )
    namespace = pod["metadata"]["namespace"]
    try:
        data = _data(what, await objects.get(what, namespace, reference["name"]))
    except MissingObjectError:
        if reference.get("optional"):
            return None
        raise
    if reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    title = "ConfigMap" if what == "configmap" else "Secret"
    raise MissingObjectError(f"couldn't find key {reference['key']} in {title} {namespace}/{reference['name']}")


def _data(what: str, obj: Object) -> dict[str, str]:
    data = obj.get("data") or {}
    if what == "configmap":
        return dict(data)
    return {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in data.items()}


def resource_value(container: Object, reference: Object) -> str:
    """Return what a resourceFieldRef asks of a container: "limits.memory"."""
    kind, _, name = str(reference["resource"]).partition(".")
    return str(((container.get("resources") or {}).get(kind) or {}).get(name, "0"))


def field_value(pod: Object, path: str, facts: Object) -> str:
    """Return what a fieldRef asks of a pod; "" where there is no such field."""
    metadata, spec = pod["metadata"], pod["spec"]
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path):
        return str((metadata.get(match[1]) or {}).get(match[2], ""))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": facts.get("podIP", ""),
        "status.podIPs": facts.get("podIP", ""),
        "status.hostIP": facts.get("hostIP", ""),
        "status.hostIPs": facts.get("hostIP", ""),
    }
    return str(values.get(path, ""))
