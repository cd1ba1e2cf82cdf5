"""Breaking, noticing, diagnosing, healing and holding the clusters of a class, and what the board says of it."""

import asyncio
import csv
import io
from dataclasses import dataclass

import pytest
import pytest_asyncio
from django.utils import timezone
from rooms_people import JSON, Browser, Socket, instructor
from web_until import PATIENCE, until

from cluster_engine import deeds
from cluster_engine.deeds import Applied, Command
from visualizer import attempt_limits
from visualizer.database import in_database
from visualizer.hosting import messages, web_process
from visualizer.hosting.messages import Inputs, Lesson, Stop, cluster_name, say
from visualizer.lessons import library
from visualizer.models import Cluster
from visualizer.rooms import incidents, instructor_actions, lessons, live_room, selectors
from visualizer.rooms.models import Incident, Member, Report, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

OFF = {"name": "power-off", "target": "worker-1"}
EVERYBODY = {"all": True}
ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass
class Learner:
    browser: Browser
    member: Member
    socket: Socket
    cluster: str


@dataclass
class Class:
    room: Room
    ada: Browser
    board: Socket
    bea: Learner
    cleo: Learner

    async def break_(self, targets=EVERYBODY, fault=OFF, **fields) -> int:
        await self.board.say(type="break", id="b1", fault=fault, targets=targets, **fields)
        return (await self.board.hear("broken", id="b1"))["incident"]

    async def row(self, learner: Learner, holds) -> dict:
        return await self.board.hear_row(lambda row: row["member"] == learner.member.pk and holds(row))

    async def applied(self, learner: Learner, incident: int) -> None:
        reports = Report.objects.filter(member=learner.member, incident=incident).exclude(applied_at=None)
        await until(in_database(reports.exists))


async def learner(room: Room, name: str, group: str = "") -> Learner:
    browser = Browser()
    member = await browser.join(room, name, group)
    cluster = (await browser.get(f"/rooms/{room.pk}/")).context["cluster_id"]
    await until(lambda: _runs(cluster))
    socket = await Socket.of(room, browser)
    await socket.hear("room")
    return Learner(browser, member, socket, cluster)


async def _runs(cluster: str) -> bool:
    return (await in_database(Cluster.objects.get)(pk=cluster)).state == Cluster.State.RUNNING


@pytest_asyncio.fixture
async def school(host, bus) -> Class:
    ada = await instructor()
    room = await ada.open_room()
    bea, cleo = await learner(room, "Bea", "A"), await learner(room, "Cleo", "B")
    board = await Socket.of(room, ada)
    await board.hear("board")
    return Class(room, ada, board, bea, cleo)


async def diagnose(learner: Learner, fault: str, target: str) -> tuple[bool, int]:
    await learner.socket.say(type="diagnose", fault=fault, target=target)
    answer = await learner.socket.hear("diagnosis")
    return answer["right"], answer["tries"]


async def notice(learner: Learner) -> bool:
    await learner.socket.say(type="notice")
    return not (await learner.socket.hear("noticed"))["false"]


# Breaking -------------------------------------------------------------------------------------------------------------


async def test_a_fault_for_all_is_let_happen_in_every_learners_cluster(school):
    incident = await school.break_()
    for one in (school.bea, school.cleo):
        await school.applied(one, incident)
        await until(lambda one=one: _started(school, one))
    rows = [await school.board.hear_row(lambda row: row["reports"][str(incident)]["applied"]) for _ in range(2)]
    assert {row["name"] for row in rows} == {"Bea", "Cleo"}


async def test_a_machine_that_one_cluster_has_more_is_offered_and_the_others_say_that_they_have_none(school):
    path = f"/rooms/{school.room.pk}/workers/"
    before = (await school.ada.get(path)).json()["workers"]
    added = Command(id="m", line="machines add")
    await web_process.current().clusters.ask(school.bea.cluster, added)
    await until(lambda: _has_more(school, path, before))
    assert (await school.ada.get(path)).json()["workers"] == [*before, f"worker-{len(before) + 1}"]
    assert (await school.bea.browser.get(path, headers=JSON)).status_code == 403

    incident = await school.break_(fault={"name": "power-off", "target": f"worker-{len(before) + 1}"})
    await school.applied(school.bea, incident)
    row = await school.row(school.cleo, lambda row: row["reports"][str(incident)]["problem"])
    assert "there is no host" in row["reports"][str(incident)]["problem"]


async def _has_more(school: Class, path: str, before: list[str]) -> bool:
    return len((await school.ada.get(path)).json()["workers"]) > len(before)


async def _started(school: Class, one: Learner) -> list:
    entries = (await school.ada.get(f"/clusters/{one.cluster}/entries/")).json()["entries"]
    started = [entry for entry in entries if entry["kind"] == "fault.started"]
    assert "power-off" not in str(started), "the learner reads this journal too"
    return started


async def test_a_learner_is_told_nothing_of_it(school):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    assert await school.bea.socket.quiet(0.5)


@pytest.mark.parametrize(("targets", "names"), [({"group": "A"}, {"Bea"}), ({"member": "cleo"}, {"Cleo"})])
async def test_a_fault_may_be_for_a_group_or_for_one(school, targets, names):
    if "member" in targets:
        targets = {"member": school.cleo.member.pk}
    incident = await school.break_(targets)
    whose = await in_database(lambda: {one.member.name for one in Report.objects.select_related("member")})()
    assert whose == names
    frame = await school.board.has_heard("incident")
    assert frame["incident"] == {
        **frame["incident"], "id": incident, "targets": targets, "when": None, "healed": None,
    }  # fmt: skip
    assert frame["incident"]["fault"]["name"] == "power-off"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fault": {"name": "earthquake", "target": "worker-1"}}, "there is no fault earthquake"),
        ({"fault": {"name": "power-off"}}, "needs a target"),
        ({"when": {"moon": "full"}}, "moon"),
        ({"when": "entry: [unclosed"}, "YAML"),
        ({"when": ALIASES}, "aliasing"),
        ({"when": "[" * 8_000}, "exceeded max depth"),
        ({"targets": {"group": "nobody's"}}, "Nobody is there"),
        ({"targets": {"member": 10**9}}, "Nobody is there"),
    ],
)
async def test_what_cannot_be_broken_is_said_in_words_with_its_id(school, fields, words):
    await school.board.say(**{"type": "break", "id": "b1", "fault": OFF, "targets": EVERYBODY, **fields})
    answer = await school.board.hear("error", id="b1")
    assert words in answer["message"]
    assert await in_database(Incident.objects.count)() == 0


async def test_a_fault_that_does_not_fit_says_so_in_the_report(school):
    incident = await school.break_(fault={"name": "power-off", "target": "worker-77"})
    row = await school.row(school.bea, lambda row: row["reports"].get(str(incident), {}).get("problem"))
    assert "worker-77" in row["reports"][str(incident)]["problem"]
    assert row["reports"][str(incident)]["applied"] is None


async def test_a_cluster_that_does_not_run_holds_up_no_other(school, host):
    await host.clusters.ask(school.bea.cluster, Stop("stopped"))
    incident = await school.break_()
    await school.applied(school.cleo, incident)
    report = await in_database(Report.objects.get)(member=school.bea.member)
    assert "does not run" in report.problem


async def test_who_has_no_cluster_yet_has_a_report_that_says_so(school):
    await Browser().join(school.room, "Dan")
    await school.break_()
    report = await in_database(Report.objects.get)(member__name="Dan")
    assert report.problem == instructor_actions.NO_CLUSTER


async def test_a_fault_waits_for_its_moment(school):
    when = "entry:\n  kind: tls.alert\n"
    incident = await school.break_(when=when)
    frame = await school.board.has_heard("incident")
    assert frame["incident"]["when"] == {"entry": {"kind": "tls.alert"}}
    reports = await in_database(lambda: list(Report.objects.values_list("applied_at", "problem")))()
    assert reports == [(None, ""), (None, "")]
    assert not await notice(school.bea), "it has not happened yet"
    told = say(Applied(incident, "fault-1", 4.2), 1)
    await web_process.current().bus.append(cluster_name(school.bea.cluster), told)
    await school.applied(school.bea, incident)
    assert await notice(school.bea) and not await notice(school.cleo)


async def test_what_is_told_twice_counts_once(school):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    before = await in_database(Report.objects.get)(member=school.bea.member)
    await web_process.current().bus.append(cluster_name(school.bea.cluster), say(Applied(incident, "fault-1", 4.2), 1))
    assert await in_database(incidents.applied)(incident, school.bea.cluster, "too late") == []
    after = await in_database(Report.objects.get)(member=school.bea.member)
    assert (before.applied_at, before.problem) == (after.applied_at, after.problem)


async def test_a_room_has_so_many_incidents_and_no_more(school, monkeypatch):
    monkeypatch.setattr(incidents, "INCIDENTS_MAX", 1)
    await school.break_()
    await school.board.say(type="break", id="b2", fault=OFF, targets=EVERYBODY)
    assert "as many incidents" in (await school.board.hear("error", id="b2"))["message"]


async def test_nothing_is_broken_in_a_closed_room(school):
    await school.ada.post(f"/rooms/{school.room.pk}/close/")
    await school.board.say(type="break", id="b2", fault=OFF, targets=EVERYBODY)
    assert "closed" in (await school.board.hear("error", id="b2"))["message"]


async def test_where_all_watch_one_cluster_it_is_broken_for_all(host, bus):
    ada = await instructor()
    room = await ada.open_room(mode="shared")
    bea = await learner(room, "Bea")
    board = await Socket.of(room, ada)
    await board.hear("board")
    await board.say(type="break", id="b1", fault=OFF, targets={"member": bea.member.pk})
    assert (await board.hear("broken"))["targets"] == 1
    await board.hear_row(lambda row: any(one["applied"] for one in row["reports"].values()))
    assert await notice(bea)


# Noticing and diagnosing ----------------------------------------------------------------------------------------------


async def test_a_learner_notices_and_diagnoses_and_the_board_says_after_how_long(school):
    assert not await notice(school.bea)
    row = await school.row(school.bea, lambda row: row["falseAlarms"])
    assert (row["falseAlarms"], row["reports"]) == (1, {})
    incident = await school.break_()
    await school.applied(school.bea, incident)
    assert await notice(school.bea)
    await school.row(school.bea, lambda row: row["reports"][str(incident)]["noticed"] is not None)
    assert await diagnose(school.bea, "stop", "worker-1") == (False, 1)
    assert await diagnose(school.bea, "power-off", "worker-2") == (False, 2)
    assert await diagnose(school.bea, "power-off", "worker-1") == (True, 3)
    row = await school.row(school.bea, lambda row: row["reports"][str(incident)]["diagnosed"] is not None)
    report = row["reports"][str(incident)]
    assert 0 <= report["noticed"] <= report["diagnosed"] < 60 and report["tries"] == 3
    report = await in_database(Report.objects.get)(member=school.cleo.member)
    assert (report.noticed_at, report.diagnosed_at, report.tries) == (None, None, 0)


async def test_a_right_diagnosis_counts_as_noticing_and_is_not_made_later_by_saying_it_again(school):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    assert await diagnose(school.bea, "power-off", "worker-1") == (True, 1)
    first = await in_database(Report.objects.get)(member=school.bea.member)
    assert first.noticed_at == first.diagnosed_at
    assert await diagnose(school.bea, "power-off", "worker-1") == (True, 1)
    again = await in_database(Report.objects.get)(member=school.bea.member)
    assert (again.diagnosed_at, again.tries) == (first.diagnosed_at, 1)


async def test_of_two_faults_the_one_that_is_named_is_found(school):
    one = await school.break_()
    two = await school.break_(fault={"name": "stop", "target": "worker-2/kubelet"})
    for incident in (one, two):
        await school.applied(school.bea, incident)
    assert await diagnose(school.bea, "stop", "worker-2/kubelet") == (True, 1)
    found = await in_database(
        lambda: dict(Report.objects.filter(member=school.bea.member).values_list("incident", "tries"))
    )()
    assert found == {one: 0, two: 1}


async def test_a_storyline_is_found_by_its_name_or_by_its_last_parts(school):
    incident = await school.break_(fault={"name": "storyline", "target": "etcd-fills-up"})
    for one in (school.bea, school.cleo):
        await school.applied(one, incident)
    assert await diagnose(school.bea, "etcd-slow-disk", "control-plane/etcd") == (False, 1)
    assert await diagnose(school.bea, "etcd-no-space", "control-plane/etcd") == (True, 2)
    assert await diagnose(school.cleo, "storyline", "a-node-fails-slowly") == (False, 1)
    assert await diagnose(school.cleo, "storyline", "etcd-fills-up") == (True, 2)


async def test_what_nobody_broke_or_somebody_healed_cannot_be_diagnosed(school):
    assert await diagnose(school.bea, "power-off", "worker-1") == (False, 0)
    incident = await school.break_()
    await school.applied(school.bea, incident)
    await school.board.say(type="heal", incident=incident)
    await until(in_database(Incident.objects.exclude(healed_at=None).exists))
    assert await diagnose(school.bea, "power-off", "worker-1") == (False, 0)
    assert not await notice(school.bea)


async def test_guessing_is_bounded(school):
    await school.applied(school.bea, await school.break_())
    for _ in range(20):  # GUESSES_A_MINUTE
        await in_database(attempt_limits.take)("diagnose", str(school.bea.member.pk), 20, 60)
    await school.bea.socket.say(type="diagnose", fault="power-off", target="worker-1")
    assert "Too many tries" in (await school.bea.socket.hear("error"))["message"]
    assert (await in_database(Report.objects.get)(member=school.bea.member)).tries == 0


# Healing and holding --------------------------------------------------------------------------------------------------


async def test_an_incident_is_healed_everywhere_and_then_the_journal_says_what_it_was(school):
    one, two = await school.break_(), await school.break_(fault={"name": "power-off", "target": "worker-2"})
    for incident in (one, two):
        await school.applied(school.bea, incident)
    await school.board.say(type="heal", incident=one)
    await _healed(school, one)
    await until(lambda: _ended(school, school.bea))
    await school.board.say(type="heal")
    await _healed(school, two)
    await school.board.say(type="heal", incident=one)
    assert "healed already" in (await school.board.hear("error"))["message"]


async def _healed(school: Class, incident: int) -> dict:
    while True:
        frame = (await school.board.hear("incident"))["incident"]
        if frame["id"] == incident and frame["healed"]:
            return frame


async def _ended(school: Class, one: Learner) -> list:
    entries = (await school.ada.get(f"/clusters/{one.cluster}/entries/")).json()["entries"]
    return [entry for entry in entries if entry["kind"] == "fault.ended"]


async def clock(host, cluster: str) -> bool:
    feed, viewer = await host.hub.join(cluster)
    try:
        await until(lambda: feed.clock is not None)
        return feed.clock.paused
    finally:
        host.hub.leave(feed, viewer)


async def test_a_pause_holds_every_learner_and_who_comes_later_until_it_is_over(school, host):
    await school.board.say(type="pause", on=True)
    await school.bea.socket.hear_room(lambda frame: frame["room"]["paused"])
    for one in (school.bea, school.cleo):
        await until(lambda one=one: clock(host, one.cluster))
    dan = await learner(school.room, "Dan")
    await until(lambda: clock(host, dan.cluster))
    await school.board.say(type="pause", on=False)
    await school.bea.socket.hear_room(lambda frame: not frame["room"]["paused"])
    for one in (school.bea, school.cleo, dan):
        await until(lambda one=one: _goes(host, one.cluster))


async def _goes(host, cluster: str) -> bool:
    return not await clock(host, cluster)


async def test_closing_a_room_lets_its_clusters_go_on(school, host):
    await school.board.say(type="pause", on=True)
    await until(lambda: clock(host, school.bea.cluster))
    await school.ada.post(f"/rooms/{school.room.pk}/close/")
    await until(lambda: _goes(host, school.bea.cluster))


async def test_what_was_healed_while_a_cluster_was_away_does_not_come_back_with_it(school, host):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    await host.clusters.ask(school.bea.cluster, Stop("idle"))
    await until(lambda: _is_suspended(school.bea.cluster))
    await school.board.say(type="heal", incident=incident)
    await _healed(school, incident)
    assert await in_database(Report.objects.filter(healed_at=None).count)() == 0
    await school.bea.browser.get(f"/rooms/{school.room.pk}/")
    await until(lambda: _runs(school.bea.cluster))
    await until(lambda: _ended(school, school.bea))


async def _is_suspended(cluster: str) -> bool:
    return (await in_database(Cluster.objects.get)(pk=cluster)).state == Cluster.State.SUSPENDED


async def _faults(school: Class, cluster: str, kind: str = "fault.started") -> list[dict]:
    entries = (await school.ada.get(f"/clusters/{cluster}/entries/")).json()["entries"]
    return [entry for entry in entries if entry["kind"] == kind]


async def _reset(school: Class, one: Learner) -> str:
    answer = await one.browser.post(f"/clusters/{one.cluster}/reset/", headers=JSON)
    successor = answer.json()["id"]
    await until(lambda: _runs(successor))
    return successor


async def test_a_reset_does_not_rid_a_learner_of_an_incident(school):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    first = (await in_database(Report.objects.get)(member=school.bea.member)).applied_at
    successor = await _reset(school, school.bea)
    started = await until(lambda: _faults(school, successor))
    assert len(started) == 1 and started[0]["fields"]["sealed"]
    assert await notice(school.bea), "it counts from the first time"
    assert (await in_database(Report.objects.get)(member=school.bea.member)).applied_at == first
    await school.board.say(type="heal", incident=incident)
    await until(lambda: _faults(school, successor, "fault.ended"))


async def test_what_still_waits_for_its_moment_waits_in_a_successor_too(school):
    await school.break_(when="entry:\n  label: now\n")
    successor = await _reset(school, school.bea)
    await until(lambda: _waits_there(successor))
    page = await Socket.at(f"/ws/clusters/{successor}/", school.bea.browser)
    await page.say(type="watch", since=0)
    await page.say(type="command", id="k1", line="echo other")
    await page.hear("done", id="k1")
    assert await _faults(school, successor) == []
    await page.say(type="command", id="k2", line="echo now")
    await until(lambda: _faults(school, successor))
    await until(lambda: _is_applied(school.bea))


async def _waits_there(cluster: str) -> bool:
    inputs = await web_process.current().clusters.ask(cluster, Inputs())
    return any(isinstance(one.act, deeds.Incident) for one in messages.inputs(inputs))


async def _is_applied(one: Learner) -> bool:
    return (await in_database(Report.objects.get)(member=one.member)).applied_at is not None


async def test_what_was_healed_does_not_come_with_a_reset(school):
    incident = await school.break_()
    await school.applied(school.bea, incident)
    await school.board.say(type="heal", incident=incident)
    await _healed(school, incident)
    successor = await _reset(school, school.bea)
    later = await school.break_(fault={"name": "power-off", "target": "worker-2"})
    await school.applied(school.bea, later)
    await until(lambda: _faults(school, successor))
    assert len(await _faults(school, successor)) == 1


async def test_healing_for_one_reaches_what_was_broken_for_all_and_only_there(school):
    incident = await school.break_()
    for one in (school.bea, school.cleo):
        await school.applied(one, incident)
    await school.board.say(type="heal", targets={"member": school.bea.member.pk})
    await until(lambda: _faults(school, school.bea.cluster, "fault.ended"))
    row = await school.row(school.bea, lambda row: row["reports"][str(incident)]["healed"])
    assert row["reports"][str(incident)]["applied"]
    assert await _faults(school, school.cleo.cluster, "fault.ended") == []
    assert not await notice(school.bea) and await notice(school.cleo)
    assert (await in_database(Incident.objects.get)()).healed_at is None
    await school.board.say(type="heal", targets={"group": "B"})
    await _healed(school, incident)


async def test_who_has_nothing_broken_cannot_be_healed(school):
    await school.applied(school.bea, await school.break_({"member": school.bea.member.pk}))
    await school.board.say(type="heal", targets={"member": school.cleo.member.pk})
    assert "Nothing is broken there" in (await school.board.hear("error"))["message"]


async def test_where_all_watch_one_cluster_it_is_healed_for_all(host, bus):
    ada = await instructor()
    room = await ada.open_room(mode="shared")
    bea, cleo = await learner(room, "Bea"), await learner(room, "Cleo")
    board = await Socket.of(room, ada)
    await board.hear("board")
    await board.say(type="break", id="b1", fault=OFF, targets=EVERYBODY)
    await board.hear_row(lambda row: any(one["applied"] for one in row["reports"].values()))
    await board.say(type="heal", targets={"member": bea.member.pk})
    await board.hear_row(lambda row: row["name"] == "Cleo" and all(one["healed"] for one in row["reports"].values()))
    assert not await notice(cleo)


# The board ------------------------------------------------------------------------------------------------------------


async def test_the_board_says_how_far_a_learner_is_in_the_lesson(school, host, monkeypatch):
    monkeypatch.setattr(lessons, "milestones", lambda slug: ("noticed", "repaired"))
    await in_database(Cluster.objects.filter(pk=school.bea.cluster).update)(lesson="exercises/node-down")
    state = {"beat": None, "anchors": {"cut": {"seq": 5, "at": 0.5}}, "checks": {"noticed": {"seq": 9, "at": 1.5}}}
    await host.bus.append(cluster_name(school.bea.cluster), say(Lesson(state), 1))
    row = await school.row(school.bea, lambda row: row["where"] and row["where"]["last"])
    assert row["where"] == {
        "lesson": "exercises/node-down", "beat": None, "checks": 1, "of": 2, "last": {"id": "noticed", "at": 1.5},
    }  # fmt: skip


async def test_the_board_follows_a_cluster_to_its_successor(school):
    await school.bea.browser.post(f"/clusters/{school.bea.cluster}/reset/")
    row = await school.row(school.bea, lambda row: row["cluster"]["id"] != school.bea.cluster)
    frame = await school.bea.socket.hear_room(lambda frame: frame["me"]["cluster"] == row["cluster"]["id"])
    assert frame["me"]["cluster"] == (await school.bea.browser.get(f"/rooms/{school.room.pk}/")).context["cluster_id"]


async def test_a_lost_hint_is_made_good_by_looking(school, monkeypatch):
    monkeypatch.setattr(live_room, "LOOK_SECONDS", 0.05)
    fresh = await Socket.of(school.room, school.ada)
    await school.bea.socket.close()
    await school.cleo.socket.close()
    await school.board.close()
    await fresh.hear("board")
    await in_database(Member.objects.filter(pk=school.bea.member.pk).update)(help_at=timezone.now())
    await fresh.hear_row(lambda row: row["help"])


async def test_results_are_a_row_for_each_learner(school):
    incident = await school.break_({"group": "A"})
    await school.applied(school.bea, incident)
    await diagnose(school.bea, "stop", "x")
    await diagnose(school.bea, "power-off", "worker-1")
    await in_database(Member.objects.filter(pk=school.cleo.member.pk).update)(name="=Cleo()")
    answer = await school.ada.get(f"/rooms/{school.room.pk}/results.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="glassplane-{school.room.code}.csv"' in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["Name"] for row in rows] == ["Bea", "'=Cleo()"]
    what = "1. Host without power (worker-1): "
    assert rows[0][what + "tries"] == "2" and float(rows[0][what + "diagnosed after seconds"]) >= 0
    assert rows[1][what + "tries"] == ""
    german = await school.ada.get(f"/rooms/{school.room.pk}/results.csv", headers={"accept-language": "de"})
    assert "Gruppe" in german.content.decode("utf-8-sig") and "Host ohne Strom" in german.content.decode("utf-8-sig")


async def test_titles_and_problems_are_in_the_readers_language(school):
    lesson = "exercises/node-down"
    await in_database(Room.objects.filter(pk=school.room.pk).update)(lesson=lesson)
    progress = {"beat": None, "anchors": {"noise": {"seq": 9, "at": 2.0}}, "checks": {"unknown": {"seq": 5, "at": 1.5}}}
    await in_database(Cluster.objects.filter(pk=school.bea.cluster).update)(lesson=lesson, progress=progress)
    await school.break_(fault={"name": "power-off", "target": "worker-77"})
    german = {"accept-language": "de"}
    console = await school.ada.get(f"/rooms/{school.room.pk}/console/", headers=german)
    assert console.context["beats"]["unknown"].startswith("Die Control Plane schreibt auf")
    row = (await in_database(selectors.board_rows)(school.room.pk, [school.bea.member.pk]))[0]
    assert row["where"]["last"]["id"] == "unknown", "a mark has no title, so it is nowhere to be"
    table = (await school.ada.get(f"/rooms/{school.room.pk}/results.csv", headers=german)).content.decode("utf-8-sig")
    bea = list(csv.reader(io.StringIO(table, newline="")))[1]
    assert bea[2] == library.prose(library.find(lesson), "de").title
    assert any(cell.startswith("Einen Host worker-77 gibt es nicht") for cell in bea)
    board = await Socket.of(school.room, school.ada, language="de")
    rows = (await board.hear("board"))["rows"]
    problems = [report["problem"] for row in rows for report in row["reports"].values()]
    assert all(one.startswith("Einen Host worker-77 gibt es nicht") for one in problems) and len(problems) == 2
    await school.break_(fault={"name": "power-off", "target": "worker-78"})
    said = await board.hear_row(lambda row: len(row["reports"]) == 2 and list(row["reports"].values())[1]["problem"])
    assert "worker-78 gibt es nicht" in list(said["reports"].values())[1]["problem"]
    english = await school.board.hear_row(lambda row: len(row["reports"]) == 2)
    assert "there is no" in next(iter(english["reports"].values()))["problem"]


async def test_forty_clusters_are_asked_side_by_side(school, host, monkeypatch):
    asked, together = [], asyncio.Event()

    async def answer(cluster, question):
        asked.append(cluster)
        if len(asked) == 42:
            together.set()
        await together.wait()
        return {"fault": None}

    monkeypatch.setattr(host.clusters, "answer", answer)

    def forty():
        for number in range(40):
            row = Cluster.objects.create(visitor=f"v{number}")
            Member.objects.create(room=school.room, visitor=f"v{number}", name=f"n{number}", cluster=row)

    await in_database(forty)()
    async with asyncio.timeout(PATIENCE):  # who is asked only after another has answered is never asked
        await school.break_()
    assert len(await in_database(selectors.board_rows)(school.room.pk)) == 42


async def test_a_learner_neither_heals_nor_undoes_what_the_instructor_broke(school):
    await school.applied(school.bea, await school.break_())
    page = await Socket.at(f"/ws/clusters/{school.bea.cluster}/", school.bea.browser)
    await page.say(type="heal", id="h1", fault="fault-1")
    assert "find out first" in (await page.hear("error", id="h1"))["message"]
    await page.say(type="inject", id="i1", fault={"name": "power-off", "target": "worker-2"})
    await page.hear("injected", id="i1")
    await page.say(type="heal", id="h2")
    await page.hear("healed", id="h2")
    ended = await until(lambda: _ended(school, school.bea))
    assert [entry["fields"]["id"] for entry in ended] == ["fault-2"]


async def test_what_a_learner_did_before_an_incident_is_not_undone(school):
    await school.applied(school.bea, await school.break_())
    answer = await school.bea.browser.post(f"/clusters/{school.bea.cluster}/undo/", headers=JSON)
    assert answer.status_code >= 400 and "nothing to undo" in answer.json()["message"]
