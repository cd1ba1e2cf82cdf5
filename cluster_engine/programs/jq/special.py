"""jq's functions of filters, which decide what of their parameters is evaluated, and on which paths.

first(.[])        only the first is asked for        path(.a[])        the paths, not the values
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cluster_engine.programs.jq.evaluate import checked, evaluate, no_path, values
from cluster_engine.programs.jq.scope import Path, Results, Scope, Special
from cluster_engine.programs.jq.syntax import Node
from cluster_engine.programs.jq.values import JqError, get_path, kind, text


def _empty(_: Sequence[Node], __: Scope, ___: Path, ____: Any) -> Results:
    return iter(())


def _path_of(arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    for found, _ in evaluate(arguments[0], scope, (), value):
        yield no_path(path), list(checked(found, None) or ())


def _getpath(arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    for where in values(arguments[0], scope, value):
        if not isinstance(where, list):
            raise JqError("Path must be specified as an array")
        try:
            found = get_path(value, where)
        except JqError:
            found = None
        yield (None if path is None else (*(checked(path, value) or ()), *where)), found


def _first(arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    for found in evaluate(arguments[0], scope, path, value):
        yield found
        return


def _limit(arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    for count in values(arguments[0], scope, value):
        left = count if kind(count) == "number" else 0
        if left <= 0:
            continue
        for found in evaluate(arguments[1], scope, path, value):
            yield found
            left -= 1
            if left <= 0:
                break


def _range(arguments: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    for begin in values(arguments[0], scope, value):
        for end in values(arguments[1], scope, value):
            if kind(begin) != "number" or kind(end) != "number":
                raise JqError("Range bounds must be numeric")
            at = begin
            while at < end:
                scope.run.budget.step()
                yield no_path(path), at
                at += 1


def _error(arguments: Sequence[Node], scope: Scope, _: Path, value: Any) -> Results:
    for found in values(arguments[0], scope, value):
        raise JqError(found)
    return
    yield


def _raise(_: Sequence[Node], __: Scope, ___: Path, value: Any) -> Results:
    raise JqError(value)
    yield


def _input(_: Sequence[Node], scope: Scope, path: Path, __: Any) -> Results:
    for found in scope.run.inputs:
        yield no_path(path), found
        return
    raise JqError("No more inputs")


def _inputs(_: Sequence[Node], scope: Scope, path: Path, __: Any) -> Results:
    for found in scope.run.inputs:
        yield no_path(path), found


def _debug(_: Sequence[Node], scope: Scope, path: Path, value: Any) -> Results:
    scope.run.say(f'["DEBUG:",{text(value)}]\n')
    yield path, value


SPECIAL: Mapping[str, Special] = {
    "empty/0": _empty, "path/1": _path_of, "getpath/1": _getpath, "first/1": _first, "limit/2": _limit,
    "range/2": _range, "error/1": _error, "error/0": _raise, "input/0": _input, "inputs/0": _inputs,
    "debug/0": _debug, "stderr/0": _debug,
}  # fmt: skip
