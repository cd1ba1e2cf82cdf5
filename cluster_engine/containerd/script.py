"""What a container's command does, worked out beforehand: from argv to a timeline.

Containers here run no programs. What a learner can see of one is when it writes which line, which files it makes, when
it ends and with what code, and how it takes SIGTERM; so a command is evaluated once, at its start, into exactly that.
A timeline is data: it lies on the host's disk, and a container lives on while containerd is away, as real ones do under
their shims.

Modelled on BusyBox's `sh`, as far as manifests in tutorials go: lists with `;` `&&` `||`, `if`, `while`, `for`, and
the handful of commands below. Left out: pipes (only the first command counts), redirection (its output is dropped),
functions, arithmetic, and every command not in `COMMANDS`, which is "not found" (127). What a script may cost is
bounded (`budget`). A turn of a loop takes at least TURN_SECONDS, so that no loop repeats without time going by.

    evaluate(["sh", "-c", "echo up; sleep 5; exit 3"], {})
    Timeline(lines=(Line(at=0.0, text="up"),), ends_at=5.0, exit_code=3)
"""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster_engine.containerd.budget import (
    CHARACTER_WORK,
    THING_BYTES,
    TOKEN_WORK,
    WORD_BYTES,
    Budget,
    OutOfMemoryError,
    SpentError,
    TooDeepError,
    check_memory,
)
from cluster_engine.containerd.script_syntax import OPERATORS, end_of_command, tokens, without_redirection
from cluster_engine.containerd.timeline import FileChange, Line, NotExecutableError, Repeat, Timeline, stamp

TURN_SECONDS = 0.001
SLEEP_SECONDS_MAX = 100 * 365 * 86_400
OUT_OF_MEMORY_CODE = 137
CANNOT_FORK = "sh: can't fork: Resource temporarily unavailable"

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def evaluate(argv: Sequence[str], env: Mapping[str, str], exists: Callable[[str], bool] = lambda _: False) -> Timeline:
    """Work out what a program of a BusyBox-like image does.

    `exists` tells of files that are there already. Raises NotExecutableError for an unknown program.
    """
    if not knows(argv[0]):
        raise NotExecutableError(f'exec: "{argv[0]}": executable file not found in $PATH')
    interpreter = _Interpreter(dict(env), exists, Budget())
    code, out_of_memory = 0, False
    ends_at: float | None = None
    try:
        code = interpreter.simple(list(argv))
        ends_at = interpreter.clock
    except _Exit as end:
        code, ends_at = end.code, interpreter.clock
    except OutOfMemoryError:
        code, ends_at, out_of_memory = OUT_OF_MEMORY_CODE, interpreter.clock, True
    except (_Forever, SpentError):
        pass
    return Timeline(
        lines=tuple(interpreter.lines),
        ends_at=ends_at,
        exit_code=code,
        out_of_memory=out_of_memory,
        repeat=interpreter.repeat,
        files=tuple(interpreter.files),
    )


def knows(program: str) -> bool:
    """Tell whether a BusyBox-like image has a program."""
    name = program.rpartition("/")[2]
    return name in SHELLS or name in COMMANDS or name in _ENDERS


class _Exit(Exception):  # noqa: N818  (control flow, not an error)
    def __init__(self, code: int) -> None:
        self.code = code


class _Forever(Exception):  # noqa: N818
    """The script never gets any further."""


@dataclass
class _Interpreter:
    """The state of one evaluation: the clock that `sleep` moves, and what has been seen by then."""

    env: dict[str, str]
    exists_before: Callable[[str], bool]
    budget: Budget
    clock: float = 0.0
    lines: list[Line] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    there: dict[str, bool] = field(default_factory=dict)
    repeat: Repeat | None = None

    def say(self, text: str, stream: str = "stdout") -> None:
        self.budget.work(len(text) + THING_BYTES * (1 + text.count("\n")))
        self.lines.extend(Line(self.clock, line, stream) for line in text.split("\n"))

    def exists(self, path: str) -> bool:
        known = self.there.get(path)
        return self.exists_before(path) if known is None else known

    def change(self, path: str, exists: bool) -> None:
        self.budget.work(THING_BYTES)
        self.files.append(FileChange(self.clock, path, exists))
        self.there[path] = exists

    def assign(self, name: str, value: str) -> None:
        self.budget.hold(len(value) - len(self.env.get(name, "")))
        self.env[name] = value

    def output(self, script: str) -> str:
        """Give what a script writes, in one line. It takes the time that it sleeps."""
        self.budget.work(WORD_BYTES * len(self.env))
        inner = _Interpreter(dict(self.env), self.exists, self.budget, self.clock)
        with self.budget.fork(), contextlib.suppress(_Exit):
            inner.script(script)
        self.clock = inner.clock
        return " ".join(line.text for line in inner.lines if line.stream == "stdout")

    def script(self, text: str) -> int:
        self.budget.work(CHARACTER_WORK * len(text))
        try:
            with self.budget.deeper():
                return self.block(tokens(text))
        except (ValueError, IndexError):  # a compound command without its `do`, `then`, `in` or end
            self.say("sh: syntax error: unexpected end of file", "stderr")
            return 2
        except TooDeepError:
            return self.cannot_fork()

    def cannot_fork(self) -> int:
        self.say(CANNOT_FORK, "stderr")
        return 2

    def block(self, words: list[str]) -> int:
        """Run a list of commands; `&&` and `||` look at the code of the one before."""
        code, position, operator = 0, 0, ";"
        while position < len(words):
            if OPERATORS.match(words[position]):
                operator = words[position]
                position += 1
                continue
            end = end_of_command(words, position)
            self.budget.work(TOKEN_WORK * (end - position))
            skipped = ("&&" in operator and code != 0) or ("||" in operator and code == 0) or operator == "|"
            if not skipped:
                with self.budget.deeper():
                    code = self.command(words[position:end])
            position, operator = end, ";"
        return code

    def command(self, words: list[str]) -> int:
        self.budget.step()
        match words[0]:
            case "while" | "until":
                return self.loop(words)
            case "for":
                return self.each(words)
            case "if":
                return self.branch(words)
        return self.simple(self.expanded(without_redirection(words)))

    def loop(self, words: list[str]) -> int:
        """Run the body as long as the condition holds; one that always holds is a `Repeat`.

        It always holds where it is a constant, and where a turn has left everything as it was. While a variable doubles
        in each turn there is a next turn nevertheless: soon there is no memory for it.
        """
        do = words.index("do")
        condition, body = words[1:do], words[do + 1 : -1]
        wanted = words[0] == "while"
        while True:
            begins_at, before = self.clock, len(self.lines)
            known, changes = dict(self.env), len(self.files)
            self.budget.work(WORD_BYTES * len(known))
            if (self.block(condition) == 0) != wanted:
                return 0
            self.block(body)
            self.clock = max(self.clock, begins_at + TURN_SECONDS)
            is_constant = condition[0] in {"true", ":", "false"} and not _doubles(known, self.env)
            if is_constant or (known == self.env and changes == len(self.files)):
                lines = tuple(Line(line.at - begins_at, line.text, line.stream) for line in self.lines[before:])
                self.repeat = Repeat(self.clock, self.clock - begins_at, lines)
                raise _Forever

    def each(self, words: list[str]) -> int:
        do = words.index("do")
        code = 0
        for word in self.expanded([word for word in words[3:do] if not OPERATORS.match(word)]):
            self.assign(words[1], word)
            code = self.block(words[do + 1 : -1])
        return code

    def branch(self, words: list[str]) -> int:
        then = words.index("then")
        other = words.index("else") if "else" in words else len(words) - 1
        if self.block(words[1:then]) == 0:
            return self.block(words[then + 1 : other])
        return self.block(words[other + 1 : -1])

    def simple(self, words: list[str]) -> int:
        """Run one command with its arguments."""
        self.budget.words(words)
        first = 0
        while first < len(words) and re.match(r"^\w+=", words[first]):
            name, _, value = words[first].partition("=")
            self.assign(name, value)
            first += 1
        words = words[first:]
        if not words:
            return 0
        name, arguments = words[0].rpartition("/")[2], words[1:]
        if name in _ENDERS or name in SHELLS:
            try:
                with self.budget.deeper():
                    return _ENDERS.get(name, _shell)(self, arguments)
            except TooDeepError:
                return self.cannot_fork()
        if name not in COMMANDS:
            self.say(f"sh: {words[0]}: not found", "stderr")
            return 127
        return COMMANDS[name](self, arguments)

    def expanded(self, words: list[str]) -> list[str]:
        """Expand words; OutOfMemoryError as soon as they are too large."""
        size, found = 0, []
        for word in words:
            found.append(self.expand(word))
            size += len(found[-1])
            check_memory(size)
        return found

    def expand(self, word: str) -> str:
        """Resolve variables, and `$(…)` by what its commands would write."""
        if "$" not in word and "`" not in word:
            return word
        word = self._replace(_SUBSTITUTION, lambda match: self.output(match[1] or match[2] or ""), word)
        return self._replace(_VARIABLE, lambda match: self.env.get(match[1] or match[2], ""), word)

    def _replace(self, pattern: re.Pattern[str], value: Callable[[re.Match[str]], str], word: str) -> str:
        """Replace every match by its value; OutOfMemoryError before the whole has become too large."""
        pieces, size, end = [], len(word), 0
        for match in pattern.finditer(word):
            pieces += [word[end : match.start()], value(match)]
            size += len(pieces[-1])
            check_memory(size)
            self.budget.work(len(pieces[-1]) + THING_BYTES)
            end = match.end()
        pieces.append(word[end:])
        return "".join(pieces)


def _doubles(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Tell whether a variable is new, or at least twice as long as it was."""
    return any(len(value) >= 2 * len(before.get(name, "")) for name, value in after.items() if value)


def _shell(shell: _Interpreter, arguments: list[str]) -> int:
    """An interactive shell without a terminal reads end-of-file and ends; with -c it runs the script."""
    if "-c" not in arguments:
        return 0
    script = arguments[arguments.index("-c") + 1 :]
    return shell.script(script[0]) if script else 2


def _sleep(shell: _Interpreter, arguments: list[str]) -> int:
    total = 0.0
    for argument in arguments:
        if argument in {"infinity", "inf"}:
            raise _Forever
        match = re.match(r"^(\d+(?:\.\d+)?)([smhd]?)$", argument)
        if not match:
            shell.say(f"sleep: invalid number '{argument}'", "stderr")
            return 1
        total += float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if total > SLEEP_SECONDS_MAX:
        raise _Forever
    shell.clock += total
    return 0


def _exit(shell: _Interpreter, arguments: list[str]) -> int:
    if not arguments:
        raise _Exit(0)
    if not re.fullmatch(r"[0-9]{1,9}", arguments[0]):
        shell.say(f"sh: exit: Illegal number: {arguments[0]}", "stderr")
        raise _Exit(2)
    raise _Exit(int(arguments[0]) & 0xFF)


def _tail(shell: _Interpreter, arguments: list[str]) -> int:
    if "-f" in arguments:
        raise _Forever
    return 0


def _cat(shell: _Interpreter, arguments: list[str]) -> int:
    for path in arguments:
        if not shell.exists(path):
            shell.say(f"cat: can't open '{path}': No such file or directory", "stderr")
            return 1
    return 0


def _test(shell: _Interpreter, arguments: list[str]) -> int:
    arguments = [argument for argument in arguments if argument != "]"]
    match arguments:
        case ["-f" | "-e" | "-d", path]:
            return 0 if shell.exists(path) else 1
        case [left, "=" | "==", right]:
            return 0 if left == right else 1
        case [left, "!=", right]:
            return 0 if left != right else 1
    return 0 if arguments and arguments[0] else 1


def _touch(exists: bool) -> Callable[[_Interpreter, list[str]], int]:
    def change(shell: _Interpreter, arguments: list[str]) -> int:
        for path in arguments:
            if not path.startswith("-"):
                shell.change(path, exists)
        return 0

    return change


def _echo(shell: _Interpreter, arguments: list[str]) -> int:
    shell.say(" ".join(argument for argument in arguments if argument not in {"-n", "-e"}))
    return 0


def _env(shell: _Interpreter, _: list[str]) -> int:
    shell.say("\n".join(f"{name}={value}" for name, value in shell.env.items()))
    return 0


def _says(text: Callable[[_Interpreter, list[str]], str], code: int = 0) -> Callable[[_Interpreter, list[str]], int]:
    def run(shell: _Interpreter, arguments: list[str]) -> int:
        shell.say(text(shell, arguments), "stderr" if code else "stdout")
        return code

    return run


def _silent(code: int) -> Callable[[_Interpreter, list[str]], int]:
    return lambda *_: code


_ENDERS: dict[str, Callable[[_Interpreter, list[str]], int]] = {
    "exit": _exit,
    "exec": lambda shell, arguments: shell.simple(arguments),
    "busybox": lambda shell, arguments: shell.simple(arguments) if arguments else 0,
    "timeout": lambda shell, arguments: shell.simple(arguments[1:]),
}

COMMANDS: dict[str, Callable[[_Interpreter, list[str]], int]] = {
    "true": _silent(0),
    ":": _silent(0),
    "false": _silent(1),
    "set": _silent(0),
    "cd": _silent(0),
    "mkdir": _touch(True),
    "touch": _touch(True),
    "rm": _touch(False),
    "sleep": _sleep,
    "tail": _tail,
    "cat": _cat,
    "test": _test,
    "[": _test,
    "ls": lambda shell, arguments: _cat(shell, [argument for argument in arguments if argument.startswith("/tmp/")]),
    "echo": _echo,
    "printf": lambda shell, arguments: _echo(shell, [argument.replace("\\n", "") for argument in arguments[:1]]),
    "env": _env,
    "printenv": _env,
    "date": _says(lambda *_: stamp("%a %b %e %H:%M:%S UTC %Y")),
    "hostname": _says(lambda shell, _: shell.env.get("HOSTNAME", "localhost")),
    "uname": _says(lambda *_: "Linux"),
    "whoami": _says(lambda *_: "root"),
    "id": _says(lambda *_: "uid=0(root) gid=0(root) groups=0(root)"),
    "pwd": _says(lambda *_: "/"),
    "wget": _says(lambda _, arguments: f"wget: bad address '{_host(arguments)}'", 1),
    "curl": _says(lambda _, arguments: f"curl: (6) Could not resolve host: {_host(arguments)}", 6),
    "nslookup": _says(lambda *_: ";; connection timed out; no servers could be reached", 1),
    "ping": _says(lambda _, arguments: f"ping: bad address '{_host(arguments)}'", 1),
}


def _host(arguments: Sequence[str]) -> str:
    last = arguments[-1] if arguments else ""
    return re.sub(r"^\w+://", "", last).partition("/")[0]
