"""`kubectl apply`: make the server's object as the manifest says, and leave alone what others have set.

Three versions are compared: the manifest, the object on the server, and what was applied last, which apply itself keeps
in an annotation. What was applied last and is not in the manifest any more is removed; what is in the manifest is set;
everything else stays.

    GET the object ─▶ 404: POST, with the annotation       ─▶ "created"
                   ─▶ no difference                         ─▶ "unchanged"
                   ─▶ PATCH (strategic, or merge where the kind is not built in) ─▶ "configured"

What the server merges is in `apply_server_side`, what --prune deletes in `apply_prune`.

Modelled on kubectl/pkg/cmd/apply. Left out: -k, apply sets.
"""

from typing import Any

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.api.three_way import three_way
from cluster_engine.programs.kubectl import apply_prune, apply_server_side, documents, errors, output
from cluster_engine.programs.kubectl.create import FILE_FLAGS, LAST_APPLIED
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import Manifest, namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.schemas import download
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl-client-side-apply"
FLAGS = (
    *FILE_FLAGS,
    *apply_server_side.FLAGS,
    *apply_prune.FLAGS,
    Flag("force", kind="bool"),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Apply manifests."""
    flags = session.flags
    if flags["kustomize"]:
        raise CommandError("-k is not in this workstation's kubectl")
    apply_server_side.check(session)
    kinds_to_prune = apply_prune.check(session)
    if arguments:
        raise CommandError(f"Unexpected args: {arguments}\nSee 'kubectl apply -h' for help and examples")
    if not flags["filename"]:
        raise CommandError("must specify one of -f and -k")
    manifests = list(read_manifests(session, flags["filename"]))
    if not manifests:
        raise CommandError("no objects passed to apply")
    code = 0
    applied: list[Object] = []
    prints = flags["output"] not in ("", "name") or bool(flags["template"])
    for manifest in manifests:
        resource = await resource_of(session, manifest)
        await download(session, resource)
        try:
            applied.append(await _apply(session, resource, manifest))
        except Refusal as refusal:
            session.err(f"{errors.refusal_text(refusal, _context(session, refusal, manifest))}\n")
            code = 1
        except CommandError as error:
            session.err(f"{errors.describe(error, session.server)}\n")
            code = 1
    if prints and applied:
        _print(session, applied)
    if kinds_to_prune and not code:
        await apply_prune.prune(session, kinds_to_prune, applied, LAST_APPLIED)
    return code


def _context(session: Session, refusal: Refusal, manifest: Manifest) -> str:
    if session.flags["server-side"] or refusal.reason == "Invalid":
        return ""
    return f'error when creating "{manifest.source}"'


async def _apply(session: Session, resource: Resource, manifest: Manifest) -> Object:
    """Apply one manifest and tell of it; give the object."""
    namespace = namespace_of(session, resource, manifest)
    if session.flags["server-side"]:
        found = await apply_server_side.apply(session, resource, manifest, namespace)
        _tell(session, resource, found, "serverside-applied")
        return found
    return await _apply_here(session, resource, manifest, namespace)


async def _apply_here(session: Session, resource: Resource, manifest: Manifest, namespace: str | None) -> Object:
    """Compare here, and patch."""
    manager = session.flags["field-manager"] or MANAGER
    modified = _annotated(manifest, namespace)
    dry = session.flags["dry-run"]
    try:
        live: Object = await session.get(resource.path(namespace, manifest.name))
    except NotFound:
        created: Object = modified
        if dry != "client":
            created = await session.post(resource.path(namespace), modified, manager=manager, dry_run=dry == "server")
        _tell(session, resource, created, "created")
        return created
    patch, type_ = patch_of(manifest, modified, live)
    if not patch:
        _tell(session, resource, live, "unchanged")
        return live
    if LAST_APPLIED not in (live["metadata"].get("annotations") or {}) and dry != "client":
        session.err(
            f"Warning: resource {resource.plural}/{manifest.name} is missing the {LAST_APPLIED} annotation which is "
            "required by kubectl apply. kubectl apply should only be used on resources created declaratively by either "
            "kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n"
        )
    patched: Object = live
    if dry != "client":
        path = resource.path(namespace, manifest.name)
        patched = await session.patch(path, patch, type_=type_, manager=manager, strict=True, dry_run=dry == "server")
    same = patched["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"] and dry == "none"
    _tell(session, resource, patched, "unchanged" if same else "configured")
    return patched


def _annotated(manifest: Manifest, namespace: str | None) -> Object:
    """Add to the manifest what apply adds: namespace, and the manifest itself as an annotation."""
    document = {**manifest.document, "metadata": dict(manifest.document["metadata"])}
    if namespace is not None:
        document["metadata"]["namespace"] = namespace
    annotations = {
        key: value for key, value in (document["metadata"].get("annotations") or {}).items() if key != LAST_APPLIED
    }
    document["metadata"]["annotations"] = annotations
    applied = documents.to_compact_json(document) + "\n"
    return {**document, "metadata": {**document["metadata"], "annotations": {**annotations, LAST_APPLIED: applied}}}


def patch_of(manifest: Manifest, modified: Object, live: Object) -> tuple[Object, str]:
    """Compute what apply sends for an object that is there, and the patch's type; {} where there is nothing to do."""
    annotation = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    original: Any = next(documents.read_all(annotation), None) if annotation else None
    kind = BUILT_IN.by_kind(manifest.document["apiVersion"], manifest.document["kind"])
    if kind is None:
        return merge_difference(original or {}, modified, live), "merge"
    return three_way(kind, original, modified, live), "strategic"


def merge_difference(original: Object, modified: Object, live: Object) -> Object:
    """Compute a JSON merge patch: what the manifest sets, and null for what it no longer does."""
    patch: Object = {}
    for key, value in modified.items():
        if isinstance(value, dict) and isinstance(live.get(key), dict):
            before = original.get(key)
            if inner := merge_difference(before if isinstance(before, dict) else {}, value, live[key]):
                patch[key] = inner
        elif value != live.get(key):
            patch[key] = value
    return patch | {key: None for key in original if key not in modified and key in live}


def _tell(session: Session, resource: Resource, obj: Object, operation: str) -> None:
    """Say what was done; objects are printed once all are there."""
    if session.flags["output"] in ("", "name") and not session.flags["template"]:
        output.tell(session, resource.label(obj["metadata"]["name"]), obj, operation)


def _print(session: Session, applied: list[Object]) -> None:
    show = output.printer(session)
    assert show is not None, "only `get` has tables"
    listed = {"apiVersion": "v1", "items": applied, "kind": "List", "metadata": {}}
    session.out(show(applied[0] if len(applied) == 1 else listed))
