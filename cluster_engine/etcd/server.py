"""The etcd server: a process that keeps a store on its host's disk and serves it on port 2379.

Modelled on `etcd --data-dir --cert-file --key-file --client-cert-auth --trusted-ca-file` as kubeadm starts it: one
member, TLS with a certificate asked of every client. Whoever cannot show one of etcd's own CA (which signs nothing
but etcd's certificates) is refused in the handshake, before a single request: this, not a password, keeps everybody
but the API server away from the cluster's state.

    1. the store is found on the disk (`database`), or made; the Raft term goes up, as after any election
    2. leases start their time anew, since nobody knows how long we were away
    3. port 2379 listens; ready
    4. killed: connections and watches die with the process, the store stays, step 1 follows

Left out: peers (port 2380) and the metrics port.
"""

import asyncio

from cluster_engine.etcd.administration import AuthService, ClusterService, MaintenanceService
from cluster_engine.etcd.database import open_store
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.services import Headers, KVService, LeaseService
from cluster_engine.etcd.store import DATA_DIRECTORY
from cluster_engine.etcd.watch_service import WatchService
from cluster_engine.rpc import etcd_pb2
from cluster_engine.rpc.endpoints import Server
from cluster_engine.rpc.grpc import handler
from cluster_engine.world.process import Process
from cluster_engine.world.tls import ServerTLS

PKI = "/etc/kubernetes/pki/etcd"


async def main(
    process: Process,
    *,
    data_dir: str = DATA_DIRECTORY,
    certificate: str = f"{PKI}/server.crt",
    key: str = f"{PKI}/server.key",
    client_ca: str = f"{PKI}/ca.crt",
    host: str = "0.0.0.0",
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
            alpn=("h2",),
        )
        store = process.disk[data_dir] = open_store(process.host.machine.files, data_dir)
    store.raft_term += 1
    store.leases.renew_all(asyncio.get_running_loop().time())

    address = process.host.address
    store.members.start(process.host.name, f"https://{address}:{port}", f"https://{address}:2380")
    headers = Headers(store)
    disk = Disk(process, store.members)
    leases = LeaseService(store, headers, process.note, disk)
    implementations = {
        "KV": KVService(store, headers, process.note, disk),
        "Watch": WatchService(store, headers),
        "Lease": leases,
        "Cluster": ClusterService(headers, store.members, disk, process),
        "Maintenance": MaintenanceService(store, headers),
        "Auth": AuthService(headers),
    }
    described = etcd_pb2.DESCRIPTOR.services_by_name
    served = [
        handler(described[name], implementation, process.crash) for name, implementation in implementations.items()
    ]
    server = Server(served)
    await server.start(host, port, ssl=tls)  # type: ignore[arg-type]
    process.ready()
    with process.until_stopped():
        try:
            await leases.run()
        finally:
            server.close()
