"""Kubeconfig files: where the API server is, whom to trust, who one is.

A kubeconfig names clusters, users and contexts (a pair of them, and a namespace); `current-context` chooses.
Credentials lie in the file as base64 (`client-certificate-data`) or beside it by path (`client-certificate`; relative
paths count from the file's own folder). A token stands in the file (`token`) or in a file of its own (`tokenFile`),
which is read again whenever it is needed, because the kubelet replaces a pod's token while the pod runs.

    load(process.files, "/etc/kubernetes/scheduler.conf")
    -> KubeConfig(host="10.0.0.1", port=6443, certificate=b"-----BEGIN…", token=None, …)

Modelled on client-go `tools/clientcmd`. Left out: merging of several files, exec and auth-provider plug-ins, proxies,
basic auth, impersonation, plain HTTP.
"""

import base64
import posixpath
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml

PEM_BEGINS = b"-----BEGIN "
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Files(Protocol):
    """What is needed of a host's file system."""

    def read(self, path: str) -> bytes:
        """Give a file's bytes; FileNotFoundError."""
        ...


class KubeConfigError(ValueError):
    """The kubeconfig cannot be used; the message says what is wrong in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeConfig:
    """What one context of a kubeconfig says. PEM bytes; `token_file` is a path on the same host."""

    host: str
    port: int
    ca: bytes | None
    server_name: str
    certificate: bytes | None
    key: bytes | None
    token: str | None
    token_file: str | None
    namespace: str
    context: str
    insecure: bool = False


def load(files: Files, path: str, *, context: str | None = None) -> KubeConfig:
    """Read the current (or the named) context; FileNotFoundError or KubeConfigError."""
    try:
        document = yaml.load(files.read(path), Loader=Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeConfigError(f'error loading config file "{path}": {error}') from error
    if not isinstance(document, dict):
        raise KubeConfigError(f'error loading config file "{path}": not a kubeconfig')
    name = context or document.get("current-context") or ""
    chosen = _named(document, "context", name)
    cluster = _named(document, "cluster", chosen.get("cluster", ""))
    user = _named(document, "user", chosen.get("user", "")) if chosen.get("user") else {}
    folder = posixpath.dirname(path)
    url = urlsplit(str(cluster.get("server", "")))
    if url.scheme != "https" or not url.hostname:
        raise KubeConfigError(f'cluster "{chosen.get("cluster", "")}" has no https server: {cluster.get("server")!r}')
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    return KubeConfig(
        host=url.hostname,
        port=url.port or 443,
        ca=None if insecure else _pem(files, folder, cluster, "certificate-authority"),
        server_name=cluster.get("tls-server-name") or url.hostname,
        certificate=_pem(files, folder, user, "client-certificate"),
        key=_pem(files, folder, user, "client-key"),
        token=user.get("token"),
        token_file=posixpath.join(folder, user["tokenFile"]) if user.get("tokenFile") else None,
        namespace=chosen.get("namespace") or "default",
        context=name,
        insecure=insecure,
    )


def pem_problem(config: KubeConfig) -> str:
    """Say what is no PEM at all, in the words of Go's crypto/tls and of client-go; "" when there is nothing to say."""
    if config.certificate is not None and PEM_BEGINS not in config.certificate:
        return "tls: failed to find any PEM data in certificate input"
    if config.certificate is not None and PEM_BEGINS not in (config.key or b""):
        return "tls: failed to find any PEM data in key input"
    if PEM_BEGINS not in (config.ca or b""):
        return "unable to load root certificates: unable to parse bytes as PEM block"
    return ""


def _named(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    for entry in document.get(f"{kind}s") or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return dict(entry.get(kind) or {})
    raise KubeConfigError(f'{kind} "{name}" does not exist')


def _pem(files: Files, folder: str, entry: dict[str, Any], field: str) -> bytes | None:
    if data := entry.get(f"{field}-data"):
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise KubeConfigError(f"{field}-data is not base64: {error}") from error
    if path := entry.get(field):
        return files.read(posixpath.join(folder, path))
    return None
