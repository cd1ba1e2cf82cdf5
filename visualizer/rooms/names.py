"""What people may be called in a room: any script, nothing that changes what stands around it.

Removed are control characters, surrogates, line separators and the invisible formatting characters, among them those
that turn the direction of text (U+202A–202E, U+2066–2069); the joiners that emoji and several scripts need stay.

    clean("  Ada\\u202e  Lovelace\\n") == "Ada Lovelace"      unique("Ada", {"Ada", "ada 2"}) == "Ada 3"
"""

import unicodedata
from collections.abc import Iterable

from visualizer.rooms.models import NAME_MAX

JOINERS = {"\u200c", "\u200d"}
REMOVED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MARKS_IN_A_ROW_MAX = 4  # of marks that stand above and below a letter: more would cover the lines around


def clean(typed: str) -> str:
    """A name as it is kept: normalized, its spaces single; "" when nothing to be read is left."""
    text = unicodedata.normalize("NFC", typed[:1000])
    spaced = "".join(" " if one.isspace() else one for one in text)
    kept = "".join(one for one in spaced if one in JOINERS or unicodedata.category(one) not in REMOVED)
    name = " ".join(_few_marks(kept).split())
    return name if any(unicodedata.category(one)[0] in "LNSP" for one in name) else ""


def _few_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for one in text:
        marks = marks + 1 if unicodedata.category(one) in {"Mn", "Me"} else 0
        if marks <= MARKS_IN_A_ROW_MAX:
            kept.append(one)
    return "".join(kept)


def unique(name: str, taken: Iterable[str]) -> str:
    """The name, with the first number behind it that nobody has when somebody has the name."""
    known = {one.casefold() for one in taken}
    number, candidate = 1, name
    while candidate.casefold() in known:
        number += 1
        suffix = f" {number}"
        candidate = name[: NAME_MAX - len(suffix)].rstrip() + suffix
    return candidate
