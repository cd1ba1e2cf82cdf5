"""A lookout says when predicates first hold: at an entry, or at the end of an instant."""

import asyncio

import pytest

from cluster_engine.journal import Journal
from cluster_engine.predicates import Held, Lookout, read
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop


class Ground:
    """A journal, a clock and objects; no cluster."""

    def __init__(self, loop):
        self.loop, self.clock = loop, loop.clock
        self.journal = Journal()
        self.revision = 1
        self.pods = []
        self.asked = 0

    def stored(self, resource, group, namespace):
        self.asked += 1
        if resource != "pods":
            raise ValueError(f"there is no resource {resource}")
        return self.pods

    def put(self, *names):
        self.revision += 1
        self.pods = [{"metadata": {"name": name}} for name in names]

    def say(self, kind="http.request", **more):
        entry = {
            "seq": 0, "at": self.loop.time(), "arrived": None, "layer": "story", "kind": kind, "from": "a/b",
            "to": None, "label": "", "cause": None, "trigger": None, "replyTo": None, "connection": None,
            "stream": None, "heartbeat": False, "fields": {},
        }  # fmt: skip
        return self.journal.append({**entry, **more})


@pytest.fixture
def tell():
    """Run a story with a ground."""

    def tell(story):
        loop = ClusterLoop(Clock(None))
        try:
            return loop.run_until_complete(story(Ground(loop)))
        finally:
            loop.close()

    return tell


def entry(**wanted):
    return {"entry": wanted}


def watch(lookout, **documents):
    for name, document in documents.items():
        lookout.watch(name, read(document, names=list(documents)))


def seqs(lookout):
    return {name: held.seq for name, held in lookout.held.items()}


def test_a_name_holds_from_the_first_entry_that_fits(tell):
    async def story(ground):
        lookout, told = Lookout(ground), []
        lookout.watch("one", read(entry(kind="http.*", fields={"verb": "create"})), told.append)
        ground.say(fields={"verb": "get"})
        await asyncio.sleep(1)
        ground.say(fields={"verb": "create"})
        assert told == [Held(2, 1.0)], "told at once, in the middle of the instant"
        ground.say(fields={"verb": "create"})
        assert lookout.held == {"one": Held(2, 1.0)}
        assert len(told) == 1

    tell(story)


def test_what_is_watched_late_is_found_in_the_past(tell):
    async def story(ground):
        for n in range(1500):
            ground.say(fields={"n": n})
        lookout = Lookout(ground)
        watch(lookout, late=entry(fields={"n": 700}), later=entry(after="late", nth=3), before=entry(fields={"n": 1}))
        assert seqs(lookout) == {"late": 701, "later": 704, "before": 2}

    tell(story)


def test_since_leaves_out_what_was_before(tell):
    async def story(ground):
        ground.say()
        lookout = Lookout(ground)
        lookout.watch("new", read(entry(kind="http.request")), since=ground.journal.head)
        assert lookout.held == {}
        ground.say()
        assert seqs(lookout) == {"new": 2}

    tell(story)


def test_the_nth_entry_is_counted_from_after_the_other_name(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, second=entry(kind="x", after="begin", nth=2), begin=entry(kind="go"))
        for kind in ("x", "x", "go", "x", "y", "x", "x"):
            ground.say(kind)
        assert seqs(lookout) == {"begin": 3, "second": 6}

    tell(story)


def test_relations_join_entries_by_connection_stream_reply_and_cause(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(
            lookout,
            request=entry(kind="http.request"),
            syn=entry(kind="tcp.syn", on="request"),
            end=entry(kind="http.end", stream="request"),
            reply=entry(kind="http.response", answers="request"),
            write=entry(kind="grpc.request", follows="request"),
        )
        ground.say("tcp.syn", connection=1)
        ground.say("tcp.syn", connection=2)
        ground.say("http.request", connection=2, stream=5)
        ground.say("http.response", replyTo=1)
        ground.say("grpc.request", cause=2)
        ground.say("http.end", connection=2, stream=7)
        ground.say("watch.event", cause=3)
        ground.say("grpc.request", cause=7)
        ground.say("http.response", replyTo=3)
        ground.say("http.end", connection=2, stream=5)
        assert seqs(lookout) == {"request": 3, "syn": 2, "write": 8, "reply": 9, "end": 10}

    tell(story)


def test_in_http_1_a_connection_is_its_own_stream(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, told=entry(kind="watch.event"), ended=entry(kind="http.end", stream="told"))
        ground.say("watch.event", connection=2)
        ground.say("http.end", connection=3)
        ground.say("http.end", connection=2, stream=5)
        ground.say("http.end", connection=2)
        assert seqs(lookout) == {"told": 1, "ended": 4}

    tell(story)


def test_a_note_is_on_no_connection_and_so_nothing_is_on_it(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, note=entry(kind="note"), same=entry(kind="other", on="note"))
        ground.say("note")
        ground.say("other")
        assert seqs(lookout) == {"note": 1}

    tell(story)


def test_objects_are_counted_when_everything_waits_and_do_not_latch(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, two={"objects": {"resource": "pods", "name": "web-*", "count": 2}})
        ground.put("web-1", "web-2")
        ground.put("web-1", "web-2", "web-3")
        await asyncio.sleep(1)
        assert lookout.held == {}, "there were two only in the middle of an instant"
        ground.say()
        ground.put("web-1", "web-3", "db")
        await asyncio.sleep(1)
        assert lookout.held == {"two": Held(1, 1.0)}

    tell(story)


def test_objects_are_not_asked_for_while_the_revision_stands(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, some={"objects": {"resource": "pods"}})
        await asyncio.sleep(1)
        asked = ground.asked
        for _ in range(50):
            await asyncio.sleep(1)
        assert ground.asked == asked

    tell(story)


def test_an_unknown_resource_is_refused_at_once(tell):
    async def story(ground):
        with pytest.raises(ValueError, match="no resource pod"):
            watch(Lookout(ground), some={"objects": {"resource": "pod"}})

    tell(story)


def test_all_holds_from_its_latest_part_and_any_from_its_earliest(tell):
    async def story(ground):
        lookout = Lookout(ground)
        parts = [entry(kind="a"), entry(kind="b")]
        watch(lookout, all={"all": parts}, any={"any": parts}, then={"reached": "all"})
        for kind in ("b", "c", "a"):
            ground.say(kind)
        assert seqs(lookout) == {"any": 1, "all": 3, "then": 3}

    tell(story)


def test_not_is_judged_at_the_end_of_an_instant(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(lookout, calm={"all": [entry(kind="a"), {"not": entry(kind="b")}]}, a=entry(kind="a"))
        ground.say("a")
        ground.say("b")
        await asyncio.sleep(1)
        assert seqs(lookout) == {"a": 1}

    tell(story)


def test_time_does_not_leap_over_the_end_of_an_interval(tell):
    async def story(ground):
        lookout, told = Lookout(ground), []
        watch(lookout, cut=entry(kind="cut"))
        lookout.watch("over", read({"passed": {"since": "cut", "seconds": 30}}, names=["cut"]), told.append)
        await asyncio.sleep(5)
        ground.say("cut")
        await asyncio.sleep(1000)
        assert told == [Held(1, 35.0)]

    tell(story)


def test_an_answer_may_be_right_or_wrong_or_either(tell):
    async def story(ground):
        lookout = Lookout(ground)
        for name, more in {"any": {}, "right": {"right": True}, "wrong": {"right": False}}.items():
            lookout.watch(name, read({"answered": {"question": "q", **more}}, questions=["q"]))
        lookout.answer("q", None)
        await asyncio.sleep(1)
        assert set(lookout.held) == {"any"}
        lookout.answer("q", False)
        await asyncio.sleep(1)
        assert set(lookout.held) == {"any", "wrong"}

    tell(story)


def test_an_entry_may_have_to_carry_the_value_of_another_names_entry(tell):
    async def story(ground):
        lookout = Lookout(ground)
        resumed = entry(kind="watch", same={"since": "listed.resourceVersion"})
        watch(lookout, listed=entry(kind="list"), resumed=resumed, silent=entry(kind="watch", same={"x": "listed.x"}))
        ground.say("watch", fields={"since": "8"})
        ground.say("list", fields={"resourceVersion": "7"})
        ground.say("watch", fields={"since": "6"})
        ground.say("watch", fields={})
        assert seqs(lookout) == {"listed": 2}, "nor does it hold where both have no such field"
        ground.say("watch", fields={"since": "7"})
        assert seqs(lookout) == {"listed": 2, "resumed": 5}

    tell(story)


def test_an_entry_with_the_value_of_another_may_have_come_before_it(tell):
    async def story(ground):
        lookout = Lookout(ground)
        watch(
            lookout,
            opened=entry(kind="watch"),
            listed=entry(kind="list", same={"resourceVersion": "opened.since"}),
        )
        for version in ("5", "7"):
            ground.say("list", fields={"resourceVersion": version})
        ground.say("watch", fields={"since": "7"})
        assert seqs(lookout) == {"opened": 3, "listed": 2}

    tell(story)


def test_who_is_told_may_watch_and_forget_and_cause_entries(tell):
    async def story(ground):
        lookout = Lookout(ground)

        def on_held(_):
            lookout.forget("other")
            ground.say("echo")
            watch(lookout, again=entry(kind="echo"), go=entry(kind="go"))

        watch(lookout, other=entry(kind="echo"))
        lookout.watch("first", read(entry(kind="go")), on_held)
        ground.say("go")
        assert seqs(lookout) == {"first": 1, "again": 2, "go": 1}

    tell(story)


def test_a_hundred_predicates_are_looked_at_by_kind_only(tell):
    async def story(ground):
        lookout = Lookout(ground)
        for n in range(100):
            lookout.watch(f"n{n}", read(entry(kind="rare", fields={"n": n})))
        for _ in range(100):
            ground.say("common")
        assert lookout._sightings._by_kind["common"] == []

    tell(story)


def test_a_closed_lookout_leaves_nothing_behind(tell):
    async def story(ground):
        hooks = len(ground.clock.before_waiting)
        lookout = Lookout(ground)
        watch(lookout, some=entry(kind="x"))
        lookout.close()
        ground.say("x")
        assert len(ground.clock.before_waiting) == hooks
        assert lookout.held_names == {}

    tell(story)
