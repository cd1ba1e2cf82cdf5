"""Flags as pflag reads them: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-Aw`, `--` ends them.

    parse(["pods", "-n", "shop", "-A"], FLAGS, "kubectl get")
    Parsed(arguments=["pods"], values={"namespace": "shop", "all-namespaces": True})

Errors are pflag's and cobra's, word for word.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from cluster_engine.api.durations import go_seconds
from cluster_engine.api.strconv import parse_int
from cluster_engine.programs.kubectl.errors import UsageError

Kind = Literal["string", "bool", "int", "strings", "pairs", "duration"]


class Flag(msgspec.Struct, frozen=True):
    """One flag. `without_value` is what it means when it stands alone (bools: True)."""

    name: str
    short: str = ""
    kind: Kind = "string"
    default: Any = None
    without_value: Any = None


class Parsed(msgspec.Struct):
    """A command line, read. `before_dashes` counts the arguments before `--`, or is None without one."""

    arguments: list[str] = msgspec.field(default_factory=list)
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    given: dict[str, None] = msgspec.field(default_factory=dict)
    before_dashes: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        """Return whether the flag stands on the command line."""
        return name in self.given


def parse(words: Sequence[str], flags: Sequence[Flag], command: str) -> Parsed:
    """Read a command line; UsageError in pflag's words."""
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    parsed = Parsed(values={flag.name: _default(flag) for flag in flags})
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            parsed.before_dashes = len(parsed.arguments)
            parsed.arguments += rest
            break
        if word.startswith("--"):
            _long(word, rest, by_name, parsed, command)
        elif word.startswith("-") and word != "-":
            _short(word, rest, by_short, parsed, command)
        else:
            parsed.arguments.append(word)
    return parsed


def _default(flag: Flag) -> Any:
    if flag.kind == "strings":
        return []
    if flag.kind == "pairs":
        return {}
    return False if flag.kind == "bool" and flag.default is None else flag.default


def _long(word: str, rest: list[str], by_name: Mapping[str, Flag], parsed: Parsed, command: str) -> None:
    name, equals, value = word[2:].partition("=")
    flag = by_name.get(name)
    if flag is None:
        raise _error(f"unknown flag: --{name}", command)
    if not equals:
        alone = True if flag.kind == "bool" else flag.without_value
        if alone is not None:
            _put(flag, alone, parsed)
            return
        if not rest:
            raise _error(f"flag needs an argument: --{name}", command)
        value = rest.pop(0)
    _put(flag, _convert(flag, value, command), parsed)


def _short(word: str, rest: list[str], by_short: Mapping[str, Flag], parsed: Parsed, command: str) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = by_short.get(letter)
        if flag is None:
            raise _error(f"unknown shorthand flag: '{letter}' in {word}", command)
        if letters.startswith("="):
            value, letters = letters[1:], ""
        elif flag.kind == "bool":
            _put(flag, True, parsed)
            continue
        elif letters:
            value, letters = letters, ""
        elif rest:
            value = rest.pop(0)
        else:
            raise _error(f"flag needs an argument: '{letter}' in {word}", command)
        _put(flag, _convert(flag, value, command), parsed)


def _put(flag: Flag, value: Any, parsed: Parsed) -> None:
    parsed.given[flag.name] = None
    if flag.kind == "strings":
        parsed.values[flag.name].append(value)
    elif flag.kind == "pairs":
        parsed.values[flag.name].update(value)
    else:
        parsed.values[flag.name] = value


def _convert(flag: Flag, value: str, command: str) -> Any:
    if flag.kind == "bool":
        if value.lower() in ("true", "t", "1"):
            return True
        if value.lower() in ("false", "f", "0"):
            return False
        raise _invalid(flag, value, f'strconv.ParseBool: parsing "{value}": invalid syntax', command)
    if flag.kind == "int":
        try:
            return parse_int(value)
        except ValueError as problem:
            raise _invalid(flag, value, str(problem), command) from None
    if flag.kind == "pairs":
        pairs = value.split(",") if value.count("=") > 1 else [value]
        if wrong := next((pair for pair in pairs if "=" not in pair), None):
            raise _invalid(flag, value, f"{wrong} must be formatted as key=value", command)
        return dict(pair.split("=", 1) for pair in pairs if pair)
    if flag.kind == "duration":
        try:
            return go_seconds(value)
        except ValueError as problem:
            raise _invalid(flag, value, str(problem), command) from None
    return value


def _invalid(flag: Flag, value: str, why: str, command: str) -> UsageError:
    name = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    return _error(f'invalid argument "{value}" for "{name}" flag: {why}', command)


def _error(message: str, command: str) -> UsageError:
    return UsageError(f"{message}\nSee '{command} --help' for usage.")
