"""`$((…))`: whole numbers of 64 bits, as C reckons with them, by precedence climbing.

    evaluate("1 + 2 * x", {"x": "3"}.get)     7

Modelled on POSIX.1-2017, 2.6.4. Left out: assignments, ++ and --, ?:, numbers that are not decimal.
"""

import re
from collections.abc import Callable

NESTING_MAX = 50
TOKENS_MAX = 10_000
_TOKEN = re.compile(r"([0-9]{1,19})|([A-Za-z_][A-Za-z0-9_]*)|(\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&|^!~()])")
_PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8,
    "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a or b)), "&&": lambda a, b: int(bool(a and b)), "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b, "&": lambda a, b: a & b, "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b), ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b), "<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "%": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
}  # fmt: skip


class ArithmeticFailure(Exception):  # noqa: N818
    """An expression that has no value; the text follows "sh: EXPRESSION: "."""


def evaluate(text: str, value: Callable[[str], str | None]) -> int:
    """Return the value of an expression; `value` gives that of a variable. ArithmeticFailure."""
    reckoning = _Reckoning(_tokens(text), value)
    if not reckoning.tokens:
        return 0
    result = reckoning.binary(1)
    if reckoning.tokens:
        raise ArithmeticFailure(f'syntax error in expression (error token is "{reckoning.tokens[-1]}")')
    return result


def _tokens(text: str) -> list[str]:
    """Return the tokens, the last one first."""
    tokens, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise ArithmeticFailure(
                f'syntax error: invalid arithmetic operator (error token is "{text[at : at + 20]}")'
            )
        tokens.append(found[0])
        at = found.end()
        if len(tokens) > TOKENS_MAX:
            raise ArithmeticFailure("expression too long")
    return tokens[::-1]


class _Reckoning:
    def __init__(self, tokens: list[str], value: Callable[[str], str | None]) -> None:
        self.tokens, self._value, self._depth = tokens, value, 0

    def binary(self, least: int) -> int:
        """Reckon operators that bind at least so tightly."""
        left = self.unary()
        while self.tokens and _PRECEDENCE.get(self.tokens[-1], 0) >= least:
            operator = self.tokens.pop()
            right = self.binary(_PRECEDENCE[operator] + 1)
            if operator in "/%" and right == 0:
                raise ArithmeticFailure("division by 0")
            left = _wrapped(_OPERATIONS[operator](left, right))
        return left

    def unary(self) -> int:
        signs: list[str] = []
        while self.tokens and self.tokens[-1] in ("-", "+", "!", "~"):
            signs.append(self.tokens.pop())
        result = self.operand()
        for sign in reversed(signs):
            result = _wrapped({"-": -result, "+": result, "!": int(not result), "~": ~result}[sign])
        return result

    def operand(self) -> int:
        if not self.tokens:
            raise ArithmeticFailure("syntax error: operand expected")
        token = self.tokens.pop()
        if token == "(":
            self._depth += 1
            if self._depth > NESTING_MAX:
                raise ArithmeticFailure("expression recursion level exceeded")
            result = self.binary(1)
            self._depth -= 1
            if not self.tokens or self.tokens.pop() != ")":
                raise ArithmeticFailure("missing `)'")
            return result
        if token.isdigit():
            return _wrapped(int(token))
        if token[0].isalpha() or token[0] == "_":
            text = (self._value(token) or "0").strip()
            digits = text.removeprefix("-")
            return _wrapped(int(text)) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0
        raise ArithmeticFailure(f'syntax error: operand expected (error token is "{token}")')


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63
