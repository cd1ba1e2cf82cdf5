"""`kubectl label` and `kubectl annotate`: a merge patch of the metadata, and nothing else.

    kubectl label node worker-1 disk=ssd        GET, PATCH {"metadata": {"labels": {"disk": "ssd"}}}
    kubectl label node worker-1 disk-           PATCH {"metadata": {"labels": {"disk": null}}}

Modelled on kubectl/pkg/cmd/label and annotate.
"""

import msgspec

from cluster_engine.api.names import label_value_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import merge_patch
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import CHANGE_FLAGS, UNNAMED, Subject, subjects
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("overwrite", kind="bool"),
    Flag("list", kind="bool"),
    Flag("resource-version", default=""),
    Flag("all-namespaces", "A", "bool"),
    Flag("field-selector", default=""),
    Flag("field-manager", default=""),
    *CHANGE_FLAGS,
    *output.FLAGS,
    output.DRY_RUN,
)


LOCAL = "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set"


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
    flags = session.flags
    words, changes = _split(arguments, wording, has_files=bool(flags["filename"]))
    if not words and not flags["filename"]:
        raise CommandError(UNNAMED)
    if not changes and not flags["list"]:
        raise CommandError(f"at least one {wording.noun} update is required")
    if flags["local"] and not flags["filename"]:
        raise CommandError(LOCAL)
    wanted = await subjects(session, words)
    if flags["resource-version"] and (len(wanted) > 1 or flags["all"]):
        raise CommandError("--resource-version may only be used with a single resource")
    for subject in wanted:
        if not changes:
            _show(session, subject.obj, wording)
            continue
        patch = _patch(session, subject.obj, changes, wording)
        after = await _changed(session, subject, patch, wording)
        output.tell(session, subject.label, after, _done(patch, wording))
    return 0


async def _changed(session: Session, subject: Subject, patch: dict[str, str | None], wording: _Wording) -> Object:
    """Return an object with its labels changed, on the server unless --local or --dry-run=client says otherwise."""
    flags = session.flags
    change: Object = {"metadata": {wording.field: patch}}
    if flags["resource-version"]:
        change["metadata"]["resourceVersion"] = flags["resource-version"]
    if not patch or subject.target is None or output.is_client_dry_run(session):
        after: Object = merge_patch(subject.obj, change) if patch else subject.obj
        return after
    path, server = subject.target.path(session), flags["dry-run"] == "server"
    manager = flags["field-manager"] or wording.manager
    return dict(await session.patch(path, change, type_="merge", manager=manager, dry_run=server))


def _split(arguments: list[str], wording: _Wording, *, has_files: bool) -> tuple[list[str], dict[str, str | None]]:
    """Part what is typed: resources come first, then KEY=value and KEY-. CommandError."""
    words: list[str] = []
    changes: dict[str, str | None] = {}
    removed: set[str] = set()
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and (words or has_files):
            changes[key] = value
            if wording is LABEL and (problems := label_value_problems(value)):
                raise CommandError(f'invalid label value: "{argument}": {"; ".join(problems)}')
        elif argument.endswith("-") and (words or has_files):
            removed.add(argument[:-1])
        else:
            words.append(argument)
    if removed & set(changes):
        article = "a" if wording is LABEL else "an"
        raise CommandError(f"can not both modify and remove {article} {wording.noun} in the same command")
    return words, changes | dict.fromkeys(removed)


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
