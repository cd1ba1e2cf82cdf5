"""The table of commands: what can be typed after `kubectl`, with which flags, and what it does.

find(["rollout", "status", "deploy/web"])     the command `kubectl rollout status`, and ["deploy/web"]
"""

import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

Run = Callable[[Session, list[str]], Awaitable[int]]


class Command(msgspec.Struct, frozen=True):
    """One command of kubectl: what runs it, its own flags, and what its help says.

    `runs` and `options` name a function and a list of flags in a module of this room, "rollout.status": a module is
    loaded when one of its commands is typed.
    """

    name: str
    runs: str
    options: str = ""
    summary: str = ""
    usage: str = ""

    @property
    def run(self) -> Run:
        """What runs it; ImportError, AttributeError where there is no such thing."""
        run: Run = _named(self.runs)
        return run

    @property
    def flags(self) -> Sequence[Flag]:
        """Its own flags; ImportError, AttributeError where there are no such."""
        flags: Sequence[Flag] = _named(self.options) if self.options else ()
        return flags


def _named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return pkgutil.resolve_name(f"{__package__}.{module}:{name}")


COMMANDS: dict[str, Command] = {}
"""By name, with subcommands as "rollout status"."""

USAGES: Mapping[str, str] = {
    "create secret": "create secret (docker-registry | generic | tls)",
    "certificate": "certificate SUBCOMMAND",
    "set": "set SUBCOMMAND",
    "config": "config SUBCOMMAND",
    "rollout": "rollout SUBCOMMAND",
}
"""How groups are typed, where that is not the name and [flags]."""

GROUPS: Mapping[str, str] = {
    "auth": "Inspect authorization.",
    "config": "Modify kubeconfig files.",
    "create secret": "Create a secret with specified type.\n\n"
    " A docker-registry type secret is for accessing a container registry.\n\n"
    " A generic type secret indicate an Opaque secret type.\n\n"
    " A tls type secret holds TLS certificate and its associated key.",
    "create service": "Create a service using a specified subcommand.\n\nAliases:\nservice, svc",
    "certificate": "Modify certificate resources.",
    "plugin": "Provides utilities for interacting with plugins.",
    "top": "Display resource (CPU/memory) usage.\n\n"
    " The top command allows you to see the resource consumption for nodes or pods.\n\n"
    " This command requires Metrics Server to be correctly configured and working on the server.",
    "rollout": "Manage the rollout of one or many resources.",
    "set": "Configure application resources.\n\n"
    " These commands help you make changes to existing application resources.",
}
"""Commands that only have subcommands, and what is printed for them alone."""

ELSEWHERE = [
    "kustomize",
]
"""What the real kubectl has and this one has not."""


def find(words: Sequence[str]) -> tuple[Command, list[str]]:
    """Find the command that words begin with, and the words after its name. CommandError."""
    for length in (3, 2, 1):
        command = COMMANDS.get(" ".join(words[:length]))
        if command is not None and len(words) >= length:
            return command, list(words[length:])
    name = words[0]
    if name in ELSEWHERE:
        raise CommandError(
            f'"kubectl {name}" is not in this workstation\'s kubectl; the real one, through the gateway, has it'
        )
    raise CommandError(f'unknown command "{name}" for "kubectl"{_did_you_mean(name)}')


def _did_you_mean(name: str) -> str:
    known = sorted({command.partition(" ")[0] for command in [*COMMANDS, *ELSEWHERE]})
    near = [other for other in known if _distance(name.lower(), other) <= 2 or other.startswith(name.lower())]
    return "\n\nDid you mean this?\n\t" + "\n\t".join(near) if near else ""


def _distance(left: str, right: str) -> int:
    """Count the letters to change, add or drop (Levenshtein)."""
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, 1):
        before, row[0] = row[0], index
        for position, other in enumerate(right, 1):
            before, row[position] = (
                row[position],
                min(row[position] + 1, row[position - 1] + 1, before + (letter != other)),
            )
    return row[-1]


def register(*commands: Command) -> None:
    """Put commands into the table."""
    COMMANDS.update({command.name: command for command in commands})
