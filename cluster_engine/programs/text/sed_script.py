r"""sed's scripts: from text to commands.

    parse(["s/a\(b\)/<\1>/gp", "$!d"])      two commands with their addresses

Modelled on GNU sed 4.9 (sed/compile.c) and its errors. Left out: w, r, e, l, F, z and the like; special replacements
but for \L, \U, \l, \u, \E.
"""

from collections.abc import Sequence

import msgspec

from cluster_engine.programs.posix_patterns import PatternError
from cluster_engine.programs.text.matching import Effort, Pattern

COMMANDS_MAX, NESTING_MAX = 2000, 50


class ScriptError(Exception):
    """A script that is none; the text follows "sed: "."""


class Address(msgspec.Struct, frozen=True):
    """A line: a number, `$` (0), every `step`-th, or those that match (None: what matched last)."""

    number: int | None = None
    step: int = 0
    pattern: Pattern | None = None
    offset: int | None = None
    """Of a second one: so many lines more."""


class Command(msgspec.Struct):
    """One command and the lines that it is for."""

    name: str
    first: Address | None = None
    last: Address | None = None
    negated: bool = False
    text: str = ""
    pattern: Pattern | None = None
    replacement: list[str | int] = msgspec.field(default_factory=list)
    flags: frozenset[str] = frozenset()
    number: int = 1
    target: int = 0
    """Where to go on: behind a block that is not entered, or at a label."""
    active: bool = False
    ends_at: int = 0


class Parser:
    """Reads scripts; the commands stand in `commands`."""

    def __init__(self, effort: Effort, *, extended: bool) -> None:
        self.commands: list[Command] = []
        self._effort, self._extended = effort, extended
        self._blocks: list[int] = []
        self._labels: dict[str, int] = {}
        self._text, self._at, self._where = "", 0, ""

    def read(self, text: str, where: str) -> None:
        """Read one script. ScriptError."""
        self._text, self._at, self._where = text, 0, where
        while True:
            self._skip(" \t\n;")
            if self._at >= len(text):
                return
            if text[self._at] == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
                continue
            self._command()
            if len(self.commands) > COMMANDS_MAX:
                raise ScriptError("too many commands")

    def end(self) -> Sequence[Command]:
        """Tie labels and blocks; give the commands. ScriptError."""
        if self._blocks:
            raise ScriptError("-e expression #1, char 0: unmatched `{'")
        for command in self.commands:
            if command.name in ("b", "t", "T"):
                if command.text and command.text not in self._labels:
                    raise ScriptError(f"-e expression #1, char {len(self._text)}: can't find label for jump to "
                                      f"`{command.text}'")  # fmt: skip
                command.target = self._labels[command.text] if command.text else len(self.commands)
        return self.commands

    def _fail(self, what: str) -> ScriptError:
        return ScriptError(f"{self._where}, char {min(self._at, len(self._text))}: {what}")

    def _skip(self, letters: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in letters:
            self._at += 1

    def _number(self) -> int:
        begin = self._at
        while self._at < len(self._text) and self._text[self._at].isdigit() and self._text[self._at].isascii():
            self._at += 1
        return int(self._text[begin : min(self._at, begin + 12)] or "0")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _address(self, *, second: bool = False) -> Address | None:
        one = self._peek()
        if one.isascii() and one.isdigit():
            number = self._number()
            if self._peek() == "~":
                self._at += 1
                return Address(number=number, step=self._number())
            return Address(number=number)
        if one == "$":
            self._at += 1
            return Address(number=-1)
        if second and one == "+":
            self._at += 1
            return Address(offset=self._number())
        if one in ("/", "\\") and one:
            self._at += 1
            mark = one
            if one == "\\":
                mark = self._peek()
                self._at += 1
            source = self._until(mark, "unterminated address regex")
            ignore = self._peek() == "I"
            self._at += ignore
            return Address(pattern=self._pattern(source, ignore_case=ignore))
        return None

    def _until(self, mark: str, problem: str, *, keep: bool = False) -> str:
        """Read up to a mark; what is escaped stays escaped, but for the mark and \\n."""
        told, in_bracket = "", False
        while self._at < len(self._text):
            one = self._text[self._at]
            self._at += 1
            if one == "\\" and self._at < len(self._text):
                following = self._text[self._at]
                self._at += 1
                if following == mark and not in_bracket:
                    told += f"\\{following}" if mark in "&^$*." and mark else following
                elif following == "n" and not keep:
                    told += "\n"
                elif following == "t" and not keep:
                    told += "\t"
                else:
                    told += f"\\{following}"
                continue
            if not keep and one == "[" and not in_bracket:
                in_bracket = "]" in self._text[self._at + 1 :]
                told += one
                if self._peek() == "^":
                    told += "^"
                    self._at += 1
                if self._peek() == "]":
                    told += "]"
                    self._at += 1
                continue
            if one == "]" and in_bracket:
                in_bracket = False
            elif one == mark and not in_bracket:
                return told
            if one == "\n" and mark == "\n":
                return told
            told += one
        raise self._fail(problem)

    def _pattern(self, source: str, *, ignore_case: bool = False) -> Pattern | None:
        if not source:
            return None
        try:
            return Pattern(source, self._effort, extended=self._extended, ignore_case=ignore_case)
        except PatternError as problem:
            raise self._fail(str(problem)) from None

    def _command(self) -> None:
        command = Command("")
        command.first = self._address()
        if command.first is not None:
            self._skip(" \t")
            if self._peek() == ",":
                self._at += 1
                self._skip(" \t")
                command.last = self._address(second=True)
                if command.last is None:
                    raise self._fail("unexpected `,'")
        self._skip(" \t")
        while self._peek() == "!":
            command.negated = True
            self._at += 1
            self._skip(" \t")
        command.name = self._peek()
        if not command.name or command.name in "\n;":
            raise self._fail("missing command")
        self._at += 1
        zero = command.first is not None and command.first.number == 0 and not command.first.step
        if zero and (command.last is None or command.last.pattern is None):
            raise self._fail("invalid usage of line address 0")
        self._rest(command)

    def _rest(self, command: Command) -> None:
        match command.name:
            case "{":
                self._blocks.append(len(self.commands))
                self.commands.append(command)
                return
            case "}":
                if not self._blocks:
                    raise self._fail("unexpected `}'")
                self.commands[self._blocks.pop()].target = len(self.commands)
                self._end_of_command()
                return
            case ":":
                if command.first is not None:
                    raise self._fail(": doesn't want any addresses")
                self._labels[self._word(labels=True)] = len(self.commands)
                return
            case "b" | "t" | "T":
                command.text = self._word()
            case "s":
                self._substitution(command)
            case "y":
                self._transliteration(command)
            case "a" | "i" | "c":
                command.text = self._given_text()
            case "q" | "Q":
                self._skip(" \t")
                command.number = self._number() if self._peek().isdigit() else 0
                self._end_of_command()
            case "p" | "d" | "=" | "n" | "N" | "D" | "P" | "g" | "G" | "h" | "H" | "x":
                self._end_of_command()
            case _:
                raise self._fail(f"unknown command: `{command.name}'")
        self.commands.append(command)

    def _end_of_command(self) -> None:
        self._skip(" \t")
        one = self._peek()
        if one and one not in "\n;}#":
            self._at += 1
            raise self._fail("extra characters after command")

    def _word(self, *, labels: bool = False) -> str:
        self._skip(" \t")
        begin = self._at
        while self._at < len(self._text) and self._text[self._at] not in ("\n" if labels else "\n;}"):
            if labels and self._text[self._at] == ";":
                break
            self._at += 1
        found = self._text[begin : self._at].strip()
        if labels and not found:
            raise self._fail('":" lacks a label')
        return found

    def _given_text(self) -> str:
        self._skip(" \t")
        if self._at >= len(self._text):
            raise self._fail("expected \\ after `a', `c' or `i'")
        if self._peek() == "\\":
            self._at += 1
            rest = self._text[self._at :]
            if rest.lstrip(" \t").startswith("\n"):
                self._at += len(rest) - len(rest.lstrip(" \t")) + 1
        told = ""
        while self._at < len(self._text) and self._text[self._at] != "\n":
            if self._text[self._at] == "\\" and self._at + 1 < len(self._text):
                self._at += 1
            told += self._text[self._at]
            self._at += 1
        return told

    def _transliteration(self, command: Command) -> None:
        mark = self._peek()
        self._at += 1
        parts = []
        for _ in range(2):
            source = self._until(mark, "unterminated `y' command", keep=True)
            parts.append(source.replace("\\n", "\n").replace("\\\\", "\\"))
        if len(parts[0]) != len(parts[1]):
            raise self._fail("strings for `y' command are different lengths")
        command.text, command.replacement = parts[0], [parts[1]]
        self._end_of_command()

    def _substitution(self, command: Command) -> None:
        mark = self._peek()
        self._at += 1
        problem = "unterminated `s' command"
        if not mark or mark in "\n\\":
            raise self._fail(problem)
        source = self._until(mark, problem)
        template = self._until(mark, problem, keep=True)
        flags, number = set(), 1
        while self._peek() and self._peek() not in "\n;}# \t":
            one = self._peek()
            if one.isascii() and one.isdigit():
                number = self._number()
                if number == 0:
                    raise self._fail("number option to `s' command may not be zero")
                flags.add("number")
                continue
            self._at += 1
            if one not in "gpiIMm":
                raise self._fail("unknown option to `s'")
            flags.add(one.lower() if one in "iI" else one)
        self._end_of_command()
        command.flags, command.number = frozenset(flags), number
        command.pattern = self._pattern(source, ignore_case="i" in flags)
        command.replacement = replacement(template)
        groups = command.pattern.groups if command.pattern is not None else 9
        for part in command.replacement:
            if isinstance(part, int) and part > groups:
                raise self._fail(f"invalid reference \\{part} on `s' command's RHS")


def replacement(template: str) -> list[str | int]:
    """Read what replaces a match: text, numbers of groups, and marks of case ("\\U" as "\\0U")."""
    parts: list[str | int] = []
    template, at = template.replace("\0", ""), 0
    while at < len(template):
        one = template[at]
        at += 1
        if one == "&":
            parts.append(0)
        elif one == "\\" and at < len(template):
            following = template[at]
            at += 1
            if following.isascii() and following.isdigit():
                parts.append(int(following))
            elif following in "LUluE":
                parts.append(f"\0{following}")
            else:
                parts.append({"n": "\n", "t": "\t"}.get(following, following))
        else:
            parts.append(one)
    joined: list[str | int] = []
    for part in parts:
        plain = isinstance(part, str) and not part.startswith("\0")
        if plain and joined and isinstance(joined[-1], str) and not joined[-1].startswith("\0"):
            joined[-1] += str(part)
        else:
            joined.append(part)
    return joined
