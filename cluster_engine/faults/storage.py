"""Faults of etcd's history: compaction takes away the past that a watch might want to resume from."""

import contextlib
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.etcd.client import EtcdClient
from cluster_engine.etcd.errors import CompactedError
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Component, Fault, bounded
from cluster_engine.pki.layout import PKI
from cluster_engine.world.process import Process
from cluster_engine.world.tls import client_tls

ETCD_PORT = 2379


async def compact_now(process: Process) -> None:
    """Be `etcdctl compact`, at the latest revision."""
    read = process.files.read
    stem = f"{PKI}/etcd/server"
    tls = client_tls(
        ca=read(f"{PKI}/etcd/ca.crt"), certificate=read(f"{stem}.crt"), key=read(f"{stem}.key"), alpn=("h2",)
    )
    client = EtcdClient("127.0.0.1", ETCD_PORT, tls)
    try:
        revision = (await client.get(b"compact")).header.revision
        with contextlib.suppress(CompactedError):  # nothing has been written since somebody else did
            await client.compact(revision)
    except (OSError, TimeoutError) as error:
        process.note("etcdctl.failed", f"etcd cannot be reached: {error}")
        raise SystemExit(1) from error
    finally:
        await client.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdCompacted(Fault):
    """Whoever resumes from before has to list again, once the watch cache does not hold that history either."""

    name: ClassVar[str] = "etcd-compacted"
    description: ClassVar[str] = "etcd forgets its history up to now; watches notice once the API server lost it too."

    target: str = field(default="control-plane/etcd", metadata=bounded(Component(("etcd",))))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Compact, by a request."""
        process = ground.world.spawn(ground.world.host(self.target.split("/")[0]), "etcdctl", compact_now)
        await process.wait()
