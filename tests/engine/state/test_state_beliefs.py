"""What programs believe, whom they show themselves as, and what they made of it: beside what etcd held."""

from state_story import recorded

from cluster_engine.state.watches import GONE, THERE, Belief, Selection

SCHEDULER, PROXY = "control-plane/kube-scheduler", "worker-1/kube-proxy"


def entry_of(told, kind, **wanted):
    return next(
        entry
        for entry in told.entries()
        if entry["kind"] == kind and wanted.items() <= {**entry, **entry["fields"]}.items()
    )


def of(answer, participant, resource, selector=None):
    who = next(one for one in answer["who"] if one["participant"] == participant)
    return next(one for one in who["resources"] if one["resource"] == resource and selector in (None, one["selector"]))


def test_a_write_is_believed_once_the_watch_has_told_of_it(told):
    created = entry_of(told, "etcd.event", resource="pods", type="PUT", created=True)
    heard = entry_of(told, "watch.event", to=SCHEDULER, type="ADDED", resource="pods", name=created["fields"]["name"])
    state = told.state()
    told.ask("beliefs", of=state)
    after, before, written = (
        of(told.ask("beliefs", at, state), SCHEDULER, "pods") for at in (heard["seq"], heard["seq"] - 1, created["seq"])
    )
    assert written["count"] == 0 and created["fields"]["name"] in [one["name"] for one in written["differs"]]
    one = next(one for one in before["differs"] if one["name"] == created["fields"]["name"])
    assert (one["believes"], one["etcd"]) == (None, str(created["fields"]["revision"]))
    assert told.journal.entry(one["seq"])["fields"]["revision"] == created["fields"]["revision"]
    assert created["fields"]["name"] not in [one["name"] for one in after["differs"] if one["believes"] is None]
    assert told.journal.entry(after["from"])["fields"]["verb"] == "watch"


def test_who_is_cut_off_believes_what_was_and_the_others_agree_with_etcd(told):
    answer = told.ask("beliefs", list(told.held)[2])
    cut_off = of(answer, "worker-1/kubelet", "pods")
    assert cut_off["selector"] == "spec.nodeName=worker-1"
    assert cut_off["differs"] and all(one["believes"] != one["etcd"] for one in cut_off["differs"])
    for participant in (SCHEDULER, "control-plane/kube-controller-manager", "control-plane/kube-apiserver"):
        assert of(answer, participant, "pods")["differs"] == [], participant
    assert of(answer, "worker-2/kubelet", "pods")["differs"] == [], "a selector leaves out what it does not select"


def test_who_does_not_run_believes_nothing():
    async def story(tell):
        tell.cluster.fail("stop", target=SCHEDULER)
        await tell.ok("kubectl get nodes")

    with recorded(story, nodes=1) as told:
        assert SCHEDULER not in [one["participant"] for one in told.ask("beliefs")["who"]]
        exited = entry_of(told, "process.exited", **{"from": SCHEDULER})["seq"]
        assert of(told.ask("beliefs", exited - 1), SCHEDULER, "nodes")["count"] == 1


def test_a_new_list_takes_the_place_of_all_before():
    belief = Belief("worker-1/kubelet", Selection("pods"))
    belief.hears(1, ("default", "a"), 5)
    belief.hears(2, ("default", "b"), 6)
    belief.hears(3, ("default", "a"), 7, GONE)
    belief.replaces(4, [(("default", "c"), 8), (("default", "a"), 9)])
    assert dict(belief.at(2)) == {("default", "a"): 5, ("default", "b"): 6}
    assert dict(belief.at(3)) == {("default", "b"): 6}
    assert dict(belief.at(4)) == {("default", "a"): 9, ("default", "c"): 8}
    assert [point.told for point in belief.versions["default", "a"]] == [THERE, GONE, THERE]


def test_certificates_and_tokens_are_those_of_open_connections_and_no_token_is_shown(told):
    answer = told.ask("identities")
    shown = {(one["participant"], one["role"]): one for one in answer["certificates"]}
    kubelet = shown["worker-1/kubelet", "client"]
    assert kubelet["subject"] == "CN=system:node:worker-1,O=system:nodes" and kubelet["issuer"] == "kubernetes"
    facts = told.journal.entry(kubelet["seq"])
    assert (facts["kind"], facts["fields"]["notAfter"]) == ("tls.certificate", kubelet["notAfter"])
    assert facts["connection"] in kubelet["connections"]
    assert shown["control-plane/kube-apiserver", "server"]["subject"] == "CN=kube-apiserver"
    proxy = next(one for one in answer["tokens"] if one["participant"] == PROXY)
    assert proxy["subject"] == "system:serviceaccount:kube-system:kube-proxy"
    assert set(proxy) == {"participant", "subject", "audience", "expires", "connections", "seq"}
    assert "eyJ" not in str(answer)
    assert told.ask("identities", 3)["certificates"] == []


def test_rules_are_what_kube_proxy_made_of_what_it_had_been_told(told):
    exposed = list(told.held)[1]
    answer = told.ask("rules", exposed, host="worker-1")
    assert answer["hosts"] == ["worker-1", "worker-2"] and answer["derived"]
    noted = told.journal.entry(answer["by"])
    assert (noted["kind"], noted["from"]) == ("proxy.synced", PROXY)
    assert len(answer["rules"]) == noted["fields"]["rules"]
    balanced = [rule["text"] for rule in answer["rules"] if "--probability" in rule["text"]]
    assert len(balanced) == 2 and all("default/web" in text for text in balanced)
    before = entry_of(told, "http.request", verb="create", resource="services")["seq"]
    assert not [rule for rule in told.ask("rules", before, host="worker-1")["rules"] if "default/web" in rule["text"]]
    assert told.ask("rules", host="nowhere")["rules"] == []
