"""kubeadm: the one list of its commands, and how each is called.

    kubeadm token create --print-join-command     on the control plane
    kubeadm join 10.0.0.1:6443 --token … --discovery-token-ca-cert-hash sha256:…      on a new machine

Clusters are made without it here. Modelled on cmd/kubeadm/app/cmd (1.32). Left out: init, upgrade, config, version's
details, completion, phases.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm import certs, join, kubeconfig, reset, token
from cluster_engine.programs.kubeadm.errors import HINT, KubeadmError
from cluster_engine.programs.kubectl.errors import UsageError
from cluster_engine.programs.kubectl.flags import Flag, Parsed, parse
from cluster_engine.version import VERSION


class Command(msgspec.Struct, frozen=True):
    """A command: what runs it, its flags, and what it does."""

    run: Callable[[Invocation, Parsed], Awaitable[int]]
    flags: Sequence[Flag]
    summary: str
    usage: str = ""


async def version(invocation: Invocation, _: Parsed) -> int:
    """Print the version."""
    invocation.out(f"kubeadm version: {VERSION}\n")
    return 0


COMMANDS = {
    "certs check-expiration": Command(
        certs.check_expiration, certs.FLAGS, "Check certificates expiration for a Kubernetes cluster"
    ),
    "join": Command(
        join.join, join.FLAGS, "Run this on any machine you wish to join an existing cluster", "[api-server-endpoint]"
    ),
    "kubeconfig user": Command(
        kubeconfig.user, kubeconfig.FLAGS, "Output a kubeconfig file for an additional user", "[flags]"
    ),
    "reset": Command(
        reset.reset,
        reset.FLAGS,
        "Performs a best effort revert of changes made to this host by 'kubeadm init' or 'kubeadm join'",
    ),
    "token create": Command(token.create, token.CREATE_FLAGS, "Create bootstrap tokens on the server", "[token]"),
    "token delete": Command(
        token.delete, (token.KUBECONFIG,), "Delete bootstrap tokens on the server", "[token-value] ..."
    ),
    "token generate": Command(
        token.generate, (), "Generate and print a bootstrap token, but do not create it on the server"
    ),
    "token list": Command(token.show, (token.KUBECONFIG,), "List bootstrap tokens on the server"),
    "version": Command(version, (Flag("output", "o", default=""),), "Print the version of kubeadm"),
}
GROUPS = frozenset(name.split()[0] for name in COMMANDS if " " in name)
COMMON = (Flag("help", "h", kind="bool"), Flag("v", "v", kind="int", default=0))
OVERVIEW = "kubeadm: easily bootstrap a secure Kubernetes cluster.\n\nOn this machine it can do this:\n\n{commands}"


async def kubeadm(invocation: Invocation) -> int:
    """Run kubeadm; give its exit code."""
    words = list(invocation.argv[1:])
    if not words or words[0] in ("help", "-h", "--help"):
        return _overview(invocation, "")
    name = " ".join(words[:2]) if words[0] in GROUPS else words[0]
    command = COMMANDS.get(name)
    try:
        if command is None:
            return _unknown(invocation, words)
        flags = parse(words[len(name.split()) :], (*command.flags, *COMMON), f"kubeadm {name}")
        if flags["help"]:
            return _usage(invocation, name, command)
        return await command.run(invocation, flags)
    except (KubeadmError, UsageError) as problem:
        invocation.err(f"{problem}\n{HINT}\n")
        return problem.code


def _overview(invocation: Invocation, below: str) -> int:
    found = {name: one for name, one in COMMANDS.items() if name.startswith(below)}
    width = max(len(name) for name in found)
    lines = "".join(f"  kubeadm {name:{width}}   {one.summary}\n" for name, one in found.items())
    invocation.out(OVERVIEW.format(commands=lines))
    return 0


def _unknown(invocation: Invocation, words: Sequence[str]) -> int:
    if words[0] not in GROUPS:
        raise KubeadmError(f'unknown command "{words[0]}" for "kubeadm"')
    if len(words) == 1 or words[1] in ("-h", "--help"):
        _overview(invocation, f"{words[0]} ")
        return 0 if len(words) > 1 else 1
    raise KubeadmError(f'invalid subcommand "{words[1]}"')


def _usage(invocation: Invocation, name: str, command: Command) -> int:
    flags = "".join(f"      --{flag.name}\n" for flag in command.flags)
    usage = f"Usage:\n  kubeadm {name} {command.usage or '[flags]'}\n"
    invocation.out(f"{command.summary}\n\n{usage}{f'{chr(10)}Flags:{chr(10)}{flags}' if flags else ''}")
    return 0
