"""Scripts of sed, awk and jq, right ones and spoiled ones, run over a few lines."""
# ruff: noqa: E501

import random

from tests.fuzz import making

SED = (
    "s/a\\(b*\\)/<\\1&>/gp;/x/,$!d",
    ":a;N;$!ba;s/\\n/,/g",
    "2{h;d};${G;p;q3}",
    "y/abc/xyz/;1~2{=;a text\n}",
    "0,/e/I s/.*/\\U&/2",
)
SED_PIECES = ("s/", "/g", "y/", "p", "d", ";", "{", "}", "$", "1", ",", "!", "~", "/re/", "\\(", "\\)", "\\1", "*", "[", "]", ":a",
              "ba", "ta", "N", "D", "G", "x", "a t", "i\\", "c\\\n", "\n", "&", "\\U", "I", "+2", "0")  # fmt: skip
AWK = (
    'BEGIN { FS = ":" } NR > 1 { c[$2] += $3 } END { for (k in c) printf "%-5s %d\\n", k, c[k] }',
    'function f(n, a) { return n < 2 ? n : f(n - 1) } /a/, /b/ { gsub(/[0-9]+/, "<&>"); $3 = f(3); print NF, $0 }',
    "{ n = split($0, p, /,/); while (n-- > 0) s = s substr(p[n + 1], 1, 2); if (s ~ /x$/) next; else print length(s) }",
)
AWK_PIECES = ("{", "}", "(", ")", "print ", "printf \"%d\"", "$", "NF", "[", "]", "/re/", "if (", "while (", "for (", "in ", "++",
              "--", "^", "?", ":", "~", "!", "&&", ";", "\n", ",", "=", "+=", "-", "1e999", "\"a\"", "next", "delete a", "split(",
              "sub(", "substr(", "sprintf(", "function g(x) ", "return ", "BEGIN ", "END ", "getline", ">")  # fmt: skip
JQ = (
    '.items[] | select(.n > 1) | {a: .n, "b": (.s // "x" | ascii_upcase)}',
    "reduce .items[] as {n: $n, s: $s} ({}; .[$s] += $n) | to_entries | map(.value) | add",
    'def f(g): [.[]? | g | tostring]; [.items[1:][] | f(. * 2)] | flatten | unique | join("-")',
    'try error({a: 1}) catch .a, (.items |= map(del(.n)?)), (.x.y[2] = 1), ([paths] | length), "\\(1 + 2)"',
)
JQ_PIECES = (".", "..", "[", "]", "{", "}", "(", ")", "|", ",", "//", "|=", "+", "-", "*", "/", "%", "and ", "or ", "not", "?", "as $x ",
             "$x", "if ", " then ", " else ", " end", "reduce ", "foreach ", "def f: ", ";", "f", "try ", " catch ", "label $l | ",
             "break $l", "\"\\(", "\"", "@csv", "@base64d", "1e999", "-1", "null", ":", ".a", "range(9)", "recurse", "env",
             "test(\"(a+)+\")", "splits(\"\")", "limit(3; ", "tojson", "fromjson", "implode", "ltrimstr(1)", "getpath([0])", "input",
             "walk(.)", "path(..)", "del(.[0])", "to_entries", "group_by(.)", "min_by(.a)", "indices(1)", "strptime(\"%Y\")",
             "mktime", "gmtime", "todate", "splits(\"a\"; \"g\")", "sub(\"a\"; \"b\")")  # fmt: skip
LINES = [b"a:b:3", b"abab,x", b"", b"1 2 3", "é€\U0001f600".encode(), b"\xff\xfe", b"x" * 300]
DOCUMENT = '{"items": [{"n": 1, "s": "a"}, {"n": 2.5, "s": null}, {"n": -3}], "x": {"y": [1, [2]]}, "t": true}'


def _make(rng: random.Random, samples: tuple[str, ...], pieces: tuple[str, ...]) -> str:
    if rng.random() < 0.4:
        return "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 25)))
    return making.spoiled_text(rng, rng.choice(samples), pieces)


def make_sed(rng: random.Random) -> str:
    return _make(rng, SED, SED_PIECES)


def take_sed(case: str) -> None:
    from cluster_engine.programs.invocation import MemoryExhaustedError
    from cluster_engine.programs.text.matching import Effort, SpentError
    from cluster_engine.programs.text.sed import Sed
    from cluster_engine.programs.text.sed_script import Parser, ScriptError

    for extended in (False, True):
        try:
            parser = Parser(Effort(), extended=extended)
            parser.read(case, "-e expression #1")
            Sed(parser.end(), quiet=False).run([(line, True) for line in LINES], more=False)
        except (ScriptError, SpentError, MemoryExhaustedError):
            continue


def make_awk(rng: random.Random) -> str:
    return _make(rng, AWK, AWK_PIECES)


def take_awk(case: str) -> None:
    from cluster_engine.programs.awk.evaluate import Awk, ExitError, NextError
    from cluster_engine.programs.awk.syntax import SyntaxFailure, parse
    from cluster_engine.programs.awk.values import AwkError
    from cluster_engine.programs.text.matching import SpentError

    try:
        program = parse(case)
        run = Awk(program, lambda *_: None, environment={}, rng=random.Random(1), now=0.0)
        run.begin()
        for line in LINES:
            run.record(line.decode("utf-8", "surrogateescape"))
        run.end()
    except (SyntaxFailure, AwkError, SpentError, ExitError, NextError, MemoryError, RecursionError):
        return


def make_jq(rng: random.Random) -> str:
    return _make(rng, JQ, JQ_PIECES)


def take_jq(case: str) -> None:
    from cluster_engine.programs.jq.checking import check
    from cluster_engine.programs.jq.evaluate import values
    from cluster_engine.programs.jq.natives import NATIVES
    from cluster_engine.programs.jq.reading import read_all
    from cluster_engine.programs.jq.scope import BreakError, Run, SpentError, scope_of
    from cluster_engine.programs.jq.special import SPECIAL
    from cluster_engine.programs.jq.syntax import SyntaxFailure, parse
    from cluster_engine.programs.jq.values import JqError, text

    run = Run(NATIVES, SPECIAL, {}, iter([]), lambda _: None)
    run.budget.steps = 50_000
    scope = scope_of(run, {})
    try:
        tree = parse(case)
        check(tree, scope)
        for found in values(tree, scope, next(read_all(DOCUMENT))):
            text(found)
    except (SyntaxFailure, JqError, SpentError, BreakError, MemoryError, RecursionError, SystemExit):
        return
