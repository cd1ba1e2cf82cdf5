"""The cells of `kubectl get`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cluster_engine.api import kinds
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest
from cluster_engine.api.tables import table

NOW = datetime(2026, 1, 1, 0, 10, 0, tzinfo=UTC)
CREATED = "2026-01-01T00:09:30Z"


def row(kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    """The cells of one object, by their columns' names."""
    obj = {"metadata": {"name": "x", "creationTimestamp": CREATED, **obj.get("metadata", {})}, **_rest(obj)}
    made = table(kind, [obj], now=NOW)
    names = [each["name"] for each in made["columnDefinitions"]]
    return dict(zip(names, made["rows"][0]["cells"], strict=True))


def _rest(obj: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key != "metadata"}


def pod(
    *states: dict[str, Any], phase: str = "Running", init: list[Any] | None = None, deleted: bool = False, **status: Any
) -> dict[str, Any]:
    """A pod whose containers and init containers are in these states."""
    statuses = [_status(f"c{index}", state) for index, state in enumerate(states)]
    obj: dict[str, Any] = {
        "metadata": {"deletionTimestamp": CREATED} if deleted else {},
        "spec": {"containers": [{"name": each["name"]} for each in statuses] or [{"name": "c0"}]},
        "status": {"phase": phase, "containerStatuses": statuses, **status},
    }
    if init is not None:
        found = [_status(f"i{index}", state) for index, state in enumerate(init)]
        obj["spec"]["initContainers"] = [{"name": each["name"], **each.pop("spec", {})} for each in found]
        obj["status"]["initContainerStatuses"] = found
    return obj


def _status(name: str, state: dict[str, Any]) -> dict[str, Any]:
    outer: dict[str, Any] = {
        key: state[key] for key in ("ready", "restartCount", "lastState", "started", "spec") if key in state
    }
    inner = {key: value for key, value in state.items() if key not in outer}
    return {"name": name, "state": inner, "ready": False, "restartCount": 0, **outer}


READY = {"running": {"startedAt": CREATED}, "ready": True}
RUNNING = {"running": {"startedAt": CREATED}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
FAILED = {"terminated": {"exitCode": 1, "reason": "Error"}}
COMPLETED = {"terminated": {"exitCode": 0, "reason": "Completed"}}
LAST = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:09:55Z"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}, "restartCount": 2, "lastState": LAST}
SIDECAR = {**READY, "started": True, "spec": {"restartPolicy": "Always"}}
IS_READY = [{"type": "Ready", "status": "True"}]

PODS = [
    (pod(phase="Pending"), "0/1", "Pending", "0"),
    (pod(CREATING, phase="Pending"), "0/1", "ContainerCreating", "0"),
    (pod(READY), "1/1", "Running", "0"),
    (pod(READY, RUNNING), "1/2", "Running", "0"),
    (pod(BACK_OFF), "0/1", "CrashLoopBackOff", "2 (5s ago)"),
    (pod({**READY, "restartCount": 1}), "1/1", "Running", "1"),
    (pod({"waiting": {"reason": "ErrImagePull"}}, phase="Pending"), "0/1", "ErrImagePull", "0"),
    (pod(COMPLETED, phase="Succeeded"), "0/1", "Completed", "0"),
    (pod({"terminated": {"exitCode": 3}}, phase="Failed"), "0/1", "ExitCode:3", "0"),
    (pod({"terminated": {"exitCode": 137, "signal": 9}}, phase="Failed"), "0/1", "Signal:9", "0"),
    (pod(FAILED, phase="Failed"), "0/1", "Error", "0"),
    (pod(COMPLETED, READY, conditions=IS_READY), "1/2", "Running", "0"),
    (pod(COMPLETED, READY), "1/2", "NotReady", "0"),
    (pod(READY, deleted=True), "1/1", "Terminating", "0"),
    (pod(COMPLETED, phase="Succeeded", deleted=True), "0/1", "Completed", "0"),
    (pod(READY, deleted=True, reason="NodeLost"), "1/1", "Unknown", "0"),
    (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted", "0"),
    (pod(CREATING, phase="Pending", init=[RUNNING]), "0/1", "Init:0/1", "0"),
    (pod(CREATING, phase="Pending", init=[COMPLETED, RUNNING]), "0/1", "Init:1/2", "0"),
    (pod(CREATING, phase="Pending", init=[BACK_OFF]), "0/1", "Init:CrashLoopBackOff", "2 (5s ago)"),
    (
        pod(CREATING, phase="Pending", init=[FAILED]),
        "0/1",
        "Init:Error",
        "0",
    ),
    (pod(CREATING, phase="Pending", init=[{"terminated": {"exitCode": 7}}]), "0/1", "Init:ExitCode:7", "0"),
    (pod(READY, init=[COMPLETED]), "1/1", "Running", "0"),
    (pod({"waiting": {"reason": "PodInitializing"}}, phase="Pending", init=[COMPLETED]), "0/1", "PodInitializing", "0"),
    (pod(READY, init=[SIDECAR]), "2/2", "Running", "0"),
    (pod(READY, init=[{**SIDECAR, "restartCount": 3, "lastState": LAST}]), "2/2", "Running", "3 (5s ago)"),
    (pod(READY, init=[{**COMPLETED, "restartCount": 3}]), "1/1", "Running", "0"),
    (pod({"waiting": {"reason": "ErrImagePull"}}, BACK_OFF), "0/2", "ErrImagePull", "2 (5s ago)"),
    (
        pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
        "0/1",
        "SchedulingGated",
        "0",
    ),
]


@pytest.mark.parametrize(("obj", "ready", "status", "restarts"), PODS)
def test_a_pods_state_in_one_word(obj: dict[str, Any], ready: str, status: str, restarts: str) -> None:
    cells = row(kinds.POD, obj)
    assert (cells["Ready"], cells["Status"], cells["Restarts"]) == (ready, status, restarts)
    assert cells["Age"] == "30s"


def test_a_pods_wide_columns() -> None:
    cells = row(kinds.POD, pod(READY, podIP="10.244.1.2"))
    assert (cells["IP"], cells["Node"], cells["Nominated Node"], cells["Readiness Gates"]) == (
        "10.244.1.2",
        "<none>",
        "<none>",
        "<none>",
    )


@pytest.mark.parametrize(
    ("conditions", "unschedulable", "status"),
    [
        ([{"type": "Ready", "status": "True"}], False, "Ready"),
        ([{"type": "Ready", "status": "False"}], False, "NotReady"),
        ([{"type": "Ready", "status": "Unknown"}], False, "NotReady"),
        ([], False, "Unknown"),
        ([{"type": "Ready", "status": "True"}], True, "Ready,SchedulingDisabled"),
    ],
)
def test_a_nodes_state(conditions: list[Any], unschedulable: bool, status: str) -> None:
    node = {"spec": {"unschedulable": unschedulable}, "status": {"conditions": conditions}}
    assert row(kinds.NODE, node)["Status"] == status


def test_a_nodes_roles_are_its_labels() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "master", "a": "b"}
    assert row(kinds.NODE, {"metadata": {"labels": labels}})["Roles"] == "control-plane,master"
    cells = row(kinds.NODE, {})
    assert (cells["Roles"], cells["Internal-IP"], cells["OS-Image"]) == ("<none>", "<none>", "<unknown>")


def test_a_deployment_and_a_replica_set() -> None:
    spec = {
        "replicas": 3,
        "selector": {"matchLabels": {"b": "2", "a": "1"}},
        "template": {"spec": {"containers": [{"name": "x", "image": "i"}, {"name": "y", "image": "j"}]}},
    }
    status = {"replicas": 3, "readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2}
    assert row(kinds.DEPLOYMENT, {"spec": spec, "status": status}) == {
        "Name": "x",
        "Ready": "2/3",
        "Up-to-date": 1,
        "Available": 2,
        "Age": "30s",
        "Containers": "x,y",
        "Images": "i,j",
        "Selector": "a=1,b=2",
    }
    cells = row(kinds.REPLICA_SET, {"spec": spec, "status": status})
    assert (cells["Desired"], cells["Current"], cells["Ready"]) == (3, 3, 2)


@pytest.mark.parametrize(
    ("spec", "status", "external", "ports"),
    [
        ({"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}, {}, "<none>", "80/TCP"),
        (
            {
                "type": "NodePort",
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            },
            {},
            "<none>",
            "80:30080/TCP,53/UDP",
        ),
        ({"type": "LoadBalancer"}, {}, "<pending>", "<none>"),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, "1.2.3.4", "<none>"),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com", "<none>"),
        ({"type": "ClusterIP", "externalIPs": ["1.1.1.1"]}, {}, "1.1.1.1", "<none>"),
    ],
)
def test_a_services_addresses_and_ports(spec: Any, status: Any, external: str, ports: str) -> None:
    cells = row(kinds.SERVICE, {"spec": spec, "status": status})
    assert (cells["External-IP"], cells["Port(s)"], cells["Cluster-IP"]) == (external, ports, "<none>")


def test_endpoints_are_shortened_after_three() -> None:
    addresses = [{"ip": f"10.0.0.{last}"} for last in range(1, 6)]
    cells = row(kinds.ENDPOINTS, {"subsets": [{"addresses": addresses, "ports": [{"port": 80}]}]})
    assert cells["Endpoints"] == "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."
    assert row(kinds.ENDPOINTS, {})["Endpoints"] == "<none>"


def test_an_endpoint_slice() -> None:
    endpoints = [{"addresses": [f"10.0.0.{last}"]} for last in range(1, 5)]
    cells = row(kinds.ENDPOINT_SLICE, {"addressType": "IPv4", "endpoints": endpoints, "ports": [{"port": 80}]})
    assert cells["Endpoints"] == "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more..."
    assert (cells["AddressType"], cells["Ports"]) == ("IPv4", "80")
    assert row(kinds.ENDPOINT_SLICE, {"endpoints": []})["Ports"] == "<unset>"


def test_an_event_and_a_lease_and_a_binding() -> None:
    event = {
        "type": "Normal",
        "reason": "Started",
        "message": "Started container\n",
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
        "source": {"component": "kubelet", "host": "worker-1"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:09:50Z",
        "count": 4,
    }
    assert list(row(kinds.EVENT, event).values()) == [
        "10s",
        "Normal",
        "Started",
        "pod/p",
        "spec.containers{c}",
        "kubelet, worker-1",
        "Started container",
        "10m",
        4,
        "x",
    ]
    newer = {"eventTime": "2026-01-01T00:09:00.000000Z", "reportingComponent": "scheduler", "lastTimestamp": None}
    assert row(kinds.EVENT, newer)["Last Seen"] == "60s"
    assert row(kinds.LEASE, {"spec": {"holderIdentity": "me"}})["Holder"] == "me"
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]
    binding = {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": subjects}
    cells = row(kinds.ROLE_BINDING, binding)
    assert (cells["Role"], cells["Users"], cells["Groups"], cells["ServiceAccounts"]) == (
        "ClusterRole/view",
        "u",
        "",
        "n/s",
    )


def test_small_kinds() -> None:
    assert row(kinds.CONFIG_MAP, {"data": {"a": "1"}, "binaryData": {"b": ""}})["Data"] == 2
    assert row(kinds.SECRET, {"type": "Opaque", "data": {"a": ""}}) == {
        "Name": "x",
        "Type": "Opaque",
        "Data": 1,
        "Age": "30s",
    }
    assert row(kinds.NAMESPACE, {"status": {"phase": "Active"}})["Status"] == "Active"
    assert row(kinds.ROLE, {})["Created At"] == CREATED
    assert row(kinds.SERVICE_ACCOUNT, {})["Secrets"] == 0


def test_a_table_holds_as_much_of_the_objects_as_was_asked_for() -> None:
    obj = {"metadata": {"name": "x", "resourceVersion": "7"}, "data": {}}

    def embedded(include: str) -> Any:
        return table(kinds.CONFIG_MAP, [obj], now=NOW, include_object=include)["rows"][0]["object"]

    assert embedded("None") is None
    assert embedded("Metadata") == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }
    assert embedded("Object") == {"kind": "ConfigMap", "apiVersion": "v1", **obj}
    with pytest.raises(BadRequest):
        embedded("Everything")


def test_a_table_is_dated_and_later_ones_have_no_headers() -> None:
    obj = {"metadata": {"name": "x", "resourceVersion": "7"}}
    one = table(kinds.CONFIG_MAP, [obj], now=NOW)
    assert one["metadata"] == {"resourceVersion": "7"}
    assert table(kinds.CONFIG_MAP, [], now=NOW, list_metadata={"resourceVersion": "9"})["metadata"] == {
        "resourceVersion": "9"
    }
    assert table(kinds.CONFIG_MAP, [obj], now=NOW, headers=False)["columnDefinitions"] is None
    assert one["columnDefinitions"][0]["format"] == "name"


@pytest.mark.parametrize("kind", kinds.BUILT_IN.stored, ids=lambda each: each.name)
def test_an_object_that_says_nothing_still_has_cells(kind: Kind) -> None:
    cells = table(kind, [{"metadata": {}}], now=NOW)["rows"][0]["cells"]
    assert len(cells) == len(kind.columns)
