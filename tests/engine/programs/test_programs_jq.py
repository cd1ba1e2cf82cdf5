"""jq: the language against the real jq of this machine, filter by filter; its options; and what runs away."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cluster_engine.shell.terminal import Terminal
from tests.engine.programs.comparing import assert_alike

FILTERS = [line for line in Path(__file__).with_name("jq_filters.txt").read_text().splitlines() if line]
INPUT = Path(__file__).with_name("jq_input.json").read_text()
FILES = {"in": INPUT, "two": '1 [2]\n{"a": "x"}\n', "bad": '{"a": 1}\n{"a":', "lines": "one\ntwo\n", "f.jq": ".a # why"}


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture
def jq(run):
    """Run lines on a host; give code, output and complaints of each."""

    def start(lines, text=INPUT):
        async def story(world):
            host = world.add_host("a", "10.0.0.1")
            host.files.write("/root/in", text.encode())
            terminal = Terminal(world, host, lambda work, _: world.loop.create_task(work))
            told = []
            for line in lines:
                out = {"stdout": [], "stderr": []}
                code = await terminal.run(line, lambda stream, piece, out=out: out[stream].append(piece))
                told.append((code, "".join(out["stdout"]), "".join(out["stderr"])))
            return told

        return run(story)

    return start


@pytest.mark.skipif(shutil.which("jq") is None, reason="no real jq here to compare with")
@pytest.mark.long
def test_every_filter_gives_what_the_real_one_gives(jq):
    found = jq([f"jq -c {quoted(one)} in" for one in FILTERS])
    for filter_, (code, out, err) in zip(FILTERS, found, strict=True):
        real = subprocess.run(["jq", "-c", filter_], input=INPUT, capture_output=True, text=True, check=False)
        assert (code, out) == (real.returncode, real.stdout), f"{filter_}: {err or real.stderr}"
        theirs = real.stderr.split("): ", 1)[-1] if "(at <" in real.stderr else real.stderr.split(" (Unix")[0]
        assert theirs.strip().split("\n")[0].partition(", expecting")[0] in err, filter_


@pytest.mark.parametrize(
    "line",
    [
        "jq . two", "jq -c .a? two", "jq -s length two", "jq -r .a? two", "jq -j .a? two", "jq -n '[inputs]' two",
        "jq -R . lines", "jq -Rs . lines", "jq -Rr ascii_upcase lines", "jq -S . in", "jq --tab . two",
        "jq --indent 4 . two", "jq --indent 9 . two", "jq -e .t in", "jq -e .nothing in", "jq -n -e empty",
        "jq -n --arg a x '$a'", "jq -n --argjson a '{\"b\":1}' '$a.b'", "jq -n --argjson a '{' .",
        "jq -n '$ARGS.positional' --args a b", "jq -n '$ARGS.named' --arg a x", "jq -n '[$ENV.A, env.A]'",
        "jq -f f.jq two", "jq -a -n '\"é\"'", "jq -nr '@sh \"\\(\"a b\")\"'", "jq -cn '{a:1,b:[1,2]}'",
        "jq . nothing", "jq --nonsense .", "jq -n foo", "jq -n '1 +'", "jq -n input", "cat two | jq -c",
        "jq -n --slurpfile f two '$f | length'", "jq -n --rawfile f lines '$f'", "jq -r '.data.password|@base64d' in",
        "jq -n 'error(\"x\")'", "jq -n '{a:1}|error'", "jq -n '\"x\"|halt_error'", "jq -n '1,(2|error),3'",
    ],
)  # fmt: skip
def test_its_options_are_the_real_ones(run, tmp_path, line):
    assert_alike(run, tmp_path, line, FILES, complaints=False)


RUNAWAYS = (
    "def f: f; f", "def f: 1 + f; f", "[range(1e12)]", "last(repeat(1))", "[limit(1e9; repeat(1))]",
    "def f: f, f; [f]", '"x" * 1e9', "[[range(1000)] | combinations(9)] | length", '"a" * 1000000 | . * 100000',
    "reduce range(1e9) as $i (\"\"; . + \"xxxxxxxxxxxxxxxx\")", "reduce range(100) as $i ([1]; . + .) | length",
    "[1] | until(false; . + .)", "null | .[1e9] = 1", "{} | recurse({a: .})", "0 | until(false; . + 1)",
    '"a" * 100000 | test("(a+)+$(b|c){1000}")', "(" * 3000, "[" * 3000 + "]" * 3000, "-" * 5000 + "1",
    '"' + "\\\\(1" * 100, ".a" * 20000, "..|..|..|..|..|..|..|..", "def f(x): x | f(x); 1 | f(.)",
)  # fmt: skip


@pytest.mark.parametrize("filter_", RUNAWAYS)
def test_what_runs_away_is_cut_off(jq, filter_):
    ((code, _, err),) = jq([f"jq -c {quoted(filter_)} in > /dev/null"], "[1,[2,{}],{}]")
    assert "bug of Glassplane" not in err
    assert code in (0, 2, 3, 5, 137), err


def test_a_deep_document_is_refused(jq):
    ((code, _, err),) = jq(["jq -c . in"], "[" * 100_000)
    assert (code, err) == (2, "parse error: Exceeds depth limit for parsing\n")
