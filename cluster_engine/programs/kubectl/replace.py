"""`kubectl replace`: PUT the object as the file says it is.

    metadata.resourceVersion in the file         PUT: 409 when somebody has written meanwhile
    none in the file                             GET, its version into the object, PUT: the last writer wins
    --force                                      DELETE, wait until it is gone, POST: another object of that name

Modelled on kubectl/pkg/cmd/replace and cli-runtime/pkg/resource/helper.go (`Replace`). Left out: --raw,
--subresource, --save-config, -k.
"""

import asyncio
import contextlib

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import Manifest, namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.schemas import download
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl-replace"
LOOK_SECONDS = 1.0
GONE_SECONDS_MAX = 300.0
FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("force", kind="bool"),
    *output.FLAGS,
    output.DRY_RUN,
    Flag("validate", default="strict", without_value="strict"),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Replace objects."""
    if arguments or not session.flags["filename"]:
        raise CommandError("must specify one of -f and -k")
    manifests = list(read_manifests(session, session.flags["filename"]))
    if not manifests:
        raise CommandError("no objects passed to replace")
    code = 0
    for manifest in manifests:
        resource = await resource_of(session, manifest)
        await download(session, resource)
        try:
            replaced = await _replace(session, resource, manifest)
        except Refusal as refusal:
            context = "" if refusal.reason == "Invalid" else f'error when replacing "{manifest.source}"'
            session.err(f"{errors.refusal_text(refusal, context)}\n")
            code = 1
            continue
        output.tell(session, resource.label(manifest.name), replaced, "replaced")
    return code


async def _replace(session: Session, resource: Resource, manifest: Manifest) -> Object:
    namespace = namespace_of(session, resource, manifest)
    path, document = resource.path(namespace, manifest.name), manifest.document
    dry = session.flags["dry-run"]
    if dry == "client":
        return document
    if session.flags["force"]:
        await _remove(session, resource, path, manifest.name)
        created: Object = await session.post(resource.path(namespace), _versioned(document, ""), manager=MANAGER)
        return created
    if not document["metadata"].get("resourceVersion"):
        document = _versioned(document, await _version(session, path))
    params = {"dryRun": "All" if dry == "server" else None, "fieldManager": MANAGER, "fieldValidation": "Strict"}
    replaced: Object = await session.request("PUT", path, body=document, params=params)
    return replaced


async def _version(session: Session, path: str) -> str:
    """Ask which version there is now; "" when it cannot be had, and PUT will say why."""
    try:
        there = await session.get(path)
    except Refusal:
        return ""
    return str(there["metadata"]["resourceVersion"])


def _versioned(document: Object, version: str) -> Object:
    metadata = {key: value for key, value in document["metadata"].items() if key != "resourceVersion"}
    return {**document, "metadata": {**metadata, **({"resourceVersion": version} if version else {})}}


async def _remove(session: Session, resource: Resource, path: str, name: str) -> None:
    """Delete an object, if there is one, and wait until it is gone."""
    with contextlib.suppress(NotFound):
        await session.delete(path, {"propagationPolicy": "Background"})
        session.out(f'{resource.label("").rstrip("/")} "{name}" deleted\n')
        async with asyncio.timeout(GONE_SECONDS_MAX):
            while await session.get(path):  # noqa: ASYNC110, the real one polls too
                await asyncio.sleep(LOOK_SECONDS)
