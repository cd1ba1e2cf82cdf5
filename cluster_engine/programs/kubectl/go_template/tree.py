"""Reading a template's tokens as a tree of nodes. Each node knows where it stands and how it was typed, for errors.

    {{range $i, $c := .items}}{{$c.name}}{{else}}none{{end}}
    Range(pipe=Pipe(names=("$i", "$c"), commands=(Field(.items),)), body=[Action(…)], other=[Text("none")])

Modelled on text/template/parse/parse.go.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cluster_engine.programs.kubectl.go_template.functions import FUNCTIONS
from cluster_engine.programs.kubectl.go_template.lexer import TemplateError, Token, tokens, wrong

WORDS = {"true": True, "false": False, "nil": None}
_DECLARED = re.compile(r"\$\w*\s*(?:,\s*(\$\w*)\s*)?(:=|=)")
DEPTH_MAX = 100
"""How deeply actions and brackets may be nested."""


class Literal(int):
    """A whole number that the template itself names: Go's int, where data's are int64."""


class Node(msgspec.Struct, frozen=True):
    """What all nodes have: where they begin, and how they are shown."""

    at: int
    shown: str


class Constant(Node, frozen=True):
    """Text, a number, true, false or nil."""

    value: Any


class Path(Node, frozen=True):
    """A start (a variable's name, a pipe in brackets, or "" for the dot), and fields below it."""

    start: "str | Pipe"
    fields: tuple[str, ...] = ()


class Name(Node, frozen=True):
    """A function."""

    name: str


class Command(Node, frozen=True):
    """A function or value, and what it is given."""

    words: "tuple[Operand, ...]"


class Pipe(Node, frozen=True):
    """Commands, each given what the one before has made; and the variables that take the result."""

    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    assigns: bool = False


Operand = Constant | Path | Name | Pipe


class Text(Node, frozen=True):
    """What is printed as it is."""


class Action(Node, frozen=True):
    """A pipe whose result is printed."""

    pipe: Pipe


class Block(msgspec.Struct):
    """If, range or with; `other` is what follows its else."""

    word: str
    at: int
    pipe: Pipe
    body: "list[Step]" = msgspec.field(default_factory=list)
    other: "list[Step]" = msgspec.field(default_factory=list)


class Leave(Node, frozen=True):
    """Break or continue."""


Step = Text | Action | Block | Leave


class Template(msgspec.Struct, frozen=True):
    """A template, read."""

    text: str
    steps: list[Step]


def parse(text: str) -> Template:
    """Read a template. TemplateError in Go's words."""
    return Template(text, _Parser(text).template())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: Iterator[Token] = tokens(text)
        self._next: Token | None = next(self._tokens, None)
        self._names = ["$"]
        self._depth = 0
        self._ranges = 0

    def template(self) -> list[Step]:
        steps, ended_by = self._steps()
        if ended_by is not None:
            raise self._wrong(f"unexpected {{{{{ended_by}}}}}")
        return steps

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _wrong(self, why: str, at: int | None = None) -> TemplateError:
        place = at if at is not None else self._next.at if self._next else len(self._text)
        return wrong(self._text, place, why)

    def _take(self) -> Token:
        token = self._next
        if token is None:
            raise self._wrong("unexpected EOF")
        self._next = next(self._tokens, None)
        return token

    def _peek(self) -> Token:
        if self._next is None:
            raise self._wrong("unexpected EOF")
        return self._next

    def _end(self, context: str) -> None:
        token = self._take()
        if token.kind != "end":
            raise self._unexpected(token, context)

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        shown = f'"{token.text}"' if token.kind == "mark" else f"<{token.text}>"
        return self._wrong(f"unexpected {shown} in {context}", token.at)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _steps(self) -> tuple[list[Step], str | None]:
        """Read up to an end or else that belongs to somebody outside; return which."""
        found: list[Step] = []
        while self._next is not None:
            if self._next.kind == "text":
                token = self._take()
                found.append(Text(token.at, token.text))
                continue
            word = self._next.text if self._next.kind == "name" else ""
            if word in ("end", "else"):
                self._take()
                if word == "end":
                    self._end("end")
                return found, word
            found.append(self._step(word))
        return found, None

    def _step(self, word: str) -> Step:
        if word in ("if", "range", "with"):
            return self._block(word)
        if word in ("break", "continue"):
            token = self._take()
            if not self._ranges:
                raise self._wrong(f"{{{{{word}}}}} outside {{{{range}}}}", token.at)
            self._end(word)
            return Leave(token.at, word)
        if word in ("define", "block", "template"):
            raise self._wrong(f"{{{{{word}}}}} is not in this workstation's kubectl")
        pipe = self._pipe("command")
        return Action(pipe.at, pipe.shown, pipe)

    def _block(self, word: str) -> Block:
        at = self._take().at
        self._deeper()
        known = len(self._names)
        block = Block(word, at, self._pipe(word))
        self._ranges += word == "range"
        block.body, ended_by = self._steps()
        self._ranges -= word == "range"
        if ended_by is None:
            raise self._wrong("unexpected EOF")
        if ended_by == "else":
            block.other = self._else(word)
        del self._names[known:]
        self._depth -= 1
        return block

    def _else(self, word: str) -> list[Step]:
        token = self._peek()
        if token.kind == "name" and token.text == word and word in ("if", "with"):
            return [self._block(word)]
        self._end("else")
        steps, ended_by = self._steps()
        if ended_by is None:
            raise self._wrong("unexpected EOF")
        if ended_by == "else":
            raise self._wrong("expected end; found {{else}}")
        return steps

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong("the template is nested too deeply")

    # -- pipes ---------------------------------------------------------------------------------------------------------

    def _pipe(self, context: str, end: str = "end") -> Pipe:
        begin = self._peek().at
        names, assigns = self._declared(context)
        commands: list[Command] = []
        while True:
            token = self._peek()
            if token.kind == end or (end == ")" and token.text == ")" and token.kind == "mark"):
                self._take()
                break
            commands.append(self._command(context))
            token = self._peek()
            if token.kind == "mark" and token.text == "|":
                self._take()
        if not commands:
            raise self._wrong(f"missing value for {context}", begin)
        self._names += [] if assigns else names
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.words[0], Constant):
                raise self._wrong(f"non executable command in pipeline stage {stage}", command.at)
        shown = " | ".join(command.shown for command in commands)
        if names:
            shown = f"{', '.join(names)} {'=' if assigns else ':='} {shown}"
        return Pipe(begin, shown, tuple(commands), tuple(names), assigns)

    def _declared(self, context: str) -> tuple[list[str], bool]:
        """Read `$x :=`, `$x =` or `$i, $x :=`, where a pipe begins with that."""
        first = self._peek()
        if first.kind != "variable":
            return [], False
        found = _DECLARED.match(self._text, first.at)
        if found is None or (found[1] and context != "range"):
            return [], False
        names = [first.text, *([found[1]] if found[1] else [])]
        assigns = found[2] == "="
        for _ in range(2 * len(names)):
            self._take()
        for name in names if assigns else []:
            self._known(name)
        return names, assigns

    def _known(self, name: str, at: int | None = None) -> None:
        if name not in self._names:
            raise self._wrong(f'undefined variable "{name}"', at)

    def _command(self, context: str) -> Command:
        words: list[Operand] = []
        at = self._peek().at
        while True:
            token = self._peek()
            if token.kind == "end" or (token.kind == "mark" and token.text in "|)"):
                break
            if words and not token.spaced:
                raise self._unexpected(token, "operand")
            words.append(self._operand(context))
        if not words:
            raise self._unexpected(self._peek(), context)
        return Command(at, " ".join(_in_brackets(word) for word in words), tuple(words))

    def _operand(self, context: str) -> Operand:
        token = self._take()
        start: str | Pipe
        match token.kind:
            case "number" | "string":
                return self._alone(Constant(token.at, token.text, self._constant(token)))
            case "name" if token.text in WORDS:
                return self._alone(Constant(token.at, token.text, WORDS[token.text]))
            case "name":
                if token.text not in FUNCTIONS:
                    raise self._wrong(f'function "{token.text}" not defined', token.at)
                return Name(token.at, token.text, token.text)
            case "dot":
                return Path(token.at, ".", "")
            case "field":
                return self._path(token, "", [token.text[1:]])
            case "variable":
                self._known(token.text, token.at)
                start = token.text
            case "mark" if token.text == "(":
                self._deeper()
                start = self._pipe("parenthesized pipeline", ")")
                self._depth -= 1
                if not self._goes_on():
                    return start
            case _:
                raise self._unexpected(token, context)
        return self._path(token, start, [])

    def _alone(self, constant: Constant) -> Constant:
        if self._goes_on():
            raise self._wrong(f"unexpected . after term {json.dumps(constant.shown.strip(chr(34)))}")
        return constant

    def _goes_on(self) -> bool:
        return self._next is not None and self._next.kind == "field" and not self._next.spaced

    def _path(self, token: Token, start: "str | Pipe", fields: list[str]) -> Path:
        """Read the fields that follow; where there are some, Go says the node begins with the first of them."""
        at = self._peek().at if self._goes_on() else token.at
        while self._goes_on():
            fields.append(self._take().text[1:])
        shown = "".join(f".{name}" for name in fields)
        return Path(at, (start if isinstance(start, str) else f"({start.shown})") + shown, start, tuple(fields))

    def _constant(self, token: Token) -> Any:
        text = token.text
        if text.startswith("`"):
            return text[1:-1]
        try:
            if text.startswith('"'):
                return json.loads(text, strict=False)
            if text.startswith("'"):
                return Literal(ord(json.loads('"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"')))
            return Literal(text.replace("_", ""), 0) if not _is_float(text) else float(text)
        except (ValueError, TypeError):
            what = "invalid syntax" if token.kind == "string" else f'bad number syntax: "{text[:40]}"'
            raise self._wrong(what, token.at) from None


def _is_float(text: str) -> bool:
    return not text.lower().startswith(("0x", "+0x", "-0x")) and any(one in text for one in ".eE")


def _in_brackets(word: Operand) -> str:
    return f"({word.shown})" if isinstance(word, Pipe) else word.shown
