"""`kubectl label` and `kubectl annotate`: a merge patch of the metadata, and nothing else.

    kubectl label node worker-1 disk=ssd        GET, PATCH {"metadata": {"labels": {"disk": "ssd"}}}
    kubectl label node worker-1 disk-           PATCH {"metadata": {"labels": {"disk": null}}}

Modelled on kubectl/pkg/cmd/label and annotate.
"""

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("overwrite", kind="bool"),
    Flag("all", kind="bool"),
    Flag("selector", "l", default=""),
    Flag("list", kind="bool"),
    output.DRY_RUN,
)


class _Wording(msgspec.Struct, frozen=True):
    """What the two commands say differently."""

    field: str
    noun: str
    changed: str
    removed: str
    nothing: str
    manager: str


LABEL = _Wording("labels", "label", "labeled", "unlabeled", "not labeled", "kubectl-label")
ANNOTATE = _Wording("annotations", "annotation", "annotated", "annotated", "annotated", "kubectl-annotate")


async def label(session: Session, arguments: list[str]) -> int:
    """Set or remove labels."""
    return await _run(session, arguments, LABEL)


async def annotate(session: Session, arguments: list[str]) -> int:
    """Set or remove annotations."""
    return await _run(session, arguments, ANNOTATE)


async def _run(session: Session, arguments: list[str], wording: _Wording) -> int:
    words, changes = _split(arguments)
    if not changes and not session.flags["list"]:
        raise CommandError(f"at least one {wording.noun} update is required")
    for target in await _wanted(session, words):
        namespace = session.namespace if target.resource.namespaced else None
        path = target.resource.path(namespace, target.name)
        obj = await session.get(path)
        if not changes:
            _show(session, obj, wording)
            continue
        patch = _patch(session, obj, changes, wording)
        dry = session.flags["dry-run"]
        if patch and dry != "client":
            change = {"metadata": {wording.field: patch}}
            server = dry == "server"
            await session.patch(path, change, type_="merge", manager=wording.manager, dry_run=server)
        said = {"none": "", "server": " (server dry run)"}.get(dry, " (dry run)")
        session.out(f"{target.resource.label(str(target.name))} {_done(patch, wording)}{said}\n")
    return 0


def _split(arguments: list[str]) -> tuple[list[str], dict[str, str | None]]:
    words: list[str] = []
    changes: dict[str, str | None] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and words:
            changes[key] = value
        elif argument.endswith("-") and words:
            changes[argument[:-1]] = None
        else:
            words.append(argument)
    return words, changes


async def _wanted(session: Session, words: list[str]) -> list[Target]:
    wanted = []
    for target in await targets(session, words):
        if target.name is not None:
            wanted.append(target)
            continue
        if not session.flags["all"] and not session.flags["selector"]:
            raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        query = {"labelSelector": session.flags["selector"] or None, "limit": 500}
        namespace = session.namespace if target.resource.namespaced else None
        listed = await session.get(target.resource.path(namespace), query)
        wanted += [Target(target.resource, item["metadata"]["name"]) for item in listed["items"]]
    return wanted


def _patch(session: Session, obj: Object, changes: dict[str, str | None], wording: _Wording) -> dict[str, str | None]:
    """Return what is to be changed. CommandError when a value would be overwritten without --overwrite."""
    there = obj["metadata"].get(wording.field) or {}
    for key, value in changes.items():
        if value is None and key not in there and wording is LABEL:
            session.out(f'label "{key}" not found.\n')
        if value is not None and key in there and there[key] != value and not session.flags["overwrite"]:
            declared = f"'{key}' already has a value ({there[key]})"
            if wording is LABEL:
                raise CommandError(f"{declared}, and --overwrite is false")
            raise CommandError(f"--overwrite is false but found the following declared annotation(s): {declared}")
    return {key: value for key, value in changes.items() if there.get(key) != value}


def _done(patch: dict[str, str | None], wording: _Wording) -> str:
    if not patch:
        return wording.nothing
    return wording.removed if all(value is None for value in patch.values()) else wording.changed


def _show(session: Session, obj: Object, wording: _Wording) -> None:
    there = obj["metadata"].get(wording.field) or {}
    session.out("".join(f"{key}={there[key]}\n" for key in sorted(there)))
