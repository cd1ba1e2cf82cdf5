"""`kubectl create configmap` and `create secret generic`, `tls`, `docker-registry`: what files and literals hold.

    create configmap shop --from-literal=a=b --from-file=shop.conf --from-env-file=shop.env
    create secret tls web --cert=web.crt --key=web.key

Modelled on kubectl/pkg/cmd/create/create_configmap.go and create_secret*.go, and pkg/util/hash
(--append-hash). Left out: binaryData.
"""

import base64
import hashlib
import re

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.create import (
    COMMON_FLAGS,
    create,
    named,
    named_namespace,
    new_metadata,
    target_namespace,
)
from cluster_engine.programs.kubectl.documents import to_compact_json
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

DATA_FLAGS = (
    *COMMON_FLAGS,
    Flag("from-literal", kind="strings"),
    Flag("from-file", kind="strings"),
    Flag("from-env-file", kind="strings"),
    Flag("append-hash", kind="bool"),
)
SECRET_FLAGS = (*DATA_FLAGS, Flag("type", default=""))
TLS_FLAGS = (*COMMON_FLAGS, Flag("cert", default=""), Flag("key", default=""), Flag("append-hash", kind="bool"))
REGISTRY_FLAGS = (
    *COMMON_FLAGS,
    Flag("docker-username", default=""),
    Flag("docker-password", default=""),
    Flag("docker-email", default=""),
    Flag("docker-server", default="https://index.docker.io/v1/"),
    Flag("from-file", kind="strings"),
    Flag("append-hash", kind="bool"),
)
_KEY = re.compile(r"[-._a-zA-Z0-9]+")


async def config_map(session: Session, arguments: list[str]) -> int:
    """Make a ConfigMap."""
    name = named(arguments, "configmap")
    obj: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": new_metadata(name, named_namespace(session))}
    if data := _data(session, f'ConfigMap "{name}"'):
        obj["data"] = data
    name = _hashed(session, obj, {"kind": "ConfigMap", "name": name, "data": data})
    path = f"/api/v1/namespaces/{target_namespace(session)}/configmaps"
    return await create(session, obj, path, f"configmap/{name}", failed="failed to create configmap: ")


async def secret_generic(session: Session, arguments: list[str]) -> int:
    """Make a Secret of what files and literals hold."""
    name = named(arguments, "secret generic")
    return await _secret(session, name, _data(session, f'Secret "{name}"'), session.flags["type"])


async def secret_tls(session: Session, arguments: list[str]) -> int:
    """Make a Secret of a certificate and its key."""
    name = named(arguments, "secret tls")
    paths = {"tls.crt": session.flags["cert"], "tls.key": session.flags["key"]}
    if not all(paths.values()):
        raise CommandError("key and cert must be specified")
    data = {key: _read(session, path, f"Cannot read file {path}, open {path}") for key, path in paths.items()}
    _check_pair(data["tls.crt"], data["tls.key"])
    return await _secret(session, name, data, "kubernetes.io/tls")


async def secret_docker_registry(session: Session, arguments: list[str]) -> int:
    """Make a Secret with which a kubelet may pull images."""
    name, flags = named(arguments, "secret docker-registry"), session.flags
    key = ".dockerconfigjson"
    if flags["from-file"]:
        data = {key: _from_files(session)[-1][1]}
    else:
        if not flags["docker-username"] or not flags["docker-password"]:
            raise CommandError(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is "
                "required"
            )
        user, password = flags["docker-username"], flags["docker-password"]
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        entry = {"username": user, "password": password, "email": flags["docker-email"], "auth": auth}
        entry = {field: entry[field] for field in ("username", "password", "email", "auth") if entry[field]}
        data = {key: _in_order(flags["docker-server"], entry)}
    return await _secret(session, name, data, "kubernetes.io/dockerconfigjson")


def _in_order(server: str, entry: dict[str, str]) -> str:
    """Write the one entry of a docker config, its fields in Go's order."""
    fields = ",".join(f"{to_compact_json(key)}:{to_compact_json(value)}" for key, value in entry.items())
    return f'{{"auths":{{{to_compact_json(server)}:{{{fields}}}}}}}'


async def _secret(session: Session, name: str, data: dict[str, str], type_: str) -> int:
    obj: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": new_metadata(name, named_namespace(session))}
    if data:
        obj["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    if type_:
        obj["type"] = type_
    name = _hashed(session, obj, {"kind": "Secret", "type": type_, "name": name, "data": obj.get("data") or {}})
    path = f"/api/v1/namespaces/{target_namespace(session)}/secrets"
    return await create(session, obj, path, f"secret/{name}", failed="failed to create secret ")


def _hashed(session: Session, obj: Object, content: Object) -> str:
    """Append to an object's name a hash of what it holds, where that is wanted; return the name."""
    if session.flags["append-hash"]:
        digest = hashlib.sha256(to_compact_json(content).encode()).hexdigest()[:10]
        obj["metadata"]["name"] += "-" + digest.translate(str.maketrans("013ae", "ghkmt"))
    return str(obj["metadata"]["name"])


def _check_pair(certificate: str, key: str) -> None:
    """Refuse what is no certificate and key (crypto/tls, X509KeyPair). CommandError."""
    for text, what in ((certificate, "certificate"), (key, "key")):
        if "-----BEGIN " not in text:
            raise CommandError(f"tls: failed to find any PEM data in {what} input")


# -- sources -----------------------------------------------------------------------------------------------------------


def _data(session: Session, of: str) -> dict[str, str]:
    data: dict[str, str] = {}
    if session.flags["from-env-file"] and (session.flags["from-file"] or session.flags["from-literal"]):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    sources = [*_from_files(session), *_literals(session), *_from_env_files(session)]
    for key, value in sources:
        if key in data:
            raise CommandError(f'cannot add key "{key}", another key by that name already exists in Data for {of}')
        if not _KEY.fullmatch(key):
            raise CommandError(_bad_key(key, of.partition(" ")[0]))
        data[key] = value
    return data


def _bad_key(key: str, kind: str) -> str:
    return (
        f'"{key}" is not a valid key name for a {kind}: a valid config key must consist of alphanumeric characters, '
        "'-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
        "'[-._a-zA-Z0-9]+')"
    )


def _from_files(session: Session) -> list[tuple[str, str]]:
    found = []
    for source in session.flags["from-file"]:
        key, equals, path = source.partition("=")
        path = path if equals else key
        for one in _files(session, path):
            name = key if equals else one.rpartition("/")[2]
            found.append((name, _read(session, one, f"error reading {one}")))
    return found


def _files(session: Session, path: str) -> list[str]:
    """Return a path, or the files of the folder that it names."""
    full, files = session.absolute(path), session.process.files
    try:
        return [f"{path.rstrip('/')}/{name}" for name in files.listdir(full)] or [path]
    except OSError:
        return [path]


def _literals(session: Session) -> list[tuple[str, str]]:
    found = []
    for literal in session.flags["from-literal"]:
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid literal source {literal}, expected key=value")
        found.append((key, value))
    return found


def _from_env_files(session: Session) -> list[tuple[str, str]]:
    lines = [
        line.lstrip()
        for path in session.flags["from-env-file"]
        for line in _read(session, path, f"error reading {path}").splitlines()
    ]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines if line and line[0] != "#")]


def _read(session: Session, path: str, failed: str) -> str:
    if path == "-":
        return session.read(path)
    try:
        return session.process.files.read(session.absolute(path)).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise CommandError(f"{failed}: no such file or directory") from error
