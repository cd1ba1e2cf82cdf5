r"""awk's grammar: from a program's text to a tree.

    parse("$3 > 1 { print $1 }")     Program(rules=[(">" ($ 3) 1, [print ($ 1)])])

Modelled on POSIX awk and mawk. Left out: getline, pipes of output, system.
"""

import re
from typing import Any

import msgspec

LENGTH_MAX, NESTING_MAX = 64 * 1024, 50


class SyntaxFailure(Exception):  # noqa: N818 - as the shell has it
    """A program that is none; the text follows "awk: line N: "."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


class Node(msgspec.Struct, frozen=True):
    """One piece of a program: what kind it is, and its parts."""

    kind: str
    parts: tuple[Any, ...] = ()


class Program(msgspec.Struct):
    """A program: what to do first, for records, and last; and its functions."""

    begin: list[Node] = msgspec.field(default_factory=list)
    end: list[Node] = msgspec.field(default_factory=list)
    rules: list[tuple[Node | None, Node | None, Node]] = msgspec.field(default_factory=list)
    """First pattern, last pattern of a range, action."""
    functions: dict[str, tuple[tuple[str, ...], Node]] = msgspec.field(default_factory=dict)


_TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r]|\\\r?\n)+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>\*\*=|\*\*|\+\+|--|\+=|-=|\*=|/=|%=|\^=|==|<=|>=|!=|!~|&&|\|\||>>|[-+*/%^!<>|?:~$=,;(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
KEYWORDS = frozenset({
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "exit",
    "return", "delete", "in", "print", "printf", "getline",
})  # fmt: skip
BUILTINS = frozenset({
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp", "log",
    "sqrt", "int", "rand", "srand", "tolower", "toupper", "close", "fflush", "systime", "strftime",
})  # fmt: skip
_ASSIGN = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "^=", "**="})


def unescaped(text: str) -> str:
    """Read what stands between quotes."""
    return re.sub(
        r"\\([0-7]{1,3}|.)",
        lambda found: chr(int(found[1], 8) & 0xFF) if found[1].isdigit() and found[1][0] in "01234567"
        else _ESCAPES.get(found[1], f"\\{found[1]}"),
        text,
        flags=re.DOTALL,
    )  # fmt: skip


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LENGTH_MAX:
            raise SyntaxFailure("program too long", 1)
        self._tokens: list[tuple[str, str, int]] = []
        self._at = 0
        self._depth = 0
        self._no_in = False
        self._no_greater = False
        self._read(text)

    def _read(self, text: str) -> None:
        at, line = 0, 1
        while at < len(text):
            last = self._tokens[-1] if self._tokens else ("newline", "\n", 1)
            divides = (
                last[0] in ("number", "string", "regex")
                or last[1] in (")", "]", "$", "++", "--")
                or (last[0] == "name" and last[1] not in KEYWORDS)
            )
            end = _end_of_regex(text, at) if text[at] == "/" and not divides else 0
            if end:
                self._tokens.append(("regex", text[at + 1 : end - 1], line))
                at = end
                continue
            found = _TOKEN.match(text, at)
            if found is None:
                raise SyntaxFailure(f"syntax error at or near {text[at]}", line)
            kind = str(found.lastgroup)
            if kind != "space":
                glued = kind == "name" and text[found.end() : found.end() + 1] == "("
                self._tokens.append(("call" if glued and found[0] not in KEYWORDS else kind, found[0], line))
            line += found[0].count("\n")
            at = found.end()
        self._tokens.append(("end", "", line))

    # -- tokens --------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> str:
        kind, value, _ = self._tokens[self._at]
        return value if kind in ("operator", "name", "newline") else ""

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _take(self, *values: str) -> str:
        if self._next in values and self._next:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return ""

    def _value(self) -> str:
        if self._kind == "end":
            raise self._failure()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise self._failure()

    def _failure(self) -> SyntaxFailure:
        kind, value, line = self._tokens[self._at]
        if kind == "end":
            return SyntaxFailure("syntax error at or near end of line", line)
        return SyntaxFailure(f"syntax error at or near {'end of line' if kind == 'newline' else value}", line)

    def _newlines(self) -> None:
        while self._take("\n"):
            pass

    def _ends(self) -> None:
        while self._take("\n", ";"):
            pass

    # -- program -------------------------------------------------------------------------------------------------------

    def whole(self) -> Program:
        program = Program()
        self._ends()
        while self._kind != "end":
            self._item(program)
            self._ends()
        return program

    def _item(self, program: Program) -> None:
        if self._take("BEGIN"):
            program.begin.append(self._block())
        elif self._take("END"):
            program.end.append(self._block())
        elif self._take("function", "func"):
            name = self._value()
            self._expect("(")
            parameters: list[str] = []
            while not self._take(")"):
                if self._kind != "name":
                    raise self._failure()
                parameters.append(self._value())
                self._take(",")
                self._newlines()
            self._newlines()
            program.functions[name] = (tuple(parameters), self._block())
        else:
            first = last = None
            if self._next != "{":
                first = self._expression()
                if self._take(","):
                    self._newlines()
                    last = self._expression()
            action = self._block() if self._next == "{" else Node("block", (Node("print", ((), None, "")),))
            program.rules.append((first, last, action))

    def _block(self) -> Node:
        self._newlines()
        self._expect("{")
        statements = []
        self._ends()
        while not self._take("}"):
            statements.append(self._statement())
            self._ends()
        return Node("block", tuple(statements))

    def _statement(self) -> Node:
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise SyntaxFailure("the program is nested too deeply", self._tokens[self._at][2])
        try:
            return self._compound() or self._simple_ended()
        finally:
            self._depth -= 1

    def _body(self) -> Node:
        self._newlines()
        if self._take(";"):
            return Node("block")
        return self._statement()

    def _compound(self) -> Node | None:
        if self._next == "{":
            return self._block()
        if self._take("if"):
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            then = self._body()
            at = self._at
            self._ends()
            if self._take("else"):
                return Node("if", (condition, then, self._body()))
            self._at = at
            return Node("if", (condition, then, Node("block")))
        if self._take("while"):
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            return Node("while", (condition, self._body()))
        if self._take("do"):
            body = self._body()
            self._ends()
            self._expect("while")
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            return Node("do", (condition, body))
        if self._take("for"):
            return self._for()
        return None

    def _for(self) -> Node:
        self._expect("(")
        tokens = self._tokens[self._at : self._at + 4]
        if len(tokens) == 4 and tokens[0][0] == "name" and tokens[1][1] == "in" and tokens[3][1] == ")":
            self._at += 4
            return Node("for-in", (tokens[0][1], tokens[2][1], self._body()))
        start = None if self._next == ";" else self._simple()
        self._expect(";")
        self._newlines()
        condition = None if self._next == ";" else self._expression()
        self._expect(";")
        self._newlines()
        step = None if self._next == ")" else self._simple()
        self._expect(")")
        return Node("for", (start, condition, step, self._body()))

    def _simple_ended(self) -> Node:
        node = self._simple()
        if self._next not in (";", "\n", "}") and self._kind != "end":
            raise self._failure()
        return node

    def _simple(self) -> Node:
        match self._next:
            case "print" | "printf":
                return self._print(self._value())
            case "next" | "break" | "continue":
                return Node(self._value())
            case "exit" | "return":
                name = self._value()
                bare = self._next in (";", "\n", "}") or self._kind == "end"
                return Node(name, (None if bare else self._expression(),))
            case "delete":
                self._at += 1
                name = self._value()
                if not self._take("["):
                    return Node("delete", (name, None))
                keys = self._list("]")
                return Node("delete", (name, keys))
        return Node("expression", (self._expression(),))

    def _print(self, name: str) -> Node:
        before, self._no_greater = self._no_greater, True
        arguments: tuple[Node, ...] = ()
        if self._next not in (";", "\n", "}", ">", ">>", "|") and self._kind != "end":
            first = self._expression()
            if (
                first.kind == "group"
                and self._next not in (";", "\n", "}", ">", ">>", "|", ",")
                and self._kind != "end"
            ):
                raise self._failure()
            found = [*first.parts[0]] if first.kind == "group" else [first]
            while self._take(","):
                self._newlines()
                found.append(self._expression())
            arguments = tuple(found)
        self._no_greater = before
        mode = self._take(">", ">>")
        target = self._binary(_LEVELS["concatenation"]) if mode else None
        if self._next == "|":
            raise SyntaxFailure("output cannot be piped here", self._tokens[self._at][2])
        return Node(name, (arguments, target, mode))

    def _list(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        self._newlines()
        while not self._take(end):
            found.append(self._expression())
            if not self._take(",") and self._next != end:
                raise self._failure()
            self._newlines()
        return tuple(found)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise SyntaxFailure("the program is nested too deeply", self._tokens[self._at][2])
        try:
            return self._ternary()
        finally:
            self._depth -= 1

    def _ternary(self) -> Node:
        condition = self._binary(0)
        if self._next in _ASSIGN and condition.kind in ("name", "field", "element"):
            operator = self._value().replace("**", "^")
            self._newlines()
            return Node("assign", (operator, condition, self._expression()))
        if self._take("?"):
            self._newlines()
            then = self._expression()
            self._newlines()
            self._expect(":")
            self._newlines()
            return Node("ternary", (condition, then, self._expression()))
        return condition

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._unary()
        operators = _BINARY[level]
        left = self._binary(level + 1)
        while True:
            operator = self._next
            if not operators:
                if not self._begins_operand():
                    return left
                left = Node("concatenate", (left, self._binary(level + 1)))
                continue
            if (
                operator not in operators
                or (operator == ">" and self._no_greater)
                or (operator == "in" and self._no_in)
            ):
                return left
            self._at += 1
            self._newlines()
            if operator == "in":
                left = Node("in", ((*left.parts[0],) if left.kind == "group" else (left,), self._value()))
            else:
                left = Node("binary", (operator, left, self._binary(level + 1)))

    def _begins_operand(self) -> bool:
        return self._kind in ("number", "string", "regex", "call") or (
            self._kind == "name" and self._next not in KEYWORDS
        ) or (self._next in ("$", "!", "(", "-", "+", "++", "--") and self._next not in ("-", "+"))  # fmt: skip

    def _unary(self) -> Node:
        if operator := self._take("!", "-", "+"):
            return Node("unary", (operator, self._unary()))
        return self._power()

    def _power(self) -> Node:
        base = self._postfix()
        if self._take("^", "**"):
            return Node("binary", ("^", base, self._unary()))
        return base

    def _postfix(self) -> Node:
        if operator := self._take("++", "--"):
            return Node("before", (operator, self._postfix()))
        node = self._primary()
        if node.kind in ("name", "field", "element") and (operator := self._take("++", "--")):
            return Node("after", (operator, node))
        return node

    def _primary(self) -> Node:
        kind, value, _ = self._tokens[self._at]
        if kind == "number":
            self._at += 1
            return Node("constant", (float(value),))
        if kind == "string":
            self._at += 1
            return Node("constant", (unescaped(value[1:-1]),))
        if kind == "regex":
            self._at += 1
            return Node("regex", (value,))
        if kind == "call":
            self._at += 2
            before, self._no_greater = self._no_greater, False
            arguments = self._list(")")
            self._no_greater = before
            return Node("builtin" if value in BUILTINS else "function", (value, arguments))
        if self._take("$"):
            if operator := self._take("++", "--"):
                return Node("field", (Node("before", (operator, self._primary())),))
            if operator := self._take("-", "+", "!"):
                return Node("field", (Node("unary", (operator, self._primary())),))
            return Node("field", (self._primary(),))
        if self._take("("):
            before, self._no_greater = self._no_greater, False
            found = self._list(")")
            self._no_greater = before
            return Node("parenthesis", found) if len(found) == 1 else Node("group", (found,))
        if kind == "name" and value not in KEYWORDS:
            self._at += 1
            if value in BUILTINS:
                return Node("builtin", (value, ()))
            if self._take("["):
                return Node("element", (value, self._list("]")))
            return Node("name", (value,))
        raise self._failure()


_BINARY: tuple[frozenset[str], ...] = (
    frozenset({"||"}), frozenset({"&&"}), frozenset({"in"}), frozenset({"~", "!~"}),
    frozenset({"<", "<=", "==", "!=", ">", ">="}), frozenset(), frozenset({"+", "-"}), frozenset({"*", "/", "%"}),
)  # fmt: skip
_LEVELS = {"concatenation": 5}


def parse(text: str) -> Program:
    """Read a program. SyntaxFailure."""
    return _Parser(text).whole()


def _end_of_regex(text: str, at: int) -> int:
    """Return where the regular expression that begins with a slash ends; 0 where it does not, on its line.

    Between brackets a slash is one of the set, and so is a bracket that comes first.
    """
    in_set, at = False, at + 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif in_set:
            in_set = text[at] != "]"
        elif text[at] == "/":
            return at + 1
        elif text[at] == "[":
            in_set = True
            at += text[at + 1 : at + 2] == "^"
            at += text[at + 1 : at + 2] == "]"
        at += 1
    return 0
