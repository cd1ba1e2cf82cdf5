"""POSIX regular expressions for sed and awk: RE2 behind GNU's syntax, and a bound on what matching may cost.

    Pattern("a\\+", extended=False).search(b"baa", 0)      a match from 1 to 3

RE2 takes time in proportion to the pattern's size times the text's length; EFFORT_MAX of that, then `SpentError`.
"""

from typing import Any

from cluster_engine.programs.posix_patterns import PatternError, translated

PATTERN_BYTES_MAX = 1024 * 1024
EFFORT_MAX = 1_000_000_000


def raw(text: str) -> bytes:
    """Return text as bytes, those that were no UTF-8 as they were; what can be no byte at all becomes ?."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class SpentError(Exception):
    """A script has had its share of steps or of matching; the text says so."""


class Effort:
    """What one run may still match."""

    def __init__(self) -> None:
        self._left = EFFORT_MAX

    def take(self, size: int) -> None:
        """Count. SpentError."""
        self._left -= size
        if self._left < 0:
            raise SpentError("this pattern is too large for so much text")


class Pattern:
    """One expression over bytes. PatternError in GNU's words."""

    def __init__(self, text: str, effort: Effort, *, extended: bool, ignore_case: bool = False) -> None:
        import re2  # it takes 3 MiB, which a cluster in which nobody matches need not pay

        options = re2.Options()
        options.max_mem, options.log_errors, options.longest_match = PATTERN_BYTES_MAX, False, True
        options.case_sensitive = not ignore_case
        options.dot_nl = True
        source = translated(text, extended=extended).text
        try:
            self._compiled: Any = re2.compile(raw(source), options)
        except re2.error:
            raise PatternError("Regular expression too big") from None
        self._effort = effort
        self.groups: int = self._compiled.groups

    def search(self, data: bytes, at: int = 0) -> Any:
        """Find the leftmost longest match from a place on, or None. SpentError."""
        self._effort.take(self._compiled.programsize * (len(data) - at + 1))
        return self._compiled.search(data, at)
