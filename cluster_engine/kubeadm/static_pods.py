"""The manifests of the control plane, as kubeadm 1.32 writes them into /etc/kubernetes/manifests.

    manifests(cast)["etcd"]       ("/etc/kubernetes/manifests/etcd.yaml", b"apiVersion: v1\\nkind: Pod\\n…")

The command line is the cast's. Modelled on cmd/kubeadm/app/phases/controlplane/{manifests,volumes}.go,
phases/etcd/local.go and util/staticpod/utils.go. Left out: probes (the API server's readiness alone would be a TLS
connection each second), the directories of the hosts' own authorities.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml
from msgspec.structs import asdict

from cluster_engine.cast import PKI, Cast, Component
from cluster_engine.kubeadm import audit
from cluster_engine.kubeadm.mounts import Mount
from cluster_engine.version import VERSION

MANIFESTS = "/etc/kubernetes/manifests"
REPOSITORY = "registry.k8s.io"
ETCD_TAG, COREDNS_TAG = "3.5.16-0", "v1.11.3"
ETCD_DATA = "/var/lib/etcd"


class StaticPod(msgspec.Struct, frozen=True):
    """What of a component's manifest is its own."""

    image: str
    requests: Mapping[str, str]
    mounts: tuple[Mount, ...]
    annotation: tuple[str, str] | None = None


K8S_CERTS = Mount("k8s-certs", PKI)
STATIC_PODS: Mapping[str, StaticPod] = {
    "etcd": StaticPod(
        f"{REPOSITORY}/etcd:{ETCD_TAG}",
        {"cpu": "100m", "memory": "100Mi"},
        (Mount("etcd-data", ETCD_DATA, read_only=False), Mount("etcd-certs", f"{PKI}/etcd", read_only=False)),
        ("kubeadm.kubernetes.io/etcd.advertise-client-urls", "https://{address}:2379"),
    ),
    "kube-apiserver": StaticPod(
        f"{REPOSITORY}/kube-apiserver:{VERSION}",
        {"cpu": "250m"},
        (K8S_CERTS,),
        ("kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint", "{address}:6443"),
    ),
    "kube-controller-manager": StaticPod(
        f"{REPOSITORY}/kube-controller-manager:{VERSION}",
        {"cpu": "200m"},
        (K8S_CERTS, Mount("kubeconfig", "/etc/kubernetes/controller-manager.conf", "FileOrCreate")),
    ),
    "kube-scheduler": StaticPod(
        f"{REPOSITORY}/kube-scheduler:{VERSION}",
        {"cpu": "100m"},
        (Mount("kubeconfig", "/etc/kubernetes/scheduler.conf", "FileOrCreate"),),
    ),
}
IMAGES = (
    *(pod.image for pod in STATIC_PODS.values()),
    f"{REPOSITORY}/kube-proxy:{VERSION}",
    f"{REPOSITORY}/coredns/coredns:{COREDNS_TAG}",
)
"""What `kubeadm config images pull` has on the control plane before it begins, beside pause."""


def path_of(name: str) -> str:
    """Say where a component's manifest lies."""
    return f"{MANIFESTS}/{name}.yaml"


def manifests(cast: Cast) -> dict[str, tuple[str, bytes]]:
    """Return path and text of the manifest of each component that a kubelet runs from a file, by its id."""
    found = [one for one in cast.components if one.program.in_pod and one.program.kubeadm_pod == "static"]
    return {one.id: (path_of(one.program.name), _text(one)) for one in found}


def _text(component: Component) -> bytes:
    return yaml.dump(pod(component), Dumper=_DUMPER, default_flow_style=False).encode()


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def pod(component: Component) -> dict[str, Any]:
    """Return the pod of a component, as its manifest has it."""
    name, own = component.program.name, STATIC_PODS[component.program.name]
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "kube-system",
        "labels": {"component": name, "tier": "control-plane"},
    }
    if own.annotation is not None:
        key, value = own.annotation
        metadata["annotations"] = {key: value.format(address=component.host.address)}
    mounts = [asdict(one) for one in sorted((*own.mounts, *audit.mounts(component.argv)), key=lambda one: one.name)]
    container = {
        "name": name,
        "image": own.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(component.argv),
        "resources": {"requests": dict(own.requests)},
        "volumeMounts": [_mount(**one) for one in mounts],
    }
    spec = {
        "containers": [container],
        "hostNetwork": True,
        "priority": 2000001000,
        "priorityClassName": "system-node-critical",
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": one["name"], "hostPath": {"path": one["path"], "type": one["type"]}} for one in mounts],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _mount(name: str, path: str, read_only: bool, **_: str) -> dict[str, Any]:
    mount: dict[str, Any] = {"mountPath": path, "name": name}
    return {**mount, "readOnly": True} if read_only else mount
