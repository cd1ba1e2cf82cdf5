"""Reading a line: commands joined by ; && ||, each with words, filters after | and perhaps a file after >.

parse("kubectl get pods -o yaml > pods.yaml && cat pods.yaml | head -3")
[Command(words=["kubectl", "get", …], into="pods.yaml"), Command(words=["cat", "pods.yaml"], joined_by="&&",
 filters=[["head", "-3"]])]
"""

import re
import shlex
from collections import deque
from dataclasses import dataclass, field

_OPERATORS = {";", "&&", "||", "|", ">", ">>", "&", "<", "<<"}
_OPERATOR = re.compile(r"^[;&|<>]+$")


class SyntaxFailure(Exception):  # noqa: N818
    """A line that is no command; the text follows "sh: "."""


@dataclass(slots=True)
class Command:
    """One command of a line."""

    words: list[str] = field(default_factory=list)
    joined_by: str = ";"
    filters: list[list[str]] = field(default_factory=list)
    into: str | None = None
    appends: bool = False


def parse(line: str) -> list[Command]:
    """Read a line. SyntaxFailure says what is wrong in it."""
    tokens = deque(_tokens(line))
    commands: list[Command] = []
    command, joined_by = Command(), ";"
    current = command.words
    while tokens:
        text, is_operator = tokens.popleft()
        if not is_operator:
            current.append(text)
        elif text == "|":
            current = []
            command.filters.append(current)
        elif text in (">", ">>"):
            if not tokens or tokens[0][1]:
                raise SyntaxFailure("syntax error: unexpected end of file")
            command.into, command.appends = tokens.popleft()[0], text == ">>"
        elif text in (";", "&&", "||"):
            _finish(command, joined_by, commands, before=text)
            command, joined_by = Command(), text
            current = command.words
        else:
            raise SyntaxFailure(f'syntax error near unexpected token "{text}"')
    if command.words or command.filters or joined_by in ("&&", "||"):
        _finish(command, joined_by, commands, before="newline")
    return commands


def _finish(command: Command, joined_by: str, commands: list[Command], *, before: str) -> None:
    if not command.words or not all(command.filters):
        raise SyntaxFailure(f'syntax error near unexpected token "{before}"')
    command.joined_by = joined_by
    commands.append(command)


def _tokens(line: str) -> list[tuple[str, bool]]:
    """Split into words and operators; only what stands unquoted is an operator."""
    tokens: list[tuple[str, bool]] = []
    for piece in _pieces(line.strip()):
        if _OPERATOR.match(piece):
            if piece not in _OPERATORS:
                raise SyntaxFailure(f'syntax error near unexpected token "{piece}"')
            tokens.append((piece, True))
        else:
            try:
                tokens += [(word, False) for word in shlex.split(piece)]
            except ValueError as error:
                raise SyntaxFailure("syntax error: unterminated quoted string") from error
    return tokens


def _pieces(line: str) -> list[str]:
    """Cut a line at unquoted blanks and operators, quotes left in place; a # begins a comment."""
    pieces, current, quote = [], "", ""
    position = 0
    while position < len(line):
        character = line[position]
        if quote:
            quote = "" if character == quote and not (quote == '"' and line[position - 1] == "\\") else quote
            current += character
        elif character in "\"'":
            quote = character
            current += character
        elif character == "\\" and position + 1 < len(line):
            current += line[position : position + 2]
            position += 1
        elif character == "#" and not current:
            break
        elif character in " \t\n" or character in ";&|<>":
            pieces.append(current)
            current = ""
            if character in ";&|<>":
                operator = re.match(r"[;&|<>]+", line[position:])
                assert operator is not None
                pieces.append(operator[0])
                position += len(operator[0]) - 1
        else:
            current += character
        position += 1
    return [piece for piece in [*pieces, current] if piece]
