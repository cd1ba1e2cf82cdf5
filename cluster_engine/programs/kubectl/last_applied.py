"""`kubectl apply view-last-applied` and its like: what a manifest said when it was applied last, kept as an annotation.

    apply view-last-applied deployment/web       GET …/deployments/web; the annotation's text as YAML
    apply set-last-applied -f web.yaml           PATCH the annotation to what the file says, and nothing else
    apply edit-last-applied deployment/web       the annotation's text in the editor, and a PATCH of it

Modelled on kubectl/pkg/cmd/apply (apply_{view,set,edit}_last_applied.go) and cmd/util/editor, ApplyEditMode.
"""

from collections.abc import Sequence

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import documents, output
from cluster_engine.programs.kubectl.apply import MANAGER
from cluster_engine.programs.kubectl.arguments import NOTHING_GIVEN, SELECTION_FLAGS, UNSAID, selected
from cluster_engine.programs.kubectl.create import LAST_APPLIED
from cluster_engine.programs.kubectl.edit import CHANGED_IDENTITY, Edited, Results, edit_all, objects
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Session

SET_FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("create-annotation", kind="bool"),
    *output.FLAGS,
    output.DRY_RUN,
)
VIEW_FLAGS = (*SELECTION_FLAGS, Flag("output", "o", default="yaml"))


async def view(session: Session, arguments: list[str]) -> int:
    """Print what was applied last; nothing for what never was."""
    form = session.flags["output"]
    if form not in ("yaml", "json"):
        hint = "See 'kubectl apply view-last-applied -h' for help and examples"
        raise CommandError(f"Unexpected -o output mode: {form}, the flag 'output' must be one of yaml|json\n{hint}")
    for target in await selected(session, arguments, UNSAID):
        text = _applied(await session.get(target.path(session)))
        if not text:
            continue
        applied = _read(text)
        session.out(documents.to_yaml(applied) if form == "yaml" else documents.to_json(applied, indent=2))
    return 0


async def set_(session: Session, arguments: list[str]) -> int:
    """Set the annotation to what files say."""
    if not session.flags["filename"]:
        raise CommandError(NOTHING_GIVEN)
    session.err(output.check(session))
    wanted: list[tuple[str, str, Object, Object]] = []
    for manifest in list(read_manifests(session, session.flags["filename"])):
        resource = await resource_of(session, manifest)
        namespace = namespace_of(session, resource, manifest)
        document = manifest.document
        if namespace is not None:
            document = {**document, "metadata": {**document["metadata"], "namespace": namespace}}
        path = resource.path(namespace, manifest.name)
        live = await session.get(path)
        before, after = _applied(live), documents.to_compact_json(document)
        if not before and not session.flags["create-annotation"]:
            raise CommandError(
                f"no last-applied-configuration annotation found on resource: {manifest.name}, to create the "
                "annotation, run the command with --create-annotation"
            )
        if before.strip() == after:
            session.out(f"set-last-applied {manifest.name}: no changes required.\n")
        else:
            wanted.append((path, resource.label(manifest.name), live, _patch(after)))
    dry = session.flags["dry-run"]
    for path, label, live, patch in wanted:
        after_all = live
        if dry != "client":
            after_all = await session.patch(path, patch, type_="merge", dry_run=dry == "server")
        output.tell(session, label, after_all, "configured")
    return 0


async def edit(session: Session, arguments: list[str]) -> int:
    """Have the annotation edited."""
    found = [
        Edited(one.resource, one.namespace, _read(text))
        for one in await objects(session, arguments)
        if (text := _applied(one.before))
    ]
    if not found:
        raise CommandError(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command "
            "`kubectl apply set-last-applied --create-annotation`"
        )
    return await edit_all(session, found, _send)


async def _send(session: Session, edited: Sequence[Edited], changed: Sequence[Object]) -> Results:
    by_name = {(obj["kind"], (obj.get("metadata") or {}).get("name")): obj for obj in changed}
    for one in edited:
        name = str(one.before["metadata"]["name"])
        after = by_name.get((one.before["kind"], name))
        if after is None:
            raise CommandError(CHANGED_IDENTITY)
        path = one.resource.path(one.namespace, name)
        await session.patch(path, _patch(documents.to_compact_json(after)), type_="merge", manager=MANAGER)
        session.out(f"{one.resource.label(name)} edited\n")
    return Results()


def _applied(obj: Object) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(LAST_APPLIED, ""))


def _patch(text: str) -> Object:
    return {"metadata": {"annotations": {LAST_APPLIED: f"{text}\n"}}}


def _read(text: str) -> Object:
    try:
        applied: Object = read_json(text)
    except Unreadable as problem:
        raise CommandError(str(problem)) from problem
    return applied
