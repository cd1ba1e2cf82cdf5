"""Programs of files and the manual: against the real ones where there are any."""

import pytest

from cluster_engine.programs.manual import pages
from cluster_engine.programs.table import PROGRAMS
from cluster_engine.shell.builtins import BUILTINS
from tests.engine.programs.comparing import assert_alike, ours

FILES = {
    "a": "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n",
    "b": "one\n2\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven",
    "c": "ONE\ntwo \n\nthree\n",
    "empty": "",
}


@pytest.mark.parametrize(
    "line",
    [
        "mkdir d && cp a d && ls d && cat d/a",
        "mkdir d/e",
        "mkdir -p d/e/f && ls d && ls d/e && ls d/e/f",
        "mkdir a",
        "mkdir d; mkdir d",
        "mkdir -p d; mkdir -p d && echo yes",
        "mkdir",
        "mkdir d && rmdir d && ls d",
        "rmdir a",
        "mkdir -p d/e && rmdir d",
        "mkdir d && cd d && echo x > y && cd .. && cat d/y",
        "mkdir d && rm -r d && ls d",
        "touch new && cat new && ls new",
        "touch nowhere/new",
        "touch",
        "touch -c none; ls none",
        "cp a",
        "cp a x && cat x",
        "cp a b d",
        "cp none x",
        "cp a nowhere/x",
        "mkdir d && cp a b d && ls d",
        "mkdir d && cp d e",
        "cp a a",
        "mkdir -p d/e && cp a d/e && cp -r d f && find f | sort",
        "mv a x && ls a x",
        "mkdir d && mv a b d && ls d && ls a",
        "mkdir -p d/e && cp a d/e && mv d f && ls f f/e",
        "mv none x",
        "mkdir d && mv d d/e",
        "mkdir d && cp -r d d/e",
        "basename /a/b.c",
        "basename /a/b.c .c",
        "basename a/",
        "basename /",
        "basename",
        "basename a b c",
        "basename -s .x a.x b.x",
        "dirname /a/b",
        "dirname a",
        "dirname /",
        "dirname a/b/ c",
        "dirname",
        "find . -name a",
        "find . -type f -name '[ab]' | sort",
        "find . -type d",
        "find nowhere",
        "find . -bad",
        "mkdir -p d/e && cp a d/e && find d -mindepth 1 | sort",
        "mkdir -p d/e && cp a d/e && find d -maxdepth 1 | sort",
        "find a b -size +40c | sort",
        "find . -empty -type f",
        "find a b ! -name a -type f | sort",
        "find a b",
        "find . -name",
        "find a -exec cat {} \\;",
        "find . -name 'b' -exec echo found {} \\;",
        "find . -type z",
        "find . -iname A -print0",
        "cp a x && find . -name x -delete && ls x",
        "stat -c '%n %s %F' a empty",
        "stat -c '%a %A' a",
        "stat none",
        "diff a b",
        "diff b a",
        "diff a a",
        "diff a c",
        "diff c a",
        "diff -q a b",
        "diff -q a a",
        "diff -s a a",
        "diff a none",
        "diff a",
        "diff empty a",
        "diff a empty",
        "diff -i a c",
        "diff -w a c",
        "diff -u a b | tail -n +3",
        "cat b | diff a -",
        "diff -U 1 a b | tail -n +3",
        "diff -U 0 a b | tail -n +3",
        "diff -u c a | tail -n +3",
        "diff -u empty a | tail -n +3",
    ],
)
def test_it_does_what_the_real_one_does(run, tmp_path, line):
    assert_alike(run, tmp_path, line, FILES, complaints="find" not in line)


def test_files_far_apart_are_told_as_replaced(run):
    code, out, _ = ours(run, "seq 1 3000 > x; seq 4000 7000 > y; diff x y | head -1", {})
    assert (code, out) == (0, "1,3000c1,3001\n")


def test_every_page_is_of_a_program_and_every_program_has_one(run):
    assert set(PROGRAMS) <= set(pages()) <= {*PROGRAMS, *BUILTINS}
    code, out, _ = ours(run, "man base64; base64 --help", {})
    assert code == 0
    assert out.splitlines()[2:4] == ["NAME", "       base64 - encode or decode data"]
    assert "Usage: base64 [-d] [-i] [-w COLUMNS] [FILE]\nEncode or decode data.\n" in out
    assert "       [ QUESTION ]\n" in ours(run, "man [", {})[1]
    assert ours(run, "man nothing", {}) == (16, "", "No manual entry for nothing\n")
