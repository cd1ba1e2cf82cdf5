"""Real runs beside each other, of one seed."""

import pytest

from cluster_engine.comparing import Run, report, unlike

pytestmark = pytest.mark.long

DEPLOYED = "kubectl create deployment web --image=nginx --replicas=3"
SCALED = (DEPLOYED, "sleep 8", "kubectl scale deployment web --replicas=5")
KEPT = (DEPLOYED, "sleep 8", "kubectl scale deployment web --replicas=3")
MIRRORED = {"both": "both", "differs": "differs", "a": "b", "b": "a"}


@pytest.mark.parametrize("layer", ["story", "tcp"])
def test_one_run_twice_says_the_same(recorded, layer):
    one = recorded(DEPLOYED)
    document = report(one, one, layer=layer, heartbeats=True)
    assert (document["rows"], document["first"], document["objects"]) == ([], None, [])
    assert document["common"]["entries"] == document["a"]["entries"] > 500


def test_two_runs_of_one_seed_and_the_same_line_say_the_same(recorded):
    one, other = recorded(DEPLOYED), recorded(DEPLOYED, "true")
    last = next(entry["seq"] for entry in other.entries if entry["fields"].get("line") == "true")
    document = report(Run(one.entries[: last - 1]), Run(other.entries[: last - 1]), layer="tcp")
    assert (document["rows"], document["objects"]) == ([], [])


def test_a_scale_to_five_beside_one_to_three(recorded):
    document = report(recorded(*KEPT), recorded(*SCALED))
    assert document["first"] == 0
    assert document["rows"][0]["say"] == (
        "in B the command is “kubectl scale deployment web --replicas=5” instead of "
        "“kubectl scale deployment web --replicas=3”"
    )
    ends = [one["say"] for one in document["objects"]]
    assert "Deployment default/web ends differently: Ready is 5/5 in B instead of 3/3" in ends[0]
    assert len([one for one in ends if one.startswith("Pod default/web-") and one.endswith("end of B only")]) == 2
    assert document["counts"]["a"] == 0, "what keeps three pods is said by who makes five too"


def test_what_was_written_is_compared_where_histories_are_known(recorded):
    one, other = recorded(DEPLOYED, "sleep 8", "kubectl scale deployment web --replicas=4"), recorded(*SCALED)
    assert (("deployments", "default", "web"), ("deployments", "default", "web")) in unlike(one, other)
    said = [row["say"] for row in report(one, other)["rows"] if row["is"] == "differs"]
    assert "in B spec.replicas of Deployment default/web is 5 instead of 4" in said
    without = [run._replace(histories=()) for run in (one, other)]
    assert not any("spec.replicas" in row["say"] for row in report(*without)["rows"])


def test_a_kubelet_that_is_stopped_beside_one_that_runs(recorded):
    document = report(recorded(DEPLOYED), recorded(DEPLOYED, fails="worker-1/kubelet"))
    assert document["rows"][0]["say"].startswith("only in B: Broken on purpose")
    only_a = {row["say"] for row in document["rows"] if row["is"] == "a"}
    assert "only in A: worker-1's kubelet asks worker-1's containerd to pull image nginx" in only_a
    assert not any("worker-1's kubelet asks" in row["say"] for row in document["rows"] if row["is"] == "b")


def test_a_node_that_takes_no_pods_sends_a_binding_elsewhere(recorded):
    document = report(recorded("kubectl get nodes", DEPLOYED), recorded("kubectl cordon worker-1", DEPLOYED))
    bindings = [row["say"] for row in document["rows"] if "Binding" in row["say"]]
    assert bindings
    assert all(said.startswith("in B the Binding of Pod default/web-") for said in bindings)
    assert all(said.endswith("went to worker-2 instead of worker-1") for said in bindings)


@pytest.mark.parametrize("everything", [False, True])
def test_comparing_the_other_way_round_is_the_mirror(recorded, everything):
    pairs = [
        (recorded(*KEPT), recorded(*SCALED)),
        (recorded(DEPLOYED), recorded(DEPLOYED, fails="worker-1/kubelet")),
        (recorded("kubectl get nodes", DEPLOYED), recorded("kubectl cordon worker-1", DEPLOYED)),
    ]
    for one, other in pairs:
        there = report(one, other, everything=everything)
        back = report(other, one, everything=everything)
        assert [_mirrored(row) for row in back["rows"]] == [_plain(row) for row in there["rows"]]
        assert there["counts"] == {MIRRORED[sort]: count for sort, count in back["counts"].items()}
        assert (there["first"], there["common"]["entries"]) == (back["first"], back["common"]["entries"])


def test_each_entry_after_the_common_part_is_in_one_row(recorded):
    one, other = (recorded(line, DEPLOYED).entries for line in ("kubectl get nodes", "kubectl cordon worker-1"))
    document = report(Run(one), Run(other), layer="tcp", heartbeats=True, everything=True)
    for side, entries in (("a", one), ("b", other)):
        told = sorted(row[side]["seq"] for row in document["rows"] if row[side])
        assert told == [entry["seq"] for entry in entries[document["common"]["entries"] :]]


def _plain(row):
    return row["is"], row["a"], row["b"], [(one["path"], one["a"], one["b"]) for one in row["fields"]]


def _mirrored(row):
    return MIRRORED[row["is"]], row["b"], row["a"], [(one["path"], one["b"], one["a"]) for one in row["fields"]]
