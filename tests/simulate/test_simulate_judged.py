"""What programs were answered, and what etcd held, doctored: each invariant goes red, and only on what is wrong."""

from dataclasses import replace

import pytest

from cluster_engine.faults import read
from tests.simulate import conflicts as c
from tests.simulate import evictions as e
from tests.simulate import journal_rules as j
from tests.simulate import leaders as l
from tests.simulate import objects as o
from tests.simulate import placement as p
from tests.simulate import reads as r
from tests.simulate import rollouts as ro
from tests.simulate import security as s
from tests.simulate.access import Access, Question
from tests.simulate.judge import judge
from tests.simulate.knowledge import Told, believed
from tests.simulate.manifests import FOLDER
from tests.simulate.plan import Plan, Typed
from tests.simulate.play import play
from tests.simulate.story import History, Start, Write
from tests.simulate.traffic import Said, exchanges
from tests.simulate.watches import LISTS, gaps

PLAN = Plan(
    seed=4,
    nodes=2,
    seconds=45.0,
    typed=(
        Typed(0.5, f"kubectl apply -f {FOLDER}/surging.json"),
        Typed(1.0, f"kubectl apply -f {FOLDER}/strict.json"),
        Typed(1.5, f"kubectl apply -f {FOLDER}/greedy.json"),
        Typed(12.0, "kubectl set image deployment/surging nginx=nginx:1.27"),
        Typed(12.5, "kubectl set image deployment/strict nginx=nginx:1.27"),
    ),
    faults=(read({"name": "kill", "target": "control-plane/kube-scheduler", "start": 20.0}),),
    clients=(
        (1.0, "contender"),
        (1.0, "contender"),
        (2.0, "rehearser"),
        (3.0, "sweeper"),
        (3.0, "holder"),
        (4.0, "bearer"),
        (5.0, "streamer"),
        (2.0, "elder"),
    ),
    standby=True,
)


@pytest.fixture(scope="module")
def story():
    return play(PLAN)


@pytest.fixture(scope="module")
def traffic(story):
    return exchanges(story.entries, story.said)


@pytest.fixture(scope="module")
def told(story):
    return Told(story.entries)


def test_the_true_story_violates_nothing(story):
    assert [str(one) for one in judge(story)] == []


# -- small tools -------------------------------------------------------------------------------------------------------


def only(traffic, verb, resource, status=None, test=lambda one: True):
    """Find the first exchange of that kind."""
    return next(
        one
        for one in traffic
        if one.verb == verb and one.resource == resource and status in (None, one.status) and test(one)
    )


def answered(one, **fields):
    return replace(one, answer={**one.answer, "fields": {**one.answer["fields"], **fields}})


def asked(one, **fields):
    return replace(one, request={**one.request, "fields": {**one.request["fields"], **fields}})


def saying(one, body):
    return replace(one, said=replace(one.said, body=body))


def instead(traffic, one, other):
    return [other if each is one else each for each in traffic]


def changed(history, test, change):
    """Give the history with `change` made to the new object of each write that passes `test`; None: without it."""
    writes = []
    for write in history.writes:
        if not test(write):
            writes.append(write)
        elif (now := change(write)) is not None:
            writes.append(now)
    return History(writes)


def with_now(write, **parts):
    now = {**write.now, **{name: {**write.now.get(name, {}), **part} for name, part in parts.items()}}
    return replace(write, now=now)


def found(violations):
    return {one.invariant for one in violations}


def versions(story, token):
    return [write.revision for write in story.history.about(token) if write.now is not None]


# -- reads -------------------------------------------------------------------------------------------------------------


def test_a_read_of_what_was_overwritten_before_it_was_asked_is_seen(story, traffic):
    one = only(traffic, "get", "configmaps", 200, lambda one: one.version > versions(story, one.token)[0])
    old = answered(one, resourceVersion=str(versions(story, one.token)[0]))
    assert found(r.stale_reads([old], story.history)) == {r.LINEARIZABLE}
    never = answered(one, resourceVersion=str(one.version + 1))
    assert found(r.stale_reads([never], story.history)) == {r.LINEARIZABLE}


def test_a_read_that_misses_what_is_there_is_seen(story, traffic):
    one = only(traffic, "get", "configmaps", 200)
    assert found(r.stale_reads([answered(one, status=404, reason="NotFound")], story.history)) == {r.LINEARIZABLE}


def test_a_list_that_is_older_than_its_question_is_seen(story, traffic):
    fresh = [one for one in traffic if one.verb == "list" and one.resource == "configmaps" and one.status == 200]
    one = next(one for one in fresh if one.began > 5 and not one.parameter("resourceVersion"))
    assert found(r.stale_reads([answered(one, resourceVersion="3")], story.history)) == {r.FRESH}


def test_a_client_that_is_told_less_than_before_is_seen(story, traffic):
    mine = [one for one in traffic if one.resource == "configmaps" and one.verb == "get" and one.status == 200]
    last = max(mine, key=lambda one: one.version)
    assert found(r.backwards(instead(traffic, last, answered(last, resourceVersion="1")))) == {r.FORWARD}


# -- conflicts ---------------------------------------------------------------------------------------------------------


def contended(one):
    return one.token == "configmaps/default/contended"


def test_clients_do_race(traffic):
    answers = {one.status for one in traffic if one.verb == "update" and contended(one)}
    assert answers == {200, 409}


def test_a_write_from_an_old_version_that_is_done_is_seen(story, traffic):
    one = only(traffic, "update", "configmaps", 200, contended)
    metadata = {**one.said.body["metadata"], "resourceVersion": "2"}
    stale = saying(one, {**one.said.body, "metadata": metadata})
    assert found(c.conflicts(instead(traffic, one, stale), story.history)) == {c.STALE}


def test_a_write_that_is_refused_though_it_was_from_the_latest_is_seen(story, traffic):
    one = only(traffic, "update", "configmaps", 409, contended)
    version = one.at(story.history)[0].revision
    body = {**one.said.body, "metadata": {**one.said.body["metadata"], "resourceVersion": str(version)}}
    assert found(c.conflicts(instead(traffic, one, saying(one, body)), story.history)) == {c.NEEDLESS}


def test_what_is_said_to_exist_and_does_not_is_seen(story, traffic):
    one = only(traffic, "create", "configmaps", 201, contended)
    nobody = answered(one, status=409, reason="AlreadyExists", name="nobody")
    assert c.NEEDLESS in found(c.conflicts([*traffic, nobody], story.history))


def test_a_dry_run_that_stores_is_seen(story, traffic):
    assert any(one.is_dry and one.status in (200, 201) for one in traffic)
    one = only(traffic, "create", "configmaps", 201, contended)
    dry = asked(one, path=one.request["fields"]["path"] + "?dryRun=All")
    others = [each for each in traffic if each is one or not (contended(each) and each.verb == "create")]
    assert found(c.conflicts(instead(others, one, dry), story.history)) == {c.ASKED}


def test_a_dry_deletion_that_deletes_is_seen(story, traffic):
    one = only(traffic, "delete", "configmaps", 200, lambda one: one.token.endswith("/owner"))
    dry = saying(one, {"dryRun": ["All"]})
    assert found(c.conflicts(instead(traffic, one, dry), story.history)) == {c.ASKED}


def test_a_write_that_nobody_asked_for_is_seen(story, traffic):
    last = story.history.about("configmaps/default/contended")[-1]
    history = History([*story.history.writes, replace(last, revision=10**6, at=story.seconds)])
    assert found(c.conflicts(traffic, history)) == {c.ASKED}


def test_a_deleted_collection_of_which_something_is_left_is_seen(story, traffic):
    history = changed(story.history, lambda w: "/swept-0a" in w.key and w.now is None, lambda w: None)
    assert c.COLLECTION in found(c.conflicts(traffic, history))


# -- objects -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({"uid": "a"}, {"uid": "b"}, "another uid"),
        ({"generation": 3}, {"generation": 2}, "from generation 3 to 2"),
        ({"deletionTimestamp": "x"}, {}, "was going, and stays"),
        ({"deletionTimestamp": "x"}, {"deletionTimestamp": "x", "finalizers": ["a"]}, "new finalizers ['a']"),
    ],
)
def test_an_object_that_breaks_the_laws_is_seen(before, now, said):
    write = Write(9, "/registry/configmaps/default/a", {"metadata": before}, {"metadata": now})
    (seen,) = o.lawless([], History([write]))
    assert (seen.invariant, said in seen.text) == (o.LAWS, True)


def test_an_object_that_goes_though_a_finalizer_holds_it_is_seen(story, traffic):
    without = [one for one in traffic if not (one.verb == "patch" and one.token.endswith("/held"))]
    assert found(o.lawless(without, story.history)) == {o.FINALIZERS}


def test_a_running_pod_that_goes_before_it_has_stopped_is_seen(story, traffic):
    kubelets = [
        one for one in traffic if one.verb == "delete" and one.resource == "pods" and "kubelet" in one.said.agent
    ]
    (first, *_) = (one for one in kubelets if one.status == 200)
    patient = saying(first, {"gracePeriodSeconds": 30})

    def running(write):
        metadata = {**write.before["metadata"], "deletionGracePeriodSeconds": 30}
        return replace(write, before={**write.before, "metadata": metadata, "status": {"phase": "Running"}})

    history = changed(story.history, lambda w: w.token == first.token and w.now is None, running)
    assert found(o.lawless(instead(traffic, first, patient), history)) == {o.GRACE}


def test_what_is_collected_though_its_owner_lives_is_seen(story, traffic):
    collected = [one.token for one in traffic if one.verb == "delete" and one.said.agent.endswith(o.COLLECTOR)]
    assert "configmaps/default/of-one" in collected
    assert "configmaps/default/of-both" not in collected or story.stored
    history = changed(story.history, lambda w: w.key.endswith("/owner") and w.now is None, lambda w: None)
    assert found(o.wrongly_collected(traffic, history)) == {o.COLLECTED}


def test_what_is_left_without_any_owner_is_seen(story):
    history = changed(story.history, lambda w: w.key.endswith("/of-one") and w.now is None, lambda w: None)
    assert found(o.orphans(history)) == {o.ORPHANS}


# -- leaders -----------------------------------------------------------------------------------------------------------


def test_a_standby_takes_over_and_only_then_writes(story):
    elected = [one["from"] for one in story.entries if one["kind"] == "leader.elected"]
    assert "control-plane/kube-scheduler-standby" in elected


def test_a_write_of_a_program_that_does_not_hold_the_lease_is_seen(story, traffic):
    def given_away(write):
        return with_now(write, spec={"holderIdentity": "somebody-else"})

    lease = "leases/kube-system/kube-controller-manager"
    history = changed(story.history, lambda w: w.token == lease, given_away)
    assert found(l.usurpers(traffic, story.entries, history)) == {l.LEADERS}


def test_a_write_longer_after_the_last_renewal_than_a_lease_lasts_is_seen(story, traffic):
    lease = "leases/kube-system/kube-controller-manager"
    history = changed(story.history, lambda w: w.token == lease and w.at > 5, lambda w: None)
    texts = [one.text for one in l.usurpers(traffic, story.entries, history)]
    assert texts
    assert all("after it had renewed its lease" in text for text in texts)


def test_a_write_before_the_election_is_seen(story, traffic):
    entries = [
        {**one, "at": one["at"] + 10.0} if one["kind"] == "leader.elected" and one["at"] < 1 else one
        for one in story.entries
    ]
    assert "and had not been elected" in " ".join(one.text for one in l.usurpers(traffic, entries, story.history))


# -- rollouts ----------------------------------------------------------------------------------------------------------


def is_deployment(name):
    return lambda write: write.token == f"deployments/default/{name}" and write.now is not None


def test_more_replicas_than_the_surge_allows_are_seen(story, traffic, told):
    without = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}
    history = changed(story.history, is_deployment("surging"), lambda w: with_now(w, spec=without))
    assert found(ro.unbounded(traffic, history, told)) == {ro.SURGE}


def test_fewer_pods_than_may_be_unavailable_are_seen(story, traffic, told):
    strict = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    history = changed(story.history, is_deployment("strict"), lambda w: with_now(w, spec=strict))
    assert ro.UNAVAILABLE in found(ro.unbounded(traffic, history, told))


def test_more_pods_taken_away_at_once_than_are_available_are_seen(story, traffic, told):
    history = changed(
        story.history,
        lambda w: w.token.startswith("replicasets/default/surging") and w.now and w.now["status"].get("replicas"),
        lambda w: with_now(w, status={**w.now["status"], "availableReplicas": 0}, spec={"replicas": 0}),
    )
    texts = [one.text for one in ro.unbounded(traffic, history, told) if one.invariant == ro.UNAVAILABLE]
    assert any("were taken away at once" in text for text in texts)


def test_a_pod_too_many_is_seen(story, traffic, told):
    history = changed(
        story.history,
        lambda w: w.token.startswith("replicasets/") and w.now,
        lambda w: with_now(w, spec={"replicas": 1}),
    )
    assert ro.OVERSHOOT in found(ro.unbounded(traffic, history, told))
    made = [one for one in traffic if one.verb == "create" and one.resource == "pods" and one.status == 201]
    answered = {one.token for one in made}
    assert any(found(ro._made(one, history, Told([]), answered)) for one in made)
    assert not any(found(ro._made(one, history, Told([]), set())) for one in made), "it has heard of none"


# -- placement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"spec": {"unschedulable": True}}, "which was cordoned"),
        ({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}, "whose taints it does not tolerate"),
        ({"status": {"allocatable": {"cpu": "1", "memory": "8Gi", "pods": "110"}}}, "cpu of 1"),
        ({"status": {"allocatable": {"cpu": "99", "memory": "8Gi", "pods": "2"}}}, "pods of 2"),
    ],
)
def test_a_pod_bound_where_it_may_or_can_not_be_is_seen(story, traffic, told, part, said):
    history = changed(
        story.history, lambda w: w.token.startswith("nodes/") and w.now is not None, lambda w: with_now(w, **part)
    )
    seen = list(p.misplaced(traffic, history, told))
    assert found(seen) == {p.BOUND}
    assert said in " ".join(one.text for one in seen)


def test_room_does_run_out(story):
    pods = story.history.state("pods", 10**9)
    greedy = [
        pod
        for write in story.history.of("pods")
        if (pod := write.now) and pod["metadata"].get("labels", {}).get("app") == "greedy"
    ]
    assert pods
    assert any(
        condition.get("reason") == "Unschedulable"
        for pod in greedy
        for condition in pod.get("status", {}).get("conditions", [])
    )


TAINT = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


def node(revision, at, *taints):
    now = {"metadata": {"name": "n"}, "spec": {"taints": list(taints)}}
    return Write(revision, "/registry/minions/n", {"metadata": {}, "spec": {}}, now, at)


def lease(revision, at):
    now = {"metadata": {"name": "n"}, "spec": {}}
    return Write(revision, "/registry/leases/kube-node-lease/n", None, now, at)


def becoming(revision, at, status, before):
    def ready(value):
        return {"metadata": {"name": "n"}, "spec": {}, "status": {"conditions": [{"type": "Ready", "status": value}]}}

    return Write(revision, "/registry/minions/n", ready(before), ready(status), at)


@pytest.mark.parametrize(("at", "seen"), [(49.0, {e.TAINTED}), (60.1, set())])
def test_a_node_called_unknown_too_soon_is_seen(at, seen):
    event = {"kind": "watch.event", "to": "control-plane/kube-controller-manager", "arrived": 10.001}
    event["fields"] = {"resource": "leases", "resourceVersion": "5"}
    history = History([lease(5, 10.0), becoming(6, at, "Unknown", "True")])
    assert found(e.hasty_taints(history, Told([event]))) == seen


def test_a_node_tainted_unreachable_that_is_not_unknown_is_seen():
    assert found(e.hasty_taints(History([node(6, 60.0, TAINT)]), Told([]))) == {e.TAINTED}
    unknown = becoming(5, 60.0, "Unknown", "Unknown").now
    assert not list(e.hasty_taints(History([replace(node(6, 60.0, TAINT), before=unknown)]), Told([])))


def tolerant(revision, at, seconds, going=False):
    tolerations = [{"key": TAINT["key"], "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]
    metadata = {"name": "a", "namespace": "default", "uid": "u"}
    now = {"metadata": metadata, "spec": {"nodeName": "n", "tolerations": tolerations}, "status": {}}
    if going:
        now["metadata"] = {**metadata, "deletionTimestamp": "x"}
    return Write(revision, "/registry/pods/default/a", None, now, at)


@pytest.mark.parametrize(("at", "said"), [(200.0, "after 100.0 of 300 s"), (401.0, "")])
def test_a_pod_evicted_too_soon_is_seen(traffic, at, said):
    one = only(traffic, "delete", "pods", 200)
    request = {**one.request, "at": at, "fields": {**one.request["fields"], "namespace": "default", "name": "a"}}
    answer = {**one.answer, "at": at, "fields": {**one.answer["fields"], "namespace": "default", "name": "a"}}
    sent = replace(one, request=request, answer=answer, said=Said(agent="x/node-controller"))
    history = History([tolerant(5, 1.0, 300), node(6, 100.0, TAINT), tolerant(7, at, 300, going=True), node(8, 500.0)])
    seen = [one.text for one in e.mistimed_evictions([sent], [], history)]
    assert (said in " ".join(seen)) if said else not seen


def test_a_pod_that_does_not_tolerate_a_taint_has_to_go_at_once_whatever_else_it_tolerates():
    other = {"key": "dedicated", "value": "x", "effect": "NoExecute"}
    history = History([tolerant(5, 1.0, 300), node(6, 100.0, TAINT, other), node(7, 170.0, TAINT), node(8, 900.0)])
    (seen, *_) = e.mistimed_evictions([], [], history)
    assert "should have been evicted at 100 s" in seen.text


def test_a_pod_that_is_never_evicted_is_seen_unless_the_control_plane_was_in_trouble():
    history = History([tolerant(5, 1.0, 300), node(6, 100.0, TAINT), node(7, 900.0)])
    assert found(e.mistimed_evictions([], [], history)) == {e.EVICTED}
    fields = {"id": "fault-1", "name": "kill", "target": "control-plane/etcd"}
    trouble = [
        {"kind": "fault.started", "at": 200.0, "fields": fields},
        {"kind": "fault.ended", "at": 300.0, "fields": fields},
    ]
    assert not list(e.mistimed_evictions([], trouble, history))


@pytest.mark.parametrize(
    ("times", "seen"), [((0, 1, 11.1, 31.2), set()), ((0, 1, 9), {e.RESTARTED}), ((0, 1, 11, 30), {e.RESTARTED})]
)
def test_a_container_started_again_too_soon_is_seen(times, seen):
    fields = {"container": "c", "pod": "default/a"}
    entries = [
        {"seq": n, "at": float(at), "kind": "containerd.started", "fields": fields} for n, at in enumerate(times)
    ]
    starts = [Start(n, "worker-1", "default/a", "u") for n in range(len(times))]
    assert found(e.hasty_restarts(entries, starts)) == seen
    kubelet = {"seq": 99, "at": 1.0, "kind": "process.started", "fields": {"name": "kubelet", "host": "worker-1"}}
    assert not list(e.hasty_restarts([*entries[:2], kubelet, *entries[2:]], starts))
    mended = {"seq": 98, "at": 1.0, "kind": "fault.ended", "fields": {"target": f"worker-1/{fields['container']}"}}
    assert not list(e.hasty_restarts([*entries[:2], mended, *entries[2:]], starts))


# -- security ----------------------------------------------------------------------------------------------------------


def intrusions(story, traffic, history=None, entries=None):
    return found(s.intrusions(traffic, entries or story.entries, history or story.history, story.epoch))


def test_a_user_who_is_served_without_a_binding_is_seen(story, traffic):
    history = changed(story.history, lambda w: w.token == "clusterrolebindings//system:kube-scheduler", lambda w: None)
    assert intrusions(story, traffic, history) == {s.MAY}


def test_a_bearer_who_is_served_after_the_binding_was_deleted_is_seen(story, traffic):
    bearers = [one for one in traffic if one.said.user.endswith(":probe")]
    assert {one.status for one in bearers} == {200, 401, 403}
    refused = [one for one in bearers if one.status == 403][-1]
    assert intrusions(story, instead(traffic, refused, answered(refused, status=200))) == {s.MAY}
    returned = [
        {"seq": at, "at": at, "kind": "process.started", "from": s.ETCD, "fields": {"name": "etcd"}}
        for at in (0.0, refused.began - 1.0)
    ]
    served = instead(traffic, refused, answered(refused, status=200))
    assert not intrusions(story, served, entries=[*story.entries, *returned])  # it may not have heard of it yet
    deleted = [w for w in story.history.of("rolebindings") if w.now is None and w.at <= refused.began][-1]
    behind = [
        one | {"arrived": refused.began + 0.1}
        if one["kind"] == "etcd.event" and one["fields"]["revision"] == deleted.revision
        else one
        for one in story.entries
    ]
    assert behind != story.entries
    assert not intrusions(story, served, entries=behind), "etcd has not told it yet"
    late = bearers[-1]
    assert late.status == 401
    assert s.ENDED in intrusions(story, instead(traffic, late, answered(late, status=200)))
    returned[1]["at"] = late.began - 1.0
    forbidden = instead(traffic, late, answered(late, status=403))
    assert s.ENDED in intrusions(story, forbidden)
    assert not intrusions(story, forbidden, entries=[*story.entries, *returned]), "nor that the account is no more"


def test_a_user_who_is_forbidden_what_is_allowed_is_seen(story, traffic):
    one = [one for one in traffic if one.said.user == "system:kube-scheduler" and one.status == 200 and one.began > 10][
        -1
    ]
    no = answered(one, status=403, message='User "system:kube-scheduler" cannot update')
    assert intrusions(story, instead(traffic, one, no)) == {s.SHUT_OUT}


def test_a_server_that_has_not_read_the_rbac_objects_yet_may_forbid(story, traffic):
    one = [one for one in traffic if one.said.user == "system:kube-scheduler" and one.status == 200 and one.began > 10][
        -1
    ]
    no = answered(one, status=403, message='User "system:kube-scheduler" cannot update')

    def entry(kind, program, at, **fields):
        to = "control-plane/kube-apiserver"
        return {"kind": kind, "from": f"control-plane/{program}", "to": to, "at": at, "fields": fields}

    def read_at(at, kinds=s.RBAC):
        listed = {"status": "OK", "method": "Range", "rangeEnd": "0"}
        return [entry("grpc.response", "etcd", at, **listed, resource=kind) for kind in sorted(kinds)]

    def may_forbid(*entries):
        return [until > no.ended for _, until in s._starting(entries)]

    started = entry("process.started", "kube-apiserver", no.ended - 20.0)
    assert not list(s._permitted(no, Access(story.history), no.began - s.HEARD_SECONDS, fresh=True))
    assert list(s._permitted(no, Access(story.history), no.began - s.HEARD_SECONDS, fresh=False))
    away = [entry("process.exited", "etcd", 0.0), started]
    back = entry("process.started", "etcd", no.ended - 6.0)
    assert may_forbid(*away) == [True]
    assert may_forbid(*away, back) == [True], "it has read nothing yet"
    assert may_forbid(*away, back, *read_at(no.ended - 6.0)) == [False]
    assert may_forbid(started, *read_at(no.ended - 19.0)) == [False]
    assert may_forbid(started, *read_at(no.ended - 19.0, s.RBAC - {"roles"})) == [True]


def test_a_certificate_that_has_ended_and_is_accepted_is_seen(story, traffic):
    one = only(traffic, "update", "leases", 200)
    ended = replace(one, said=replace(one.said, expires=story.epoch.timestamp() - 1.0))
    assert intrusions(story, instead(traffic, one, ended)) == {s.ENDED}
    skew = {"name": "clock-skew", "target": "control-plane", "seconds": -3600.0}
    note = {**story.entries[0], "kind": "fault.started", "at": 0.0, "fields": {**skew, "id": "fault-9"}}
    assert s.ENDED not in intrusions(story, instead(traffic, one, ended), entries=[note, *story.entries])


def test_a_client_with_a_certificate_of_an_unknown_authority_that_is_served_is_seen(story, traffic):
    name, target = "certificate-unknown-authority", "worker-1/kubelet"
    fault = {
        **story.entries[0],
        "kind": "fault.started",
        "at": 0.0,
        "fields": {"id": "f", "name": name, "target": target},
    }
    assert intrusions(story, traffic, entries=[fault, *story.entries]) == {s.SHOWN}


def test_a_client_that_asks_a_server_of_a_wrong_name_is_seen(story, traffic):
    fields = {"id": "f", "name": "serving-certificate-wrong-name", "target": "control-plane/kube-apiserver"}
    fault = {**story.entries[0], "kind": "fault.started", "at": 0.0, "fields": fields}
    assert intrusions(story, traffic, entries=[fault, *story.entries]) == {s.SHOWN}


def test_a_kubelet_that_writes_what_is_anothers_is_seen(story, traffic):
    one = only(traffic, "patch", "pods", 200, lambda one: one.said.user.startswith("system:node:"))
    other = "worker-2" if one.said.user.endswith("1") else "worker-1"
    stranger = replace(one, said=replace(one.said, user=f"system:node:{other}"))
    assert intrusions(story, instead(traffic, one, stranger)) == {s.NODES}


@pytest.mark.parametrize(
    ("question", "allowed"),
    [
        (Question("jane", (), "get", "", "pods", "a", "x"), True),
        (Question("jane", (), "get", "", "pods", "b", "x"), False),
        (Question("jane", (), "get", "", "pods/log", "a", "x"), False),
        (Question("jane", (), "delete", "", "pods", "a", "x"), False),
        (Question("joe", ("admins",), "delete", "apps", "deployments", "b", "x"), True),
        (Question("joe", ("admins",), "get", path="/metrics/cadvisor"), True),
        (Question("joe", (), "get", path="/metrics/cadvisor"), False),
        (Question("system:serviceaccount:a:robot", (), "get", "", "pods", "a", "only"), True),
        (Question("system:serviceaccount:a:robot", (), "get", "", "pods", "a", "other"), False),
        (Question("joe", ("system:masters",), "get", path="/x"), True),
    ],
)
def test_rbac_is_worked_out_as_it_is_written(question, allowed):
    def role(key, rules):
        return Write(5, f"/registry/{key}", None, {"rules": rules}, 1.0)

    def binding(key, kind, name, *subjects):
        return Write(6, f"/registry/{key}", None, {"roleRef": {"kind": kind, "name": name}, "subjects": subjects}, 2.0)

    history = History(
        [
            role("roles/a/reader", [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
            role(
                "roles/a/one", [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["only"]}]
            ),
            role(
                "clusterroles/all",
                [
                    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
                    {"verbs": ["get"], "nonResourceURLs": ["/metrics/*"]},
                ],
            ),
            binding("rolebindings/a/jane", "Role", "reader", {"kind": "User", "name": "jane"}),
            binding("rolebindings/a/robot", "Role", "one", {"kind": "ServiceAccount", "name": "robot"}),
            binding("clusterrolebindings/admins", "ClusterRole", "all", {"kind": "Group", "name": "admins"}),
        ]
    )
    access = Access(history)
    assert access.allows(question, 3.0, 4.0) == {allowed}
    assert False in access.allows(question, 0.0, 4.0) or "system:masters" in question.groups


# -- what was known ----------------------------------------------------------------------------------------------------


def test_nobody_is_blamed_for_what_had_not_reached_them(story, told):
    token = story.history.of("nodes")[0].token
    states = believed(story.history, token, 0, story.seconds)
    assert len(states) > len(believed(story.history, token, 10**9, story.seconds)) == 1
    assert told.floor("control-plane/kube-scheduler", "nodes", 0.0) == 0
    assert told.floor("control-plane/kube-scheduler", "nodes", 10.0) > 0
    killed = next(
        one["at"]
        for one in story.entries
        if one["kind"] == "process.started" and one["from"].endswith("kube-scheduler") and one["at"] > 20
    )
    assert told.floor("control-plane/kube-scheduler", "nodes", killed) == 0


# -- the journal -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "change", "invariant"),
    [
        (500, {"seq": 7}, j.NUMBERED),
        (500, {"cause": 500_000}, j.CAUSES),
        (500, {"replyTo": 501}, j.CAUSES),
        (500, {"arrived": 0.0, "at": 0.0}, j.TIMES),
        (500, {"at": 10**6}, j.TIMES),
    ],
)
def test_a_journal_that_breaks_its_rules_is_seen(story, number, change, invariant):
    entries = [*story.entries]
    entries[number] = {**entries[number], **change}
    assert invariant in found(j.unruly(entries))
    assert j.NUMBERED in found(j.unruly(entries[:700] + entries[701:]))


def test_an_answer_of_somebody_who_was_not_asked_is_seen(story):
    place = next(n for n, one in enumerate(story.entries) if one["kind"] == "http.response")
    entries = [*story.entries]
    entries[place] = {**entries[place], "from": "worker-1/kubelet"}
    assert found(j.unruly(entries)) == {j.REPLIES}


# -- watches -----------------------------------------------------------------------------------------------------------


def test_a_streaming_list_that_leaves_something_out_is_seen(story):
    request = next(one for one in story.entries if "sendInitialEvents" in one["fields"].get("path", ""))
    event = next(
        one
        for one in story.entries
        if one["kind"] == "watch.event"
        and (one["connection"], one["stream"]) == (request["connection"], request["stream"])
    )
    assert event["fields"]["type"] == "ADDED"
    assert LISTS in found(gaps([one for one in story.entries if one is not event], story.history))


def test_a_watch_over_http_1_1_is_judged_too(story):
    requests = [
        one for one in story.entries if one["from"] == "workstation/elder" and one["fields"].get("verb") == "watch"
    ]
    assert requests
    events = [one for one in story.entries if one["kind"] == "watch.event" and one["to"] == "workstation/elder"]
    assert len(events) > 3
    assert found(gaps([one for one in story.entries if one is not events[1]], story.history))
