"""What the two endpoints controllers share: which pods a Service selects, with which ports, and when to look again.

A pod belongs behind a Service once it has an address and as long as it has not ended. It *serves* while its Ready
condition is True (or the Service publishes not-ready addresses anyway).

Modelled on `staging/src/k8s.io/endpointslice/util/controller_utils.go`.
"""

from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.client import Informer, WorkQueue, key_of
from cluster_engine.controllers import pods


def selected(service: Object, informer: Informer) -> list[Object]:
    """Return the pods of the Service's namespace that its selector matches, by name."""
    namespace = service["metadata"]["namespace"]
    wanted = service["spec"]["selector"].items()
    found = [
        pod
        for pod in informer.items()
        if pod["metadata"]["namespace"] == namespace and wanted <= pod["metadata"].get("labels", {}).items()
    ]
    return sorted(found, key=key_of)


def belongs(pod: Object, *, with_terminating: bool) -> bool:
    """Return whether a selected pod is told at all."""
    if pods.is_terminal(pod) or not pod.get("status", {}).get("podIP"):
        return False
    return with_terminating or "deletionTimestamp" not in pod["metadata"]


def is_serving(service: Object, pod: Object) -> bool:
    """Return whether a pod answers."""
    return pods.is_ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))


def ports(service: Object, pod: Object) -> tuple[tuple[str, int, str], ...]:
    """Return (name, number at the pod, protocol) of each of the Service's ports that the pod has."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP")))
    return tuple(found)


def target_port(port: Object, pod: Object) -> int | None:
    """Resolve a Service port's target at a pod: a number, or the name of a container port there."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if each.get("name") == target and each.get("protocol", "TCP") == protocol:
                return int(each["containerPort"])
    return None


def _told(pod: Object) -> tuple[Any, ...]:
    """Return all of a pod that endpoints say something about: only a change of it is worth a sync."""
    address, node = pod.get("status", {}).get("podIP"), pod["spec"].get("nodeName")
    leaving = "deletionTimestamp" in pod["metadata"]
    return (address, node, pods.is_ready(pod), pods.is_terminal(pod), leaving)


def wake(services: Informer, informer: Informer, queue: WorkQueue[str]) -> None:
    """Queue a Service when it changes, and when a pod it selects (or did) changes in what is told of it."""

    def enqueue(service: Object) -> None:
        queue.add(key_of(service))

    def enqueue_selecting(pod: Object, labels: dict[str, str]) -> None:
        for service in services.items():
            selector = service["spec"].get("selector")
            same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
            if selector and same and selector.items() <= labels.items():
                enqueue(service)

    def changed(pod: Object) -> None:
        enqueue_selecting(pod, pod["metadata"].get("labels", {}))

    def updated(old: Object, new: Object) -> None:
        before, after = old["metadata"].get("labels", {}), new["metadata"].get("labels", {})
        if before != after:
            enqueue_selecting(old, before)
        if before != after or _told(old) != _told(new):
            enqueue_selecting(new, after)

    services.on(add=enqueue, update=lambda _, new: enqueue(new), delete=enqueue)
    informer.on(add=changed, update=updated, delete=changed)
