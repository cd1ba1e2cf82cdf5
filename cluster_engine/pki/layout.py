"""Who is who in a cluster, and in which file it says so. The paths and names are kubeadm's.

| file on                  | identity (CN / O)                                      | used by                         |
|--------------------------|--------------------------------------------------------|---------------------------------|
| control-plane pki/       | kube-apiserver (server)                                | the API server towards everyone |
|                          | kube-apiserver-etcd-client                             | the API server towards etcd     |
|                          | kube-apiserver-kubelet-client / kubeadm:cluster-admins | the API server towards kubelets |
|                          | etcd/server (server and client)                        | etcd                            |
| controller-manager.conf  | system:kube-controller-manager                         | kube-controller-manager         |
| scheduler.conf           | system:kube-scheduler                                  | kube-scheduler                  |
| admin.conf, ~/.kube      | kubernetes-admin / kubeadm:cluster-admins              | people                          |
| super-admin.conf         | kubernetes-super-admin / system:masters                | nobody, in emergencies          |
| worker kubelet.conf      | system:node:<name> / system:nodes                      | that kubelet                    |
| worker kube-proxy        | system:kube-proxy                                      | kube-proxy (docs/fidelity.md)   |

Source: cmd/kubeadm/app/phases/certs/certlist.go and phases/kubeconfig/kubeconfig.go (v1.32).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cluster_engine.pki import kubeconfig
from cluster_engine.pki.authority import Authority, KeyPair, Usage, key_pair_for_tokens
from cluster_engine.world.process import FileSystem, Host

PKI = "/etc/kubernetes/pki"
CLUSTER = "kubernetes"
SERVICE_ADDRESS = "10.96.0.1"
API_SERVER_PORT = 6443
SERVICE_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class Pki:
    """The authorities of one cluster; kept to issue more later (a node that joins, a fault's certificate)."""

    cluster: Authority
    etcd: Authority
    front_proxy: Authority
    admin: KeyPair
    server: str


def provision(
    control_plane: Host, workers: list[Host], workstation: Host, *, now: datetime, more_names: Sequence[str] = ()
) -> Pki:
    """Make all certificates of a cluster and write them onto its hosts, as `kubeadm init` and `join` would have.

    The API server's serving certificate has `more_names` too (kubeadm's `apiServer.certSANs`).
    """
    cluster = Authority("kubernetes", now=now)
    pki = Pki(
        cluster=cluster,
        etcd=Authority("etcd-ca", now=now),
        front_proxy=Authority("front-proxy-ca", now=now),
        admin=cluster.issue("kubernetes-admin", organizations=["kubeadm:cluster-admins"], usage=Usage.CLIENT),
        server=f"https://{control_plane.address}:{API_SERVER_PORT}",
    )
    _provision_control_plane(pki, control_plane, more_names)
    for worker in workers:
        provision_worker(pki, worker)
    workstation.files.write("/root/.kube/config", admin_kubeconfig(pki, pki.server))
    return pki


def admin_kubeconfig(pki: Pki, server: str) -> bytes:
    """Give a kubeconfig of the cluster's administrator that finds the API server at `server`."""
    ca = pki.cluster.pair.certificate
    return kubeconfig.write(CLUSTER, server, ca=ca, user="kubernetes-admin", pair=pki.admin)


def provision_worker(pki: Pki, worker: Host) -> None:
    """Write what one worker needs to be a node."""
    ca = pki.cluster.pair.certificate
    name = f"system:node:{worker.name}"
    client = pki.cluster.issue(name, organizations=["system:nodes"], usage=Usage.CLIENT)
    serving = Authority(f"{worker.name}-ca", now=pki.cluster.now).issue(
        worker.name, usage=Usage.SERVER, names=[worker.name, worker.address]
    )
    proxy = pki.cluster.issue("system:kube-proxy", usage=Usage.CLIENT)
    current = "/var/lib/kubelet/pki/kubelet-client-current.pem"
    files = worker.files
    files.write(f"{PKI}/ca.crt", ca)
    files.write(current, client.certificate + client.key)
    _write_pair(files, "/var/lib/kubelet/pki/kubelet", serving)
    files.write(
        "/etc/kubernetes/kubelet.conf",
        kubeconfig.write_with_files(CLUSTER, pki.server, ca=ca, user=name, certificate=current, key=current),
    )
    files.write(
        "/var/lib/kube-proxy/kubeconfig.conf",
        kubeconfig.write(CLUSTER, pki.server, ca=ca, user="system:kube-proxy", pair=proxy),
    )


def _provision_control_plane(pki: Pki, host: Host, more_names: Sequence[str]) -> None:
    files = host.files
    own_names = [host.name, host.address, "localhost", "127.0.0.1"]
    _write_pair(files, f"{PKI}/ca", pki.cluster.pair)
    _write_pair(files, f"{PKI}/etcd/ca", pki.etcd.pair)
    _write_pair(files, f"{PKI}/front-proxy-ca", pki.front_proxy.pair)
    private, public = key_pair_for_tokens()
    files.write(f"{PKI}/sa.key", private)
    files.write(f"{PKI}/sa.pub", public)
    serving = [*SERVICE_NAMES, SERVICE_ADDRESS, *own_names, *more_names]
    _write_pair(files, f"{PKI}/apiserver", pki.cluster.issue("kube-apiserver", usage=Usage.SERVER, names=serving))
    _write_pair(files, f"{PKI}/etcd/server", pki.etcd.issue(host.name, usage=Usage.BOTH, names=own_names))
    _write_pair(files, f"{PKI}/apiserver-etcd-client", pki.etcd.issue("kube-apiserver-etcd-client", usage=Usage.CLIENT))
    kubelet_client = pki.cluster.issue(
        "kube-apiserver-kubelet-client", organizations=["kubeadm:cluster-admins"], usage=Usage.CLIENT
    )
    _write_pair(files, f"{PKI}/apiserver-kubelet-client", kubelet_client)
    files.write("/etc/kubernetes/admin.conf", admin_kubeconfig(pki, pki.server))
    for file, name, organizations in (
        ("super-admin", "kubernetes-super-admin", ["system:masters"]),
        ("controller-manager", "system:kube-controller-manager", []),
        ("scheduler", "system:kube-scheduler", []),
    ):
        pair = pki.cluster.issue(name, organizations=organizations, usage=Usage.CLIENT)
        config = kubeconfig.write(CLUSTER, pki.server, ca=pki.cluster.pair.certificate, user=name, pair=pair)
        files.write(f"/etc/kubernetes/{file}.conf", config)


def _write_pair(files: FileSystem, stem: str, pair: KeyPair) -> None:
    files.write(f"{stem}.crt", pair.certificate)
    files.write(f"{stem}.key", pair.key)
