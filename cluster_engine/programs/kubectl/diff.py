"""`kubectl diff`: what apply would change, as the server would have it, compared with what there is.

    GET the object, PATCH …?dryRun=All                  as apply would, but nothing is stored
    diff -u -N /tmp/LIVE-…/v1.ConfigMap.default.a /tmp/MERGED-…/v1.ConfigMap.default.a

Exit code 0: no difference; 1: some; 2: it could not be done. Values of Secrets are masked, before and after.

Modelled on kubectl/pkg/cmd/diff and GNU diff's unified format. Left out: --server-side, --prune, other programs
($KUBECTL_EXTERNAL_DIFF).
"""

import difflib
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import documents, errors
from cluster_engine.programs.kubectl.apply import MANAGER, patch_of
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import Manifest, namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("kustomize", "k", default=""),
    Flag("recursive", "R", "bool"),
    Flag("selector", "l", default=""),
    Flag("show-managed-fields", kind="bool"),
)
DIFFERENT, FAILED = 1, 2


async def run(session: Session, _: list[str]) -> int:
    """Compare manifests with what is on the server."""
    if not session.flags["filename"]:
        raise CommandError("must specify one of -f and -k", code=FAILED)
    number = session.process.rng.randrange
    folders = f"/tmp/LIVE-{number(10**9, 4 * 10**9)}", f"/tmp/MERGED-{number(10**8, 10**9)}"
    code = 0
    try:
        for manifest in read_manifests(session, session.flags["filename"]):
            name, live, merged = await _versions(session, manifest)
            text = _compared(session, name, folders, _masked(live, merged))
            session.out(text)
            code = DIFFERENT if text else code
    except CommandError as error:
        raise CommandError(str(error), plain=error.plain, code=FAILED) from error
    except Refusal as refusal:
        session.err(f"{errors.refusal_text(refusal)}\n")
        return FAILED
    return code


async def _versions(session: Session, manifest: Manifest) -> tuple[str, Object | None, Object]:
    """Return the file's name, the object as it is, None where there is none, and as it would be."""
    resource = await resource_of(session, manifest)
    namespace = namespace_of(session, resource, manifest)
    document = {**manifest.document, "metadata": dict(manifest.document["metadata"])}
    document["metadata"].setdefault("annotations", {})  # without what apply notes there
    if namespace is not None:
        document["metadata"]["namespace"] = namespace
    where = f"{resource.group}.{resource.version}.{resource.kind}.{namespace or ''}.{manifest.name}".lstrip(".")
    try:
        live = await session.get(resource.path(namespace, manifest.name))
    except NotFound:
        merged = await session.post(resource.path(namespace), document, manager=MANAGER, dry_run=True)
        return where, None, merged
    patch, type_ = patch_of(manifest, document, live)
    if not patch:
        return where, live, live
    path = resource.path(namespace, manifest.name)
    merged = await session.patch(path, patch, type_=type_, manager=MANAGER, strict=True, dry_run=True)
    return where, live, merged


def _compared(session: Session, name: str, folders: tuple[str, str], versions: tuple[Object | None, Object]) -> str:
    """Return what `diff -u -N` says of the two files."""
    before, after = (_lines(session, one) for one in versions)
    now = session.process.now()
    when = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond:06}000 +0000"
    files = [f"{folder}/{name}" for folder in folders]
    lines = list(difflib.unified_diff(before, after, files[0], files[1], when, when))
    return "".join([f"diff -u -N {' '.join(files)}\n", *lines]) if lines else ""


def _lines(session: Session, obj: Object | None) -> list[str]:
    if obj is None:
        return []
    if not session.flags["show-managed-fields"]:
        metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
        obj = {**obj, "metadata": metadata}
    return documents.to_yaml(obj).splitlines(keepends=True)


def _masked(live: Object | None, merged: Object) -> tuple[Object | None, Object]:
    """Hide what Secrets hold; where it differs, say which is which."""
    if merged.get("kind") != "Secret":
        return live, merged
    before: dict[str, Any] = (live or {}).get("data") or {}
    after: dict[str, Any] = merged.get("data") or {}
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key) and key in before and key in after}
    masks = [{key: f"*** ({when})" if key in changed else "***" for key in data}
             for data, when in ((before, "before"), (after, "after"))]  # fmt: skip
    shown = None if live is None else {**live, **({"data": masks[0]} if before else {})}
    return shown, {**merged, **({"data": masks[1]} if after else {})}
