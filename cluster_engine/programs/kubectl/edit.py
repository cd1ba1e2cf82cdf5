"""`kubectl edit`: GET, the object as text to a person, and what they changed back as a PATCH.

    GET /apis/apps/v1/namespaces/default/deployments/web
    the text in the page's editor, below a header of comments           replicas: 1  →  3
    PATCH …?fieldManager=kubectl-edit&fieldValidation=Strict            {"spec":{"replicas":3}}

The patch holds only what was changed, so nothing else of what others wrote meanwhile is overwritten. What cannot be
read, and what the server finds invalid, is opened again with the reasons above it. Whatever was edited in vain is kept
in a file under /tmp.

Modelled on kubectl/pkg/cmd/util/editor/editoptions.go, NormalEditMode. Left out: --save-config, --subresource,
--windows-line-endings, $KUBE_EDITOR (there is one editor, the page's).
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.three_way import three_way
from cluster_engine.programs.kubectl import documents, output
from cluster_engine.programs.kubectl.apply import merge_difference
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.documents import ManifestError
from cluster_engine.programs.kubectl.errors import CommandError, refusal_text
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl-edit"
FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("output", "o", default="yaml"),
    *output.FLAGS[1:],
    Flag("output-patch", kind="bool"),
    Flag("selector", "l", default=""),
    Flag("validate", default="strict", without_value="strict"),
)
HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
CHANGED_IDENTITY = "At least one of apiVersion, kind and name was changed"


class Edited(msgspec.Struct, frozen=True):
    """An object that is edited, as it was fetched, and what it is one of."""

    resource: Resource
    namespace: str | None
    before: Object

    @property
    def label(self) -> str:
        """Its resource and name: deployments.apps "web"."""
        group = f".{self.resource.group}" if self.resource.group else ""
        return f'{self.resource.plural}{group} "{self.before["metadata"]["name"]}"'


class Results(msgspec.Struct):
    """What came of one try."""

    reasons: list[tuple[str, list[str]]] = msgspec.field(default_factory=list)
    retryable: bool = False
    not_found: bool = False


async def run(session: Session, arguments: list[str]) -> int:
    """Edit objects."""
    if session.flags["output"] not in ("yaml", "json"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{session.flags["output"]}", '
            "allowed formats are: json,yaml"
        )
    edited = await objects(session, arguments)
    if not edited:
        raise CommandError("edit cancelled, no objects found")
    return await edit_all(session, edited, _patch_all)


async def objects(session: Session, arguments: list[str]) -> list[Edited]:
    """Return the objects that are to be edited, as the server has them."""
    wanted = await targets(session, arguments) if arguments or not session.flags["filename"] else []
    for manifest in read_manifests(session, session.flags["filename"]):
        wanted.append(Target(await resource_of(session, manifest), manifest.name))
    found: list[Edited] = []
    for target in wanted:
        namespace = session.namespace if target.resource.namespaced else None
        selector = {"labelSelector": session.flags["selector"] or None} if target.name is None else {}
        answer = await session.get(target.resource.path(namespace, target.name), selector)
        for obj in [answer] if target.name is not None else answer["items"]:
            version = f"{target.resource.group}/{target.resource.version}".lstrip("/")
            typed = {"apiVersion": version, "kind": target.resource.kind, **obj}
            found.append(Edited(target.resource, namespace, typed))
    return found


def _joined(objects: Sequence[Object]) -> Object:
    if len(objects) == 1:
        return objects[0]
    return {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(objects)}


# -- tries -------------------------------------------------------------------------------------------------------------


Send = Callable[[Session, Sequence[Edited], Sequence[Object]], Awaitable[Results]]
"""Sends what was edited, as it is now; CommandError where that is hopeless."""


async def edit_all(session: Session, edited: Sequence[Edited], send: Send) -> int:
    """Have objects edited, and again until what comes of it can be sent or is given up."""
    show = output.printer(session)
    assert show is not None
    original = show(_joined([one.before for one in edited]))
    path = f"/tmp/kubectl-edit-{session.process.rng.randrange(10**9, 4 * 10**9)}.{session.flags['output']}"
    body, results, is_again = original, Results(), False
    while True:
        text = await session.edit(path, _header(results) + body)
        if is_again and _comparable(text) == _comparable(body):
            return _given_up(session, path, text, "Edit cancelled, no valid changes were saved.")
        body = _without_comments(text)
        try:
            documents_ = list(documents.read_all(body if body.startswith("{") else text))
            _check_kinds(documents_)
        except ManifestError as problem:
            if not body.strip():
                return _cancelled(session, "Edit cancelled, saved file was empty.")
            session.err(f"error: {edited[0].label} is invalid\n")
            why = f'<nil>: Invalid value: "The edited file failed validation": {problem}'
            results, is_again = Results([(f"{edited[0].label} was not valid", [why])]), True
            continue
        if documents_ == list(documents.read_all(original)):
            return _cancelled(session, "Edit cancelled, no changes made.")
        if not body.strip():
            return _cancelled(session, "Edit cancelled, saved file was empty.")
        try:
            results = await send(session, edited, documents_)
        except CommandError as problem:
            return _given_up(session, path, text, str(problem))
        if results.retryable or results.not_found:
            session.process.files.write(path, text.encode())
            if results.retryable:
                session.err(f"You can run `kubectl replace -f {path}` to try this update again.\n")
            else:
                session.err(f'The edits you made on deleted resources have been saved to "{path}"\n')
            return 1
        if not results.reasons:
            return 0
        is_again = True


def _header(results: Results) -> str:
    lines = [HEADER]
    for head, others in results.reasons:
        lines.append(_commented(f"# {head}{':' if others else ''}"))
        lines += [_commented(f"# * {other}") for other in others]
        lines.append("#\n")
    return "".join(lines)


def _commented(text: str) -> str:
    return text.replace("\n", "\n# ") + "\n"


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def _comparable(text: str) -> str:
    return _without_comments(text).strip()


def _check_kinds(objects: Sequence[Object]) -> None:
    for obj in objects:
        missing = [f"{name} not set" for name in ("apiVersion", "kind") if not obj.get(name)]
        if missing:
            raise ManifestError(missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]")


def _cancelled(session: Session, text: str) -> int:
    session.err(f"{text}\n")
    return 0


def _given_up(session: Session, path: str, text: str, why: str) -> int:
    session.process.files.write(path, text.encode())
    session.err(f'A copy of your changes has been stored to "{path}"\nerror: {why}\n')
    return 1


# -- patches -----------------------------------------------------------------------------------------------------------


async def _patch_all(session: Session, edited: Sequence[Edited], objects: Sequence[Object]) -> Results:
    results = Results()
    by_uid = {one.before["metadata"].get("uid"): one for one in edited}
    for obj in objects:
        metadata = obj.get("metadata")
        one = by_uid.get(metadata.get("uid")) if isinstance(metadata, dict) else None
        if one is None:
            raise CommandError("no original object found for what was edited")
        await _patch(session, one, obj, results)
    return results


async def _patch(session: Session, one: Edited, after: Object, results: Results) -> None:
    before = one.before
    name = before["metadata"]["name"]
    if "managedFields" in before["metadata"] and "managedFields" not in after["metadata"]:
        metadata = {key: value for key, value in before["metadata"].items() if key != "managedFields"}
        before = {**before, "metadata": metadata}
    if after == before:
        session.out(f"{one.resource.label(name)} skipped\n")
        return
    if _identity(after) != _identity(before):
        raise CommandError(CHANGED_IDENTITY)
    patch, type_ = difference(before, after)
    if session.flags["output-patch"]:
        session.out(f"Patch: {documents.to_compact_json(patch)}\n")
    strict = session.flags["validate"] not in ("false", "ignore", "warn")
    try:
        path = one.resource.path(one.namespace, name)
        await session.patch(path, patch, type_=type_, manager=MANAGER, strict=strict)
    except Refusal as refusal:
        _note(session, one, refusal, results)
    else:
        session.out(f"{one.resource.label(name)} edited\n")


def _identity(obj: Object) -> tuple[object, ...]:
    return obj["apiVersion"], obj["kind"], obj["metadata"].get("name")


def difference(before: Object, after: Object) -> tuple[Object, str]:
    """Return the patch that makes one object of another, and its type: strategic where the kind is built in."""
    kind = BUILT_IN.by_kind(before["apiVersion"], before["kind"])
    if kind is None:
        return merge_difference(before, after, before), "merge"
    return three_way(kind, before, after, before), "strategic"


def _note(session: Session, one: Edited, refusal: Refusal, results: Results) -> None:
    """Tell of a refusal, and keep what is to be done about it."""
    if refusal.reason == "Invalid":
        causes = refusal.details.get("causes") or []
        results.reasons.append(
            (f"{one.label} was not valid", [f"{cause.get('field', '')}: {cause['message']}" for cause in causes])
        )
        session.err(f"error: {one.label} is invalid\n")
    elif refusal.reason == "NotFound":
        results.not_found = True
        session.err(f"error: {one.label} could not be found on the server\n")
    else:
        results.retryable = True
        session.err(f"error: {one.label} could not be patched: {refusal.message or refusal_text(refusal)}\n")
