"""A bug of ours in a cluster is in the server's log, in words and with its trace."""

from types import SimpleNamespace

from cluster_engine.world import bugs
from visualizer.hosting.hosted_cluster import HostedCluster


def test_a_bug_in_a_cluster_is_logged_with_its_sentence_and_its_trace(caplog):
    told = []
    run = SimpleNamespace(inputs=[])
    hosted = SimpleNamespace(id="c1", _pass_over=lambda entries: entries, _put=told.append, _outside=False, _run=run)
    fields = {"error": "KeyError: 'x'", "trace": "cluster_engine/scheduler/main.py:1 in _choose"}
    ends = {"from": "control-plane/kube-scheduler", "to": None, "label": "a bug"}
    HostedCluster._entries(hosted, [{"seq": 1, "kind": bugs.KIND, **ends, "fields": fields}])
    (record,) = caplog.records
    assert "kube-scheduler: a bug of Glassplane, not of Kubernetes: KeyError: 'x'" in record.getMessage()
    assert fields["trace"] in record.getMessage()
    assert len(told) == 1
