"""TaintNodesByCondition: a new Node is tainted not ready, whatever it says of itself.

Nothing is scheduled on it before the node-lifecycle controller has seen that it is ready and takes the taint away.

    POST nodes worker-1   ──►  taints: [node.kubernetes.io/not-ready:NoSchedule]

Modelled on plugin/pkg/admission/nodetaint/admission.go.
"""

from cluster_engine.api.objects import Object

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def admit(node: Object) -> None:
    """Taint a new Node."""
    spec = node.setdefault("spec", {})
    taints = spec.get("taints") or []
    if not any(each.get("key") == NOT_READY["key"] and each.get("effect") == NOT_READY["effect"] for each in taints):
        spec["taints"] = [*taints, dict(NOT_READY)]
