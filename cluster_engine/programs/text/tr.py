r"""tr: bytes replaced, squeezed or deleted. Modelled on coreutils 9.1.

    tr a-z A-Z        tr -d '\r'        tr -s ' '        tr -cd '[:alnum:]\n'

Left out: [=c=], and [c*n] but for filling up ([c*]).
"""

import re
import string

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.text.matching import raw
from cluster_engine.programs.text.reading import Complaint, complain, read

CLASSES = {
    "alnum": string.ascii_letters + string.digits, "alpha": string.ascii_letters, "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])), "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))), "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))), "punct": string.punctuation, "space": " \t\n\v\f\r",
    "upper": string.ascii_uppercase, "xdigit": string.hexdigits,
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CLASS = re.compile(r"\[:(\w+):\]")
_FILL = re.compile(r"\[(.)\*\]", re.DOTALL)


def _one(text: str, at: int) -> tuple[str, int]:
    """Read one character, escaped or not; give where the next begins."""
    if text[at] != "\\" or at + 1 >= len(text):
        return text[at], at + 1
    octal = re.match(r"[0-7]{1,3}", text[at + 1 :])
    if octal:
        return chr(int(octal[0], 8) & 0xFF), at + 1 + len(octal[0])
    return _ESCAPES.get(text[at + 1], text[at + 1]), at + 2


def expand(given: str) -> tuple[str, str]:
    """Return the characters that a set names, each a byte, in order, and what it is filled up with. Complaint."""
    text = raw(given).decode("latin-1")
    found, fill, at = "", "", 0
    while at < len(text):
        if named := _CLASS.match(text, at):
            if named[1] not in CLASSES:
                raise Complaint(f"invalid character class '{named[1]}'")
            classed = CLASSES[named[1]]
            found += "".join(sorted(classed))
            at = named.end()
            continue
        if filled := _FILL.match(text, at):
            fill, at = filled[1], filled.end()
            continue
        begin, after = _one(text, at)
        if after < len(text) - 1 and text[after] == "-":
            end, after = _one(text, after + 1)
            if end < begin:
                raise Complaint(f"range-endpoints of '{begin}-{end}' are in reverse collating sequence order")
            found += "".join(map(chr, range(ord(begin), ord(end) + 1)))
        else:
            found += begin
        at = after
    return found, fill


async def tr(invocation: Invocation) -> int:
    """Run tr."""
    try:
        options = read(invocation, "cCdst", ["complement", "delete", "squeeze-repeats", "truncate-set1"], mixed=False)
        deletes, squeezes = "-d|--delete" in options, "-s|--squeeze-repeats" in options
        sets = options.operands
        _check(sets, deletes=deletes, squeezes=squeezes)
        first, _ = expand(sets[0])
        if "-c|-C|--complement" in options:
            first = "".join(chr(one) for one in range(256) if chr(one) not in first)
        second, fill = expand(sets[1]) if len(sets) > 1 else ("", "")
        if not second and not fill and len(sets) > 1 and not deletes:
            raise Complaint("when not truncating set1, string2 must be non-empty")
    except Complaint as complaint:
        return complain(invocation, complaint)
    table = bytearray(range(256))
    if len(sets) > 1 and not deletes:
        padded = second + (fill or second[-1:]) * max(0, len(first) - len(second))
        limit = len(second) if "-t|--truncate-set1" in options else len(first)
        for old, new in list(zip(first, padded, strict=False))[:limit]:
            table[ord(old)] = ord(new)
    gone = first.encode("latin-1") if deletes else b""
    squeezed = frozenset((second if len(sets) > 1 else first).encode("latin-1")) if squeezes else frozenset()
    last = -1
    async for piece in invocation.pieces():
        data = piece.translate(bytes(table), gone)
        if squeezed:
            kept = bytearray()
            for one in data:
                if one != last or one not in squeezed:
                    kept.append(one)
                last = one
            data = bytes(kept)
        invocation.out(data)
        await invocation.drain()
    return 0


def _check(sets: list[str], *, deletes: bool, squeezes: bool) -> None:
    needed = 2 if deletes == squeezes else 1
    if not sets:
        raise Complaint("missing operand", hint=True)
    if len(sets) < needed:
        what = "Two strings must be given when both deleting and squeezing repeats."
        what = what if deletes else "Two strings must be given when translating."
        raise Complaint(f"missing operand after '{sets[-1]}'\n{what}", hint=True)
    most = 1 if deletes and not squeezes else 2
    if len(sets) > most:
        extra = "\nOnly one string may be given when deleting without squeezing repeats." if most == 1 else ""
        raise Complaint(f"extra operand '{sets[most]}'{extra}", hint=True)
