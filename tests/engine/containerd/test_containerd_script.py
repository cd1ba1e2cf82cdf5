import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.containerd.script import evaluate
from cluster_engine.containerd.timeline import Line, NotExecutableError, stamp


def sh(script, **env):
    return evaluate(["sh", "-c", script], env)


def texts(timeline):
    return [line.text for line in timeline.lines]


def test_a_script_is_a_timeline_of_lines_and_an_end():
    timeline = sh("echo up; sleep 5; echo down; exit 3")
    assert timeline.lines == (Line(0.0, "up"), Line(5.0, "down"))
    assert (timeline.ends_at, timeline.exit_code) == (5.0, 3)


def test_the_code_of_the_last_command_is_the_scripts():
    assert sh("true; false").exit_code == 1
    assert sh("false; true").exit_code == 0


def test_and_and_or_look_at_the_code_before():
    assert texts(sh("true && echo a; false && echo b; false || echo c; true || echo d")) == ["a", "c"]


def test_an_unknown_command_in_a_script_is_not_found():
    timeline = sh("frobnicate --now")
    assert (timeline.exit_code, timeline.lines[0].text) == (127, "sh: frobnicate: not found")
    assert timeline.lines[0].stream == "stderr"


def test_an_unknown_program_cannot_be_executed():
    with pytest.raises(NotExecutableError, match=r'exec: "frobnicate": executable file not found in \$PATH'):
        evaluate(["frobnicate"], {})


def test_a_shell_without_a_script_ends_at_once():
    timeline = evaluate(["sh"], {})
    assert (timeline.ends_at, timeline.exit_code) == (0.0, 0)


@pytest.mark.parametrize(("argument", "seconds"), [("7", 7.0), ("2m", 120.0), ("1h", 3600.0), ("0.5", 0.5)])
def test_sleep_knows_units(argument, seconds):
    assert evaluate(["sleep", argument], {}).ends_at == seconds


def test_sleep_infinity_never_ends():
    assert evaluate(["sleep", "infinity"], {}).ends_at is None


def test_an_endless_loop_repeats_its_lines():
    timeline = sh("while true; do date; sleep 10; done")
    assert timeline.ends_at is None
    assert (timeline.repeat.begins_at, timeline.repeat.period) == (10.0, 10.0)
    assert timeline.repeat.lines[0].text == stamp("%a %b %e %H:%M:%S UTC %Y")


def test_an_endless_loop_that_leaves_is_an_end():
    timeline = sh("while true; do echo once; sleep 1; exit 4; done")
    assert (timeline.ends_at, timeline.exit_code) == (1.0, 4)


def test_an_endless_loop_without_a_pause_runs_for_ever():
    assert sh("while true; do :; done").ends_at is None


def test_for_runs_its_body_for_each_word():
    assert texts(sh("for i in 1 2 3; do echo number $i; done")) == ["number 1", "number 2", "number 3"]


def test_if_takes_one_branch():
    assert texts(sh('if [ "$MODE" = test ]; then echo yes; else echo no; fi', MODE="test")) == ["yes"]
    assert texts(sh('if [ "$MODE" = test ]; then echo yes; else echo no; fi')) == ["no"]


def test_loops_nest():
    assert texts(sh("for i in a b; do for j in 1 2; do echo $i$j; done; done; echo end")) == [
        "a1", "a2", "b1", "b2", "end",
    ]  # fmt: skip


def test_variables_come_from_the_environment_and_from_assignments():
    assert texts(sh("NAME=x; echo $NAME ${GREETING}", GREETING="hello")) == ["x hello"]


def test_files_come_and_go_with_time():
    timeline = sh("touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600")
    assert "/tmp/never" not in timeline.files_at(1)
    assert timeline.files_at(29)["/tmp/healthy"]
    assert not timeline.files_at(31)["/tmp/healthy"]


def test_redirected_output_is_not_in_the_log():
    assert texts(sh("echo secret > /tmp/file; echo told")) == ["told"]


def test_a_script_over_several_lines():
    assert texts(sh("echo a\nsleep 1\necho b\n")) == ["a", "b"]


def test_an_endless_finite_loop_is_cut_short():
    assert sh("while [ a = a ]; do echo a; done").ends_at is None


def test_a_command_in_a_word_is_replaced_by_its_output():
    assert texts(sh('echo "hello from $(hostname)" `whoami`', HOSTNAME="web-0")) == ["hello from web-0 root"]


SCRIPT_WORDS = (
    "echo sleep 1 exit 3 while for if do done then else fi in true false ; && || | > $(date) ` $ ' [ ] = x -f"
)
WORDS = st.sampled_from([*SCRIPT_WORDS.split(), "\n", '"'])


@given(st.lists(WORDS, max_size=25))
def test_any_script_has_a_timeline(words):
    timeline = sh(" ".join(words))
    assert timeline.ends_at is None or timeline.ends_at >= 0


def test_what_follows_waits_for_what_a_script_puts_into_the_background():
    timeline = evaluate(["sh", "-c", "sleep 2 & echo up; wait; exit 4"], {})
    assert [(line.at, line.text) for line in timeline.lines] == [(2.0, "up")]
    assert (timeline.ends_at, timeline.exit_code) == (2.0, 4)
