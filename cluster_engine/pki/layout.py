"""A cluster's certificates and kubeconfigs, written into the files of its hosts as `kubeadm init` and `join` do.

Who each program is, and in which files that stands, says the cast (`cluster_engine/cast.py`). Beside those there are:

| file on                    | holds                                                                        |
|----------------------------|------------------------------------------------------------------------------|
| control plane pki/         | the authorities ca, etcd/ca and front-proxy-ca; sa.key and sa.pub for tokens |
| control plane admin.conf   | kubernetes-admin / kubeadm:cluster-admins, for people                        |
| control plane super-admin… | kubernetes-super-admin / system:masters, for emergencies                     |
| etcd-N pki/etcd/           | etcd's authority                                                             |
| worker pki/ca.crt          | the cluster's authority                                                      |
| workstation ~/.kube/config | the same as admin.conf                                                       |

Source: cmd/kubeadm/app/phases/certs/certlist.go and phases/kubeconfig/kubeconfig.go (v1.32).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from cluster_engine.cast import (
    CLUSTER_CA,
    ETCD_CA,
    FRONT_PROXY_CA,
    PKI,
    Account,
    Cast,
    Certificate,
    Component,
    Identity,
    Role,
)
from cluster_engine.pki import kubeconfig
from cluster_engine.pki.authority import Authority, KeyPair, Usage, derived_key, key_pair_for_tokens
from cluster_engine.world.files import MODE, PRIVATE_MODE, FileSystem
from cluster_engine.world.process import Host

CLUSTER = "kubernetes"
SUPER_ADMIN = Identity(
    common_name="kubernetes-super-admin",
    organizations=("system:masters",),
    kubeconfig="/etc/kubernetes/super-admin.conf",
)


class Pki(msgspec.Struct, frozen=True):
    """The authorities of one cluster; kept to issue more later (a node that joins, a fault's certificate)."""

    cluster: Authority
    etcd: Authority
    front_proxy: Authority
    admin: KeyPair
    server: str


def provision(
    cast: Cast, host: Callable[[str], Host], *, now: datetime, more_names: Sequence[str] = (), secret: bytes = b""
) -> Pki:
    """Make all certificates of a cluster and write them onto its hosts; `host` finds one by name.

    The API server's serving certificate has `more_names` too (kubeadm's `apiServer.certSANs`). By a `secret` the keys
    of the cluster's authority and of its tokens are the same whenever the cluster is made again.
    """
    cluster = Authority(CLUSTER_CA, now=now, key=derived_key(secret, CLUSTER_CA))
    api_server = cast.api_server
    pki = Pki(
        cluster=cluster,
        etcd=Authority(ETCD_CA, now=now),
        front_proxy=Authority(FRONT_PROXY_CA, now=now),
        admin=cluster.issue("kubernetes-admin", organizations=["kubeadm:cluster-admins"], usage=Usage.CLIENT),
        server=f"https://{api_server.host.address}:{api_server.program.ports[0]}",
    )
    for one in cast.of_role(Role.CONTROL_PLANE):
        _provision_control_plane(pki, host(one.name).files, secret)
    for one in cast.of_role(Role.ETCD):
        _write(host(one.name).files, pair_files(f"{PKI}/etcd/ca", pki.etcd.pair))
    for one in cast.of_role(Role.WORKER):
        host(one.name).files.write(f"{PKI}/ca.crt", cluster.pair.certificate)
    for one in cast.of_role(Role.PERSON):
        _write(host(one.name).files, {"/root/.kube/config": admin_kubeconfig(pki, pki.server)})
    for component in cast.components:
        more = more_names if component == api_server else ()
        _provision_component(pki, component, host(component.host.name).files, more)
    return pki


def admin_kubeconfig(pki: Pki, server: str) -> bytes:
    """Return a kubeconfig of the cluster's administrator that finds the API server at `server`."""
    ca = pki.cluster.pair.certificate
    return kubeconfig.write(CLUSTER, server, ca=ca, user="kubernetes-admin", pair=pki.admin)


def identity_files(pki: Pki, identity: Identity, pair: KeyPair) -> dict[str, bytes]:
    """Return the files, by path, in which a program finds `pair` as its identity."""
    ca, user, path = pki.cluster.pair.certificate, identity.common_name, identity.certificate
    if path is None:
        return {identity.kubeconfig: kubeconfig.write(CLUSTER, pki.server, ca=ca, user=user, pair=pair)}
    document = kubeconfig.write_with_files(CLUSTER, pki.server, ca=ca, user=user, certificate=path, key=path)
    return {path: pair.certificate + pair.key, identity.kubeconfig: document}


def files_without_credentials(pki: Pki, identity: Identity) -> dict[str, bytes]:
    """Return the kubeconfig, by its path, of a program that has nothing to show who it is."""
    ca = pki.cluster.pair.certificate
    document = kubeconfig.write_without_credentials(CLUSTER, pki.server, ca=ca, user=identity.common_name)
    return {identity.kubeconfig: document}


def account_files(pki: Pki, kubeconfig_path: str, account: Account) -> dict[str, bytes]:
    """Return the files, by path, of a program that shows a service account's token, but for the token."""
    ca, token = f"{account.directory}/ca.crt", f"{account.directory}/token"
    document = kubeconfig.write_with_token_file(pki.server, ca=ca, token=token)
    return {ca: pki.cluster.pair.certificate, kubeconfig_path: document}


def pair_files(stem: str, pair: KeyPair) -> dict[str, bytes]:
    """Return the files of a certificate and its key, by path."""
    return {f"{stem}.crt": pair.certificate, f"{stem}.key": pair.key}


def _provision_control_plane(pki: Pki, files: FileSystem, secret: bytes) -> None:
    private, public = key_pair_for_tokens(derived_key(secret, "sa"))
    pairs = {"ca": pki.cluster.pair, "etcd/ca": pki.etcd.pair, "front-proxy-ca": pki.front_proxy.pair}
    for stem, pair in pairs.items():
        _write(files, pair_files(f"{PKI}/{stem}", pair))
    _write(files, {f"{PKI}/sa.key": private, f"{PKI}/sa.pub": public})
    _write(files, {"/etc/kubernetes/admin.conf": admin_kubeconfig(pki, pki.server)})
    _write(files, identity_files(pki, SUPER_ADMIN, _issue_identity(pki, SUPER_ADMIN)))


def _provision_component(pki: Pki, component: Component, files: FileSystem, more_names: Sequence[str]) -> None:
    for certificate in component.certificates:
        _write(files, pair_files(certificate.stem, _issue(pki, certificate, more_names)))
    if (identity := component.identity) is None:
        return
    if identity.account is not None:
        if not component.program.in_pod:  # there its volumes have all of it
            provision_account(pki, component, files)
    else:
        _write(files, identity_files(pki, identity, _issue_identity(pki, identity)))


def provision_account(pki: Pki, component: Component, files: FileSystem) -> None:
    """Write what a program finds that shows a service account's token, but for the token."""
    identity = component.identity
    assert identity is not None, "it shows a token"
    assert identity.account is not None, "it shows a token"
    _write(files, account_files(pki, identity.kubeconfig, identity.account))


def _issue(pki: Pki, certificate: Certificate, more_names: Sequence[str]) -> KeyPair:
    """Sign a certificate; the further names are a server's."""
    known = {CLUSTER_CA: pki.cluster, ETCD_CA: pki.etcd, FRONT_PROXY_CA: pki.front_proxy}
    authority = known.get(certificate.authority) or Authority(certificate.authority, now=pki.cluster.now)
    if not certificate.names:
        usage, names = Usage.CLIENT, []
    else:
        usage, names = Usage.BOTH if certificate.client else Usage.SERVER, [*certificate.names, *more_names]
    return authority.issue(
        certificate.common_name,
        organizations=certificate.organizations,
        usage=usage,
        names=names,
        algorithm=certificate.algorithm,
    )


def _issue_identity(pki: Pki, identity: Identity) -> KeyPair:
    return pki.cluster.issue(identity.common_name, organizations=identity.organizations, usage=Usage.CLIENT)


def _write(files: FileSystem, documents: Mapping[str, bytes]) -> None:
    """Write files; what holds a private key, in whatever form, is its owner's alone."""
    for path, document in documents.items():
        is_secret = b"PRIVATE KEY" in document or path.endswith((".conf", "/.kube/config"))
        files.write(path, document, PRIVATE_MODE if is_secret else MODE)
