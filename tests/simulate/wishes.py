"""Desired = actual: what, in one snapshot of a cluster, is not yet as somebody wants it. Empty means at rest.

lacking(Snapshot(objects={"deployments": […], "pods": […], …}, running={"worker-1": {uid, …}}, rules={…}))
-> ["deployment default/web has 2 of 3 pods available", "worker-2 is not Ready: Unknown"]
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from tests.simulate.bootstrap_tokens import badly_signed
from tests.simulate.rollouts import OVER

OWNERS = ("replicasets", "daemonsets", "jobs", "nodes")
"""Of pods; a node's are the mirrors of its static ones."""
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects by resource as they lie in etcd; by host, the pods that run there and its packet filter's rules."""

    objects: Mapping[str, list[Object]]
    running: Mapping[str, frozenset[str]]
    rules: Mapping[str, str] = field(default_factory=dict)
    down: tuple[str, ...] = ()

    def of(self, resource: str) -> list[Object]:
        """Give the objects of a resource."""
        return self.objects.get(resource, [])

    def without(self, component: str) -> "Snapshot":
        """Give it without what this component of every host has to do: to be up, and kube-proxy's rules."""
        down = tuple(one for one in self.down if one.rpartition("/")[2] != component)
        return replace(self, down=down, rules={} if component == "kube-proxy" else self.rules)


def lacking(snapshot: Snapshot) -> list[str]:
    """Name everything that is not as it should be."""
    return list(_lacking(snapshot))


def _lacking(it: Snapshot) -> Iterator[str]:
    for component in it.down:
        yield f"{component} is down"
    for node in it.of("nodes"):
        yield from _node(node)
    for deployment in it.of("deployments"):
        yield from _deployment(deployment, it)
    for replica_set in it.of("replicasets"):
        yield from _replica_set(replica_set, it)
    for daemon_set in it.of("daemonsets"):
        yield from _daemon_set(daemon_set)
    for job in it.of("jobs"):
        if not _is_finished(job):
            yield f"job {_name(job)} has not finished"
    for pod in it.of("pods"):
        yield from _pod(pod, it)
    yield from _runtime(it)
    for service in it.of("services"):
        yield from _service(service, it)
    for namespace in it.of("namespaces"):
        if namespace["status"]["phase"] != "Active":
            yield f"namespace {_name(namespace)} is {namespace['status']['phase']}"
    yield from badly_signed(it.of("secrets"), it.of("configmaps"))


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else str(metadata["name"])


def _condition(obj: Object, kind: str) -> str:
    conditions = obj.get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == kind), "absent")


def _is_going(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _node(node: Object) -> Iterator[str]:
    if _condition(node, "Ready") != "True":
        yield f"{_name(node)} is not Ready: {_condition(node, 'Ready')}"
    if taints := [one for one in node["spec"].get("taints") or () if one["key"] != CONTROL_PLANE_TAINT]:
        yield f"{_name(node)} is tainted: {', '.join(taint['key'] for taint in taints)}"


def _deployment(deployment: Object, it: Snapshot) -> Iterator[str]:
    if _is_going(deployment):
        yield f"deployment {_name(deployment)} is still going"
        return
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        yield f"deployment {_name(deployment)} was not looked at since generation {status.get('observedGeneration')}"
    for count in ("replicas", "availableReplicas", *(() if deployment["spec"].get("paused") else ("updatedReplicas",))):
        if status.get(count, 0) != wanted:
            yield f"deployment {_name(deployment)} has {count} {status.get(count, 0)} of {wanted}"


def _replica_set(replica_set: Object, it: Snapshot) -> Iterator[str]:
    if _is_going(replica_set):
        yield f"replicaset {_name(replica_set)} is still going"
        return
    uid, wanted = replica_set["metadata"]["uid"], replica_set["spec"]["replicas"]
    active = [pod for pod in it.of("pods") if _controller(pod) == uid and pod["status"]["phase"] not in OVER]
    if len(active) != wanted:
        yield f"replicaset {_name(replica_set)} has {len(active)} of {wanted} pods"
    if replica_set.get("status", {}).get("replicas", 0) != wanted:
        yield f"replicaset {_name(replica_set)} says {replica_set.get('status', {}).get('replicas')} of {wanted}"


def _daemon_set(daemon_set: Object) -> Iterator[str]:
    if _is_going(daemon_set):
        yield f"daemonset {_name(daemon_set)} is still going"
        return
    status = daemon_set.get("status", {})
    if status.get("observedGeneration") != daemon_set["metadata"]["generation"]:
        yield f"daemonset {_name(daemon_set)} was not looked at since generation {status.get('observedGeneration')}"
    wanted = status.get("desiredNumberScheduled", 0)
    for count in ("currentNumberScheduled", "numberReady", "updatedNumberScheduled"):
        if status.get(count, 0) != wanted:
            yield f"daemonset {_name(daemon_set)} has {count} {status.get(count, 0)} of {wanted}"


def _is_finished(job: Object) -> bool:
    return "True" in (_condition(job, "Complete"), _condition(job, "Failed"))


def _controller(obj: Object) -> str:
    owners = obj["metadata"].get("ownerReferences", [])
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _pod(pod: Object, it: Snapshot) -> Iterator[str]:
    phase = pod["status"].get("phase")
    if _is_going(pod):
        yield f"pod {_name(pod)} is still going"
    elif phase == "Running" and _condition(pod, "Ready") != "True":
        yield f"pod {_name(pod)} runs and is not ready"
    elif phase not in ("Running", "Succeeded") and not (phase == "Failed" and _is_over(pod)):
        yield f"pod {_name(pod)} is {phase}"
    owner = _controller(pod)
    owners = (one for resource in OWNERS for one in it.of(resource))
    if owner and owner not in {one["metadata"]["uid"] for one in owners}:
        yield f"pod {_name(pod)} has lost its owner, and is still there"


def _is_over(pod: Object) -> bool:
    return bool(pod["spec"].get("restartPolicy") == "Never") or _is_evicted(pod)


def _is_evicted(pod: Object) -> bool:
    """Whether a kubelet has ended a pod for want of something: it stays, and its controller has made another."""
    return bool(pod["status"].get("reason") == "Evicted")


def _runtime(it: Snapshot) -> Iterator[str]:
    """Compare what hosts run with what pods say."""
    for host, running in it.running.items():
        said = {
            pod["metadata"]["uid"]: _name(pod)
            for pod in it.of("pods")
            if pod["spec"].get("nodeName") == host and pod["status"].get("phase") == "Running"
        }
        for uid in sorted(said.keys() - running):
            yield f"pod {said[uid]} is said to run, and {host} runs nothing of it"
        for uid in sorted(running - said.keys()):
            yield f"{host} runs pod {uid}, which should not run there"


def _service(service: Object, it: Snapshot) -> Iterator[str]:
    selector = service["spec"].get("selector")
    if not selector:
        return
    matches = label_selector_from_object({"matchLabels": selector}).matches
    namespace = service["metadata"]["namespace"]
    wanted = {
        (pod["status"]["podIP"], port)
        for pod in it.of("pods")
        if pod["metadata"]["namespace"] == namespace
        and matches(pod["metadata"].get("labels"))
        and _condition(pod, "Ready") == "True"
        and not _is_going(pod)
        for port in _target_ports(service)
    }
    slices = _ready_in_slices(service, it.of("endpointslices"))
    if slices != wanted:
        yield f"service {_name(service)} has endpoints {_spelled(slices)}, and ready pods {_spelled(wanted)}"
    legacy = _ready_in_endpoints(service, it.of("endpoints"))
    if legacy != wanted:
        yield f"service {_name(service)} has Endpoints {_spelled(legacy)}, and ready pods {_spelled(wanted)}"
    for host, rules in it.rules.items():
        there = (f"{address}:{port}" for address, port in wanted)
        if missing := sorted(place for place in there if f"--to-destination {place}" not in rules):
            yield f"{host} forwards service {_name(service)} nowhere for {missing}"


def _target_ports(service: Object) -> list[int]:
    """Give the ports of a Service at its pods; people's services here name them by number."""
    return [int(each.get("targetPort", each["port"])) for each in service["spec"].get("ports") or ()]


def _spelled(places: set[tuple[str, int]]) -> list[str]:
    return [f"{address}:{port}" for address, port in sorted(places)]


def _ready_in_slices(service: Object, slices: list[Object]) -> set[tuple[str, int]]:
    return {
        (address, port["port"])
        for one in slices
        if _controller(one) == service["metadata"]["uid"]
        for endpoint in one.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready", True)
        for address in endpoint["addresses"]
        for port in one.get("ports") or []
    }


def _ready_in_endpoints(service: Object, endpoints: list[Object]) -> set[tuple[str, int]]:
    return {
        (address["ip"], port["port"])
        for one in endpoints
        if _name(one) == _name(service)
        for subset in one.get("subsets") or []
        for address in subset.get("addresses") or []
        for port in subset.get("ports") or []
    }
