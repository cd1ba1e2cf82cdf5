"""`kubectl config`: reads and edits kubeconfig files; nothing of it goes to a server.

    config set-cluster shop --server=https://10.0.0.1:6443 --certificate-authority=ca.crt --embed-certs
    config set-credentials anna --client-certificate=anna.crt --client-key=anna.key
    config set-context anna@shop --cluster=shop --user=anna
    config use-context anna@shop

The file is the one that every other command would read (--kubeconfig, $KUBECONFIG, ~/.kube/config); one that is not
there is begun. Paths are kept relative to the file's own folder, and entries in the order of their names.

Modelled on kubectl/pkg/cmd/config. Left out: proxies, exec and
auth-provider plug-ins, user names with passwords; several files are not merged.
"""

import base64
import posixpath
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.client import kubeconfig
from cluster_engine.programs.kubectl import documents, output
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.tabwriter import layout

VIEW_FLAGS = (
    Flag("minify", kind="bool"),
    Flag("raw", kind="bool"),
    Flag("flatten", kind="bool"),
    Flag("merge", kind="bool", default=True),
    Flag("output", "o", default="yaml"),
    *output.FLAGS[1:],
)
SET_CONTEXT_FLAGS = (Flag("current", kind="bool"), Flag("cluster", default=""), Flag("user", default=""))
SET_CLUSTER_FLAGS = (
    Flag("server", default=""),
    Flag("tls-server-name", default=""),
    Flag("insecure-skip-tls-verify", kind="bool"),
    Flag("certificate-authority", default=""),
    Flag("embed-certs", kind="bool"),
)
SET_CREDENTIALS_FLAGS = (
    Flag("client-certificate", default=""),
    Flag("client-key", default=""),
    Flag("token", default=""),
    Flag("embed-certs", kind="bool"),
)
_SECRETS = ("client-certificate-data", "client-key-data", "token", "password")
_EMPTY: Object = {"apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": ""}


# -- looking -----------------------------------------------------------------------------------------------------------


async def view(session: Session, _: list[str]) -> int:
    """Show the kubeconfig, secrets left out; with --minify only what the current context uses."""
    config = read(session)
    if session.flags["minify"]:
        _minify(config, session.flags["context"] or config.get("current-context") or "")
    if not session.flags["raw"]:
        for section, fields in (("clusters", ("certificate-authority-data",)), ("users", _SECRETS)):
            for entry in config.get(section) or []:
                content = (entry or {}).get(section.removesuffix("s")) or {}
                for field in fields:
                    if field in content:
                        content[field] = "REDACTED" if field in ("token", "password") else "DATA+OMITTED"
    show = output.printer(session)
    session.out(show(config) if show else "")
    return 0


async def current_context(session: Session, _: list[str]) -> int:
    """Name the current context."""
    name = read(session).get("current-context")
    if not name:
        raise CommandError("current-context is not set")
    session.out(f"{name}\n")
    return 0


GET_CONTEXTS_FLAGS = (Flag("output", "o", default=""), Flag("no-headers", kind="bool"))


async def get_contexts(session: Session, arguments: list[str]) -> int:
    """List the contexts, or those that are named."""
    flags, config = session.flags, read(session)
    if flags["output"] not in ("", "name"):
        what = f"--output {flags['output']} is not available in kubectl config get-contexts"
        raise CommandError(f"{what}; resetting to default output format")
    entries = config.get("contexts") or []
    missing = [name for name in arguments if all(entry["name"] != name for entry in entries)]
    shown = [entry for entry in entries if not arguments or entry["name"] in arguments]
    if flags["output"] == "name":
        session.out("".join(f"{entry['name']}\n" for entry in shown))
    else:
        rows = [] if flags["no-headers"] else ["CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE"]
        for entry in shown:
            current = "*" if entry["name"] == config.get("current-context") else ""
            context = entry.get("context") or {}
            cells = (context.get(field, "") for field in ("cluster", "user", "namespace"))
            rows.append("\t".join((current, entry["name"], *cells)))
        session.out(layout("".join(f"{row}\n" for row in rows), minimum=6, padding=3))
    if missing:
        raise CommandError("\nerror: ".join(f"context {name} not found" for name in missing))
    return 0


async def get_clusters(session: Session, _: list[str]) -> int:
    """List the names of the clusters."""
    return _names(session, "clusters")


async def get_users(session: Session, _: list[str]) -> int:
    """List the names of the users."""
    return _names(session, "users")


def _names(session: Session, section: str) -> int:
    names = sorted(entry["name"] for entry in read(session).get(section) or [])
    session.out("".join(f"{name}\n" for name in ["NAME", *names]))
    return 0


# -- editing -----------------------------------------------------------------------------------------------------------


async def use_context(session: Session, arguments: list[str]) -> int:
    """Choose the current context."""
    name = _one(arguments)
    config = read(session)
    if not name:
        raise CommandError("empty context names are not allowed")
    if all(entry["name"] != name for entry in config.get("contexts") or []):
        raise CommandError(f'no context exists with the name: "{name}"')
    config["current-context"] = name
    write(session, config)
    session.out(f'Switched to context "{name}".\n')
    return 0


async def set_context(session: Session, arguments: list[str]) -> int:
    """Change or begin a context: its cluster, its user, its namespace."""
    if len(arguments) > 1:
        raise CommandError(_unexpected(arguments))
    if not any(arguments) and not session.flags["current"]:
        raise CommandError("you must specify a non-empty context name or --current")
    if any(arguments) and session.flags["current"]:
        raise CommandError("you cannot specify both a context name and --current")
    config = read(session)
    name = arguments[0] if arguments else config.get("current-context")
    if not name:
        raise CommandError("no current context is set")
    existed, context = _entry(config, "context", name)
    for field in ("cluster", "user", "namespace"):
        if field in session.flags:
            _put(context, field, session.flags[field])
    write(session, config)
    session.out(f'Context "{name}" {"modified" if existed else "created"}.\n')
    return 0


async def set_cluster(session: Session, arguments: list[str]) -> int:
    """Change or begin a cluster: its address, and which authority may vouch for it."""
    flags, authority = session.flags, session.flags["certificate-authority"]
    if len(arguments) != 1:
        raise CommandError(f"unexpected args: [{' '.join(arguments)}]")
    if flags["insecure-skip-tls-verify"] and authority:
        raise CommandError("you cannot specify a certificate authority and insecure mode at the same time")
    if flags["embed-certs"] and not authority:
        raise CommandError("you must specify a --certificate-authority to embed")
    config = read(session)
    _, cluster = _entry(config, "cluster", arguments[0])
    if "server" in flags:
        cluster["server"] = flags["server"]
        _put(cluster, "tls-server-name", "")
    if "tls-server-name" in flags:
        _put(cluster, "tls-server-name", flags["tls-server-name"])
    if flags["insecure-skip-tls-verify"]:
        cluster["insecure-skip-tls-verify"] = True
        _put(cluster, "certificate-authority", "")
        _put(cluster, "certificate-authority-data", "")
    if authority:
        cluster.pop("insecure-skip-tls-verify", None)
        _put_file(session, cluster, "certificate-authority")
    write(session, config)
    session.out(f'Cluster "{arguments[0]}" set.\n')
    return 0


async def set_credentials(session: Session, arguments: list[str]) -> int:
    """Change or begin a user: a certificate with its key, or a token."""
    flags, name = session.flags, _one(arguments)
    if not name:
        raise CommandError("you must specify a non-empty user name")
    if flags["embed-certs"] and not (flags["client-certificate"] or flags["client-key"]):
        raise CommandError("you must specify a --client-certificate or --client-key to embed")
    config = read(session)
    _, user = _entry(config, "user", name)
    for field in ("client-certificate", "client-key"):
        if flags[field]:
            _put_file(session, user, field)
    if "token" in flags:
        _put(user, "token", flags["token"])
    write(session, config)
    session.out(f'User "{name}" set.\n')
    return 0


async def rename_context(session: Session, arguments: list[str]) -> int:
    """Give a context another name; the current one stays current."""
    if len(arguments) != 2:
        raise CommandError(_unexpected(arguments))
    config, (old, new) = read(session), arguments
    contexts = config.get("contexts") or []
    names = [entry["name"] for entry in contexts]
    if old not in names:
        raise CommandError(f'cannot rename the context "{old}", it\'s not in {session.kubeconfig}')
    if new in names:
        raise CommandError(
            f'cannot rename the context "{old}", the context "{new}" already exists in {session.kubeconfig}'
        )
    contexts[names.index(old)]["name"] = new
    if config.get("current-context") == old:
        config["current-context"] = new
    write(session, config)
    session.out(f'Context "{old}" renamed to "{new}".\n')
    return 0


async def delete_context(session: Session, arguments: list[str]) -> int:
    """Take a context out of the file."""
    if read(session).get("current-context") in arguments:
        session.err(
            'warning: this removed your active context, use "kubectl config use-context" to select a different one\n'
        )
    return _delete(session, arguments, "context")


async def delete_cluster(session: Session, arguments: list[str]) -> int:
    """Take a cluster out of the file."""
    return _delete(session, arguments, "cluster")


async def delete_user(session: Session, arguments: list[str]) -> int:
    """Take a user out of the file."""
    return _delete(session, arguments, "user")


def _delete(session: Session, arguments: list[str], kind: str) -> int:
    if len(arguments) != 1:
        raise CommandError(f"you must specify the name of one {kind}")
    config, name = read(session), arguments[0]
    kept = [entry for entry in config.get(f"{kind}s") or [] if entry["name"] != name]
    if len(kept) == len(config.get(f"{kind}s") or []):
        raise CommandError(f"cannot delete {kind} {name}, not in {session.kubeconfig}")
    config[f"{kind}s"] = kept
    write(session, config)
    session.out(f"deleted {kind} {name} from {session.kubeconfig}\n")
    return 0


# -- the file ----------------------------------------------------------------------------------------------------------


def read(session: Session) -> Object:
    """Return what the kubeconfig says; an empty one where there is none. CommandError."""
    try:
        return kubeconfig.read(session.process.files, session.kubeconfig) or dict(_EMPTY)
    except FileNotFoundError:
        return dict(_EMPTY)
    except kubeconfig.KubeConfigError as problem:
        raise CommandError(str(problem)) from problem


def write(session: Session, config: Object) -> None:
    """Write the kubeconfig."""
    for section in ("clusters", "contexts", "users"):
        config[section] = sorted(config.get(section) or [], key=lambda entry: str(entry["name"])) or None
    session.process.files.write(session.kubeconfig, documents.to_yaml(config).encode())


def _minify(config: Object, name: str) -> None:
    contexts = [entry for entry in config.get("contexts") or [] if entry["name"] == name]
    if not contexts:
        raise CommandError(
            f'context "{name}" does not exist' if name else "current-context must exist in order to minify"
        )
    chosen = contexts[0].get("context") or {}
    for kind in ("cluster", "user"):
        config[f"{kind}s"] = [e for e in config.get(f"{kind}s") or [] if e["name"] == chosen.get(kind)] or None
    config |= {"contexts": contexts, "current-context": name}


def _entry(config: Object, kind: str, name: str) -> tuple[bool, dict[str, Any]]:
    """Return whether there is such an entry, and its content, begun where there is none."""
    entries = config[f"{kind}s"] = config.get(f"{kind}s") or []
    entry = next((each for each in entries if each["name"] == name), None)
    if entry is None:
        entries.append({"name": name, kind: {}})
        return False, entries[-1][kind]
    entry[kind] = entry.get(kind) or {}
    return True, entry[kind]


def _put(content: dict[str, Any], field: str, value: str) -> None:
    """Set a field; an empty one is left out, as Go's omitempty does."""
    content.pop(field, None)
    if value:
        content[field] = value


def _put_file(session: Session, content: dict[str, Any], field: str) -> None:
    """Name the file that a flag of the field's name gives, or with --embed-certs put what it holds in its place."""
    given = session.flags[field]
    path = session.absolute(given)
    if not session.flags["embed-certs"]:
        _put(content, f"{field}-data", "")
        content[field] = posixpath.relpath(path, posixpath.dirname(session.kubeconfig))
        return
    try:
        data = session.process.files.read(path)
    except FileNotFoundError:
        problem = f"stat {given}: no such file or directory"
        raise CommandError(f"could not stat {field} file {given}: {problem}") from None
    _put(content, field, "")
    content[f"{field}-data"] = base64.b64encode(data).decode()


def _one(arguments: list[str]) -> str:
    if len(arguments) != 1:
        raise CommandError(_unexpected(arguments))
    return arguments[0]


def _unexpected(arguments: list[str]) -> str:
    return f"Unexpected args: [{' '.join(arguments)}]"
