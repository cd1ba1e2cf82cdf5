"""`kubectl patch`: GET, then the patch as it was typed (JSON or YAML).

With --local, or --dry-run=client, it is applied here, to the file or to what the server has.

Modelled on kubectl/pkg/cmd/patch.
"""

import msgspec

from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.api.objects import Object
from cluster_engine.client.rest import PATCH_TYPES
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, Target, named, of_files
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import read_manifests
from cluster_engine.programs.kubectl.overrides import patched
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("patch", "p", default=""),
    Flag("patch-file", default=""),
    Flag("type", default="strategic"),
    Flag("subresource", default=""),
    Flag("local", kind="bool"),
    *FILE_FLAGS,
    *output.FLAGS,
    output.DRY_RUN,
    Flag("field-manager", default=""),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Patch objects."""
    flags = session.flags
    text = session.read(flags["patch-file"]) if flags["patch-file"] else flags["patch"]
    if not text:
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    type_ = flags["type"].lower()
    if type_ not in PATCH_TYPES:
        raise CommandError(f'--type must be one of [json merge strategic], not "{flags["type"]}"')
    patch = _read(text)
    if flags["local"]:
        for manifest in read_manifests(session, flags["filename"]):
            _tell(session, manifest.label, manifest.document, patched(manifest.document, patch, type_))
        return 0
    wanted = await of_files(session) + (await named(session, arguments) if arguments or not flags["filename"] else [])
    for target in wanted:
        before = await session.get(target.path(session))
        label = target.resource.label(str(target.name))
        _tell(session, label, before, await _patched(session, target, before, patch, type_))
    return 0


async def _patched(session: Session, target: Target, before: Object, patch: bytes, type_: str) -> Object:
    flags = session.flags
    if output.is_client_dry_run(session):
        return patched(before, patch, type_)
    path = target.path(session, flags["subresource"] or None)
    manager, server = flags["field-manager"] or "kubectl-patch", flags["dry-run"] == "server"
    after: Object = await session.patch(path, patch, type_=type_, manager=manager, dry_run=server)
    return after


def _tell(session: Session, label: str, before: Object, after: Object) -> None:
    output.tell(session, label, after, f"patched{' (no change)' if before == after else ''}", dry="")


def _read(text: str) -> bytes:
    """Return the patch as JSON. What begins as JSON goes to the server as it is, which says what is wrong with it."""
    if text.lstrip().startswith("{"):
        return text.encode("utf-8", "replace")
    try:
        return msgspec.json.encode(read_one_yaml(text))
    except Unreadable as problem:
        raise CommandError(f'unable to parse "{text}": {problem}') from problem
