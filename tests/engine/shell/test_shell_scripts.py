"""Positional parameters, functions, `case`, `read`, options of `set`: as bash does, which is asked too where it is."""

import shutil
import subprocess

import pytest
from patience import PATIENCE_SECONDS

SCRIPTS = [
    ("sh -c 'echo $0 $1 $# \"$@\"; shift; echo $1 $#' name a 'b c'", "name a 2 a b c\nb c 1\n"),
    ("sh -c 'for i; do echo \"[$i]\"; done' x 'a b' c", "[a b]\n[c]\n"),
    ("sh -c 'for i in \"$@\" end; do echo $i; done'", "end\n"),
    (
        "set -- a 'b  c' d; printf '<%s>' $*; printf '<%s>' \"$*\" \"x$@y\"; echo ${4:-none} ${#@} ${10}",
        "<a><b><c><d><a b  c d><xa><b  c><dy>none 3\n",
    ),
    ("set -- a b c; shift 2; echo $1; shift 3; echo $?; set --; echo $#", "c\n1\n0\n"),
    ("echo 'echo $0 $2' > s.sh; sh s.sh a b; ./s.sh 2> e; echo $?", "s.sh b\n126\n"),
    ("f() { echo $1 $#; return 4; }; f a b; echo $?", "a 2\n4\n"),
    ("f() { local x=1 y; x=2; echo $x; z=3; }; x=0; f; echo $x $z", "2\n0 3\n"),
    ("f() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(f $(($1 - 1))) )); fi; }; f 5", "120\n"),
    ("function g { echo g; }; h() ( echo h; exit 3 ); g; h; echo $?; unset -f g; g 2> e; echo $?", "g\nh\n3\n127\n"),
    ("f() { for i in 1 2 3; do [ $i = 2 ] && return 5; echo $i; done; }; f; echo $?", "1\n5\n"),
    ("f()\n{\necho $1\n}\nf a | { f b; cat; }", "b\na\n"),
    ("case abc in x|a?c) echo one;; *) echo two;; esac; case $nothing in '') echo empty; esac", "one\nempty\n"),
    ("x='*'; case '*' in \"$x\") echo literal;; esac; case a in $x) echo pattern;; esac", "literal\npattern\n"),
    ("case b in (a) echo a;; [!a-c]) echo d;; [a-c]*) ;; esac; echo $?", "0\n"),
    ("case x in\n  a)\n    echo a\n    ;;\n  x)\n    echo x\n    false\n    ;;\nesac; echo $?", "x\n1\n"),
    (
        'x=a.tar.gz; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} "${x%.gz}" ${x%b*}',
        "a.tar a tar.gz gz a.tar a.tar.gz\n",
    ),
    ("p=/a/b/c; echo ${p##*/} ${p%/*}; s='*'; echo ${p#$s/} ${p##\"$s\"/}", "c /a/b\na/b/c /a/b/c\n"),
    ("echo 'x  y z ' | { read -r a b; echo \"[$b]\"; }", "[y z]\n"),
    ("printf 'a\\\\ b\\\\\\nc\\n' | { read x; echo \"[$x]\"; }", "[a bc]\n"),
    (
        "printf '1 2\\n3 4\\n5' | while read a b; do echo $b-$a; done; printf 5 | { read a; echo $? $a; }",
        "2-1\n4-3\n1 5\n",
    ),
    ("echo ' a:b::c ' | { IFS=: read x y z; echo \"[$x][$y][$z]\"; }", "[ a][b][:c ]\n"),
    ("printf '  k \\n' | { IFS= read -r l; echo \"[$l]\"; }", "[  k ]\n"),
    ("printf 'a\\nb\\nc\\n' > f; { read x; cat; } < f | tr a-c A-C; read y < f; echo $y", "B\nC\na\n"),
    ("sh -ec 'false; echo no'; echo $?", "1\n"),
    ("sh -c 'set -e; if false; then :; fi; false || true; ! true; echo on; (exit 3); echo no'; echo $?", "on\n3\n"),
    ("sh -c 'set -e; f() { false && true; }; f; echo no'; echo $?; sh -ec 'x=$(false); echo no'; echo $?", "1\n1\n"),
    ("sh -ec 'while false; do :; done; until true; do :; done; { false && true; }; echo on'", "on\n"),
    ("sh -ec 'true | false; echo no'; echo $?; sh -ec 'false | true; echo on'", "1\non\n"),
    ("sh -uc 'echo $x; echo y' 2> e; echo $?; sh -uc 'echo ${x:-d} $# $@; echo $1' 2> e; echo $?", "127\nd 0\n127\n"),
    ("sh -c 'echo ${x?bad}; echo y' 2> e; echo $?", "127\n"),
    ("sh -xc 'echo \"a b\" c; A=1' 2>&1", "+ echo 'a b' c\na b c\n+ A=1\n"),
    (
        "printf abcdef | head -c 3; printf abcdef | tail -c2; yes | head -c 3000 | wc -c; yes a b | head -2",
        "abcef3000\na b\na b\n",
    ),
    ("false | true; echo $?; set -o pipefail; false | true; echo $?", "0\n1\n"),
    ("eval 'x=1;' echo '$x'; echo 'y=2' > l.sh; . ./l.sh; echo $y", "1\n2\n"),
    ("A=1 sh -c 'echo $A'; echo [$A]", "1\n[]\n"),
    (
        "set -- $(echo a b); while [ $# -gt 0 ]; do case $1 in a) echo first;; *) echo other;; esac; shift; done",
        "first\nother\n",
    ),
]


@pytest.mark.parametrize(("line", "printed"), SCRIPTS)
def test_scripts_do_what_they_do_in_bash(on_host, line, printed):
    assert on_host(lambda sh: sh(line)).out == printed


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(("line", "printed"), SCRIPTS)
def test_bash_says_the_same(tmp_path, line, printed):
    script = line.replace("sh -", "bash -").replace("sh s.sh", "bash s.sh")
    found = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert found.stdout == printed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("return 3", "sh: return: can only `return' from a function or sourced script\n"),
        ("local x=1", "sh: local: can only be used in a function\n"),
        ("set -z", "sh: set: -z: invalid option\n"),
        ("set -o nothing", "sh: set: nothing: invalid option name\n"),
        ("sh -c", "sh: -c: option requires an argument\n"),
        ("read 1a", "sh: read: `1a': not a valid identifier\n"),
        ("shift x", "sh: shift: x: numeric argument required\n"),
        (". nothing", "sh: .: nothing: No such file or directory\n"),
        ("case a in", "sh: syntax error: unexpected end of file\n"),
        ("case a in b) echo;;", "sh: syntax error: unexpected end of file\n"),
        ("case in a) ;; esac", "sh: syntax error near unexpected token `a'\n"),
        ("esac", "sh: syntax error near unexpected token `esac'\n"),
        ("echo a;;", "sh: syntax error near unexpected token `;;'\n"),
        ("f() echo", "sh: syntax error near unexpected token `echo'\n"),
        ("f(", "sh: syntax error near unexpected token `('\n"),
        ("echo ${x%", "sh: unexpected EOF while looking for matching `}'\n"),
    ],
)
def test_what_is_no_script_is_refused_in_bashs_words(on_host, line, said):
    assert on_host(lambda sh: sh(line)).err == said


def test_a_function_that_calls_itself_for_ever_ends(on_host):
    assert "fork: retry" in on_host(lambda sh: sh("f() { f; }; f")).err


def test_a_file_that_is_appended_to_itself_ends(on_host):
    line = "echo x > f; cat < f >> f; while read a; do echo $a >> f; done < f; wc -l < f"
    assert on_host(lambda sh: sh.out(line)) == "4\n"


def test_functions_and_parameters_stay_in_the_terminal(on_host):
    async def story(sh):
        await sh("f() { echo f $1; }; set -- a b")
        return await sh.out("f $2; echo $#")

    assert on_host(story) == "f b\n2\n"


def test_a_file_that_may_be_executed_is_run_by_its_path(on_host):
    async def story(sh):
        sh.files.write("/root/run.sh", b"#!/bin/sh\necho $0 $1 $A\nexit 3\n", 0o755)
        return await sh.out("A=x ./run.sh 'b c'; echo $?")

    assert on_host(story) == "/root/run.sh b c x\n3\n"
