"""A pod, read: the few questions that every part of the kubelet asks of a pod object (plain JSON).

format_pod(pod)      "web-0_default(7d0c…)", as in the kubelet's messages
"""

from cluster_engine.api.objects import Object

DEFAULT_GRACE_SECONDS = 30
TERMINAL_PHASES = ("Succeeded", "Failed")
SYSTEM_CRITICAL = 2_000_000_000
"""The priority from which on a pod is critical."""
SOURCE, HASH, SEEN, MIRROR = (f"kubernetes.io/config.{word}" for word in ("source", "hash", "seen", "mirror"))
"""Annotations: where the kubelet has a pod from, of a static pod its hash, since when, and of which hash it is a mirror
(pkg/kubelet/types/pod_update.go)."""


def uid(pod: Object) -> str:
    """Return the pod's uid."""
    return str(pod["metadata"]["uid"])


def full_name(pod: Object) -> str:
    """Name the pod as notes do: namespace/name."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def source(pod: Object) -> str:
    """Say where the kubelet has the pod from: "api", or "file" for a static pod."""
    return str((pod["metadata"].get("annotations") or {}).get(SOURCE, "api"))


def is_static(pod: Object) -> bool:
    """Return whether the pod stands in a file of the node."""
    return source(pod) != "api" and not is_mirror(pod)


def is_mirror(pod: Object) -> bool:
    """Return whether the pod is but the picture of a static one."""
    return MIRROR in (pod["metadata"].get("annotations") or {})


def is_critical(pod: Object) -> bool:
    """Return whether the node cannot do without the pod (pkg/kubelet/types, IsCriticalPod)."""
    return is_static(pod) or is_mirror(pod) or int(pod["spec"].get("priority") or 0) >= SYSTEM_CRITICAL


def is_mirror_of(pod: Object, static: Object) -> bool:
    """Return whether the pod is the picture of this static pod, as it is now."""
    if not is_static(static) or full_name(pod) != full_name(static):
        return False
    return bool((pod["metadata"].get("annotations") or {}).get(MIRROR) == static["metadata"]["annotations"][HASH])


def format_pod(pod: Object) -> str:
    """Name the pod as the kubelet's messages do."""
    metadata = pod["metadata"]
    return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"


def containers(pod: Object) -> list[Object]:
    """Return the containers of the spec."""
    return list(pod["spec"].get("containers") or [])


def init_containers(pod: Object) -> list[Object]:
    """Return the init containers of the spec."""
    return list(pod["spec"].get("initContainers") or [])


def ephemeral_containers(pod: Object) -> list[Object]:
    """Return the containers that were put into the pod while it ran."""
    return list(pod["spec"].get("ephemeralContainers") or [])


def all_containers(pod: Object) -> list[Object]:
    """Return every container of the spec: those that begin, the others, those that came later."""
    return init_containers(pod) + containers(pod) + ephemeral_containers(pod)


def is_sidecar(container: Object) -> bool:
    """Return whether an init container is one that goes on beside the others."""
    return container.get("restartPolicy") == "Always"


def sidecars(pod: Object) -> list[Object]:
    """Return the init containers that go on beside the others."""
    return [container for container in init_containers(pod) if is_sidecar(container)]


def restart_policy(pod: Object) -> str:
    """Return Always, OnFailure or Never."""
    return str(pod["spec"].get("restartPolicy") or "Always")


def is_deleted(pod: Object) -> bool:
    """Return whether somebody has asked for the pod's end."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_terminal(pod: Object) -> bool:
    """Return whether the pod, by its status, has ended for good."""
    return (pod.get("status") or {}).get("phase") in TERMINAL_PHASES


def uses_host_network(pod: Object) -> bool:
    """Return whether the pod has the node's address."""
    return bool(pod["spec"].get("hostNetwork"))


def grace_seconds(pod: Object) -> int:
    """Return how long the pod's containers may take to end; one second at least, as the kubelet has it."""
    asked = pod["metadata"].get("deletionGracePeriodSeconds")
    if asked is None:
        asked = pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
    return max(1, int(asked))


def container_field(pod: Object, container: Object) -> str:
    """Say which part of the pod an event is about, as involvedObject.fieldPath."""
    kinds = ("initContainers", "ephemeralContainers")
    field = next((kind for kind in kinds if any(container is one for one in pod["spec"].get(kind) or ())), "containers")
    return f"spec.{field}{{{container['name']}}}"
