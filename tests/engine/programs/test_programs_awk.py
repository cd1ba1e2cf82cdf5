"""awk against the real one of this machine (mawk); and what runs away."""

import shutil
from pathlib import Path

import pytest

from tests.engine.programs.comparing import assert_alike, ours

FILES = {
    "pods": "NAME    READY   STATUS\nweb-1   1/1     Running\nweb-2   0/1     Pending\nweb-3   0/1     Running\n",
    "csv": "a:b:c\n1:2:3\n\n10:20:30",
    "nums": "3\n10\n2\nx\n-1.5\n1e2\n",
    "prog": "BEGIN { n = 0 }\n# comment\n/web/ {\n  n++\n}\nEND { print n }\n",
    "paras": "a b\nc\n\nd\n\n\ne f\n",
}
PROGRAMS = [line.partition("\t") for line in Path(__file__).with_name("awk_programs.txt").read_text().splitlines()]
OTHERS = [
    "awk -F : '{print $2}' csv",
    "awk -F: -v x=5 '{print x+$1}' csv",
    "awk -F '[:1]' '{print $2}' csv",
    "awk -f prog pods",
    "awk '{print FILENAME, FNR, NR}' csv nums",
    "awk '{print x}' x=1 csv",
    "awk -F '\\t' '{print $1}' pods",
    "awk",
    "awk -z",
    "awk 1 nothing",
    "awk -v 'x=a\\tb' 'BEGIN{print x}'",
    "awk 'BEGIN{print ARGC, ARGV[1]}' a b",
    "echo 'a b' | awk '{print $2}'",
    "awk -F '' '{print $1}' csv",
    "awk -F '|' '{print $1}' csv",
    "awk '{print $1}' < pods",
    'awk \'BEGIN{print ENVIRON["HOME"] != ""}\'',
]


@pytest.mark.skipif(shutil.which("mawk") is None, reason="no mawk here to compare with")
def test_programs_do_what_they_do_in_the_real_one(run, tmp_path):
    for file, _, program in PROGRAMS:
        quoted = program.replace("'", "'\\''")
        source = "< /dev/null" if file == "-" else file
        assert_alike(run, tmp_path, f"awk '{quoted}' {source}", FILES, complaints=False)


@pytest.mark.skipif(shutil.which("mawk") is None, reason="no mawk here to compare with")
@pytest.mark.parametrize("line", OTHERS)
def test_its_options_are_the_real_ones(run, tmp_path, line):
    assert_alike(run, tmp_path, line, FILES, complaints=False)


@pytest.mark.parametrize(
    "program",
    [
        "BEGIN { while (1) ; }",
        "BEGIN { for (;;) x = x + 1 }",
        "function f() { return f() } BEGIN { f() }",
        'BEGIN { s = "x"; while (1) s = s s }',
        "BEGIN { while (1) a[i++] = i }",
        'BEGIN { printf "%999999999d", 1 }',
        "BEGIN { $100000000 = 1 }",
        "BEGIN { NF = 1e9; print }",
        'BEGIN { x = "a"; gsub(/(a{1,500}){1,500}/, "b", x) }',
        "BEGIN { (" + "(" * 2000 + "1" + ")" * 2000 + "}",
        "BEGIN { print " + "-" * 3000 + "1 }",
        "{" * 2000,
        "/" + "(" * 2000 + "/",
        'BEGIN { print 9^9^9^9, exp(1000), log(-1), int("inf") }',
        'BEGIN { while (1) print "xxxxxxxxxxxxxxxxxxxxxxxxxx" }',
        'BEGIN { printf "%c%c", -1, 1e300 }',
        'BEGIN { print substr("x", -1e300, 1e300), 1e300 % 7, -1 % 0.1 }',
        "BEGIN { a = 1; a[1] = 2 }",
        "BEGIN { a[1] = 2; print a }",
        'BEGIN { split("a b", x); x = 5 }',
        "BEGIN { f = 1; f() }",
    ],
)
def test_what_runs_away_is_cut_off(run, program):
    quoted = program.replace("'", "'\\''")
    code, _, err = ours(run, f"awk '{quoted}' pods > /dev/null", FILES)
    assert "bug of Glassplane" not in err, err[-500:]
    assert code in (0, 2, 137)
