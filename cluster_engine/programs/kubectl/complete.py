"""`kubectl __complete`: what could stand at the end of a command line, as shells ask for it when somebody presses Tab.

    kubectl __complete get po           pods, poddisruptionbudgets…      GET /api, GET /apis, where they are not kept
    kubectl __complete get pods w       web-1, web-2                     GET …/pods?limit=500
    kubectl __complete get pods -       --namespace, --output, …         nothing is asked

Each candidate is a line, a description may follow a tab, and the last line is what the shell is to make of them: `:0`
that files are meant, `:4` that they are not. The last argument is the word that is being typed, "" for a new one. Names
are asked of the server, as whoever types it and in the namespace that the line names.

Modelled on cobra's completions.go and kubectl/pkg/util/completion. Left out: descriptions of flags, annotations of
plug-ins, names of containers in lists.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

import msgspec

from cluster_engine.api.status import Refusal
from cluster_engine.client import kubeconfig
from cluster_engine.client.kubeconfig import KubeConfigError
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.commands import COMMANDS, GROUPS, Command
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag, Parsed, parse
from cluster_engine.programs.kubectl.session import GLOBAL_FLAGS, Session

SECONDS_MAX = 5.0
NAMES_MAX = 500
FILES, NO_FILES = 0, 4
MEANING = {FILES: "ShellCompDirectiveDefault", NO_FILES: "ShellCompDirectiveNoFileComp"}
OUTPUTS = ("json", "yaml", "name", "wide", "jsonpath", "custom-columns")
OF_ANY_KIND = frozenset({
    "get", "describe", "delete", "edit", "label", "annotate", "patch", "scale", "expose", "wait", "explain",
    "autoscale", "rollout status", "rollout history", "rollout undo", "rollout restart", "rollout pause",
    "rollout resume", "set image", "set env", "set resources", "set serviceaccount", "set selector", "taint",
})  # fmt: skip
OF_ONE_KIND = {
    "logs": "pods", "exec": "pods", "attach": "pods", "port-forward": "pods", "cp": "pods", "debug": "pods",
    "cordon": "nodes", "uncordon": "nodes", "drain": "nodes",
}  # fmt: skip
OF_KUBECONFIG = {
    "config use-context": "contexts", "config set-context": "contexts", "config delete-context": "contexts",
    "config rename-context": "contexts", "config delete-cluster": "clusters", "config set-cluster": "clusters",
    "config delete-user": "users", "config set-credentials": "users",
}  # fmt: skip


class Line(msgspec.Struct):
    """A command line as far as it goes: its command, if it has one, what is no flag, a flag that lacks its value."""

    command: Command | None = None
    group: str = ""
    arguments: list[str] = msgspec.field(default_factory=list)
    flag: Flag | None = None
    globals: list[str] = msgspec.field(default_factory=list)


async def run(invocation: Invocation, words: Sequence[str]) -> int:
    """Run kubectl __complete."""
    *before, current = words or [""]
    line = _read(before)
    flags = Parsed(values=parse([], GLOBAL_FLAGS, "kubectl").values)
    with contextlib.suppress(CommandError):
        flags = parse(line.globals, GLOBAL_FLAGS, "kubectl")
    session = Session(invocation, "kubectl get", flags)
    found: Iterable[str] = ()
    directive = NO_FILES
    try:
        async with asyncio.timeout(SECONDS_MAX):
            found, directive = await _candidates(session, line, current)
    except (CommandError, Refusal, OSError, TimeoutError, KubeConfigError):
        pass
    finally:
        await session.close()
    for one in found:
        invocation.out(f"{one}\n")
    invocation.out(f":{directive}\n")
    invocation.err(f"Completion ended with directive: {MEANING[directive]}\n")
    return 0


def _read(words: Sequence[str]) -> Line:
    """Read the words before the one that is typed."""
    line, rest = Line(), list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            line.arguments.append(word)
            _find_command(line)
            continue
        flag = next((one for one in _flags(line) if word.partition("=")[0] in _names(one)), None)
        needs_value = flag is not None and flag.kind != "bool" and flag.without_value is None and "=" not in word
        value = [rest.pop(0)] if needs_value and rest else []
        if needs_value and not value:
            line.flag = flag
        elif flag in GLOBAL_FLAGS:
            line.globals += [word, *value]
    return line


def _find_command(line: Line) -> None:
    """Take the words that name a command out of the arguments, once they do."""
    if line.command is not None:
        return
    name = " ".join(filter(None, [line.group, *line.arguments]))
    longer = any(other.startswith(f"{name} ") for other in COMMANDS)
    if name in COMMANDS and not longer:
        line.command, line.group, line.arguments = COMMANDS[name], "", []
    elif name in GROUPS or longer:
        line.group, line.arguments = name, []


def _flags(line: Line) -> list[Flag]:
    command = line.command or COMMANDS.get(line.group)  # apply and create are commands, and have some below them
    own = list(command.flags) if command else []
    return [*own, *(flag for flag in GLOBAL_FLAGS if flag.name not in {one.name for one in own})]


def _names(flag: Flag) -> list[str]:
    return [f"--{flag.name}", *([f"-{flag.short}"] if flag.short else [])]


async def _candidates(session: Session, line: Line, current: str) -> tuple[list[str], int]:
    if line.flag is not None:
        return await _values(session, line, line.flag, current)
    if current.startswith("-"):
        return _starting(current, (f"--{flag.name}" for flag in _flags(line))), NO_FILES
    if line.command is None:
        return _commands(line, current), NO_FILES
    return await _arguments(session, line, line.command.name, current)


def _commands(line: Line, current: str) -> list[str]:
    if line.arguments:  # what was typed so far is no command
        return []
    prefix = f"{line.group} " if line.group else ""
    found: dict[str, str] = {}
    for name, command in sorted(COMMANDS.items()):
        if name.startswith(prefix):
            word, _, rest = name.removeprefix(prefix).partition(" ")
            found.setdefault(word, GROUPS.get(prefix + word, "") if rest else command.summary)
    return [f"{word}\t{summary}" if summary else word for word, summary in found.items() if word.startswith(current)]


async def _values(session: Session, line: Line, flag: Flag, current: str) -> tuple[list[str], int]:
    match flag.name:
        case "namespace":
            return _starting(current, await _objects(session, "namespaces")), NO_FILES
        case "output":
            return _starting(current, OUTPUTS), NO_FILES
        case "context" | "cluster" | "user":
            return _starting(current, _entries(session, f"{flag}s")), NO_FILES
        case "container" if line.arguments:
            return _starting(current, await _containers(session, line.arguments[0])), NO_FILES
        case _:
            return [], FILES


async def _arguments(session: Session, line: Line, command: str, current: str) -> tuple[list[str], int]:
    given = line.arguments
    if command in OF_KUBECONFIG:
        return _starting(current, [] if given else _entries(session, OF_KUBECONFIG[command])), NO_FILES
    if command in OF_ONE_KIND:
        several = command in ("cordon", "uncordon", "drain")
        names = await _objects(session, OF_ONE_KIND[command]) if several or not given else []
        return _starting(current, (name for name in names if name not in given)), NO_FILES
    if command not in OF_ANY_KIND:
        return [], FILES
    if "/" in current or any("/" in one for one in given):
        kind, slash, _ = current.partition("/")
        names = [f"{kind}/{name}" for name in await _objects(session, kind)] if slash else []
        return _starting(current, (name for name in names if name not in given)), NO_FILES
    if not given:
        served = await discovery.resources(session)
        kinds = {f"{one.plural}.{one.group}".rstrip(".") for one in served if "get" in one.verbs}
        return _starting(current, sorted(kinds)), NO_FILES
    if command == "explain":
        return [], NO_FILES
    names = await _objects(session, given[0])
    return _starting(current, (name for name in names if name not in given[1:])), NO_FILES


def _starting(current: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(current)]


async def _objects(session: Session, kind: str) -> list[str]:
    resource = await discovery.find(session, kind)
    namespace = session.namespace if resource.namespaced else None
    listed = await session.get(resource.path(namespace), {"limit": NAMES_MAX})
    return [item["metadata"]["name"] for item in listed["items"]]


async def _containers(session: Session, pod: str) -> list[str]:
    resource = await discovery.find(session, "pods")
    obj = await session.get(resource.path(session.namespace, pod.removeprefix("pod/")))
    return [one["name"] for field_ in ("initContainers", "containers") for one in obj["spec"].get(field_) or []]


def _entries(session: Session, section: str) -> list[str]:
    try:
        config = kubeconfig.read(session.process.files, session.kubeconfig) or {}
    except FileNotFoundError:
        return []
    return sorted(str(entry["name"]) for entry in config.get(section) or [])
