"""Cutting a template into its text and the tokens of its actions.

    "a{{.b | len}}"     text "a"; then field ".b", pipe "|", identifier "len", and the action's end

`{{- ` and ` -}}` take the white space beside them away, and comments are nothing.

Modelled on text/template/parse/lex.go.
"""

import re
from collections.abc import Generator, Iterator
from typing import Literal

import msgspec

Kind = Literal["text", "field", "dot", "variable", "name", "number", "string", "mark", "end"]
TEMPLATE_CHARACTERS_MAX = 1024 * 1024
_SPACES = " \t\r\n"
_AFTER_WORDS = (*_SPACES, ".", ",", "|", ":", ")", "(", "")
_TOKEN = re.compile(
    r"""(?P<field>\.[A-Za-z_]\w*)|(?P<number>[+-]?(?:0[xX][0-9A-Fa-f_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))"""
    r"""|(?P<dot>\.)|(?P<variable>\$\w*)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|(?P<mark>:=|[|=,()])"""
)


class TemplateError(ValueError):
    """A template that cannot be read, or not be filled in; the words are Go's."""


class Token(msgspec.Struct, frozen=True):
    """One piece; `text` is as typed. `spaced` says that white space stands before it."""

    kind: Kind
    text: str
    at: int
    spaced: bool = False


def tokens(template: str) -> Iterator[Token]:
    """Yield the pieces of a template; an action's last one is of the kind "end". TemplateError."""
    if len(template) > TEMPLATE_CHARACTERS_MAX:
        raise wrong(template, 0, "the template is too large")
    at, trims = 0, False
    while True:
        opening = template.find("{{", at)
        text = template[at:] if opening < 0 else template[at:opening]
        text = text.lstrip(_SPACES) if trims else text
        if opening < 0:
            if text:
                yield Token("text", text, at)
            return
        inside = opening + 2
        if template[inside : inside + 1] == "-" and template[inside + 1 : inside + 2] in tuple(_SPACES):
            text, inside = text.rstrip(_SPACES), inside + 2
        if text:
            yield Token("text", text, at)
        comment = template.startswith("/*", inside)
        at, trims = _comment(template, inside) if comment else (yield from _action(template, inside))


def wrong(template: str, at: int, why: str) -> TemplateError:
    """Say what is wrong with a template, and in which line."""
    return TemplateError(f"template: output:{template.count(chr(10), 0, at) + 1}: {why}")


def _comment(template: str, at: int) -> tuple[int, bool]:
    closing = template.find("*/", at)
    if closing < 0:
        raise wrong(template, at, "unclosed comment")
    after = closing + 2
    if template.startswith("}}", after):
        return after + 2, False
    if template[after : after + 1] in tuple(_SPACES) and template.startswith("-}}", after + 1):
        return after + 4, True
    raise wrong(template, at, "comment ends before closing delimiter")


def _action(template: str, at: int) -> Generator[Token, None, tuple[int, bool]]:
    """Yield an action's tokens; return where it ends, and whether the white space behind it goes."""
    brackets = 0
    while True:
        begin = at
        while template[at : at + 1] in tuple(_SPACES):
            at += 1
        spaced = at > begin
        if spaced and template.startswith("-}}", at):
            yield Token("end", "-}}", at, spaced)
            return at + 3, True
        if template.startswith("}}", at):
            if brackets > 0:
                raise wrong(template, at, "unclosed left paren")
            yield Token("end", "}}", at, spaced)
            return at + 2, False
        found = _TOKEN.match(template, at)
        if found is None:
            raise wrong(template, at, _why(template, at))
        kind: Kind = found.lastgroup  # type: ignore[assignment]
        yield Token(kind, found[0], at, spaced)
        brackets += {"(": 1, ")": -1}.get(found[0], 0)
        at = found.end()
        after = template[at : at + 1]
        if kind in ("field", "name", "variable") and after not in _AFTER_WORDS and not template.startswith("}}", at):
            raise wrong(template, at, f"bad character U+{ord(after):04X} '{after}'")


def _why(template: str, at: int) -> str:
    character = template[at : at + 1]
    if not character:
        return "unclosed action"
    if character in "\"'`":
        names = {'"': "quoted string", "'": "character constant", "`": "raw quoted string"}
        return f"unterminated {names[character]}"
    if character in "+-" or character.isdigit():
        return f'bad number syntax: "{character}"'
    if ord(character) > 127 or character.isspace():
        return f"unrecognized character in action: U+{ord(character):04X} '{character}'"
    return f'unexpected "{character}" in command'
