"""The functions that awk has itself: of text, of patterns, of numbers, of time.

gsub(/o/, "0", line)        split("a:b", parts, ":")        substr("hello", 2, 3)
"""

import math
import random
import re
import time
from typing import Any, Protocol

from cluster_engine.programs.awk.printing import Converter, formatted
from cluster_engine.programs.awk.syntax import Node
from cluster_engine.programs.awk.values import AwkError, Outside, Value, bytes_of, text_of
from cluster_engine.programs.text.matching import Pattern

_ARGUMENTS = {"split": (2, 3), "sub": (2, 3), "gsub": (2, 3), "match": (2, 2), "length": (0, 1), "index": (2, 2),
              "substr": (2, 3), "sprintf": (1, 100), "atan2": (2, 2), "rand": (0, 0)}  # fmt: skip
_OF_NUMBERS = frozenset({"int", "srand", "atan2", "sin", "cos", "exp", "log", "sqrt"})


class Machine(Converter, Protocol):
    """What functions need of a program's run (`evaluate.Awk`)."""

    variables: dict[str, Any]
    rng: random.Random
    now: float
    elements: int
    """How many elements all arrays have."""
    record_text: str

    def step(self, count: int = 1) -> None:
        """Count steps. SpentError."""
        ...

    def value(self, node: Node) -> Value:
        """Evaluate an expression."""
        ...

    def assign(self, target: Node, value: Value) -> None:
        """Set a variable, an element or a field."""
        ...

    def scope(self, name: str) -> dict[str, Any]:
        """Return the variables among which a name is looked for."""
        ...

    def array(self, name: str) -> dict[str, Value]:
        """Return an array by name."""
        ...

    def set_element(self, array: dict[str, Value], key: str, value: Value) -> None:
        """Set an element of an array."""
        ...

    def pattern(self, text: str) -> Pattern:
        """Return a pattern of a text."""
        ...

    def split(self, text: str, separator: str) -> list[str]:
        """Split text as fields are."""
        ...

    def parts(self, text: str, separator: str) -> list[str]:
        """Split text at what a pattern matches."""
        ...

    def held(self, text: str) -> str:
        """Return a text that is kept. MemoryError."""
        ...


def builtin(awk: Machine, name: str, nodes: tuple[Node, ...]) -> Value:
    """Call a function that awk has itself. AwkError, SpentError."""
    least, most = _ARGUMENTS.get(name, (0, 3))
    if not least <= len(nodes) <= most or (name == "split" and nodes[1].kind != "name"):
        raise AwkError(f"arguments of {name} are not what it takes")
    match name:
        case "split":
            return _split(awk, nodes)
        case "sub" | "gsub":
            return _substituted(awk, nodes, every=name == "gsub")
        case "match":
            source = nodes[1].parts[0] if nodes[1].kind == "regex" else awk.text(awk.value(nodes[1]))
            subject = awk.text(awk.value(nodes[0]))
            data = bytes_of(subject)
            found = awk.pattern(source).search(data)
            begin = len(text_of(data[: found.start()])) + 1 if found else 0
            awk.variables["RSTART"] = float(begin)
            awk.variables["RLENGTH"] = float(len(text_of(found[0]))) if found else -1.0
            return float(begin)
        case "length":
            if nodes and nodes[0].kind == "name":
                value = awk.scope(nodes[0].parts[0]).get(nodes[0].parts[0])
                if isinstance(value, dict):
                    return float(len(value))
            return float(len(awk.text(awk.value(nodes[0])) if nodes else awk.record_text))
    values = [awk.value(node) for node in nodes]
    return _plain(awk, name, values)


def _plain(awk: Machine, name: str, values: list[Value]) -> Value:
    """Call a function of values."""
    numbers = [awk.number(one) for one in values] if name in _OF_NUMBERS else []
    try:
        match name:
            case "substr":
                return _substring(awk, values)
            case "index":
                return float(awk.text(values[0]).find(awk.text(values[1])) + 1)
            case "sprintf":
                return awk.held(formatted(awk, awk.text(values[0]), values[1:]))
            case "tolower":
                return awk.text(values[0]).lower()
            case "toupper":
                return awk.text(values[0]).upper()
            case "int":
                return float(math.trunc(numbers[0])) if math.isfinite(numbers[0]) else numbers[0]
            case "rand":
                return awk.rng.random()
            case "srand":
                awk.rng = random.Random(str(numbers[0] if numbers else awk.now))
                return 0.0
            case "atan2":
                return math.atan2(numbers[0], numbers[1])
            case "systime":
                return float(int(awk.now))
            case "strftime":
                form = awk.text(values[0])[:1000] if values else "%c"
                return time.strftime(form, time.gmtime(awk.number(values[1]) if len(values) > 1 else awk.now))
            case "close" | "fflush":
                return 0.0
        return {"sin": math.sin, "cos": math.cos, "exp": math.exp, "log": math.log, "sqrt": math.sqrt}[name](numbers[0])
    except IndexError:
        raise AwkError(f"not enough arguments passed to {name}") from None
    except OverflowError:
        return math.inf
    except ValueError:
        return -math.inf if name == "log" and numbers and numbers[0] == 0 else math.nan


def _substring(awk: Machine, values: list[Value]) -> str:
    text, begin = awk.text(values[0]), awk.number(values[1])
    length = awk.number(values[2]) if len(values) > 2 else math.inf
    if not math.isfinite(begin) or math.isnan(length):
        return ""
    first = round(begin)
    last = len(text) + 1 if length == math.inf else round(begin + length) if math.isfinite(length) else 0
    return text[max(first, 1) - 1 : max(min(last, len(text) + 1), 1) - 1]


def _split(awk: Machine, nodes: tuple[Node, ...]) -> float:
    text = awk.text(awk.value(nodes[0]))
    if len(nodes) > 2:
        separator = nodes[2].parts[0] if nodes[2].kind == "regex" else awk.text(awk.value(nodes[2]))
        found = awk.parts(text, separator) if nodes[2].kind == "regex" and text else awk.split(text, separator)
    else:
        found = awk.split(text, awk.text(awk.variables["FS"]))
    array = awk.array(nodes[1].parts[0])
    awk.elements -= len(array)
    array.clear()
    for at, one in enumerate(found, 1):
        awk.set_element(array, str(at), Outside(one))
    return float(len(found))


def _substituted(awk: Machine, nodes: tuple[Node, ...], *, every: bool) -> float:
    source = nodes[0].parts[0] if nodes[0].kind == "regex" else awk.text(awk.value(nodes[0]))
    template = awk.text(awk.value(nodes[1]))
    target = nodes[2] if len(nodes) > 2 else Node("field", (Node("constant", (0.0,)),))
    data, pattern = bytes_of(awk.text(awk.value(target))), awk.pattern(source)
    told: list[bytes] = []
    at, kept, count, matched_to = 0, 0, 0, -1
    while at <= len(data) and (match := pattern.search(data, at)):
        awk.step()
        begin, end = match.span()
        if begin == end == matched_to:
            at = end + 1
            continue
        count += 1
        told += [data[kept:begin], bytes_of(_filled(template, text_of(match[0])))]
        kept, matched_to, at = end, end, end + (begin == end)
        if not every:
            break
    if count:
        awk.assign(target, awk.held(text_of(b"".join([*told, data[kept:]]))))
    return float(count)


def _filled(template: str, matched: str) -> str:
    r"""Put what matched in place of &, but for \&."""
    return re.sub(r"\\\\|\\&|&", lambda found: {"&": matched, "\\&": "&"}.get(found[0], "\\"), template)
