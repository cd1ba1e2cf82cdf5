"""Questions are judged by the lesson and by the journal: when they can be, by what, and with what as the truth."""

import pytest

from cluster_engine.predicates import Held
from visualizer.lessons.questions import Between, Question, Verdict

HELD = {"a": Held(10, 1.0), "b": Held(12, 2.5), "c": Held(11, 2.0)}


def choice(**facts):
    return Question(id="q", kind="choice", options=("x", "y", "z"), **facts)


def test_a_choice_is_judged_at_once_when_nothing_decides_it():
    assert choice(right=("y",)).judge("y", {}) == Verdict(right=True, truth="y")
    assert choice(right=("y",)).judge("z", {}) == Verdict(right=False, truth="y")


def test_a_choice_that_the_wire_decides_is_judged_when_that_holds_and_by_that_entry():
    assert choice(right=("y",)).judge("y", {}, "a") is None
    assert choice(right=("y",)).judge("y", HELD, "a") == Verdict(right=True, truth="y", seq=10)


@pytest.mark.parametrize(("answer", "right"), [("x", True), ("z", True), ("y", False)])
def test_of_several_right_answers_each_is_right(answer, right):
    question = choice(right=("z", "x"), any_of=True)
    assert question.judge(question.accept(answer), {}) == Verdict(right=right, truth=["x", "z"])


def test_all_that_are_to_be_ticked_must_be():
    question = choice(right=("z", "x"), many=True)
    assert question.judge(question.accept(["z", "x"]), {}) == Verdict(right=True, truth=["x", "z"])
    assert question.judge(question.accept(["x"]), {}) == Verdict(right=False, truth=["x", "z"])


@pytest.mark.parametrize(
    ("answer", "right"), [("acb", True), ("abc", True), ("cab", False), ("bca", False), ("bac", False)]
)
def test_items_of_a_group_may_come_in_either_order(answer, right):
    question = Question(id="q", kind="order", groups=(("a",), ("b", "c")))
    assert question.judge(list(answer), {"a": HELD["a"]}) is None
    assert question.judge(list(answer), HELD) == Verdict(right=right, truth=["a", "c", "b"], seq=12)


def test_a_number_is_the_time_between_two_entries_and_the_later_one_decides_it():
    question = Question(id="q", kind="number", truth=Between("a", "b"), tolerance=0.2)
    assert question.judge(1.6, HELD) == Verdict(right=True, truth=1.5, seq=12)
    assert question.judge(1.8, HELD) == Verdict(right=False, truth=1.5, seq=12)
