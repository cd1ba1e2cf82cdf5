"""What `kubectl debug` makes: a container in a pod that runs, a copy of a pod, or a pod on a node; and its profiles.

A profile says what such a container may do, by where it stands:

                 in a running pod          in a copy of a pod                  on a node
    legacy       nothing                   nothing: all is kept                host's namespaces, /host
    general      SYS_PTRACE                SYS_PTRACE, shared processes        host's namespaces, /host
    baseline     no security context       no security context, shared …       nothing
    netadmin     NET_ADMIN, NET_RAW        the same, shared processes          the same, host's namespaces
    restricted   not root, no privileges   the same, shared processes          the same
    sysadmin     privileged                privileged, shared processes        privileged, host's namespaces, /host

A copy loses the labels, annotations and probes that --keep-… does not name, but for `legacy`. Pure: pods in, pods out.

Modelled on kubectl/pkg/cmd/debug (profiles.go, debug.go).
"""

from copy import deepcopy
from typing import Literal

import msgspec

from cluster_engine.api.objects import Object

PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
LEGACY = "legacy"
Where = Literal["running", "copy", "node"]
KINDS = ("containers", "initContainers", "ephemeralContainers")
_PROBES = {"keep-liveness": "livenessProbe", "keep-readiness": "readinessProbe", "keep-startup": "startupProbe"}
_ROOT = "host-root"
_CONTEXTS: dict[str, Object] = {
    "netadmin": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
    "restricted": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "sysadmin": {"privileged": True},
}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the container is to be; `kept` names what a copy keeps, `fields` what its container is given."""

    profile: str
    image: str
    fields: Object
    arguments: list[str] = msgspec.field(default_factory=list)
    arguments_only: bool = False
    kept: frozenset[str] = frozenset()
    share_processes: bool | None = None

    def container(self, name: str) -> Object:
        """Make a new container."""
        made: Object = {"name": name, "image": self.image, "resources": {}, "terminationMessagePolicy": "File"}
        if self.arguments:
            made["args" if self.arguments_only else "command"] = self.arguments
        return made | self.fields


def names(pod: Object) -> set[str]:
    """Name all containers of a pod."""
    return {one["name"] for kind in KINDS for one in pod["spec"].get(kind) or ()}


def for_running(wish: Wish, name: str, target: str) -> Object:
    """Make an ephemeral container."""
    container = wish.container(name) | ({"targetContainerName": target} if target else {})
    _allow(container, wish.profile, "running")
    return container


def for_node(wish: Wish, pod_name: str, name: str, node: str) -> Object:
    """Make a pod that runs on a node, whatever the node's taints are."""
    container = wish.container(name)
    _allow(container, wish.profile, "node")
    spec: Object = {
        "containers": [container],
        "nodeName": node,
        "restartPolicy": "Never",
        "tolerations": [{"operator": "Exists"}],
    }
    if wish.profile in ("legacy", "general", "netadmin", "sysadmin"):
        spec |= {"hostNetwork": True, "hostPID": True, "hostIPC": True}
    if wish.profile in ("legacy", "general", "sysadmin"):
        spec["volumes"] = [{"name": _ROOT, "hostPath": {"path": "/"}}]
        container["volumeMounts"] = [{"mountPath": "/host", "name": _ROOT}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod_name}, "spec": spec}


def copied(pod: Object, name: str, images: dict[str, str], *, same_node: bool) -> Object:
    """Copy a pod under another name, with other images; "*" stands for every container."""
    old, spec = pod["metadata"], deepcopy(pod["spec"])
    spec.pop("ephemeralContainers", None)
    if not same_node:
        spec.pop("nodeName", None)
    for container in spec["containers"]:
        container["image"] = images.get(container["name"], images.get("*", container["image"]))
    metadata = {"name": name, "namespace": old["namespace"]}
    metadata |= {key: old[key] for key in ("labels", "annotations") if old.get(key)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def with_debugger(copy: Object, wish: Wish, name: str) -> Object:
    """Put a container into a copy, or change the one of that name, and apply the profile."""
    spec = copy["spec"]
    if wish.share_processes is not None:
        spec["shareProcessNamespace"] = wish.share_processes
    container = next((one for kind in KINDS for one in spec.get(kind) or () if one["name"] == name), None)
    if container is None:
        container = wish.container(name)
        spec["containers"].append(container)
    else:
        _change(container, wish)
    if wish.profile == LEGACY:
        return copy
    _allow(container, wish.profile, "copy")
    for key in ("labels", "annotations"):
        if f"keep-{key}" not in wish.kept:
            copy["metadata"].pop(key, None)
    for one in spec["containers"]:
        for flag, probe in _PROBES.items():
            if flag not in wish.kept:
                one.pop(probe, None)
    if "keep-init-containers" not in wish.kept:
        spec.pop("initContainers", None)
    spec.setdefault("shareProcessNamespace", True)
    return copy


def _change(container: Object, wish: Wish) -> None:
    if wish.arguments:
        container["args" if wish.arguments_only else "command"] = wish.arguments
        if not wish.arguments_only:
            container.pop("args", None)
    for key in ("stdin", "tty"):
        container.pop(key, None)
    container |= wish.fields | ({"image": wish.image} if wish.image else {})


def _allow(container: Object, profile: str, where: Where) -> None:
    """Give a container the security context of a profile."""
    if profile == "general" and where != "node":
        before = container.get("securityContext") or {}
        capabilities = before.get("capabilities") or {}
        added = [*capabilities.get("add", ()), "SYS_PTRACE"]
        container["securityContext"] = before | {"capabilities": capabilities | {"add": added}}
    elif profile == "baseline":
        container.pop("securityContext", None)
    elif profile in _CONTEXTS:
        container["securityContext"] = deepcopy(_CONTEXTS[profile])
