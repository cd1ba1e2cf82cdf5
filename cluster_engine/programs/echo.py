"""echo, printf and seq: words to standard output. Modelled on bash's own, and on coreutils.

echo -n a b             a b          without the newline
printf '%s=%d\\n' a 1    a=1          the format again and again, as long as there are words
seq 1 3                 1 2 3        a line each
"""

import re

from cluster_engine.programs.invocation import Invocation

NUMBERS_A_WRITE = 512
"""As many as fit into a block, since output that is no terminal is written in blocks."""
_DIRECTIVE = re.compile(r"%([-+ 0]{0,5})([0-9]{0,3})(?:\.([0-9]{1,3}))?([sdbcxXo%])|\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "\\": "\\", '"': '"', "'": "'"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


async def echo(invocation: Invocation) -> int:
    """Run echo: -n without the newline, -e with escapes."""
    words = list(invocation.argv[1:])
    flags = ""
    while words and re.fullmatch(r"-[neE]{1,9}", words[0]):
        flags += words.pop(0)[1:]
    text = " ".join(words)
    if "e" in flags:
        text = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)
    invocation.out(text if "n" in flags else f"{text}\n")
    await invocation.drain()
    return 0


async def printf(invocation: Invocation) -> int:
    """Run printf."""
    if len(invocation.argv) < 2:
        invocation.err("printf: usage: printf format [arguments]\n")
        return 2
    template, words = invocation.argv[1], list(invocation.argv[2:])
    problems: list[str] = []

    def written(found: re.Match[str]) -> str:
        flags, width, precision, letter, escaped = found.groups()
        if escaped:
            return _ESCAPES.get(escaped, found[0])
        if letter == "%":
            return "%"
        word = words.pop(0) if words else ""
        if letter in "sbc":
            text = word[:1] if letter == "c" else word[: int(precision)] if precision else word
            return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))
        if word and not _INTEGER.fullmatch(word):
            problems.append(f"printf: {word}: invalid number\n")
            word = "0"
        return f"%{flags}{width}{letter}" % int(word or 0)

    while True:
        left = len(words)
        invocation.out(_DIRECTIVE.sub(written, template))
        await invocation.drain()
        if not words or len(words) == left:
            break
    invocation.err("".join(problems))
    return 1 if problems else 0


async def seq(invocation: Invocation) -> int:
    """Run seq: LAST, FIRST LAST, or FIRST INCREMENT LAST; whole numbers."""
    words = invocation.argv[1:]
    wrong = next((word for word in words if not _INTEGER.fullmatch(word)), None)
    if wrong is not None or not 1 <= len(words) <= 3:
        invocation.err("seq: missing operand\n" if not words else
                       f"seq: invalid floating point argument: '{wrong}'\n" if wrong is not None else
                       f"seq: extra operand '{words[3]}'\n")  # fmt: skip
        return 1
    first, step, last = {1: (1, 1), 2: (int(words[0]), 1), 3: (int(words[0]), int(words[min(1, len(words) - 1)]))}[
        len(words)
    ] + (int(words[-1]),)
    if step == 0:
        invocation.err("seq: invalid Zero increment value: '0'\n")
        return 1
    numbers = range(first, last + (1 if step > 0 else -1), step)
    for begin in range(0, len(numbers), NUMBERS_A_WRITE):
        invocation.out("".join(f"{number}\n" for number in numbers[begin : begin + NUMBERS_A_WRITE]))
        await invocation.drain()
        if invocation.failed:
            return 1
    return 0
