"""Rules for Namespaces, ConfigMaps and Secrets, from `pkg/apis/core/validation/validation.go`."""

from cluster_engine.api.causes import IMMUTABLE, child, forbidden, invalid, required, too_long
from cluster_engine.api.names import config_key_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

DATA_BYTES_MAX = 1024 * 1024
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


METADATA_NAME_LABEL = "kubernetes.io/metadata.name"


def prepare_namespace(namespace: Object) -> None:
    """A new namespace is active, whatever it says, and is held by the namespace controller."""
    namespace.setdefault("spec", {})["finalizers"] = ["kubernetes"]
    namespace["status"] = {"phase": "Active"}
    label_namespace(namespace)


def prepare_namespace_update(new: Object, old: Object) -> None:
    """Finalizers change by way of `finalize` only."""
    new["spec"] = old.get("spec", {})
    label_namespace(new)


def label_namespace(namespace: Object) -> None:
    """Put the label on a namespace that lets selectors name it, once it has a name."""
    metadata = namespace["metadata"]
    if metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), METADATA_NAME_LABEL: metadata["name"]}


def _data(obj: Object, fields: tuple[str, ...], causes: list[Cause]) -> None:
    size = 0
    for field in fields:
        for key, value in (obj.get(field) or {}).items():
            causes += [invalid(f"{field}[{key}]", key, each) for each in config_key_problems(key)]
            size += len(value) if field != "data" or "binaryData" in fields else len(value) * 3 // 4
    if size > DATA_BYTES_MAX:
        causes.append(
            too_long("data", DATA_BYTES_MAX) if "binaryData" not in fields else too_long("[]", DATA_BYTES_MAX)
        )


def config_map(obj: Object, path: str, causes: list[Cause]) -> None:
    """Keys are well formed and stand in one of the two fields only."""
    _data(obj, ("data", "binaryData"), causes)
    causes += [
        invalid(f"{child(path, 'data')}[{key}]", key, "duplicate of key present in binaryData")
        for key in obj.get("binaryData") or {}
        if key in (obj.get("data") or {})
    ]


def secret(obj: Object, path: str, causes: list[Cause]) -> None:
    """Keys are well formed, and those that the type needs are there."""
    _data(obj, ("data",), causes)
    data = obj.get("data") or {}
    needed = _NEEDED_KEYS.get(obj.get("type", ""), ())
    causes += [required(f"{child(path, 'data')}[{key}]") for key in needed if key not in data]
    if obj.get("type") == "kubernetes.io/basic-auth" and not ({"username", "password"} & data.keys()):
        causes += [required(f"data[{key}]") for key in ("username", "password")]
    if obj.get("type") == "kubernetes.io/service-account-token":
        name = "kubernetes.io/service-account.name"
        if not (obj["metadata"].get("annotations") or {}).get(name):
            causes.append(required(f"metadata.annotations[{name}]"))


def immutable_data(new: Object, old: Object, causes: list[Cause]) -> None:
    """What was declared immutable stays."""
    if not old.get("immutable"):
        return
    detail = "field is immutable when `immutable` is set"
    causes += [
        forbidden(field, detail)
        for field in ("immutable", "data", "binaryData")
        if (new.get(field) or None) != (old.get(field) or None)
    ]


def secret_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """The type stays, and what was declared immutable."""
    if new.get("type") != old.get("type"):
        causes.append(invalid("type", new.get("type"), IMMUTABLE))
    immutable_data(new, old, causes)
