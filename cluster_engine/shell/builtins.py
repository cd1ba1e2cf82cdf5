"""What the shell does itself: help, files, a little text. No process is started for these."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.programs import grep
from cluster_engine.programs.invocation import HOME, Write, absolute

if TYPE_CHECKING:
    from cluster_engine.world.process import FileSystem, Host

FILTER_BYTES_MAX = 16 * 1024 * 1024
LINE_BYTES = 64
"""What a line costs a filter beside its letters."""
COUNT_DIGITS_MAX = 19
MEMORY_EXHAUSTED_CODE = 2
QUOTES = "''"

HELP = """This is the shell of the host "workstation". What you can type:

  kubectl ...            talk to the cluster; `kubectl --help` lists the commands
  ls, cat FILE           look at the files here: there are some manifests to try
  echo, date, hostname   the usual
  clear                  empty the screen

Try:
  kubectl get nodes
  kubectl create deployment web --image=nginx --replicas=3
  kubectl get pods -o wide
  kubectl get pods --watch        (Ctrl-C ends it)
  kubectl apply -f web.yaml

Lines can be joined with ; && ||, filtered with | grep, head, tail, sort, wc, and written to a file with >.
"""


class Sink:
    """Where a command's output goes: on to the terminal."""

    def __init__(self, write: Write) -> None:
        self._onwards = write

    def write(self, stream: str, text: str) -> None:
        """Take a piece of output."""
        self._onwards(stream, text)

    def close(self) -> int | None:
        """Know that nothing more comes; give the exit code of what stands here, None where nothing does."""
        return None


class FileSink(Sink):
    """Into a file; what goes to stderr still goes to the terminal. OSError when the file cannot be opened.

    What the disk does not take is lost, and `command` is told to have failed.
    """

    def __init__(self, write: Write, files: "FileSystem", path: str, *, append: bool, command: str) -> None:
        super().__init__(write)
        self._files = files
        self._path = path
        self._command = command
        self._has_failed = False
        if append:
            files.append(path, b"")
        else:
            files.write(path, b"")

    def write(self, stream: str, text: str) -> None:
        """See Sink."""
        if stream == "stderr":
            self._onwards(stream, text)
        elif not self._has_failed:
            try:
                self._files.append(self._path, text.encode("utf-8", "replace"))
            except OSError as error:
                self._has_failed = True
                self._onwards("stderr", f"{self._command}: write error: {error.strerror}\n")

    def close(self) -> int | None:
        """See Sink."""
        return 1 if self._has_failed else None


class FilterFailure(Exception):  # noqa: N818
    """A filter that cannot begin; the text is what it says."""


class Filter(Sink):
    """A filter that works on whole lines. Of more than FILTER_BYTES_MAX it says that its memory is exhausted."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(onwards.write)
        self._next = onwards
        self._rest = ""
        self._room = FILTER_BYTES_MAX
        self.name = words[0]
        self.flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
        self.arguments = [word for word in words[1:] if not word.startswith("-")]

    def write(self, stream: str, text: str) -> None:
        """See Sink."""
        if stream == "stderr":
            self._onwards(stream, text)
            return
        start = 0
        while (end := text.find("\n", start)) >= 0 and self._has_room(end - start):
            line, self._rest = self._rest + text[start:end], ""
            start = end + 1
            self.line(line)
        if end < 0 and self._has_room(len(text) - start):
            self._rest += text[start:]

    def _has_room(self, size: int) -> bool:
        if self._room >= 0:
            self._room -= size + LINE_BYTES
            if self._room < 0:
                self._rest = ""
                self._onwards("stderr", f"{self.name}: memory exhausted\n")
        return self._room >= 0

    def close(self) -> int | None:
        """See Sink."""
        if self._rest:
            self.line(self._rest)
        code = self.end() if self._room >= 0 else MEMORY_EXHAUSTED_CODE
        after = self._next.close()
        return code if after is None else after

    def put(self, line: str) -> None:
        """Let a line go on."""
        self._onwards("stdout", f"{line}\n")

    def line(self, line: str) -> None:
        """Take a line."""
        raise NotImplementedError

    def end(self) -> int:
        """Finish; give the exit code."""
        return 0


class Grep(Filter):
    """What grep.py does, between two pipes."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self._grep: grep.Grep | None = None
        try:
            self._grep = grep.Grep(words[1:])
        except grep.GrepError as problem:
            self._fail(problem)
        else:
            self._say(self._grep.warnings)

    def line(self, line: str) -> None:
        """See Filter."""
        if self._grep is None:
            return
        try:
            for found in self._grep.line(line):
                self.put(found)
        except grep.GrepError as problem:
            self._fail(problem)

    def end(self) -> int:
        """See Filter."""
        if self._grep is None:
            return 2
        for line in self._grep.end():
            self.put(line)
        return self._grep.code

    def _fail(self, problem: grep.GrepError) -> None:
        self._grep = None
        self._say([str(problem)])

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self._onwards("stderr", f"{line}\n")


class _Numbered(Filter):
    """A filter of a number of lines: `-5`, `-n 5`, `-n5`, `--lines=5`; ten where none is said."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        text = _number_of_lines(words)
        self.sign = text[:1] if text[:1] in ("-", "+") else ""
        digits = text[len(self.sign) :]
        if not digits.isascii() or not digits.isdigit():
            raise FilterFailure(f"{self.name}: invalid number of lines: '{text}'")
        digits = digits.lstrip("0") or "0"
        if len(digits) > COUNT_DIGITS_MAX:
            raise FilterFailure(
                f"{self.name}: invalid number of lines: '{text}': Value too large for defined data type"
            )
        self.number = int(digits)
        self.seen = 0


class Head(_Numbered):
    """The first lines; with -n -N all but the last N."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self._held: deque[str] = deque()

    def line(self, line: str) -> None:
        """See Filter."""
        self.seen += 1
        if self.sign == "-":
            self._held.append(line)
            if len(self._held) > self.number:
                self.put(self._held.popleft())
        elif self.seen <= self.number:
            self.put(line)


class Tail(_Numbered):
    """The last lines; with -n +N all from the Nth on."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self._held: deque[str] = deque()

    def line(self, line: str) -> None:
        """See Filter."""
        self.seen += 1
        if self.sign == "+":
            if self.seen >= self.number:
                self.put(line)
            return
        self._held.append(line)
        if len(self._held) > self.number:
            self._held.popleft()

    def end(self) -> int:
        """See Filter."""
        for line in self._held:
            self.put(line)
        return 0


class Sort(Filter):
    """sort, -r."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self._lines: list[str] = []

    def line(self, line: str) -> None:
        """See Filter."""
        self._lines.append(line)

    def end(self) -> int:
        """See Filter."""
        for line in sorted(self._lines, reverse="r" in self.flags):
            self.put(line)
        return 0


class Count(Filter):
    """wc -l."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self._count = 0

    def line(self, line: str) -> None:
        """See Filter."""
        self._count += 1

    def end(self) -> int:
        """See Filter."""
        self.put(str(self._count))
        return 0


def _number_of_lines(words: list[str]) -> str:
    """Find what is said of the number of lines."""
    for position, word in enumerate(words[1:], start=1):
        if word in ("-n", "--lines"):
            return words[position + 1] if position + 1 < len(words) else ""
        if word.startswith("--lines="):
            return word.removeprefix("--lines=")
        if word.startswith("-n"):
            return word[2:]
        if word[:1] == "-" and word[1:2].isdigit():
            return word[1:]
        if len(word) > 1 and word.startswith("-"):
            raise FilterFailure(f"{words[0]}: invalid option -- '{word[1:2]}'")
    return "10"


FILTERS: dict[str, Callable[[list[str], Sink], Sink]] = {
    "grep": Grep,
    "head": Head,
    "tail": Tail,
    "sort": Sort,
    "wc": Count,
}


def _help(_: "Host", __: list[str], write: Write) -> int:
    write("stdout", HELP)
    return 0


def _cat(host: "Host", words: list[str], write: Write) -> int:
    code = 0
    for path in words[1:]:
        try:
            write("stdout", host.files.read(absolute(path)).decode("utf-8", "replace"))
        except FileNotFoundError:
            write("stderr", f"cat: {path or QUOTES}: {_why_not(host, path)}\n")
            code = 1
    return code


def _why_not(host: "Host", path: str) -> str:
    return "Is a directory" if path and host.files.exists(absolute(path)) else "No such file or directory"


def _ls(host: "Host", words: list[str], write: Write) -> int:
    paths = [word for word in words[1:] if not word.startswith("-")] or [HOME]
    hidden = any(word.startswith("-") and "a" in word for word in words[1:])
    code = 0
    for path in paths:
        try:
            names = host.files.listdir(absolute(path))
        except FileNotFoundError:
            names = [path]
        if not path or not host.files.exists(absolute(path)):
            write("stderr", f"ls: cannot access '{path}': No such file or directory\n")
            code = 2
            continue
        write("stdout", "".join(f"{name}\n" for name in names if hidden or not name.startswith(".")))
    return code


def _rm(host: "Host", words: list[str], write: Write) -> int:
    code = 0
    for path in words[1:]:
        if path.startswith("-"):
            continue
        try:
            if not path:
                raise FileNotFoundError
            host.files.remove(absolute(path))
        except FileNotFoundError:
            write("stderr", f"rm: cannot remove '{path}': {_why_not(host, path)}\n")
            code = 1
    return code


def _date(host: "Host", _: list[str], write: Write) -> int:
    process = next(iter(host.processes.values()), None)
    if process is not None:
        write("stdout", process.now().strftime("%a %b %e %H:%M:%S UTC %Y\n"))
    return 0


BUILTINS: dict[str, Callable[["Host", list[str], Write], int]] = {
    "help": _help,
    "cat": _cat,
    "ls": _ls,
    "rm": _rm,
    "echo": lambda _, words, write: _say(write, " ".join(words[1:])),
    "hostname": lambda host, _, write: _say(write, host.name),
    "whoami": lambda _, __, write: _say(write, "root"),
    "pwd": lambda _, __, write: _say(write, HOME),
    "true": lambda *_: 0,
    "false": lambda *_: 1,
    "clear": lambda *_: 0,
}


def _say(write: Write, text: str) -> int:
    write("stdout", f"{text}\n")
    return 0
