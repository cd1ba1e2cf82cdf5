"""NodeRestriction: a kubelet writes its own Node, the pods bound to it, and nothing else.

Theory of operation. The Node authorizer knows resource and name; what stands in the body it cannot see. This plug-in
can. It speaks only about users that are nodes.

    worker-1 PATCH nodes/worker-2/status             403  node "worker-1" is not allowed to modify node "worker-2"
    worker-1 DELETE a pod bound to worker-2          403  node "worker-1" can only delete pods with spec.nodeName set …

Modelled on plugin/pkg/admission/noderestriction/admission.go. Left out: persistent volume claims, CSI, resource slices.
"""

from typing import Any

from cluster_engine.api.kinds import LEASE, NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.registry.backend import Backend, Call

LEASE_NAMESPACE = "kube-node-lease"
MIRROR = "kubernetes.io/config.mirror"
OWN_LABEL_DOMAIN = "node-restriction.kubernetes.io"
LABELS_ALLOWED = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
    }
)
LABEL_DOMAINS_ALLOWED = ("kubelet.kubernetes.io", "node.kubernetes.io")


def on_create(call: Call, new: Object) -> None:
    """Restrict what a node creates."""
    node = call.user.node
    if node is None:
        return
    if call.kind is NODE:
        _own_node(call, node, new["metadata"].get("name", ""))
        _labels(call, node, new, {})
    elif call.kind is POD:
        _mirror_pod(call, node, new)
    elif call.kind is LEASE:
        _own_lease(call, node, new["metadata"].get("name", ""))


def on_update(call: Call, new: Object, old: Object) -> None:
    """Restrict what a node changes."""
    node = call.user.node
    if node is None:
        return
    if call.kind is NODE:
        _own_node(call, node, call.name)
        _labels(call, node, new, old["metadata"].get("labels") or {})
        if call.subresource == "" and _taints(new) != _taints(old):
            raise _no(call, f'node "{node}" is not allowed to modify taints')
    elif call.kind is POD:
        _own_pod(call, node, old, "update pod status for")
        if (new["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {}):
            raise _no(call, f'node "{node}" cannot update labels through pod status')
    elif call.kind is LEASE:
        _own_lease(call, node, call.name)


def on_delete(call: Call, obj: Object) -> None:
    """Restrict what a node deletes."""
    node = call.user.node
    if node is not None and call.kind is POD:
        _own_pod(call, node, obj, "delete" if call.subresource == "" else "evict")


def on_token(backend: Backend, call: Call, request: Object) -> None:
    """Restrict which tokens a node may have made."""
    node = call.user.node
    if node is None:
        return
    reference = (request.get("spec") or {}).get("boundObjectRef") or {}
    if reference.get("kind") != "Pod" or not reference.get("name"):
        raise _no(call, "node requested token not bound to a pod")
    if not reference.get("uid"):
        raise _no(call, "node requested token with a pod binding without a uid")
    pod = backend.find(POD, call.namespace, reference["name"])
    if pod is None or pod["metadata"]["uid"] != reference["uid"]:
        raise _no(call, "node requested token bound to a pod that does not exist")
    if (pod.get("spec") or {}).get("nodeName") != node:
        raise _no(call, "node requested token bound to a pod scheduled on a different node")


def _no(call: Call, why: str) -> Forbidden:
    return Forbidden.because(call.kind, call.name, why)


def _own_node(call: Call, node: str, name: str) -> None:
    if name != node:
        raise _no(call, f'node "{node}" is not allowed to modify node "{name}"')


def _own_lease(call: Call, node: str, name: str) -> None:
    if call.namespace != LEASE_NAMESPACE:
        raise _no(call, f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
    if name != node:
        raise _no(call, f'can only access node lease with the same name as the requesting node ("{node}")')


def _own_pod(call: Call, node: str, pod: Object, what: str) -> None:
    if (pod.get("spec") or {}).get("nodeName") != node:
        raise _no(call, f'node "{node}" can only {what} pods with spec.nodeName set to itself')


def _mirror_pod(call: Call, node: str, pod: Object) -> None:
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        raise _no(call, f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods')
    spec = pod.get("spec") or {}
    if spec.get("nodeName") != node:
        raise _no(call, f'node "{node}" can only create pods with spec.nodeName set to itself')
    if spec.get("serviceAccountName"):
        raise _no(call, f'node "{node}" can not create pods that reference a service account')


def _labels(call: Call, node: str, new: Object, old: dict[str, str]) -> None:
    labels = new["metadata"].get("labels") or {}
    touched = {key for key in {*labels, *old} if labels.get(key) != old.get(key)}
    bad = sorted(key for key in touched if not _may_touch(key))
    if bad:
        raise _no(call, f"is not allowed to modify labels: {', '.join(bad)}")


def _may_touch(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if domain == OWN_LABEL_DOMAIN or domain.endswith(f".{OWN_LABEL_DOMAIN}"):
        return False
    is_kubernetes = domain in ("kubernetes.io", "k8s.io") or domain.endswith((".kubernetes.io", ".k8s.io"))
    if not is_kubernetes or key in LABELS_ALLOWED:
        return True
    return any(domain == allowed or domain.endswith(f".{allowed}") for allowed in LABEL_DOMAINS_ALLOWED)


def _taints(obj: Object) -> Any:
    return (obj.get("spec") or {}).get("taints") or []
