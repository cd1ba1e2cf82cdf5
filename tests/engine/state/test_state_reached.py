"""When objects came into a state, by what etcd said on the wire; looking back and looking on agree."""

import pytest

from cluster_engine.api.kinds import NODE, POD
from cluster_engine.state.conditions import holds, read
from cluster_engine.state.keys import Resource
from cluster_engine.state.turns import Turns

STATES = (
    "pod/default/web-*=Ready",
    "pods/*=Running",
    "po/*=ContainerCreating",
    "deployment/web=Available",
    "deploy/default/*=Created",
    "node/worker-1=NotReady",
    "node/*=Ready",
    "pod/*=Deleted",
    "configmap/old=Created",
    "configmap/old=Deleted",
)


def ask(told, text, since=0):
    state = told.state()
    for _ in state.reading("reached", 2**53):
        pass
    return state.answer("reached", 2**53, {"state": text, "since": str(since)})


def obj(**status):
    return {"metadata": {"name": "x"}, "status": status}


def test_a_state_is_a_condition_a_phase_a_status_or_being_there():
    ready = obj(conditions=[{"type": "Ready", "status": "True"}], phase="Running")
    unknown = obj(conditions=[{"type": "Ready", "status": "Unknown"}])
    pod, node = "pod/x=", "node/x="
    assert [holds(read(pod + state), ready) for state in ("Ready", "ready", "Running", "NotReady", "Pending")] == [
        *(True, True, True),
        *(False, False),
    ]
    assert holds(read(node + "NotReady"), unknown)
    assert not holds(read(node + "Ready"), unknown)
    assert holds(read(pod + "NotReady"), obj())
    assert [holds(read(pod + state), obj()) for state in ("Created", "Deleted")] == [True, False]
    assert [holds(read(pod + state), None) for state in ("Created", "Deleted", "NotReady")] == [False, True, False]
    assert holds(read("pod/x=Terminating"), {"metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    for odd in ({"conditions": 3}, {"conditions": ["x"]}, {"phase": []}):
        assert not holds(read("widgets.example.com/x=Ready"), obj(**odd))


def test_kinds_are_called_as_kubectl_takes_them_and_names_have_stars():
    pods = Resource(POD.plural, "")
    assert {read(f"{called}/x=Ready").resource for called in ("pod", "pods", "po", "Pod")} == {pods}
    assert read("no/w=Ready").resource == Resource(NODE.plural, "")
    assert read("deployments.apps/x=Available").resource == Resource("deployments", "apps")
    assert read("widgets.example.com/a=Ready").resource == Resource("widgets", "example.com")
    assert read("pod/a/b*=Ready")[1:] == ("a", "b*", "ready")


@pytest.mark.parametrize("text", ["", "pod=Ready", "pod/x", "pod/x=", "pod/a/b/c=Ready", "pdo/x=Ready", "x" * 300])
def test_what_is_no_state_is_refused_in_words(text):
    with pytest.raises(LookupError, match=r"A state is written|There is no kind"):
        read(text)


class Then:
    """The store as it was at the entry that is looked at."""

    revision = 0

    def __init__(self, told):
        self._told, self._state, self.at = told, told.state(), 0
        told.ask("objects", of=self._state)

    def stored(self, resource, group, namespace):
        asked = {"kind": f"{resource}.{group}" if group else resource}
        rows = [
            row for kind in self._told.ask("objects", self.at, self._state, **asked)["kinds"] for row in kind["rows"]
        ]
        names = [{"resource": asked["kind"], "namespace": row["namespace"], "name": row["name"]} for row in rows]
        return [self._told.ask("object", self.at, self._state, **one)["object"] for one in names]


@pytest.mark.parametrize("text", STATES)
def test_looking_back_and_looking_on_name_the_same_entries(told, text):
    store, seen = Then(told), []
    turns = Turns(told.journal, [read(text)], store)
    for entry in told.entries():
        store.at = entry["seq"]
        if turns.look(entry):
            seen.append(entry["seq"])
    assert seen == ask(told, text)["seqs"] and seen


def test_an_object_was_ready_at_the_entry_and_not_before_it(told):
    wanted, state = read("pod/default/web-*=Ready"), told.state()
    for seq in ask(told, "pod/default/web-*=Ready")["seqs"]:
        ready = []
        for at in (seq - 1, seq):
            kinds = told.ask("objects", at, state)["kinds"]
            names = [row["name"] for kind in kinds if kind["resource"] == "pods" for row in kind["rows"]]
            ready.append(
                {name for name in names if name.startswith("web-") and is_ready(told, state, at, name, wanted)}
            )
        assert len(ready[1] - ready[0]) == 1


def is_ready(told, state, at, name, wanted):
    found = told.ask("object", at, state, resource="pods", namespace="default", name=name)["object"]
    return found is not None and holds(wanted, found)


def test_a_question_goes_on_where_the_last_one_stopped(told, monkeypatch):
    whole = ask(told, "pod/*=Ready")["seqs"]
    monkeypatch.setattr("cluster_engine.state.reached.VERSIONS_MAX", 3)
    found, since = [], 0
    while since < told.journal.head:
        answer = ask(told, "pod/*=Ready", since)
        found += answer["seqs"]
        assert answer["to"] > since
        since = answer["to"]
    assert sorted(set(found)) == whole
