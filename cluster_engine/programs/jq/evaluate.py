"""jq's evaluation: a filter takes one value and yields any number; each result knows the path on which it was found.

Theory of operation. Every node of the tree is a generator of (path, value): a pipe runs its right side for each result
of its left one, a comma yields both. Paths are kept only where somebody asks for them (`path(f)`, assignments), else
they are None. What a filter may do in all is bounded by a budget of steps; recursion by DEPTH_MAX.

    [1, 2] | .[] += 1          path(.[]) gives [0] and [1]; each is set to what stands there + 1

Modelled on jq's documented semantics (the jq 1.6 manual) and, for paths, on src/execute.c. Left out: the stack machine
and its tail calls; `input` and `debug` go to whoever runs the filter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cluster_engine.programs.jq.scope import DEPTH_MAX, BreakError, Closure, Path, Results, Scope, SpentError
from cluster_engine.programs.jq.syntax import Node
from cluster_engine.programs.jq.values import (
    OPERATIONS,
    JqError,
    delete_paths,
    get_path,
    index,
    kind,
    set_path,
    slice_of,
    text,
    told,
)

# -- evaluation --------------------------------------------------------------------------------------------------------


def values(node: Node, scope: Scope, value: Any) -> Iterator[Any]:
    """Yield what a filter gives for a value. JqError, SpentError, BreakError."""
    for _, found in evaluate(node, scope, None, value):
        yield found


def evaluate(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    """Yield results with their paths; see the module's opening."""
    scope.run.budget.step()
    return _EVALUATE[node.kind](node, scope, path, value)


def _identity(_: Node, __: Scope, path: Path, value: Any) -> Results:
    yield path, value


def _literal(node: Node, _: Scope, path: Path, __: Any) -> Results:
    yield no_path(path), node.parts[0]


def no_path(path: Path) -> Path:
    """Return the path of what lies on none."""
    """Mark a result that stands nowhere: it may be used, but not as a path."""
    return None if path is None else _NOWHERE


_NOWHERE: tuple[Any, ...] = (object(),)


def checked(path: Path, value: Any) -> Path:
    """Return a path that is one. JqError."""
    if path is _NOWHERE:
        raise JqError(f"Invalid path expression with result {text(value)[:30]}")
    return path


def _pipe(node: Node, scope: Scope, path: Path, value: Any, at: int = 0) -> Results:
    if at == len(node.parts) - 1:
        yield from evaluate(node.parts[at], scope, path, value)
        return
    for inner, found in evaluate(node.parts[at], scope, path, value):
        yield from _pipe(node, scope, inner, found, at + 1)


def _comma(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for part in node.parts:
        yield from evaluate(part, scope, path, value)


def _index(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for inner, found in evaluate(node.parts[0], scope, path, value):
        for key in values(node.parts[1], scope, value):
            checked(inner, found) if inner is _NOWHERE else None
            yield (None if inner is None else (*inner, key)), index(found, key)


def _slice(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    source, begin, end = node.parts
    for inner, found in evaluate(source, scope, path, value):
        checked(inner, found)
        for last in [None] if end is None else values(end, scope, value):
            for first in [None] if begin is None else values(begin, scope, value):
                key = {"start": first, "end": last}
                yield (None if inner is None else (*inner, key)), slice_of(found, first, last)


def _iterate(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for inner, found in evaluate(node.parts[0], scope, path, value):
        checked(inner, found)
        pairs: Any
        if isinstance(found, dict):
            pairs = list(found.items())
        elif isinstance(found, list):
            pairs = enumerate(found)
        else:
            shown = f" ({text(found)})" if found is not None and not isinstance(found, dict | list) else ""
            raise JqError(f"Cannot iterate over {kind(found)}{shown}")
        for key, one in pairs:
            scope.run.budget.step()
            yield (None if inner is None else (*inner, key)), one


def _binary(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    operator, left, right = node.parts
    operation = OPERATIONS[operator]
    for second in values(right, scope, value):
        for first in values(left, scope, value):
            result = operation(first, second)
            if isinstance(result, str | list | dict):
                scope.run.budget.step(len(result) >> 4)
            yield no_path(path), result


def _and(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for first in values(node.parts[1], scope, value):
        if not is_true(first):
            yield no_path(path), False
            continue
        for second in values(node.parts[2], scope, value):
            yield no_path(path), is_true(second)


def _or(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for first in values(node.parts[1], scope, value):
        if is_true(first):
            yield no_path(path), True
            continue
        for second in values(node.parts[2], scope, value):
            yield no_path(path), is_true(second)


def is_true(value: Any) -> bool:
    """Whether `if` takes a value for true: all but null and false."""
    return value is not None and value is not False


def _alternative(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    has_found = False
    try:
        for inner, found in evaluate(node.parts[0], scope, path, value):
            if is_true(found):
                has_found = True
                yield inner, found
    except JqError:
        pass
    if not has_found:
        yield from evaluate(node.parts[1], scope, path, value)


def _if(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    condition, then, otherwise = node.parts
    for truth in values(condition, scope, value):
        yield from evaluate(then if is_true(truth) else otherwise, scope, path, value)


def _try(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    body, handler = node.parts
    try:
        yield from evaluate(body, scope, path, value)
    except JqError as error:
        if handler is not None:
            yield from evaluate(handler, scope, path, error.value)


def _array(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    yield no_path(path), list(values(node.parts[0], scope, value))


def _object(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    for made in _objects(node.parts, scope, value, {}):
        yield no_path(path), made


def _objects(entries: Sequence[Any], scope: Scope, value: Any, made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not entries:
        yield made
        return
    key_node, value_node = entries[0]
    for key in values(key_node, scope, value):
        if not isinstance(key, str):
            raise JqError(f"Object keys must be strings, not {told(key)}")
        for found in values(value_node, scope, value):
            yield from _objects(entries[1:], scope, value, {**made, key: found})


def _string(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    name, pieces = node.parts
    for made in _texts(name, pieces, scope, value):
        yield no_path(path), made


def _texts(name: str, pieces: Sequence[Any], scope: Scope, value: Any) -> Iterator[str]:
    if not pieces:
        yield ""
        return
    *before, piece = pieces
    found = [piece] if isinstance(piece, str) else values(piece, scope, value)
    for one in found:
        shown = one if isinstance(piece, str) else scope.run.natives["@"](scope.run, one, [name])
        for rest in _texts(name, before, scope, value):
            scope.run.budget.step((len(rest) + len(shown)) >> 4)
            yield rest + shown


def _format(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    yield no_path(path), scope.run.natives["@"](scope.run, value, [node.parts[0]])


def _variable(node: Node, scope: Scope, path: Path, _: Any) -> Results:
    yield no_path(path), scope.variable(node.parts[0])


def _bind(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    source, pattern, body = node.parts
    for found in values(source, scope, value):
        for variables in matched(pattern, scope, value, found):
            yield from evaluate(body, scope.inner(variables=variables), path, value)


def matched(pattern: Node, scope: Scope, value: Any, found: Any) -> Iterator[dict[str, Any]]:
    """Yield what a pattern's names stand for."""
    if pattern.kind == "name":
        yield {pattern.parts[0]: found}
        return
    results: list[dict[str, Any]] = [{}]
    if pattern.kind == "elements":
        for at, one in enumerate(pattern.parts):
            inner = list(matched(one, scope, value, index(found, at)))
            results = [{**first, **second} for first in results for second in inner]
    else:
        for key_node, one, name in pattern.parts:
            inner = []
            for key in values(key_node, scope, value):
                if not isinstance(key, str):
                    raise JqError(f"Cannot index {kind(found)} with {kind(key)}")
                at_key = index(found, key)
                extra = {name: at_key} if name else {}
                inner += [{**extra, **more} for more in matched(one, scope, value, at_key)]
            results = [{**first, **second} for first in results for second in inner]
    yield from results


def _reduce(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    source, pattern, initial, update = node.parts
    for state in values(initial, scope, value):
        for found in values(source, scope, value):
            for variables in matched(pattern, scope, value, found):
                results = list(values(update, scope.inner(variables=variables), state))
                state = results[-1] if results else None  # noqa: PLW2901 - that is what folding is
        yield no_path(path), state


def _foreach(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    source, pattern, initial, update, *extract = node.parts
    for state in values(initial, scope, value):
        for found in values(source, scope, value):
            for variables in matched(pattern, scope, value, found):
                inner = scope.inner(variables=variables)
                for new in values(update, inner, state):
                    state = new  # noqa: PLW2901
                    if extract:
                        for one in values(extract[0], inner, new):
                            yield no_path(path), one
                    else:
                        yield no_path(path), new


def _define(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    definition, rest = node.parts
    name, parameters, body = definition.parts
    functions: dict[str, Closure] = {}
    inner = scope.inner(functions=functions)
    functions[f"{name}/{len(parameters)}"] = Closure(parameters, body, inner)
    yield from evaluate(rest, inner, path, value)


def _label(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    name, body = node.parts
    label = object()
    try:
        yield from evaluate(body, scope.inner(variables={name: label}), path, value)
    except BreakError as error:
        if error.label is not label:
            raise


def _break(node: Node, scope: Scope, _: Path, __: Any) -> Results:
    raise BreakError(scope.variable(node.parts[0]))
    yield  # so that it is a generator, as its siblings are


def _assign(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    operator, left, right = node.parts
    if operator == "|=":
        yield no_path(path), _updated(left, right, scope, value)
        return
    for new in values(right, scope, value):
        result = value
        for found, _ in evaluate(left, scope, (), value):
            where = checked(found, None) or ()
            if operator == "=":
                result = set_path(result, where, new)
            elif operator == "//=":
                old = get_path(result, where)
                result = set_path(result, where, old if is_true(old) else new)
            else:
                result = set_path(result, where, OPERATIONS[operator[:-1]](get_path(result, where), new))
        yield no_path(path), result


def _updated(left: Node, right: Node, scope: Scope, value: Any) -> Any:
    gone = []
    for found, _ in evaluate(left, scope, (), value):
        where = checked(found, None) or ()
        for new in values(right, scope, get_path(value, where)):
            value = set_path(value, where, new)
            break
        else:
            gone.append(where)
    return delete_paths(value, gone)


# -- functions ---------------------------------------------------------------------------------------------------------


def _call(node: Node, scope: Scope, path: Path, value: Any) -> Results:
    name, arguments = node.parts
    full = f"{name}/{len(arguments)}"
    closure = scope.function(full)
    if closure is None:
        special = scope.run.special.get(full)
        if special is not None:
            yield from special(arguments, scope, path, value)
        else:
            yield from _native(full, arguments, scope, path, value)
        return
    budget = scope.run.budget
    budget.depth += 1
    if budget.depth > DEPTH_MAX:
        budget.depth -= 1
        raise SpentError("functions call each other too deeply: no more of it is run")
    try:
        yield from _called(closure, arguments, scope, path, value)
    finally:
        budget.depth -= 1


def _called(closure: Closure, arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    functions: dict[str, Closure] = {}
    by_value = []
    for parameter, argument in zip(closure.parameters, arguments, strict=True):
        bare = parameter.removeprefix("$")
        functions[f"{bare}/0"] = Closure((), argument, scope)
        if bare != parameter:
            by_value.append((parameter, argument))
    inner = closure.scope.inner(functions=functions)
    if not by_value:
        yield from evaluate(closure.body, inner, path, value)
        return
    for variables in _products(by_value, scope, value):
        bound = {f"{name[1:]}/0": Closure((), Node("variable", (name,)), inner) for name in variables}
        yield from evaluate(closure.body, inner.inner(functions=bound, variables=variables), path, value)


def _products(parameters: Sequence[tuple[str, Node]], scope: Scope, value: Any) -> Iterator[dict[str, Any]]:
    if not parameters:
        yield {}
        return
    *rest, (name, argument) = parameters
    for found in values(argument, scope, value):
        for others in _products(rest, scope, value):
            yield {**others, name: found}


def _native(name: str, arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    native = scope.run.natives[name]
    named = [(str(at), argument) for at, argument in enumerate(arguments)]
    for found in _products(named, scope, value):
        yield no_path(path), native(scope.run, value, [found[str(at)] for at in range(len(arguments))])


_EVALUATE: Mapping[str, Callable[[Node, Scope, Path, Any], Results]] = {
    "identity": _identity, "literal": _literal, "pipe": _pipe, "comma": _comma, "index": _index, "slice": _slice,
    "iterate": _iterate, "binary": _binary, "and": _and, "or": _or, "alternative": _alternative, "if": _if,
    "try": _try, "array": _array, "object": _object, "string": _string, "format": _format, "variable": _variable,
    "bind": _bind, "reduce": _reduce, "foreach": _foreach, "define": _define, "label": _label, "break": _break,
    "assign": _assign, "call": _call,
}  # fmt: skip
