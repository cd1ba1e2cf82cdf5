"""What the server fills in."""

import copy
from typing import Any

import pytest

from cluster_engine.api.defaulting import default
from cluster_engine.api.kinds import (
    BUILT_IN,
    CLUSTER_ROLE_BINDING,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    NAMESPACE,
    NODE,
    POD,
    ROLE,
    SECRET,
    SERVICE,
)
from cluster_engine.api.schema import Kind


def pod(**container: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "nginx", **container}]}}


def defaulted(kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    default(kind, obj)
    return obj


def test_a_pod_is_complete() -> None:
    spec = defaulted(POD, pod())["spec"]
    container = spec.pop("containers")[0]
    assert spec == {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
        "securityContext": {},
    }
    assert container == {
        "name": "c",
        "image": "nginx",
        "imagePullPolicy": "Always",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:00", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert defaulted(POD, pod(image=image))["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_what_is_given_stays() -> None:
    obj = pod(imagePullPolicy="Never")
    obj["spec"] |= {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0}
    spec = defaulted(POD, obj)["spec"]
    assert (spec["restartPolicy"], spec["terminationGracePeriodSeconds"]) == ("Never", 0)
    assert spec["containers"][0]["imagePullPolicy"] == "Never"


def test_requests_are_the_limits_where_not_given() -> None:
    obj = pod(resources={"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}})
    assert defaulted(POD, obj)["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_a_probe_a_port_and_a_volume_are_complete() -> None:
    obj = pod(ports=[{"containerPort": 80}], readinessProbe={"httpGet": {"port": 80}})
    obj["spec"]["volumes"] = [{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}]
    spec = defaulted(POD, obj)["spec"]
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert spec["containers"][0]["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert spec["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "secret": {"secretName": "s", "defaultMode": 420}},
    ]


def test_the_old_name_of_the_service_account_follows_the_new() -> None:
    obj = pod()
    obj["spec"]["serviceAccountName"] = "x"
    assert defaulted(POD, obj)["spec"]["serviceAccount"] == "x"


def test_host_network_exposes_ports_on_the_host() -> None:
    obj = pod(ports=[{"containerPort": 80}])
    obj["spec"]["hostNetwork"] = True
    assert defaulted(POD, obj)["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def test_a_deployment_rolls_by_quarters() -> None:
    spec = defaulted(DEPLOYMENT, {"metadata": {}, "spec": {}})["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    recreate = defaulted(DEPLOYMENT, {"metadata": {}, "spec": {"strategy": {"type": "Recreate"}}})["spec"]
    assert recreate["strategy"] == {"type": "Recreate"}


def test_a_service_gets_what_its_type_wants() -> None:
    obj: dict[str, Any] = {"metadata": {}, "spec": {"ports": [{"port": 80}]}}
    spec = defaulted(SERVICE, copy.deepcopy(obj))["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["type"], spec["sessionAffinity"], spec["internalTrafficPolicy"]) == ("ClusterIP", "None", "Cluster")
    assert "externalTrafficPolicy" not in spec
    obj["spec"]["type"] = "NodePort"
    assert defaulted(SERVICE, obj)["spec"]["externalTrafficPolicy"] == "Cluster"


def test_a_namespace_is_labelled_with_its_name() -> None:
    labels = defaulted(NAMESPACE, {"metadata": {"name": "x"}})["metadata"]["labels"]
    assert labels == {"kubernetes.io/metadata.name": "x"}


def test_a_secrets_text_is_moved_into_its_data() -> None:
    secret = defaulted(SECRET, {"metadata": {}, "data": {"a": "eA=="}, "stringData": {"b": "x"}})
    assert secret["data"] == {"a": "eA==", "b": "eA=="}
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"


def test_all_capacity_is_allocatable_unless_said_otherwise() -> None:
    assert defaulted(NODE, {"metadata": {}, "status": {"capacity": {"cpu": "2"}}})["status"]["allocatable"] == {
        "cpu": "2"
    }


def test_users_and_groups_belong_to_the_rbac_group() -> None:
    binding = {"metadata": {}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]}
    subjects = defaulted(CLUSTER_ROLE_BINDING, binding)["subjects"]
    assert [each.get("apiGroup") for each in subjects] == ["rbac.authorization.k8s.io", None]


def test_what_go_always_writes_is_there() -> None:
    assert defaulted(ROLE, {"metadata": {"name": "r"}}) == {
        "metadata": {"name": "r", "creationTimestamp": None},
        "rules": [],
    }
    assert defaulted(ENDPOINT_SLICE, {"metadata": {}, "endpoints": [{"addresses": ["10.0.0.1"]}]})["endpoints"] == [
        {"addresses": ["10.0.0.1"], "conditions": {}}
    ]


@pytest.mark.parametrize("kind", BUILT_IN.stored, ids=lambda each: each.name)
def test_defaults_come_once_and_are_not_shared_between_objects(kind: Kind) -> None:
    one: dict[str, Any] = {}
    default(kind, one)
    again = copy.deepcopy(one)
    default(kind, again)
    assert again == one
    _spoil(one)
    other: dict[str, Any] = {}
    default(kind, other)
    assert other == again


def _spoil(value: Any) -> None:
    if isinstance(value, dict):
        for each in list(value.values()):
            _spoil(each)
        value["spoilt"] = True
    elif isinstance(value, list):
        value.append("spoilt")
