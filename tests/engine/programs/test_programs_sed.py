"""sed against the real one of this machine; and what runs away."""

import shutil

import pytest

from tests.engine.programs.comparing import assert_alike, ours

FILES = {
    "pods": "NAME    READY   STATUS\nweb-1   1/1     Running\nweb-2   0/1     Pending\nweb-3   0/1     Error\nend",
    "yaml": "kind: Deployment\nspec:\n  replicas: 1\n  image: nginx:1.27\n# note\n\n",
    "more": "one\ntwo\nthree\nfour\nfive\n",
    "script": "s/one/1/\n# a comment\n/two/{\n  s/t/T/g\n  p\n}\n",
    "words": "hello world\nfoo bar  baz\n",
}
LINES = [
    "sed s/web/WEB/ pods",
    "sed 's/[0-9]/<&>/g' pods",
    "sed 's/[0-9]/<&>/2' pods",
    "sed -n '/web/p' pods",
    "sed -n '2,3p' pods",
    "sed '1d;$d' pods",
    "sed '2!d' pods",
    "sed -n '$=' pods",
    "sed -n '/web-1/,/web-3/p' pods",
    "sed -E 's/([a-z]+)-([0-9])/\\2-\\1/' pods",
    "sed 's/\\([a-z]*\\)-\\([0-9]\\)/\\2:\\1/' pods",
    "sed 's|/|:|g' pods",
    "sed 's/replicas: 1/replicas: 3/' yaml",
    "sed '/^#/d;/^$/d' yaml",
    "sed -e 's/a/b/' -e 's/b/c/g' yaml",
    "sed -f script more",
    "sed '2q' more",
    "sed '3q5' more",
    "sed 'n;d' more",
    "sed '$!N;s/\\n/ /' more",
    "sed -n '1~2p' more",
    "sed '2,+1d' more",
    "sed '0,/o/s/o/0/' more",
    "sed 'y/abc/xyz/' pods",
    "sed '2a text' more",
    "sed '2i\\  text' more",
    "sed '2c\\changed' more",
    "sed '2,3c changed' more",
    "sed = more",
    "sed G more",
    "sed -n '1!G;h;$p' more",
    "sed 'x;p;x' more",
    "sed ':a;N;$!ba;s/\\n/,/g' more",
    "sed 's/x*/-/g' words",
    "sed 's/b*/X/2' words",
    "sed 's/o/O/gp;d' words",
    "sed -n 's/o/O/p' words",
    "sed 's/.*/\\U&/' words",
    "sed 's/\\w\\+/\\u&/g' words",
    "sed -E 's/(foo) (bar)/\\U\\1\\E \\2/' words",
    "sed 's/FOO/x/I' words",
    "sed '/FOO/Id' words",
    "sed 's/./<&>/g' words",
    "sed '/two/{s/t/T/;p}' more",
    "sed -n '/t/{/w/p}' more",
    "sed 's/a\\|e/#/g' more",
    "sed -E 's/a|e/#/g' more",
    "sed 's/e$/E/' more",
    "sed 's/^/> /' more",
    "sed 's/$/ </' more",
    "sed 's/[[:upper:]]/_/g' pods",
    "sed 's/ \\+/ /g' pods",
    "sed -s -n '$p' more",
    "sed -n '$p' more pods",
    "sed -n '/two/,$p' more",
    "sed '/three/,1d' more",
    "sed 's/\\//|/' pods",
    "sed 's,/,\\,,' pods",
    "sed 's/\\t/x/' more",
    "sed 's/o/\\n/' more",
    "sed 'tx;s/one/1/;:x;s/1/2/' more",
    "sed -E ':a;s/^(.{1,6})$/ \\1/;ta' more",
    "sed P more",
    "sed '$!{N;D}' more",
    "sed 's/a/b' more",
    "sed 'k' more",
    "sed 's/a/b/k' more",
    "sed '{p' more",
    "sed 'p}' more",
    "sed 's/\\(a/b/' more",
    "sed 's/a/\\1/' more",
    "sed 'y/ab/c/' more",
    "sed pp more",
    "sed '3,p' more",
    "sed a more",
    "sed 0p more",
    "sed",
    "sed p nothing more",
    "sed -x p more",
    "sed ': ' more",
    "sed '/a' more",
    "sed '1,' more",
    "sed 's/a/b/0' more",
    "sed -n '2{p;q}' more",
    "sed '/a/!s/o/0/' more",
    "sed 's/[/]/:/' pods",
    "sed 's/[^,]*,//' yaml",
    "sed --expression=p -n more",
    "sed -n -e '2p' -e '4p' more",
    "sed 's/\\./,/g' yaml",
    "sed '1!G;h;$!d' more",
    "sed -i.bak 's/one/1/' more; cat more more.bak",
    "sed -i 2d more && cat more",
]


@pytest.mark.skipif(shutil.which("sed") is None, reason="no real sed here to compare with")
@pytest.mark.parametrize("line", LINES)
def test_it_does_what_the_real_one_does(run, tmp_path, line):
    assert_alike(run, tmp_path, line, FILES, complaints=False)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sed ':a;ba' more", "sed: a script may take 1000000 steps: no more of it is run\n"),
        ("sed ':a;s/.*/&&/;ba' more", "sed: memory exhausted\n"),
        ("sed -n ':a;H;ba' more", "sed: memory exhausted\n"),
        ("sed -E 's/(a{1,1000}){1,1000}/x/' more", "sed: -e expression #1, char 24: Regular expression too big\n"),
        ("sed 's/\\(a\\)\\1/x/' more", None),
        ("seq 100000 | sed -E 's/(.{1,500}){2}/x/g' | wc -l", None),
    ],
)  # fmt: skip
@pytest.mark.long
def test_what_runs_away_is_cut_off(run, line, says):
    code, _, err = ours(run, line, FILES)
    assert "bug of Glassplane" not in err
    if says is not None:
        assert code > 0
        assert err == says
