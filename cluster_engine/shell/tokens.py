"""Reading a script's tokens: operators, here-documents, and words with the expansions in them.

    Tokens("echo \"a$b\" > f")     Word(echo)   Word(Literal(a), Variable(b))   ">"   Word(f)   ""

What stands in `$(…)` is a script of its own: reading that is left to who derives from this (`syntax.py`). Modelled on
POSIX.1-2017, Shell Command Language, 2.2 to 2.6; errors are bash's. Nesting is bounded by NESTING_MAX.
"""

import re
from abc import ABC, abstractmethod
from typing import Self

from cluster_engine.shell.budget import TooDeepError
from cluster_engine.shell.syntax_tree import (
    Arithmetic,
    Literal,
    Part,
    Redirect,
    Script,
    Substitution,
    Variable,
    Word,
)

NESTING_MAX = 50
_OPERATORS = ("&>>", "<<-", "<<<", "&&", "||", ";;", "<<", ">>", "<&", ">&", ">|", "&>", "|&",
              ";", "&", "|", "<", ">", "(", ")", "\n")  # fmt: skip
_BREAKS = frozenset(" \t\n;&|<>()")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?$!#@*-]")
_PARENTHESIS = re.compile(r"[()]")
_EXPANSION_OPERATOR = re.compile(r":?[-=+?]|%%?|##?")
END_OF_FILE = "syntax error: unexpected end of file"


class SyntaxFailure(Exception):  # noqa: N818
    """A line that is no script; the text follows "sh: "."""


class UnfinishedError(SyntaxFailure):
    """A line that may become a script when more is typed."""


class Tokens(ABC):
    """Reads from a place in a text on. The next token is an operator, "" at the end, or a word."""

    def __init__(self, text: str, at: int, depth: int) -> None:
        self.text, self.at, self.depth = text, at, depth - 1
        self.go_deeper()
        self._token: str | Word | None = None
        self._begins = at
        self._documents: list[tuple[Redirect, str, bool, bool]] = []
        """Announced here-documents: each with the line that ends it, whether it is quoted, and without leading tabs."""

    @abstractmethod
    def script(self, closers: frozenset[str]) -> Script:
        """Read a list up to one of the closing words or operators, which is left."""

    def announce(self, redirect: Redirect, end: Word, *, strips_tabs: bool) -> None:
        """Have a here-document read where this line ends; `end` is the line that ends it."""
        is_quoted = any(not isinstance(part, Literal) or part.quoted for part in end.parts)
        text = "".join(part.text for part in end.parts if isinstance(part, Literal))
        self._documents.append((redirect, text, is_quoted, strips_tabs))

    def _nested(self, text: str, at: int) -> Self:
        return type(self)(text, at, self.depth + 1)

    def go_deeper(self) -> None:
        """Count one level of nesting. TooDeepError."""
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise TooDeepError

    # -- tokens --------------------------------------------------------------------------------------------------------

    def peek(self) -> str | Word:
        """Return the next token without taking it."""
        if self._token is None:
            self._skip_blanks()
            self._begins = self.at
            self._token = self._operator() or (self._word() if self.at < len(self.text) else "")
        return self._token

    def take(self) -> str | Word:
        """Take the next token; after a newline, the here-documents that were announced before it."""
        token = self.peek()
        self._token = None
        return token

    def keyword(self) -> str:
        """Return the next token's text where it may be a reserved word, "" where it cannot."""
        token = self.peek()
        return (token.plain or "") if isinstance(token, Word) else ""

    def unexpected(self) -> SyntaxFailure:
        """Say that the next token cannot stand here."""
        token = self.peek()
        if token == "":
            return UnfinishedError(END_OF_FILE)
        text = "newline" if token == "\n" else self.text[self._begins : self.at]
        return SyntaxFailure(f"syntax error near unexpected token `{text}'")

    def expect(self, word: str) -> None:
        """Take a reserved word or an operator that must stand here."""
        if word not in (self.peek(), self.keyword()):
            raise self.unexpected()
        self.take()

    def _skip_blanks(self) -> None:
        text, size = self.text, len(self.text)
        while self.at < size:
            if text[self.at] in " \t\r":
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif text[self.at] == "#":
                end = text.find("\n", self.at)
                self.at = size if end < 0 else end
            else:
                return

    def _operator(self) -> str:
        if self.at >= len(self.text) or self.text[self.at] not in _BREAKS:
            return ""
        operator = next(one for one in _OPERATORS if self.text.startswith(one, self.at))
        self.at += len(operator)
        if operator == "\n" and self._documents:
            self._read_documents()
        return operator

    # -- words ---------------------------------------------------------------------------------------------------------

    def _word(self) -> Word:
        return Word(tuple(self._parts(_BREAKS)))

    def _parts(self, breaks: frozenset[str]) -> list[Part]:
        """Read unquoted text and what is quoted in it, up to one of the characters that end it."""
        parts: list[Part] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)
        while self.at < size and (character := text[self.at]) not in breaks:
            found: list[Part] = []
            if character == "'":
                found = [self._single_quoted()]
            elif character == '"':
                found = self._double_quoted()
            elif character == "\\":
                escaped = text[self.at + 1 : self.at + 2]
                found = [Literal("" if escaped == "\n" else escaped or "\\", quoted=True)]
                self.at += 2
            elif character in "$`" and (part := self._expansion(quoted=False)) is not None:
                found = [part]
            else:
                plain.append(character)
                self.at += 1
            if found and plain:
                parts.append(Literal("".join(plain)))
                plain = []
            parts += found
        return [*parts, Literal("".join(plain))] if plain else parts

    def _single_quoted(self) -> Part:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise _unmatched("'")
        begin, self.at = self.at + 1, end + 1
        return Literal(self.text[begin:end], quoted=True)

    def _double_quoted(self) -> list[Part]:
        self.at += 1
        parts = self._quoted_until('"')
        if self.at >= len(self.text):
            raise _unmatched('"')
        self.at += 1
        return parts

    def _quoted_until(self, end: str) -> list[Part]:
        """Read as within double quotes up to `end`, or to the end of the text where that is ""."""
        parts: list[Part] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)
        while self.at < size and text[self.at] != end:
            character = text[self.at]
            if character == "\\" and self.at + 1 < size and text[self.at + 1] in f"$`\\\n{end or '$'}":
                plain.append("" if text[self.at + 1] == "\n" else text[self.at + 1])
                self.at += 2
            elif character in "$`" and (part := self._expansion(quoted=True)) is not None:
                if plain:
                    parts.append(Literal("".join(plain), quoted=True))
                    plain = []
                parts.append(part)
            else:
                plain.append(character)
                self.at += 1
        if plain or not parts:
            parts.append(Literal("".join(plain), quoted=True))
        return parts

    def _expansion(self, *, quoted: bool) -> Part | None:
        """Read what begins with $ or `; None, and nothing read, where a $ stands for itself."""
        text = self.text
        if text[self.at] == "`":
            return self._backquoted(quoted)
        if text.startswith("$((", self.at) and (end := self._end_of_arithmetic()) is not None:
            inner = self._nested(text[self.at + 3 : end], 0)
            self.at = end + 2
            return Arithmetic(Word(tuple(inner._quoted_until(""))), quoted)
        if text.startswith("$(", self.at):
            inner = self._nested(text, self.at + 2)
            script = inner.script(frozenset({")"}))
            if inner.peek() == "":
                raise _unmatched(")")
            inner.expect(")")
            self.at = inner.at
            return Substitution(script, quoted)
        if text.startswith("${", self.at):
            return self._braced(quoted)
        found = _PARAMETER.match(text, self.at + 1)
        if found is None:
            return None
        name = found[0][:1] if found[0].isdigit() else found[0]
        self.at += 1 + len(name)
        return Variable(name, quoted)

    def _backquoted(self, quoted: bool) -> Part:
        text, at, inside = self.text, self.at + 1, []
        while at < len(text) and text[at] != "`":
            at += text[at] == "\\" and text[at + 1 : at + 2] in ("`", "\\", "$")
            inside.append(text[at : at + 1])
            at += 1
        if at >= len(text):
            raise _unmatched("`")
        self.at = at + 1
        inner = self._nested("".join(inside), 0)
        script = inner.script(frozenset())
        if inner.peek() != "":
            raise inner.unexpected()
        return Substitution(script, quoted)

    def _end_of_arithmetic(self) -> int | None:
        """Find the `))` of the `$((` that begins here; None where there is none, or it is `$( (…) )`."""
        depth = 0
        for found in _PARENTHESIS.finditer(self.text, self.at + 3):
            if found[0] == "(":
                depth += 1
            elif depth:
                depth -= 1
            else:
                return found.start() if self.text.startswith("))", found.start()) else None
        return None

    def _braced(self, quoted: bool) -> Part:
        text = self.text
        end = text.find("}", self.at)
        if end < 0:
            raise _unmatched("}")
        bad = SyntaxFailure(f"{text[self.at : end + 1]}: bad substitution")
        self.at += 2
        if text.startswith("#", self.at) and not text.startswith("#}", self.at):
            found = _PARAMETER.match(text, self.at + 1)
            if found is None or found.end() != end:
                raise bad
            self.at = end + 1
            return Variable(found[0], quoted, "#")
        found = _PARAMETER.match(text, self.at)
        if found is None:
            raise bad
        self.at = found.end()
        operator = _EXPANSION_OPERATOR.match(text, self.at)
        if operator is None:
            if self.at != end:
                raise bad
            self.at = end + 1
            return Variable(found[0], quoted)
        self.at = operator.end()
        self.go_deeper()
        is_text = quoted and operator[0][0] not in "%#"
        argument = Word(tuple(self._quoted_until("}") if is_text else self._parts(frozenset("}"))))
        self.depth -= 1
        if self.at >= len(text):
            raise _unmatched("}")
        self.at += 1
        return Variable(found[0], quoted, operator[0], argument)

    # -- here-documents ------------------------------------------------------------------------------------------------

    def _read_documents(self) -> None:
        """Read the here-documents that the line which has just ended announced."""
        documents, self._documents = self._documents, []
        for redirect, end, is_quoted, strips_tabs in documents:
            lines: list[str] = []
            while self.at < len(self.text):
                until = self.text.find("\n", self.at)
                until = len(self.text) if until < 0 else until
                line = self.text[self.at : until]
                self.at = min(until + 1, len(self.text))
                line = line.lstrip("\t") if strips_tabs else line
                if line == end:
                    break
                lines.append(f"{line}\n")
            else:
                self._documents.append((redirect, end, is_quoted, strips_tabs))
            body = "".join(lines)
            parts = [Literal(body, quoted=True)] if is_quoted else self._nested(body, 0)._quoted_until("")
            redirect.target = Word(tuple(parts))

    def check_documents(self) -> None:
        """Raise SyntaxFailure where a here-document has no end."""
        if self._documents:
            end = self._documents[0][1]
            raise UnfinishedError(f"here-document delimited by end-of-file (wanted `{end}')")


def _unmatched(character: str) -> SyntaxFailure:
    return UnfinishedError(f"unexpected EOF while looking for matching `{character}'")
