"""awk's evaluation: a program over records, within bounds.

Values are float, str, or None for what was never assigned; a str from outside that looks like a number (`Outside`)
compares as one. Every step counts; STEPS_MAX in all, VALUES_BYTES_MAX for what variables hold.

    "10" > 9 from a field: numbers        "10" > 9 as constants: strings

Modelled on POSIX awk; where it leaves something open, on mawk 1.3.4. Arrays keep the order in which keys came.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.programs.awk.functions import builtin
from cluster_engine.programs.awk.printing import formatted
from cluster_engine.programs.awk.syntax import Node, Program
from cluster_engine.programs.awk.values import (
    AwkError,
    Outside,
    Value,
    bytes_of,
    is_numeric,
    leading_number,
    looks_like_number,
    plain_escapes,
    text_of,
    whole,
)
from cluster_engine.programs.posix_patterns import PatternError
from cluster_engine.programs.text.matching import Effort, Pattern, SpentError

STEPS_MAX = 1_000_000
TEXT_BYTES_MAX = 4 * 1024 * 1024
ELEMENTS_MAX = 200_000
FIELDS_MAX = 32_767
CALLS_MAX = 60


class NextError(Exception):
    """`next`."""


class ExitError(Exception):
    """`exit`."""


class _BreakError(Exception):
    pass


class _ContinueError(Exception):
    pass


class _ReturnError(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


Write = Callable[[str, str, str], None]
"""Called with text, the file it goes to ("" is standard output), and > or >>."""


class Awk:
    """One run of a program."""

    def __init__(
        self, program: Program, write: Write, *, environment: Mapping[str, str], rng: random.Random, now: float
    ) -> None:
        self.program = program
        self._write = write
        self.rng = rng
        self.now = now
        self._effort = Effort()
        self._patterns: dict[str, Pattern] = {}
        self._steps = STEPS_MAX
        self.elements = 0
        self._calls = 0
        self.exit_code = 0
        self.variables: dict[str, Any] = {
            "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NR": 0.0, "FNR": 0.0, "NF": 0.0, "SUBSEP": "\x1c",
            "CONVFMT": "%.6g", "OFMT": "%.6g", "FILENAME": "", "RSTART": 0.0, "RLENGTH": -1.0, "ARGC": 0.0,
            "ENVIRON": {name: Outside(value) for name, value in environment.items()},
        }  # fmt: skip
        self._locals: list[dict[str, Any]] = []
        self.record_text: str = ""
        self._fields: list[Value] = []
        self._is_split = True
        self._in_range: dict[int, bool] = {}

    # -- running -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Do what BEGIN says. ExitError, NextError."""
        for block in self.program.begin:
            self._top(block)

    def record(self, text: str) -> None:
        """Do what the rules say for one record. ExitError."""
        self.variables["NR"] += 1
        self.variables["FNR"] += 1
        self._set_record(text)
        try:
            for at, (first, last, action) in enumerate(self.program.rules):
                if self._applies(at, first, last):
                    self._top(action)
        except NextError:
            pass

    def end(self) -> None:
        """Do what END says. ExitError."""
        for block in self.program.end:
            self._top(block)

    def _top(self, block: Node) -> None:
        """Do an action. AwkError where it leaves what it is not in."""
        try:
            self._do(block)
        except (_BreakError, _ContinueError):
            raise AwkError("break and continue stand outside of a loop") from None
        except _ReturnError:
            raise AwkError("return stands outside of a function") from None

    def _applies(self, at: int, first: Node | None, last: Node | None) -> bool:
        if first is None:
            return True
        if last is None:
            return self.truth(self.value(first))
        if not self._in_range.get(at):
            if not self.truth(self.value(first)):
                return False
            self._in_range[at] = True
        if self.truth(self.value(last)):
            self._in_range[at] = False
        return True

    def step(self, count: int = 1) -> None:
        """Count steps. SpentError."""
        self._steps -= count
        if self._steps < 0:
            raise SpentError(f"a program may take {STEPS_MAX} steps: no more of it is run")

    # -- records and fields --------------------------------------------------------------------------------------------

    def _set_record(self, text: str) -> None:
        self.record_text, self._is_split = text, False

    def _split_record(self) -> list[Value]:
        if not self._is_split:
            self._is_split = True
            self._fields = [Outside(one) for one in self.split(self.record_text, self.text(self.variables["FS"]))]
            self.variables["NF"] = float(len(self._fields))
        return self._fields

    def split(self, text: str, separator: str) -> list[str]:
        """Take a text apart as FS says."""
        self.step(1 + len(text) // 64)
        if separator == " ":
            return text.split()
        if not text:
            return []
        if separator == "":
            return list(text)
        if len(separator) == 1 and separator != "\\":
            return text.split(separator)
        return self.parts(text, separator)

    def parts(self, text: str, separator: str) -> list[str]:
        """Split text at what a pattern matches."""
        pattern, data, found, at, begin = self.pattern(separator), bytes_of(text), list[str](), 0, 0
        while at <= len(data) and (match := pattern.search(data, at)):
            if match.end() == match.start():
                at = match.end() + 1
                continue
            found.append(text_of(data[begin : match.start()]))
            begin = at = match.end()
        return [*found, text_of(data[begin:])]

    def field(self, number: float) -> Value:
        """Return a field; 0 is the record."""
        at = whole(number)
        if at < 0:
            raise AwkError(f"negative field index ${at}")
        if at == 0:
            return Outside(self.record_text)
        fields = self._split_record()
        return fields[at - 1] if at <= len(fields) else None

    def _set_field(self, number: float, value: Value) -> None:
        at = whole(number)
        if at == 0:
            self._set_record(self.text(value))
            return
        if not 0 < at <= FIELDS_MAX:
            raise AwkError(f"field ${at} is out of bounds")
        fields = self._split_record()
        fields += [""] * (at - len(fields))
        fields[at - 1] = value
        self.variables["NF"] = float(len(fields))
        self._join()

    def _set_count(self, value: Value) -> None:
        fields, count = self._split_record(), whole(self.number(value))
        if not 0 <= count <= FIELDS_MAX:
            raise AwkError(f"there cannot be {count} fields")
        del fields[count:]
        fields += [""] * (count - len(fields))
        self.variables["NF"] = float(count)
        self._join()

    def _join(self) -> None:
        self.record_text = self.held(self.text(self.variables["OFS"]).join(map(self.text, self._fields)))

    # -- values --------------------------------------------------------------------------------------------------------

    def text(self, value: Value, form: str = "CONVFMT") -> str:
        """Return a value as text."""
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, dict):
            raise AwkError("an array is used as a value")
        if math.isfinite(value) and value == int(value) and abs(value) < 1e16:
            return str(int(value))
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        return formatted(self, self.text(self.variables[form]), [value])

    def number(self, value: Value) -> float:
        """Return a value as a number: what a text begins with."""
        if isinstance(value, str):
            return leading_number(value)
        if isinstance(value, dict):
            raise AwkError("an array is used as a value")
        return 0.0 if value is None else value

    def truth(self, value: Value) -> bool:
        """Return whether `if` takes a value for true."""
        if isinstance(value, Outside) and looks_like_number(value):
            return self.number(value) != 0
        return bool(value)

    def held(self, text: str) -> str:
        """Return a text that is kept. MemoryError where it is too long."""
        if len(text) > TEXT_BYTES_MAX:
            raise MemoryError
        self.step(len(text) >> 8)
        return text

    def pattern(self, text: str) -> Pattern:
        """Return a regular expression. AwkError."""
        found = self._patterns.get(text)
        if found is None:
            if len(self._patterns) > 200:
                self._patterns.clear()
            try:
                found = self._patterns[text] = Pattern(plain_escapes(text), self._effort, extended=True)
            except PatternError as problem:
                raise AwkError(f"regular expression compile failed ({problem})\n{text}") from None
        return found

    def _matches(self, value: Value, node: Node) -> bool:
        source = node.parts[0] if node.kind == "regex" else self.text(self.value(node))
        return self.pattern(source).search(bytes_of(self.text(value))) is not None

    # -- variables -----------------------------------------------------------------------------------------------------

    def scope(self, name: str) -> dict[str, Any]:
        """Return the variables among which a name is looked for."""
        return self._locals[-1] if self._locals and name in self._locals[-1] else self.variables

    def _get(self, name: str) -> Value:
        if name == "NF":
            self._split_record()
        found = self.scope(name).get(name)
        if isinstance(found, dict):
            raise AwkError(f"type error in arg(1) in call to getvar: {name} is an array")
        return found

    def set_variable(self, name: str, value: Value) -> None:
        """Give a variable a value."""
        if name == "NF":
            self._set_count(value)
            return
        self.scope(name)[name] = value

    def array(self, name: str) -> dict[str, Value]:
        """Return an array, which it is from now on. AwkError where it is a value."""
        scope = self.scope(name)
        found = scope.get(name)
        if found is None:
            found = scope[name] = {}
        if not isinstance(found, dict):
            raise AwkError(f"type error: {name} is no array")
        return found

    def _key(self, nodes: tuple[Node, ...]) -> str:
        return self.text(self.variables["SUBSEP"]).join(self.text(self.value(node)) for node in nodes)

    def set_element(self, array: dict[str, Value], key: str, value: Value) -> None:
        """Set an element of an array. MemoryError where there are too many."""
        if key not in array:
            self.elements += 1
            if self.elements > ELEMENTS_MAX:
                raise MemoryError
        array[key] = value

    def assign(self, target: Node, value: Value) -> None:
        """Set a variable, an element or a field."""
        if target.kind == "name":
            self.set_variable(target.parts[0], value)
        elif target.kind == "field":
            self._set_field(self.number(self.value(target.parts[0])), value)
        elif target.kind == "element":
            self.set_element(self.array(target.parts[0]), self._key(target.parts[1]), value)
        else:
            raise AwkError("a value cannot be assigned to that")

    # -- statements ----------------------------------------------------------------------------------------------------

    def _do(self, node: Node) -> None:
        self.step()
        match node.kind:
            case "block":
                for one in node.parts:
                    self._do(one)
            case "expression":
                self.value(node.parts[0])
            case "print" | "printf":
                self._print(node)
            case "if":
                condition, then, otherwise = node.parts
                self._do(then if self.truth(self.value(condition)) else otherwise)
            case "while" | "do" | "for" | "for-in":
                self._loop(node)
            case "break":
                raise _BreakError
            case "continue":
                raise _ContinueError
            case "next":
                raise NextError
            case "exit":
                if node.parts[0] is not None:
                    self.exit_code = whole(self.number(self.value(node.parts[0]))) & 0xFF
                raise ExitError
            case "return":
                raise _ReturnError(None if node.parts[0] is None else self.value(node.parts[0]))
            case "delete":
                name, keys = node.parts
                gone = [*self.array(name)] if keys is None else [self._key(keys)]
                for key in gone:
                    if self.array(name).pop(key, _MISSING) is not _MISSING:
                        self.elements -= 1

    def _loop(self, node: Node) -> None:
        if node.kind == "for-in":
            name, array, body = node.parts
            for key in [*self.array(array)]:
                self.set_variable(name, Outside(key))
                if not self._turn(body):
                    return
            return
        start, condition, step, body = node.parts if node.kind == "for" else (None, node.parts[0], None, node.parts[1])
        if start is not None:
            self._do(start)
        if node.kind == "do" and not self._turn(body):
            return
        while condition is None or self.truth(self.value(condition)):
            if not self._turn(body):
                return
            if step is not None:
                self._do(step)

    def _turn(self, body: Node) -> bool:
        """Do a loop's body once; whether the loop goes on."""
        self.step()
        try:
            self._do(body)
        except _ContinueError:
            pass
        except _BreakError:
            return False
        return True

    def _print(self, node: Node) -> None:
        arguments, target, mode = node.parts
        values = [self.value(one) for one in arguments]
        if node.kind == "printf":
            text = formatted(self, self.text(values[0]) if values else "", values[1:])
        elif not values:
            text = self.record_text + self.text(self.variables["ORS"])
        else:
            between = self.text(self.variables["OFS"])
            text = between.join(self.text(one, "OFMT") for one in values) + self.text(self.variables["ORS"])
        self._write(self.held(text), "" if target is None else self.text(self.value(target)), mode)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def value(self, node: Node) -> Value:
        """Evaluate an expression. AwkError, SpentError."""
        self.step()
        parts = node.parts
        match node.kind:
            case "constant":
                return parts[0]  # type: ignore[no-any-return]
            case "name":
                return self._get(parts[0])
            case "field":
                return self.field(self.number(self.value(parts[0])))
            case "element":
                array, key = self.array(parts[0]), self._key(parts[1])
                if key not in array:
                    self.set_element(array, key, None)
                return array[key]
            case "regex":
                return float(self.pattern(parts[0]).search(bytes_of(self.record_text)) is not None)
            case "parenthesis":
                return self.value(parts[0])
            case "group":
                return self.text(self.variables["SUBSEP"]).join(self.text(self.value(one)) for one in parts[0])
            case "assign":
                return self._assigned(node)
            case "ternary":
                return self.value(parts[1] if self.truth(self.value(parts[0])) else parts[2])
            case "concatenate":
                left = self.text(self.value(parts[0]))
                return self.held(left + self.text(self.value(parts[1])))
            case "in":
                return float(self._key(parts[0]) in self.array(parts[1]))
            case "binary":
                return self._binary(*parts)
            case "unary":
                value = self.value(parts[1])
                if parts[0] == "!":
                    return float(not self.truth(value))
                return self.number(value) * (-1 if parts[0] == "-" else 1)
            case "before" | "after":
                old = self.number(self.value(parts[1]))
                new = old + (1 if parts[0] == "++" else -1)
                self.assign(parts[1], new)
                return new if node.kind == "before" else old
            case "builtin":
                return builtin(self, parts[0], parts[1])
        return self._called(parts[0], parts[1])

    def _assigned(self, node: Node) -> Value:
        operator, target, source = node.parts
        value = self.value(source)
        if operator != "=":
            value = self._arithmetic(operator[0], self.number(self.value(target)), self.number(value))
        self.assign(target, value)
        return value

    def _binary(self, operator: str, left: Node, right: Node) -> Value:
        match operator:
            case "&&":
                return float(self.truth(self.value(left)) and self.truth(self.value(right)))
            case "||":
                return float(self.truth(self.value(left)) or self.truth(self.value(right)))
            case "~" | "!~":
                return float(self._matches(self.value(left), right) is (operator == "~"))
        first, second = self.value(left), self.value(right)
        if operator in ("<", "<=", "==", "!=", ">", ">="):
            return float(self._compare(operator, first, second))
        return self._arithmetic(operator, self.number(first), self.number(second))

    def _compare(self, operator: str, first: Value, second: Value) -> bool:
        a: Any
        b: Any
        if is_numeric(first) and is_numeric(second):
            a, b = self.number(first), self.number(second)
        else:
            a, b = self.text(first), self.text(second)
        return bool({"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b, ">": a > b, ">=": a >= b}[operator])

    def _arithmetic(self, operator: str, a: float, b: float) -> float:
        try:
            match operator:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
                case "/":
                    return a / b if b else math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
                case "%":
                    return math.fmod(a, b) if b else math.nan
            found = a**b
        except (OverflowError, ZeroDivisionError):
            return math.inf
        except ValueError:
            return math.nan
        return found if isinstance(found, float) else math.nan

    # -- functions -----------------------------------------------------------------------------------------------------

    def _called(self, name: str, arguments: tuple[Node, ...]) -> Value:
        function = self.program.functions.get(name)
        if function is None:
            raise AwkError(f"function {name} never defined")
        parameters, body = function
        if len(arguments) > len(parameters):
            raise AwkError(f"too many arguments in call to {name}")
        self._calls += 1
        if self._calls > CALLS_MAX:
            raise SpentError("functions call each other too deeply: no more of it is run")
        scope: dict[str, Any] = dict.fromkeys(parameters)
        shared: list[tuple[str, str]] = []
        for parameter, argument in zip(parameters, arguments, strict=False):
            if argument.kind == "name":
                found = self.scope(argument.parts[0]).get(argument.parts[0])
                scope[parameter] = found
                if found is None:
                    shared.append((parameter, argument.parts[0]))
            else:
                scope[parameter] = self.value(argument)
        outer = self.scope
        holders = {parameter: outer(theirs) for parameter, theirs in shared}
        self._locals.append(scope)
        try:
            self._do(body)
        except _ReturnError as done:
            return done.value  # type: ignore[no-any-return]
        finally:
            self._locals.pop()
            self._calls -= 1
            for parameter, theirs in shared:  # an array made within is the caller's
                if isinstance(scope.get(parameter), dict):
                    holders[parameter][theirs] = scope[parameter]
        return None


_MISSING = object()
