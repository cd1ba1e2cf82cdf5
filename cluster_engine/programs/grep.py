"""grep: which lines of files, or of what is piped in, to print, in what dress, and the exit code.

    search = Grep(["-in", "nginx"])
    search.line("web  nginx:1.27")     ["1:web  nginx:1.27"]
    search.end()                       []          then search.code is 0

Patterns are RE2's (`posix_patterns`), so that no line takes longer than its length times the pattern's; how much that
may be in all is bounded by EFFORT_MAX. Modelled on GNU grep 3.8. Left out: directories (-r), -P, -z, -b, colours.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.programs.posix_patterns import TOO_BIG, PatternError, quoted, translated

PATTERN_BYTES_MAX = 256 * 1024
"""What RE2 may use for a pattern's program and states."""
EFFORT_MAX = 1_000_000_000
"""Instructions of the pattern times bytes searched: about ten seconds where RE2 is slowest."""
NUMBER_MAX = 2**31 - 1

USAGE = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information."
SHORT = "EFGPe:iyvwxcolLnqshHam:A:B:C:"
LONG = {
    "extended-regexp": "E", "fixed-strings": "F", "basic-regexp": "G", "perl-regexp": "P", "regexp=": "e",
    "ignore-case": "i", "invert-match": "v", "word-regexp": "w", "line-regexp": "x", "count": "c",
    "only-matching": "o", "files-with-matches": "l", "files-without-match": "L", "line-number": "n", "quiet": "q",
    "silent": "q", "no-messages": "s", "no-filename": "h", "with-filename": "H", "text": "a", "max-count=": "m",
    "after-context=": "A", "before-context=": "B", "context=": "C", "color": "", "colour": "",
}  # fmt: skip
NAME = "(standard input)"
_WORD_BEFORE, _WORD_AFTER = r"(?:^|[^\pL\pN_])", r"(?:[^\pL\pN_]|$)"


class GrepError(ValueError):
    """What grep says and ends with code 2."""


class Grep:
    """One run. `line` and `end` give what is to be printed; `code` is the exit code so far."""

    def __init__(self, words: list[str]) -> None:
        """Read the words after `grep`. GrepError."""
        try:
            options, arguments = read_options("grep", words, SHORT, LONG)
        except OptionError as problem:
            raise GrepError(f"{problem}\n{USAGE}") from None
        self._flags: set[str] = set()
        self._values: dict[str, str] = {}
        patterns: list[str] = []
        for letter, value in options:
            if letter == "e":
                patterns.append(value)
            elif letter in "EFGP":
                if self._flags & set("EFGP") - {letter}:
                    raise GrepError("grep: conflicting matchers specified")
            elif letter in "lL":
                self._flags -= set("lL")
            self._flags.add(letter)
            self._values[letter] = value
        if "P" in self._flags:
            raise GrepError("grep: Perl matching not supported in a --disable-perl-regexp build")
        if not patterns:
            if not arguments:
                raise GrepError(USAGE)
            patterns.append(arguments.pop(0))
        self.files = arguments or ["-"]
        self.warnings: list[str] = []
        self._compile([line for pattern in patterns for line in pattern.split("\n")])
        self._limit = self._number("m", "invalid max count", NUMBER_MAX)
        context = self._number("C", "invalid context length argument", 0)
        self._after = self._number("A", "invalid context length argument", context)
        self._before: deque[tuple[int, str]] = deque(
            maxlen=min(self._number("B", "invalid context length argument", context), 100_000)
        )
        self._effort = 0
        self._has_selected = False
        self.begin(self.files[0])

    @property
    def code(self) -> int:
        """0 when a line was selected, else 1."""
        return 0 if self._has_selected else 1

    @property
    def is_done(self) -> bool:
        """Whether nothing that comes can change what is printed: -q has found one, or -m as many as were asked for."""
        return bool(self._selected) if "q" in self._flags else self._selected >= self._limit and not self._owed

    def begin(self, name: str) -> None:
        """Begin with a file, or with standard input ("-")."""
        self._name = NAME if name == "-" else name
        self._is_named = "H" in self._flags or (len(self.files) > 1 and "h" not in self._flags)
        self._before.clear()
        self._seen = self._selected = self._owed = self._printed = 0

    # -- patterns ------------------------------------------------------------------------------------------------------

    def _compile(self, patterns: list[str]) -> None:
        import re2  # it takes 3 MiB, which a cluster in which nobody types grep need not pay

        alternatives = []
        for pattern in patterns:
            if "F" in self._flags:
                alternatives.append(quoted(pattern))
                continue
            try:
                found = translated(pattern, extended="E" in self._flags)
            except PatternError as problem:
                raise GrepError(f"grep: {problem}") from None
            alternatives.append(found.text)
            self.warnings += [f"grep: warning: {text}" for text in found.warnings]
        text = "|".join(alternatives)
        if "x" in self._flags:
            text = f"^(?:{text})$"
        elif "w" in self._flags:
            text = f"{_WORD_BEFORE}({text}){_WORD_AFTER}"
        options = re2.Options()
        options.max_mem, options.log_errors, options.longest_match = PATTERN_BYTES_MAX, False, True
        options.case_sensitive = not self._flags & {"i", "y"}
        re2.purge()  # its cache keeps 128 programs, whoever wrote them
        try:
            self._regexp: Any = re2.compile(text.encode("utf-8", "replace"), options)
        except re2.error:
            raise GrepError(f"grep: {TOO_BIG}") from None

    def _number(self, letter: str, complaint: str, default: int) -> int:
        text = self._values.get(letter)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()):
            raise GrepError(f"grep: {complaint}" if letter == "m" else f"grep: {text}: {complaint}")
        return min(int(text[:12]), NUMBER_MAX)

    # -- lines ---------------------------------------------------------------------------------------------------------

    def line(self, text: str) -> list[str]:
        """Search a line; what is to be printed now. GrepError when this would take too long."""
        if self._selected >= self._limit and not self._owed:
            return []
        self._seen += 1
        raw = text.encode("utf-8", "replace")
        self._effort += self._regexp.programsize * (len(raw) + 1)
        if self._effort > EFFORT_MAX:
            raise GrepError("grep: this pattern is too large for so much text")
        found = self._selected < self._limit and bool(self._regexp.search(raw)) is not ("v" in self._flags)
        self._selected += found
        self._has_selected |= found
        if self._flags & set("cqlL"):
            return []
        if found:
            return self._found(text, raw)
        if self._owed:
            self._owed -= 1
            self._printed = self._seen
            return [self._dressed(self._seen, text, "-")]
        self._before.append((self._seen, text))
        return []

    def _found(self, text: str, raw: bytes) -> list[str]:
        if "o" in self._flags:
            parts = [] if "v" in self._flags else list(self._parts(raw))
            return [self._dressed(self._seen, part.decode("utf-8", "replace"), ":") for part in parts]
        begin = self._before[0][0] if self._before else self._seen
        gap = bool(self._printed) and begin > self._printed + 1 and (bool(self._after) or bool(self._before.maxlen))
        lines = ["--"] if gap else []
        lines += [self._dressed(number, before, "-") for number, before in self._before]
        self._before.clear()
        self._owed, self._printed = self._after, self._seen
        return [*lines, self._dressed(self._seen, text, ":")]

    def _parts(self, raw: bytes) -> Iterator[bytes]:
        """Yield what matched, one after another, nothing that is empty."""
        group = 1 if "w" in self._flags and "x" not in self._flags else 0
        at = 0
        while at <= len(raw) and (found := self._regexp.search(raw, at)):
            if found.end(group) > found.start(group):
                yield raw[found.start(group) : found.end(group)]
            self._effort += self._regexp.programsize * (found.end() - at + 1)
            at = max(found.end(group), at + 1)

    def _dressed(self, number: int, text: str, mark: str) -> str:
        name = f"{self._name}{mark}" if self._is_named else ""
        return f"{name}{number}{mark}{text}" if "n" in self._flags else f"{name}{text}"

    def end(self) -> list[str]:
        """Return what is printed when nothing more comes."""
        if "q" in self._flags:
            return []
        if "l" in self._flags or "L" in self._flags:
            return [self._name] if bool(self._selected) is ("l" in self._flags) else []
        if "c" in self._flags:
            return [f"{self._name}:{self._selected}" if self._is_named else str(self._selected)]
        return []


async def grep(invocation: Invocation) -> int:
    """Run grep."""
    try:
        search = Grep(list(invocation.argv[1:]))
        invocation.err("".join(f"{warning}\n" for warning in search.warnings))
        is_missing = False
        for path in search.files:
            search.begin(path)
            try:
                async for line in invocation.lines(path):
                    for found in search.line(line):
                        invocation.out(f"{found}\n")
                    if search.is_done:
                        break
            except OSError as error:
                invocation.err(f"grep: {path}: {error.strerror}\n")
                is_missing = True
                continue
            for found in search.end():
                invocation.out(f"{found}\n")
    except GrepError as problem:
        invocation.err(f"{problem}\n")
        return 2
    return 2 if is_missing else search.code


__all__ = ["Grep", "GrepError", "grep"]
