"""JSONPath as kubectl has it: a template whose braces hold paths.

    render("{.metadata.name}", pod)                                          web-0
    render("{range .items[*]}{.metadata.name}{'\\n'}{end}", pods)             a line each
    render("{.items[?(@.spec.nodeName=='worker-1')].metadata.name}", pods)   those on worker-1, spaces between

Modelled on client-go/util/jsonpath. Left out: slices with steps, several names at once, functions.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from cluster_engine.api.strconv import parse_int
from cluster_engine.programs.kubectl.documents import to_compact_json, to_json
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.go_template.formats import syntax, type_name

_TEXT = re.compile(r"""^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')$""")
_STEP = re.compile(r"\.\.|\.?\[\?\((?P<filter>.*?)\)\]|\.?\[(?P<index>[^\]]*)\]|\.(?P<name>(?:\\.|[^.\[\\])+)?|\*")
_INDEX = re.compile(r"\*|'[^']*'(?:,'[^']*')*|-?\d*(?::-?\d*){0,2}(?:,-?\d+)*")
_OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
VALUES_MAX = 100_000
"""How many values a path may lead to, all its steps together; `..` behind `..` gives many times what there is."""
CHARACTERS_MAX = 8 * 1024 * 1024
STEPS_MAX = 100_000
"""How many pieces a template may print; a range in a range prints the product."""
RANGES_DEPTH_MAX = 20
TOO_LARGE = "the result of this jsonpath is too large"


class _Node(msgspec.Struct):
    """A piece of the template: text, a path, or a range with what is in it."""

    text: str | None = None
    path: str | None = None
    body: list["_Node"] = msgspec.field(default_factory=list)
    is_range: bool = False


class PathError(CommandError):
    """A path that cannot be followed in these data."""


def printer(template: str, *, as_json: bool = False, allows_missing: bool = True) -> Callable[[Any], str]:
    """Read a template; give what fills it in, as text or with each path's values as a JSON list. CommandError."""
    try:
        nodes = _parse(template)
        _check(nodes)
    except PathError:
        pass  # told once there are data
    except CommandError as error:
        raise CommandError(f"error parsing jsonpath {template}, {error}") from error

    def show_all(data: Any) -> str:
        try:
            return _filled_in(nodes, data, as_json=as_json, allows_missing=allows_missing)
        except PathError as error:
            quoted = template.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            raise CommandError(
                f'error executing jsonpath "{quoted}": Error executing template: {error}. Printing more information '
                f"for debugging the template:\n\ttemplate was:\n\t\t{template}\n"
                f"\tobject given to jsonpath engine was:\n\t\t{syntax(data)}\n\n"
            ) from error

    return show_all


def _check(nodes: "list[_Node]") -> None:
    """Read each path once, for what is wrong with it."""
    for node in nodes:
        for step in _steps(node.path or ""):
            if step["index"] is not None and not _INDEX.fullmatch(step["index"].strip()):
                raise CommandError(f"invalid array index {step['index']}")
        _check(node.body)


def render(template: str, data: Any) -> str:
    """Fill in a template. Paths that lead nowhere give nothing. CommandError when it cannot be read."""
    return _filled_in(_parse(template), data)


def _filled_in(nodes: "list[_Node]", data: Any, *, as_json: bool = False, allows_missing: bool = True) -> str:
    pieces: list[str] = []
    length = 0
    for node in nodes:
        if as_json and node.path is not None and not node.is_range:
            values = find(node.path, data)
            pieces.append(to_json(values))
            continue
        if not allows_missing and node.path is not None:
            _insist(node.path, data)
        for piece in _print(node, data, data):
            length += len(piece)
            pieces.append(piece)
            if length > CHARACTERS_MAX or len(pieces) > STEPS_MAX:
                raise CommandError(TOO_LARGE)
    return "".join(pieces)


def _insist(path: str, data: Any) -> None:
    """Raise PathError where a field on the way is not there."""
    values = [data]
    for step in _steps(path.removeprefix("$").removeprefix("@")):
        found = [inner for value in values for inner in _follow(step, value)]
        if values and not found and step["name"]:
            raise PathError(f"{step['name']} is not found")
        values = found


def find(path: str, data: Any) -> list[Any]:
    """Return all values that a path leads to."""
    values, left = [data], VALUES_MAX
    for step in _steps(path.removeprefix("$").removeprefix("@")):
        found = (inner for value in values for inner in _follow(step, value))
        values = list(itertools.islice(found, left + 1))
        left -= len(values)
        if left < 0:
            raise CommandError(TOO_LARGE)
    return values


def relaxed(expression: str) -> str:
    """Complete what people leave out: braces and the first dot."""
    expression = expression.strip()
    inner = expression[1:-1] if expression.startswith("{") and expression.endswith("}") else expression
    return inner if inner.startswith((".", "[", "$", "@")) else f".{inner}"


def show(value: Any) -> str:
    """Print one value: text bare, everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_compact_json(value)


def _print(node: _Node, data: Any, root: Any) -> Iterator[str]:
    """Yield what a piece of the template prints, a text for each value, and at least one."""
    if node.text is not None:
        yield node.text
        return
    assert node.path is not None
    start = root if node.path.startswith("$") else data
    values = find(node.path, start)
    if node.is_range:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        for item in items:
            yield ""
            for child in node.body:
                yield from _print(child, item, root)
        return
    for at, value in enumerate(values):
        yield f"{' ' if at else ''}{'null' if value is None else show(value)}"
    yield ""


def _parse(template: str) -> list[_Node]:
    root: list[_Node] = []
    stack = [root]
    for piece in _pieces(template):
        if not piece.startswith("{"):
            stack[-1].append(_Node(text=piece))
            continue
        inner = piece[1:-1].strip()
        text = _TEXT.match(inner)
        if text:
            stack[-1].append(_Node(text=_unescape(text[1] if text[1] is not None else text[2])))
        elif inner == "end":
            if len(stack) == 1:
                raise CommandError("not in range, nothing to end")
            stack.pop()
        elif inner.startswith("range"):
            node = _Node(path=inner[5:].strip(), is_range=True)
            stack[-1].append(node)
            stack.append(node.body)
            if len(stack) > RANGES_DEPTH_MAX:
                raise CommandError(f"more than {RANGES_DEPTH_MAX} ranges in one another")
        else:
            stack[-1].append(_Node(path=inner))
    if len(stack) > 1:
        raise CommandError("unclosed action")
    return root


def _pieces(template: str) -> Iterator[str]:
    position = 0
    while position < len(template):
        opening = template.find("{", position)
        if opening < 0:
            yield template[position:]
            return
        if opening > position:
            yield template[position:opening]
        closing = _closing(template, opening)
        yield template[opening : closing + 1]
        position = closing + 1


def _closing(template: str, opening: int) -> int:
    quote = ""
    for position in range(opening + 1, len(template)):
        character = template[position]
        if quote:
            quote = "" if character == quote and template[position - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == "}":
            return position
    raise CommandError("unclosed action")


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")


def _steps(path: str) -> list[re.Match[str]]:
    path = re.sub(r"\.\.(?=[\w*])", "...", path)
    steps = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or not match[0]:
            if word := re.match(r" *(\w+)", path[position:]):
                raise PathError(f"unrecognized identifier {word[1]}")
            raise CommandError(_why(path, position))
        steps.append(match)
        position = match.end()
    return steps


def _why(path: str, position: int) -> str:
    rest = path[position:].removeprefix(".")
    if rest.startswith("["):
        return "unterminated filter" if rest.startswith("[?(") else "unterminated array"
    return f"unrecognized character in action: U+{ord(path[position]):04X} '{path[position]}'"


def _follow(step: re.Match[str], value: Any) -> list[Any]:
    if step["filter"] is not None:
        return [item for item in _children(value) if _holds(step["filter"], item)]
    if step["index"] is not None:
        return _index(step["index"].strip(), value)
    if step[0] == "..":
        return list(_descendants(value))
    name = (step["name"] or "").replace("\\.", ".")
    if not name:
        return [value]
    if name == "*" or step[0] == "*":
        return _children(value)
    return [value[name]] if isinstance(value, dict) and name in value else []


def _index(text: str, value: Any) -> list[Any]:
    if text == "*":
        return _children(value)
    if text[:1] in "'\"":
        name = text[1:-1]
        return [value[name]] if isinstance(value, dict) and name in value else []
    if value is None:
        return []
    if not isinstance(value, list):
        raise PathError(f"{type_name(value)} is not array or slice")
    if ":" in text:
        begin, _, end = text.partition(":")
        try:
            return value[parse_int(begin) if begin else None : parse_int(end) if end else None]
        except ValueError:
            raise PathError(f"invalid array index {text}") from None
    found = []
    for part in text.split(","):
        try:
            found.append(value[parse_int(part.strip())])
        except (IndexError, ValueError) as error:
            if isinstance(error, ValueError):
                raise CommandError(f"invalid array index {text}") from error
            raise PathError(f"array index out of bounds: index {part}, length {len(value)}") from error
    return found


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for child in _children(value):
        yield from _descendants(child)


def _holds(condition: str, item: Any) -> bool:
    path, operator, wanted = _condition(condition)
    found = find(path, item)
    if not operator:
        return bool(found)
    quoted = _TEXT.match(wanted)
    text = (quoted[1] or quoted[2] or "") if quoted else wanted
    return any(_compare(show(value), operator, text) for value in found)


@lru_cache(maxsize=64)
def _condition(text: str) -> tuple[str, str, str]:
    """Split `@.a.b == "x"` at its first operator. CommandError."""
    at = next((at for at, character in enumerate(text) if character in "=!<>"), len(text))
    path, rest = text[:at].strip(), text[at:]
    operator = next((one for one in _OPERATORS if rest.startswith(one)), "")
    wanted = rest[len(operator) :].strip()
    if not path.startswith("@") or (rest and not (operator and wanted)):
        raise CommandError(f"unrecognized identifier in filter: {text}")
    return path[1:], operator, wanted


def _compare(left: str, operator: str, right: str) -> bool:
    if operator in ("==", "!="):
        return (left == right) is (operator == "==")
    try:
        a, b = float(left), float(right)
    except ValueError:
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]
