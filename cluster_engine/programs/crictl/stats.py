"""crictl stats, statsp and imagefsinfo: what containers and pods use, and images.

    CONTAINER           NAME                CPU %               MEM                 DISK                INODES
    7f3a2c14d0b96       web                 0.02                6.291MB             0B                  0

The processor's share is of a second: two questions lie so far apart (--seconds). Modelled on cri-tools 1.32
(cmd/crictl/container_stats.go, pod_stats.go, image.go). Left out: --watch.
"""

import asyncio
from typing import Any

from cluster_engine.programs.crictl.runtime import CrictlError
from cluster_engine.programs.crictl.session import Session, labels_of
from cluster_engine.programs.crictl.showing import as_dict, document, human_size, short, table
from cluster_engine.programs.kubectl.flags import Flag

FLAGS = (
    Flag("id", default=""),
    Flag("label", kind="strings"),
    Flag("output", "o", default=""),
    Flag("seconds", "s", kind="int", default=1),
)
CONTAINER_FLAGS = (*FLAGS, Flag("all", "a", kind="bool"), Flag("pod", "p", default=""))
SECONDS_MAX = 3600


async def stats(session: Session) -> None:
    """crictl stats."""
    pod = session.flags["pod"] and await session.runtime.pod_id(session.flags["pod"])
    of_pod = {one.id for one in await session.runtime.containers(pod_sandbox_id=pod)} if pod else None

    async def ask() -> list[Any]:
        found = (await session.runtime.call("ListContainerStats", "get container stats")).stats
        return _wanted(session, [one for one in found if of_pod is None or one.attributes.id in of_pod])

    rows = [["CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES"]]
    sampled = await _sampled(session, ask, lambda one: one.cpu)
    for one, share in sampled or ():
        layer = one.writable_layer
        rows.append(
            [
                short(one.attributes.id), one.attributes.metadata.name, f"{share:.2f}",
                human_size(one.memory.working_set_bytes.value), human_size(layer.used_bytes.value),
                str(layer.inodes_used.value),
            ]
        )  # fmt: skip
    if sampled is not None:
        session.out(table(rows))


async def pod_stats(session: Session) -> None:
    """crictl statsp."""

    async def ask() -> list[Any]:
        return _wanted(session, (await session.runtime.call("ListPodSandboxStats", "get pod stats")).stats)

    rows = [["POD", "POD ID", "CPU %", "MEM"]]
    sampled = await _sampled(session, ask, lambda one: one.linux.cpu)
    for one, share in sampled or ():
        memory = human_size(one.linux.memory.working_set_bytes.value)
        rows.append([one.attributes.metadata.name, short(one.attributes.id), f"{share:.2f}", memory])
    if sampled is not None:
        session.out(table(rows))


async def _sampled(session: Session, ask: Any, cpu: Any) -> list[tuple[Any, float]] | None:
    """Ask twice; give each that was there both times with its share of a processor. None: printed otherwise."""
    first = await ask()
    form = session.flags["output"]
    if form in ("json", "yaml"):
        session.out(document({"stats": [as_dict(one) for one in first]}, form))
        return None
    await asyncio.sleep(min(max(session.flags["seconds"], 0), SECONDS_MAX))
    before = {one.attributes.id: cpu(one) for one in first}
    found = []
    for one in await ask():
        old, new = before.get(one.attributes.id), cpu(one)
        if old is None:
            continue
        passed = new.timestamp - old.timestamp
        if not passed:
            raise CrictlError("get container stats: cpu stat is not updated during sample")
        used = new.usage_core_nano_seconds.value - old.usage_core_nano_seconds.value
        found.append((one, used / passed * 100))
    return found


def _wanted(session: Session, found: Any) -> list[Any]:
    flags = session.flags
    if len(flags.arguments) > 1:
        raise CrictlError("more than one ID")
    id_ = flags["id"] or "".join(flags.arguments)
    labels = labels_of(flags).items()
    kept = [one for one in found if one.attributes.id.startswith(id_) and labels <= dict(one.attributes.labels).items()]
    return sorted(kept, key=lambda one: one.attributes.id)


async def image_file_system(session: Session) -> None:
    """crictl imagefsinfo."""
    answer = as_dict(await session.runtime.call("ImageFsInfo", "image filesystem info request"))
    form = session.flags["output"]
    session.out(document({"status": answer}, "yaml" if form == "yaml" else "json"))
