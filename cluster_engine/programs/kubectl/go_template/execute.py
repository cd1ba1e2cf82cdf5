"""Filling a template in: walking its nodes over data.

A walk has the dot, the variables in scope and the node it is at, which errors name as Go does:

    template: output:1:7: executing "output" at <.a.b>: can't evaluate field b in type interface {}

A value that is not there is printed as `<no value>`, unless missing keys are errors. Every step counts, and what is
printed is measured, so that a range in a range ends.

Modelled on text/template/exec.go.
"""

from collections.abc import Iterator
from typing import Any

from cluster_engine.programs.kubectl.go_template import tree
from cluster_engine.programs.kubectl.go_template.formats import CHARACTERS_MAX, TooLongError, plain, type_name
from cluster_engine.programs.kubectl.go_template.functions import FUNCTIONS, CallError, Function, is_true
from cluster_engine.programs.kubectl.go_template.lexer import TemplateError

STEPS_MAX = 100_000
LOOKED_AT_FOR_ONE = 16
"""How many characters a function may be given or make for one that is printed: what is thrown away is work too."""
TOO_LARGE = "the result of this template is too large"


class _Leave(Exception):  # noqa: N818
    """A break or continue on its way to its range."""


def run(template: tree.Template, data: Any, *, missing_is_error: bool = False) -> Iterator[str]:
    """Yield what a template prints of data, piece by piece. TemplateError."""
    walk = _Walk(template, data, missing_is_error=missing_is_error)
    return walk.steps(template.steps, data)


class _Walk:
    def __init__(self, template: tree.Template, data: Any, *, missing_is_error: bool) -> None:
        self._text = template.text
        self._missing_is_error = missing_is_error
        self._variables: list[tuple[str, Any]] = [("$", data)]
        self._at: tree.Node = tree.Text(0, "")
        self._left, self._characters = STEPS_MAX, CHARACTERS_MAX

    # -- steps ---------------------------------------------------------------------------------------------------------

    def steps(self, steps: list[tree.Step], dot: Any) -> Iterator[str]:
        for step in steps:
            self._count()
            if isinstance(step, tree.Text):
                yield self._measured(step.shown)
            elif isinstance(step, tree.Action):
                value = self._pipe(step.pipe, dot)
                if not step.pipe.names:
                    yield self._measured("<no value>" if value is None else plain(value))
            elif isinstance(step, tree.Leave):
                raise _Leave(step.shown)
            else:
                yield from self._block(step, dot)

    def _block(self, block: tree.Block, dot: Any) -> Iterator[str]:
        known = len(self._variables)
        if block.word == "range":
            yield from self._range(block, dot, known)
        else:
            value = self._pipe(block.pipe, dot)
            inner = value if block.word == "with" and is_true(value) else dot
            yield from self.steps(block.body if is_true(value) else block.other, inner)
        del self._variables[known:]

    def _range(self, block: tree.Block, dot: Any, known: int) -> Iterator[str]:
        value = self._pipe(block.pipe, dot)
        pairs: list[tuple[Any, Any]]
        if isinstance(value, dict):
            pairs = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, list):
            pairs = [(tree.Literal(at), one) for at, one in enumerate(value)]
        elif value is None:
            pairs = []
        else:
            raise self._wrong(f"range can't iterate over {plain(value)}")
        if not pairs:
            yield from self.steps(block.other, dot)
        self._count(len(pairs))
        for key, one in pairs:
            del self._variables[known:]
            names = block.pipe.names
            taken = [one] if len(names) == 1 else [key, one]
            for name, given in zip(names, taken, strict=False):
                self._set(name, given, assigns=block.pipe.assigns)
            try:
                yield from self.steps(block.body, one)
            except _Leave as leave:
                if str(leave) == "break":
                    break

    # -- values --------------------------------------------------------------------------------------------------------

    def _pipe(self, pipe: tree.Pipe, dot: Any) -> Any:
        self._at = pipe
        value: Any = None
        for number, command in enumerate(pipe.commands):
            value = self._command(command, dot, [value] if number else [])
        if len(pipe.names) == 1:
            self._set(pipe.names[0], value, assigns=pipe.assigns)
        return value

    def _command(self, command: tree.Command, dot: Any, final: list[Any]) -> Any:
        self._count()
        first = command.words[0]
        given = len(command.words) > 1 or bool(final)
        if isinstance(first, tree.Name):
            return self._call(command, first, dot, final)
        if isinstance(first, tree.Path):
            if given and not first.fields:
                raise self._no_function(first)
            return self._path(first, dot, is_called=given)
        if given:
            raise self._no_function(first)
        if isinstance(first, tree.Constant) and first.value is None:
            self._at = first
            raise self._wrong("nil is not a command")
        return self._operand(first, dot)

    def _operand(self, word: tree.Operand, dot: Any) -> Any:
        self._at = word
        if isinstance(word, tree.Constant):
            return word.value
        if isinstance(word, tree.Pipe):
            return self._pipe(word, dot)
        if isinstance(word, tree.Name):
            return self._call(tree.Command(word.at, word.shown, (word,)), word, dot, [])
        return self._path(word, dot)

    def _path(self, path: tree.Path, dot: Any, *, is_called: bool = False) -> Any:
        self._at = path
        value = dot
        if isinstance(path.start, tree.Pipe):
            value = self._pipe(path.start, dot)
            self._at = path
        elif path.start:
            value = next(known for name, known in reversed(self._variables) if name == path.start)
        is_missing = False
        for number, name in enumerate(path.fields):
            if is_missing:
                return None
            value, is_missing = self._field(value, name, is_called=is_called and number == len(path.fields) - 1)
        return value

    def _field(self, value: Any, name: str, *, is_called: bool) -> tuple[Any, bool]:
        """Return a field, and whether it is not there, which is more than being nil."""
        if isinstance(value, dict):
            if is_called:
                raise self._wrong(f"{name} is not a method but has arguments")
            if name not in value and self._missing_is_error:
                raise self._wrong(f'map has no entry for key "{name}"')
            return value.get(name), name not in value
        if value is None:
            raise self._wrong(f"nil pointer evaluating interface {{}}.{name}")
        raise self._wrong(f"can't evaluate field {name} in type interface {{}}")

    def _call(self, command: tree.Command, name: tree.Name, dot: Any, final: list[Any]) -> Any:
        self._at = name
        function, words = FUNCTIONS[name.name], command.words[1:]
        count = len(words) + len(final)
        if count < function.least or (function.most is not None and count > function.most):
            least = "at least " if function.most is None else ""
            raise self._wrong(f"wrong number of args for {name.name}: want {least}{function.least} got {count}")
        values: list[Any] = []
        for word in words:
            values.append(self._argument(function, word, dot, is_first=not values))
            if name.name in ("and", "or") and is_true(values[-1]) is (name.name == "or"):
                return values[-1]
        values += final
        self._at = command
        try:
            result = function.call(*values)
        except CallError as error:
            raise self._wrong(f"error calling {name.name}: {error}") from error
        except TooLongError as error:
            raise TemplateError(TOO_LARGE) from error
        texts = [len(value) for value in (*values, result) if isinstance(value, str)]
        self._characters -= sum(texts) // LOOKED_AT_FOR_ONE
        self._measured("")
        return tree.Literal(result) if type(result) is int and name.name == "len" else result

    def _argument(self, function: Function, word: tree.Operand, dot: Any, *, is_first: bool) -> Any:
        value = self._operand(word, dot)
        if function.texts and is_first and not isinstance(value, str):
            if isinstance(word, tree.Constant):
                raise self._wrong(f"expected string; found {word.shown}")
            what = "invalid value" if value is None else "wrong type for value"
            got = "" if value is None else f"; got {type_name(value)}"
            raise self._wrong(f"{what}; expected string{got}")
        return value

    # -- inside --------------------------------------------------------------------------------------------------------

    def _set(self, name: str, value: Any, *, assigns: bool) -> None:
        if not assigns:
            self._variables.append((name, value))
            return
        at = max(at for at, (known, _) in enumerate(self._variables) if known == name)
        self._variables[at] = (name, value)

    def _count(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise TemplateError(TOO_LARGE)

    def _measured(self, text: str) -> str:
        self._characters -= len(text)
        if self._characters < 0:
            raise TemplateError(TOO_LARGE)
        return text

    def _no_function(self, node: tree.Node) -> TemplateError:
        self._at = node
        return self._wrong(f"can't give argument to non-function {node.shown}")

    def _wrong(self, why: str) -> TemplateError:
        """Say what cannot be done, where the walk is."""
        before = self._text[: self._at.at]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode("utf-8", "replace"))
        shown = self._at.shown.replace("\n", "")
        return TemplateError(f'template: output:{line}:{column}: executing "output" at <{shown}>: {why}')
