"""Incidents of the day: everybody has the same one, it can be dealt with, and nobody is told what it is before."""

import asyncio
import json
from datetime import date, timedelta

import pytest
from django.core.management import call_command

from cluster_engine.faults import FAULTS
from visualizer.access import Access, Action, Role
from visualizer.lessons import check_play, lesson_page, library
from visualizer.lessons.check import Report
from visualizer.lessons.incidents import CASES, case_of, make, trial
from visualizer.lessons.incidents.cases import MINE, Remedy
from visualizer.management.commands import lessons
from visualizer.models import Cluster

PASSING = {"restart", "reset", "half-open", "etcd-compacted", "etcd-restored"} | {
    *("request-refused", "answer-lost", "watch-dropped"),
}
NOT_MADE = {"clock-skew", "hang", "bootstrap-token-expired"}
"""Faults that last and of which there are no incidents: a wrong clock shows in dates alone, and nothing stops; a
program that hangs is missed by who asks it, and a bootstrap token by who joins, and nobody does either here."""
DAYS = [(date(2026, 11, 27) + timedelta(days=n)).isoformat() for n in range(len(CASES))]
CUT, EXPIRED, IMAGE = (
    next(case for case in CASES if case.fault["name"] == name)
    for name in ("partition", "certificate-expired", "image-not-found")
)


def test_a_day_means_the_same_for_everybody_and_each_case_comes_once_before_any_comes_again():
    assert [case_of(day) for day in DAYS] == [case_of(day) for day in DAYS]
    begun = date(2026, 11, 27).toordinal() // len(CASES) * len(CASES)
    cycle = [date.fromordinal(begun + n).isoformat() for n in range(len(CASES))]
    assert {case_of(day).id for day in cycle} == {case.id for case in CASES}
    one, other = make(DAYS[0]), make(DAYS[0])
    assert (one.seed, one.start, one.case) == (other.seed, other.start, other.case)
    assert len({make(day).start[-1].fault.start for day in DAYS}) > 10, "nobody knows when it begins"


@pytest.mark.parametrize("slug", ["", "x", "2026-13-01", "2026-11-31", "-1", "1234567890", "1/2", "2026-11-27x", "٣"])
def test_what_is_no_seed_is_no_incident(slug):
    assert make(slug) is None
    assert library.find(f"incidents/{slug}") is None


def test_cases_are_of_faults_that_last_and_every_remedy_is_needed():
    assert {case.fault["name"] for case in CASES} == set(FAULTS) - PASSING - NOT_MADE
    assert {case.remedy for case in CASES} == set(Remedy)
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(bool(case.by_hand) == (case.remedy in MINE) for case in CASES)


def test_a_page_is_told_the_same_of_every_incident():
    told = set()
    for case in CASES:
        lesson = make("7", case)
        told.add(json.dumps(lesson_page.page(lesson), default=str, sort_keys=True))
    assert len(told) == 1
    assert len({json.dumps(lesson_page.page(make(day))["prose"], default=str) for day in DAYS}) == 1


def played(case, story):
    """Play an incident up to where its story ends; give what the story gives."""
    lesson = make("7", case)
    found = []

    async def tell(cluster, player):
        found.append(await story(cluster, player))

    run = check_play.Trial(lesson)
    run.play(tell)
    assert [str(error) for error in run.errors] == []
    return found[0]


async def until(cluster, player, name):
    await cluster.world.until(lambda: name in player.lookout.held, within_seconds=200)


@pytest.mark.parametrize("case", [CUT, EXPIRED], ids=lambda case: case.id)
def test_nothing_that_is_told_names_the_fault_before_it_is_diagnosed(case):
    name, target = case.place

    async def story(cluster, player):
        states = [player.state()]
        await until(cluster, player, "seen")
        for answer in ({"fault": "stop", "target": target}, {"fault": name, "target": "elsewhere"}):
            player.answer("noticed", True) if "noticed" not in player.state()["answers"] else None
            player.answer("diagnosis", answer)
            states.append(player.state())
        player.hint()
        states.append(player.state())
        for state in states:
            assert set(state["anchors"]) <= {"noticed"}, "when it began and where it shows is told at the end"
            assert all("truth" not in one or one["truth"] is True for one in state["answers"].values())
            assert name not in json.dumps({**state, "answers": None})
        entries = cluster.journal.since(0, cluster.journal.head)
        (begun,) = [one for one in entries if one["kind"].startswith("fault.")]
        assert begun["fields"] == {"id": "fault-1", "sealed": True}
        assert [one["seq"] for one in entries if name in json.dumps([one["kind"], one["label"], one["fields"]])] == []
        player.answer("diagnosis", {"fault": name, "target": target})
        assert player.state()["answers"]["diagnosis"] == {
            "given": {"fault": name, "target": target},
            "right": True,
            "tries": 3,
            "seq": None,
            "truth": {"fault": name, "target": target},
        }

    played(case, story)


def test_before_it_has_begun_an_alarm_is_false_and_even_the_right_diagnosis_is_wrong():
    async def story(_, player):
        for case in CASES:
            player.answer("diagnosis", {"fault": case.place[0], "target": case.place[1]})
            assert player.state()["answers"]["diagnosis"]["right"] is False
        player.answer("noticed", True)
        return player.state()

    state = played(CUT, story)
    assert state["answers"]["noticed"] == {"given": True, "right": False, "seq": None}
    assert state["checks"] == {}


def test_no_remedy_is_right_before_it_is_named_so_that_nothing_is_ended_and_told_by_trying_all():
    async def story(cluster, player):
        for moment in ("now", "began"):
            if moment == "began":
                await until(cluster, player, "began")
            for remedy in Remedy:
                player.answer("remedy", str(remedy))
                assert player.state()["answers"]["remedy"]["right"] is False
            await asyncio.sleep(5)
        assert [one.record.name for one in cluster.faults] == ["partition"]
        ended = [one for one in cluster.journal.since(0, cluster.journal.head) if one["kind"] == "fault.ended"]
        assert (ended, player.state()["checks"]) == ([], {})

    played(CUT, story)


def test_what_is_down_may_be_called_by_each_of_its_names():
    places = {
        case.fault["name"]: (case.place, *case.also) for case in CASES if case.fault["target"].endswith("apiserver")
    }
    down = {("kill", "control-plane/kube-apiserver"), ("stop", "control-plane/kube-apiserver")}
    assert down < set(places["api-server-down"])
    assert len(places["serving-certificate-wrong-name"]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "stop",
        {},
        {"fault": "stop"},
        {"fault": "x", "target": "y"},
        {"fault": "stop", "target": "y" * 300},
        {"fault": ["stop"], "target": "y"},
    ],
)
def test_what_is_no_diagnosis_is_refused_in_words(answer):
    with pytest.raises(ValueError, match="A diagnosis names a fault"):
        make("7").question("diagnosis").accept(answer)


def test_who_deals_with_an_incident_may_neither_break_nor_heal_and_their_instructor_may():
    incident, other = Cluster(lesson="incidents/2026-11-27"), Cluster(lesson="exercises/node-down")
    assert [Access(incident, role).may(Action.BREAK) for role in (Role.OWNER, Role.HELD)] == [False, False]
    assert Access(incident, Role.INSTRUCTOR).may(Action.BREAK)
    assert Access(other, Role.OWNER).may(Action.BREAK)
    assert Access(incident, Role.OWNER).may(Action.TYPE)


@pytest.mark.timeout(300)
@pytest.mark.long
def test_an_incident_can_be_noticed_named_and_repaired_and_not_without_its_remedy():
    report = trial.check(IMAGE)  # `make lessons` plays every case
    assert [str(error) for error in report.errors] == []


@pytest.mark.long
def test_a_case_that_works_again_by_itself_is_refused():
    healed = next(case for case in CASES if case.fault["name"] == "latency")
    report = trial.check(type(healed)(**{**_parts(healed), "works": {"reached": "diagnosed"}}))
    assert any("without a remedy" in str(error) for error in report.errors)


def _parts(case):
    return {name: getattr(case, name) for name in case.__dataclass_fields__}


def test_a_storyline_may_be_called_by_its_last_part_and_not_by_what_merely_came_first():
    case = next(case for case in CASES if case.place == ("storyline", "etcd-fills-up"))
    question = make("7", case).question("diagnosis")

    def right(fault, target):
        return question.judge({"fault": fault, "target": target}, {"began": None}).right

    assert right("storyline", "etcd-fills-up")
    assert right("etcd-no-space", "control-plane/etcd")
    assert not right("etcd-slow-disk", "control-plane/etcd")
    assert not right("storyline", "a-node-fails-slowly")


@pytest.mark.long
def test_what_is_mine_to_repair_is_ended_once_it_works_and_told_then():
    async def story(cluster, player):
        name, target = IMAGE.place
        await until(cluster, player, "seen")
        player.answer("diagnosis", {"fault": name, "target": target})
        await asyncio.sleep(0.1)
        assert set(player.state()["checks"]) == {"noticed", "diagnosed"}, "who names it has noticed it"
        for line in IMAGE.by_hand:
            await cluster.command(line, lambda *_: None)
        await until(cluster, player, "repaired")
        await asyncio.sleep(1)
        ended = [one for one in cluster.journal.since(0, cluster.journal.head) if one["kind"] == "fault.ended"]
        return player.state(), [one["fields"]["name"] for one in ended]

    state, ended = played(IMAGE, story)
    assert ended == ["image-not-found"]
    assert state["solved"]
    assert {"began", "seen", "mended"} <= set(state["anchors"])


def test_the_command_plays_all_that_an_incident_can_be(monkeypatch, capsys):
    monkeypatch.setattr(lessons, "CASES", (CUT,))
    monkeypatch.setattr(trial, "check", lambda case, journals: Report(path=case.id, errors=()))
    call_command("lessons", "check", "--incidents")
    said = capsys.readouterr().out
    assert said.startswith("partition worker-1")
    assert "1 lesson, 0.00 s of CPU" in said
