"""`kubectl describe`: which objects, and for each the further questions that its description needs.

    pod          GET, GET, events of it                                replica set   + its pods
    deployment   GET, GET, events, replica sets by its selector         node          + lease, pods there, events twice
    service      GET, GET, endpoint slices by name, events              daemon set    + its pods
    ingress      GET, GET, events, slices and Service of each backend   namespace     + quotas, limit ranges
    everything else: GET, events

Modelled on kubectl/pkg/cmd/describe and pkg/describe/describe.go; where the real one asks for protobuf this one asks
for JSON. (The first GET finds the object, the second is the describer's own: the real one asks twice, too.)
"""

from collections.abc import Awaitable, Callable, Mapping

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import errors
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.describe import (
    access,
    autoscalers,
    batch,
    certificates,
    networking,
    nodes,
    others,
    pods,
    policy,
    workloads,
)
from cluster_engine.programs.kubectl.describe.lines import Lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.get import nothing_found
from cluster_engine.programs.kubectl.manifests import read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Params, Session

FLAGS = (
    Flag("selector", "l", default=""),
    Flag("all-namespaces", "A", "bool"),
    Flag("filename", "f", "strings"),
    Flag("show-events", kind="bool", default=True),
)
NO_TYPE = (
    'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported '
    "resources."
)

Describer = Callable[[Session, Lines, Object], Awaitable[None]]


async def run(session: Session, arguments: list[str]) -> int:
    """Describe objects."""
    found: list[tuple[Target, Object]] = []
    failures: list[Refusal] = []
    wanted = await _wanted(session, arguments)
    for target in wanted:
        try:
            found += [(target, obj) for obj in await _find(session, target)]
        except Refusal as refusal:
            failures.append(refusal)
    begun = any(target.name not in (None, obj["metadata"]["name"]) for target, obj in found)
    for index, (target, obj) in enumerate(found):
        text = await _describe(session, target, obj)
        session.out(f"{text}\n" if begun else ("\n\n" if index else "") + text)
    for failure in failures:
        session.err(f"{errors.refusal_text(failure)}\n")
    if not found and not failures:
        session.err(nothing_found(session, wanted))
    return 1 if failures else 0


async def _wanted(session: Session, arguments: list[str]) -> list[Target]:
    wanted = [
        Target(await resource_of(session, manifest), manifest.name)
        for manifest in list(read_manifests(session, session.flags["filename"]))
    ]
    if not arguments and not wanted:
        raise CommandError(NO_TYPE)
    return wanted + (await targets(session, arguments) if arguments else [])


def _namespace(session: Session, target: Target) -> str | None:
    if not target.resource.namespaced or session.flags["all-namespaces"]:
        return None
    return session.namespace


async def _find(session: Session, target: Target) -> list[Object]:
    """Return the objects; a name that is none may be the beginning of several."""
    namespace = _namespace(session, target)
    if target.name is None:
        query: Params = {"labelSelector": session.flags["selector"] or None, "limit": 500}
        return list((await session.get(target.resource.path(namespace), query))["items"])
    try:
        return [await session.get(target.resource.path(namespace, target.name))]
    except NotFound:
        listed = await session.get(target.resource.path(namespace), {"limit": 500})
        found = [item for item in listed["items"] if item["metadata"]["name"].startswith(target.name)]
        if not found:
            raise
        return found


async def _describe(session: Session, target: Target, obj: Object) -> str:
    metadata = obj["metadata"]
    path = target.resource.path(metadata.get("namespace"), metadata["name"])
    obj = {"kind": target.resource.kind, "apiVersion": target.resource.api_version, **await session.get(path)}
    lines = Lines(session.process.now())
    await _DESCRIBERS.get((target.resource.group, target.resource.plural), _anything)(session, lines, obj)
    return lines.text()


# -- the further questions ---------------------------------------------------------------------------------------------


async def _events(session: Session, obj: Object, *, uid: str | None = None) -> list[Object]:
    if not session.flags["show-events"]:
        return []
    metadata = obj["metadata"]
    fields = {
        "involvedObject.name": metadata["name"],
        "involvedObject.namespace": metadata.get("namespace", ""),
        "involvedObject.kind": obj["kind"],
        "involvedObject.uid": metadata["uid"] if uid is None else uid,
    }
    selector = ",".join(f"{name}={value}" for name, value in fields.items())
    namespace = metadata.get("namespace")
    path = f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"
    listed = await session.get(path, {"fieldSelector": selector, "limit": 500})
    return list(listed["items"])


async def _selected(session: Session, path: str, labels: Mapping[str, str]) -> list[Object]:
    selector = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
    return list((await session.get(path, {"labelSelector": selector, "limit": 500}))["items"])


def _owned(items: list[Object], owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [item for item in items if any(ref["uid"] == uid for ref in item["metadata"].get("ownerReferences") or [])]


async def _pod(session: Session, lines: Lines, pod: Object) -> None:
    # what is said of a static pod is said with the uid that it has on its node
    static = (pod["metadata"].get("annotations") or {}).get("kubernetes.io/config.mirror")
    pods.describe_pod(lines, pod, await _events(session, pod, uid=static))


async def _deployment(session: Session, lines: Lines, deployment: Object) -> None:
    events = await _events(session, deployment)
    path = f"/apis/apps/v1/namespaces/{deployment['metadata']['namespace']}/replicasets"
    selected = await _selected(session, path, deployment["spec"]["selector"].get("matchLabels") or {})
    workloads.describe_deployment(lines, deployment, _owned(selected, deployment), events)


async def _pods_of(session: Session, owner: Object) -> list[Object]:
    """Return the pods that an object with a selector controls."""
    path = f"/api/v1/namespaces/{owner['metadata']['namespace']}/pods"
    selected = await _selected(session, path, owner["spec"]["selector"].get("matchLabels") or {})
    return _owned(selected, owner)


async def _replica_set(session: Session, lines: Lines, replica_set: Object) -> None:
    own = await _pods_of(session, replica_set)
    workloads.describe_replica_set(lines, replica_set, own, await _events(session, replica_set))


async def _daemon_set(session: Session, lines: Lines, daemon_set: Object) -> None:
    own = await _pods_of(session, daemon_set)
    workloads.describe_daemon_set(lines, daemon_set, own, await _events(session, daemon_set))


async def _stateful_set(session: Session, lines: Lines, stateful_set: Object) -> None:
    own = await _pods_of(session, stateful_set)
    workloads.describe_stateful_set(lines, stateful_set, own, await _events(session, stateful_set))


async def _job(session: Session, lines: Lines, job: Object) -> None:
    batch.describe_job(lines, job, await _events(session, job))


async def _cron_job(session: Session, lines: Lines, cron_job: Object) -> None:
    batch.describe_cron_job(lines, cron_job, await _events(session, cron_job))


async def _autoscaler(session: Session, lines: Lines, autoscaler: Object) -> None:
    autoscalers.describe_autoscaler(lines, autoscaler, await _events(session, autoscaler))


async def _budget(session: Session, lines: Lines, budget: Object) -> None:
    policy.describe_budget(lines, budget, await _events(session, budget))


async def _quota(_: Session, lines: Lines, quota: Object) -> None:
    policy.describe_quota(lines, quota)


async def _limit_range(_: Session, lines: Lines, limit_range: Object) -> None:
    policy.describe_limit_range(lines, limit_range)


async def _priority_class(session: Session, lines: Lines, priority_class: Object) -> None:
    policy.describe_priority_class(lines, priority_class, await _events(session, priority_class))


async def _ingress(session: Session, lines: Lines, ingress: Object) -> None:
    events = await _events(session, ingress)
    namespace = ingress["metadata"]["namespace"]

    async def answers(backend: Object) -> str:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        try:
            slices = await _selected(session, path, {"kubernetes.io/service-name": backend["name"]})
            service = await session.get(f"/api/v1/namespaces/{namespace}/services/{backend['name']}")
        except Refusal as refusal:
            return f"<error: {refusal.message}>"
        wanted = backend.get("port") or {}
        found = ""
        for port in service["spec"].get("ports") or []:
            if port["port"] == wanted.get("number") or (wanted.get("name") and port.get("name") == wanted["name"]):
                found = port.get("name") or ""
        return others.endpoints_text(slices, found)

    await networking.describe_ingress(lines, ingress, answers, events)


async def _ingress_class(session: Session, lines: Lines, ingress_class: Object) -> None:
    networking.describe_ingress_class(lines, ingress_class, await _events(session, ingress_class))


async def _network_policy(_: Session, lines: Lines, network_policy: Object) -> None:
    networking.describe_network_policy(lines, network_policy)


async def _node(session: Session, lines: Lines, node: Object) -> None:
    name = node["metadata"]["name"]
    try:
        lease = await session.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")
    except Refusal:
        lease = None
    selector = f"spec.nodeName={name},status.phase!=Failed,status.phase!=Succeeded"
    running = (await session.get("/api/v1/pods", {"fieldSelector": selector, "limit": 500}))["items"]
    events = await _events(session, node) + await _events(session, node, uid=name)
    nodes.describe_node(lines, node, lease, running, events)


async def _service(session: Session, lines: Lines, service: Object) -> None:
    metadata = service["metadata"]
    path = f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices"
    slices = await _selected(session, path, {"kubernetes.io/service-name": metadata["name"]})
    others.describe_service(lines, service, slices, await _events(session, service))


async def _name_space(session: Session, lines: Lines, namespace: Object) -> None:
    path = f"/api/v1/namespaces/{namespace['metadata']['name']}"
    quotas = (await session.get(f"{path}/resourcequotas", {"limit": 500}))["items"]
    limits = (await session.get(f"{path}/limitranges", {"limit": 500}))["items"]
    others.describe_namespace(lines, namespace, list(quotas), list(limits))


async def _config_map(session: Session, lines: Lines, config_map: Object) -> None:
    others.describe_config_map(lines, config_map, await _events(session, config_map))


async def _secret(session: Session, lines: Lines, secret: Object) -> None:
    others.describe_secret(lines, secret)


async def _service_account(session: Session, lines: Lines, account: Object) -> None:
    others.describe_service_account(lines, account, await _events(session, account))


async def _endpoints(session: Session, lines: Lines, endpoints: Object) -> None:
    others.describe_endpoints(lines, endpoints, await _events(session, endpoints))


async def _endpoint_slice(session: Session, lines: Lines, endpoint_slice: Object) -> None:
    others.describe_endpoint_slice(lines, endpoint_slice, await _events(session, endpoint_slice))


async def _role(_: Session, lines: Lines, role: Object) -> None:
    access.describe_role(lines, role)


async def _binding(_: Session, lines: Lines, binding: Object) -> None:
    access.describe_binding(lines, binding)


async def _signing_request(session: Session, lines: Lines, request: Object) -> None:
    certificates.describe_signing_request(lines, request, await _events(session, request))


async def _anything(session: Session, lines: Lines, obj: Object) -> None:
    others.describe_anything(lines, obj, await _events(session, obj))


_DESCRIBERS: dict[tuple[str, str], Describer] = {
    ("", "pods"): _pod,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replica_set,
    ("apps", "daemonsets"): _daemon_set,
    ("apps", "statefulsets"): _stateful_set,
    ("autoscaling", "horizontalpodautoscalers"): _autoscaler,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): _cron_job,
    ("certificates.k8s.io", "certificatesigningrequests"): _signing_request,
    ("policy", "poddisruptionbudgets"): _budget,
    ("", "resourcequotas"): _quota,
    ("", "limitranges"): _limit_range,
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
    ("networking.k8s.io", "ingresses"): _ingress,
    ("networking.k8s.io", "ingressclasses"): _ingress_class,
    ("networking.k8s.io", "networkpolicies"): _network_policy,
    ("", "nodes"): _node,
    ("", "services"): _service,
    ("", "namespaces"): _name_space,
    ("", "configmaps"): _config_map,
    ("", "secrets"): _secret,
    ("", "serviceaccounts"): _service_account,
    ("", "endpoints"): _endpoints,
    ("discovery.k8s.io", "endpointslices"): _endpoint_slice,
    ("rbac.authorization.k8s.io", "roles"): _role,
    ("rbac.authorization.k8s.io", "clusterroles"): _role,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
}
