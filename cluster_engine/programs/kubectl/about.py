"""Commands about kubectl and the cluster themselves: version, api-resources, api-versions, cluster-info.

Modelled on kubectl/pkg/cmd/{version,apiresources,clusterinfo}.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.client.discovery import preferred
from cluster_engine.programs.kubectl import discovery, documents
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.tabwriter import layout
from cluster_engine.version import VERSION

KUSTOMIZE_VERSION = "v5.5.0"
VERSION_FLAGS = (Flag("client", kind="bool"), Flag("output", "o", default=""))
API_RESOURCES_FLAGS = (
    Flag("output", "o", default=""),
    Flag("namespaced", kind="bool", default=None),
    Flag("api-group", default=None),
    Flag("no-headers", kind="bool"),
    Flag("verbs", default=""),
    Flag("cached", kind="bool"),
    Flag("categories", kind="strings"),
    Flag("sort-by", default=""),
)
SORTS = ("", "name", "kind")


async def version(session: Session, arguments: list[str]) -> int:
    """Say the client's version and the server's."""
    if arguments:
        raise CommandError(f"extra arguments: [{' '.join(arguments)}]")
    client: Object = {"gitVersion": VERSION, "major": "1", "minor": "32", "platform": "linux/amd64"}
    found: Object = {"clientVersion": client, "kustomizeVersion": KUSTOMIZE_VERSION}
    if session.flags["output"] not in ("", "yaml", "json"):
        raise CommandError("--output must be 'yaml' or 'json'")
    if not session.flags["client"]:
        found["serverVersion"] = await session.get("/version", {"timeout": "32s"}, accept="application/json, */*")
    if session.flags["output"] == "yaml":
        session.out(documents.to_yaml(found))
    elif session.flags["output"] == "json":
        session.out(documents.to_json(found, indent=2))
    else:
        session.out(f"Client Version: {VERSION}\nKustomize Version: {KUSTOMIZE_VERSION}\n")
        if "serverVersion" in found:
            session.out(f"Server Version: {found['serverVersion']['gitVersion']}\n")
    return 0


def _no_arguments(arguments: list[str], command: str) -> None:
    if arguments:
        hint = f"See 'kubectl {command} -h' for help and examples"
        raise CommandError(f"unexpected arguments: [{' '.join(arguments)}]\n{hint}")


async def api_resources(session: Session, arguments: list[str]) -> int:
    """List what there is."""
    flags = session.flags
    _no_arguments(arguments, "api-resources")
    if flags["output"] not in ("", "wide", "name"):
        raise CommandError(f"--output {flags['output']} is not available")
    if flags["sort-by"] not in SORTS:
        raise CommandError("--sort-by accepts only name or kind")
    categories = [one for given in flags["categories"] for one in given.split(",")]
    rows = []
    for resource in preferred(await discovery.resources(session, fresh=True)):
        if flags["namespaced"] is not None and "namespaced" in flags and resource.namespaced is not flags["namespaced"]:
            continue
        if flags["api-group"] is not None and resource.group != flags["api-group"]:
            continue
        if not resource.verbs or any(verb not in resource.verbs for verb in flags["verbs"].split(",") if verb):
            continue
        if any(one not in resource.categories for one in categories):
            continue
        rows.append(resource)
    rows.sort(key=lambda resource: (resource.group, resource.plural))
    if flags["sort-by"]:
        rows.sort(key=lambda resource: resource.plural if flags["sort-by"] == "name" else resource.kind)
    if flags["output"] == "name":
        session.out("".join(f"{resource.resource_name}\n" for resource in rows))
        return 0
    header = "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND"
    lines = [] if flags["no-headers"] else [header + ("\tVERBS\tCATEGORIES" if flags["output"] == "wide" else "")]
    for resource in rows:
        scope = "true" if resource.namespaced else "false"
        names = ",".join(resource.short_names)
        line = f"{resource.plural}\t{names}\t{resource.api_version}\t{scope}\t{resource.kind}"
        if flags["output"] == "wide":
            line += f"\t{','.join(resource.verbs)}\t{','.join(resource.categories)}"
        lines.append(line)
    session.out(layout("".join(f"{line}\n" for line in lines), minimum=6, padding=3))
    return 0


async def api_versions(session: Session, arguments: list[str]) -> int:
    """List the groups and their versions."""
    _no_arguments(arguments, "api-versions")
    found = sorted({resource.api_version for resource in await discovery.resources(session, fresh=True)})
    session.out("".join(f"{name}\n" for name in found))
    return 0


async def cluster_info(session: Session, _: list[str]) -> int:
    """Say where the control plane is."""
    query = {"labelSelector": "kubernetes.io/cluster-service=true"}
    try:
        services = (await session.get("/api/v1/namespaces/kube-system/services", query))["items"]
    except Refusal as refusal:
        if refusal.code != 403:
            raise
        services = []
    server = session.url
    session.out(f"Kubernetes control plane is running at {server}\n")
    for service in services:
        name = (service["metadata"].get("labels") or {}).get("kubernetes.io/name") or service["metadata"]["name"]
        path = f"/api/v1/namespaces/kube-system/services/{service['metadata']['name']}/proxy"
        session.out(f"{name} is running at {server}{path}\n")
    session.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n")
    return 0
