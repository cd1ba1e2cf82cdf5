"""What may be stored, and what is said of what may not."""

import copy
from typing import Any

import pytest

from cluster_engine.api.defaulting import default
from cluster_engine.api.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EVENT,
    LEASE,
    NAMESPACE,
    NODE,
    POD,
    ROLE,
    SECRET,
    SELF_SUBJECT_ACCESS_REVIEW,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)
from cluster_engine.api.strict import check
from cluster_engine.api.validation import require_resource_version, validate


def made(kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "a", **({"namespace": "n"} if kind.namespaced else {}), **obj.get("metadata", {})}
    _, cleaned = check(kind, {**obj, "metadata": metadata})
    default(kind, cleaned)
    return cleaned


def problems(kind: Kind, obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    return [str(cause) for cause in validate(kind, made(kind, obj), made(kind, old) if old else None)]


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def pod_of(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "image": "i", **container}]}}


def workload(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, **pod()}
    return {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}}


GOOD = [
    (POD, pod()),
    (POD, pod(tolerations=[{"operator": "Exists"}], nodeSelector={"a": "b"})),
    (POD, pod_of(resources={"requests": {"cpu": "1"}, "limits": {"cpu": "1", "example.com/gpu": "1"}})),
    (DEPLOYMENT, workload(replicas=0)),
    (DEPLOYMENT, workload(strategy={"type": "Recreate"})),
    (SERVICE, {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}),
    (SERVICE, {"spec": {"clusterIP": "None"}}),
    (SERVICE, {"spec": {"type": "ExternalName", "externalName": "example.com"}}),
    (NODE, {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}, {"key": "k", "effect": "NoExecute"}]}}),
    (NAMESPACE, {}),
    (CONFIG_MAP, {"data": {"a.b": "x"}}),
    (SECRET, {"type": "example.com/x", "stringData": {"a": "b"}}),
    (SERVICE_ACCOUNT, {}),
    (LEASE, {"spec": {"holderIdentity": "x", "leaseDurationSeconds": 40}}),
    (EVENT, {"involvedObject": {"kind": "Pod", "namespace": "n"}}),
    (EVENT, {"metadata": {"namespace": "default"}, "involvedObject": {"kind": "Node", "name": "x"}}),
    (ENDPOINT_SLICE, {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}]}),
    (ROLE, {"metadata": {"name": "system:x"}, "rules": [{"verbs": ["*"], "apiGroups": [""], "resources": ["pods"]}]}),
    (CLUSTER_ROLE, {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]}),
    (
        CLUSTER_ROLE_BINDING,
        {"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]},
    ),
    (SELF_SUBJECT_ACCESS_REVIEW, {"spec": {"nonResourceAttributes": {"path": "/x", "verb": "get"}}}),
]


@pytest.mark.parametrize(("kind", "obj"), GOOD, ids=lambda each: each.name if isinstance(each, Kind) else "")
def test_a_good_object_may_be_stored_and_stored_again(kind: Kind, obj: dict[str, Any]) -> None:
    assert problems(kind, obj) == []
    assert problems(kind, obj, obj) == []


SELECTOR = (
    'v1.LabelSelector{MatchLabels:map[string]string{"app":"db"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}'
)
BAD = [
    (POD, {"spec": {}}, ["spec.containers: Required value"]),
    (POD, pod_of(image=""), ["spec.containers[0].image: Required value"]),
    (
        POD,
        pod(restartPolicy="Sometimes"),
        ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
    ),
    (POD, pod_of(ports=[{}]), ["spec.containers[0].ports[0].containerPort: Required value"]),
    (
        POD,
        pod_of(ports=[{"containerPort": 70000}]),
        ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    (
        POD,
        {"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "c", "image": "i"}]}},
        ['spec.containers[1].name: Duplicate value: "c"'],
    ),
    (
        POD,
        pod_of(ports=[{"name": "x", "containerPort": 1}, {"name": "x", "containerPort": 2}]),
        ['spec.containers[0].ports[1].name: Duplicate value: "x"'],
    ),
    (
        POD,
        pod_of(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ),
    (
        POD,
        pod_of(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    (
        POD,
        pod_of(livenessProbe={}),
        ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    ),
    (
        POD,
        pod_of(livenessProbe={"exec": {"command": ["x"]}, "successThreshold": 2}),
        ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    (
        POD,
        pod(tolerations=[{"key": "k", "tolerationSeconds": 3}]),
        ["spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"],
    ),
    (
        POD,
        {**pod(), "metadata": {"labels": {"a": "b c"}}},
        [
            'metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
            "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ],
    ),
    (
        DEPLOYMENT,
        workload(replicas=-1),
        ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ),
    (
        DEPLOYMENT,
        workload(selector={"matchLabels": {"app": "db"}}),
        [
            'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match '
            "template `labels`"
        ],
    ),
    (
        DEPLOYMENT,
        workload(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        [
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "
            'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: '
            "may not be 0 when `maxSurge` is 0"
        ],
    ),
    (SERVICE, {"spec": {}}, ["spec.ports: Required value"]),
    (SERVICE, {"spec": {"ports": [{"port": 1}, {"port": 2, "name": "b"}]}}, ["spec.ports[0].name: Required value"]),
    (
        SERVICE,
        {"metadata": {"name": "9a"}, "spec": {"ports": [{"port": 1}]}},
        [
            'metadata.name: Invalid value: "9a": a DNS-1035 label must consist of lower case alphanumeric characters '
            "or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
            "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        ],
    ),
    (
        SECRET,
        {"type": "kubernetes.io/tls", "data": {"tls.crt": ""}},
        ["data[tls.key]: Required value"],
    ),
    (
        ROLE,
        {"rules": [{"apiGroups": [""], "resources": ["pods"]}]},
        ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ),
    (
        CLUSTER_ROLE_BINDING,
        {"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "s"}]},
        ["subjects[0].namespace: Required value"],
    ),
    (
        EVENT,
        {"involvedObject": {"namespace": "other"}},
        ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ),
    (
        SELF_SUBJECT_ACCESS_REVIEW,
        {"spec": {}},
        [
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified"
        ],
    ),
    (NODE, {"metadata": {"namespace": "x"}}, ["metadata.namespace: Forbidden: not allowed on this type"]),
    (CONFIG_MAP, {"metadata": {"name": ""}}, ["metadata.name: Required value: name or generateName is required"]),
    (
        CONFIG_MAP,
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]}},
        ['metadata.ownerReferences.uid: Invalid value: "": uid must not be empty'],
    ),
]


@pytest.mark.parametrize(("kind", "obj", "said"), BAD, ids=lambda each: each.name if isinstance(each, Kind) else "")
def test_a_bad_object_is_refused_in_kubernetes_words(kind: Kind, obj: dict[str, Any], said: list[str]) -> None:
    assert problems(kind, obj) == said


def test_a_selector_cannot_be_changed() -> None:
    changed = workload(selector={"matchLabels": {"app": "db"}})
    changed["spec"]["template"]["metadata"]["labels"] = {"app": "db"}
    assert problems(DEPLOYMENT, changed, workload()) == [
        f"spec.selector: Invalid value: {SELECTOR}: field is immutable"
    ]


def test_of_a_pod_only_images_and_tolerations_may_change() -> None:
    assert problems(POD, pod_of(image="other"), pod()) == []
    assert problems(POD, pod(tolerations=[{"operator": "Exists"}]), pod()) == []
    (said,) = problems(POD, pod(nodeName="w"), pod())
    assert said.startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,")
    assert "spec.nodeName" in said
    more = {"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]}}
    assert problems(POD, more, pod()) == ["spec.containers: Forbidden: pod updates may not add or remove containers"]


def test_a_cluster_ip_may_not_change() -> None:
    old = {"spec": {"ports": [{"port": 80}], "clusterIP": "10.96.0.9"}}
    new = {"spec": {"ports": [{"port": 80}], "clusterIP": "10.96.0.10"}}
    said = ['spec.clusterIPs[0]: Invalid value: []string{"10.96.0.10"}: may not change once set']
    assert problems(SERVICE, new, old) == said


def test_a_binding_keeps_its_role() -> None:
    old = {"roleRef": {"kind": "ClusterRole", "name": "view"}}
    new = {"roleRef": {"kind": "ClusterRole", "name": "admin"}}
    assert problems(CLUSTER_ROLE_BINDING, new, old) == [
        'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"admin"}: '
        "cannot change roleRef"
    ]


def test_what_was_declared_immutable_stays() -> None:
    old = {"data": {"a": "1"}, "immutable": True}
    assert problems(CONFIG_MAP, {"data": {"a": "2"}, "immutable": True}, old) == [
        "data: Forbidden: field is immutable when `immutable` is set"
    ]


def test_identity_does_not_change() -> None:
    old = made(CONFIG_MAP, {"metadata": {"uid": "1"}})
    new = copy.deepcopy(old)
    new["metadata"]["uid"] = "2"
    assert [str(each) for each in validate(CONFIG_MAP, new, old)] == [
        'metadata.uid: Invalid value: "2": field is immutable'
    ]


def test_a_lease_is_not_updated_blindly() -> None:
    (cause,) = require_resource_version(LEASE, {"metadata": {}})
    assert str(cause) == "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
    assert require_resource_version(LEASE, {"metadata": {"resourceVersion": "1"}}) == []
    assert require_resource_version(POD, {"metadata": {}}) == []
