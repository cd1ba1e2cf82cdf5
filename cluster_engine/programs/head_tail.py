"""head and tail: the first or last lines of what is piped in or of files: `-5`, `-n 5`, `-n5`, `--lines=5`, ten else.

    head -n -2     all but the last two          tail -n +3     from the third on

    tail -f FILE     the last ones, and for ever what is added

Modelled on coreutils. Left out: bytes (-c), a title for each of several files.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from cluster_engine.programs.invocation import Held, Invocation

DIGITS_MAX = 19
FOLLOW_SECONDS = 1.0
"""How often tail -f looks, as coreutils' does where nothing tells it."""
FOLLOWS = frozenset({"-f", "-F", "--follow"})
NOTHING = "/dev/null"


class _UnusableError(Exception):
    """Arguments that cannot be understood; the text follows the program's name."""


async def head(invocation: Invocation) -> int:
    """Run head. It ends with the last line that it prints, and the pipe that it reads is broken then."""
    return await _run(invocation, _head)


async def tail(invocation: Invocation) -> int:
    """Run tail."""
    follows = not FOLLOWS.isdisjoint(invocation.argv[1:])
    invocation.argv = [word for word in invocation.argv if word not in FOLLOWS]
    code = await _run(invocation, _tail)
    await invocation.drain()
    paths = [word for word in invocation.argv[1:] if not word.startswith(("-", "+"))]
    if follows and code == 0:
        await _follow(invocation, invocation.absolute(paths[-1]) if paths else NOTHING)
    return code


async def _follow(invocation: Invocation, path: str) -> None:
    """Print what is added to a file, until somebody ends it."""
    seen = len(invocation.files.read(path)) if path != NOTHING else 0
    if path == NOTHING:
        await asyncio.get_running_loop().create_future()
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        data = invocation.files.read(path) if invocation.files.exists(path) else b""
        seen = seen if seen <= len(data) else 0
        invocation.out(data[seen:])
        seen = len(data)
        await invocation.drain()


async def _head(invocation: Invocation, path: str, sign: str, number: int) -> None:
    last: deque[str] = deque()
    held, seen = Held(), 0
    if not sign and not number:
        return
    async for line in invocation.lines(path):
        seen += 1
        if sign != "-":
            invocation.out(f"{line}\n")
            if seen >= number:
                return
            continue
        held.take(line)
        last.append(line)
        if len(last) > number:
            held.drop(last[0])
            invocation.out(f"{last.popleft()}\n")


async def _tail(invocation: Invocation, path: str, sign: str, number: int) -> None:
    last: deque[str] = deque()
    held, seen = Held(), 0
    async for line in invocation.lines(path):
        seen += 1
        if sign == "+":
            if seen >= number:
                invocation.out(f"{line}\n")
            continue
        held.take(line)
        last.append(line)
        if len(last) > number:
            held.drop(last.popleft())
    for line in last:
        invocation.out(f"{line}\n")


async def _run(invocation: Invocation, lines_of: Callable[[Invocation, str, str, int], Awaitable[None]]) -> int:
    name = invocation.argv[0]
    try:
        text, paths, in_bytes = _arguments(invocation.argv)
        lines_of = _bytes if in_bytes else lines_of
        sign = text[:1] if text[:1] in ("-", "+") else ""
        number = _number(text, text[len(sign) :])
    except _UnusableError as problem:
        invocation.err(f"{name}: {problem}\n")
        return 1
    code = 0
    for path in paths or ["-"]:
        if path == NOTHING:
            continue
        try:
            await lines_of(invocation, path, sign, number)
        except OSError as error:
            invocation.err(f"{name}: cannot open '{path}' for reading: {error.strerror}\n")
            code = 1
    return code


async def _bytes(invocation: Invocation, path: str, sign: str, number: int) -> None:
    """Print bytes of the beginning, or of tail's end; "-": all but so many of the end, "+": from there on."""
    if invocation.argv[0] == "head" and not sign:
        async for piece in invocation.pieces(path):
            invocation.out(piece[:number])
            number -= len(piece)
            if number <= 0:
                return
        return
    data = await invocation.all(path)
    if invocation.argv[0] == "head":
        invocation.out(data[: max(0, len(data) - number)])
    else:
        invocation.out(data[max(0, number - 1) :] if sign == "+" else data[max(0, len(data) - number) :])


def _arguments(argv: Sequence[str]) -> tuple[str, list[str], bool]:
    """Return what is said of the number of lines, and the files; and whether bytes are meant."""
    number, paths, in_bytes = "10", [], False
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word in ("-c", "--bytes"):
            number, in_bytes = words.pop(0) if words else "", True
        elif word.startswith(("--bytes=", "-c")):
            number, in_bytes = word.removeprefix("--bytes=").removeprefix("-c"), True
        elif word in ("-n", "--lines"):
            number = words.pop(0) if words else ""
        elif word.startswith("--lines="):
            number = word.removeprefix("--lines=")
        elif word.startswith("-n"):
            number = word[2:]
        elif word[:1] == "-" and word[1:2].isdigit():
            number = word[1:]
        elif len(word) > 1 and word.startswith("-"):
            raise _UnusableError(f"invalid option -- '{word[1:2]}'")
        else:
            paths.append(word)
    return number, paths, in_bytes


def _number(text: str, digits: str) -> int:
    if not digits.isascii() or not digits.isdigit():
        raise _UnusableError(f"invalid number of lines: '{text}'")
    digits = digits.lstrip("0") or "0"
    if len(digits) > DIGITS_MAX:
        raise _UnusableError(f"invalid number of lines: '{text}': Value too large for defined data type")
    return int(digits)
