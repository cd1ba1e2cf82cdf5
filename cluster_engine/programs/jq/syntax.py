r"""jq's grammar: from a filter's text to a tree of tuples-with-names.

    parse(".items[] | .name")        pipe(iterate(index(., "items")), index(., "name"))

Binding, from the loosest: `|`, `,`, `//`, assignments, `or`, `and`, comparisons, `+ -`, `* / %`, then what stands
behind a term (`.name`, `[…]`, `?`). Nesting is bounded. Modelled on jq 1.6 (src/parser.y, lexer.l). Left out: modules,
`?//`.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

NESTING_MAX = 60
LENGTH_MAX = 64 * 1024


class SyntaxFailure(Exception):  # noqa: N818 - as the shell has it
    """A filter that is none; the text follows "jq: error: "."""


class Node(msgspec.Struct, frozen=True):
    """One piece of a filter: what kind it is, and its parts."""

    kind: str
    parts: tuple[Any, ...] = ()


_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
    |(?P<variable>\$(?:__loc__|[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*))
    |(?P<format>@[A-Za-z0-9_]+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<operator>\?//=?|\|=|\+=|-=|\*=|/=|%=|//=|==|!=|<=|>=|//|\.\.|[.\[\](){}|,:;=<>+\-*/%?$])
    |(?P<quote>")""",
    re.VERBOSE,
)
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
KEYWORDS = frozenset({"def", "if", "then", "elif", "else", "end", "as", "reduce", "foreach", "try", "catch", "label",
                      "import", "include", "and", "or", "__loc__"})  # fmt: skip
_BINARY = (("or",), ("and",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
_ASSIGNMENTS = frozenset({"=", "|=", "+=", "-=", "*=", "/=", "%=", "//="})


class Token(msgspec.Struct):
    """A token; of a string, `value` is its pieces: text, and filters that stand in it."""

    kind: str
    value: Any


class _Parser:
    def __init__(self, text: str, depth: int = 0) -> None:
        if len(text) > LENGTH_MAX:
            raise SyntaxFailure("the filter is too long")
        self._text = text
        self._depth = depth
        self._position = 0
        self._tokens: list[Token] = []
        self._at = 0

    # -- tokens --------------------------------------------------------------------------------------------------------

    def read(self, *, until_parenthesis: bool = False) -> int:
        """Take the text apart; with `until_parenthesis` stop at the one that closes more than was opened."""
        position, depth = self._position, 0
        while position < len(self._text):
            found = _TOKEN.match(self._text, position)
            if found is None:
                raise SyntaxFailure(self._unexpected("INVALID_CHARACTER"))
            kind, value = str(found.lastgroup), found[0]
            position = found.end()
            if kind == "space":
                continue
            if kind == "quote":
                pieces, position = self._string(position)
                self._tokens.append(Token("string", pieces))
                continue
            if until_parenthesis and value in "()":
                depth += 1 if value == "(" else -1
                if depth < 0:
                    return position
            self._tokens.append(Token(kind, value))
        if until_parenthesis:
            raise SyntaxFailure(self._unexpected("$end"))
        return position

    def _string(self, position: int) -> tuple[list[Any], int]:
        pieces: list[Any] = [""]
        text = self._text
        while position < len(text):
            one = text[position]
            if one == '"':
                return pieces, position + 1
            position += 1
            if one != "\\":
                pieces[-1] += one
                continue
            escaped = text[position : position + 1]
            position += 1
            if escaped in _ESCAPES and escaped:
                pieces[-1] += _ESCAPES[escaped]
            elif escaped == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", text[position : position + 4]):
                code = int(text[position : position + 4], 16)
                position += 4
                low = re.match(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})", text[position:])
                if 0xD800 <= code < 0xDC00 and low:
                    code = 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00
                    position += 6
                pieces[-1] += chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"
            elif escaped == "(":
                if self._depth >= NESTING_MAX:
                    raise SyntaxFailure("the filter is nested too deeply")
                inner = _Parser(text, self._depth + 1)
                inner._position = position
                position = inner.read(until_parenthesis=True)
                pieces += [inner.whole(), ""]
            else:
                raise SyntaxFailure(self._unexpected("INVALID_CHARACTER"))
        raise SyntaxFailure(self._unexpected("$end"))

    def _unexpected(self, what: str) -> str:
        return f"syntax error, unexpected {what} (Unix shell quoting issues?) at <top-level>, line 1:\n{self._text}"

    @property
    def _next(self) -> Any:
        """The next operator or name; "" where there is something else, or nothing."""
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token.value if token is not None and token.kind in ("operator", "name") else ""

    def _take(self, *values: str) -> bool:
        if self._next in values and self._next:
            self._at += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise self._failure()

    def _failure(self) -> SyntaxFailure:
        if self._at >= len(self._tokens):
            return SyntaxFailure(self._unexpected("$end"))
        token = self._tokens[self._at]
        value = token.value if isinstance(token.value, str) else "QQSTRING_START"
        return SyntaxFailure(self._unexpected(f"'{value}'" if token.kind == "operator" else str(value)))

    def _kind(self, kind: str) -> Any:
        if self._at >= len(self._tokens) or self._tokens[self._at].kind != kind:
            raise self._failure()
        self._at += 1
        return self._tokens[self._at - 1].value

    def _is_kind(self, kind: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].kind == kind

    # -- grammar -------------------------------------------------------------------------------------------------------

    def whole(self) -> Node:
        """Read all of it."""
        if not self._tokens:
            return Node("identity")
        node = self._pipe()
        if self._at < len(self._tokens):
            raise self._failure()
        return node

    def definitions(self) -> list[Node]:
        """Read functions, and nothing else."""
        found = []
        while self._at < len(self._tokens):
            self._expect("def")
            found.append(self._definition())
        return found

    def _pipe(self) -> Node:
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise SyntaxFailure("the filter is nested too deeply")
        try:
            if self._take("def"):
                definition = self._definition()
                return Node("define", (definition, self._pipe()))
            if self._take("label"):
                name = self._kind("variable")
                self._expect("|")
                return Node("label", (name, self._pipe()))
            left = self._comma()
            if self._take("as"):
                patterns = self._pattern()
                self._expect("|")
                return Node("bind", (left, patterns, self._pipe()))
            stages = [left]
            while self._take("|"):
                if self._next in ("def", "label"):
                    stages.append(self._pipe())
                    break
                stage = self._comma()
                if self._take("as"):
                    patterns = self._pattern()
                    self._expect("|")
                    stages.append(Node("bind", (stage, patterns, self._pipe())))
                    break
                stages.append(stage)
            return stages[0] if len(stages) == 1 else Node("pipe", tuple(stages))
        finally:
            self._depth -= 1

    def _definition(self) -> Node:
        name = self._kind("name")
        parameters: list[str] = []
        if self._take("("):
            while True:
                parameters.append(self._kind("variable") if self._is_kind("variable") else self._kind("name"))
                if self._take(")"):
                    break
                self._expect(";")
        self._expect(":")
        body = self._pipe()
        self._expect(";")
        return Node("function", (name, tuple(parameters), body))

    def _comma(self) -> Node:
        parts = [self._alternative()]
        while self._take(","):
            parts.append(self._alternative())
        return parts[0] if len(parts) == 1 else Node("comma", tuple(parts))

    def _alternative(self) -> Node:
        parts = [self._assignment()]
        while self._take("//"):
            parts.append(self._assignment())
        node = parts.pop()
        while parts:
            node = Node("alternative", (parts.pop(), node))
        return node

    def _assignment(self) -> Node:
        left = self._binary(0)
        operator = self._next
        if operator in _ASSIGNMENTS:
            self._at += 1
            return Node("assign", (operator, left, self._alternative()))
        return left

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while self._next in _BINARY[level]:
            operator = self._next
            self._at += 1
            right = self._binary(level + 1)
            left = Node(operator if operator in ("and", "or") else "binary", (operator, left, right))
            if level == 2:
                break
        return left

    def _unary(self) -> Node:
        if self._take("-"):
            return Node("binary", ("-", Node("literal", (0,)), self._postfix()))
        return self._postfix()

    def _postfix(self) -> Node:
        node = self._term()
        while True:
            if self._is_kind("field"):
                node = Node("index", (node, Node("literal", (self._kind("field")[1:],))))
            elif self._next == "." and self._at + 1 < len(self._tokens) and self._dotted():
                self._at += 1
                node = Node("index", (node, self._quoted())) if self._is_kind("string") else self._bracket(node)
            elif self._next == "[":
                node = self._bracket(node)
            elif self._take("?"):
                node = Node("try", (node, None))
            else:
                return node

    def _dotted(self) -> bool:
        following = self._tokens[self._at + 1]
        return following.kind == "string" or following.value == "["

    def _bracket(self, node: Node) -> Node:
        self._expect("[")
        if self._take("]"):
            return Node("iterate", (node,))
        if self._take(":"):
            end = self._pipe()
            self._expect("]")
            return Node("slice", (node, None, end))
        begin = self._pipe()
        if self._take(":"):
            end_ = None if self._next == "]" else self._pipe()
            self._expect("]")
            return Node("slice", (node, begin, end_))
        self._expect("]")
        return Node("index", (node, begin))

    def _quoted(self, name: str = "@text") -> Node:
        pieces = self._kind("string")
        return Node("literal", (pieces[0],)) if len(pieces) == 1 else Node("string", (name, tuple(pieces)))

    def _term(self) -> Node:
        if self._at >= len(self._tokens):
            raise self._failure()
        token = self._tokens[self._at]
        match token.kind:
            case "number":
                self._at += 1
                return Node("literal", (number(token.value),))
            case "string":
                return self._quoted()
            case "format":
                self._at += 1
                return self._quoted(token.value) if self._is_kind("string") else Node("format", (token.value,))
            case "field":
                self._at += 1
                return Node("index", (Node("identity"), Node("literal", (token.value[1:],))))
            case "variable":
                self._at += 1
                return Node("variable", (token.value,))
            case "name":
                return self._named()
        return self._operator()

    def _operator(self) -> Node:
        if self._take("."):
            if self._is_kind("string"):
                return Node("index", (Node("identity"), self._quoted()))
            return self._bracket(Node("identity")) if self._next == "[" else Node("identity")
        if self._take(".."):
            return Node("call", ("recurse", ()))
        if self._take("("):
            node = self._pipe()
            self._expect(")")
            return node
        if self._take("["):
            if self._take("]"):
                return Node("literal", ([],))
            node = self._pipe()
            self._expect("]")
            return Node("array", (node,))
        if self._take("{"):
            return self._object()
        raise self._failure()

    def _object(self) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not self._take("}"):
            entries.append(self._entry())
            if not self._take(",") and self._next != "}":
                raise self._failure()
        return Node("object", tuple(entries))

    def _entry(self) -> tuple[Node, Node]:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None:
            raise self._failure()
        if token.kind == "variable":
            self._at += 1
            return Node("literal", (token.value[1:],)), Node("variable", (token.value,))
        if token.kind in {"name", "number"}:
            self._at += 1
            key = Node("literal", (token.value,))
        elif token.kind == "string":
            key = self._quoted()
        elif token.kind == "format":
            self._at += 1
            key = self._quoted(token.value) if self._is_kind("string") else Node("format", (token.value,))
        else:
            self._expect("(")
            key = self._pipe()
            self._expect(")")
            self._expect(":")
            return key, self._value()
        if self._take(":"):
            return key, self._value()
        return key, Node("index", (Node("identity"), key))

    def _value(self) -> Node:
        """Read an object's value: no comma, but pipes of terms."""
        node = self._alternative()
        while self._take("|"):
            node = Node("pipe", (node, self._alternative()))
        return node

    def _named(self) -> Node:
        name = self._kind("name")
        match name:
            case "if":
                return self._if()
            case "reduce" | "foreach":
                return self._folding(name)
            case "try":
                body = self._postfix()
                return Node("try", (body, self._postfix() if self._take("catch") else Node("call", ("empty", ()))))
            case "def":
                definition = self._definition()
                return Node("define", (definition, self._pipe()))
        if name in KEYWORDS:
            self._at -= 1
            raise self._failure()
        if name == "break":
            return Node("break", (self._kind("variable"),))
        arguments: list[Node] = []
        if self._take("("):
            while True:
                arguments.append(self._pipe())
                if self._take(")"):
                    break
                self._expect(";")
        constants = {"null": None, "true": True, "false": False}
        if name in constants and not arguments:
            return Node("literal", (constants[name],))
        return Node("call", (name, tuple(arguments)))

    def _if(self) -> Node:
        condition = self._pipe()
        self._expect("then")
        then = self._pipe()
        if self._take("elif"):
            return Node("if", (condition, then, self._if()))
        otherwise = self._pipe() if self._take("else") else Node("identity")
        self._expect("end")
        return Node("if", (condition, then, otherwise))

    def _folding(self, kind: str) -> Node:
        source = self._postfix()
        self._expect("as")
        pattern = self._pattern()
        self._expect("(")
        parts = [self._pipe()]
        while self._take(";"):
            parts.append(self._pipe())
        self._expect(")")
        if not (len(parts) == 2 or (kind == "foreach" and len(parts) == 3)):
            raise self._failure()
        return Node(kind, (source, pattern, *parts))

    def _pattern(self) -> Node:
        if self._is_kind("variable"):
            return Node("name", (self._kind("variable"),))
        if self._take("["):
            elements = [self._pattern()]
            while self._take(","):
                elements.append(self._pattern())
            self._expect("]")
            return Node("elements", tuple(elements))
        self._expect("{")
        entries: list[tuple[Node, Node, str]] = []
        while True:
            if self._is_kind("variable"):
                name = self._kind("variable")
                inner = self._pattern() if self._take(":") else Node("name", (name,))
                entries.append((Node("literal", (name[1:],)), inner, name))
            else:
                key = self._pattern_key()
                self._expect(":")
                entries.append((key, self._pattern(), ""))
            if self._take("}"):
                return Node("entries", tuple(entries))
            self._expect(",")

    def _pattern_key(self) -> Node:
        if self._take("("):
            key = self._pipe()
            self._expect(")")
            return key
        return self._quoted() if self._is_kind("string") else Node("literal", (self._kind("name"),))


def number(text: str) -> int | float:
    """Read a number as jq does: a double, kept as an integer where it is one."""
    if text.isdigit() and len(text) < 16:
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return 1.7976931348623157e308 if value > 0 else -1.7976931348623157e308
    return int(value) if value.is_integer() and abs(value) < 1e16 else value


def parse(text: str) -> Node:
    """Read a filter. SyntaxFailure."""
    parser = _Parser(text)
    parser.read()
    return parser.whole()


def parse_definitions(text: str) -> Sequence[Node]:
    """Read functions. SyntaxFailure."""
    parser = _Parser(text)
    parser.read()
    return parser.definitions()
