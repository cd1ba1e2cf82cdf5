"""Taking a shell script apart: words and operators, and where a compound command ends.

tokens("for i in 1 2; do echo $i; done")     ["for", "i", "in", "1", "2", ";", "do", "echo", "$i", ";", "done"]
"""

import re
import shlex
from collections.abc import Sequence

OPERATORS = re.compile(r"^[;&|\n]+$")


def tokens(text: str) -> list[str]:
    """Split a script into words and operators."""
    lexer = shlex.shlex(text.strip(), posix=True, punctuation_chars=";&|\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return ["sh: syntax error: unterminated quoted string"]


_OPENING = {"while": "done", "until": "done", "for": "done", "if": "fi"}


def end_of_command(tokens: Sequence[str], start: int) -> int:
    """Find where a command ends: at its closing word when compound, else before the next operator."""
    depth = 0
    for position in range(start, len(tokens)):
        token = tokens[position]
        if token in _OPENING and (position == start or _begins_command(tokens[position - 1])):
            depth += 1
        elif token in {"done", "fi"}:
            depth -= 1
            if depth == 0:
                return position + 1
        elif depth == 0 and OPERATORS.match(token):
            return position
    return len(tokens)


def _begins_command(before: str) -> bool:
    return bool(OPERATORS.match(before)) or before in {"do", "then", "else"}


def without_redirection(tokens: Sequence[str]) -> list[str]:
    """Leave out what sends output elsewhere; such a command writes nothing to the log, and becomes `true`."""
    kept: list[str] = []
    skip_next = False
    for token in tokens:
        if skip_next:
            skip_next = False
        elif re.match(r"^\d?>{1,2}(&\d)?$", token):
            skip_next = "&" not in token
        elif not re.match(r"^\d?>{1,2}.+$", token):
            kept.append(token)
    return kept if len(kept) == len(tokens) else ["true"]
