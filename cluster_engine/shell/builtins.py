"""What the shell does itself, because it changes the shell: directory, variables, jobs, the host one is on.

Modelled on bash's builtins. `sudo` is here because everybody is root on these hosts: it runs what follows it.
"""

import asyncio
from collections.abc import Mapping, Sequence

from cluster_engine.programs import signals
from cluster_engine.programs.invocation import HOME, absolute
from cluster_engine.programs.keyboard import is_terminal
from cluster_engine.programs.signals import SignalError
from cluster_engine.programs.streams import Streams, is_directory
from cluster_engine.programs.table import ALIASES
from cluster_engine.shell import remote, scripting
from cluster_engine.shell.interpreter import LoopControl, Own, ShellExit
from cluster_engine.shell.reading import read_and_run
from cluster_engine.shell.scp import scp
from cluster_engine.shell.scripting import UsageError
from cluster_engine.shell.shell import PROGRAMS_IN_REALITY, Builtin, Shell
from cluster_engine.shell.syntax import SyntaxFailure, is_name, parse

CODE_DIGITS_MAX = 9
SUDO_USAGE = "usage: sudo [-u user] [VAR=value] command [argument ...]"


async def _nothing(_: Shell, __: Sequence[str], ___: Streams) -> int:
    return 0


async def _cd(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    wanted = words[1] if len(words) > 1 else shell.value("HOME") or HOME
    if wanted == "-":
        wanted = shell.value("OLDPWD") or ""
        shell.say(f"{wanted}\n", streams.stdout)
    path = absolute(wanted, shell.place.directory)
    files = shell.place.files
    problem = ""
    if not is_directory(files, path):
        problem = "Not a directory" if files.exists(path) else "No such file or directory"
    if problem or not wanted:
        shell.complain(f"cd: {wanted}: {problem}" if wanted else "cd: OLDPWD not set", streams)
        return 1
    shell.assign("OLDPWD", shell.place.directory)
    shell.assign("PWD", path)
    shell.place.directory = path
    return 0


async def _pwd(shell: Shell, _: Sequence[str], streams: Streams) -> int:
    shell.say(f"{shell.place.directory}\n", streams.stdout)
    return 0


async def _export(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    names = [word for word in words[1:] if word != "-p"]
    code = 0
    for word in names:
        name, equals, value = word.partition("=")
        if not is_name(name):
            shell.complain(f"export: `{word}': not a valid identifier", streams)
            code = 1
            continue
        if equals:
            shell.assign(name, value)
        shell.place.exported[name] = None
    if not names:
        known = [name for name in sorted(shell.place.exported) if name in shell.variables]
        shell.say("".join(f'export {name}="{shell.variables[name]}"\n' for name in known), streams.stdout)
    return code


async def _unset(shell: Shell, words: Sequence[str], _: Streams) -> int:
    for name in words[1:]:
        shell.forget(name)
        shell.place.exported.pop(name, None)
        if words[1] == "-f" or name not in shell.variables:
            shell.own.functions.pop(name, None)
    return 0


async def _exit(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if len(words) < 2:
        raise ShellExit(shell.status)
    text = words[1].removeprefix("-")
    if not (text.isascii() and text.isdigit() and len(text) <= CODE_DIGITS_MAX):
        shell.complain(f"exit: {words[1]}: numeric argument required", streams)
        raise ShellExit(2)
    raise ShellExit(int(words[1]) & 0xFF)


async def _jobs(shell: Shell, _: Sequence[str], streams: Streams) -> int:
    jobs = shell.terminal.jobs
    shell.say("".join(f"{job.told()}\n" for job in jobs.all), streams.stdout)
    jobs.ended()
    return 0


async def _wait(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    jobs = shell.terminal.jobs
    code = 0
    for word in words[1:]:
        job = jobs.find(word)
        if job is None:
            shell.complain(f"wait: {word}: no such job", streams)
            code = 127
            continue
        await asyncio.wait([job.task])
        code = 143 if job.task.cancelled() else job.task.result()
    running = [job.task for job in jobs.all if not job.task.done()] if len(words) == 1 else []
    if running:
        await asyncio.wait(running)
    return code


async def _kill(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if words[1:2] == ["-l"]:
        shell.say(signals.listed(), streams.stdout)
        return 0
    try:
        which, targets = signals.read(words[1:])
    except SignalError as problem:
        shell.complain(f"kill: {problem}", streams)
        return 1
    if not targets:
        shell.complain("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l", streams)
        return 2
    code = 0
    for word in targets:
        job = shell.terminal.jobs.find(word)
        try:
            if job is not None and not job.task.done():
                if which:
                    job.task.cancel()
            elif word.startswith("%"):
                raise SignalError(f"{word}: no such job")
            else:
                signals.send(shell.place.host, shell.place.files, word, which)
        except SignalError as problem:
            shell.complain(f"kill: {problem}", streams)
            code = 1
    return code


async def _sudo(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-u", "-g") and rest:
            rest.pop(0)
        if option == "--":
            break
    assigned: dict[str, str] = {}
    while rest and is_name(rest[0].partition("=")[0]) and "=" in rest[0]:
        name, _, value = rest.pop(0).partition("=")
        assigned[name] = value
    if not rest:
        shell.say(f"{SUDO_USAGE}\n", streams.stderr)
        return 1
    if rest[0] in BUILTINS and rest[0] not in PROGRAMS_IN_REALITY:
        shell.say(f"sudo: {rest[0]}: command not found\n", streams.stderr)
        return 1
    return await shell.execute(rest, assigned, streams)


async def _sh(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run another shell: `sh -c SCRIPT`, `sh FILE`, or what is piped in, each with parameters."""
    name = words[0]
    try:
        start = scripting.started(words[1:])
    except UsageError as problem:
        shell.say(f"{name}: {problem}\n", streams.stderr)
        return 2
    if start.file is not None:
        try:
            data = shell.place.files.read(absolute(start.file, shell.place.directory))
        except OSError as error:
            shell.say(f"{name}: {start.file}: {error.strerror}\n", streams.stderr)
            return 127
        start.script = data.decode("utf-8", "replace")
    if start.script is not None:
        return await run_text(shell, start.script, streams, start.own)
    return await _read(shell, streams, start.own)


async def _read(shell: Shell, streams: Streams, own: Own) -> int:
    """Run what standard input says, line by line, in a shell of its own."""
    inner = _child(shell, own, streams)
    at_terminal = is_terminal(streams.stdin)
    with shell.budget.deeper():
        try:
            return await read_and_run(inner, streams, (lambda: "# ") if at_terminal else None)
        except ShellExit as end:
            return end.code
        except LoopControl:
            return 0
        except SyntaxFailure as failure:
            shell.complain(str(failure), streams)
            return 2
        finally:
            inner.give_back()


def _path_of(shell: Shell, name: str) -> str:
    """Return where a program lies; "" where there is none of that name."""
    return f"/usr/bin/{name}" if name in shell.terminal.programs or name in PROGRAMS_IN_REALITY else ""


async def _which(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    found = [_path_of(shell, word) for word in words[1:] if not word.startswith("-")]
    shell.say("".join(f"{path}\n" for path in found if path), streams.stdout)
    return 0 if all(found) else 1


async def _type(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    code = 0
    for word in words[1:]:
        path = _path_of(shell, word)
        if word in shell.own.functions:
            shell.say(f"{word} is a function\n", streams.stdout)
        elif word in BUILTINS and word not in PROGRAMS_IN_REALITY:
            shell.say(f"{word} is a shell builtin\n", streams.stdout)
        elif word in ALIASES:
            shell.say(f"{word} is aliased to `{ALIASES[word]}'\n", streams.stdout)
        elif path:
            shell.say(f"{word} is {path}\n", streams.stdout)
        else:
            shell.complain(f"type: {word}: not found", streams)
            code = 1
    return code


async def _command(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    rest = list(words[1:])
    if rest[:1] == ["-V"]:
        return await _type(shell, rest, streams)
    if rest[:1] != ["-v"]:
        return await shell.execute(rest, {}, streams) if rest else 0
    found = [
        word if word in BUILTINS or word in shell.own.functions else _path_of(shell, ALIASES.get(word, word))
        for word in rest[1:]
    ]
    shell.say("".join(f"{path}\n" for path in found if path), streams.stdout)
    return 0 if found and any(found) else 1


def _child(shell: Shell, own: Own, streams: Streams) -> Shell:
    """Return a shell of its own, which is given what is exported."""
    inner = shell.copy()
    inner.own = inner.place.own = own
    inner.locals, inner.stderr = [], streams.stderr
    inner.variables = inner.place.variables = {
        name: value for name, value in inner.variables.items() if name in inner.place.exported
    }
    return inner


async def run_text(shell: Shell, text: str, streams: Streams, own: Own) -> int:
    """Run a script in a shell of its own, which is given what is exported; return its exit code."""
    shell.budget.work(8 * len(text))
    inner = _child(shell, own, streams)
    try:
        script = parse(text)
    except SyntaxFailure as failure:
        shell.complain(str(failure), streams)
        return 2
    with shell.budget.deeper():
        return await inner.whole(script, streams)


OF_SCRIPTS: Mapping[str, Builtin] = {
    ":": _nothing,
    "set": scripting.set_,
    "shift": scripting.shift,
    "return": scripting.return_,
    "local": scripting.local,
    "eval": scripting.eval_,
    "source": scripting.source,
    ".": scripting.source,
    "read": scripting.read,
}
BUILTINS: Mapping[str, Builtin] = {
    **OF_SCRIPTS,
    "cd": _cd,
    "pwd": _pwd,
    "export": _export,
    "unset": _unset,
    "exit": _exit,
    "logout": _exit,
    "jobs": _jobs,
    "wait": _wait,
    "kill": _kill,
    "sudo": _sudo,
    "which": _which,
    "type": _type,
    "command": _command,
    "sh": _sh,
    "bash": _sh,
    "ssh": remote.ssh,
    "scp": scp,
}
