"""What nobody had asked for when the journal forgot it: it was read before, in idle moments."""

from recent import EPOCH
from state_wires import API, Wires

from cluster_engine.cluster import ClusterSpec
from cluster_engine.run import Run
from cluster_engine.thread import ClusterThread


def test_what_is_about_to_be_forgotten_is_read_and_nothing_before():
    told = Wires(bytes_max=256 * 1024)
    state, read = told.state(), []
    told.say("tcp.syn", "workstation/kubectl", API, client="10.0.0.9:40000", server="10.0.0.1:6443", connection=7)
    told.say("tcp.syn", API, "workstation/kubectl", connection=7)
    kept = told.put("/registry/configmaps/default/kept", {"metadata": {"name": "kept"}})
    while told.journal.first == 1:
        told.put("/registry/configmaps/default/filling", {"metadata": {"name": "filling"}, "data": {"a": "b" * 2000}})
        if told.journal.is_filling:
            state.keep_up()
        read.append(state._fold.read)
    assert 0 in read and read[-1] < told.journal.head
    assert [one["connection"] for one in told.ask("topology", of=state)["connections"]] == [7]
    (kind,) = told.ask("objects", of=state)["kinds"]
    assert [(row["name"], row["gone"]) for row in kind["rows"]] == [("filling", False), ("kept", True)]
    assert kind["rows"][1]["seq"] == kept
    late = told.state()
    assert told.ask("topology", of=late)["connections"] == []


def test_a_cluster_that_nobody_asks_keeps_what_its_journal_forgets(monkeypatch):
    monkeypatch.setattr("cluster_engine.journal.journal.DISK_BYTES_MAX", 2_000_000)
    thread = ClusterThread(ClusterSpec(nodes=1, epoch=EPOCH), run=Run(until=120.0, paused=True))
    thread.start().result(60)
    try:
        answer = thread.state("topology", 2**53, {}).result(60)
    finally:
        thread.stop().result(60)
    assert not answer["complete"]
    before = {(one["from"], one["to"]) for one in answer["connections"] if one["opened"] < answer["first"]}
    assert (API, "control-plane/etcd") in before
