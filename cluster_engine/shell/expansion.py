"""From the words of a script to the words of a command: variables, `$(…)`, `$((…))`, splitting, patterns.

    A='b c'; echo $A "$A" ~/*.yaml      the words: b   c   b c   /root/config.yaml …

    set -- a 'b c'; echo $# "$@"        2   a   b c
    A=web.tar.gz; echo ${A%%.*}         web

Modelled on POSIX.1-2017, 2.6: parts are expanded from left to right; what came of an unquoted expansion is split at
blanks; what then has an unquoted `*`, `?` or `[` is replaced by the paths that it matches, if there are any. Left out:
IFS (blanks, tabs and newlines split), `~name`. Every word and every list of words is bounded by the budget's memory.
"""

from collections.abc import Sequence
from typing import Protocol

from cluster_engine.shell import arithmetic, globs, patterns
from cluster_engine.shell.budget import THING_BYTES, Budget
from cluster_engine.shell.syntax_tree import Arithmetic, Literal, Part, Script, Substitution, Variable, Word

_BLANKS = str.maketrans("\t\n", "  ")


class ExpansionFailure(Exception):  # noqa: N818
    """A word that cannot be expanded; the text follows "sh: ". Where it `ends`, it ends the shell, if nobody types."""

    def __init__(self, text: str, *, ends: bool = False) -> None:
        super().__init__(text)
        self.ends = ends


class Scope(Protocol):
    """What words are expanded in."""

    budget: Budget

    @property
    def parameters(self) -> Sequence[str]:
        """The positional parameters."""
        ...

    def missing(self, name: str) -> None:
        """Called for a variable that is not set. ExpansionFailure where that is an error."""
        ...

    def value(self, name: str) -> str | None:
        """Return a variable's or a special parameter's value; None where it is not set."""
        ...

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""
        ...

    async def output(self, script: Script) -> str:
        """Run a script and return what it writes, without the newlines at the end."""
        ...

    def paths(self, pieces: Sequence[globs.Piece]) -> list[str]:
        """Return the paths that a pattern matches."""
        ...


async def fields(words: Sequence[Word], scope: Scope) -> list[str]:
    """Expand words to as many as come of them. ExpansionFailure; OutOfMemoryError."""
    found: list[str] = []
    size = 0
    for word in words:
        if (plain := word.plain) is not None and globs.SPECIAL.isdisjoint(plain) and not plain.startswith("~"):
            new = [plain]
        else:
            expansion = _Expansion(scope)
            await expansion.word(word)
            new = expansion.finished()
        found += new
        size += sum(map(len, new)) + len(new)
        scope.budget.check_memory(size)
    return found


async def text(word: Word, scope: Scope) -> str:
    """Expand a word to one text: no splitting, no paths. ExpansionFailure; OutOfMemoryError."""
    return "".join(piece for piece, _ in await pieces(word, scope))


async def pieces(word: Word, scope: Scope) -> list[globs.Piece]:
    """Expand a word to one pattern, of pieces that were quoted or not. See `text`."""
    expansion = _Expansion(scope, splits=False)
    await expansion.word(word)
    return [piece for field in expansion.fields for piece in field]


class _Expansion:
    """The fields that have come of one word so far, each of pieces that were quoted or not."""

    def __init__(self, scope: Scope, *, splits: bool = True) -> None:
        self._scope, self._splits = scope, splits
        self.fields: list[list[globs.Piece]] = []
        self._goes_on = False
        """Whether what comes next belongs to the last field."""
        self._size = 0

    async def word(self, word: Word) -> None:
        """Expand a word's parts."""
        parts = word.parts
        if parts and isinstance(first := parts[0], Literal) and not first.quoted and first.text.startswith("~"):
            name, slash, rest = first.text.partition("/")
            if name == "~" and (slash or len(parts) == 1):
                self._add(self._scope.value("HOME") or "", quoted=True)
                parts = (Literal(slash + rest), *parts[1:])
        for part in parts:
            await self._part(part)

    async def _part(self, part: Part) -> None:
        match part:
            case Literal():
                self._add(part.text, quoted=part.quoted)
            case Variable():
                await self._variable(part)
            case Substitution():
                self._value(await self._scope.output(part.script), quoted=part.quoted)
            case Arithmetic():
                expression = await text(part.expression, self._scope)
                try:
                    self._value(str(arithmetic.evaluate(expression, self._scope.value)), quoted=part.quoted)
                except arithmetic.ArithmeticFailure as problem:
                    raise ExpansionFailure(f"{expression.strip()}: {problem}") from problem

    async def _variable(self, part: Variable) -> None:
        if part.name in ("@", "*") and not part.operator:
            self._parameters(part)
            return
        value = self._scope.value(part.name)
        if value is None and part.operator[-1:] not in ("-", "+", "=", "?"):
            self._scope.missing(part.name)
        if part.operator == "#" and part.argument is None:
            length = len(self._scope.parameters) if part.name in ("@", "*") else len(value or "")
            self._value(str(length), quoted=part.quoted)
            return
        is_missing = value is None or (part.operator.startswith(":") and not value)
        argument = part.argument or Word()
        match part.operator[-1:]:
            case "+" if not is_missing:
                await self._argument(argument, quoted=part.quoted)
            case "+":
                self._value("", quoted=part.quoted)
            case "-" if is_missing:
                await self._argument(argument, quoted=part.quoted)
            case "=" if is_missing:
                self._scope.assign(part.name, value := await text(argument, self._scope))
                self._value(value, quoted=part.quoted)
            case "?" if is_missing:
                why = await text(argument, self._scope)
                raise ExpansionFailure(f"{part.name}: {why or 'parameter null or not set'}", ends=True)
            case "%" | "#":
                pattern = await pieces(argument, self._scope)
                is_long = len(part.operator) > 1
                remove = patterns.without_end if part.operator[0] == "%" else patterns.without_begin
                self._value(remove(pattern, value or "", self._scope.budget, is_long=is_long), quoted=part.quoted)
            case _:
                self._value(value or "", quoted=part.quoted)

    def _parameters(self, part: Variable) -> None:
        """Add `$@` or `$*`: each positional parameter a field of its own, but for `"$*"` and where nothing is split."""
        parameters = self._scope.parameters
        if not self._splits or (part.quoted and part.name == "*"):
            self._add(" ".join(parameters), quoted=part.quoted)
            return
        for number, parameter in enumerate(parameters):
            if number:
                self._goes_on = False
            self._value(parameter, quoted=part.quoted)

    async def _argument(self, word: Word, *, quoted: bool) -> None:
        """Expand the word of `${name:-word}` in the place of the value."""
        if quoted:
            self._add(await text(word, self._scope), quoted=True)
        else:
            for part in word.parts:
                if isinstance(part, Literal) and not part.quoted:
                    self._value(part.text, quoted=False)
                else:
                    await self._part(part)

    def _value(self, value: str, *, quoted: bool) -> None:
        """Add what came of an expansion: split where it is not quoted."""
        if quoted or not self._splits:
            self._add(value, quoted=quoted)
            return
        flat = value.translate(_BLANKS)
        words = [word for word in flat.split(" ") if word]
        if flat.startswith(" "):
            self._goes_on = False
        for number, word in enumerate(words):
            if number:
                self._goes_on = False
            self._add(word, quoted=False)
        if flat.endswith(" "):
            self._goes_on = False

    def _add(self, piece: str, *, quoted: bool) -> None:
        if not piece and not quoted:
            return
        self._size += len(piece) + 1
        self._scope.budget.check_memory(self._size)
        self._scope.budget.work(len(piece) + (0 if self._goes_on else THING_BYTES))
        if not self._goes_on:
            self.fields.append([])
        self.fields[-1].append((piece, quoted))
        self._goes_on = True

    def finished(self) -> list[str]:
        """Return the fields, with paths in the place of patterns."""
        found: list[str] = []
        for field in self.fields:
            paths = self._scope.paths(field) if globs.is_pattern(field) else []
            found += paths or ["".join(piece for piece, _ in field)]
        return found
