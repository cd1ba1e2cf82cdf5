"""The Node authorizer: what a kubelet may see follows from the pods bound to its node.

Theory of operation. A graph leads from Secrets, ConfigMaps and ServiceAccounts through pods to nodes. It is kept from
pod events: a pod that names a node adds the edges of everything it refers to, a pod that is gone takes them away. A
kubelet may read exactly what has a path to its node. What it may write is bounded here by resource and, where the body
matters, by the NodeRestriction admission plug-in.

    Secret default/db ──► Pod default/web-0 ──► Node worker-1        worker-1 may get the Secret, worker-2 may not

Modelled on plugin/pkg/auth/authorizer/node (with AuthorizeNodeWithSelectors, on since 1.32: not even other Node
objects). Left out: persistent volumes, claims, CSI, resource claims, none of which exist here yet.
"""

from collections import Counter
from collections.abc import Iterator

from cluster_engine.api.objects import Object
from cluster_engine.apiserver.authorization.attributes import NO_OPINION, Attributes, Decision
from cluster_engine.apiserver.authorization.rbac import Rule, covers

LEASE_NAMESPACE = "kube-node-lease"
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
ALLOW = Decision(allowed=True)

Vertex = tuple[str, str, str]
"""(resource, namespace, name)"""


class Graph:
    """Which objects the pods of each node refer to."""

    def __init__(self) -> None:
        self._edges: dict[str, Counter[Vertex]] = {}
        self._pods: dict[tuple[str, str], tuple[str, tuple[Vertex, ...]]] = {}
        self.version = 0

    def pod_changed(self, pod: Object) -> None:
        """Take note of a pod's present state."""
        metadata = pod["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        node = pod.get("spec", {}).get("nodeName", "")
        known = self._pods.get(key)
        if known is not None and known[0] == node:
            return  # what a pod refers to cannot change once it is bound
        self._drop(key)
        if node:
            vertices = tuple(dict.fromkeys(_references(pod)))
            self._pods[key] = (node, vertices)
            self._edges.setdefault(node, Counter()).update(vertices)
            self.version += 1

    def pod_deleted(self, pod: Object) -> None:
        """Take note that a pod is gone."""
        self._drop((pod["metadata"].get("namespace", ""), pod["metadata"]["name"]))

    def has_path(self, vertex: Vertex, node: str) -> bool:
        """Return whether an object belongs to a pod of that node."""
        return self._edges.get(node, Counter())[vertex] > 0

    def _drop(self, key: tuple[str, str]) -> None:
        node, vertices = self._pods.pop(key, ("", ()))
        if node:
            self._edges[node].subtract(vertices)
            self._edges[node] = +self._edges[node]
            self.version += 1


def _references(pod: Object) -> Iterator[Vertex]:
    namespace, spec = pod["metadata"].get("namespace", ""), pod["spec"]
    yield ("pods", namespace, pod["metadata"]["name"])
    if MIRROR_ANNOTATION in (pod["metadata"].get("annotations") or {}):
        return
    yield ("serviceaccounts", namespace, spec.get("serviceAccountName", ""))
    for reference in spec.get("imagePullSecrets") or ():
        yield ("secrets", namespace, reference.get("name", ""))
    for resource, name in (*_of_volumes(spec), *_of_containers(spec)):
        yield (resource, namespace, name)


def _of_volumes(spec: Object) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        if "secret" in volume:
            yield "secrets", volume["secret"].get("secretName", "")
        if "configMap" in volume:
            yield "configmaps", volume["configMap"].get("name", "")
        for source in (volume.get("projected") or {}).get("sources") or ():
            if "secret" in source:
                yield "secrets", source["secret"].get("name", "")
            if "configMap" in source:
                yield "configmaps", source["configMap"].get("name", "")


def _of_containers(spec: Object) -> Iterator[tuple[str, str]]:
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for variable in container.get("env") or ():
            source = variable.get("valueFrom") or {}
            if "secretKeyRef" in source:
                yield "secrets", source["secretKeyRef"].get("name", "")
            if "configMapKeyRef" in source:
                yield "configmaps", source["configMapKeyRef"].get("name", "")
        for origin in container.get("envFrom") or ():
            if "secretRef" in origin:
                yield "secrets", origin["secretRef"].get("name", "")
            if "configMapRef" in origin:
                yield "configmaps", origin["configMapRef"].get("name", "")


class NodeAuthorizer:
    """Answers for users that are nodes; has no opinion on others. `rules` are those of ClusterRole system:node."""

    def __init__(self, graph: Graph, rules: tuple[Rule, ...]) -> None:
        self._graph = graph
        self._rules = rules

    @property
    def version(self) -> int:
        """See `Authorizer`."""
        return self._graph.version

    def authorize(self, attributes: Attributes) -> Decision:
        """Allow what the node needs."""
        node = attributes.user.node
        if node is None:
            return NO_OPINION
        if not node:
            return Decision(allowed=False, reason=f'unknown node for user "{attributes.user.name}"')
        special = SPECIAL.get((attributes.group, attributes.resource)) if attributes.is_resource else None
        if special is not None:
            reason = special(self._graph, node, attributes)
            return ALLOW if reason is None else Decision(allowed=False, reason=reason)
        return ALLOW if any(covers(rule, attributes) for rule in self._rules) else NO_OPINION


def _related(graph: Graph, node: str, attributes: Attributes) -> str | None:
    if not attributes.name:
        return "No Object name found"
    if graph.has_path((attributes.resource, attributes.namespace, attributes.name), node):
        return None
    return f"no relationship found between node '{node}' and this object"


def _read_related(graph: Graph, node: str, attributes: Attributes) -> str | None:
    if attributes.verb not in ("get", "list", "watch"):
        return "can only read resources of this type"
    if attributes.subresource:
        return "cannot read subresource"
    if not attributes.namespace:
        return "can only read namespaced object of this type"
    return _related(graph, node, attributes)


def _create_token(graph: Graph, node: str, attributes: Attributes) -> str | None:
    if attributes.verb != "create" or not attributes.name:
        return "can only create tokens for individual service accounts"
    if attributes.subresource != "token":
        return "can only create token subresource of serviceaccount"
    return _related(graph, node, attributes)


def _own_lease(graph: Graph, node: str, attributes: Attributes) -> str | None:
    if attributes.verb not in ("get", "create", "update", "patch", "delete"):
        return "can only get, create, update, patch, or delete a node lease"
    if attributes.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    if attributes.verb != "create" and attributes.name != node:
        return "can only access node lease with the same name as the requesting node"
    return None


def _own_node(graph: Graph, node: str, attributes: Attributes) -> str | None:
    if attributes.subresource == "status":
        return None if attributes.verb in ("update", "patch") else ""
    if attributes.subresource:
        return ""
    if attributes.verb in ("create", "update", "patch"):
        return None  # NodeRestriction sees to it that the object is the node's own
    if attributes.verb not in ("get", "list", "watch"):
        return ""
    if attributes.name == node:
        return None
    other = f"'{attributes.name}'" if attributes.name else "all nodes"
    return f"node '{node}' cannot read {other}, only its own Node object"


def _own_pods(graph: Graph, node: str, attributes: Attributes) -> str | None:
    allowed = {"": ("create", "delete"), "status": ("update", "patch"), "eviction": ("create",)}
    if attributes.verb in allowed.get(attributes.subresource, ()):
        return None  # NodeRestriction sees to it that the pod is bound to the node
    if attributes.subresource or attributes.verb not in ("get", "list", "watch"):
        return ""
    if attributes.verb != "get" and attributes.selects("spec.nodeName", node):
        return None
    if attributes.verb == "get" or attributes.name:
        return _related(graph, node, attributes)
    return "can only list/watch pods with spec.nodeName field selector"


SPECIAL = {
    ("", "secrets"): _read_related,
    ("", "configmaps"): _read_related,
    ("", "serviceaccounts"): _create_token,
    ("coordination.k8s.io", "leases"): _own_lease,
    ("", "nodes"): _own_node,
    ("", "pods"): _own_pods,
}
"""What is decided object by object: each gives None to allow, else the reason (which may be empty)."""
