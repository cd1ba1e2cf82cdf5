r"""What text tools share: their options, their lines, their words for what goes wrong.

Lines are str, so that they can be cut and matched; bytes that are no UTF-8 stand in them as lone surrogates and are
written again as they were (`say`).

    options = read(invocation, "d:f:s", ["delimiter=", "fields=", "only-delimited"])
    async for line in lines(invocation, path):      "a:b"

Modelled on getopt_long and GNU's words for its errors.
"""

import getopt
from collections.abc import AsyncIterator, Sequence

from cluster_engine.programs.invocation import MEMORY_BYTES_MAX, Invocation, MemoryExhaustedError
from cluster_engine.programs.text.matching import raw


class Complaint(Exception):  # noqa: N818 - it is one
    """A command line, or a file, that cannot be used; the text follows the program's name."""

    def __init__(self, text: str, code: int = 1, *, hint: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.hint = hint


class Options:
    """A command line, read: `values` by the short name or the long one as it was declared."""

    def __init__(self, pairs: Sequence[tuple[str, str]], operands: list[str]) -> None:
        self.pairs = pairs
        self.operands = operands

    def __contains__(self, names: str) -> bool:
        """Return whether one of the options, written "-d|--delimiter", is there."""
        return any(name in names.split("|") for name, _ in self.pairs)

    def value(self, names: str, default: str = "") -> str:
        """Return the last value that an option was given."""
        found = [value for name, value in self.pairs if name in names.split("|")]
        return found[-1] if found else default


def read(invocation: Invocation, short: str, long: Sequence[str] = (), *, code: int = 1, mixed: bool = True) -> Options:
    """Read a command line. Complaint in getopt_long's words."""
    parse = getopt.gnu_getopt if mixed else getopt.getopt
    try:
        pairs, operands = parse(list(invocation.argv[1:]), short, [*long, "help"])
    except getopt.GetoptError as problem:
        option = problem.opt
        if len(option) == 1:
            needs = "requires" in problem.msg
            text = f"option requires an argument -- '{option}'" if needs else f"invalid option -- '{option}'"
        elif "requires" in problem.msg:
            text = f"option '--{option}' requires an argument"
        elif "not unique" in problem.msg:
            text = f"option '--{option}' is ambiguous"
        else:
            text = f"unrecognized option '--{option}'"
        raise Complaint(text, code, hint=True) from None
    return Options(pairs, operands)


def complain(invocation: Invocation, complaint: Complaint) -> int:
    """Say what is wrong; give the exit code."""
    name = invocation.argv[0]
    hint = f"Try '{name} --help' for more information.\n" if complaint.hint else ""
    invocation.err(raw(f"{name}: {complaint}\n{hint}"))
    return complaint.code


def say(invocation: Invocation, text: str) -> None:
    """Write text as it was read."""
    invocation.out(raw(text))


def text_of(data: bytes) -> str:
    """Return bytes as text that can be written again."""
    return data.decode("utf-8", "surrogateescape")


async def lines(invocation: Invocation, path: str = "-", end: bytes = b"\n") -> AsyncIterator[str]:
    """Read line by line, without what ends them. OSError, MemoryExhaustedError."""
    async for line, _ in ended_lines(invocation, path, end):
        yield line


async def ended_lines(invocation: Invocation, path: str = "-", end: bytes = b"\n") -> AsyncIterator[tuple[str, bool]]:
    """Read line by line; tell of each whether it was ended."""
    rest = bytearray()
    async for piece in invocation.pieces(path):
        *whole, last = piece.split(end)
        for line in whole:
            yield text_of(bytes(rest) + line if rest else line), True
            rest.clear()
        rest += last
        if len(rest) > MEMORY_BYTES_MAX:
            raise MemoryExhaustedError
    if rest:
        yield text_of(bytes(rest)), False


class Files:
    """The files of a command line: those that cannot be read are told of, and make the exit code `code`."""

    def __init__(self, invocation: Invocation, paths: Sequence[str], code: int = 1) -> None:
        self._invocation = invocation
        self._paths = paths or ["-"]
        self._failure = code
        self.code = 0

    async def lines(self, end: bytes = b"\n") -> AsyncIterator[tuple[str, bool]]:
        """Read all of them, one behind the other; tell of each line whether it was ended."""
        for path in self._paths:
            try:
                async for line in ended_lines(self._invocation, path, end):
                    yield line
            except OSError as error:
                self._invocation.err(f"{self._invocation.argv[0]}: {path}: {error.strerror}\n")
                self.code = self._failure
