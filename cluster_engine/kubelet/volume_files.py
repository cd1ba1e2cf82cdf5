"""The files of volumes that are made of objects: ConfigMaps, Secrets, what a pod says of itself. Pure.

    configMap {name: web}                              a file for each key of the ConfigMap
    secret {secretName: keys, items: [{key: tls.crt, path: server/cert}]}      server/cert
    downwardAPI {items: [{path: labels, fieldRef: metadata.labels}]}           labels: app="web" …

Modelled on pkg/volume/{configmap,secret,downwardapi}. Left out: defaultMode, the directory of links by which a kubelet
replaces all files of a volume at one instant.
"""

import base64
import binascii
import json
import re

from cluster_engine.api.objects import Object
from cluster_engine.kubelet.environment import resource_value
from cluster_engine.kubelet.objects import MissingObjectError


def of_object(what: str, obj: Object, reference: Object) -> dict[str, bytes]:
    """Return the files of a `configmap` or `secret`, by their path in the volume. MissingObjectError."""
    data = _data(what, obj)
    items = reference.get("items")
    if not items:
        return data
    found = {}
    for item in items:
        if item["key"] in data:
            found[item["path"]] = data[item["key"]]
        elif not reference.get("optional"):
            kind = "config" if what == "configmap" else "secret"
            raise MissingObjectError(f"references non-existent {kind} key: {item['key']}")
    return found


def of_pod(pod: Object, items: list[Object]) -> dict[str, bytes]:
    """Return the files of what the pod says of itself (the downward API)."""
    containers = (
        {container["name"]: container for container in pod["spec"].get("containers") or []} if "spec" in pod else {}
    )
    found = {}
    for item in items:
        if field := (item.get("fieldRef") or {}).get("fieldPath"):
            found[item["path"]] = _field(pod, field).encode()
        elif reference := item.get("resourceFieldRef"):
            container = containers.get(reference.get("containerName"), {})
            found[item["path"]] = resource_value(container, reference).encode()
    return found


def _data(what: str, obj: Object) -> dict[str, bytes]:
    if what == "secret":
        return {key: _decoded(value) for key, value in (obj.get("data") or {}).items()}
    binary = {key: _decoded(value) for key, value in (obj.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in (obj.get("data") or {}).items()} | binary


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _field(pod: Object, path: str) -> str:
    metadata = pod["metadata"]
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = sorted((metadata.get(path.partition(".")[2]) or {}).items())
        return "\n".join(f"{key}={json.dumps(value)}" for key, value in pairs)
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path):
        return str((metadata.get(match[1]) or {}).get(match[2], ""))
    return str(metadata.get(path.removeprefix("metadata."), "")) if path.startswith("metadata.") else ""
