"""awk's evaluation: a program over records, within bounds.

Values are float, str, or None for what was never assigned; a str from outside that looks like a number (`Outside`)
compares as one. Every step counts; STEPS_MAX in all, VALUES_BYTES_MAX for what variables hold.

    "10" > 9 from a field: numbers        "10" > 9 as constants: strings

Modelled on POSIX awk; where it leaves something open, on mawk 1.3.4. Arrays keep the order in which keys came.
"""

import math
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.programs.awk.syntax import Node, Program, SyntaxFailure, unescaped
from cluster_engine.programs.posix_patterns import PatternError
from cluster_engine.programs.text.matching import Effort, Pattern, SpentError, raw

STEPS_MAX = 1_000_000
TEXT_BYTES_MAX = 4 * 1024 * 1024
ELEMENTS_MAX = 200_000
FIELDS_MAX = 32_767
CALLS_MAX = 60
_NUMBER = re.compile(r"[ \t-\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_FORMAT = re.compile(r"%(?:%|([-+ #0]*)(\*|[1-9][0-9]*|)(?:\.(\*|[0-9]*))?([diouxXeEfFgGcsa]))")


class AwkError(Exception):
    """What a program cannot do; the text follows "awk: "."""


class Outside(str):
    """Text from outside, which counts as a number where it looks like one."""

    __slots__ = ()


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


Value = float | str | None
Write = Callable[[str, str, str], None]
"""Called with text, the file it goes to ("" is standard output), and > or >>."""


def looks_like_number(text: str) -> bool:
    """Whether the whole of it is a number."""
    found = _NUMBER.match(text)
    return found is not None and not text[found.end() :].strip()


class Awk:
    """One run of a program."""

    def __init__(
        self, program: Program, write: Write, *, environment: Mapping[str, str], rng: random.Random, now: float
    ) -> None:
        self.program = program
        self._write = write
        self._rng = rng
        self._now = now
        self._effort = Effort()
        self._patterns: dict[str, Pattern] = {}
        self._steps = STEPS_MAX
        self._elements = 0
        self._calls = 0
        self.exit_code = 0
        self.variables: dict[str, Any] = {
            "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NR": 0.0, "FNR": 0.0, "NF": 0.0, "SUBSEP": "\x1c",
            "CONVFMT": "%.6g", "OFMT": "%.6g", "FILENAME": "", "RSTART": 0.0, "RLENGTH": -1.0, "ARGC": 0.0,
            "ENVIRON": {name: Outside(value) for name, value in environment.items()},
        }  # fmt: skip
        self._locals: list[dict[str, Any]] = []
        self._record: str = ""
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
            return self.truth(self._value(first))
        if not self._in_range.get(at):
            if not self.truth(self._value(first)):
                return False
            self._in_range[at] = True
        if self.truth(self._value(last)):
            self._in_range[at] = False
        return True

    def _step(self, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise SpentError(f"a program may take {STEPS_MAX} steps: no more of it is run")

    # -- records and fields --------------------------------------------------------------------------------------------

    def _set_record(self, text: str) -> None:
        self._record, self._is_split = text, False

    def _split_record(self) -> list[Value]:
        if not self._is_split:
            self._is_split = True
            self._fields = [Outside(one) for one in self.split(self._record, self.text(self.variables["FS"]))]
            self.variables["NF"] = float(len(self._fields))
        return self._fields

    def split(self, text: str, separator: str) -> list[str]:
        """Take a text apart as FS says."""
        self._step(1 + len(text) // 64)
        if separator == " ":
            return text.split()
        if not text:
            return []
        if separator == "":
            return list(text)
        if len(separator) == 1 and separator != "\\":
            return text.split(separator)
        return self._parts(text, separator)

    def _parts(self, text: str, separator: str) -> list[str]:
        pattern, data, found, at, begin = self.pattern(separator), _bytes(text), list[str](), 0, 0
        while at <= len(data) and (match := pattern.search(data, at)):
            if match.end() == match.start():
                at = match.end() + 1
                continue
            found.append(_text(data[begin : match.start()]))
            begin = at = match.end()
        return [*found, _text(data[begin:])]

    def field(self, number: float) -> Value:
        """Return a field; 0 is the record."""
        at = _whole(number)
        if at < 0:
            raise AwkError(f"negative field index ${at}")
        if at == 0:
            return Outside(self._record)
        fields = self._split_record()
        return fields[at - 1] if at <= len(fields) else None

    def _set_field(self, number: float, value: Value) -> None:
        at = _whole(number)
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
        fields, count = self._split_record(), _whole(self.number(value))
        if not 0 <= count <= FIELDS_MAX:
            raise AwkError(f"there cannot be {count} fields")
        del fields[count:]
        fields += [""] * (count - len(fields))
        self.variables["NF"] = float(count)
        self._join()

    def _join(self) -> None:
        self._record = self._held(self.text(self.variables["OFS"]).join(map(self.text, self._fields)))

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
        return self.formatted(self.text(self.variables[form]), [value])

    def number(self, value: Value) -> float:
        """Return a value as a number: what a text begins with."""
        if isinstance(value, str):
            found = _NUMBER.match(value)
            return float(found[1]) if found else 0.0
        if isinstance(value, dict):
            raise AwkError("an array is used as a value")
        return 0.0 if value is None else value

    def truth(self, value: Value) -> bool:
        """Return whether `if` takes a value for true."""
        if isinstance(value, Outside) and looks_like_number(value):
            return self.number(value) != 0
        return bool(value)

    def _held(self, text: str) -> str:
        if len(text) > TEXT_BYTES_MAX:
            raise MemoryError
        self._step(len(text) >> 8)
        return text

    def pattern(self, text: str) -> Pattern:
        """Return a regular expression. AwkError."""
        found = self._patterns.get(text)
        if found is None:
            if len(self._patterns) > 200:
                self._patterns.clear()
            try:
                found = self._patterns[text] = Pattern(_plain_escapes(text), self._effort, extended=True)
            except PatternError as problem:
                raise AwkError(f"regular expression compile failed ({problem})\n{text}") from None
        return found

    def _matches(self, value: Value, node: Node) -> bool:
        source = node.parts[0] if node.kind == "regex" else self.text(self._value(node))
        return self.pattern(source).search(_bytes(self.text(value))) is not None

    # -- variables -----------------------------------------------------------------------------------------------------

    def _scope(self, name: str) -> dict[str, Any]:
        return self._locals[-1] if self._locals and name in self._locals[-1] else self.variables

    def _get(self, name: str) -> Value:
        if name == "NF":
            self._split_record()
        found = self._scope(name).get(name)
        if isinstance(found, dict):
            raise AwkError(f"type error in arg(1) in call to getvar: {name} is an array")
        return found

    def set_variable(self, name: str, value: Value) -> None:
        """Give a variable a value."""
        if name == "NF":
            self._set_count(value)
            return
        self._scope(name)[name] = value

    def array(self, name: str) -> dict[str, Value]:
        """Return an array, which it is from now on. AwkError where it is a value."""
        scope = self._scope(name)
        found = scope.get(name)
        if found is None:
            found = scope[name] = {}
        if not isinstance(found, dict):
            raise AwkError(f"type error: {name} is no array")
        return found

    def _key(self, nodes: tuple[Node, ...]) -> str:
        return self.text(self.variables["SUBSEP"]).join(self.text(self._value(node)) for node in nodes)

    def _set_element(self, array: dict[str, Value], key: str, value: Value) -> None:
        if key not in array:
            self._elements += 1
            if self._elements > ELEMENTS_MAX:
                raise MemoryError
        array[key] = value

    def _assign(self, target: Node, value: Value) -> None:
        if target.kind == "name":
            self.set_variable(target.parts[0], value)
        elif target.kind == "field":
            self._set_field(self.number(self._value(target.parts[0])), value)
        elif target.kind == "element":
            self._set_element(self.array(target.parts[0]), self._key(target.parts[1]), value)
        else:
            raise AwkError("a value cannot be assigned to that")

    # -- statements ----------------------------------------------------------------------------------------------------

    def _do(self, node: Node) -> None:
        self._step()
        match node.kind:
            case "block":
                for one in node.parts:
                    self._do(one)
            case "expression":
                self._value(node.parts[0])
            case "print" | "printf":
                self._print(node)
            case "if":
                condition, then, otherwise = node.parts
                self._do(then if self.truth(self._value(condition)) else otherwise)
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
                    self.exit_code = _whole(self.number(self._value(node.parts[0]))) & 0xFF
                raise ExitError
            case "return":
                raise _ReturnError(None if node.parts[0] is None else self._value(node.parts[0]))
            case "delete":
                name, keys = node.parts
                gone = [*self.array(name)] if keys is None else [self._key(keys)]
                for key in gone:
                    if self.array(name).pop(key, _MISSING) is not _MISSING:
                        self._elements -= 1

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
        while condition is None or self.truth(self._value(condition)):
            if not self._turn(body):
                return
            if step is not None:
                self._do(step)

    def _turn(self, body: Node) -> bool:
        """Do a loop's body once; whether the loop goes on."""
        self._step()
        try:
            self._do(body)
        except _ContinueError:
            pass
        except _BreakError:
            return False
        return True

    def _print(self, node: Node) -> None:
        arguments, target, mode = node.parts
        values = [self._value(one) for one in arguments]
        if node.kind == "printf":
            text = self.formatted(self.text(values[0]) if values else "", values[1:])
        elif not values:
            text = self._record + self.text(self.variables["ORS"])
        else:
            between = self.text(self.variables["OFS"])
            text = between.join(self.text(one, "OFMT") for one in values) + self.text(self.variables["ORS"])
        self._write(self._held(text), "" if target is None else self.text(self._value(target)), mode)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _value(self, node: Node) -> Value:
        self._step()
        parts = node.parts
        match node.kind:
            case "constant":
                return parts[0]  # type: ignore[no-any-return]
            case "name":
                return self._get(parts[0])
            case "field":
                return self.field(self.number(self._value(parts[0])))
            case "element":
                array, key = self.array(parts[0]), self._key(parts[1])
                if key not in array:
                    self._set_element(array, key, None)
                return array[key]
            case "regex":
                return float(self.pattern(parts[0]).search(_bytes(self._record)) is not None)
            case "parenthesis":
                return self._value(parts[0])
            case "group":
                return self.text(self.variables["SUBSEP"]).join(self.text(self._value(one)) for one in parts[0])
            case "assign":
                return self._assigned(node)
            case "ternary":
                return self._value(parts[1] if self.truth(self._value(parts[0])) else parts[2])
            case "concatenate":
                left = self.text(self._value(parts[0]))
                return self._held(left + self.text(self._value(parts[1])))
            case "in":
                return float(self._key(parts[0]) in self.array(parts[1]))
            case "binary":
                return self._binary(*parts)
            case "unary":
                value = self._value(parts[1])
                if parts[0] == "!":
                    return float(not self.truth(value))
                return self.number(value) * (-1 if parts[0] == "-" else 1)
            case "before" | "after":
                old = self.number(self._value(parts[1]))
                new = old + (1 if parts[0] == "++" else -1)
                self._assign(parts[1], new)
                return new if node.kind == "before" else old
            case "builtin":
                return self._builtin(parts[0], parts[1])
        return self._called(parts[0], parts[1])

    def _assigned(self, node: Node) -> Value:
        operator, target, source = node.parts
        value = self._value(source)
        if operator != "=":
            value = self._arithmetic(operator[0], self.number(self._value(target)), self.number(value))
        self._assign(target, value)
        return value

    def _binary(self, operator: str, left: Node, right: Node) -> Value:
        match operator:
            case "&&":
                return float(self.truth(self._value(left)) and self.truth(self._value(right)))
            case "||":
                return float(self.truth(self._value(left)) or self.truth(self._value(right)))
            case "~" | "!~":
                return float(self._matches(self._value(left), right) is (operator == "~"))
        first, second = self._value(left), self._value(right)
        if operator in ("<", "<=", "==", "!=", ">", ">="):
            return float(self._compare(operator, first, second))
        return self._arithmetic(operator, self.number(first), self.number(second))

    def _compare(self, operator: str, first: Value, second: Value) -> bool:
        a: Any
        b: Any
        if _is_numeric(first) and _is_numeric(second):
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
                found = self._scope(argument.parts[0]).get(argument.parts[0])
                scope[parameter] = found
                if found is None:
                    shared.append((parameter, argument.parts[0]))
            else:
                scope[parameter] = self._value(argument)
        outer = self._scope
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

    def _builtin(self, name: str, nodes: tuple[Node, ...]) -> Value:
        least, most = _ARGUMENTS.get(name, (0, 3))
        if not least <= len(nodes) <= most or (name == "split" and nodes[1].kind != "name"):
            raise AwkError(f"arguments of {name} are not what it takes")
        match name:
            case "split":
                return self._split(nodes)
            case "sub" | "gsub":
                return self._substituted(nodes, every=name == "gsub")
            case "match":
                source = nodes[1].parts[0] if nodes[1].kind == "regex" else self.text(self._value(nodes[1]))
                subject = self.text(self._value(nodes[0]))
                data = _bytes(subject)
                found = self.pattern(source).search(data)
                begin = len(_text(data[: found.start()])) + 1 if found else 0
                self.variables["RSTART"] = float(begin)
                self.variables["RLENGTH"] = float(len(_text(found[0]))) if found else -1.0
                return float(begin)
            case "length":
                if nodes and nodes[0].kind == "name":
                    value = self._scope(nodes[0].parts[0]).get(nodes[0].parts[0])
                    if isinstance(value, dict):
                        return float(len(value))
                return float(len(self.text(self._value(nodes[0])) if nodes else self._record))
        values = [self._value(node) for node in nodes]
        return self._plain(name, values)

    def _plain(self, name: str, values: list[Value]) -> Value:
        """Call a function of values."""
        numbers = [self.number(one) for one in values] if name in _OF_NUMBERS else []
        try:
            match name:
                case "substr":
                    return self._substring(values)
                case "index":
                    return float(self.text(values[0]).find(self.text(values[1])) + 1)
                case "sprintf":
                    return self._held(self.formatted(self.text(values[0]), values[1:]))
                case "tolower":
                    return self.text(values[0]).lower()
                case "toupper":
                    return self.text(values[0]).upper()
                case "int":
                    return float(math.trunc(numbers[0])) if math.isfinite(numbers[0]) else numbers[0]
                case "rand":
                    return self._rng.random()
                case "srand":
                    self._rng = random.Random(str(numbers[0] if numbers else self._now))
                    return 0.0
                case "atan2":
                    return math.atan2(numbers[0], numbers[1])
                case "systime":
                    return float(int(self._now))
                case "strftime":
                    form = self.text(values[0])[:1000] if values else "%c"
                    return time.strftime(form, time.gmtime(self.number(values[1]) if len(values) > 1 else self._now))
                case "close" | "fflush":
                    return 0.0
            return {"sin": math.sin, "cos": math.cos, "exp": math.exp, "log": math.log, "sqrt": math.sqrt}[name](
                numbers[0]
            )
        except IndexError:
            raise AwkError(f"not enough arguments passed to {name}") from None
        except OverflowError:
            return math.inf
        except ValueError:
            return -math.inf if name == "log" and numbers and numbers[0] == 0 else math.nan

    def _substring(self, values: list[Value]) -> str:
        text, begin = self.text(values[0]), self.number(values[1])
        length = self.number(values[2]) if len(values) > 2 else math.inf
        if not math.isfinite(begin) or math.isnan(length):
            return ""
        first = round(begin)
        last = len(text) + 1 if length == math.inf else round(begin + length) if math.isfinite(length) else 0
        return text[max(first, 1) - 1 : max(min(last, len(text) + 1), 1) - 1]

    def _split(self, nodes: tuple[Node, ...]) -> float:
        text = self.text(self._value(nodes[0]))
        if len(nodes) > 2:
            separator = nodes[2].parts[0] if nodes[2].kind == "regex" else self.text(self._value(nodes[2]))
            found = self._parts(text, separator) if nodes[2].kind == "regex" and text else self.split(text, separator)
        else:
            found = self.split(text, self.text(self.variables["FS"]))
        array = self.array(nodes[1].parts[0])
        self._elements -= len(array)
        array.clear()
        for at, one in enumerate(found, 1):
            self._set_element(array, str(at), Outside(one))
        return float(len(found))

    def _substituted(self, nodes: tuple[Node, ...], *, every: bool) -> float:
        source = nodes[0].parts[0] if nodes[0].kind == "regex" else self.text(self._value(nodes[0]))
        template = self.text(self._value(nodes[1]))
        target = nodes[2] if len(nodes) > 2 else Node("field", (Node("constant", (0.0,)),))
        data, pattern = _bytes(self.text(self._value(target))), self.pattern(source)
        told: list[bytes] = []
        at, kept, count, matched_to = 0, 0, 0, -1
        while at <= len(data) and (match := pattern.search(data, at)):
            self._step()
            begin, end = match.span()
            if begin == end == matched_to:
                at = end + 1
                continue
            count += 1
            told += [data[kept:begin], _bytes(_filled(template, _text(match[0])))]
            kept, matched_to, at = end, end, end + (begin == end)
            if not every:
                break
        if count:
            self._assign(target, self._held(_text(b"".join([*told, data[kept:]]))))
        return float(count)

    def formatted(self, form: str, values: list[Value]) -> str:
        """Fill a format as printf does. AwkError where there are too few values."""
        rest = iter(values)

        def fill(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%"
            try:
                width = str(_whole(self.number(next(rest)))) if found[2] == "*" else found[2]
                precision = str(_whole(self.number(next(rest)))) if found[3] == "*" else found[3]
                value = next(rest)
            except StopIteration:
                raise AwkError(f'not enough arguments passed to sprintf("{form}")') from None
            return self._one(found[1] or "", width or "", precision, found[4], value)

        return _FORMAT.sub(fill, form)

    def _one(self, flags: str, width: str, precision: str | None, letter: str, value: Value) -> str:
        if len(width) > 6 or len(precision or "") > 6:
            raise MemoryError
        shape = f"%{flags}{width}{'' if precision is None else '.' + precision}"
        if letter == "c":
            number = isinstance(value, float) or (isinstance(value, Outside) and looks_like_number(value))
            text = chr(_whole(self.number(value)) & 0xFF) if number else self.text(value)[:1]
            return f"%{flags}{width}s" % text
        if letter == "s":
            return f"{shape}s" % self.text(value)
        number_ = self.number(value)
        if letter in "diouxX":
            if not math.isfinite(number_):
                return f"%{flags.replace('0', '')}{width}s" % self.text(number_)
            whole = math.trunc(number_)
            if letter not in "di" and whole < 0:
                whole += 2**64
            return f"{shape}{'d' if letter in 'diu' else letter}" % whole
        return f"{shape}{letter.replace('a', 'e')}" % number_


_MISSING = object()
_ARGUMENTS = {"split": (2, 3), "sub": (2, 3), "gsub": (2, 3), "match": (2, 2), "length": (0, 1), "index": (2, 2),
              "substr": (2, 3), "sprintf": (1, 100), "atan2": (2, 2), "rand": (0, 0)}  # fmt: skip
_OF_NUMBERS = frozenset({"int", "srand", "atan2", "sin", "cos", "exp", "log", "sqrt"})


def _whole(number: float) -> int:
    """Return a number without what stands behind its point; what is none, or beyond all, as far as C's int goes."""
    return int(number) if abs(number) < 2**31 else 2**31 - 1 if number > 0 else -(2**31)


def _is_numeric(value: Value) -> bool:
    return value is None or isinstance(value, float) or (isinstance(value, Outside) and looks_like_number(value))


def _filled(template: str, matched: str) -> str:
    r"""Put what matched in place of &, but for \&."""
    return re.sub(r"\\\\|\\&|&", lambda found: {"&": matched, "\\&": "&"}.get(found[0], "\\"), template)


def _plain_escapes(text: str) -> str:
    """Read what only awk's expressions escape: \\/ and \\", \\n and \\t."""
    return re.sub(r'\\([/"nt])', lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _bytes(text: str) -> bytes:
    return raw(text)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def assignment(text: str) -> tuple[str, Outside]:
    """Read NAME=VALUE as -v has it. SyntaxFailure."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise SyntaxFailure(f"improper assignment: -v {text}", 0)
    return name, Outside(unescaped(value))
