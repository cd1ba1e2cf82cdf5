"""What a line is, without a cluster."""

import pytest

from cluster_engine.programs.invocation import absolute
from cluster_engine.shell.syntax import SyntaxFailure, parse


def words(line):
    return [command.words for command in parse(line)]


def test_words_are_split_as_a_shell_does():
    assert words("""kubectl get pods -l 'a in (b, c)' -o "jsonpath={.x}" a\\ b""") == [
        ["kubectl", "get", "pods", "-l", "a in (b, c)", "-o", "jsonpath={.x}", "a b"]
    ]


def test_commands_are_joined_by_operators():
    commands = parse("a x; b && c || d")
    assert [command.joined_by for command in commands] == [";", ";", "&&", "||"]


def test_filters_and_a_file_belong_to_a_command():
    (command,) = parse("a | grep x | head -3 > out.txt")
    assert (command.filters, command.into, command.appends) == ([["grep", "x"], ["head", "-3"]], "out.txt", False)
    assert parse("a >> out.txt")[0].appends


def test_quoted_operators_are_words():
    assert words("echo 'a;b' \"c|d\" 'e > f'") == [["echo", "a;b", "c|d", "e > f"]]


@pytest.mark.parametrize("line", ["", "   ", "# only a comment"])
def test_an_empty_line_is_no_command(line):
    assert parse(line) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("echo 'a", "unterminated quoted string"),
        ("&& a", 'unexpected token "&&"'),
        ("a |", "unexpected token"),
        ("a &&", 'unexpected token "newline"'),
        ("a >", "unexpected end of file"),
        ("a < b", 'unexpected token "<"'),
        ("a &", 'unexpected token "&"'),
        ("a ;; b", 'unexpected token ";;"'),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line, text):
    with pytest.raises(SyntaxFailure, match=text):
        parse(line)


def test_paths_begin_at_home():
    assert absolute("web.yaml") == "/root/web.yaml"
    assert absolute("~/a/../b.yaml") == "/root/b.yaml"
    assert absolute("/etc/x") == "/etc/x"
    assert absolute("../../..") == "/"
