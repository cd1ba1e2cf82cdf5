"""Faults of etcd's storage: a compacted history, a slow disk, no space, an old snapshot, a disk that is lost."""

import contextlib
import functools
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.cast import CONTROL_PLANE, PKI
from cluster_engine.etcd.client import EtcdClient
from cluster_engine.etcd.database import Database, as_of, path_in
from cluster_engine.etcd.errors import CompactedError
from cluster_engine.etcd.space import space_of
from cluster_engine.etcd.store import DATA_DIRECTORY, Store
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Component, Fault, Heal, Range, bounded
from cluster_engine.world.process import Process
from cluster_engine.world.tls import client_tls

FSYNC_SECONDS_MAX = 10.0
REVISIONS_MAX = 1_000_000


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
class EtcdNoSpace(Fault):
    """The alarm NOSPACE: every put is refused from now on, until an administrator disarms it.

    The member raises it that has come to its quota, and has it taken back when there is room: both are agreed upon by
    all members, and wait until that can be.
    """

    name: ClassVar[str] = "etcd-no-space"

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))

    def claims(self) -> str:
        """One alarm at a time."""
        return f"the space of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Raise the alarm."""
        space = space_of(ground.world.host(self.target.partition("/")[0]).disk)
        space.tell(full=True)

        async def disarm() -> None:
            space.tell(full=False)

        return disarm


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdRestored(Fault):
    """etcd is stopped, restored from a snapshot that is so many revisions old, and started.

    What was written since is gone, and its revisions come again with other contents: watch caches and informers hold
    what never was. An administrator has to restart the API server, and after it everything that follows it.
    """

    name: ClassVar[str] = "etcd-restored"

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))
    revisions: int = field(default=100, metadata=bounded(Range(1, REVISIONS_MAX, whole=True)))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Stop etcd, put an earlier store in its data directory, start it."""
        await ground.supervisor.hold(self.target, id_)
        host = ground.world.host(self.target.partition("/")[0])
        store: Store = host.disk[DATA_DIRECTORY]
        host.files.bind(path_in(DATA_DIRECTORY), Database(as_of(store, store.revision - self.revisions)))
        ground.supervisor.release(self.target, id_)


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
