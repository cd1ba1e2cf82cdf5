"""`kubectl cp`: files to a container and from one, as a tar archive through `exec`; the container must have tar.

    cp a.txt web-0:/tmp/a.txt      exec web-0 -- test -d /tmp/a.txt;  exec -i web-0 -- tar -xmf - -C /tmp  < archive
    cp web-0:/etc/hosts hosts      exec web-0 -- tar cf - /etc/hosts  > archive

Modelled on kubectl/pkg/cmd/cp. Left out: symbolic links, retries.
"""

import asyncio

import msgspec

from cluster_engine.api.resource import segment
from cluster_engine.programs import archive
from cluster_engine.programs.archive import ArchiveError
from cluster_engine.programs.kubectl import execute, pods
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.streams import Bytes, Nowhere, Pieces, Pipe, Streams, pieces

FLAGS = (
    Flag("container", "c", default=""),
    Flag("no-preserve", kind="bool"),
    Flag("retries", kind="int", default=0),
)
FORMAT = "filespec must match the canonical format: [[namespace/]pod:]file/path"


class Spec(msgspec.Struct, frozen=True):
    """`[[namespace/]pod:]path`; no pod: a file here."""

    namespace: str
    pod: str
    path: str


async def run(session: Session, arguments: list[str]) -> int:
    """Copy."""
    if len(arguments) != 2:
        raise CommandError("source and destination are required")
    source, target = (_spec(argument) for argument in arguments)
    if source.pod and target.pod:
        raise CommandError("one of src or dest must be a local file specification")
    if not source.path or not target.path:
        raise CommandError("filepath can not be empty")
    if source.pod:
        return await _from_pod(session, source, target.path)
    if target.pod:
        return await _to_pod(session, source.path, target)
    raise CommandError("one of src or dest must be a remote file specification")


async def _to_pod(session: Session, path: str, target: Spec) -> int:
    files, full = session.process.files, session.absolute(path)
    if not files.exists(full):
        raise CommandError(f"{path} doesn't exist in local filesystem")
    where = target.path.rstrip("/") or "/"
    quiet = Streams(Bytes(), Nowhere(), Nowhere())
    if where == "/" or await _exec(session, target, ["test", "-d", target.path], quiet) == 0:
        where = f"{where.rstrip('/')}/{full.rpartition('/')[2]}"
    directory, _, name = where.rpartition("/")
    packed = archive.pack(files, {f"{name}{one[len(full) :]}": one for one in archive.below(files, full)})
    options = ["--no-same-permissions", "--no-same-owner"] if session.flags["no-preserve"] else []
    command = ["tar", *options, "-xmf", "-", *(["-C", directory or "/"] if "/" in where else [])]
    streams = Streams(Pieces(packed), session.streams.stdout, session.streams.stderr)
    return execute.ended(await _exec(session, target, command, streams, stdin=True))


async def _from_pod(session: Session, source: Spec, path: str) -> int:
    pipe = Pipe()

    async def packing() -> int:
        try:
            streams = Streams(Bytes(), pipe, session.streams.stdout)
            return await _exec(session, source, ["tar", "cf", "-", source.path], streams)
        finally:
            pipe.end()

    unpacking = _unpack(session, pipe, source.path.strip("/"), session.absolute(path))
    code, problem = await asyncio.gather(packing(), unpacking, return_exceptions=True)
    if isinstance(code, BaseException):
        raise code
    if isinstance(problem, BaseException) and not (code and isinstance(problem, ArchiveError)):
        raise CommandError(f"archive/tar: {problem}") if isinstance(problem, ArchiveError) else problem
    return execute.ended(code)


async def _unpack(session: Session, pipe: Pipe, prefix: str, path: str) -> None:
    """Write the files of an archive as they come. ArchiveError, CommandError, OSError; whoever packs is not held up."""
    try:
        async for name, data, mode in archive.members(pieces(pipe)):
            if not name.startswith(prefix):
                raise CommandError("tar contents corrupted")
            session.process.files.write(f"{path}{name[len(prefix) :]}".rstrip("/"), data, mode)
    finally:
        async for _ in pieces(pipe):
            pass


async def _exec(session: Session, spec: Spec, command: list[str], streams: Streams, *, stdin: bool = False) -> int:
    namespace = segment(spec.namespace or session.namespace)
    pod = await session.get(f"/api/v1/namespaces/{namespace}/pods/{segment(spec.pod)}")
    execute.refuse_completed(pod, "exec into")
    container = pods.container(session, pod, session.flags["container"])
    return await execute.executed(session, pod, container, command, streams, stdin=stdin)


def _spec(argument: str) -> Spec:
    pod, colon, path = argument.partition(":")
    if not colon:
        return Spec("", "", argument)
    parts = pod.split("/")
    if not pod or len(parts) > 2:
        raise CommandError(FORMAT)
    return Spec(parts[0] if len(parts) == 2 else "", parts[-1], path)
