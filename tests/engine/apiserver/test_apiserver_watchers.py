"""Watchers are found by what they select, and told as if each had been asked."""

import random

from cluster_engine.api.kinds import POD
from cluster_engine.api.selectors import parse_field, parse_label
from cluster_engine.apiserver.storage import CachedObject, prefix_of
from cluster_engine.apiserver.watch_cache import Event
from cluster_engine.apiserver.watchers import Selection, Watcher, Watchers

LABELS = ["", "app=a", "app!=a", "app in (a,b)", "tier"]
FIELDS = [
    "",
    "metadata.name=p1",
    "metadata.name!=p1",
    "spec.nodeName=n1",
    "spec.nodeName=",
    "metadata.name=p2,spec.nodeName=n2",
]


def selection(namespace, labels, fields):
    return Selection(prefix_of(POD, namespace), parse_label(labels), parse_field(POD, fields))


def pod(namespace, name, node, labels, revision):
    obj = {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"nodeName": node} if node else {},
    }
    return CachedObject(f"{prefix_of(POD, namespace)}{name}", obj, revision)


def some_event(rng, revision):
    namespace, name = rng.choice(["default", "other"]), rng.choice(["p1", "p2", "p3"])

    def state():
        labels = rng.choice([{}, {"app": "a"}, {"app": "b", "tier": "x"}])
        return pod(namespace, name, rng.choice(["", "n1", "n2"]), labels, revision)

    before, now = rng.choice([(None, state()), (state(), state()), (state(), None)])
    return Event(f"{prefix_of(POD, namespace)}{name}", revision, before, now)


def test_exactly_those_are_told_whom_asking_everybody_would_find_and_in_their_order(run):
    async def story(world):
        rng = random.Random(8)
        told, watchers, everybody = [], Watchers(prefix_of(POD)), []
        for number in range(300):
            wanted = selection(rng.choice(["", "default", "other"]), rng.choice(LABELS), rng.choice(FIELDS))
            watcher = Watcher(wanted, rng.choice([0, 150]), lambda event, kind, n=number: told.append((n, kind)))
            watchers.add(watcher)
            everybody.append((number, watcher))
        for leaver in rng.sample(everybody, 100):
            watchers.remove(leaver[1])
            everybody.remove(leaver)
        heard = 0
        for revision in range(1, 300):
            event = some_event(rng, revision)
            told.clear()
            watchers.tell(event)
            expected = [
                (number, kind)
                for number, watcher in everybody
                if revision > watcher.since and (kind := watcher.selection.type_of(event)) is not None
            ]
            assert told == expected
            heard += len(told)
        assert heard > 1000
        assert list(watchers) == [watcher for _, watcher in everybody]

    run(story)


def test_a_selection_is_asked_once_for_all_who_share_it(run):
    async def story(world):
        asked = []

        class Counting(Selection):
            __slots__ = ()

            def type_of(self, event):
                asked.append(self)
                return super().type_of(event)

        watchers = Watchers(prefix_of(POD))
        wanted = [Counting(prefix_of(POD), parse_label(""), parse_field(POD, f"spec.nodeName=n{n}")) for n in range(50)]
        told = []
        for each in wanted:
            for _ in range(10):
                watchers.add(Watcher(each, 0, lambda *what: told.append(what)))
        watchers.tell(Event("/registry/pods/default/p1", 7, None, pod("default", "p1", "n3", {}, 7)))
        assert asked == [wanted[3]]
        assert len(told) == 10

    run(story)


def test_one_that_ends_while_others_are_told_keeps_none_from_hearing(run):
    async def story(world):
        watchers, told = Watchers(prefix_of(POD)), []
        everything = selection("", "", "")
        first = Watcher(everything, 0, lambda *_: watchers.remove(first))
        watchers.add(first)
        watchers.add(Watcher(everything, 0, lambda *what: told.append(what)))
        watchers.tell(Event("/registry/pods/default/p1", 7, None, pod("default", "p1", "", {}, 7)))
        assert len(told) == 1

    run(story)
