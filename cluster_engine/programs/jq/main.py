r"""jq: a filter for JSON.

    kubectl get pods -o json | jq -r '.items[] | [.metadata.name, .status.phase] | @tsv'

The language is interpreted here (`evaluate`), not by the C library: that cannot be bounded, holds the interpreter
while it runs, and reads the files and the environment of the server's own machine. Modelled on jq 1.6. Left out:
modules, --stream, --seq, colours, `getpath/1` in `$__prog_args`, SQL-like operators but IN and INDEX.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.jq.checking import check
from cluster_engine.programs.jq.evaluate import is_true, values
from cluster_engine.programs.jq.natives import NATIVES
from cluster_engine.programs.jq.reading import Unreadable, read_all
from cluster_engine.programs.jq.scope import BreakError, Run, SpentError, scope_of
from cluster_engine.programs.jq.special import SPECIAL
from cluster_engine.programs.jq.syntax import SyntaxFailure, parse
from cluster_engine.programs.jq.values import JqError, text

USAGE = """Usage:\tjq [OPTIONS] FILTER [FILES...]
\tjq [OPTIONS] --args FILTER [ARGUMENTS...]
\tjq [OPTIONS] --jsonargs FILTER [JSON_VALUES...]

jq is a tool for processing JSON inputs, applying the given filter to
its JSON text inputs and producing the filter's results as JSON on
standard output.

Some of the options include:
  -c               compact instead of pretty-printed output;
  -n               use `null` as the single input value;
  -e               set the exit status code based on the output;
  -s               read (slurp) all inputs into an array; apply filter to it;
  -r               output raw strings, not JSON texts;
  -R               read raw strings, not JSON texts;
  -S               sort keys of objects on output;
  -j               like -r, without a newline after each output;
  -a               ASCII only;
  --tab            use tabs for indentation; --indent N
  --arg a v        set variable $a to value <v>;
  --argjson a v    set variable $a to JSON value <v>;
  --slurpfile a f  set variable $a to an array of JSON texts read from <f>;
  --rawfile a f    set variable $a to a string consisting of the contents of <f>;
  -f FILE          read the filter from a file
"""
BAD_USAGE, BAD_INPUT, BAD_FILTER, FAILED = 2, 2, 3, 5
_LONG = {"--compact-output": "c", "--null-input": "n", "--exit-status": "e", "--slurp": "s", "--raw-output": "r",
         "--raw-input": "R", "--sort-keys": "S", "--join-output": "j", "--ascii-output": "a", "--color-output": "C",
         "--monochrome-output": "M", "--tab": "T", "--from-file": "f", "--unbuffered": "", "--help": "h"}  # fmt: skip


class Refusal(Exception):  # noqa: N818
    """A command line that cannot be used; the text is the whole message."""

    def __init__(self, message: str, code: int = BAD_USAGE) -> None:
        super().__init__(message)
        self.code = code


class Options(msgspec.Struct):
    """A command line, read."""

    flags: set[str] = msgspec.field(default_factory=set)
    filter: str | None = None
    files: list[str] = msgspec.field(default_factory=list)
    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    named: dict[str, Any] = msgspec.field(default_factory=dict)
    positional: list[Any] = msgspec.field(default_factory=list)
    indent: int = 2


async def jq(invocation: Invocation) -> int:
    """Run jq."""
    try:
        options = _read(invocation)
        if "h" in options.flags:
            invocation.out(USAGE)
            return 0
        return await _run(invocation, options, "." if options.filter is None else options.filter)
    except Refusal as refusal:
        invocation.err(f"{refusal}\n")
        return refusal.code


async def _run(invocation: Invocation, options: Options, filter_: str) -> int:
    pending: list[Any] = []

    def rest() -> Iterator[Any]:
        while pending:
            yield pending.pop(0)

    run = Run(NATIVES, SPECIAL, invocation.environment, rest(), invocation.err, invocation.process.now().timestamp())
    scope = scope_of(run, {**options.variables, "$__prog_args": options.positional,
                           "$ARGS": {"positional": options.positional, "named": options.named}})  # fmt: skip
    try:
        tree = parse(filter_)
        check(tree, scope)
    except (SyntaxFailure, RecursionError) as failure:
        why = str(failure) if isinstance(failure, SyntaxFailure) else "the filter is nested too deeply"
        shown = f"\n{filter_}" if "is not defined" in why else ""
        raise Refusal(f"jq: error: {why}{shown}\njq: 1 compile error", BAD_FILTER) from None
    inputs, trouble, code = await _inputs(invocation, options)
    if "s" in options.flags and "R" not in options.flags:
        inputs = [inputs] if not trouble else []
    pending += [] if "n" in options.flags else inputs
    queue = [None] if "n" in options.flags else pending
    if "n" in options.flags:
        pending += inputs
    last: Any = _NOTHING
    while queue:
        value, code = queue.pop(0), 0 if trouble == "" and code == FAILED else code
        try:
            for found in values(tree, scope, value):
                last = found
                invocation.out(_shown(found, options).encode("utf-8", "surrogatepass"))
                await invocation.drain()
        except JqError as error:
            invocation.err(_error(error, read=bool(inputs)))
            code = FAILED
        except BreakError:
            invocation.err("jq: error (at <unknown>): break\n")
            code = FAILED
        except (SpentError, RecursionError) as spent:
            why = str(spent) if isinstance(spent, SpentError) else "the value is nested too deeply"
            raise Refusal(f"jq: error: {why}", FAILED) from None
        await invocation.drain()
    if trouble:
        raise Refusal(f"parse error: {trouble}", BAD_INPUT)
    if "e" in options.flags and code == 0:
        return 4 if last is _NOTHING else 0 if is_true(last) else 1
    return code


_NOTHING = object()


def _error(error: JqError, *, read: bool) -> str:
    where = "<stdin>:1" if read else "<unknown>"
    if isinstance(error.value, str):
        return f"jq: error (at {where}): {error.value}\n"
    return f"jq: error (at {where}) (not a string): {text(error.value)}\n"


def _shown(value: Any, options: Options) -> str:
    flags = options.flags
    end = "" if "j" in flags else "\n"
    if isinstance(value, str) and flags & {"r", "j"}:
        return value + end
    indent: int | str | None = None if "c" in flags or options.indent == 0 else "\t" if "T" in flags else options.indent
    return text(value, indent=indent, sort="S" in flags, ascii_only="a" in flags) + end


async def _inputs(invocation: Invocation, options: Options) -> tuple[list[Any], str, int]:
    """Read what is to be filtered; give the values, what is wrong behind them, and the exit code so far."""
    texts, code = [], 0
    for path in options.files or ["-"]:
        if "n" in options.flags and not options.files and path == "-" and "input" not in (options.filter or ""):
            continue
        try:
            texts.append((await invocation.all(path)).decode("utf-8", "replace"))
        except OSError as error:
            invocation.err(f"jq: error: Could not open file {path}: {error.strerror}\n")
            code = BAD_INPUT
    whole = "".join(texts)
    if "R" in options.flags:
        if "s" in options.flags:
            return [whole], "", code
        return whole.removesuffix("\n").split("\n") if whole else [], "", code
    found: list[Any] = []
    try:
        found.extend(read_all(whole))
    except Unreadable as problem:
        readable = list(_until_trouble(whole))
        return readable, str(problem), code
    return found, "", code


def _until_trouble(whole: str) -> Iterator[Any]:
    try:
        yield from read_all(whole)
    except Unreadable:
        return


# -- the command line --------------------------------------------------------------------------------------------------


def _read(invocation: Invocation) -> Options:
    options, words = Options(), list(invocation.argv[1:])
    rest_is = ""
    while words:
        word = words.pop(0)
        if word == "--":
            for one in words:
                _operand(options, one, rest_is)
            break
        if word in ("--args", "--jsonargs"):
            rest_is = word
        elif word in ("--arg", "--argjson", "--slurpfile", "--rawfile", "--argfile"):
            if len(words) < 2:
                raise Refusal(f"jq: {word} takes two parameters (e.g. {word} name value)\n{_HINT}")
            _variable(invocation, options, word, words.pop(0), words.pop(0))
        elif word == "--indent":
            given = words.pop(0) if words else ""
            if not (given.isascii() and given.isdigit() and int(given[:3]) < 8):
                raise Refusal("jq: Cannot indent more than 7 characters" if given.isdigit() else
                              "jq: --indent takes one parameter")  # fmt: skip
            options.indent = int(given)
        elif word in _LONG:
            options.flags.add(_LONG[word])
        elif word.startswith("-") and len(word) > 1 and not word.startswith("--"):
            if set(word[1:]) - set("cnesrRSjaCMfh"):
                raise Refusal(f"jq: Unknown option {word}\n{_HINT}")
            options.flags |= set(word[1:])
        elif word.startswith("--"):
            raise Refusal(f"jq: Unknown option {word}\n{_HINT}")
        else:
            _operand(options, word, rest_is)
    if "f" in options.flags and options.filter is not None:
        path = options.filter
        try:
            options.filter = invocation.files.read(invocation.absolute(path)).decode("utf-8", "replace")
        except OSError as error:
            raise Refusal(f"jq: error: Could not open {path}: {error.strerror}") from None
    return options


_HINT = """Use jq --help for help with command-line options,
or see the jq manpage, or online docs  at https://stedolan.github.io/jq"""


def _operand(options: Options, word: str, rest_is: str) -> None:
    if options.filter is None:
        options.filter = word
    elif rest_is == "--jsonargs":
        options.positional.append(_json(word, "--jsonargs"))
    elif rest_is:
        options.positional.append(word)
    else:
        options.files.append(word)


def _json(word: str, option: str) -> Any:
    try:
        (found,) = read_all(word)
    except (Unreadable, ValueError):
        raise Refusal(f"jq: Invalid JSON text passed to {option}\n{_HINT}") from None
    return found


def _variable(invocation: Invocation, options: Options, option: str, name: str, value: str) -> None:
    found: Any = value
    if option == "--argjson":
        found = _json(value, "--argjson")
    elif option != "--arg":
        try:
            data = invocation.files.read(invocation.absolute(value)).decode("utf-8", "replace")
            found = data if option == "--rawfile" else list(read_all(data))
        except (OSError, Unreadable) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Refusal(f"jq: Bad JSON in --{option[2:]} {name} {value}: Could not open {value}: {why}") from None
    options.variables.setdefault(f"${name}", found)
    options.named.setdefault(name, found)
