r"""POSIX regular expressions as grep reads them, basic and extended, rewritten for RE2, which matches in linear time.

Theory of operation. A backtracking engine (Python's `re`) can take 2^n steps for a pattern like `(a+)+$`, and holds
the interpreter meanwhile. RE2 runs automata: its time is at most (size of the pattern) x (length of the text). It does
not speak POSIX's basic syntax, though, and is stricter than GNU where that is lenient. So a pattern is parsed here, by
GNU's rules and with GNU's errors, and written again in RE2's syntax; every repeated part stands in a group of its own.

    translated(r"a\+\|b*", extended=False)     (?:(?:a)+|(?:b)*)
    translated("(a+)+$", extended=True)        (?:((?:a)+))+$
    translated("a{2,1}", extended=True)        PatternError("Invalid content of \{\}")

Modelled on glibc's regcomp.c and GNU grep 3.8. Left out: back-references, which no automaton can follow; `\<` and `\>`
are word boundaries of either side, of ASCII words.
"""

from collections.abc import Iterator

import msgspec

REPETITIONS_MAX = 1000  # RE2's; GNU takes 32,767
DUPLICATIONS_MAX = 32_767
NESTING_MAX = 200
CLASSES = (
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"
)  # fmt: skip
TOO_BIG = "Regular expression too big"
UNMATCHED_BRACKET = "Unmatched [, [^, [:, [., or [="
_ESCAPES = {"<": r"\b", ">": r"\b", "b": r"\b", "B": r"\B", "w": r"[\pL\pN_]", "W": r"[^\pL\pN_]", "s": r"[\t-\r ]",
            "S": r"[^\t-\r ]", "`": r"\A", "'": r"\z"}  # fmt: skip
_CLASSES_OF_LETTERS = {":alpha:": r"\pL", ":alnum:": r"\pL\pN", ":lower:": r"\p{Ll}", ":upper:": r"\p{Lu}"}
_ASSERTIONS = frozenset(_ESCAPES[one] for one in "<>bB`'")
_SPECIAL = frozenset("\\^$.|?*+()[]{}")


class PatternError(ValueError):
    """A pattern that is none; the message is GNU's."""


class Translated(msgspec.Struct):
    """A pattern in RE2's syntax, and what GNU grep warns of in it."""

    text: str
    warnings: list[str] = msgspec.field(default_factory=list)


def translated(pattern: str, *, extended: bool) -> Translated:
    """Rewrite a pattern. PatternError."""
    return _Parser(pattern, extended).whole()


def quoted(text: str) -> str:
    """Write text that stands for itself in RE2's syntax."""
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in text)


class _Frame(msgspec.Struct):
    """One parenthesis that is open: the branches before the last |, and the pieces after it."""

    branches: list[str] = msgspec.field(default_factory=list)
    pieces: list[str] = msgspec.field(default_factory=list)
    repeatable: bool = False
    """Whether the last piece is one that * may follow; an anchor is not."""

    def written(self) -> str:
        return "|".join([*self.branches, "".join(self.pieces)])


class _Parser:
    def __init__(self, pattern: str, extended: bool) -> None:
        self.pattern = pattern
        self.extended = extended
        self.at = 0
        self.frames = [_Frame()]
        self.warnings: list[str] = []
        self.groups = 0

    def whole(self) -> Translated:
        for token, is_operator in self.tokens():
            if is_operator:
                self.operator(token)
            else:
                self.put(token, repeatable=token not in _ASSERTIONS)
        if len(self.frames) > 1:
            raise PatternError("Unmatched ( or \\(")
        return Translated(f"(?:{self.frames[0].written()})", self.warnings)

    # -- tokens --------------------------------------------------------------------------------------------------------

    def tokens(self) -> Iterator[tuple[str, bool]]:
        """Yield RE2's text of each thing that stands for characters, and each operator without its backslash."""
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            self.at += 1
            if character == "\\":
                yield self.escaped()
            elif character == "[":
                yield self.bracket(), False
            elif character == ".":
                yield ".", False
            elif character in "^$*" or (self.extended and character in "(){|+?"):
                yield character, True
            else:
                yield quoted(character), False

    def escaped(self) -> tuple[str, bool]:
        if self.at == len(self.pattern):
            raise PatternError("Trailing backslash")
        character = self.pattern[self.at]
        self.at += 1
        if not self.extended and character in "(){|+?":
            return character, True
        if character in "123456789":
            known = int(character) <= self.groups
            raise PatternError("back-references are not in this shell's grep" if known else "Invalid back reference")
        return _ESCAPES.get(character) or quoted(character), False

    # -- operators -----------------------------------------------------------------------------------------------------

    def put(self, piece: str, *, repeatable: bool = True) -> None:
        self.frames[-1].pieces.append(piece)
        self.frames[-1].repeatable = repeatable

    def operator(self, token: str) -> None:
        match token:
            case "(":
                self.open()
            case ")":
                self.close()
            case "|":
                frame = self.frames[-1]
                frame.branches.append("".join(frame.pieces))
                frame.pieces, frame.repeatable = [], False
            case "^" | "$":
                self.anchor(token)
            case "{":
                self.interval()
            case _:
                self.repeat(token)

    def open(self) -> None:
        if len(self.frames) > NESTING_MAX:
            raise PatternError(TOO_BIG)
        self.groups += 1
        self.frames.append(_Frame())

    def close(self) -> None:
        if len(self.frames) > 1:
            self.put(f"({self.frames.pop().written()})")
        elif self.extended:
            self.put(quoted(")"))
        else:
            raise PatternError("Unmatched ) or \\)")

    def anchor(self, token: str) -> None:
        """In a basic expression ^ and $ are anchors only where a branch begins and ends."""
        if self.extended:
            is_anchor = True
        elif token == "^":
            is_anchor = not self.frames[-1].pieces
        else:
            is_anchor = self.pattern[self.at : self.at + 2] in ("", "\\)", "\\|")
        self.put(token if is_anchor else quoted(token), repeatable=not is_anchor)

    def repeat(self, token: str, shown: str | None = None) -> None:
        frame = self.frames[-1]
        if frame.repeatable:
            frame.pieces[-1] = f"(?:{frame.pieces[-1]}){token}"
        elif self.extended:
            if not frame.pieces:
                self.warnings.append(f"{shown or token} at start of expression")
        else:
            self.put(quoted(token))

    # -- {n,m} ---------------------------------------------------------------------------------------------------------

    def interval(self) -> None:
        begin = self.at
        closing = "}" if self.extended else "\\}"
        end = self.pattern.find(closing, begin)
        least, comma, most = self.pattern[begin : max(begin, end)].partition(",")
        valid = end >= 0 and all(_is_number(one) for one in (least, most)) and bool(least or comma)
        if self.extended and not valid:
            self.put(quoted("{"))
            return
        if not self.extended and not self.frames[-1].repeatable:
            self.put(quoted("{"))
            return
        if end < 0:
            raise PatternError("Unmatched \\{")
        low, high = _bound(least or "0"), _bound(most) if most else None
        if not valid or (high is not None and low > high):
            raise PatternError("Invalid content of \\{\\}")
        self.at = end + len(closing)
        if max(low, high or 0) > REPETITIONS_MAX:
            raise PatternError(TOO_BIG)
        self.repeat(f"{{{low}{',' if comma else ''}{'' if high is None else high}}}", "{...}")

    # -- [a-z] ---------------------------------------------------------------------------------------------------------

    def bracket(self) -> str:
        begin = self.at
        negated = self.pattern.startswith("^", begin)
        self.at += negated
        if self.at >= len(self.pattern):
            raise PatternError("Invalid regular expression")
        parts: list[str] = []
        first = self.at
        while True:
            if self.at >= len(self.pattern):
                raise PatternError(UNMATCHED_BRACKET)
            if self.pattern[self.at] == "]" and self.at > first:
                self.at += 1
                break
            parts.append(self.member())
        inside = self.pattern[begin : self.at - 1]
        if len(inside) > 1 and inside[0] == inside[-1] == ":":
            raise PatternError("character class syntax is [[:space:]], not [:space:]")
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def member(self) -> str:
        low = self.element()
        if not self.pattern.startswith("-", self.at) or self.pattern.startswith("-]", self.at):
            return _class(low) if len(low) > 1 else _literal(low)
        self.at += 1
        if self.at >= len(self.pattern):
            raise PatternError(UNMATCHED_BRACKET)
        high = self.element()
        if len(low) > 1 or len(high) > 1 or low > high:
            raise PatternError("Invalid range end")
        return f"{_literal(low)}-{_literal(high)}"

    def element(self) -> str:
        """Take one character, or the name of a class with its colons."""
        mark = self.pattern[self.at : self.at + 2]
        if mark not in ("[:", "[.", "[="):
            self.at += 1
            return mark[0]
        end = self.pattern.find(f"{mark[1]}]", self.at + 2)
        if end < 0:
            raise PatternError(UNMATCHED_BRACKET)
        name = self.pattern[self.at + 2 : end]
        self.at = end + 2
        if mark == "[:":
            return f":{name}:"
        if len(name) != 1:
            raise PatternError("Invalid collation character")
        return name


def _class(name: str) -> str:
    if name.strip(":") not in CLASSES:
        raise PatternError("Invalid character class name")
    return _CLASSES_OF_LETTERS.get(name, f"[{name}]")


def _literal(character: str) -> str:
    return f"\\{character}" if character in "\\]^-[" else character


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit())


def _bound(text: str) -> int:
    if not text.isdigit():
        raise PatternError("Invalid content of \\{\\}")
    if len(text) > 5 or int(text) > DUPLICATIONS_MAX:
        raise PatternError(TOO_BIG)
    return int(text)
