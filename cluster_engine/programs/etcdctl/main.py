"""etcdctl: from a command line to an exit code.

    etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert … --key … get --prefix --keys-only /registry/pods

Whatever Kubernetes knows lies in etcd, and whoever holds a certificate of etcd's own authority reads and writes it past
every rule of the API server. The files lie on the control plane, /etc/kubernetes/pki/etcd. A flag can stand in the
environment too: ETCDCTL_ENDPOINTS, ETCDCTL_CACERT, ETCDCTL_CERT, ETCDCTL_KEY, …

Modelled on etcdctl 3.5.16 (etcdctl/ctlv3). Left out: making users and roles, make-mirror, check; interactive txn and
watch. Of etcdutl there is `snapshot`.
"""

import ssl
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from cluster_engine.api.durations import go_seconds
from cluster_engine.programs.etcdctl import snapshots
from cluster_engine.programs.etcdctl.commands import COMMANDS, GROUPS, SYNONYMS, UTILITIES, Command
from cluster_engine.programs.etcdctl.connection import Settings
from cluster_engine.programs.etcdctl.failures import BAD_ARGUMENTS, BAD_FEATURE, ERROR, FailedError
from cluster_engine.programs.etcdctl.printing import FORMATS, Printer
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl.errors import UsageError
from cluster_engine.programs.kubectl.flags import Flag, Parsed, parse
from cluster_engine.world.tls import client_tls

VERSION, API_VERSION = "3.5.16", "3.5"
GLOBAL_FLAGS = (
    Flag("cacert", default=""),
    Flag("cert", default=""),
    Flag("command-timeout", kind="duration", default=5.0),
    Flag("debug", kind="bool"),
    Flag("dial-timeout", kind="duration", default=2.0),
    Flag("endpoints", default="127.0.0.1:2379"),
    Flag("hex", kind="bool"),
    Flag("insecure-skip-tls-verify", kind="bool"),
    Flag("insecure-transport", kind="bool", default=True),
    Flag("keepalive-time", kind="duration", default=2.0),
    Flag("keepalive-timeout", kind="duration", default=6.0),
    Flag("key", default=""),
    Flag("write-out", "w", default="simple"),
    Flag("help", "h", kind="bool"),
)
UTILITY_FLAGS = tuple(flag for flag in GLOBAL_FLAGS if flag.name in ("write-out", "help"))
TEXTS: Mapping[str, str] = {
    "cacert": "verify certificates of TLS-enabled secure servers using this CA bundle",
    "cert": "identify secure client using this TLS certificate file",
    "command-timeout": "timeout for short running command (excluding dial timeout)",
    "endpoints": "gRPC endpoints",
    "hex": "print byte strings as hex encoded strings",
    "insecure-skip-tls-verify": "skip server certificate verification",
    "key": "identify secure client using this TLS key file",
    "write-out": "set the output format (fields, json, protobuf, simple, table)",
    "prefix": "keys that begin with the key",
    "from-key": "keys that are greater than or equal to the key using byte compare",
    "keys-only": "Get only the keys",
    "count-only": "Get only the count",
    "print-value-only": 'Only write values when using the "simple" output format',
    "limit": "Maximum number of results",
    "rev": "revision to read at, or to start watching at",
    "sort-by": "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION",
    "order": "Order of results; ASCEND or DESCEND (ASCEND by default)",
    "consistency": "Linearizable(l) or Serializable(s)",
    "prev-kv": "the previous key-value pair too",
    "lease": "lease ID (in hexadecimal) to attach to the key",
    "keys": "Get keys attached to this lease",
    "once": "Resets the keep-alive time to its original value and exits immediately",
    "cluster": "use all endpoints from the cluster member list",
}


async def etcdctl(invocation: Invocation) -> int:
    """Run etcdctl; give its exit code."""
    words = list(invocation.argv[1:])
    command, rest = _find(words, COMMANDS)
    own = command.flags if command is not None else ()
    try:
        flags = parse(rest, [*own, *GLOBAL_FLAGS], "etcdctl")
    except UsageError as problem:
        invocation.err(f"Error: {str(problem).splitlines()[0]}\n")
        invocation.out(_help(command))
        return ERROR
    if command is None:
        return _without_command(invocation, flags)
    if flags["help"]:
        invocation.out(_help(command))
        return 0
    session: Session | None = None
    try:
        flags = _with_environment(flags, invocation.environment)
        session = Session(invocation, _settings(invocation, flags), _printer(flags))
        return await command.run(session, flags.arguments, flags)
    except FailedError as failure:
        invocation.err(f"Error: {failure}\n")
        return failure.code
    finally:
        if session is not None:
            session.close()


async def etcdutl(invocation: Invocation) -> int:
    """Run etcdutl, which needs no etcd; give its exit code."""
    words = list(invocation.argv[1:])
    command, rest = _find(words, UTILITIES)
    own = command.flags if command is not None else ()
    try:
        flags = parse(rest, [*own, *UTILITY_FLAGS], "etcdutl")
    except UsageError as problem:
        invocation.err(f"Error: {str(problem).splitlines()[0]}\n")
        return ERROR
    if words[:1] == ["version"]:
        invocation.out(f"etcdutl version: {VERSION}\nAPI version: {API_VERSION}\n")
        return 0
    if command is None or flags["help"]:
        invocation.out(_help(command, "", "etcdutl"))
        return 0
    try:
        if flags["write-out"] not in FORMATS:
            raise FailedError("unsupported output format", BAD_FEATURE)
        if command.name == "snapshot status":
            return await snapshots.status(invocation, flags.arguments, flags["write-out"])
        if not flags["data-dir"]:
            raise FailedError('required flag(s) "data-dir" not set')
        return await snapshots.restore(invocation, flags.arguments, flags)
    except FailedError as failure:
        invocation.err(f"Error: {failure}\n")
        return failure.code


def _find(words: list[str], commands: Mapping[str, Command]) -> tuple[Command | None, list[str]]:
    """Find the command among the words, wherever flags stand; give the other words."""
    with_value = {f"--{flag.name}" for flag in GLOBAL_FLAGS if flag.kind != "bool"} | {"-w"}
    at = [
        index
        for index, word in enumerate(words)
        if not word.startswith("-") and (index == 0 or words[index - 1] not in with_value)
    ]
    for count in (2, 1):
        name = " ".join(words[index] for index in at[:count])
        command = commands.get(SYNONYMS.get(name, name)) if len(at) >= count else None
        if command is not None:
            return command, [word for index, word in enumerate(words) if index not in at[:count]]
    return None, words


def _without_command(invocation: Invocation, flags: Parsed) -> int:
    words = flags.arguments
    if words[:1] == ["version"]:
        invocation.out(f"etcdctl version: {VERSION}\nAPI version: {API_VERSION}\n")
        return 0
    if words[:1] == ["help"]:
        named = COMMANDS.get(" ".join(words[1:]))
        invocation.out(_help(named))
        return 0
    if not words or words[0] in GROUPS:
        invocation.out(_help(None, words[0] if words else ""))
        return 0
    invocation.err(f'Error: unknown command "{words[0]}" for "etcdctl"\nRun \'etcdctl --help\' for usage.\n')
    return ERROR


def _with_environment(flags: Parsed, environment: Mapping[str, str]) -> Parsed:
    """Take from the environment what does not stand on the command line. FailedError where it stands in both."""
    values = dict(flags.values)
    for flag in GLOBAL_FLAGS:
        name = f"ETCDCTL_{flag.name.upper().replace('-', '_')}"
        if name not in environment:
            continue
        if flag.name in flags:
            text = f'conflicting environment variable "{name}" is shadowed by corresponding command-line flag'
            raise FailedError(f"{text} (either unset environment variable or disable flag)")
        value = environment[name]
        try:
            values[flag.name] = go_seconds(value) if flag.kind == "duration" else value
        except ValueError as error:
            raise FailedError(f'invalid value "{value}" for {name}: {error}') from None
        if flag.kind == "bool":
            values[flag.name] = value.lower() in ("1", "t", "true")
    return replace(flags, values=values)


def _printer(flags: Parsed) -> Printer:
    if flags["write-out"] not in FORMATS:
        raise FailedError("unsupported output format", BAD_FEATURE)
    return Printer(flags["write-out"], hexadecimal=flags["hex"])


def _settings(invocation: Invocation, flags: Parsed) -> Settings:
    endpoints = [one.strip() for one in flags["endpoints"].split(",") if one.strip()]
    if not endpoints:
        raise FailedError("no endpoints given", BAD_ARGUMENTS)
    return Settings(endpoints, _tls(invocation, flags), flags["command-timeout"] or 5.0)


def _tls(invocation: Invocation, flags: Parsed) -> ssl.SSLContext | None:
    """Read the certificates. FailedError."""
    paths = [flags[name] for name in ("cacert", "cert", "key")]
    if not any(paths) and flags["insecure-transport"] and not flags["insecure-skip-tls-verify"]:
        return None
    if bool(paths[1]) != bool(paths[2]):
        raise FailedError(f"KeyFile and CertFile must both be present[key: {paths[2]}, cert: {paths[1]}]")
    try:
        ca, certificate, key = (invocation.files.read(invocation.absolute(path)) if path else b"" for path in paths)
        context = client_tls(ca=ca, certificate=certificate or None, key=key or None, alpn=("h2",))
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            raise FailedError("tls: failed to find any PEM data in certificate input") from error
        raise FailedError(f"open {_named(error, paths)}: {(error.strerror or '').lower()}") from error
    if flags["insecure-skip-tls-verify"]:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _named(error: OSError, paths: Sequence[str]) -> str:
    return next((path for path in paths if str(error.filename).endswith(path) and path), str(error.filename))


# -- help --------------------------------------------------------------------------------------------------------------


def _help(command: Command | None, group: str = "", program: str = "etcdctl") -> str:
    commands, flags = (COMMANDS, GLOBAL_FLAGS) if program == "etcdctl" else (UTILITIES, UTILITY_FLAGS)
    if command is not None:
        usage = f"{command.name} {command.usage}".strip()
        head = f"NAME:\n\t{command.name} - {command.summary}\n\nUSAGE:\n\t{program} {usage} [flags]\n\n"
        options = f"OPTIONS:\n{_options(command.flags)}\n" if command.flags else ""
        return f"{head}{options}GLOBAL OPTIONS:\n{_options(flags)}\n"
    name = f"{program} {group}".strip()
    shown = [one for one in commands.values() if not group or one.name.startswith(f"{group} ")]
    width = max(len(one.name) for one in shown) + 2
    lines = "".join(f"\t{one.name:<{width}}{one.summary}\n" for one in sorted(shown, key=lambda one: one.name))
    return (
        f"NAME:\n\t{name} - A simple command line client for etcd3.\n\nUSAGE:\n\t{name} [flags]\n\n"
        f"VERSION:\n\t{VERSION}\n\nAPI VERSION:\n\t{API_VERSION}\n\n\nCOMMANDS:\n{lines}\n"
        f"OPTIONS:\n{_options(flags)}\n"
    )


def _options(flags: Sequence[Flag]) -> str:
    def shown(flag: Flag) -> str:
        short = f"-{flag.short}, " if flag.short else "    "
        match flag.kind:
            case "bool":
                default = "[=true]" if flag.default else "[=false]"
            case "duration":
                default = f"={flag.default:g}s"
            case "int":
                default = f"={flag.default}"
            case _:
                default = f'="{flag.default}"'
        return f"  {short}--{flag.name}{default}"

    width = max(len(shown(flag)) for flag in flags) + 2
    return "".join(f"{shown(flag):<{width}}{TEXTS.get(flag.name, '')}".rstrip() + "\n" for flag in flags)
