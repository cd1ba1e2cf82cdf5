"""RBAC and the Node authorizer, as functions of objects, and NodeRestriction through the server."""

import pytest
from apiserver_objects import pod

from cluster_engine.apiserver.authentication.users import User, service_account_user
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain
from cluster_engine.apiserver.authorization.node import Graph, NodeAuthorizer
from cluster_engine.apiserver.authorization.rbac import RBAC, Policy
from cluster_engine.apiserver.bootstrap.policy import NODE_RULES, cluster_role_bindings, cluster_roles, paths, rule

JANE = User("jane", groups=("dev", "system:authenticated"))
NODE_A = User("system:node:a", groups=("system:nodes", "system:authenticated"))


def role(name, *rules, namespace=None):
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"metadata": metadata, "rules": list(rules)}


def binding(name, role_name, *subjects, namespace=None, kind="ClusterRole"):
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "metadata": metadata,
        "roleRef": {"kind": kind, "name": role_name},
        "subjects": [dict(zip(("kind", "name", "namespace"), subject, strict=False)) for subject in subjects],
    }


class World:
    """RBAC objects that a test changes."""

    def __init__(self):
        self.roles, self.bindings, self.cluster_roles, self.cluster_bindings = [], [], [], []
        policy = Policy(
            lambda: self.roles, lambda: self.bindings, lambda: self.cluster_roles, lambda: self.cluster_bindings
        )
        self.rbac = RBAC(policy)

    def may(self, user, verb, resource, namespace="", name="", **more):
        resource, _, subresource = resource.partition("/")
        attributes = Attributes(
            user, verb, resource=resource, subresource=subresource, namespace=namespace, name=name, **more
        )
        return self.rbac.authorize(attributes)


@pytest.fixture
def rbac():
    return World()


def test_a_cluster_role_binding_grants_everywhere_and_says_so(rbac):
    rbac.cluster_roles = [role("reader", rule("get list", "core", "pods"))]
    rbac.cluster_bindings = [binding("readers", "reader", ("Group", "dev"))]
    decision = rbac.may(JANE, "list", "pods", "kube-system")
    assert decision.allowed
    assert decision.reason == ('RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "dev"')
    assert not rbac.may(JANE, "delete", "pods").allowed
    assert not rbac.may(JANE, "list", "pods/log").allowed
    assert not rbac.may(JANE, "list", "pods", group="apps").allowed
    assert not rbac.may(User("joe"), "list", "pods").allowed


def test_a_role_binding_grants_in_its_own_namespace_only(rbac):
    rbac.cluster_roles = [role("reader", rule("list", "core", "pods"))]
    rbac.bindings = [binding("readers", "reader", ("User", "jane"), namespace="a")]
    assert rbac.may(JANE, "list", "pods", "a").allowed
    assert not rbac.may(JANE, "list", "pods", "b").allowed
    assert not rbac.may(JANE, "list", "pods").allowed


def test_a_service_account_is_a_subject_by_name_and_namespace(rbac):
    rbac.roles = [role("r", rule("get", "core", "secrets"), namespace="a")]
    rbac.bindings = [binding("b", "r", ("ServiceAccount", "bot", "b"), namespace="a", kind="Role")]
    decision = rbac.may(service_account_user("b", "bot", "u"), "get", "secrets", "a", "s")
    assert decision.reason == 'RBAC: allowed by RoleBinding "b/a" of Role "r" to ServiceAccount "bot/b"'
    assert not rbac.may(service_account_user("a", "bot", "u"), "get", "secrets", "a", "s").allowed


def test_resource_names_narrow_a_rule(rbac):
    rbac.cluster_roles = [role("r", rule("get update", "coordination.k8s.io", "leases", "scheduler"))]
    rbac.cluster_bindings = [binding("b", "r", ("User", "jane"))]
    assert rbac.may(JANE, "get", "leases", "a", "scheduler", group="coordination.k8s.io").allowed
    assert not rbac.may(JANE, "get", "leases", "a", "other", group="coordination.k8s.io").allowed
    assert not rbac.may(JANE, "list", "leases", "a", group="coordination.k8s.io").allowed


def test_wildcards_cover_verbs_groups_resources_and_subresources(rbac):
    rbac.cluster_roles = [role("scaler", rule("*", "*", "*/scale")), role("all", rule("*", "*", "*"))]
    rbac.cluster_bindings = [binding("b", "scaler", ("User", "jane"))]
    assert rbac.may(JANE, "update", "deployments/scale", "a", group="apps").allowed
    assert not rbac.may(JANE, "update", "deployments", "a", group="apps").allowed
    rbac.cluster_bindings = [binding("b", "all", ("User", "jane"))]
    rbac.rbac.changed()
    assert rbac.may(JANE, "anything", "deployments/status", "a", group="apps").allowed


def test_non_resource_paths_match_exactly_or_by_prefix(rbac):
    rbac.cluster_roles = [role("r", paths("/healthz /apis/*"))]
    rbac.cluster_bindings = [binding("b", "r", ("User", "jane"))]
    allowed = [
        path
        for path in ("/healthz", "/healthz/etcd", "/apis/apps", "/apis", "/metrics")
        if rbac.rbac.authorize(Attributes(JANE, "get", path, is_resource=False)).allowed
    ]
    assert allowed == ["/healthz", "/apis/apps"]


def test_a_binding_to_a_role_that_is_missing_is_the_reason_for_the_refusal(rbac):
    rbac.cluster_bindings = [binding("b", "gone", ("User", "jane"))]
    decision = rbac.may(JANE, "list", "pods")
    assert decision.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'


def test_what_was_decided_is_forgotten_when_a_binding_changes(rbac):
    rbac.cluster_roles = [role("r", rule("list", "core", "pods"))]
    rbac.cluster_bindings = [binding("b", "r", ("User", "jane"))]
    chain = Chain(rbac.rbac)
    asked = Attributes(JANE, "list", resource="pods")
    assert chain.authorize(asked).allowed
    rbac.cluster_bindings = []
    assert chain.authorize(asked).allowed, "nobody has told yet"
    rbac.rbac.changed()
    assert not chain.authorize(asked).allowed


def test_system_masters_need_no_rule():
    assert Chain().authorize(Attributes(User("root", groups=("system:masters",)), "x", resource="y")).allowed


def test_the_bootstrap_policy_lets_each_component_do_its_work_and_no_more(rbac):
    rbac.cluster_roles, rbac.cluster_bindings = cluster_roles(), cluster_role_bindings()
    scheduler = User("system:kube-scheduler", groups=("system:authenticated",))
    assert rbac.may(scheduler, "create", "pods/binding", "a", "p").allowed
    assert rbac.may(scheduler, "watch", "nodes").allowed
    assert not rbac.may(scheduler, "update", "pods", "a", "p").allowed
    assert not rbac.may(scheduler, "list", "secrets").allowed
    controller = service_account_user("kube-system", "deployment-controller", "u")
    assert rbac.may(controller, "create", "replicasets", "a", group="apps").allowed
    assert not rbac.may(controller, "create", "pods", "a").allowed
    admin = User("kubernetes-admin", groups=("kubeadm:cluster-admins", "system:authenticated"))
    assert rbac.may(admin, "delete", "nodes", name="x").allowed
    nobody = User("system:anonymous", groups=("system:unauthenticated",))
    assert rbac.rbac.authorize(Attributes(nobody, "get", "/version", is_resource=False)).allowed
    assert not rbac.rbac.authorize(Attributes(nobody, "get", "/api", is_resource=False)).allowed


def test_the_binding_of_system_node_has_no_subjects():
    found = next(each for each in cluster_role_bindings() if each["metadata"]["name"] == "system:node")
    assert "subjects" not in found


class Nodes:
    """A graph with one pod on node a, and questions of node a."""

    def __init__(self):
        self.graph = Graph()
        self.pod = pod("web-0", node="a", serviceAccountName="bot", imagePullSecrets=[{"name": "pull"}])
        self.pod["metadata"]["namespace"] = "default"
        self.pod["spec"]["volumes"] = [
            {"name": "s", "secret": {"secretName": "db"}},
            {"name": "p", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
        ]
        self.pod["spec"]["containers"][0]["env"] = [
            {"name": "E", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}}
        ]
        self.graph.pod_changed(self.pod)
        self.authorizer = NodeAuthorizer(self.graph, NODE_RULES)

    def ask(self, verb, resource, namespace="", name="", user=NODE_A, **more):
        resource, _, subresource = resource.partition("/")
        attributes = Attributes(
            user, verb, resource=resource, subresource=subresource, namespace=namespace, name=name, **more
        )
        decision = self.authorizer.authorize(attributes)
        return True if decision.allowed else decision.reason


@pytest.fixture
def nodes():
    return Nodes()


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("secrets", "db"),
        ("secrets", "pull"),
        ("configmaps", "settings"),
        ("configmaps", "kube-root-ca.crt"),
        ("pods", "web-0"),
    ],
)
def test_a_node_reads_what_its_pods_refer_to(nodes, resource, name):
    other = User("system:node:b", groups=("system:nodes",))
    assert nodes.ask("get", resource, "default", name) is True
    assert nodes.ask("get", resource, "default", name, user=other) == (
        "no relationship found between node 'b' and this object"
    )
    nodes.graph.pod_deleted(nodes.pod)
    assert nodes.ask("get", resource, "default", name) == "no relationship found between node 'a' and this object"


def test_a_node_may_have_tokens_for_the_accounts_of_its_pods(nodes):
    assert nodes.ask("create", "serviceaccounts/token", "default", "bot") is True
    assert "no relationship" in nodes.ask("create", "serviceaccounts/token", "default", "other")
    assert nodes.ask("get", "serviceaccounts", "default", "bot") == (
        "can only create tokens for individual service accounts"
    )


@pytest.mark.parametrize(
    ("verb", "resource", "namespace", "name", "answer"),
    [
        ("list", "secrets", "default", "", "No Object name found"),
        ("list", "secrets", "", "", "can only read namespaced object of this type"),
        ("delete", "secrets", "default", "db", "can only read resources of this type"),
        ("get", "nodes", "", "a", True),
        ("get", "nodes", "", "b", "node 'a' cannot read 'b', only its own Node object"),
        ("list", "nodes", "", "", "node 'a' cannot read all nodes, only its own Node object"),
        ("patch", "nodes/status", "", "a", True),
        ("delete", "nodes", "", "a", ""),
        ("list", "pods", "", "", "can only list/watch pods with spec.nodeName field selector"),
        ("patch", "pods/status", "default", "web-0", True),
        ("delete", "pods", "default", "web-0", True),
        ("update", "pods", "default", "web-0", ""),
        ("list", "services", "", "", True),
        ("create", "events", "default", "", True),
        ("list", "deployments", "", "", ""),
    ],
)
def test_the_node_authorizer_answers_in_the_words_of_the_real_one(nodes, verb, resource, namespace, name, answer):
    assert nodes.ask(verb, resource, namespace, name) == answer


def test_a_node_lists_pods_by_its_own_name(nodes):
    assert nodes.ask("watch", "pods", field_selector="spec.nodeName=a") is True
    assert nodes.ask("watch", "pods", field_selector="spec.nodeName=b") != True  # noqa: E712
    assert nodes.ask("watch", "pods", field_selector="spec.nodeName!=a") != True  # noqa: E712


def test_a_node_keeps_its_own_lease(nodes):
    leases = {"group": "coordination.k8s.io"}
    assert nodes.ask("update", "leases", "kube-node-lease", "a", **leases) is True
    assert nodes.ask("create", "leases", "kube-node-lease", **leases) is True
    assert nodes.ask("get", "leases", "kube-node-lease", "b", **leases) == (
        "can only access node lease with the same name as the requesting node"
    )
    assert "system namespace" in nodes.ask("get", "leases", "default", "a", **leases)


def test_who_is_no_node_is_not_judged(nodes):
    assert nodes.ask("get", "secrets", "default", "db", user=JANE) == ""
    impostor = User("system:node:a", groups=("system:authenticated",))
    assert nodes.ask("get", "secrets", "default", "db", user=impostor) == ""


def test_a_kubelet_is_held_to_its_own_node_and_pods(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        kubelet = plane.person("system:node:a", ["system:nodes"])
        other = plane.person("system:node:b", ["system:nodes"])
        assert (await kubelet.post("/api/v1/nodes", {"metadata": {"name": "a"}})).code == 201
        stolen = await kubelet.post("/api/v1/nodes", {"metadata": {"name": "b"}})
        assert stolen.code == 403
        assert stolen.body["message"] == ('nodes "b" is forbidden: node "a" is not allowed to modify node "b"')
        tainted = await kubelet.patch("/api/v1/nodes/a", {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}})
        assert tainted.code == 403
        assert tainted.body["message"] == 'nodes "a" is forbidden: node "a" is not allowed to modify taints'
        label = {"metadata": {"labels": {"node-restriction.kubernetes.io/x": "y"}}}
        assert (await kubelet.patch("/api/v1/nodes/a", label)).code == 403
        assert (await kubelet.patch("/api/v1/nodes/a/status", {"status": {"phase": "Running"}})).code == 200
        pods = "/api/v1/namespaces/default/pods"
        assert (await admin.post(pods, pod("web-0"))).code == 201
        await admin.post(f"{pods}/web-0/binding", {"target": {"kind": "Node", "name": "a"}})
        assert (await other.patch(f"{pods}/web-0/status", {"status": {"phase": "Failed"}})).code == 403
        assert (await other.delete(f"{pods}/web-0", {"gracePeriodSeconds": 0})).code == 403
        assert (await kubelet.patch(f"{pods}/web-0/status", {"status": {"phase": "Running"}})).code == 200
        assert (await kubelet.post(pods, pod("mine", node="a"))).code == 403
        own = (await kubelet.get(f"{pods}?fieldSelector=spec.nodeName=a")).body["items"]
        assert [each["metadata"]["name"] for each in own] == ["web-0"]
        reference = {"kind": "Pod", "apiVersion": "v1", "name": "web-0", "uid": own[0]["metadata"]["uid"]}
        token = "/api/v1/namespaces/default/serviceaccounts/default/token"
        assert (await kubelet.post(token, {"spec": {"boundObjectRef": reference}})).code == 201
        assert (await kubelet.post(token, {"spec": {}})).code == 403
        assert (await other.post(token, {"spec": {"boundObjectRef": reference}})).code == 403
        assert (await kubelet.delete(f"{pods}/web-0", {"gracePeriodSeconds": 0})).code == 200

    run_api(story)


def test_a_binding_that_is_deleted_stops_working_as_soon_as_the_watch_has_told(run_api):
    async def story(plane):
        root = plane.person()
        admin = plane.person("kubernetes-admin", ["kubeadm:cluster-admins"])
        bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        assert (await admin.get("/api/v1/pods")).code == 200
        assert (await root.delete(f"{bindings}/kubeadm:cluster-admins")).code == 200
        assert (await admin.get("/api/v1/pods")).code == 403

    run_api(story)


def test_access_reviews_answer_with_the_reason(run_api):
    async def story(plane):
        admin = plane.person("kubernetes-admin", ["kubeadm:cluster-admins"])
        reviews = "/apis/authorization.k8s.io/v1"
        asked = {"spec": {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "default"}}}
        answer = await admin.post(f"{reviews}/selfsubjectaccessreviews", asked)
        assert answer.code == 201
        assert answer.body["status"] == {
            "allowed": True,
            "reason": 'RBAC: allowed by ClusterRoleBinding "kubeadm:cluster-admins" of ClusterRole "cluster-admin" '
            'to Group "kubeadm:cluster-admins"',
        }
        asked["spec"]["user"] = "jane"
        answer = await admin.post(f"{reviews}/subjectaccessreviews", asked)
        assert answer.body["status"] == {"allowed": False}
        both = {"spec": {**asked["spec"], "nonResourceAttributes": {"verb": "get", "path": "/"}}}
        assert (await admin.post(f"{reviews}/subjectaccessreviews", both)).code == 422
        assert (await admin.post(f"{reviews}/selfsubjectaccessreviews", {"spec": {}})).code == 422

    run_api(story)


def test_what_may_i_is_answered_with_rules(run_api):
    async def story(plane):
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        admin = plane.person("kubernetes-admin", ["kubeadm:cluster-admins"])
        status = (await admin.post(path, {"spec": {"namespace": "default"}})).body["status"]
        assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in status["resourceRules"]
        assert {"verbs": ["*"], "nonResourceURLs": ["*"]} in status["nonResourceRules"]
        assert status["incomplete"] is False
        assert (await admin.post(path, {"spec": {}})).code == 400
        kubelet = plane.person("system:node:a", ["system:nodes"])
        assert (await kubelet.post(path, {"spec": {"namespace": "default"}})).body["status"]["incomplete"] is True

    run_api(story)


def test_a_local_review_is_about_its_own_namespace(run_api):
    async def story(plane):
        admin = plane.person()
        path = "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews"
        resource = {"verb": "get", "resource": "pods", "namespace": "default"}
        answer = await admin.post(path, {"spec": {"user": "jane", "resourceAttributes": resource}})
        assert (answer.code, answer.body["status"]) == (201, {"allowed": False})
        resource["namespace"] = "kube-system"
        assert (await admin.post(path, {"spec": {"user": "jane", "resourceAttributes": resource}})).code == 422

    run_api(story)


def test_a_token_review_says_whose_a_token_is(run_api):
    async def story(plane):
        admin = plane.person()
        made = await admin.post("/api/v1/namespaces/kube-system/serviceaccounts/kube-proxy/token", {"spec": {}})
        path = "/apis/authentication.k8s.io/v1/tokenreviews"
        status = (await admin.post(path, {"spec": {"token": made.body["status"]["token"]}})).body["status"]
        assert status["authenticated"] is True
        assert status["user"]["username"] == "system:serviceaccount:kube-system:kube-proxy"
        bad = (await admin.post(path, {"spec": {"token": "nonsense"}})).body["status"]
        assert bad == {"user": {}, "error": "the token is not a JSON Web Token"}
        assert (await admin.post(path, {"spec": {}})).code == 400

    run_api(story)
