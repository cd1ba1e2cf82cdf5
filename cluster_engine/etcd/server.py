"""The etcd server: a process that keeps a store on its host's disk and serves it on port 2379.

Modelled on `etcd --data-dir --cert-file --key-file --client-cert-auth --trusted-ca-file` as kubeadm starts it: TLS with
a certificate asked of every client. Whoever cannot show one of etcd's own CA (which signs nothing but etcd's
certificates) is refused in the handshake, before a single request: this, not a password, keeps everybody but the API
server away from the cluster's state.

    1. the store is found on the disk (`database`), or made
    2. alone: the Raft term goes up, as after any election
       of several (--initial-cluster names them): the log is found too (`wal`), port 2380 listens, they elect a leader
    3. leases start their time anew, since nobody knows how long we were away
    4. port 2379 listens; ready
    5. killed: connections and watches die with the process, the store stays, step 1 follows
       stopped: a leader of several hands over first

Left out: port 2380 of a single member, and the metrics port.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from cluster_engine.etcd.administration import AuthService, ClusterService, MaintenanceService
from cluster_engine.etcd.agreement import Agreement, Alone
from cluster_engine.etcd.applier import Applier
from cluster_engine.etcd.consensus import Consensus
from cluster_engine.etcd.database import open_store, path_in
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.errors import EtcdError
from cluster_engine.etcd.members import cluster_id
from cluster_engine.etcd.peers import Peer, Peers, members_page
from cluster_engine.etcd.services import Headers, KVService, LeaseService
from cluster_engine.etcd.space import space_of, watch
from cluster_engine.etcd.status_pages import StatusPages
from cluster_engine.etcd.store import DATA_DIRECTORY, Store
from cluster_engine.etcd.wal import open_wal
from cluster_engine.etcd.watch_service import WatchService
from cluster_engine.metrics.plain_port import JSON, OK, serve
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc.endpoints import Server
from cluster_engine.rpc.grpc import handler
from cluster_engine.world.process import Process
from cluster_engine.world.tls import ServerTLS, client_tls

PKI = "/etc/kubernetes/pki/etcd"
CLUSTER_TOKEN = "etcd-cluster"
PEER_PORT = 2380
METRICS_HOST, METRICS_PORT = "127.0.0.1", 2381
"""--listen-metrics-urls, as kubeadm has it."""

At: TypeAlias = tuple[int, ServerTLS]
"""Port and TLS of what clients are served on, at the host's address and at LOCALHOST (--listen-client-urls)."""
LOCALHOST = "127.0.0.1"


async def main(
    process: Process,
    *,
    data_dir: str = DATA_DIRECTORY,
    certificate: str = f"{PKI}/server.crt",
    key: str = f"{PKI}/server.key",
    client_ca: str = f"{PKI}/ca.crt",
    port: int = 2379,
) -> None:
    """Serve the store of `data_dir` until cancelled."""
    files = process.files
    with process.starting():
        tls = ServerTLS(
            files.read(certificate),
            files.read(key),
            client_ca=files.read(client_ca),
            client_auth="require",
            alpn=("h2", "http/1.1"),
        )
        machine = process.host.machine.files
        is_new = not machine.is_file(path_in(data_dir))
        store = process.disk[data_dir] = open_store(machine, data_dir)
    members = initial_cluster(process.argv)
    at = port, tls
    if len(members) > 1:
        await _among(process, store, members, at, data_dir=data_dir, is_new=is_new)
        return
    store.raft_term += 1
    store.leases.renew_all(asyncio.get_running_loop().time())
    address = process.host.address
    with process.starting():
        peer_tls = _peer_tls(process) if files.is_file(f"{PKI}/peer.crt") else None
    store.members.start(process.host.name, f"https://{address}:{port}", f"https://{address}:{PEER_PORT}")
    disk = Disk(process, store.members)
    alone = Alone(store, Applier(store, process.note), disk)
    server, leases, _ = await _open(process, store, alone, disk, at)
    if peer_tls is not None:
        pages = {"/members": lambda: (OK, JSON, members_page(store.members))}
        await serve(address, PEER_PORT, lambda target: pages[target]() if target in pages else None, peer_tls)
    with process.until_stopped():
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(watch(space_of(process.disk), alone))
                await leases.run()
        finally:
            server.close()


def _peer_tls(process: Process) -> ServerTLS:
    """Return what TLS on the members' port is. OSError, ValueError."""
    ca, certificate, key = (process.files.read(f"{PKI}/{name}") for name in ("ca.crt", "peer.crt", "peer.key"))
    return ServerTLS(certificate, key, client_ca=ca, client_auth="require", alpn=("http/1.1",))


async def _among(
    process: Process, store: Store, members: Mapping[str, str], at: At, *, data_dir: str, is_new: bool
) -> None:
    """Serve as one of several members until cancelled."""
    ids = {name: store.members.found(name, url, CLUSTER_TOKEN) for name, url in members.items()}
    own = ids[process.host.name]
    others = [_peer(ids[name], url) for name, url in members.items() if name != process.host.name]
    with process.starting():
        read = process.files.read
        ca, certificate, key = (read(f"{PKI}/{name}") for name in ("ca.crt", "peer.crt", "peer.key"))
        listening = _peer_tls(process)
        dialling = client_tls(ca=ca, certificate=certificate, key=key, alpn=("http/1.1",))
        cluster = cluster_id(list(ids.values()))
        peers = Peers(own, cluster, others, dialling)
        if is_new:
            store.raft_index = len(members)  # the entries that found the cluster, one for each member
            if await peers.know_as_started(own):
                raise ValueError(f"member {own:x} has already been bootstrapped")
        storage = open_wal(process.host.machine.files, data_dir, after=store.raft_index)
    applier = Applier(store, process.note)
    voters = tuple(sorted(ids.values()))
    consensus = Consensus(process, store, storage, applier, peers, member_id=own, cluster_id=cluster, voters=voters)
    peers.pages["/members"] = lambda: members_page(store.members)
    port, _ = at
    server: Server | None = None
    with process.until_stopped():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(peers.run(process.host.address, PEER_PORT, listening))
            tasks.create_task(consensus.run())
            try:
                await _publish(process, consensus, port)
                server, leases, watches = await _open(process, store, consensus, Disk(process, store.members), at)
                consensus.on_installed = watches.restored
                tasks.create_task(watch(space_of(process.disk), consensus))
                await leases.run()
            except asyncio.CancelledError:
                if process.is_alive:
                    await consensus.hand_over()
                raise
            finally:
                if server is not None:
                    server.close()


async def _publish(process: Process, consensus: Consensus, port: int) -> None:
    """Tell all members what this one is called and where clients find it; returns once they have agreed to that."""
    attributes = pb.MemberAttributes(name=process.host.name, client_urls=[f"https://{process.host.address}:{port}"])
    while True:
        with contextlib.suppress(EtcdError):
            await consensus.propose(
                pb.ClusterMemberAttrSetRequest(member_ID=consensus.member_id, member_attributes=attributes)
            )
            return


async def _open(
    process: Process, store: Store, agreement: Agreement, disk: Disk, at: At
) -> tuple[Server, LeaseService, WatchService]:
    """Open the port for clients."""
    headers = Headers(store, agreement)
    leases = LeaseService(store, headers, process.note, agreement)
    watches = WatchService(store, headers, agreement)
    implementations = {
        "KV": KVService(store, headers, agreement),
        "Watch": watches,
        "Lease": leases,
        "Cluster": ClusterService(headers, store.members, disk, process, agreement),
        "Maintenance": MaintenanceService(store, headers, agreement),
        "Auth": AuthService(headers),
    }
    described = pb.DESCRIPTOR.services_by_name
    served = [
        handler(described[name], implementation, process.crash) for name, implementation in implementations.items()
    ]
    pages = StatusPages(process, store, agreement)
    server = Server(served, pages=pages)
    process.metrics.compute(server.told)
    port, tls = at
    await server.start([LOCALHOST, process.host.address], port, ssl=tls)  # type: ignore[arg-type]
    await serve(METRICS_HOST, METRICS_PORT, pages.answer)
    process.ready()
    return server, leases, watches


def initial_cluster(argv: Sequence[str]) -> dict[str, str]:
    """Return the peer URLs of the members with which the cluster begins, by name; of a single one often none."""
    flag = "--initial-cluster="
    value = next((word.removeprefix(flag) for word in argv if word.startswith(flag)), "")
    return dict(member.split("=", 1) for member in value.split(",") if member)


def _peer(id_: int, url: str) -> Peer:
    parts = urlsplit(url)
    return Peer(id_, parts.hostname or "", parts.port or PEER_PORT)
