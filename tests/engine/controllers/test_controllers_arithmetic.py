"""The pure parts: rolling update, ranking, slices, the ownership graph."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.controllers import (
    deployment_status,
    endpoint_slices,
    pods,
    replica_set,
    rolling,
    taint_eviction,
    taints,
)
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.ownership_graph import Graph

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def deployment(replicas, surge="25%", unavailable="25%", **more):
    rolling_update = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling_update}
    return {"metadata": {"name": "web", "generation": 1}, "spec": {"replicas": replicas, "strategy": strategy, **more}}


def replicas_of(name, size, available, age=0, **annotations):
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": f"2026-01-01T00:00:{age:02}Z",
            "annotations": {
                f"deployment.kubernetes.io/{key}-replicas": str(value) for key, value in annotations.items()
            },
        },
        "spec": {"replicas": size},
        "status": {"replicas": size, "availableReplicas": available},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (3, "25%", "25%", (1, 0)),
        (4, "25%", "25%", (1, 1)),
        (10, "25%", "25%", (3, 2)),
        (10, 0, "50%", (0, 5)),
        (3, 0, "10%", (0, 1)),  # (0, 0) would never move
        (1, 2, 5, (2, 5)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(replicas, surge, unavailable, expected):
    assert rolling.fenceposts(deployment(replicas, surge, unavailable)) == expected


def test_old_replica_sets_lose_their_broken_pods_first():
    web = deployment(10, 3, 2)
    old, new = replicas_of("old", 8, 5), replicas_of("new", 5, 5, age=1)
    # 13 pods, 8 must be available, all 5 new ones are: 5 may go. First the 3 that never worked, then 2 of the others.
    assert [(one["metadata"]["name"], size) for one, size in rolling.shrink_old(web, [old], new)] == [("old", 3)]


def test_old_pods_stay_while_the_new_ones_are_not_available():
    web = deployment(3)
    assert rolling.shrink_old(web, [replicas_of("old", 3, 3)], replicas_of("new", 1, 0)) == []


@given(
    replicas=st.integers(1, 20),
    surge=st.integers(0, 100),
    unavailable=st.integers(0, 100),
    readiness=st.lists(st.booleans(), min_size=400, max_size=400),
)
def test_a_rollout_ends_and_keeps_its_promises_all_the_way(replicas, surge, unavailable, readiness):
    web = deployment(replicas, f"{surge}%", f"{unavailable}%")
    most = replicas + rolling.max_surge(web)
    fewest = replicas - rolling.max_unavailable(web)
    old, new = replicas_of("old", replicas, replicas), replicas_of("new", 0, 0, age=1)
    for becomes_ready in readiness:
        size = rolling.new_replicas(web, [old, new], new)
        if size != rolling.wanted(new):
            new["spec"]["replicas"] = new["status"]["replicas"] = size
        else:
            for one, smaller in rolling.shrink_old(web, [old], new):
                gone = rolling.wanted(one) - smaller
                one["spec"]["replicas"] = one["status"]["replicas"] = smaller
                one["status"]["availableReplicas"] -= gone
        assert rolling.total([old, new]) <= most
        assert rolling.count([old, new], "availableReplicas") >= fewest
        if becomes_ready and new["status"]["availableReplicas"] < rolling.wanted(new):
            new["status"]["availableReplicas"] += 1
    if sum(readiness) > 2 * replicas:
        assert rolling.wanted(new) + rolling.wanted(old) > 0


def test_scaling_in_the_middle_of_a_rollout_is_shared_in_proportion():
    web = deployment(20, 5, 0)
    old = replicas_of("old", 10, 10, max=15)
    new = replicas_of("new", 5, 5, age=1, max=15)
    sizes = {one["metadata"]["name"]: size for one, size in rolling.proportional(web, [old, new])}
    assert sum(sizes.values()) == 25
    assert sizes == {"old": 17, "new": 8}


def test_a_condition_keeps_its_transition_time_while_its_status_stays():
    conditions = deployment_status.Conditions([], "t1")
    conditions.set("Progressing", "True", "Created", "a")
    conditions.now = "t2"
    conditions.set("Progressing", "True", "Created", "b")
    assert conditions.get("Progressing")["message"] == "a"  # same status and reason: left alone
    conditions.set("Progressing", "True", "Updated", "c")
    found = conditions.get("Progressing")
    assert (found["lastTransitionTime"], found["lastUpdateTime"]) == ("t1", "t2")
    conditions.now = "t3"
    conditions.set("Progressing", "False", "TimedOut", "d")
    assert conditions.get("Progressing")["lastTransitionTime"] == "t3"


def pod(name, node="n1", phase="Running", ready=True, ready_for=100, age=200, restarts=0, **annotations):
    def ago(seconds):
        return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(ready_for)}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": ago(age), "annotations": annotations},
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, "conditions": [condition], "containerStatuses": [{"restartCount": restarts}]},
    }


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (pod("a", node=""), pod("b", phase="Pending", ready=False)),
        (pod("a", phase="Pending", ready=False), pod("b")),
        (pod("a", ready=False), pod("b")),
        (pod("a", **{pods.DELETION_COST: "-5"}), pod("b")),
        (pod("a", ready_for=10), pod("b", ready_for=1000)),
        (pod("a", restarts=3), pod("b")),
        (pod("a", age=250), pod("b", age=9000)),
    ],
)
def test_the_less_useful_pod_is_given_up(worse, better):
    for order in ([worse, better], [better, worse]):
        assert pods.to_delete(order, order, 1, NOW) == [worse]


def test_a_pod_on_a_crowded_node_is_given_up_first():
    here = [pod("a", "n1"), pod("b", "n1"), pod("c", "n2")]
    assert pods.to_delete(here, here, 1, NOW)[0]["spec"]["nodeName"] == "n1"


def test_slow_start_doubles_and_stops_at_a_failure(run):
    async def story(world):
        asked = []

        async def create():
            asked.append(len(asked))
            return ConnectionResetError() if len(asked) > 3 else None

        created, failure = await replica_set.slow_start(100, create)
        return len(asked), created, type(failure)

    assert run(story) == (7, 3, ConnectionResetError)  # 1 + 2 + 4


def test_expectations_hold_until_seen_or_five_minutes_old(run):
    async def story(world):
        import asyncio

        expectations = Expectations()
        assert expectations.satisfied("a")
        expectations.expect_creations("a", 2)
        expectations.created("a")
        assert not expectations.satisfied("a")
        expectations.created("a")
        assert expectations.satisfied("a")
        expectations.expect_deletions("a", ["x"])
        expectations.deleted("a", "y")
        assert not expectations.satisfied("a")
        await asyncio.sleep(301)
        assert expectations.satisfied("a")

    run(story)


UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("tolerations", "found", "seconds"),
    [
        ([], [UNREACHABLE], 0),
        ([{"operator": "Exists"}], [UNREACHABLE, NOT_READY], None),
        ([{"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": 300}], [UNREACHABLE], 300),
        ([{"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": 300}], [UNREACHABLE, NOT_READY], 0),
        (
            [{"operator": "Exists", "tolerationSeconds": 9}, {"operator": "Exists", "tolerationSeconds": 5}],
            [NOT_READY],
            5,
        ),
        ([{"key": NOT_READY["key"], "value": "x"}], [NOT_READY], 0),
        ([{"key": NOT_READY["key"], "operator": "Exists", "effect": "NoSchedule"}], [NOT_READY], 0),
    ],
)
def test_patience_is_the_shortest_toleration_and_none_for_what_is_not_tolerated(tolerations, found, seconds):
    assert taint_eviction.patience({"spec": {"tolerations": tolerations}}, found) == seconds


def test_a_taint_patch_says_nothing_when_nothing_changes_and_all_when_something_does():
    node = {"metadata": {"resourceVersion": "7"}, "spec": {"taints": [{**taints.UNREACHABLE, "timeAdded": "t"}]}}
    assert taints.swap_patch(node, [taints.UNREACHABLE], [taints.NOT_READY], "now") is None
    patch = taints.swap_patch(node, [taints.NOT_READY], [taints.UNREACHABLE], "now")
    assert patch["metadata"] == {"resourceVersion": "7"}
    assert patch["spec"]["taints"] == [{"$patch": "replace"}, {**taints.NOT_READY, "timeAdded": "now"}]


SERVICE = {
    "metadata": {"name": "web", "namespace": "d", "uid": "s"},
    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]},
}


def backend(number, port=8080):
    container = {"ports": [{"name": "web", "containerPort": port}]}
    return {
        "metadata": {"name": f"p{number}", "namespace": "d", "uid": f"p{number}"},
        "spec": {"containers": [container], "nodeName": "n1"},
        "status": {"podIP": f"10.0.{number // 250}.{number % 250}", "phase": "Running"},
    }


def applied(changes, existing):
    after = {one["metadata"]["name"]: one for one in existing}
    for number, (verb, one) in enumerate(changes):
        name = one["metadata"].get("name") or f"new-{len(existing)}-{number}"
        after[name] = {**one, "metadata": {**one["metadata"], "name": name}}
        if verb == "delete":
            del after[name]
    return list(after.values())


def test_slices_hold_a_hundred_and_endpoints_stay_where_they_are():
    everything = [backend(number) for number in range(250)]
    slices = applied(endpoint_slices.plan(SERVICE, everything, []), [])
    assert [len(one["endpoints"]) for one in slices] == [100, 100, 50]
    assert endpoint_slices.plan(SERVICE, everything, slices) == []
    changes = endpoint_slices.plan(SERVICE, everything[1:], slices)  # one pod leaves: one slice is written
    assert [verb for verb, _ in changes] == ["update"]
    slices = applied(changes, slices)
    changes = endpoint_slices.plan(SERVICE, [*everything[1:], backend(300)], slices)  # the gap is filled
    assert [(verb, len(one["endpoints"])) for verb, one in changes] == [("update", 100)]


def test_pods_for_which_a_named_port_differs_go_to_different_slices():
    slices = applied(endpoint_slices.plan(SERVICE, [backend(1), backend(2, port=9090)], []), [])
    assert sorted(one["ports"][0]["port"] for one in slices) == [8080, 9090]
    slices = applied(endpoint_slices.plan(SERVICE, [backend(1)], slices), slices)
    assert [one["ports"][0]["port"] for one in slices] == [8080]


def test_the_last_slice_of_a_service_stays_empty():
    slices = applied(endpoint_slices.plan(SERVICE, [backend(1)], []), [])
    (change,) = endpoint_slices.plan(SERVICE, [], slices)
    assert change[0] == "update"
    assert change[1]["endpoints"] == []


def object_(uid, *owners, deleting=False, finalizers=()):
    references = [{"uid": owner, "name": owner, "kind": "K", "apiVersion": "v1"} for owner in owners]
    metadata = {
        "uid": uid,
        "name": uid,
        "namespace": "d",
        "ownerReferences": references,
        "finalizers": list(finalizers),
    }
    return {"metadata": {**metadata, **({"deletionTimestamp": "t"} if deleting else {})}}


def uids(nodes):
    return [node.uid for node in nodes]


def test_an_owner_not_seen_is_looked_up_and_one_seen_is_not():
    graph = Graph()
    assert uids(graph.seen("K", "v1", object_("child", "owner"))[0]) == ["owner"]
    assert graph.get("owner").is_virtual
    graph.seen("K", "v1", object_("owner"))
    assert not graph.get("owner").is_virtual
    assert uids(graph.seen("K", "v1", object_("second", "owner"))[0]) == []


def test_a_deletion_makes_dependents_looked_at():
    graph = Graph()
    graph.seen("K", "v1", object_("owner"))
    graph.seen("K", "v1", object_("child", "owner"))
    assert uids(graph.gone("owner")) == ["child"]
    assert graph.gone("owner") == []


def test_finalizers_choose_between_waiting_and_orphaning():
    graph = Graph()
    graph.seen("K", "v1", object_("owner"))
    graph.seen("K", "v1", object_("child", "owner"))
    look, orphan = graph.seen("K", "v1", object_("owner", deleting=True, finalizers=["foregroundDeletion"]))
    assert (uids(look), uids(orphan)) == (["child", "owner"], [])
    assert uids(graph.gone("child")) == ["owner"]
    look, orphan = graph.seen("K", "v1", object_("other", deleting=True, finalizers=["orphan"]))
    assert (uids(look), uids(orphan)) == ([], ["other"])
