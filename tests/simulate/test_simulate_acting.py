"""Pods that act, Jobs and managers, doctored: each invariant goes red, and only on what is wrong."""

from dataclasses import replace

import pytest

from tests.simulate import jobs as j
from tests.simulate import owners as o
from tests.simulate import phases as p
from tests.simulate import services as s
from tests.simulate.judge import judge
from tests.simulate.knowledge import Told
from tests.simulate.lines import is_endless
from tests.simulate.manifests import FOLDER
from tests.simulate.plan import Plan, Typed
from tests.simulate.play import play
from tests.simulate.story import History, Start
from tests.simulate.traffic import exchanges

CURL = "ssh worker-1 curl -s -m 3 http://$(kubectl get service probed -o jsonpath={.spec.clusterIP})"
APPLIES = tuple(
    f"--field-manager={name} -f {FOLDER}/{name}.json{force}"
    for name, force in (("left", ""), ("right", ""), ("right", " --force-conflicts"), ("both", ""), ("left", ""))
)
PLAN = Plan(
    seed=5,
    nodes=2,
    seconds=40.0,
    typed=(
        Typed(0.5, f"kubectl apply -f {FOLDER}/probed.json"),
        Typed(1.0, "kubectl expose deployment probed --port=80"),
        Typed(1.5, f"kubectl apply -f {FOLDER}/sum.json -f {FOLDER}/failing.json -f {FOLDER}/agent.json"),
        *(Typed(10.0 + 4 * turn, CURL) for turn in range(6)),
        Typed(14.0, "kubectl exec deployment/probed -- rm /tmp/ready"),
        *(Typed(3.0 + 2 * turn, f"kubectl apply --server-side {words}") for turn, words in enumerate(APPLIES)),
    ),
)


@pytest.fixture(scope="module")
def story():
    return play(PLAN)


@pytest.fixture(scope="module")
def traffic(story):
    return exchanges(story.entries, story.said)


def found(violations) -> set[str]:
    return {one.invariant for one in violations}


def changed(history, token, change):
    """Give a history in which each write of an object is another."""
    return History(change(one) if one.token == token and one.now is not None else one for one in history.writes)


def test_the_true_story_violates_nothing_and_has_what_is_judged(story, traffic):
    assert [str(one) for one in judge(story)] == []
    assert [one.status for one in traffic if "appliesAs" in one.request["fields"]] == [201, 409, 200, 409, 409]
    assert sum("leadsTo" in entry["fields"] for entry in story.entries if entry["kind"] == "tcp.syn") >= 6


# -- Services ----------------------------------------------------------------------------------------------------------


def led(story, turn, place):
    """Give the entries, with one connection of those to a Service led elsewhere."""
    led = [entry for entry in story.entries if entry["kind"] == "tcp.syn" and entry["from"] == "worker-1/curl"]
    other = {**led[turn], "fields": {**led[turn]["fields"], "leadsTo": place}}
    return [other if entry is led[turn] else entry for entry in story.entries]


def unready(story) -> tuple[str, float]:
    """Give who lost its file, and when that was written."""
    for write in story.history.of("endpointslices"):
        for endpoint in (write.now or {}).get("endpoints") or ():
            if write.at > 14.0 and endpoint["conditions"].get("ready") is False:
                return endpoint["addresses"][0], write.at
    raise AssertionError("nobody was unready")


def test_a_service_leads_to_nobody_who_has_not_been_ready_for_a_while(story):
    told = Told(story.entries)
    address, at = unready(story)
    assert at < 22.0, "when the fifth curl is typed it has long been known"
    assert found(s.unready_reached(led(story, 4, f"{address}:80"), story.history, told)) == {s.READY}
    assert not list(s.unready_reached(led(story, 0, f"{address}:80"), story.history, told))


def test_a_kube_proxy_that_ended_is_not_blamed_for_what_it_was_told_just_before(story):
    address, at = unready(story)
    last = {"seq": 10**6, "at": at + 0.5, "kind": "process.exited", "from": "worker-1/kube-proxy", "fields": {}}
    entries = sorted([*led(story, 4, f"{address}:80"), last], key=lambda entry: entry["at"])
    assert not list(s.unready_reached(entries, story.history, Told(entries)))


# -- Jobs --------------------------------------------------------------------------------------------------------------


def with_status(write, **status):
    return replace(write, now={**write.now, "status": {**write.now["status"], **status}})


def is_complete(write) -> bool:
    return any(one["type"] == "Complete" for one in write.now.get("status", {}).get("conditions", ()))


@pytest.mark.parametrize("count", [2, 4])
def test_a_job_completes_with_its_completions_and_no_others(story, count):
    def change(write):
        return with_status(write, succeeded=count) if is_complete(write) else write

    assert found(j.miscounted(changed(story.history, "jobs/default/sum", change))) == {j.COUNTED}


def test_a_job_that_counts_who_has_not_succeeded_is_found(story):
    history = History(one for one in story.history.writes if not one.token.startswith("pods/default/sum-"))
    assert found(j.miscounted(history)) == {j.COUNTED}


def test_a_job_that_was_over_and_goes_on_is_found(story):
    writes = list(story.history.writes)
    over = next(one for one in writes if one.token == "jobs/default/sum" and one.now and is_complete(one))
    on = replace(over, revision=10**6, before=over.now, now={**over.now, "status": {"succeeded": 3}})
    assert found(j.miscounted(History([*writes, on]))) == {j.FINISHED}
    pod = next(one for one in writes if one.token.startswith("pods/default/sum-") and one.before is None)
    late = replace(pod, revision=10**6)
    assert found(j.miscounted(History([*writes, late]))) == {j.FINISHED}


# -- managers ----------------------------------------------------------------------------------------------------------


def test_a_key_that_nobody_owns_is_found(story, traffic):
    def change(write):
        return replace(write, now={**write.now, "data": {**write.now["data"], "odd": "x"}})

    assert o.OWNED in found(o.misowned(traffic, changed(story.history, "configmaps/default/shared", change)))


def test_a_manager_who_owns_less_than_it_applied_is_found(story, traffic):
    def change(write):
        entries = [one for one in write.now["metadata"]["managedFields"] if one["manager"] != "right"]
        return replace(write, now={**write.now, "metadata": {**write.now["metadata"], "managedFields": entries}})

    assert o.APPLIED in found(o.misowned(traffic, changed(story.history, "configmaps/default/shared", change)))


def test_an_apply_that_took_what_another_owns_without_force_is_found(story, traffic):
    forced = next(one for one in traffic if one.parameter("force") == "true")
    path = forced.request["fields"]["path"].replace("force=true", "force=false")
    unforced = replace(forced, request={**forced.request, "fields": {**forced.request["fields"], "path": path}})
    assert found(o.misowned([unforced], story.history)) == {o.CONFLICTS}


def test_an_apply_that_was_refused_without_a_reason_is_found(story, traffic):
    first = next(one for one in traffic if "appliesAs" in one.request["fields"])
    fields = {**first.answer["fields"], "status": 409, "reason": "Conflict"}
    refused = replace(first, answer={**first.answer, "fields": fields})
    assert found(o.misowned([refused], story.history)) == {o.CONFLICTS}


# -- phases ------------------------------------------------------------------------------------------------------------


def test_a_pod_that_ended_and_runs_again_is_found(story):
    over = next(one for one in story.history.of("pods") if one.now and one.now["status"].get("phase") == "Succeeded")
    risen = replace(over, revision=10**6, before=over.now, now={**over.now, "status": {"phase": "Running"}})
    history = History([*story.history.writes, risen])
    assert found(p.risen(story.entries, history, story.starts)) == {p.ENDED}
    fields = {"id": "f", "name": "node-name-taken", "target": "worker-2", "peer": over.now["spec"]["nodeName"]}
    cloned = [*story.entries, {"kind": "fault.started", "seq": 10**6, "at": 0.0, "fields": fields}]
    assert found(p.risen(cloned, history, story.starts)) == set(), "two kubelets of one name"


def test_a_container_of_a_pod_that_has_ended_is_not_started(story):
    over = next(one for one in story.history.of("pods") if one.now and one.now["status"].get("phase") == "Succeeded")
    last = [entry for entry in story.entries if entry["kind"] == "containerd.started"][-1]
    late = {**last, "seq": 10**6, "at": over.at + 1.0}
    start = Start(10**6, "worker-1", "default/sum", over.now["metadata"]["uid"])
    assert found(p.risen([*story.entries, late], story.history, [*story.starts, start])) == {p.ENDED}


# -- what is drawn -----------------------------------------------------------------------------------------------------


def test_lines_that_end_by_ctrl_c_are_known():
    endless = (
        "get pods -w -l app=web",
        "logs -f x",
        "exec -it solo -- sh",
        "port-forward a 1",
        "get --raw '/a?watch=true'",
    )
    assert all(is_endless(line) for line in endless)
    assert not any(is_endless(line) for line in ("apply -f x", "get pods -o wide", "exec x -- sh -c 'a'"))
