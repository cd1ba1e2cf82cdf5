"""Faults of etcd's storage: a compacted history, a slow disk, a disk that is lost with all that was on it."""

import contextlib
import functools
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.cast import CONTROL_PLANE, PKI
from cluster_engine.etcd.client import EtcdClient
from cluster_engine.etcd.errors import CompactedError
from cluster_engine.etcd.store import DATA_DIRECTORY
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Component, Fault, Heal, Range, bounded
from cluster_engine.world.process import Process
from cluster_engine.world.tls import client_tls

FSYNC_SECONDS_MAX = 10.0


async def compact_now(process: Process, stem: str, port: int) -> None:
    """Do as `etcdctl compact` at the latest revision does, with the certificate at `stem`."""
    read = process.files.read
    tls = client_tls(
        ca=read(f"{PKI}/etcd/ca.crt"), certificate=read(f"{stem}.crt"), key=read(f"{stem}.key"), alpn=("h2",)
    )
    client = EtcdClient([("127.0.0.1", port)], tls)
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

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Compact, by a request."""
        etcd = ground.cast.component(self.target)
        compact = functools.partial(compact_now, stem=etcd.certificates[0].stem, port=etcd.program.ports[0])
        await ground.world.spawn(ground.world.host(etcd.host.name), "etcdctl", compact).wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSlowDisk(Fault):
    """Every fsync of the write-ahead log takes this long; whoever writes waits, and so does whoever reads then."""

    name: ClassVar[str] = "etcd-slow-disk"

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))
    seconds: float = field(default=0.5, metadata=bounded(Range(0.0, FSYNC_SECONDS_MAX)))

    def claims(self) -> str:
        """One slowness at a time."""
        return f"the disk of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it slow."""
        host = ground.world.host(self.target.split("/", maxsplit=1)[0])
        host.fsync_seconds = self.seconds

        async def mend() -> None:
            host.fsync_seconds = 0.0

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdDiskLost(Fault):
    """etcd dies and starts on an empty data directory, as a single member does after its disk was replaced.

    What was stored is gone, and revisions begin at 1 again: watch caches and informers hold objects of a history that
    never was. An administrator has to restart the API server, and after it everything that follows it. Service accounts
    are gone too: kube-proxy's token is refused from then on, until kubeadm makes its addon again.
    """

    name: ClassVar[str] = "etcd-disk-lost"

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Kill etcd, empty its data directory, start it."""
        await ground.supervisor.hold(self.target, id_, kill=True)
        ground.world.host(self.target.split("/", maxsplit=1)[0]).files.remove_below(DATA_DIRECTORY)
        ground.supervisor.release(self.target, id_)
