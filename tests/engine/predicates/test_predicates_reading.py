"""Documents become predicates, or errors that say where, what and how to mend it."""

import pytest

from cluster_engine.predicates import PredicateError, names_in, paths, questions_in, read
from cluster_engine.predicates.matching import Between, Equal, Glob

DOCUMENT = {
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}],
    },
    "metadata": {"annotations": {"a.example/b": "x"}, "finalizers": [], "deletionTimestamp": None},
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("status.phase", ["Running"]),
        ("status.conditions[type=Ready].status", ["True"]),
        ("status.conditions[1].status", ["False"]),
        ("status.conditions.status", ["True", "False"]),
        ('metadata.annotations["a.example/b"]', ["x"]),
        ("metadata.finalizers", []),
        ("metadata.deletionTimestamp", []),
        ("metadata.labels.app", []),
        ("status.phase.deeper", []),
    ],
)
def test_a_path_leads_to_every_value_there(path, values):
    assert paths.find(DOCUMENT, paths.parse(path)) == values


@pytest.mark.parametrize("text", ["", ".a", "a..b", "a[", "a[x]", "a b", "a[0]b"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="path"):
        paths.parse(text)


@pytest.mark.parametrize(
    ("matcher", "fitting", "other"),
    [
        ("web-*", ["web-1"], ["db"]),
        ("a?c", ["abc"], ["ac"]),
        ("a.c", ["a.c"], ["abc"]),
        (3, [3], ["3"]),
        (1, [1], [True]),
        (True, [True], [1]),
        (["get", "list"], ["list"], ["watch"]),
        ({"least": 400}, [404], [200]),
        ({"least": 1, "most": 2}, [2], [3]),
        ({"not": "Running"}, [], ["Running"]),
        (None, [], ["x"]),
        ({"not": None}, ["x"], []),
    ],
)
def test_a_matcher_fits_what_it_says(matcher, fitting, other):
    ((_, made),) = read({"entry": {"fields": {"a": matcher}}}).fields
    assert made.fits(fitting)
    assert not made.fits(other)


def test_a_document_becomes_a_record():
    predicate = read(
        {"objects": {"resource": "pods", "name": "web-*", "where": {"spec.nodeName": "worker-1"}, "count": 3}}
    )
    assert predicate.name == Glob("web-*")
    assert predicate.where == ((("spec", "nodeName"), Equal("worker-1")),)
    assert predicate.count == Between(3, 3)


def test_names_and_questions_are_those_referred_to():
    document = {
        "all": [
            {"entry": {"kind": "http.request", "on": "hello", "after": "start"}},
            {"any": [{"reached": "end"}, {"not": {"passed": {"since": "cut", "seconds": 3}}}]},
            {"answered": {"question": "minute"}},
        ]
    }
    predicate = read(document, names=["hello", "start", "end", "cut"], questions=["minute"])
    assert names_in(predicate) == {"hello", "start", "end", "cut"}
    assert questions_in(predicate) == {"minute"}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], (), "exactly one key"),
        ({"entry": {}, "objects": {}}, (), "exactly one key"),
        ({"entries": {}}, ("entries",), "predicates are entry, objects"),
        ({"entry": {"knd": "x"}}, ("entry", "knd"), "keys are kind, from"),
        ({"entry": {}}, ("entry",), "any entry fits"),
        ({"entry": {"from": "kubelet"}}, ("entry", "from"), 'write "*/kubelet"'),
        ({"entry": {"layer": "ip"}}, ("entry", "layer"), "story, http, tls, tcp"),
        ({"entry": {"heartbeat": "no"}}, ("entry", "heartbeat"), "true or false"),
        ({"entry": {"kind": "x", "nth": 0}}, ("entry", "nth"), "whole number from 1"),
        ({"entry": {"fields": {"a..b": 1}}}, ("entry", "fields", "a..b"), "is not a path"),
        ({"entry": {"fields": {"a": {"least": "x"}}}}, ("entry", "fields", "a", "least"), "give a number"),
        ({"entry": {"fields": {"a": {"is": 1}}}}, ("entry", "fields", "a"), "cannot be compared"),
        ({"entry": {"after": "nowhere"}}, ("entry", "after"), "names are here"),
        ({"entry": {"same": "here.a"}}, ("entry", "same"), "write {path: name.path}"),
        ({"entry": {"same": {"a": "nowhere.a"}}}, ("entry", "same", "a"), "names are here"),
        ({"entry": {"same": {"a": "here"}}}, ("entry", "same", "a"), "give 1 to"),
        ({"objects": {}}, ("objects",), "resource is missing"),
        ({"objects": {"resource": "pods", "count": -1}}, ("objects", "count"), "whole number from 0"),
        ({"answered": {"question": "what"}}, ("answered", "question"), "questions are why"),
        ({"reached": "nowhere"}, ("reached",), "names are here"),
        ({"passed": {"since": "here", "seconds": -1}}, ("passed", "seconds"), "give 0 to"),
        ({"all": []}, ("all",), "in a list"),
        ({"all": [{"not": {"entry": {"kind": 3, "x": 1}}}]}, ("all", 0, "not", "entry", "x"), "no key x"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(document, path, words):
    with pytest.raises(PredicateError) as caught:
        read(document, names=["here"], questions=["why"])
    assert caught.value.path == path
    assert words in str(caught.value)


def test_nesting_has_a_bound():
    document = {"entry": {"kind": "x"}}
    for _ in range(20):
        document = {"not": document}
    with pytest.raises(PredicateError, match="nested too deeply"):
        read(document)


def test_without_names_none_can_be_referred_to():
    with pytest.raises(PredicateError, match="no names to refer to"):
        read({"entry": {"kind": "x", "after": "here"}})
