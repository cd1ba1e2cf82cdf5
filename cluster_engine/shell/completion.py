"""What Tab finds at the end of a line: programs, kubectl's words, hosts, files.

    complete(terminal, "kube")                   Completion(0, ("kubeadm", "kubectl"))
    complete(terminal, "kubectl get pods we")    Completion(17, ("web-1", "web-2")), by `kubectl __complete get pods we`
    complete(terminal, "cat /etc/ho")            Completion(4, ("/etc/hosts",))          a folder ends in /

As with bash-completion, kubectl itself is asked what it would understand: a process, whose requests cross the wire. It
is part of the run, as a line is. Modelled on readline with bash-completion. Left out: variables, words in quotes.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.programs.invocation import absolute
from cluster_engine.programs.streams import Captured, Nowhere, Streams, is_directory
from cluster_engine.programs.table import ALIASES
from cluster_engine.shell import remote

if TYPE_CHECKING:
    from cluster_engine.shell.shell import Place, Session

WORDS_MAX = 200
SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 256 * 1024
BEGINS_COMMAND = frozenset(";|&(\n")
FILES = ":0"


class Completion(msgspec.Struct, frozen=True):
    """What may stand from a character of the line on: at most WORDS_MAX words."""

    begin: int
    words: tuple[str, ...] = ()


async def complete(terminal: "Session", place: "Place", line: str) -> Completion:
    """Find what may stand at the end of a line."""
    begin = len(line) - len(line.rsplit(None, 1)[-1]) if line and not line[-1].isspace() else len(line)
    current = line[begin:]
    for at in range(len(current) - 1, -1, -1):
        if current[at] in BEGINS_COMMAND or current[at] in "<>":
            begin, current = begin + at + 1, current[at + 1 :]
            break
    words = _words(line[:begin])
    if not words:
        found: Iterable[str] = _programs(terminal, current)
    else:
        found = await _arguments(terminal, place, words, current)
    return Completion(begin, tuple(sorted(set(found))[:WORDS_MAX]))


def _words(before: str) -> list[str]:
    """Return the words of the last command in a line, without assignments and sudo."""
    start = max((at + 1 for at, letter in enumerate(before) if letter in BEGINS_COMMAND), default=0)
    words = before[start:].split()
    while words and (words[0] == "sudo" or "=" in words[0] or words[0] in ("do", "then", "else", "!", "{")):
        words.pop(0)
    return words


def _programs(terminal: "Session", current: str) -> list[str]:
    names = {*terminal.programs, *terminal.builtins}
    return [name for name in names if name.startswith(current) and name[0].isalpha()]


async def _arguments(terminal: "Session", place: "Place", words: list[str], current: str) -> list[str]:
    name = ALIASES.get(words[0], words[0])
    if words[-1] in ("<", ">", ">>", "2>"):
        return _files(place, current)
    if name == "kubectl":
        answer = await _ask_kubectl(terminal, place, [*words[1:], current])
        *found, directive = answer or [FILES]
        return _files(place, current) if directive == FILES else [one.partition("\t")[0] for one in found]
    if name == "ssh" and len(words) == 1:
        hosts = (host.name for host in remote.machines(terminal.world))
        return [host for host in hosts if host.startswith(current)]
    if name == "scp" and ":" not in current:
        hosts = (f"{host.name}:" for host in remote.machines(terminal.world))
        return [*(host for host in hosts if host.startswith(current)), *_files(place, current)]
    if name in ("man", "which", "type", "watch", "xargs") and len(words) == 1:
        return _programs(terminal, current)
    return _files(place, current)


async def _ask_kubectl(terminal: "Session", place: "Place", words: list[str]) -> list[str]:
    """Run `kubectl __complete`; return the lines that it printed."""
    from cluster_engine.programs import running

    captured = Captured(ANSWER_BYTES_MAX)
    environment = {name: place.variables[name] for name in place.exported if name in place.variables}
    program = terminal.programs.get("kubectl")
    if program is None:
        return []
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await running.run(
                terminal.world,
                place.host,
                program,
                ["kubectl", "__complete", *words],
                Streams(Nowhere(), captured, Nowhere()),
                environment=environment,
                directory=place.directory,
                files=place.root,
            )
    except TimeoutError:
        return []
    return captured.text.splitlines()


def _files(place: "Place", current: str) -> list[str]:
    """Return the paths that begin so; hidden ones only where a dot is typed."""
    folder, slash, name = current.rpartition("/")
    typed = folder + slash
    directory = absolute(typed or ".", place.directory) if typed != "/" else "/"
    try:
        names = place.files.listdir(directory)
    except OSError:
        return []
    found = []
    for one in names:
        if one.startswith(name) and (name or not one.startswith(".")):
            path = f"{directory.rstrip('/')}/{one}"
            found.append(f"{typed}{one}{'/' if is_directory(place.files, path) else ''}")
    return found
