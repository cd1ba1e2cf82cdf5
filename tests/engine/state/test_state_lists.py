"""What is believed by those who list in pages, ask for tables, or have a watch list for them."""

from state_story import recorded
from state_wires import API, Wires

KUBECTL = "workstation/kubectl"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
STREAMING = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def believed(told, at, state, participant=KUBECTL):
    """What one believes of ConfigMaps: how many, and which differ from what etcd held."""
    who = {one["participant"]: one["resources"] for one in told.ask("beliefs", at, state)["who"]}
    its = [one for one in who.get(participant, ()) if one["resource"] == "configmaps"]
    return (its[0]["count"], {one["name"] for one in its[0]["differs"]}) if its else None


def entries_of(told, kind, **fields):
    return [one for one in told.entries() if one["kind"] == kind and fields.items() <= one["fields"].items()]


def test_a_list_in_pages_of_a_table_is_believed_whole_once_it_is_watched_from():
    async def story(tell):
        for number in range(3):
            await tell.ok(f"kubectl create configmap c{number} --from-literal=a=b")
        await tell("kubectl get configmaps --chunk-size=2 -w", interrupt_after=3)

    with recorded(story, nodes=1) as told:
        state = told.state()
        pages = entries_of(told, "http.response", verb="list", resource="configmaps", namespace="default")
        pages = [one["seq"] for one in pages if one["to"] == KUBECTL]
        (watch,) = (one["seq"] for one in entries_of(told, "http.request", verb="watch") if one["from"] == KUBECTL)
        told.ask("beliefs", of=state)
        assert len(pages) == 2 and [believed(told, at, state) for at in pages] == [None, None]
        assert believed(told, watch, state) == (4, set())


def test_a_watch_that_sends_its_initial_events_is_heard_one_by_one_and_has_all_with_its_bookmark():
    async def story(tell):
        for number in range(3):
            await tell.ok(f"kubectl create configmap c{number} --from-literal=a=b")
        await tell.ok(f"kubectl get --raw '{CONFIG_MAPS}?{STREAMING}&timeoutSeconds=3'")

    with recorded(story, nodes=1) as told:
        state = told.state()
        events = [one for one in entries_of(told, "watch.event") if one["to"] == KUBECTL]
        told.ask("beliefs", of=state)
        assert [one["fields"]["type"] for one in events[:5]] == [*["ADDED"] * 4, "BOOKMARK"]
        counts = [believed(told, one["seq"], state)[0] for one in events[:5]]
        assert counts == [1, 2, 3, 4, 4]
        assert believed(told, events[4]["seq"], state) == (4, set())


class Client:
    """A program that watches Widgets, on a stream of its own each time."""

    def __init__(self):
        self.told, self.streams = Wires(), 0

    def watches(self, query):
        self.streams += 1
        path = f"/apis/toys.example/v1/widgets?watch=true&{query}"
        self.told.say("http.request", KUBECTL, API, verb="watch", resource="widgets", path=path, **self._stream)

    def hears(self, type_, name="", version=0):
        about = {"type": type_, "name": name, "namespace": "default", "resourceVersion": str(version)}
        self.told.say("watch.event", API, KUBECTL, **about, **self._stream)

    @property
    def believes(self):
        state = self.told.state()
        self.told.ask("beliefs", of=state)
        (belief,) = state._fold.watches.beliefs.values()
        return {name: version for (_, name), version in belief.at(self.told.journal.head)}

    @property
    def _stream(self):
        return {"connection": 1, "stream": self.streams}


def test_what_a_watch_has_not_named_by_its_bookmark_is_gone_and_what_it_took_back_too():
    client = Client()
    client.watches("resourceVersion=0")
    for name, version in (("old", 1), ("kept", 2), ("taken", 3)):
        client.hears("ADDED", name, version)
    client.watches(STREAMING)
    for type_, name, version in (("ADDED", "kept", 2), ("ADDED", "taken", 3), ("DELETED", "taken", 8)):
        client.hears(type_, name, version)
    assert client.believes == {"old": 1, "kept": 2}
    client.hears("BOOKMARK", version=9)
    assert client.believes == {"kept": 2}
    client.hears("ADDED", "new", 10)
    client.hears("BOOKMARK", version=11)
    assert client.believes == {"kept": 2, "new": 10}, "only the first bookmark ends the list"


def test_what_ends_before_its_bookmark_has_listed_nothing():
    client = Client()
    client.watches("resourceVersion=0")
    client.hears("ADDED", "old", 1)
    client.watches(STREAMING)
    client.hears("ADDED", "new", 2)
    client.told.say("http.end", API, KUBECTL, verb="watch", resource="widgets", **client._stream)
    client.watches(STREAMING)
    client.hears("ADDED", "newer", 3)
    assert client.believes == {"old": 1, "new": 2, "newer": 3}
    client.hears("BOOKMARK", version=4)
    assert client.believes == {"newer": 3}
