"""Each invariant, over a story that was true and has been doctored: it goes red."""

import copy

import pytest

from cluster_engine.faults import read
from tests.simulate.ends import one_node, restless, unequal, unfulfilled
from tests.simulate.judge import judge
from tests.simulate.plan import Plan, Typed
from tests.simulate.play import play
from tests.simulate.story import Copy, History, Start, Write
from tests.simulate.watches import gaps
from tests.simulate.wishes import Snapshot, lacking
from tests.simulate.writes import lost_writes

PLAN = Plan(
    seed=3,
    nodes=1,
    seconds=12.0,
    typed=(
        Typed(0.5, "kubectl create deployment web --image=nginx --replicas=2"),
        Typed(1.0, "kubectl create configmap settings --from-literal=a=1"),
        Typed(5.0, "kubectl delete configmap settings"),
    ),
    faults=(read({"name": "reset", "target": "worker-1", "start": 6.0}),),
)


@pytest.fixture(scope="module")
def story():
    return play(PLAN)


@pytest.fixture
def entries(story):
    return copy.deepcopy(story.entries)


def find(entries, kind, **fields):
    return next(one for one in entries if one["kind"] == kind and fields.items() <= one["fields"].items())


def texts(violations):
    return " | ".join(map(str, violations))


def test_the_true_story_violates_nothing(story):
    assert judge(story) == []


# -- acknowledged writes ----------------------------------------------------------------------------------------------


def test_an_acknowledged_write_that_is_not_in_etcds_history_is_lost(story):
    history = History(write for write in story.history.writes if write.key != "/registry/configmaps/default/settings")
    assert "configmaps/default/settings was acknowledged" in texts(lost_writes(story.entries, history, story.stored))


def test_an_object_that_is_gone_at_the_end_though_nobody_deleted_it_is_lost(story):
    stored = {token: revision for token, revision in story.stored.items() if token != "deployments/default/web"}
    assert "and the end has None" in texts(lost_writes(story.entries, story.history, stored))


def test_an_object_older_than_what_was_acknowledged_is_lost(story):
    stored = {**story.stored, "deployments/default/web": 1}
    assert "and the end has 1" in texts(lost_writes(story.entries, story.history, stored))


def test_a_deletion_that_was_acknowledged_and_never_happened_is_lost(story):
    token = "configmaps/default/settings"
    history = History(write for write in story.history.writes if write.token != token or write.now is not None)
    assert f"{token} was said to be deleted" in texts(lost_writes(story.entries, history, {**story.stored, token: 99}))


# -- watches -----------------------------------------------------------------------------------------------------------


def test_a_watch_event_that_is_missing_is_a_gap(story, entries):
    entries.remove(find(entries, "watch.event", resource="pods", type="MODIFIED"))
    assert "was never told MODIFIED pods/default/web-" in texts(gaps(entries, story.history))


def test_a_change_that_etcd_made_and_nobody_was_told_of_is_a_gap(story):
    writes = list(story.history.writes)
    place = next(number for number, write in enumerate(writes) if write.token.startswith("pods/default/web-"))
    told = writes[place]
    never = Write(told.revision, told.key + "x", None, told.now)
    assert "was never told ADDED" in texts(gaps(story.entries, History([*writes[:place], never, *writes[place:]])))


def test_events_out_of_order_are_seen(story, entries):
    first, second = [
        one
        for one in entries
        if one["kind"] == "watch.event" and one["to"].endswith("scheduler") and one["fields"]["resource"] == "pods"
    ][:2]
    for key in ("resourceVersion", "name", "type"):
        first["fields"][key], second["fields"][key] = second["fields"][key], first["fields"][key]
    assert "was told of" in texts(gaps(entries, story.history))


def test_an_event_told_twice_is_seen(story, entries):
    event = find(entries, "watch.event", resource="pods", type="MODIFIED")
    entries.insert(entries.index(event), event)
    assert "was told of" in texts(gaps(entries, story.history))


def test_an_event_that_never_was_is_seen(story, entries):
    find(entries, "watch.event", resource="pods", type="MODIFIED")["fields"]["name"] = "web-nobody"
    assert "which never was" in texts(gaps(entries, story.history))


def test_a_watch_resumed_too_late_is_a_gap(story, entries):
    again = next(
        one
        for one in entries
        if one["kind"] == "http.request"
        and one["fields"]["verb"] == "watch"
        and one["at"] > 6
        and "kubelet" in one["from"]
    )
    version = again["fields"]["path"].split("resourceVersion=")[1].split("&")[0]
    path = again["fields"]["path"].replace(f"resourceVersion={version}", f"resourceVersion={int(version) + 1}")
    again["fields"]["path"] = path
    assert "where no watch or list of it was" in texts(gaps(entries, story.history))


def test_a_list_that_leaves_something_out_is_seen(story, entries):
    find(entries, "http.response", verb="list", resource="namespaces")["fields"]["items"] -= 1
    assert "and there were" in texts(gaps(entries, story.history))


# -- nodes, copies, wishes, ends ---------------------------------------------------------------------------------------


def test_a_pod_bound_twice_or_started_elsewhere_is_seen(story):
    bound = next(write for write in story.history.of("pods") if write.now and write.now["spec"].get("nodeName"))
    moved = {**bound.now, "spec": {**bound.now["spec"], "nodeName": "worker-2"}}
    history = History([*story.history.writes, Write(10**6, bound.key, bound.now, moved)])
    assert "was bound to worker-1, and to worker-2" in texts(one_node(history, story.starts))
    assert len(story.starts) == 2
    start = Start(7, "worker-2", "default/web", bound.now["metadata"]["uid"])
    assert "worker-2 started a container" in texts(one_node(story.history, [start]))


def test_a_machine_that_has_anothers_name_may_start_its_pods_as_long_as_it_has_it(story):
    (uid, node) = next(
        (one.now["metadata"]["uid"], one.now["spec"]["nodeName"])
        for one in story.history.of("pods")
        if one.now and one.now["spec"].get("nodeName")
    )
    fields = {"id": "fault-1", "name": "node-name-taken", "target": "worker-2", "peer": node}
    entries = [
        {"seq": 5, "kind": "fault.started", "fields": fields},
        {"seq": 9, "kind": "fault.ended", "fields": fields},
    ]
    for seq, host, rightly in (
        (7, "worker-2", True),
        (4, "worker-2", False),
        (10, "worker-2", False),
        (7, "worker-3", False),
    ):
        found = list(one_node(story.history, [Start(seq, host, "default/web", uid)], entries))
        assert bool(found) != rightly, (seq, host)


def test_a_copy_that_differs_is_named_with_what_it_holds():
    assert not list(unequal([Copy("cache", {"pods/a/b": "7"}, {"pods/a/b": "7"})]))
    (found,) = unequal([Copy("cache", {"pods/a/b": "7", "pods/a/c": "1"}, {"pods/a/b": "8"})])
    assert found.text == "cache: pods/a/b is 7, should be 8; pods/a/c is 1, should be absent"


def test_the_copies_that_are_compared_are_all_caches_and_all_informers(story):
    owners = " ".join(copy.owner for copy in story.copies)
    for owner in ("cache of pods", "kube-scheduler's pods", "kubelet's pods spec.nodeName", "kube-proxy's services"):
        assert owner in owners
    assert len(story.copies) > 30


def test_what_is_lacking_is_a_violation():
    assert texts(unfulfilled(["pod a is Pending"])) == "desired becomes actual: pod a is Pending"


@pytest.mark.parametrize(("at", "seen"), [(99.0, False), (101.0, True)])
def test_a_component_that_exits_once_all_is_calm_is_seen(at, seen):
    entry = {"seq": 5, "at": at, "kind": "process.exited", "from": "a/kubelet", "fields": {"exitCode": 1}}
    assert bool(list(restless([entry], ["a/kubelet"], 100.0, None))) is seen
    assert not list(restless([entry], ["b/kubelet"], 100.0, None))


def test_a_world_that_failed_is_a_violation():
    assert "KeyError" in texts(restless([], [], 0.0, KeyError("x")))


# -- wishes ------------------------------------------------------------------------------------------------------------


def deployment(**status):
    metadata = {"namespace": "default", "name": "web", "generation": 1, "uid": "d"}
    told = {"observedGeneration": 1, "replicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": {**told, **status}}


def pod(phase="Running", ready="True", **metadata):
    return {
        "metadata": {"namespace": "default", "name": "web-0", "uid": "p", "labels": {"app": "web"}, **metadata},
        "spec": {"nodeName": "worker-1"},
        "status": {"phase": phase, "podIP": "10.244.1.2", "conditions": [{"type": "Ready", "status": ready}]},
    }


def node(**spec):
    return {
        "metadata": {"name": "worker-1"},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


SERVICE = {
    "metadata": {"namespace": "default", "name": "web", "uid": "s"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
}
SLICE = {
    "metadata": {"namespace": "default", "ownerReferences": [{"uid": "s", "controller": True}]},
    "endpoints": [{"addresses": ["10.244.1.2"], "conditions": {"ready": True}}],
    "ports": [{"port": 80}],
}
ENDPOINTS = {
    "metadata": {"namespace": "default", "name": "web"},
    "subsets": [{"addresses": [{"ip": "10.244.1.2"}], "ports": [{"port": 80}]}],
}
MOVED = {**ENDPOINTS, "subsets": [{"addresses": [{"ip": "10.244.1.2"}], "ports": [{"port": 8080}]}]}


def served(**objects):
    return {"services": [SERVICE], "pods": [pod()], "endpointslices": [SLICE], "endpoints": [ENDPOINTS], **objects}


RULES = {"worker-1": "-j DNAT --to-destination 10.244.1.2:80"}
RUNS = {"worker-1": frozenset({"p"})}


@pytest.mark.parametrize(
    ("objects", "running", "rules", "said"),
    [
        ({"nodes": [node()], "deployments": [deployment()], "pods": [pod()]}, RUNS, {}, ""),
        ({"deployments": [deployment(availableReplicas=0)]}, {}, {}, "has availableReplicas 0 of 1"),
        ({"deployments": [deployment(observedGeneration=0)]}, {}, {}, "was not looked at since generation 0"),
        ({"pods": [pod("Pending")]}, {}, {}, "pod default/web-0 is Pending"),
        ({"pods": [pod(ready="False")]}, RUNS, {}, "runs and is not ready"),
        ({"pods": [pod(deletionTimestamp="now")]}, RUNS, {}, "is still going"),
        ({"pods": [pod(ownerReferences=[{"uid": "r", "controller": True}])]}, RUNS, {}, "has lost its owner"),
        ({"pods": [pod()]}, {"worker-1": frozenset()}, {}, "runs nothing of it"),
        ({"pods": []}, RUNS, {}, "runs pod p, which should not run there"),
        ({"nodes": [node(taints=[{"key": "k"}])]}, {}, {}, "is tainted: k"),
        (served(), RUNS, RULES, ""),
        (served(endpointslices=[]), RUNS, RULES, "has endpoints []"),
        (
            served(endpointslices=[{**SLICE, "ports": [{"port": 8080}]}]),
            RUNS,
            RULES,
            "has endpoints ['10.244.1.2:8080']",
        ),
        (served(endpoints=[]), RUNS, RULES, "has Endpoints []"),
        (served(endpoints=[MOVED]), RUNS, RULES, "has Endpoints ['10.244.1.2:8080'], and ready pods ['10.244.1.2:80']"),
        (served(), RUNS, {"worker-1": ""}, "nowhere for"),
    ],
)
def test_what_is_not_as_desired_is_named(objects, running, rules, said):
    found = lacking(Snapshot(objects, running, rules))
    assert (said in "; ".join(found)) if said else not found


def test_a_component_that_is_down_and_a_namespace_that_goes_are_named():
    namespace = {"metadata": {"name": "team"}, "status": {"phase": "Terminating"}}
    found = lacking(Snapshot({"namespaces": [namespace]}, {}, {}, ("worker-1/kubelet",)))
    assert found == ["worker-1/kubelet is down", "namespace team is Terminating"]


def test_of_a_component_that_cannot_work_any_more_nothing_is_wished_and_of_the_others_it_is():
    snapshot = Snapshot(served(), RUNS, {"worker-1": ""}, ("worker-1/kube-proxy", "worker-1/kubelet"))
    assert len(lacking(snapshot)) == 3
    assert lacking(snapshot.without("kube-proxy")) == ["worker-1/kubelet is down"]
