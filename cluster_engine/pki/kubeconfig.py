"""A kubeconfig: which cluster, as whom. The file every client of an API server starts from.

write("kubernetes", "https://10.0.0.1:6443", ca=ca, user="kubernetes-admin", pair=pair)   ->  YAML bytes
"""

import base64

import yaml

from cluster_engine.pki.authority import KeyPair


def write(cluster: str, server: str, *, ca: bytes, user: str, pair: KeyPair) -> bytes:
    """Make a kubeconfig with one cluster, one user by client certificate and one context that joins them."""
    return _document(
        cluster,
        server,
        ca,
        user,
        {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)},
    )


def write_with_files(cluster: str, server: str, *, ca: bytes, user: str, certificate: str, key: str) -> bytes:
    """Make a kubeconfig whose user's certificate and key lie in files of the host (as a kubelet's do)."""
    return _document(cluster, server, ca, user, {"client-certificate": certificate, "client-key": key})


def write_bootstrapped(server: str, *, ca: bytes | None, path: str) -> bytes:
    """Make the kubeconfig that a kubelet makes itself, whose certificate and key lie in one file, to be renewed.

    `ca` None: whoever answers at that address is believed, as by the bootstrap kubeconfig.
    """
    names = {"cluster": "default-cluster", "namespace": "default", "user": "default-auth"}
    trust = {"insecure-skip-tls-verify": True} if ca is None else {"certificate-authority-data": _base64(ca)}
    cluster = {**trust, "server": server}
    config = {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": "default-cluster"}],
        "contexts": [{"context": names, "name": "default-context"}],
        "current-context": "default-context",
        "kind": "Config",
        "preferences": {},
        "users": [{"name": "default-auth", "user": {"client-certificate": path, "client-key": path}}],
    }
    return yaml.dump(config, sort_keys=False, Dumper=_DUMPER).encode()


def write_with_token(cluster: str, server: str, *, ca: bytes, user: str, token: str) -> bytes:
    """Make a kubeconfig with one cluster and one user by bearer token."""
    return _document(cluster, server, ca, user, {"token": token})


def write_without_credentials(cluster: str, server: str, *, ca: bytes, user: str) -> bytes:
    """Make a kubeconfig whose user has a name and nothing to prove it with."""
    return _document(cluster, server, ca, user, {})


def write_with_token_file(server: str, *, ca: str, token: str) -> bytes:
    """Make the kubeconfig that kubeadm gives kube-proxy: both files lie in the directory of its service account."""
    cluster = {"certificate-authority": ca, "server": server}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"cluster": cluster, "name": "default"}],
        "contexts": [{"context": {"cluster": "default", "namespace": "default", "user": "default"}, "name": "default"}],
        "current-context": "default",
        "users": [{"name": "default", "user": {"tokenFile": token}}],
    }
    return yaml.dump(config, sort_keys=False, Dumper=_DUMPER).encode()


def _document(cluster: str, server: str, ca: bytes, user: str, credentials: dict[str, str]) -> bytes:
    context = f"{user}@{cluster}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"certificate-authority-data": _base64(ca), "server": server}}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "preferences": {},
    }
    return yaml.dump(config, sort_keys=False, Dumper=_DUMPER).encode()


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
