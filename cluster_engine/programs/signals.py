"""kill: sending a signal to a process by its number. The shell's own `kill` knows jobs too (`shell/builtins.py`).

    kill 123            SIGTERM: it may clean up
    kill -9 123         SIGKILL: it is gone at this instant
    kill -0 123         only whether it is there

Process 1 of a container hears only what it has asked for, and SIGKILL from its host (pid_namespaces(7)). Of a service
that dies of it, its supervisor starts the next (`world/supervisor.py`). Modelled on bash's builtin and on procps 4.0.2.
Left out: stopping and continuing (STOP, TSTP, CONT), process groups.
"""

import signal
from collections.abc import Sequence

from cluster_engine.programs.invocation import Invocation
from cluster_engine.world.files import FileSystem
from cluster_engine.world.pids import OF_MACHINES
from cluster_engine.world.process import SIGTERM, Host

SIGKILL = 9
LEFT_OUT = frozenset({18, 19, 20, 21, 22})
"""CONT, STOP, TSTP, TTIN, TTOU: nothing here can be stopped and go on."""
HARMLESS = frozenset({17, 23, 28})
"""CHLD, URG, WINCH, which a process that does not ask for them never sees."""
_NAMES = {one.name.removeprefix("SIG"): one.value for one in signal.Signals if one.value < 32}


class SignalError(Exception):
    """A signal that cannot be sent; the text follows "kill: "."""


def number(text: str) -> int:
    """Read a signal: 9, KILL or SIGKILL. SignalError."""
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 32:
        return int(text)
    found = _NAMES.get(text.upper().removeprefix("SIG"))
    if found is None:
        raise SignalError(f"{text}: invalid signal specification")
    return found


def read(words: Sequence[str]) -> tuple[int, list[str]]:
    """Read a command line: the signal, and to whom. SignalError."""
    rest, found = list(words), SIGTERM
    if rest and rest[0] in ("-s", "-n") and len(rest) > 1:
        found, rest = number(rest[1]), rest[2:]
    elif rest and rest[0].startswith("-") and rest[0] != "--" and len(rest[0]) > 1:
        found, rest = number(rest[0][1:]), rest[1:]
    return found, rest[1:] if rest[:1] == ["--"] else rest


def send(host: Host, files: FileSystem, word: str, which: int) -> None:
    """Send a signal to the process of that number, as those see it who see these files. SignalError."""
    if not (word.isascii() and word.isdigit()):
        raise SignalError(f"{word}: arguments must be process or job IDs")
    process = host.machine.processes.get(files.pids.pid(int(word[:9])))
    if process is not None and files.pids is not OF_MACHINES and process.files.pids is not files.pids:
        process = None
    if word == "1" and process is None:
        return  # init takes no signal that it has not asked for
    if process is None:
        raise SignalError(f"({word}) - No such process")
    if which in LEFT_OUT:
        raise SignalError(f"({word}) - processes cannot be stopped and continued here")
    if which == 0 or which in HARMLESS:
        return
    unit = host.units.get(process.unit)
    if unit is not None:
        unit.signal(which)
    elif process.is_first:
        if which == SIGTERM:
            process.hear_sigterm()
        elif which == SIGKILL and process.files is not files:
            process.kill()
    elif which == SIGTERM:
        process.terminate()
    else:
        process.kill(signal=which)


def listed() -> str:
    """Return the signals as `kill -l` of bash prints them, four to a row and a half."""
    told = [f"{value:2}) SIG{name}" for name, value in _NAMES.items()]
    rows = [told[at : at + 5] for at in range(0, len(told), 5)]
    return "".join("\t".join(row) + "\n" for row in rows)


async def kill(invocation: Invocation) -> int:
    """Run kill."""
    words = invocation.argv[1:]
    if words[:1] == ["-l"]:
        invocation.out(listed())
        return 0
    code = 0
    try:
        which, targets = read(words)
    except SignalError as problem:
        invocation.err(f"kill: {problem}\n")
        return 1
    if not targets:
        invocation.err("kill: not enough arguments\n")
        return 1
    for word in targets:
        try:
            send(invocation.process.host, invocation.files, word, which)
        except SignalError as problem:
            invocation.err(f"kill: {problem}\n")
            code = 1
    return code
