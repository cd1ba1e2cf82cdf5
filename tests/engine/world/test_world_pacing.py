"""A paced clock keeps level with real time, on machines made of numbers: hours of a busy one take milliseconds."""

import itertools
import random

import pytest
from paced_life import FakeMachine
from test_world_time import Recorder, chatter

from cluster_engine.world.pacing import CATCH_UP, JUDGED_SECONDS, NOTABLE_SECONDS, SLACK_SECONDS, Drift
from cluster_engine.world.story import run_story


@pytest.mark.parametrize("pace", [0.1, 1.0, 60.0])
def test_a_clock_on_a_quiet_machine_is_level_and_has_nothing_to_say(life, pace):
    one = life(pace, every=0.1 * pace)
    one.run(real=600)
    assert one.behind() == pytest.approx(0, abs=1e-3)
    assert one.drifts == []


def test_an_hour_on_a_busy_machine_costs_the_clock_nothing(life):
    chance = random.Random(1)
    one = life(machine=FakeMachine(late=lambda: chance.choice([0.0, 0.3, 0.7, 2.5, 5.0])), every=1.0)
    one.at_tick = lambda: one.machine.compute(0.005, share=0.2)
    one.run(real=3600)
    assert one.behind() > 60, "this machine was busy indeed"
    assert one.drift.behind == pytest.approx(one.behind(), abs=8), "it knows"
    one.machine.late = lambda: 0.0
    one.run(real=3600)
    assert one.behind() < SLACK_SECONDS
    assert one.drift == Drift()


@pytest.mark.parametrize("pace", [0.5, 1.0, 20.0])
def test_what_was_missed_is_caught_up_at_most_twice_as_fast(life, pace):
    one = life(pace, every=0.05 * pace)
    one.run(real=5)
    one.machine.hold(50)
    one.run(real=1)
    assert one.behind() == pytest.approx(50 - 1, abs=2 * SLACK_SECONDS)
    one.run(real=3)
    assert one.drift.reached == pytest.approx(CATCH_UP * pace, rel=0.3)
    one.run(real=60)
    assert one.behind() == pytest.approx(0, abs=0.1)
    assert one.fastest(seconds=5) < (CATCH_UP + 2 * SLACK_SECONDS / 2.5) * pace
    assert one.drift == Drift()


def test_a_hiccup_is_made_up_at_once(life):
    one = life(every=0.01)
    one.run(real=5)
    one.machine.hold(0.2)
    one.run(virtual=0.25)
    assert one.behind() == pytest.approx(0, abs=0.02)
    assert one.drifts == []


def test_outside_speaks_while_it_catches_up_and_time_leaps_no_further_than_it_walks(life):
    one = life(every=30.0)
    machine = one.machine
    one.run(virtual=30)
    machine.hold(20)
    interrupted = []

    def wait(outside, seconds):
        machine.seconds += min(seconds, 1.0)
        if seconds > 1.0 and len(interrupted) < 5:
            one.loop.call_soon_threadsafe(interrupted.append, one.clock.now)
        return outside.select(0)

    machine.wait = wait
    one.run(virtual=30)
    steps = [after - before for before, after in itertools.pairwise(interrupted)]
    assert len(steps) == 4
    assert all(0 < step <= CATCH_UP + 2 * SLACK_SECONDS for step in steps)


def test_a_burst_of_computing_is_caught_up(life):
    one = life()
    one.run(real=4)
    one.machine.compute(0.8 * JUDGED_SECONDS)
    one.run(real=60)
    assert one.behind() == pytest.approx(0, abs=0.1)
    assert {(drift.overrun, drift.slept) for drift in one.drifts} == {(0.0, 0.0)}


def test_a_cluster_that_cannot_keep_up_gives_time_up_and_says_what_it_reaches(life):
    one = life(60.0, every=1.0)
    one.at_tick = lambda: one.machine.compute(1 / 39)
    one.run(real=600)
    real, now = one.ticks[-1]
    assert now / (real - 1000) == pytest.approx(39, rel=0.01)
    assert one.drift.reached == pytest.approx(39, rel=0.02)
    assert one.drift.overrun == pytest.approx(600 * (1 - 39 / 60), rel=0.05)
    assert max(drift.behind for drift in one.drifts) < JUDGED_SECONDS
    assert one.drift.slept == 0
    one.at_tick = lambda: None
    given_up = one.drift.overrun
    one.run(real=60)
    assert (one.drift.reached, one.drift.behind, one.drift.overrun) == (None, 0.0, given_up)
    assert one.behind() == pytest.approx(given_up, abs=0.5)


def test_who_has_half_the_processor_and_needs_more_owes_it_until_the_machine_is_quiet(life):
    one = life(60.0, every=6.0)
    one.at_tick = lambda: one.machine.compute(6 * 0.75 / 60, share=0.5)
    one.run(real=300)
    assert (one.drift.overrun, one.drift.slept) == (0, 0)
    assert one.drift.behind == pytest.approx(100, rel=0.05)
    assert one.drift.reached == pytest.approx(40, rel=0.05)
    one.at_tick = lambda: one.machine.compute(6 * 0.75 / 60)
    one.run(real=400)
    assert one.drift == Drift()
    assert one.behind() == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("where", ["in a wait", "in an instant"])
def test_what_a_sleeping_machine_missed_is_given_up(life, where):
    one = life()
    one.run(real=30)
    one.machine.hold(20)
    one.run(real=5)
    if where == "in a wait":
        once = [10_000.0]
        one.machine.late = lambda: once.pop() if once else 0.0
        one.run(virtual=0.2)
    else:
        one.machine.hold(10_000)
    one.run(real=60)
    assert one.drift == Drift(slept=pytest.approx(10_000, abs=3))
    assert one.behind() == pytest.approx(one.drift.slept, abs=0.1), "what was missed before is caught up all the same"


def test_a_short_sleep_is_caught_up(life):
    one = life()
    one.machine.late = lambda: 0.0
    one.run(real=10)
    one.machine.hold(59)
    one.run(real=70)
    assert one.behind() == pytest.approx(0, abs=0.1)
    assert one.drift == Drift()


def test_an_hour_of_its_own_computing_is_no_sleep(life):
    one = life()
    one.run(real=10)
    one.machine.compute(3600)
    one.run(real=30)
    assert one.drift.slept == 0
    assert one.drift.overrun == pytest.approx(3600, abs=JUDGED_SECONDS)


@pytest.mark.parametrize(
    "turn",
    [
        lambda clock: (clock.pause(), clock.resume()),
        lambda clock: clock.set_pace(2.0),
        lambda clock: (clock.step(lambda: True), clock.resume()),
        lambda clock: (clock.set_pace(None), clock.set_pace(1.0)),
    ],
    ids=["pause", "pace", "step", "leap"],
)
def test_whoever_turns_the_clock_sets_it_nothing_is_owed_any_more(life, turn):
    one = life()
    one.run(real=10)
    one.machine.hold(30)
    one.run(real=3)
    assert one.drift.behind > 20
    turn(one.clock)
    assert one.drift == Drift()
    one.began = (one.machine.real(), one.clock.now)
    one.run(real=10)
    assert one.behind() == pytest.approx(0, abs=0.1)


def test_a_leap_to_a_certain_time_begins_anew_where_it_ends(life):
    one = life()
    one.run(real=10)
    one.machine.hold(30)
    one.clock.leap_until = 500.0
    one.clock.at_rest = lambda: setattr(one.clock, "leap_until", None) if one.clock.now >= 500 else False
    one.run(virtual=490)
    one.began = (one.machine.real(), one.clock.now)
    one.run(real=10)
    assert one.behind() == pytest.approx(0, abs=0.1)
    assert one.drift == Drift()


def test_setting_the_pace_it_has_or_resuming_what_runs_forgets_nothing(life):
    one = life()
    one.run(real=10)
    one.machine.hold(30)
    one.run(real=3)
    one.clock.set_pace(1.0)
    one.clock.resume()
    one.run(real=60)
    assert one.behind() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("pace", [0.5, 7.0, 60.0])
def test_one_scenario_is_the_same_on_any_machine(pace):
    quiet, busy = Recorder(), Recorder()
    run_story(chatter, tap=quiet)
    chance = random.Random(int(pace))
    machine = FakeMachine(late=lambda: chance.choice([0.0, 0.0, 0.01, 0.5, 20.0, 3600.0]))
    run_story(chatter, tap=busy, pace=pace, machine=machine)
    assert machine.seconds > 5000
    assert busy.heard == quiet.heard


def test_a_clock_tells_all_that_a_page_needs(life):
    one = life()
    one.run(real=10)
    one.machine.hold(30)
    one.run(real=3)
    told = one.clock.told()
    assert told == {
        "now": one.clock.now, "pace": 1.0, "paused": False,
        "reached": one.drift.reached, "behind": one.drift.behind, "slept": 0.0, "overrun": 0.0,
    }  # fmt: skip
    assert told["behind"] >= NOTABLE_SECONDS
