"""A sequence diagram as text."""

from cluster_engine.export.mermaid import ARROWS_MAX, mermaid
from cluster_engine.export.selection import Context, Selection
from cluster_engine.journal import Journal


def diagram(*entries):
    journal = Journal()
    for one in entries:
        usual = {"seq": 0, "layer": "story", "kind": "http.request", "from": "a/kubectl", "to": "b/kube-apiserver"}
        journal.append({**usual, "arrived": 0.5, "heartbeat": False, "label": "GET pods", "fields": {}, **one})
    return b"".join(mermaid(journal, Selection(), Context())).decode().splitlines()


def test_messages_notes_and_what_was_lost():
    assert diagram(
        {},
        {"kind": "http.response", "from": "b/kube-apiserver", "to": "a/kubectl", "label": "200 OK"},
        {"kind": "watch.event", "from": "b/kube-apiserver", "to": "c/kubelet", "label": "ADDED web"},
        {"kind": "dns.query", "arrived": None, "label": "A web"},
        {"kind": "scheduler.scores", "to": None, "label": "worker-1 60"},
        {"layer": "tls"},
        {"heartbeat": True},
    ) == [
        "sequenceDiagram",
        "    participant p1 as a/kubectl",
        "    participant p2 as b/kube-apiserver",
        "    p1->>p2: GET pods",
        "    p2-->>p1: 200 OK",
        "    participant p3 as c/kubelet",
        "    p2-)p3: ADDED web",
        "    p1-xp2: A web",
        "    Note over p1: worker-1 60",
    ]


def test_what_mermaid_would_take_for_its_own_is_written_as_entities():
    assert (
        diagram({"label": "a; b #x <script>\n%%{init}"})[-1]
        == "    p1->>p2: a#59; b #35;x #60;script#62; #37;#37;{init}"
    )


def test_it_ends_where_nobody_would_read_on():
    lines = diagram(*({} for _ in range(ARROWS_MAX + 7)))
    assert len(lines) == 1 + 2 + ARROWS_MAX + 1
    assert lines[-1] == "    Note over p1: … and 7 more"
