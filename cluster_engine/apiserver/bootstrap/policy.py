"""The default RBAC policy: who may do what in a cluster that nobody has configured yet.

Names and rules are those of plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,controller_policy}.go, of the users
and controllers that exist here. A rule is written `rule(verbs, groups, resources)`, words separated by blanks; "core"
stands for the group with the empty name.

    rule("get list watch", "core", "pods")  ──►  {verbs: [get, list, watch], apiGroups: [""], resources: [pods]}

`admin`, `edit` and `view` are aggregated from labelled roles; their rules are filled in here, since the controller that
does it in a real cluster is left out.
"""

from cluster_engine.api.objects import Object
from cluster_engine.apiserver.bootstrap.for_joining import NEWCOMERS, NODES, READERS

Rule = dict[str, list[str]]

API = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
READ = "get list watch"
WRITE = "create delete deletecollection patch update"
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def rule(verbs: str, groups: str, resources: str, names: str = "") -> Rule:
    """Write a rule about resources."""
    made = {
        "verbs": verbs.split(),
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
    }
    return made | ({"resourceNames": names.split()} if names else {})


def paths(urls: str, verbs: str = "get") -> Rule:
    """Write a rule about paths that are no resources."""
    return {"verbs": verbs.split(), "nonResourceURLs": urls.split()}


EVENTS = rule("create patch update", "core events.k8s.io", "events")
REVIEWS = (
    rule("create", "authentication.k8s.io", "tokenreviews"),
    rule("create", "authorization.k8s.io", "subjectaccessreviews"),
)
WORKLOADS = "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"
WORKLOAD_STATUS = "controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status"

AUTO_APPROVED = "system:certificates.k8s.io:certificatesigningrequests"
SIGNERS = ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")

NODE_RULES: tuple[Rule, ...] = (
    rule("create", "authentication.k8s.io", "tokenreviews"),
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
    rule(READ, "core", "services"),
    rule("create get list watch", "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("patch update", "core", "nodes"),
    rule("create patch update", "core", "events"),
    rule(READ, "core", "pods"),
    rule("create delete", "core", "pods"),
    rule("patch update", "core", "pods/status"),
    rule("create", "core", "pods/eviction"),
    rule(READ, "core", "configmaps secrets"),
    rule("get", "core", "persistentvolumeclaims persistentvolumes"),
    rule("get", "core", "endpoints"),
    rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
    rule("create delete get patch update", "coordination.k8s.io", "leases"),
    rule("create", "core", "serviceaccounts/token"),
    rule(READ, "storage.k8s.io", "csidrivers"),
    rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    rule(READ, "node.k8s.io", "runtimeclasses"),
)

VIEW: tuple[Rule, ...] = (
    rule(READ, "core", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods"),
    rule(READ, "core", "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"),
    rule(READ, "core", "bindings events limitranges namespaces/status pods/log pods/status resourcequotas"),
    rule(READ, "core", "namespaces"),
    rule(READ, "discovery.k8s.io", "endpointslices"),
    rule(READ, "apps", f"{WORKLOADS} {WORKLOAD_STATUS}"),
    rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
)
EDIT: tuple[Rule, ...] = (
    rule(READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    rule("impersonate", "core", "serviceaccounts"),
    rule(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    rule("create", "core", "pods/eviction"),
    rule(WRITE, "core", "configmaps events persistentvolumeclaims replicationcontrollers secrets serviceaccounts"),
    rule(WRITE, "core", "replicationcontrollers/scale services services/proxy"),
    rule("create", "core", "serviceaccounts/token"),
    rule(WRITE, "apps", WORKLOADS),
    rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
    rule(WRITE, "batch", "cronjobs jobs"),
    rule(WRITE, "policy", "poddisruptionbudgets"),
    rule(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    rule(f"{READ} {WRITE}", "coordination.k8s.io", "leases"),
)
ADMIN: tuple[Rule, ...] = (
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    rule(f"{READ} {WRITE}", GROUP, "rolebindings roles"),
)

CLUSTER_ROLES: dict[str, tuple[Rule, ...]] = {
    "cluster-admin": (rule("*", "*", "*"), paths("*", "*")),
    "system:aggregate-to-admin": ADMIN,
    "system:aggregate-to-edit": EDIT,
    "system:aggregate-to-view": VIEW,
    "system:auth-delegator": REVIEWS,
    "system:basic-user": (
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ),
    "system:discovery": (
        paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"),
    ),
    "system:service-account-issuer-discovery": (
        paths("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/"),
    ),
    "system:public-info-viewer": (paths("/healthz /livez /readyz /version /version/"),),
    **{
        f"{AUTO_APPROVED}:{name}": (rule("create", "certificates.k8s.io", f"certificatesigningrequests/{name}"),)
        for name in ("nodeclient", "selfnodeclient")
    },
    **{
        f"system:certificates.k8s.io:{name}-approver": (
            rule("approve", "certificates.k8s.io", "signers", f"kubernetes.io/{name}"),
        )
        for name in SIGNERS
    },
    "system:node-bootstrapper": (rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),),
    "system:monitoring": (paths("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"),),
    "system:kubelet-api-admin": (
        rule(READ, "core", "nodes"),
        rule("proxy", "core", "nodes"),
        rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
    ),
    "system:kube-controller-manager": (
        EVENTS,
        rule("create", "coordination.k8s.io", "leases"),
        rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
        rule("create", "core", "secrets serviceaccounts"),
        rule("delete", "core", "secrets"),
        rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
        rule("update", "core", "secrets serviceaccounts"),
        *REVIEWS,
        rule("list watch", "*", "*"),
        rule("create", "core", "serviceaccounts/token"),
    ),
    "system:kube-scheduler": (
        EVENTS,
        rule("create", "coordination.k8s.io", "leases"),
        rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
        rule(READ, "core", "nodes"),
        rule("delete get list watch", "core", "pods"),
        rule("create", "core", "bindings pods/binding"),
        rule("patch update", "core", "pods/status"),
        rule(READ, "core", "replicationcontrollers services"),
        rule(READ, "apps extensions", "replicasets"),
        rule(READ, "apps", "statefulsets"),
        rule(READ, "policy", "poddisruptionbudgets"),
        rule(READ, "core", "persistentvolumeclaims persistentvolumes"),
        *REVIEWS,
        rule(READ, "storage.k8s.io", "csinodes csidrivers csistoragecapacities"),
        rule(READ, "core", "namespaces"),
    ),
    "system:node": NODE_RULES,
    "system:node-proxier": (
        rule("list watch", "core", "endpoints services"),
        rule(READ, "core", "nodes"),
        EVENTS,
        rule("list watch", "discovery.k8s.io", "endpointslices"),
    ),
}

CONTROLLERS: dict[str, tuple[Rule, ...]] = {
    "certificate-controller": (
        rule("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        rule("update", "certificates.k8s.io", "certificatesigningrequests/approval certificatesigningrequests/status"),
        rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
        rule(
            "sign",
            "certificates.k8s.io",
            "signers",
            " ".join(f"kubernetes.io/{name}" for name in SIGNERS),
        ),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        EVENTS,
    ),
    "cronjob-controller": (
        rule("get list update watch", "batch", "cronjobs"),
        rule("create delete get list patch update watch", "batch", "jobs"),
        rule("update", "batch", "cronjobs/status"),
        rule("update", "batch", "cronjobs/finalizers"),
        rule("delete list", "core", "pods"),
        EVENTS,
    ),
    "daemon-set-controller": (
        rule("get list watch", "apps extensions", "daemonsets"),
        rule("update", "apps extensions", "daemonsets/status"),
        rule("update", "apps extensions", "daemonsets/finalizers"),
        rule("list watch", "core", "nodes"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create", "core", "pods/binding"),
        rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        EVENTS,
    ),
    "deployment-controller": (
        rule("get list update watch", "apps extensions", "deployments"),
        rule("update", "apps extensions", "deployments/status"),
        rule("update", "apps extensions", "deployments/finalizers"),
        rule("create delete get list patch update watch", "apps extensions", "replicasets"),
        rule("get list update watch", "core", "pods"),
        EVENTS,
    ),
    "disruption-controller": (
        rule(READ, "apps extensions", "deployments"),
        rule(READ, "apps extensions", "replicasets"),
        rule(READ, "core", "replicationcontrollers"),
        rule(READ, "policy", "poddisruptionbudgets"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "policy", "poddisruptionbudgets/status"),
        rule("get", "*", "*/scale"),
        EVENTS,
        rule("patch update", "core", "pods/status"),
    ),
    "endpoint-controller": (
        rule(READ, "core", "pods services"),
        rule("create delete get list update watch", "core", "endpoints"),
        rule("create", "core", "endpoints/restricted"),
        EVENTS,
    ),
    "endpointslice-controller": (
        rule(READ, "core", "nodes pods services"),
        rule("update", "core", "services/finalizers"),
        rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        EVENTS,
    ),
    "generic-garbage-collector": (rule("delete get list patch update watch", "*", "*"), EVENTS),
    "horizontal-pod-autoscaler": (
        rule(READ, "autoscaling", "horizontalpodautoscalers"),
        rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        rule("get update", "*", "*/scale"),
        rule("list", "core", "pods"),
        rule("list", "metrics.k8s.io", "pods"),
        EVENTS,
    ),
    "job-controller": (
        rule("get list patch update watch", "batch", "jobs"),
        rule("update", "batch", "jobs/status"),
        rule("update", "batch", "jobs/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        EVENTS,
    ),
    "namespace-controller": (
        rule("delete get list watch", "core", "namespaces"),
        rule("update", "core", "namespaces/finalize namespaces/status"),
        rule("delete deletecollection get list watch", "*", "*"),
    ),
    "node-controller": (
        rule("delete get list patch update watch", "core", "nodes"),
        rule("patch update", "core", "nodes/status"),
        rule("patch update", "core", "pods/status"),
        rule("delete get list watch", "core", "pods"),
        EVENTS,
    ),
    "pod-garbage-collector": (
        rule("delete list watch", "core", "pods"),
        rule(READ, "core", "nodes"),
        rule("patch", "core", "pods/status"),
    ),
    "replicaset-controller": (
        rule("get list update watch", "apps extensions", "replicasets"),
        rule("update", "apps extensions", "replicasets/status"),
        rule("update", "apps extensions", "replicasets/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        EVENTS,
    ),
    "resourcequota-controller": (
        rule("list watch", "*", "*"),
        rule("update", "core", "resourcequotas/status"),
        EVENTS,
    ),
    "root-ca-cert-publisher": (rule("create update", "core", "configmaps"), EVENTS),
    "statefulset-controller": (
        rule("list watch", "core", "pods"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "apps", "statefulsets/status"),
        rule("update", "apps", "statefulsets/finalizers"),
        rule("create delete get patch update", "core", "pods"),
        rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        rule("create get", "core", "persistentvolumeclaims"),
        EVENTS,
    ),
    "ttl-after-finished-controller": (rule("delete get list watch", "batch", "jobs"), EVENTS),
    "service-account-controller": (rule("create", "core", "serviceaccounts"), EVENTS),
}

NAMESPACED: dict[str, dict[str, tuple[Rule, ...]]] = {
    "kube-public": {
        "bootstrap-signer": (
            rule("get list watch", "core", "configmaps"),
            rule("update", "core", "configmaps", "cluster-info"),
            EVENTS,
        )
    },
    "kube-system": {
        "bootstrap-signer": (rule("get list watch", "core", "secrets"),),
        "token-cleaner": (rule("delete get list watch", "core", "secrets"), EVENTS),
    },
}
"""The roles of controllers that may do something in one namespace only."""

AUTHENTICATED = ("Group", "system:authenticated")
UNAUTHENTICATED = ("Group", "system:unauthenticated")
BINDINGS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "cluster-admin": ("cluster-admin", (("Group", "system:masters"),)),
    "system:basic-user": ("system:basic-user", (AUTHENTICATED,)),
    "system:discovery": ("system:discovery", (AUTHENTICATED,)),
    "system:service-account-issuer-discovery": (
        "system:service-account-issuer-discovery",
        (("Group", "system:serviceaccounts"),),
    ),
    "system:public-info-viewer": ("system:public-info-viewer", (AUTHENTICATED, UNAUTHENTICATED)),
    "system:monitoring": ("system:monitoring", (("Group", "system:monitoring"),)),
    "system:kube-controller-manager": (
        "system:kube-controller-manager",
        (("User", "system:kube-controller-manager"),),
    ),
    "system:kube-scheduler": ("system:kube-scheduler", (("User", "system:kube-scheduler"),)),
    "system:node": ("system:node", ()),
    "system:node-proxier": ("system:node-proxier", (("User", "system:kube-proxy"),)),
}
KUBEADM_ROLES: dict[str, tuple[Rule, ...]] = {"kubeadm:get-nodes": (rule("get", "core", "nodes"),)}
KUBEADM_BINDINGS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "kubeadm:cluster-admins": ("cluster-admin", (("Group", "kubeadm:cluster-admins"),)),
    "kubeadm:node-proxier": ("system:node-proxier", (("ServiceAccount", "kube-system/kube-proxy"),)),
    "kubeadm:get-nodes": ("kubeadm:get-nodes", (NEWCOMERS,)),
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", (NEWCOMERS,)),
    "kubeadm:node-autoapprove-bootstrap": (f"{AUTO_APPROVED}:nodeclient", (NEWCOMERS,)),
    "kubeadm:node-autoapprove-certificate-rotation": (f"{AUTO_APPROVED}:selfnodeclient", (NODES,)),
}
"""What kubeadm adds after the first start (cmd/kubeadm/app/phases)."""

AGGREGATED: dict[str, tuple[tuple[Rule, ...], tuple[str, ...]]] = {
    "admin": ((*ADMIN, *EDIT, *VIEW), ()),
    "edit": ((*EDIT, *VIEW), ("admin",)),
    "view": (VIEW, ("edit",)),
}
"""Rules, and which roles this one is aggregated to."""


def cluster_roles() -> list[Object]:
    """Write all ClusterRoles."""
    made = [_role(name, rules) for name, rules in CLUSTER_ROLES.items()]
    made += [_role(f"system:controller:{name}", rules) for name, rules in CONTROLLERS.items()]
    made += [{**_role(name, rules), "metadata": {"name": name}} for name, rules in KUBEADM_ROLES.items()]
    return made + [_aggregated(name, rules, to) for name, (rules, to) in AGGREGATED.items()]


def cluster_role_bindings() -> list[Object]:
    """Write all ClusterRoleBindings."""
    made = [_binding(name, role, subjects) for name, (role, subjects) in BINDINGS.items()]
    for name in CONTROLLERS:
        role = f"system:controller:{name}"
        made.append(_binding(role, role, (("ServiceAccount", f"kube-system/{name}"),)))
    for name, (role, subjects) in KUBEADM_BINDINGS.items():
        binding = _binding(name, role, subjects)
        binding["metadata"] = {"name": name}
        made.append(binding)
    return made


def roles() -> list[Object]:
    """Write all Roles: those of controllers, and kubeadm's by which its ConfigMaps are read."""
    made = []
    for namespace, controllers in NAMESPACED.items():
        made += [_placed(_role(f"system:controller:{name}", rules), namespace) for name, rules in controllers.items()]
    for namespace, name, config_map, _ in READERS:
        role = _placed(_role(name, (rule("get", "core", "configmaps", config_map),)), namespace)
        made.append({**role, "metadata": {"name": name, "namespace": namespace}})
    return made


def role_bindings() -> list[Object]:
    """Write all RoleBindings."""
    made = []
    for namespace, controllers in NAMESPACED.items():
        for name in controllers:
            role = f"system:controller:{name}"
            binding = _binding(role, role, (("ServiceAccount", f"kube-system/{name}"),))
            made.append(_placed(binding, namespace))
    for namespace, name, _, subjects in READERS:
        binding = _placed(_binding(name, name, subjects), namespace)
        made.append({**binding, "metadata": {"name": name, "namespace": namespace}})
    return made


def _placed(obj: Object, namespace: str) -> Object:
    """Make of something of the whole cluster what it is called in one namespace."""
    made = {**obj, "kind": obj["kind"].removeprefix("Cluster"), "metadata": {**obj["metadata"], "namespace": namespace}}
    if "roleRef" in made:
        made["roleRef"] = {**made["roleRef"], "kind": "Role"}
    return made


def _metadata(name: str, more_labels: dict[str, str]) -> Object:
    return {"name": name, "labels": {**LABELS, **more_labels}, "annotations": dict(ANNOTATIONS)}


def _role(name: str, rules: tuple[Rule, ...]) -> Object:
    prefix = "system:aggregate-to-"
    labels = {f"{GROUP}/{name.removeprefix('system:')}": "true"} if name.startswith(prefix) else {}
    return {"kind": "ClusterRole", "apiVersion": API, "metadata": _metadata(name, labels), "rules": list(rules)}


def _aggregated(name: str, rules: tuple[Rule, ...], to: tuple[str, ...]) -> Object:
    labels = {f"{GROUP}/aggregate-to-{role}": "true" for role in to}
    selector = {"matchLabels": {f"{GROUP}/aggregate-to-{name}": "true"}}
    return {
        "kind": "ClusterRole",
        "apiVersion": API,
        "metadata": _metadata(name, labels),
        "aggregationRule": {"clusterRoleSelectors": [selector]},
        "rules": list(rules),
    }


def _binding(name: str, role: str, subjects: tuple[tuple[str, str], ...]) -> Object:
    made = {
        "kind": "ClusterRoleBinding",
        "apiVersion": API,
        "metadata": _metadata(name, {}),
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
    }
    return made | ({"subjects": [_subject(kind, who) for kind, who in subjects]} if subjects else {})


def _subject(kind: str, who: str) -> Object:
    if kind == "ServiceAccount":
        namespace, _, name = who.partition("/")
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"kind": kind, "apiGroup": GROUP, "name": who}
