"""Kubeconfig files: where the API server is, whom to trust, who one is.

A kubeconfig names clusters, users and contexts (a pair of them, and a namespace); `current-context` chooses.
Credentials lie in the file as base64 (`client-certificate-data`) or beside it by path (`client-certificate`; relative
paths count from the file's own folder). A token stands in the file (`token`) or in a file of its own (`tokenFile`),
which is read again whenever it is needed, because the kubelet replaces a pod's token while the pod runs.

    load(process.files, "/etc/kubernetes/scheduler.conf")
    -> KubeConfig(host="10.0.0.1", port=6443, certificate=b"-----BEGIN…", token=None, …)

Modelled on client-go `tools/clientcmd`. `Overrides` are kubectl's flags, --server and the
like. A server by plain HTTP (`http://127.0.0.1:8001`, where `kubectl proxy` listens) is shown no credentials: they are
not even read. Left out: merging of several files, exec and auth-provider plug-ins, proxies, basic auth.
"""

import base64
import posixpath
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from cluster_engine.api.documents import Unreadable, read_one_yaml

PEM_BEGINS = b"-----BEGIN "
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_GO_NAMES = {
    "cluster": {
        "server": "string",
        "tls-server-name": "string",
        "insecure-skip-tls-verify": "bool",
        "certificate-authority": "string",
        "certificate-authority-data": "[]uint8",
    },
    "context": {"cluster": "string", "user": "string", "namespace": "string"},
    "user": {
        "client-certificate": "string",
        "client-certificate-data": "[]uint8",
        "client-key": "string",
        "client-key-data": "[]uint8",
        "token": "string",
        "tokenFile": "string",
    },
}
"""The fields that are read, with their Go types."""


class Files(Protocol):
    """What is needed of a host's file system."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes; FileNotFoundError."""
        ...


class KubeConfigError(ValueError):
    """The kubeconfig cannot be used; the message says what is wrong in it."""


class ContextNotFoundError(KubeConfigError):
    """The current context is none of the file's (client-go's IsConfigurationInvalid)."""


class NoServerError(KubeConfigError):
    """Nothing says where the server is: kubectl then looks for one at localhost:8080."""


class KubeConfig(msgspec.Struct, frozen=True, kw_only=True):
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
    scheme: str = "https"
    prefix: str = ""
    """What stands before each path: `/k8s` where the server is https://example.com/k8s."""

    @property
    def authority(self) -> str:
        """The server's host and port."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where the server's paths begin."""
        return f"{self.scheme}://{self.authority}{self.prefix}"


LOCALHOST = KubeConfig(
    scheme="http",
    host="localhost",
    port=8080,
    ca=None,
    server_name="localhost",
    certificate=None,
    key=None,
    token=None,
    token_file=None,
    namespace="default",
    context="",
)
"""Where kubectl looks for a server when nothing says where one is (clientcmd's ClusterDefaults)."""


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line says instead of the file: clientcmd's ConfigOverrides.

    `context`, `cluster` and `user` name entries of the file; `of_cluster` and `of_user` have fields of such entries, by
    their names in the file. Paths are absolute.
    """

    context: str = ""
    cluster: str = ""
    user: str = ""
    of_cluster: Mapping[str, Any] = {}
    of_user: Mapping[str, Any] = {}

    @property
    def suffices(self) -> bool:
        """Whether no file is needed."""
        return "server" in self.of_cluster


def read(files: Files, path: str) -> dict[str, Any]:
    """Read a file as it stands; what of it is known has its types. FileNotFoundError or KubeConfigError."""
    try:
        document = read_one_yaml(files.read(path))
        if document is None:
            return {}
        _check(document)
    except (Unreadable, _Unfit) as problem:
        raise KubeConfigError(f'error loading config file "{path}": {problem}') from problem
    found: dict[str, Any] = document
    return found


def load(files: Files, path: str, overrides: Overrides = Overrides()) -> KubeConfig:  # noqa: B008, frozen
    """Read the current context, or what `overrides` name; FileNotFoundError or KubeConfigError.

    A context may name a user that the file has not: then there are no credentials (clientcmd, getAuthInfo).
    """
    try:
        document = read(files, path)
    except FileNotFoundError:
        if not overrides.suffices:
            raise
        document = {}
    name = overrides.context or document.get("current-context") or ""
    chosen = _context(document, name, overrides)
    cluster, user = _cluster(document, chosen, overrides), _user(document, chosen, overrides)
    folder = posixpath.dirname(path)
    scheme, host, port, prefix = _server(cluster["server"])
    if scheme != "https":
        cluster, user = {}, {}
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    cluster_name, user_name = overrides.cluster or chosen.get("cluster", ""), overrides.user or chosen.get("user", "")
    return KubeConfig(
        host=host,
        port=port,
        ca=None if insecure else _pem(files, folder, cluster, "certificate-authority", cluster_name),
        server_name=cluster.get("tls-server-name") or host,
        certificate=_pem(files, folder, user, "client-certificate", user_name),
        key=_pem(files, folder, user, "client-key", user_name),
        token=user.get("token"),
        token_file=posixpath.join(folder, user["tokenFile"]) if user.get("tokenFile") else None,
        namespace=chosen.get("namespace") or "default",
        context=name,
        insecure=insecure,
        scheme=scheme,
        prefix=prefix,
    )


def _context(document: dict[str, Any], name: str, overrides: Overrides) -> dict[str, Any]:
    chosen = _named(document, "context", name)
    if chosen is None and name:
        raise ContextNotFoundError(f"context was not found for specified context: {name}")
    if chosen is None and not (overrides.suffices or overrides.cluster):
        raise KubeConfigError(f'context "{name}" does not exist')
    return chosen or {}


def _cluster(document: dict[str, Any], chosen: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    name = overrides.cluster or chosen.get("cluster", "")
    cluster = _named(document, "cluster", name)
    if cluster is None and overrides.cluster:
        raise KubeConfigError(f'no server found for cluster "{name}"')
    if cluster is None and not overrides.suffices:
        raise NoServerError(f'cluster "{name}" does not exist')
    said = overrides.of_cluster
    cluster = _merged(cluster or {}, said)
    if said.get("insecure-skip-tls-verify") and "certificate-authority" not in said:
        cluster = {field: cluster[field] for field in cluster if not field.startswith("certificate-authority")}
    if cluster.get("insecure-skip-tls-verify") and any(field.startswith("certificate-authority") for field in cluster):
        raise KubeConfigError("specifying a root certificates file with the insecure flag is not allowed")
    if "server" in said and "tls-server-name" not in said:
        cluster.pop("tls-server-name", None)  # it was for the other server
    if not cluster.get("server"):
        raise NoServerError(f'no server found for cluster "{name}"')
    return cluster


def _user(document: dict[str, Any], chosen: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    user = _named(document, "user", overrides.user or chosen.get("user", ""))
    if user is None and overrides.user:
        raise KubeConfigError(f'auth info "{overrides.user}" does not exist')
    user = _merged(user or {}, overrides.of_user)
    if "token" in overrides.of_user:
        user.pop("tokenFile", None)
    return user


def _merged(entry: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was said over an entry; a file stands for the data that the entry has."""
    return {field: value for field, value in entry.items() if field.removesuffix("-data") not in said} | dict(said)


def in_cluster(files: Files, environment: Mapping[str, str]) -> KubeConfig:
    """Say where the API server is and who one is from within a pod: by its environment and its service account's files.

    FileNotFoundError where it has none (client-go's rest.InClusterConfig).
    """
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port.isdecimal():
        names = "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"
        raise KubeConfigError(f"unable to load in-cluster configuration, {names} must be defined")
    files.read(f"{SERVICE_ACCOUNT}/token")
    return KubeConfig(
        host=host,
        port=int(port),
        ca=files.read(f"{SERVICE_ACCOUNT}/ca.crt"),
        server_name=host,
        certificate=None,
        key=None,
        token=None,
        token_file=f"{SERVICE_ACCOUNT}/token",
        namespace="default",
        context="",
    )


def pem_problem(config: KubeConfig) -> str:
    """Say what is no PEM at all, in the words of Go's crypto/tls and of client-go; "" when there is nothing to say."""
    if config.certificate is not None and PEM_BEGINS not in config.certificate:
        return "tls: failed to find any PEM data in certificate input"
    if config.certificate is not None and PEM_BEGINS not in (config.key or b""):
        return "tls: failed to find any PEM data in key input"
    if config.ca is not None and PEM_BEGINS not in config.ca:
        return "unable to load root certificates: unable to parse bytes as PEM block"
    return ""


class _Unfit(Exception):  # noqa: N818, becomes a KubeConfigError at the edge of this module
    """Go's sentence about a value of a wrong type."""


def _check(document: Any) -> None:
    _fits(document, dict, "Go value of type v1.Config")
    _fits(document.get("current-context"), str, "Go struct field Config.current-context of type string")
    for kind, fields in _GO_NAMES.items():
        named = f"Named{'AuthInfo' if kind == 'user' else kind.title()}"
        entries = _fits(document.get(f"{kind}s"), list, f"Go struct field Config.{kind}s of type []v1.{named}") or []
        for entry in entries:
            _fits(entry, dict, f"Go struct field Config.{kind}s of type v1.{named}")
            _fits((entry or {}).get("name"), str, f"Go struct field {named}.{kind}s.name of type string")
            content = _fits((entry or {}).get(kind), dict, f"Go struct field {named}.{kind}s.{kind} of type v1.{kind}")
            for field, go in fields.items():
                wanted = bool if go == "bool" else str
                _fits((content or {}).get(field), wanted, f"Go struct field {kind}s.{kind}.{field} of type {go}")


def _fits(value: Any, wanted: type, place: str) -> Any:
    """Give back a value of the type that Go wants there, or None."""
    if value is not None and type(value) is not wanted:
        names = {dict: "object", list: "array", str: "string", bool: "bool"}
        raise _Unfit(f"json: cannot unmarshal {names.get(type(value), 'number')} into {place}")
    return value


def _server(server: str) -> tuple[str, str, int, str]:
    """Read where a server is: scheme, host, port, path. Without a scheme: plain HTTP (client-go's url_utils.go)."""
    try:
        url = urlsplit(server)
        if not (url.scheme and url.netloc):
            url = urlsplit(f"http://{server}")
            if url.path not in ("", "/"):
                raise ValueError("a host and port have no path")
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    except ValueError as problem:
        raise KubeConfigError(f'host must be a URL or a host:port pair: "{server}"') from problem
    return url.scheme, host, port, url.path.rstrip("/")


def _named(document: dict[str, Any], kind: str, name: str) -> dict[str, Any] | None:
    for entry in document.get(f"{kind}s") or []:
        if entry and entry.get("name") == name:
            return dict(entry.get(kind) or {})
    return None


def _pem(files: Files, folder: str, entry: dict[str, Any], field: str, owner: str) -> bytes | None:
    if data := entry.get(f"{field}-data"):
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise KubeConfigError(f"{field}-data is not base64: {error}") from error
    if not (path := entry.get(field)):
        return None
    path = posixpath.normpath(posixpath.join(folder, path))
    try:
        return files.read(path)
    except FileNotFoundError as error:
        what = "client-cert" if field == "client-certificate" else field
        why = f"open {path}: no such file or directory"
        raise KubeConfigError(f"unable to read {what} {path} for {owner} due to {why}") from error
