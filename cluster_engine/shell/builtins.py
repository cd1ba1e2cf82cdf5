"""What the shell does itself: help, files, a little text. No process is started for these."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.shell.invocation import HOME, Write, absolute

if TYPE_CHECKING:
    from cluster_engine.world.process import FileSystem, Host

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
        """Know that nothing more comes; a filter gives its exit code."""
        return None


class FileSink(Sink):
    """Into a file; what goes to stderr still goes to the terminal."""

    def __init__(self, write: Write, files: "FileSystem", path: str, *, append: bool) -> None:
        super().__init__(write)
        self._files = files
        self._path = path
        files.write(path, files.read(path) if append and files.exists(path) else b"")

    def write(self, stream: str, text: str) -> None:
        """See Sink."""
        if stream == "stderr":
            self._onwards(stream, text)
        else:
            self._files.write(self._path, self._files.read(self._path) + text.encode())


class Filter(Sink):
    """A filter that works on whole lines."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(onwards.write)
        self._next = onwards
        self._rest = ""
        self.flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
        self.arguments = [word for word in words[1:] if not word.startswith("-")]

    def write(self, stream: str, text: str) -> None:
        """See Sink."""
        if stream == "stderr":
            self._onwards(stream, text)
            return
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self.line(line)

    def close(self) -> int | None:
        """See Sink."""
        if self._rest:
            self.line(self._rest)
        code = self.end()
        self._next.close()
        return code

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
    """grep PATTERN, -i, -v, -c."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        pattern = self.arguments[0] if self.arguments else ""
        flags = re.IGNORECASE if "i" in self.flags else 0
        try:
            self._pattern = re.compile(pattern.replace("\\|", "|"), flags)
        except re.error:
            self._pattern = re.compile(re.escape(pattern), flags)
        self._count = 0

    def line(self, line: str) -> None:
        """See Filter."""
        if bool(self._pattern.search(line)) is not ("v" in self.flags):
            self._count += 1
            if "c" not in self.flags:
                self.put(line)

    def end(self) -> int:
        """See Filter."""
        if "c" in self.flags:
            self.put(str(self._count))
        return 0 if self._count else 1


class _Whole(Filter):
    """A filter that must have seen everything."""

    def __init__(self, words: list[str], onwards: Sink) -> None:
        super().__init__(words, onwards)
        self.lines: list[str] = []
        digits = re.search(r"\d+", " ".join(words[1:]))
        self.number = int(digits[0]) if digits else 10

    def line(self, line: str) -> None:
        """See Filter."""
        self.lines.append(line)

    def end(self) -> int:
        """See Filter."""
        for line in self.result():
            self.put(line)
        return 0

    def result(self) -> list[str]:
        """Give what goes on."""
        raise NotImplementedError


class Head(_Whole):
    """head -N."""

    def result(self) -> list[str]:
        """See _Whole."""
        return self.lines[: self.number]


class Tail(_Whole):
    """tail -N."""

    def result(self) -> list[str]:
        """See _Whole."""
        return self.lines[max(0, len(self.lines) - self.number) :]


class Sort(_Whole):
    """sort, -r."""

    def result(self) -> list[str]:
        """See _Whole."""
        return sorted(self.lines, reverse="r" in self.flags)


class Count(_Whole):
    """wc -l."""

    def result(self) -> list[str]:
        """See _Whole."""
        return [str(len(self.lines))]


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
            reason = "Is a directory" if host.files.exists(absolute(path)) else "No such file or directory"
            write("stderr", f"cat: {path}: {reason}\n")
            code = 1
    return code


def _ls(host: "Host", words: list[str], write: Write) -> int:
    paths = [word for word in words[1:] if not word.startswith("-")] or [HOME]
    hidden = any(word.startswith("-") and "a" in word for word in words[1:])
    code = 0
    for path in paths:
        try:
            names = host.files.listdir(absolute(path))
        except FileNotFoundError:
            if not host.files.exists(absolute(path)):
                write("stderr", f"ls: cannot access '{path}': No such file or directory\n")
                code = 2
                continue
            names = [path]
        write("stdout", "".join(f"{name}\n" for name in names if hidden or not name.startswith(".")))
    return code


def _rm(host: "Host", words: list[str], write: Write) -> int:
    code = 0
    for path in words[1:]:
        if path.startswith("-"):
            continue
        try:
            host.files.remove(absolute(path))
        except FileNotFoundError:
            write("stderr", f"rm: cannot remove '{path}': No such file or directory\n")
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
