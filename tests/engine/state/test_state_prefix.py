"""Every view is a function of the entries up to its position: nothing of what comes later shows through."""

import random

import pytest

from cluster_engine.state import VIEWS, State

ARGS = {
    "object": {"resource": "deployments", "namespace": "default", "name": "web"},
    "rules": {"host": "worker-2"},
    "reached": {"state": "pod/default/web-*=Ready", "since": "0"},
}


class Prefix:
    """The beginning of a journal, as it was when it had so many entries."""

    def __init__(self, journal, head):
        self._journal = journal
        self.head = head

    def since(self, seq, limit):
        return self._journal.since(seq, min(limit, max(0, self.head - seq)))

    def __getattr__(self, name):
        return getattr(self._journal, name)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_a_whole_journal_is_that_of_its_beginning(told, view):
    args = ARGS.get(view, {})
    whole = told.state()
    told.ask(view, of=whole, **args)
    chance = random.Random(view)
    for at in sorted((chance.randrange(told.journal.head) for _ in range(6)), reverse=True):
        beginning = State(Prefix(told.journal, at), told.epoch)
        assert list(beginning.reading(view, at)) or at <= 256
        wanted, found = beginning.answer(view, at, args), told.ask(view, at, whole, **args)
        if view == "object":
            found["versions"] = [version for version in found["versions"] if version["seq"] <= at]
        assert found == wanted, f"at {at}"
