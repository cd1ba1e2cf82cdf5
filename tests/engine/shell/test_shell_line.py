"""What a line is: the tree that is read from it, or why none is. The errors are bash's."""

import pytest

from cluster_engine.programs.invocation import absolute
from cluster_engine.shell.syntax import SyntaxFailure, parse
from cluster_engine.shell.syntax_tree import For, If, Literal, Loop, Simple, Substitution, Variable, Word


def commands(line):
    """The simple commands of a line, in order."""
    return [command for item in parse(line) for pipeline in item.and_or.pipelines for command in pipeline.commands]


def words(line):
    """The words of each simple command; what is no literal as it is."""
    return [["".join(part.text for part in word.parts) for word in command.words] for command in commands(line)]


def test_words_are_split_as_a_shell_does():
    assert words("""kubectl get pods -l 'a in (b, c)' -o "jsonpath={.x}" a\\ b""") == [
        ["kubectl", "get", "pods", "-l", "a in (b, c)", "-o", "jsonpath={.x}", "a b"]
    ]


def test_commands_are_joined_by_operators():
    first, second = parse("a x; b && c || d")
    assert first.text == "a x"
    assert second.and_or.operators == ("&&", "||")


def test_a_pipeline_and_redirections_belong_to_commands():
    piped = commands("a | grep x | head -3 > out.txt 2>&1")
    assert [len(command.redirects) for command in piped] == [0, 0, 2]
    assert [(one.descriptor, one.operator) for one in piped[-1].redirects] == [(1, ">"), (2, ">&")]
    assert commands("a >> out.txt")[0].redirects[0].operator == ">>"
    assert words("echo 2 >x") == [["echo", "2"]]
    assert words("echo 2>x") == [["echo"]]


def test_quoted_operators_are_words():
    assert words("echo 'a;b' \"c|d\" 'e > f' #g") == [["echo", "a;b", "c|d", "e > f"]]


def test_an_ampersand_ends_a_command_that_runs_beside_the_next():
    assert [item.background for item in parse("a & b & c")] == [True, True, False]


def test_assignments_stand_before_the_command():
    (command,) = commands("A=b C= kubectl D=e")
    assert [name for name, _ in command.assignments] == ["A", "C"]
    assert len(command.words) == 2


def test_a_word_has_parts():
    (command,) = commands('"a$b"$(c d)${e:-f}')
    assert command.words == (
        Word((
            Literal("a", quoted=True),
            Variable("b", quoted=True),
            Substitution(parse("c d")),
            Variable("e", operator=":-", argument=Word((Literal("f"),))),
        )),
    )  # fmt: skip


def test_loops_and_conditions_are_commands():
    kinds = [type(command) for command in commands("for a in b c; do d; done; while e; do f; done; if g; then h; fi")]
    assert kinds == [For, Loop, If]


def test_reserved_words_are_words_elsewhere():
    assert words("echo if then do done for") == [["echo", "if", "then", "do", "done", "for"]]


def test_a_here_document_is_what_follows_the_line():
    cat, sort = commands("cat <<EOF | sort\na $b\nEOF\n")
    assert isinstance(sort, Simple)
    assert cat.redirects[0].target.parts[:2] == (Literal("a ", quoted=True), Variable("b", quoted=True))
    assert commands("cat <<'EOF'\na $b\nEOF")[0].redirects[0].target == Word((Literal("a $b\n", quoted=True),))


@pytest.mark.parametrize("line", ["", "   ", "# only a comment", "\n\n"])
def test_an_empty_line_is_no_command(line):
    assert parse(line) == ()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("echo 'a", "unexpected EOF while looking for matching `''"),
        ('echo "a', "unexpected EOF while looking for matching `\"'"),
        ("echo $(a", "unexpected EOF while looking for matching `)'"),
        ("echo ${a", "unexpected EOF while looking for matching `}'"),
        ("echo `a", "unexpected EOF while looking for matching ``'"),
        ("echo ${a!b}", "${a!b}: bad substitution"),
        ("&& a", "syntax error near unexpected token `&&'"),
        ("a |", "syntax error: unexpected end of file"),
        ("a &&", "syntax error: unexpected end of file"),
        ("a >", "syntax error near unexpected token `newline'"),
        ("a > | b", "syntax error near unexpected token `|'"),
        ("a ;; b", "syntax error near unexpected token `;;'"),
        ("a )", "syntax error near unexpected token `)'"),
        ("do a; done", "syntax error near unexpected token `do'"),
        ("while a; done", "syntax error near unexpected token `done'"),
        ("for a in b", "syntax error: unexpected end of file"),
        ("if a; then fi", "syntax error near unexpected token `fi'"),
        ("cat <<EOF", "here-document delimited by end-of-file (wanted `EOF')"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line, text):
    with pytest.raises(SyntaxFailure) as refusal:
        parse(line)
    assert str(refusal.value) == text


def test_paths_begin_where_one_is():
    assert absolute("web.yaml") == "/root/web.yaml"
    assert absolute("../a/./b.yaml", "/etc/kubernetes") == "/etc/a/b.yaml"
    assert absolute("/etc/x") == "/etc/x"
    assert absolute("../../..") == "/"
