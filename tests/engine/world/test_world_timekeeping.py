"""What `up` says of its time: once when something begins, once when it is over."""

import pytest

from cluster_engine.world.timekeeping import Timekeeping, length


@pytest.fixture
def heard(life):
    def listen(pace=1.0, every=0.1):
        one, said = life(pace, every=every), []
        one.clock.before_waiting.append(Timekeeping(one.clock, said.append))
        return one, said

    return listen


def test_nothing_is_said_of_a_clock_that_keeps_its_pace_or_is_a_little_late(heard):
    one, said = heard()
    for _ in range(5):
        one.run(real=20)
        one.machine.hold(4)
    assert said == []


def test_a_busy_machine_costs_two_lines(heard):
    one, said = heard()
    one.at_tick = lambda: one.machine.hold(0.15)
    one.run(real=300)
    one.at_tick = lambda: None
    one.run(real=300)
    assert said == [
        "this machine cannot keep up: the cluster's time goes at 0.667 of a pace of 1, and is 6 s behind",
        "the cluster's time is level again",
    ]


def test_a_pause_of_the_machine_is_told_as_what_it_is(heard):
    one, said = heard()
    one.run(real=10)
    one.machine.hold(30)
    one.run(real=120)
    assert len(said) == 2
    one.machine.hold(3 * 3600)
    one.run(real=120)
    assert said[2:] == ["this machine slept: 3 h 0 min are left out of the cluster's time"]


def test_a_cluster_that_cannot_keep_up_says_what_it_left_out(heard):
    one, said = heard(60.0, every=1.0)
    one.at_tick = lambda: one.machine.compute(1 / 30)
    one.run(real=60)
    one.at_tick = lambda: None
    one.run(real=60)
    assert said == [
        "this machine cannot keep up: the cluster's time goes at 30 of a pace of 60, and what it misses is left out",
        "the cluster's time is level again; 29 s in all are left out of it",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(5.4, "5 s"), (89, "89 s"), (91, "2 min"), (3000, "50 min"), (10_000, "2 h 47 min")]
)
def test_lengths_are_said_as_people_say_them(seconds, words):
    assert length(seconds) == words
