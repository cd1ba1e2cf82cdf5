"""What hostile input is made of: numbers, texts and structures at the edges, and ways to spoil what is right.

Everything is drawn from one `random.Random`, so a case is its seed.
"""

import json
import random

NUMBERS = (
    0,
    1,
    -1,
    7,
    2**31 - 1,
    2**31,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**26,
    1.5,
    -0.0,
    1e300,
    1e-300,
)
TEXTS = (
    "", " ", "a", "web", "default", "worker-1", "nginx", "*", "?", ".", "..", "/", "-", "--", "\\", "'", '"', "\n",
    "\t",
    "\x00", "\x1b[2J", "é", "中", "\U0001f600", "\u2028", "\ufeff", "٣", "²", "\ud800", "true", "null", "~", "1e999",
    "0x",
    "9" * 400, "1e99999999", "a" * 300, "%s%n", "{}", "[]", "{{", "$(", "${", "`", "&a", "*a", "!!int", "<<", "---",
)  # fmt: skip
REPEATED = (
    "[",
    "{",
    "(",
    "a",
    "{a: ",
    "- ",
    "? ",
    '{"a":',
    "a.",
    "*a",
    "?",
    " ",
    "9",
    "\\",
    "'",
    "..",
    "[?(",
    "$(",
    "!",
    "a=b,",
)


def text(rng: random.Random, pieces: tuple[str, ...] = ()) -> str:
    """A text: from the lists, repeated, or put together."""
    roll = rng.random()
    if roll < 0.5:
        return rng.choice(pieces or TEXTS)
    if roll < 0.6:
        return rng.choice(REPEATED) * rng.choice((2, 50, 1000, 9000))
    if roll < 0.7:
        return "".join(
            chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x250)))) for _ in range(rng.randrange(12))
        )
    return "".join(rng.choice((*pieces, *TEXTS)) for _ in range(rng.randrange(1, 5)))


def value(rng: random.Random, keys: tuple[str, ...] = (), depth: int = 4) -> object:
    """Plain data; now and then far deeper than it should be."""
    roll = rng.random()
    if depth <= 0 or roll < 0.4:
        return rng.choice((None, True, False, rng.choice(NUMBERS), text(rng), text(rng, keys)))
    if roll < 0.42:
        deep: object = rng.choice((1, "a"))
        for _ in range(rng.choice((30, 190, 210, 400))):
            deep = [deep] if rng.random() < 0.5 else {"a": deep}
        return deep
    if roll < 0.7:
        return [value(rng, keys, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(keys or TEXTS): value(rng, keys, depth - 1) for _ in range(rng.randrange(5))}


def spoiled_value(rng: random.Random, right: object, keys: tuple[str, ...] = ()) -> object:
    """What is right, with a part of it made anew."""
    if rng.random() < 0.15:
        return value(rng, keys, 3)
    if isinstance(right, dict) and right:
        key = rng.choice(list(right))
        made = {**right, key: spoiled_value(rng, right[key], keys)}
        if rng.random() < 0.2:
            made[rng.choice(keys or TEXTS)] = value(rng, keys, 2)
        return made
    if isinstance(right, list) and right:
        at = rng.randrange(len(right))
        return [*right[:at], spoiled_value(rng, right[at], keys), *right[at + 1 :]]
    return value(rng, keys, 2)


def spoiled_text(rng: random.Random, right: str, pieces: tuple[str, ...] = ()) -> str:
    """A text with some cuts, doublings and insertions."""
    for _ in range(rng.randrange(1, 4)):
        at, to = sorted((rng.randrange(len(right) + 1), rng.randrange(len(right) + 1)))
        roll = rng.random()
        if roll < 0.25:
            right = right[:at] + right[to:]
        elif roll < 0.4 and to - at < 2000:
            right = right[:at] + right[at:to] * rng.choice((2, 3, 40)) + right[to:]
        elif roll < 0.5:
            right = right[:at]
        else:
            right = right[:at] + text(rng, pieces) + right[at:]
    return right[:60_000]


def spoiled_bytes(rng: random.Random, right: bytes) -> bytes:
    """Bytes with some of them other."""
    raw = bytearray(right)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(raw) + 1)
        roll = rng.random()
        if roll < 0.4 and at < len(raw):
            raw[at] = rng.choice((0, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif roll < 0.6:
            del raw[at : at + rng.randrange(8)]
        else:
            raw[at:at] = rng.randbytes(rng.choice((1, 4, 300)))
    return bytes(raw)


def as_json(rng: random.Random, document: object) -> str:
    """JSON, sometimes with the letters of others in it."""
    try:
        written = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    except RecursionError:
        return "[" * 30_000
    return spoiled_text(rng, written) if rng.random() < 0.2 else written
