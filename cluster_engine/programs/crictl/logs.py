"""crictl logs: the file that the runtime writes, without what CRI puts before each line.

    2026-01-01T10:00:01.000000000Z stdout F hello        hello

Modelled on cri-tools 1.32 (cmd/crictl/logs.go) and pkg/kubelet/kuberuntime/logs. --since is a duration or RFC 3339.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

from cluster_engine.api.durations import go_seconds
from cluster_engine.api.time import parse
from cluster_engine.programs.crictl.runtime import CrictlError
from cluster_engine.programs.crictl.session import Session
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.rpc import cri_pb2 as cri

FLAGS = (
    Flag("follow", "f", kind="bool"),
    Flag("limit-bytes", kind="int", default=-1),
    Flag("previous", "p", kind="bool"),
    Flag("since", default=""),
    Flag("tail", kind="int", default=-1),
    Flag("timestamps", "t", kind="bool"),
)
POLL_SECONDS = 1.0
PARTIAL = "P"


async def logs(session: Session) -> None:
    """crictl logs."""
    id_ = await session.runtime.container_id(session.arguments[0])
    status = await _status(session, id_)
    path, flags = status.log_path, session.flags
    if flags["previous"]:
        path = _previous(path, status.metadata.attempt)
    files = session.invocation.process.host.machine.files
    if not path or not files.exists(path):
        raise CrictlError(f'failed to try resolving symlinks in path "{path}": lstat {path}: no such file or directory')
    since = _since(session)
    data = files.read(path)
    lines = [line for line in _lines(data) if since is None or parse(line.partition(" ")[0]) >= since]
    tail = flags["tail"]
    room = flags["limit-bytes"]
    for line in lines[-tail:] if tail > 0 else [] if tail == 0 else lines:
        room = _show(session, line, room)
        await session.invocation.drain()
    at = data.rfind(b"\n") + 1
    while flags["follow"] and room != 0:
        ended = (await _status(session, id_)).state != cri.CONTAINER_RUNNING
        data = files.read(path) if files.exists(path) else b""
        at = at if at <= len(data) else 0
        until = data.rfind(b"\n") + 1
        for line in _lines(data[at:until]):
            room = _show(session, line, room)
        at = max(at, until)
        await session.invocation.drain()
        if ended:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _status(session: Session, id_: str) -> cri.ContainerStatus:
    answer = await session.runtime.call("ContainerStatus", "getting container status", container_id=id_)
    status: cri.ContainerStatus = answer.status
    return status


def _previous(path: str, attempt: int) -> str:
    """Return the log of the run before: logs are named after their attempt."""
    if attempt < 1:
        raise CrictlError("previous log: no previous container found")
    return f"{path.rpartition('/')[0]}/{attempt - 1}.log"


def _since(session: Session) -> datetime | None:
    text = session.flags["since"]
    if not text:
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return session.invocation.process.now() - timedelta(seconds=go_seconds(text))
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise CrictlError(f'parsing time "{text}"') from None


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()


def _show(session: Session, line: str, room: int) -> int:
    """Print a line, of which `room` bytes are left (negative: any number); return what is left then."""
    at, _, rest = line.partition(" ")
    stream, _, rest = rest.partition(" ")
    tag, _, text = rest.partition(" ")
    shown = (f"{at} {text}" if session.flags["timestamps"] else text) + ("" if tag == PARTIAL else "\n")
    raw = shown.encode()
    if room >= 0:
        raw = raw[:room]
        room -= len(raw)
    (session.invocation.err if stream == "stderr" else session.out)(raw)
    return room
