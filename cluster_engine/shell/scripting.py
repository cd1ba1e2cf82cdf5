"""What scripts are made of beside commands: options, positional parameters, functions' own variables, `read`, `eval`.

    set -eu -o pipefail; set -- a b; shift; echo $1           b
    echo 'a b  c' | while read -r x y; do echo "$y"; done     b  c
    sh -euc 'echo $0 $1' name x                               name x

Modelled on bash's builtins; what they say is bash's too. Left out: options but -e, -u, -x and pipefail; arrays;
IFS but for `read`; getopts, readonly.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from cluster_engine.programs.invocation import absolute
from cluster_engine.programs.streams import Streams, read_line
from cluster_engine.shell.budget import OutOfMemoryError
from cluster_engine.shell.interpreter import FunctionReturn, Own
from cluster_engine.shell.shell import PIPEFAIL, Shell
from cluster_engine.shell.syntax import SyntaxFailure, is_name, parse

LETTERS = {"e": "e", "u": "u", "x": "x"}
LONG = {"errexit": "e", "nounset": "u", "xtrace": "x", PIPEFAIL: PIPEFAIL}
IGNORED_LETTERS = frozenset("abfhilmnpv")
"""Options of bash from which nothing follows here."""
BLANKS = " \t\n"
SECONDS_MAX = 1e6
TIMED_OUT = 142


class UsageError(Exception):
    """A word that no shell takes; the text follows the name of what it was given to."""


class Start(msgspec.Struct):
    """What a shell is started with: a script, a file with one, or neither, and what it has of its own from then on."""

    script: str | None = None
    file: str | None = None
    own: Own = msgspec.field(default_factory=Own)


def started(words: Sequence[str]) -> Start:
    """Read what stands behind `sh`. UsageError."""
    start, rest = Start(), list(words)
    wants_script = reads_input = False
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            continue
        wants_script, reads_input = wants_script or "c" in word, reads_input or "s" in word
        _switch(start.own, word.replace("c", "").replace("s", ""), rest)
    if wants_script:
        if not rest:
            raise UsageError("-c: option requires an argument")
        start.script = rest.pop(0)
        start.own.name = rest.pop(0) if rest else "sh"
    elif rest and not reads_input:
        start.file = start.own.name = rest.pop(0)
    start.own.parameters = rest
    return start


def _switch(own: Own, word: str, rest: list[str]) -> None:
    """Switch what `-eu`, `+e` or `-o NAME` says. UsageError."""
    names = []
    for letter in word[1:]:
        if letter == "o":
            name = rest.pop(0) if rest else ""
            if name not in LONG:
                raise UsageError(f"{name}: invalid option name")
            names.append(LONG[name])
        elif letter in LETTERS:
            names.append(LETTERS[letter])
        elif letter not in IGNORED_LETTERS:
            raise UsageError(f"{word[0]}{letter}: invalid option")
    for name in names:
        own.options.pop(name, None)
        if word[0] == "-":
            own.options[name] = None


async def set_(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run set: options, positional parameters, or what variables there are."""
    rest = list(words[1:])
    if not rest:
        known = sorted(shell.variables.items())
        shell.say("".join(f"{name}='{value}'\n" for name, value in known), streams.stdout)
        return 0
    has_ended = False
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1 and not has_ended:
        word = rest.pop(0)
        has_ended = word == "--"
        try:
            _switch(shell.own, "" if has_ended else word, rest)
        except UsageError as problem:
            shell.complain(f"set: {problem}", streams)
            return 2
    if rest or has_ended:
        shell.own.parameters = rest
    return 0


async def shift(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run shift."""
    word = words[1] if len(words) > 1 else "1"
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        shell.complain(f"shift: {word}: numeric argument required", streams)
        return 1
    if int(word) > len(shell.own.parameters):
        return 1
    shell.own.parameters = shell.own.parameters[int(word) :]
    return 0


async def return_(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run return."""
    if not shell.locals:
        shell.complain("return: can only `return' from a function or sourced script", streams)
        return 1
    word = words[1] if len(words) > 1 else str(shell.status)
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        shell.complain(f"return: {word}: numeric argument required", streams)
        raise FunctionReturn(2)
    raise FunctionReturn(int(word) & 0xFF)


async def local(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run local: variables of a function, which are as before when that has ended."""
    if not shell.locals:
        shell.complain("local: can only be used in a function", streams)
        return 1
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not is_name(name):
            shell.complain(f"local: `{word}': not a valid identifier", streams)
            return 1
        shell.locals[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.assign(name, value)
    return 0


async def eval_(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run eval: words as a script, in this shell."""
    return await _run_here(shell, " ".join(words[1:]), streams)


async def source(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run source: a file as a script, in this shell."""
    if len(words) < 2:
        shell.complain(f"{words[0]}: filename argument required", streams)
        return 2
    try:
        data = shell.place.files.read(absolute(words[1], shell.place.directory))
    except OSError as error:
        shell.complain(f"{words[0]}: {words[1]}: {error.strerror}", streams)
        return 1
    return await _run_here(shell, data.decode("utf-8", "replace"), streams)


async def _run_here(shell: Shell, text: str, streams: Streams) -> int:
    shell.budget.work(8 * len(text))
    try:
        script = parse(text)
    except SyntaxFailure as failure:
        shell.complain(str(failure), streams)
        return 2
    with shell.budget.deeper():
        return await shell.run(script, streams)


async def read(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run read: a line of standard input into variables; 1 at its end."""
    rest, raw, prompt, seconds = list(words[1:]), False, "", None
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        raw = raw or "r" in word
        if word[-1] in "pt":
            value = rest.pop(0) if rest else ""
            prompt = value if word[-1] == "p" else prompt
            seconds = _seconds(value) if word[-1] == "t" else seconds
        elif set(word[1:]) - set("rse"):
            shell.complain(f"read: {word}: invalid option", streams)
            return 2
    if wrong := next((name for name in rest if not is_name(name)), None):
        shell.complain(f"read: `{wrong}': not a valid identifier", streams)
        return 1
    shell.say(prompt, streams.stderr)
    try:
        async with asyncio.timeout(seconds):
            line, is_whole = await _line(shell, streams, raw=raw)
    except TimeoutError:
        return TIMED_OUT
    separators = shell.variables.get("IFS", BLANKS)
    for name, value in zip(rest or ["REPLY"], fields(line, separators, len(rest) or 1), strict=True):
        shell.assign(name, value)
    return 0 if is_whole else 1


def _seconds(word: str) -> float | None:
    try:
        return min(max(0.0, float(word)), SECONDS_MAX)
    except ValueError:
        return None


async def _line(shell: Shell, streams: Streams, *, raw: bool) -> tuple[list[tuple[str, bool]], bool]:
    """Read a line as characters, each with whether a backslash stood before it; and whether it ended in a newline."""
    found: list[tuple[str, bool]] = []
    while True:
        data = await read_line(streams.stdin, shell.budget.limits.memory_bytes)
        if data is None:
            raise OutOfMemoryError
        shell.budget.work(len(data))
        text = data.decode("utf-8", "replace").replace("\0", "")
        is_whole = text.endswith("\n")
        characters = iter(text.removesuffix("\n"))
        goes_on = False
        for character in characters:
            if raw or character != "\\":
                found.append((character, False))
            elif (escaped := next(characters, None)) is not None:
                found.append((escaped, True))
            else:
                goes_on = True
        shell.budget.check_memory(len(found))
        if not (goes_on and is_whole):
            return found, is_whole


def fields(line: Sequence[tuple[str, bool]], separators: str, count: int) -> list[str]:
    """Split a line into so many fields; the last has the rest. Blanks around a separator, and at both ends, go too."""
    blanks = {one for one in separators if one in BLANKS}
    at, size = 0, len(line)

    def is_in(where: int, which: "set[str] | str") -> bool:
        return where < size and not line[where][1] and line[where][0] in which

    while size and is_in(size - 1, blanks):
        size -= 1
    found = []
    for number in range(count):
        while is_in(at, blanks):
            at += 1
        begin = at
        if number == count - 1:
            at = size
        while at < size and not is_in(at, separators):
            at += 1
        found.append("".join(character for character, _ in line[begin:at]))
        while is_in(at, blanks):
            at += 1
        if is_in(at, separators):
            at += 1
    return found
