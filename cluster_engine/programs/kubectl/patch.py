"""`kubectl patch`: GET, then the patch as it was typed (JSON or YAML).

Modelled on kubectl/pkg/cmd/patch. Left out: --local.
"""

import msgspec

from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.client.rest import PATCH_TYPES
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import one
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("patch", "p", default=""),
    Flag("patch-file", default=""),
    Flag("type", default="strategic"),
    Flag("subresource", default=""),
    Flag("output", "o", default=""),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Patch an object."""
    flags = session.flags
    text = session.read(flags["patch-file"]) if flags["patch-file"] else flags["patch"]
    if not text:
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    type_ = flags["type"].lower()
    if type_ not in PATCH_TYPES:
        raise CommandError(f'--type must be one of [json merge strategic], not "{flags["type"]}"')
    patch = _read(text)
    target = await one(session, arguments)
    namespace = session.namespace if target.resource.namespaced else None
    path = target.resource.path(namespace, target.name)
    before = await session.get(path)
    path = target.resource.path(namespace, target.name, flags["subresource"] or None)
    after = await session.patch(path, patch, type_=type_, manager="kubectl-patch")
    if flags["output"]:
        show = output.printer(flags["output"], for_get=False)
        session.out(show(after) if show else "")
        return 0
    same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion")
    session.out(f"{target.resource.label(str(target.name))} patched{' (no change)' if same else ''}\n")
    return 0


def _read(text: str) -> bytes:
    """Return the patch as JSON. What begins as JSON goes to the server as it is, which says what is wrong with it."""
    if text.lstrip().startswith("{"):
        return text.encode("utf-8", "replace")
    try:
        return msgspec.json.encode(read_one_yaml(text))
    except Unreadable as problem:
        raise CommandError(f'unable to parse "{text}": {problem}') from problem
