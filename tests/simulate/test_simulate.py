"""A share of `make simulate`, and that what goes wrong in a real cluster is found."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from cluster_engine.api.kinds import REPLICA_SET
from cluster_engine.apiserver.authentication.tokens import ServiceAccountTokens
from cluster_engine.apiserver.registry import metadata
from cluster_engine.apiserver.watch_cache import WatchCache
from cluster_engine.etcd.store import Write as StoreWrite
from cluster_engine.faults import FAULTS, UNOFFERED, read
from cluster_engine.faults.links import LinkFault
from cluster_engine.scheduler import filters
from cluster_engine.scheduler.main import Scheduler
from tests.recent import EPOCH
from tests.simulate.__main__ import main, simulate
from tests.simulate.again import SAME, TOLD, differences, hosted, narrow_from, played_again
from tests.simulate.clients import CLIENTS
from tests.simulate.conflicts import STALE
from tests.simulate.ends import BUGS, COPIES, WISHES
from tests.simulate.judge import judge
from tests.simulate.pauses import Pauses
from tests.simulate.placement import BOUND
from tests.simulate.plan import KINDS, Plan, Typed, draw
from tests.simulate.play import play
from tests.simulate.security import ENDED
from tests.simulate.story import Story
from tests.simulate.traffic import exchanges
from tests.simulate.watches import GAPS
from tests.simulate.writes import LOST

QUIET = Plan(1, 1, 6.0, (Typed(0.5, "kubectl create deployment web --image=nginx --replicas=2"),))


def test_no_invariant_is_violated_whatever_breaks():
    assert simulate(12, EPOCH).report == ""


def test_as_many_seeds_in_a_row_as_there_are_faults_have_them_all_and_all_else_is_drawn_too():
    plans = [draw(seed) for seed in range(1, 1 + len(KINDS))]
    assert {fault.name for plan in plans for fault in plan.faults} == {*FAULTS, *UNOFFERED}
    assert {name for plan in plans for _, name in plan.clients} == set(CLIENTS)
    moments = [moment for plan in plans for moment in plan.moments]
    assert {moment.sealed for moment in moments} == {True, False}
    assert any(plan.standby for plan in plans)
    assert any(plan.gateway for plan in plans)
    assert any(plan.system_pods for plan in plans)
    assert any(plan.etcd_members > 1 for plan in plans)
    links = [fault for seed in range(100) for fault in draw(seed).faults if isinstance(fault, LinkFault)]
    assert any(fault.target.startswith("worker") and fault.peer.startswith("worker") for fault in links)


def test_one_seed_is_one_plan_and_one_story():
    assert draw(5) == draw(5) != draw(6)
    first, second = play(QUIET), play(QUIET)
    told = [[(one["at"], one["kind"], one["label"]) for one in story.entries] for story in (first, second)]
    assert told[0] == told[1]


@pytest.mark.long
def test_pauses_and_steps_in_the_middle_change_nothing():
    plan = draw(16)
    pauses = Pauses.drawn(16, plan.seconds)
    stories = [play(plan), play(plan, pauses=pauses)]
    told = [[tuple(one.get(key) for key in TOLD) for one in story.entries] for story in stories]
    assert pauses.made > 5
    assert told[0] == told[1]


@pytest.mark.long
def test_one_seed_from_one_second_on_is_one_story_in_any_process(tmp_path):
    """Another process has other hashes and other addresses; none may be seen, not even when components are stopped."""
    stories = []
    for hashes in ("1", "77"):
        journal = tmp_path / f"{hashes}.jsonl"
        command = [sys.executable, "-m", "tests.simulate", "--first=61", "--epoch=recent", f"--journal={journal}"]
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        subprocess.run(command, env=environment, capture_output=True, check=True, timeout=300)
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        stories.append([tuple(one.get(key) for key in TOLD) for one in entries])
    assert len(stories[0]) > 1000
    assert stories[0] == stories[1]


def violated(plan=QUIET):
    return {violation.invariant for violation in judge(play(plan))}


@pytest.mark.long
def test_an_event_that_the_watch_cache_forgets_is_found(monkeypatch):
    publish = WatchCache._publish

    def forgetful(cache, event):
        if event.now is None or cache.kind.name != "Pod" or event.before is None:
            publish(cache, event)

    monkeypatch.setattr(WatchCache, "_publish", forgetful)
    assert violated() >= {GAPS, COPIES, WISHES}


@pytest.mark.long
def test_a_write_that_etcd_answers_and_does_not_do_is_found(monkeypatch):
    put = StoreWrite.put

    def forgetful(write, key, value, lease=0):
        if key.startswith(b"/registry/deployments/default/web") and b'"availableReplicas":2' in value:
            write._store.revision += 1
            return None
        return put(write, key, value, lease)

    monkeypatch.setattr(StoreWrite, "put", forgetful)
    assert LOST in violated()


def test_an_api_server_that_takes_stale_writes_is_found(monkeypatch):
    monkeypatch.setattr(metadata, "check_preconditions", lambda *_: None)
    assert STALE in violated(replace(QUIET, clients=((1.0, "contender"), (1.0, "contender"))))


def test_an_api_server_that_does_not_ask_whether_an_account_is_still_there_is_found(monkeypatch):
    monkeypatch.setattr(ServiceAccountTokens, "_must_live", lambda *_: None)
    assert ENDED in violated(replace(QUIET, seconds=60.0, clients=((0.5, "bearer"),)))


def test_a_scheduler_that_does_not_look_at_taints_is_found(monkeypatch):
    monkeypatch.setattr(filters, "FILTERS", [each for each in filters.FILTERS if each[0] != "TaintToleration"])
    typed = (Typed(0.1, "kubectl taint node worker-1 dedicated=x:NoSchedule"), replace(QUIET.typed[0], at=3.0))
    assert BOUND in violated(replace(QUIET, typed=typed))


def test_a_bug_of_ours_is_found(monkeypatch):
    async def broken(self):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Scheduler, "run", broken)
    assert BUGS in violated()


def test_a_seed_that_fails_says_what_was_violated_and_how_to_see_it_again(monkeypatch, capsys, tmp_path):
    publish = WatchCache._publish

    def publish_other_kinds(cache, event):
        if cache.kind is not REPLICA_SET:
            publish(cache, event)

    monkeypatch.setattr(WatchCache, "_publish", publish_other_kinds)
    monkeypatch.setattr("tests.simulate.__main__.draw", lambda _: QUIET)
    journal = tmp_path / "journal.jsonl"
    assert main(["--first", "1", "--journal", str(journal)]) == 1
    printed = capsys.readouterr().out
    assert "seed 1 fails: 1 node, 6 s" in printed
    assert "0.5  kubectl create deployment web" in printed
    assert f"{COPIES}: " in printed
    assert re.search("again: python -m tests.simulate --first 1 --epoch [^ ]+ --journal 1.jsonl", printed)
    assert journal.read_bytes().count(b"\n") > 500


def test_a_run_that_goes_another_way_when_it_is_made_again_is_found():
    first = play(QUIET).entries
    assert not list(differences(first, first, float("inf"), "again"))
    other = [*first[:300], {**first[300], "label": "something else"}, *first[301:]]
    (found,) = differences(first, other, float("inf"), "again")
    assert (found.invariant, found.seqs) == (SAME, (301,))
    assert not list(differences(first, other, first[300]["at"], "again"))
    assert list(differences(first, first[:-1], float("inf"), "again"))


def test_a_run_made_again_is_compared_up_to_where_a_link_is_made_narrow():
    begun = [
        {"kind": "fault.started", "at": at, "fields": fields} for at, fields in ((3.0, {"name": "loss"}), (5.0, {}))
    ]
    narrow = read({"name": "bandwidth", "target": "worker-1"})
    assert narrow_from(QUIET, begun) == float("inf")
    assert narrow_from(replace(QUIET, faults=(narrow,)), begun) == float("inf")
    begun[1]["fields"]["sealed"] = True
    assert narrow_from(replace(QUIET, faults=(narrow,)), begun) == 5.0


@pytest.mark.long
def test_a_hosted_cluster_goes_the_same_way_when_it_is_replayed_and_the_same_until_what_was_undone():
    plan = draw(7)
    assert not list(played_again(plan, Story(epoch=EPOCH)))
    first = hosted(plan, EPOCH)
    assert len(first.inputs) > 5
    without_the_second = [one for one in first.inputs if one is not first.inputs[1]]
    other = hosted(plan, EPOCH, without_the_second, first.until)
    assert list(differences(first.entries, other.entries, float("inf"), "without the second input"))
    assert not list(differences(first.entries, other.entries, first.inputs[1].at, "until then"))


def test_a_program_of_this_machine_joins_by_the_gateway_and_is_judged_like_all():
    story = play(replace(QUIET, gateway=True))
    assert judge(story) == []
    outside = [one for one in exchanges(story.entries, story.said) if one.said.agent == "outside"]
    assert [one.status for one in outside if one.verb == "update"] == [200, 409] * 3
    assert {one.verb for one in outside} == {"create", "update", "get", "list", "delete"}
