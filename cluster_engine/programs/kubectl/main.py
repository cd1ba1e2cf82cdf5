"""kubectl: from a command line to an exit code.

    kubectl [command] [TYPE] [NAME] [flags]

Modelled on kubectl 1.32: what it prints, letter by letter, and what it sends (the requests of each command stand in its
module). Left out: plug-ins, kustomize.
"""

import ssl
from collections.abc import Sequence

from cluster_engine.api.status import Refusal
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl import errors, output, table_of_commands
from cluster_engine.programs.kubectl.commands import COMMANDS, GROUPS, USAGES, find
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag, parse
from cluster_engine.programs.kubectl.session import GLOBAL_FLAGS, Session

table_of_commands.fill()

INTRODUCTION = """kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/

Commands:
"""


MORE = """Use "kubectl {} <command> --help" for more information about a given command.
Use "kubectl options" for a list of global command-line options (applies to all commands).
"""
INPUT_FLAGS = ("filename", "patch-file", "from-env-file")
"""The flags that name files, of which "-" is what is piped in."""


async def kubectl(invocation: Invocation) -> int:
    """Run kubectl; give its exit code."""
    await invocation.process.work("kubectl.start")
    words = list(invocation.argv[1:])
    leading, words = _global_flags_apart(words)
    if not words or words[0] in ("help", "--help", "-h"):
        invocation.out(_overview())
        return 0
    if words[0] == "__complete":
        from cluster_engine.programs.kubectl import complete  # here: each kubectl pays for what it loads

        return await complete.run(invocation, words[1:])
    group = next((" ".join(words[:length]) for length in (2, 1) if " ".join(words[:length]) in GROUPS), None)
    if group is not None and not any(" ".join(words[:length]) in COMMANDS for length in (3, 2)):
        return _group(invocation, group, words[len(group.split()) :])
    try:
        command, rest = find(words)
        flags = parse([*leading, *rest], [*command.flags, *_others(command.flags)], f"kubectl {command.name}")
    except CommandError as error:
        invocation.err(f"{errors.describe(error, '')}\n")
        return error.code
    if flags["help"]:
        invocation.out(_help(command.name))
        return 0
    own = frozenset(flag.name for flag in command.flags)
    session = Session(invocation, f"kubectl {command.name}", flags, own)
    try:
        if any("-" in str(flags.values.get(name, "")) and "-" in _paths(flags.values[name]) for name in INPUT_FLAGS):
            session.standard_input = await invocation.all()
        session.err(output.check(session))
        return await command.run(session, flags.arguments)
    except CommandError as error:
        invocation.out(error.printed)
        invocation.err(f"{errors.describe(error, session.server)}\n")
        return error.code
    except (Refusal, OSError, ssl.SSLError) as error:
        invocation.err(f"{errors.describe(error, session.server)}\n")
        return 1
    finally:
        await session.close()


def _paths(value: str | list[str]) -> list[str]:
    """Return the files that a flag names."""
    return [path for given in ([value] if isinstance(value, str) else value) for path in given.split(",")]


def _global_flags_apart(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the flags before a command or its subcommand (`kubectl config --kubeconfig=a view`), and the rest."""
    leading = _flags_first(words)
    words = words[len(leading) :]
    for length in (1, 2):
        between = _flags_first(words[length:])
        without = [*words[:length], *words[length + len(between) :]]
        if between and " ".join(without[: length + 1]) in (COMMANDS.keys() | GROUPS.keys()) and _are_global(between):
            leading, words = [*leading, *between], without
    return leading, words


def _are_global(flags: list[str]) -> bool:
    names = {f"--{flag.name}" for flag in GLOBAL_FLAGS} | {f"-{flag.short}" for flag in GLOBAL_FLAGS if flag.short}
    return all(word.partition("=")[0] in names for word in flags if word.startswith("-"))


def _flags_first(words: list[str]) -> list[str]:
    """Return the flags that these words begin with, each with its value."""
    with_value = {f"--{flag.name}" for flag in GLOBAL_FLAGS if flag.kind != "bool"}
    with_value |= {f"-{flag.short}" for flag in GLOBAL_FLAGS if flag.short and flag.kind != "bool"}
    position = 0
    while position < len(words) and words[position].startswith("-") and words[position] not in ("-h", "--help"):
        position += 2 if words[position] in with_value else 1
    return words[:position]


def _others(own: Sequence[Flag]) -> list[Flag]:
    names = {flag.name for flag in own}
    shorts = {flag.short for flag in own}
    return [flag for flag in GLOBAL_FLAGS if flag.name not in names and (not flag.short or flag.short not in shorts)]


def _group(invocation: Invocation, group: str, rest: list[str]) -> int:
    if rest and not rest[0].startswith("-"):
        text = f'unknown command "{" ".join(rest)}"'
        invocation.err(f"error: {text}\nSee 'kubectl {group} -h' for help and examples\n")
        return 1
    aliases = table_of_commands.ALIASES
    names = sorted(name for name in COMMANDS if name.startswith(f"{group} ") and name not in aliases)
    width = max(13, *(len(name) - len(group) + 1 for name in names)) + 1
    lines = [f"  {name.removeprefix(f'{group} '):<{width}}{COMMANDS[name].summary}" for name in names]
    usage = f"\n\nUsage:\n  kubectl {USAGES.get(group, f'{group} [flags]')} [options]\n\n" + MORE.format(group)
    invocation.err(f"{GROUPS[group]}\n\nAvailable Commands:\n" + "\n".join(lines) + usage)
    return 1


def _overview() -> str:
    width = max(len(name) for name in COMMANDS) + 2
    lines = [f"  {name:<{width}}{command.summary}" for name, command in sorted(COMMANDS.items())]
    return INTRODUCTION + "\n".join(lines) + "\n\nUsage:\n  kubectl [flags] [options]\n"


def _help(name: str) -> str:
    command = COMMANDS[name]
    flags = [f"    --{flag.name}" + (f", -{flag.short}" if flag.short else "") for flag in command.flags]
    options = "\n\nOptions:\n" + "\n".join(flags) if flags else ""
    return f"{command.summary}.\n\nUsage:\n  kubectl {command.usage or name} [options]{options}\n"
