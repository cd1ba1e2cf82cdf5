"""`kubectl create role` and `create clusterrole`: one set of verbs on some resources, from a few flags.

    create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=web
        POST /apis/rbac.authorization.k8s.io/v1/namespaces/default/roles?fieldManager=kubectl-create&…

Resources may be short names, may name their group (`deployments.apps`) and a subresource (`pods/log`); each API group
gets a rule of its own, because verbs and groups of one rule multiply. What the server does not know is refused here.

Modelled on kubectl/pkg/cmd/create/create_role.go and create_clusterrole.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.create import COMMON_FLAGS, create, named
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

GROUP = "rbac.authorization.k8s.io"
FLAGS = (
    *COMMON_FLAGS,
    Flag("verb", kind="strings"),
    Flag("resource", kind="strings"),
    Flag("resource-name", kind="strings"),
)
CLUSTER_FLAGS = (*FLAGS, Flag("non-resource-url", kind="strings"), Flag("aggregation-rule", kind="pairs"))
URL_VERBS = frozenset(("*", "get", "post", "put", "delete", "patch", "head", "options"))
VERBS = frozenset(("*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")) | frozenset(
    ("proxy", "use", "bind", "escalate", "impersonate")
)


async def role(session: Session, arguments: list[str]) -> int:
    """Make a Role in one namespace."""
    obj = await _made(session, "Role", named(arguments, "role"), [])
    if session.flags["namespace"]:
        obj["metadata"]["namespace"] = session.namespace
    path = f"/apis/{GROUP}/v1/namespaces/{session.namespace}/roles"
    return await _create(session, obj, path, "role")


async def cluster_role(session: Session, arguments: list[str]) -> int:
    """Make a ClusterRole."""
    name, flags = named(arguments, "clusterrole"), session.flags
    urls = _split(flags["non-resource-url"])
    if flags["aggregation-rule"]:
        if urls or any(flags[one] for one in ("verb", "resource", "resource-name")):
            what = "nonResourceURLs, verbs, resources or resourceNames"
            raise CommandError(f"aggregation rule must be specified without {what}")
        obj = _aggregated(name, flags["aggregation-rule"])
    else:
        obj = await _made(session, "ClusterRole", name, urls)
    return await _create(session, obj, f"/apis/{GROUP}/v1/clusterroles", "clusterrole")


async def _made(session: Session, kind: str, name: str, urls: list[str]) -> Object:
    verbs, wanted = _split(session.flags["verb"]), _split(session.flags["resource"])
    if not verbs:
        raise CommandError("at least one verb must be specified")
    for verb in verbs:
        if verb not in VERBS:
            session.err(f"Warning: '{verb}' is not a standard resource verb\n")
    if not wanted and not urls:
        nothing = "at least one resource" if kind == "Role" else "one of resource or nonResourceURL"
        raise CommandError(f"{nothing} must be specified")
    for url in urls:
        if not url.startswith("/") and url != "*":
            raise CommandError("nonResourceURL should start with /")
        if wrong := [verb for verb in verbs if verb not in URL_VERBS]:
            raise CommandError(f"invalid verb: '{wrong[0]}' for nonResourceURL")
    verbs = ["*"] if "*" in verbs else verbs
    names = list(dict.fromkeys(session.flags["resource-name"]))
    rules = [_rule(verbs, group, resources, names) for group, resources in (await _by_group(session, wanted)).items()]
    if urls:
        rules.append({"nonResourceURLs": urls, "verbs": verbs})
    metadata = {"creationTimestamp": None, "name": name}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def _aggregated(name: str, labels: dict[str, str]) -> Object:
    """Return a role that is made of those that have these labels."""
    metadata = {"creationTimestamp": None, "name": name}
    rule = {"clusterRoleSelectors": [{"matchLabels": labels}]}
    return {
        "apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": metadata, "aggregationRule": rule, "rules": None
    }  # fmt: skip


def _rule(verbs: list[str], group: str, resources: list[str], names: list[str]) -> Object:
    rule: Object = {"apiGroups": [group], "resources": resources, "verbs": verbs}
    return {**rule, "resourceNames": names} if names else rule


async def _by_group(session: Session, wanted: list[str]) -> dict[str, list[str]]:
    """Return the resources by API group, in the order of the groups' names."""
    found: dict[str, list[str]] = {}
    if "*" in wanted:
        return {"": ["*"]}
    for text in wanted:
        name, _, subresource = text.partition("/")
        try:
            resource = await discovery.find(session, name)
        except CommandError as error:
            raise CommandError(str(error), plain=True) from error
        plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
        resources = found.setdefault(resource.group, [])
        if plural not in resources:
            resources.append(plural)
    return dict(sorted(found.items()))


def _split(values: list[str]) -> list[str]:
    """Return what a flag lists, by commas or by being given again, each once."""
    return list(dict.fromkeys(one for value in values for one in value.split(",") if one))


async def _create(session: Session, obj: Object, path: str, kind: str) -> int:
    label = f"{kind}.{GROUP}/{obj['metadata']['name']}"
    return await create(session, obj, path, label, failed=f"failed to create {kind}: ")
