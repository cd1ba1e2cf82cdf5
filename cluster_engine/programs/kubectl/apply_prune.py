"""`kubectl apply --prune`: delete what was applied before and is in no manifest any more.

    apply --prune -l app=shop -f shop/     LIST of every kind that is pruned, by the selector, in each namespace seen;
                                           DELETE what has the annotation of apply and was not applied just now

Modelled on kubectl/pkg/cmd/apply/prune.go. Left out: apply sets (alpha).
"""

from collections.abc import Iterable, Sequence

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("prune", kind="bool"),
    Flag("all", kind="bool"),
    Flag("prune-allowlist", kind="strings"),
)
PRUNED = (
    ("v1", "ConfigMap"),
    ("v1", "Endpoints"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("v1", "Pod"),
    ("v1", "ReplicationController"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
)
NEITHER = (
    "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. "
    "If you did not mean to prune all resources, specify a label selector"
)


def check(session: Session) -> list[tuple[str, str]]:
    """Return the kinds to prune. CommandError for what cannot be meant."""
    flags = session.flags
    if not flags["prune"]:
        if flags["prune-allowlist"]:
            raise CommandError("--prune-allowlist cannot be used without --prune")
        return []
    if not flags["all"] and not flags["selector"]:
        raise CommandError(NEITHER)
    given = [_allowed(text) for texts in flags["prune-allowlist"] for text in texts.split(",")]
    return given or list(PRUNED)


def _allowed(text: str) -> tuple[str, str]:
    parts = text.split("/")
    if len(parts) != 3:
        raise CommandError(f"invalid GroupVersionKind format: {text}, please follow <group/version/kind>")
    group, version, kind = parts
    return version if group in ("core", "") else f"{group}/{version}", kind


async def prune(session: Session, kinds: Iterable[tuple[str, str]], applied: Sequence[Object], annotation: str) -> None:
    """Delete what has the annotation, in the namespaces of what was applied, and is not among that."""
    seen = {obj["metadata"].get("uid") for obj in applied}
    namespaces = dict.fromkeys(obj["metadata"].get("namespace") or session.namespace for obj in applied)
    found = [each for kind in kinds if (each := await discovery.of_kind(session, *kind))]
    places = [(each, namespace) for namespace in namespaces for each in found if each.namespaced]
    for resource, namespace in [*places, *((each, None) for each in found if not each.namespaced)]:
        listed = await session.get(resource.path(namespace), {"labelSelector": session.flags["selector"] or None})
        for obj in listed["items"]:
            metadata = obj["metadata"]
            if annotation in (metadata.get("annotations") or {}) and metadata["uid"] not in seen:
                await _delete(session, resource, namespace, metadata["name"])


async def _delete(session: Session, resource: Resource, namespace: str | None, name: str) -> None:
    dry = session.flags["dry-run"]
    if dry == "none":
        await session.delete(resource.path(namespace, name), {"propagationPolicy": "Background"})
    told = {"none": "", "server": " (server dry run)"}.get(dry, " (dry run)")
    session.out(f"{resource.label(name)} pruned{told}\n")
