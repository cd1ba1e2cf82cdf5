"""`kubectl config set` and `unset`: one value of a kubeconfig, by the way to it.

    config set current-context shop                   config set clusters.shop.server https://10.0.0.1:6443
    config unset users.anna                           config unset contexts.shop.namespace

The way is a section, an entry's name, which may hold dots, and a field. Modelled on kubectl/pkg/cmd/config/set.go and
navigation_step_parser.go. Left out: --set-raw-bytes, extensions.
"""

from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.config import read, write
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (Flag("set-raw-bytes", kind="bool"),)
SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}
FIELDS = {
    "clusters": ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority",
                 "certificate-authority-data", "proxy-url", "disable-compression"),
    "contexts": ("cluster", "user", "namespace"),
    "users": ("client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile",
              "username", "password"),
}  # fmt: skip
TRUTHS = ("insecure-skip-tls-verify", "disable-compression")


async def set_value(session: Session, arguments: list[str]) -> int:
    """Set a value."""
    if len(arguments) != 2:
        raise CommandError(f"Unexpected args: [{' '.join(arguments)}]")
    path, text = arguments
    config = read(session)
    if path in ("current-context", "kind", "apiVersion"):
        config[path] = text
    else:
        section, name, field = _steps(path)
        if not field:
            raise CommandError(f"unable to parse {path} after [{section} {name}] at api.{section}")
        _entry(config, section, name)[field] = _value(field, text)
    write(session, config)
    session.out(f'Property "{path}" set.\n')
    return 0


async def unset(session: Session, arguments: list[str]) -> int:
    """Take a value, an entry or a section away."""
    if len(arguments) != 1:
        raise CommandError(f"Unexpected args: [{' '.join(arguments)}]")
    config, path = read(session), arguments[0]
    if path == "current-context":
        config[path] = ""
    elif path in SECTIONS:
        config[path] = []
    else:
        section, name, field = _steps(path)
        entries = config.get(section) or []
        if field:
            for entry in entries:
                if entry["name"] == name:
                    (entry.get(SECTIONS[section]) or {}).pop(field, None)
        else:
            config[section] = [entry for entry in entries if entry["name"] != name]
    write(session, config)
    session.out(f'Property "{path}" unset.\n')
    return 0


def _steps(path: str) -> tuple[str, str, str]:
    """Return section, name and field; the field may be "". CommandError."""
    section, _, rest = path.partition(".")
    if section not in SECTIONS or not rest:
        raise CommandError(f"unable to parse {path} after [] at api.Config")
    name, dot, field = rest.rpartition(".")
    return (section, name, field) if dot and field in FIELDS[section] else (section, rest, "")


def _value(field: str, text: str) -> str | bool:
    if field not in TRUTHS:
        return text
    if text.lower() not in ("true", "false", "1", "0", "t", "f"):
        raise CommandError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return text.lower() in ("true", "1", "t")


def _entry(config: Object, section: str, name: str) -> dict[str, Any]:
    entries = config[section] = config.get(section) or []
    entry = next((one for one in entries if one["name"] == name), None)
    if entry is None:
        entry = {"name": name}
        entries.append(entry)
    content: dict[str, Any] = entry.setdefault(SECTIONS[section], {}) or {}
    entry[SECTIONS[section]] = content
    return content
