"""grep: GNU's rules, and never longer than the text is long."""

import time

import pytest

from cluster_engine.programs import grep as grep_program
from cluster_engine.programs.grep import EFFORT_MAX, Grep, GrepError

CPU_SECONDS_MAX = 20.0  # the slowest takes four


def grep(words, text):
    search = Grep(words)
    printed = [out for line in text.splitlines() for out in search.line(line)]
    return [*printed, *search.end()], search.code


# What GNU grep 3.8 prints for each
PRINTED = [
    (["a+"], "a+\naa", ["a+"]),
    ([r"a\+"], "a+\nb", ["a+"]),
    (["-E", "a+"], "a+\nb", ["a+"]),
    (["a|b"], "a|b\na", ["a|b"]),
    ([r"x\|b"], "a\nb", ["b"]),
    (["-E", "x|b"], "a\nb", ["b"]),
    (["-F", "a.b"], "a.b\naxb", ["a.b"]),
    (["a.b"], "a.b\naxb\nab", ["a.b", "axb"]),
    (["*a"], "*a\na", ["*a"]),
    (["-E", "*a"], "*a\na\nb", ["*a", "a"]),
    ([r"\(*a\)"], "*a\na", ["*a"]),
    (["a^b"], "a^b\nab", ["a^b"]),
    (["-E", "a^b"], "a^b\nab", []),
    (["a$b"], "a$b", ["a$b"]),
    (["^$"], "\na", [""]),
    ([r"a\{2\}"], "a\naa", ["aa"]),
    (["-E", "a{2}"], "a\naa", ["aa"]),
    (["a{2}"], "aa\na{2}", ["a{2}"]),
    (["-E", "a{x"], "a{x\naa", ["a{x"]),
    (["a{99999999999}"], "a{99999999999}\na", ["a{99999999999}"]),
    (["-oE", "a{,2}"], "aaa", ["aa", "a"]),
    (["((((("], "x", []),
    (["-E", "x)"], "x)\nx", ["x)"]),
    (["-E", "()"], "a", ["a"]),
    (["-E", "a**"], "b", ["b"]),
    (["[]a]"], "]\nb", ["]"]),
    (["[^a-c]"], "abc\nabd", ["abd"]),
    ([r"[\]"], "a\\b\na", ["a\\b"]),
    (["[[:digit:]]"], "a\n1", ["1"]),
    ([r"\<ab\>"], "ab\ncab", ["ab"]),
    ([r"\w\W"], "a_ \na", ["a_ "]),
    ([r"\d5"], "d5\n75", ["d5"]),
    (["-i", "foo"], "FOO\nbar", ["FOO"]),
    (["-v", "a"], "a\nb", ["b"]),
    (["-c", "a"], "a\nb\na", ["2"]),
    (["-n", "b"], "a\nb", ["2:b"]),
    (["-on", "b"], "abb", ["1:b", "1:b"]),
    (["-oE", "ab|abcd"], "abcd", ["abcd"]),
    (["-o", "."], "é", ["é"]),
    (["-w", "ab"], "ab\nabc\na-ab-c", ["ab", "a-ab-c"]),
    (["-ow", "ab"], "ab ab abc", ["ab", "ab"]),
    (["-x", "a."], "ab\nabc", ["ab"]),
    (["-e", "a", "-e", "b"], "a\nb\nc", ["a", "b"]),
    (["-A1", "b"], "a\nb\nc\nd\ne\nb", ["b", "c", "--", "b"]),
    (["-C", "1", "-n", "c"], "a\nb\nc\nd\ne", ["2-b", "3:c", "4-d"]),
    (["-m1", "a"], "a\na", ["a"]),
    (["-l", "a"], "a", ["(standard input)"]),
    (["-q", "a"], "a", []),
    (["--count", "--ignore-case", "A"], "a", ["1"]),
    (["--max-count=1", "--regexp=a"], "a\na", ["a"]),
    ([""], "a\n", ["a"]),
]


@pytest.mark.parametrize(("words", "text", "printed"), PRINTED, ids=lambda one: repr(one)[:30])
def test_it_prints_what_gnu_grep_prints(words, text, printed):
    assert grep(words, text)[0] == printed


REFUSED = [
    ([], "Usage: grep [OPTION]... PATTERNS [FILE]..."),
    (["-e"], "grep: option requires an argument -- 'e'"),
    (["--foo", "x"], "grep: unrecognized option '--foo'"),
    (["-j", "x"], "grep: invalid option -- 'j'"),
    (["-P", "(?=a)"], "grep: Perl matching not supported"),
    (["-E", "-F", "a"], "grep: conflicting matchers specified"),
    (["-m", "x", "a"], "grep: invalid max count"),
    (["-A", "x", "a"], "grep: x: invalid context length argument"),
    (["-E", "((("], r"grep: Unmatched ( or \("),
    ([r"\(a"], r"grep: Unmatched ( or \("),
    ([r"x\)"], r"grep: Unmatched ) or \)"),
    (["a["], "grep: Invalid regular expression"),
    (["[a"], "grep: Unmatched [, [^, [:, [., or [="),
    (["[[:foo:]]"], "grep: Invalid character class name"),
    (["[:alpha:]"], "grep: character class syntax is [[:space:]], not [:space:]"),
    (["[z-a]"], "grep: Invalid range end"),
    ([r"[a-\]"], "grep: Invalid range end"),
    (["a\\"], "grep: Trailing backslash"),
    ([r"a\{1"], r"grep: Unmatched \{"),
    ([r"a\{x\}"], r"grep: Invalid content of \{\}"),
    (["-E", "a{2,1}"], r"grep: Invalid content of \{\}"),
    ([r"\1"], "grep: Invalid back reference"),
    ([r"\(a\)\1"], "grep: back-references are not in this shell's grep"),
    (["-E", "a{99999999999}"], "grep: Regular expression too big"),
    (["-E", "a{2000}"], "grep: Regular expression too big"),
    (["-E", "(((((a{100}){100}){100}){100}){100})"], "grep: Regular expression too big"),
    (["-E", "(" * 5000 + ")" * 5000], "grep: Regular expression too big"),
    (["[^a]" * 30_000], "grep: Regular expression too big"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=lambda one: repr(one)[:30])
def test_it_refuses_in_gnus_words(words, message):
    with pytest.raises(GrepError) as refused:
        Grep(words)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 40 + "!"),
        ("(a|a)*b", "a" * 100_000),
        ("(.*)(.*)(.*)(.*)(.*)x", "a" * 100_000),
        ("(x+x+)+y", "x" * 100_000),
        ("a*" * 100 + "b", "a" * 10_000),
    ],
)
def test_no_pattern_takes_longer_than_its_length_times_the_texts(pattern, text):
    began = time.process_time()
    assert grep(["-E", pattern], text) == ([], 1)
    assert time.process_time() - began < CPU_SECONDS_MAX


def test_a_large_pattern_over_much_text_is_given_up(monkeypatch):
    monkeypatch.setattr(grep_program, "EFFORT_MAX", EFFORT_MAX // 10)  # a tenth, in a tenth of the time
    search = Grep(["-E", "(x?y?){500}z"])
    began = time.process_time()
    with pytest.raises(GrepError, match="too large for so much text"):
        for _ in range(1000):
            search.line("xy" * 5_000)
    assert time.process_time() - began < CPU_SECONDS_MAX / 10
    assert search._effort > EFFORT_MAX // 10


def test_it_warns_of_what_stands_idle():
    assert Grep(["-E", "*a|{1}"]).warnings == [
        "grep: warning: * at start of expression",
        "grep: warning: {...} at start of expression",
    ]


def test_in_a_pipe_it_ends_with_2_and_a_word_and_the_cluster_goes_on(workstation):
    async def story(sh):
        return (
            await sh(f"echo {'a' * 40}! | grep -E '(a+)+$'"),
            await sh("echo x | grep -E '((('"),
            await sh("kubectl get nodes | grep -c Ready"),
            await sh(f"echo x | head -{'9' * 5000}"),
            await sh("echo x | tail -n x"),
        )

    hostile, wrong, right, head, tail = workstation(story)
    assert (hostile.code, hostile.out, hostile.err) == (1, "", "")
    assert (wrong.code, wrong.err) == (2, "grep: Unmatched ( or \\(\n")
    assert right.out == "2\n"
    assert (head.code, "Value too large for defined data type" in head.err) == (1, True)
    assert (tail.code, tail.err) == (1, "tail: invalid number of lines: 'x'\n")
