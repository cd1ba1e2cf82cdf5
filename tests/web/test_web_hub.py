"""The hub: whatever arrives in whatever order, a browser is told every entry once."""

import asyncio
import contextlib
import json
import random

import pytest
from web_until import PATIENCE

from cluster_engine.deeds import Done, Output, Typed
from visualizer.hosting import hub as hub_module
from visualizer.hosting import messages, terminals
from visualizer.hosting.batches import Batch, encode
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.hub import Feed, Hub, Lost, Snapshot, Viewer
from visualizer.hosting.messages import Clock, Lesson, State
from visualizer.hosting.refused import Refused

pytestmark = pytest.mark.asyncio


def batch(first: int, last: int) -> Batch:
    return encode([{"seq": seq} for seq in range(first, last + 1)])


class Journal:
    """What history can list: everything up to `recorded`, at most `page` entries at a time."""

    def __init__(self, recorded: int = 0, page: int = 1000) -> None:
        self.recorded, self.page = recorded, page
        self.listed: list[int] = []
        self.meanwhile = lambda: None

    async def __call__(self, cluster: str, since: int, limit: int) -> list[Batch]:
        self.listed.append(since)
        await asyncio.sleep(0)
        self.meanwhile()
        await asyncio.sleep(0)
        last = min(self.recorded, since + min(limit, self.page))
        return [batch(since + 1, last)] if last > since else []


TURNS = 20  # of the loop; what is there comes within them


async def next_at_once(viewer: Viewer) -> list[dict]:
    """The next frames, if there are any without waiting for somebody else."""
    coming = asyncio.ensure_future(viewer.next_frames(lambda feed: json.dumps({"type": "cluster"})))
    for _ in range(TURNS):
        await asyncio.sleep(0)
        if coming.done():
            return [json.loads(frame) for frame in coming.result()]
    coming.cancel()
    await asyncio.wait([coming])
    return []


async def frames(viewer: Viewer, until=None) -> list[dict]:
    """All frames up to the one with entry `until`, or (None) all that are there without waiting."""
    got: list[dict] = []
    if until is None:
        while said := await next_at_once(viewer):
            got += said
        return got
    async with asyncio.timeout(PATIENCE):
        while not got or got[-1]["type"] != "entries" or got[-1]["entries"][-1]["seq"] != until:
            got += map(json.loads, await viewer.next_frames(lambda feed: json.dumps({"type": "cluster"})))
    return got


def seqs(got: list[dict]) -> list[int]:
    return [entry["seq"] for frame in got if frame["type"] == "entries" for entry in frame["entries"]]


def feed_with(head: int = 0) -> Feed:
    return Feed("c", head, State("running"))


def join(feed: Feed, history) -> Viewer:
    viewer = Viewer(feed, history)
    feed.viewers.add(viewer)
    return viewer


async def test_nothing_is_sent_before_the_page_watches():
    feed = feed_with()
    viewer = join(feed, Journal())
    feed.take([batch(1, 5)])
    assert await frames(viewer) == []


async def test_what_comes_is_sent_in_order_and_joined_while_the_writer_is_busy():
    feed = feed_with()
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    feed.take([batch(1, 2)])
    feed.take([batch(3, 3), batch(4, 6)])
    got = await frames(viewer)
    assert [frame["type"] for frame in got] == ["entries"]
    assert seqs(got) == [1, 2, 3, 4, 5, 6]


async def test_a_page_resumes_in_the_middle_of_a_batch():
    feed = feed_with()
    feed.take([batch(1, 10)])
    viewer = join(feed, Journal())
    viewer.watch(4, {})
    assert seqs(await frames(viewer)) == [5, 6, 7, 8, 9, 10]


async def test_a_page_that_knows_everything_is_sent_nothing():
    feed = feed_with()
    feed.take([batch(1, 10)])
    viewer = join(feed, Journal())
    viewer.watch(10, {})
    assert await frames(viewer) == []
    feed.take([batch(11, 11)])
    assert seqs(await frames(viewer)) == [11]


async def test_what_the_ring_no_longer_has_is_listed_page_by_page_and_then_watched():
    feed = feed_with(head=25)
    feed.take([batch(26, 30)])
    history = Journal(recorded=27, page=10)
    viewer = join(feed, history)
    viewer.watch(0, {})
    assert seqs(await frames(viewer)) == list(range(1, 31))
    assert history.listed == [0, 10, 20]


async def test_entries_that_arrive_while_the_page_is_listed_are_neither_lost_nor_repeated():
    feed = feed_with(head=20)
    history = Journal(recorded=20, page=7)
    arriving = iter(range(21, 60))
    history.meanwhile = lambda: feed.take([batch(next_seq := next(arriving), next_seq)])
    viewer = join(feed, history)
    viewer.watch(0, {})
    got = await frames(viewer)
    assert seqs(got) == list(range(1, feed.head + 1))
    assert feed.head > 20


@pytest.mark.parametrize("seed", range(30))
async def test_in_any_interleaving_every_entry_comes_once_and_in_order(seed, monkeypatch):
    monkeypatch.setattr(hub_module, "RING_BYTES_MAX", 200)
    rng = random.Random(seed)
    feed, history = feed_with(), Journal(page=rng.randint(1, 20))
    viewer = join(feed, history)
    seen: list[int] = []
    known = 0  # what the page has, as it would say after losing its socket
    viewer.watch(0, {})
    for _ in range(200):
        match rng.choice(["batch", "batch", "again", "record", "read", "read", "cut"]):
            case "batch":
                feed.take([batch(feed.head + 1, feed.head + rng.randint(1, 9))])
            case "again" if feed.head:  # the bus hands over twice
                feed.take([batch(max(1, feed.head - rng.randint(0, 5)), feed.head)])
            case "record":
                history.recorded = rng.randint(history.recorded, feed.head)
            case "read":
                history.recorded = max(history.recorded, feed.tail)  # else these entries were lost for good
                *_, frame = await next_at_once(viewer) or [{"type": "nothing"}]
                if frame["type"] == "relist":
                    viewer.watch(known, {})
                elif frame["type"] == "entries":
                    seen += [entry["seq"] for entry in frame["entries"]]
                    known = seen[-1]
            case "cut":
                feed.viewers.discard(viewer)
                viewer = join(feed, history)
                viewer.watch(known, {})
    history.recorded = feed.head
    viewer.watch(known, {})
    seen += seqs(await frames(viewer))
    assert seen == list(range(1, feed.head + 1)), f"seed {seed}"


async def test_a_page_too_slow_for_the_ring_is_told_to_list_again_and_gets_nothing_until_it_does(monkeypatch):
    monkeypatch.setattr(hub_module, "RING_BYTES_MAX", 100)
    feed, history = feed_with(), Journal()
    viewer = join(feed, history)
    viewer.watch(0, {})
    feed.take([batch(1, 3)])
    assert seqs(await frames(viewer)) == [1, 2, 3]
    for seq in range(4, 60):
        feed.take([batch(seq, seq)])
    assert await frames(viewer) == [{"type": "relist"}]
    feed.take([batch(60, 60)])
    assert await frames(viewer) == []
    history.recorded = 59
    viewer.watch(3, {})
    assert seqs(await frames(viewer)) == list(range(4, 61))


async def test_a_page_that_takes_no_output_any_more_is_told_to_list_again(monkeypatch):
    monkeypatch.setattr(hub_module, "FRAMES_MAX", 10)
    feed = feed_with()
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    feed.take([Output("k", n, "stdout", "x") for n in range(1, 12)])
    assert await frames(viewer) == [{"type": "relist"}]
    feed.take([Output("k", 12, "stdout", "x")])
    viewer.watch(0, {"k": 9})
    (frame,) = await frames(viewer)
    assert [one["n"] for one in frame["frames"]] == [10, 11, 12]


async def test_a_frame_is_bounded(monkeypatch):
    monkeypatch.setattr(hub_module, "FRAME_BYTES_MAX", 50)
    feed = feed_with()
    viewer = join(feed, Journal())
    feed.take([batch(seq, seq) for seq in range(1, 21)])
    viewer.watch(0, {})
    got = await frames(viewer)
    assert seqs(got) == list(range(1, 21))
    assert all(len(json.dumps(frame)) < 150 for frame in got)
    assert len(got) > 3


async def test_a_frame_is_built_once_for_all_who_stand_at_the_same_place():
    feed = feed_with()
    feed.take([batch(1, 50)])
    assert feed.frame(10)[0] is feed.frame(10)[0]
    feed.take([batch(51, 60)])
    assert feed.frame(10)[1] == 60


async def test_a_gap_in_the_stream_is_listed():
    feed, history = feed_with(), Journal(recorded=30)
    viewer = join(feed, history)
    viewer.watch(0, {})
    feed.take([batch(1, 10)])
    assert seqs(await frames(viewer)) == list(range(1, 11))
    feed.take([batch(21, 30)])
    assert await frames(viewer) == [{"type": "relist"}]
    viewer.watch(10, {})
    assert seqs(await frames(viewer)) == list(range(11, 31))


async def test_entries_that_nobody_has_any_more_are_told_as_lost_and_not_asked_for_again():
    feed = feed_with(head=5)
    feed.take([batch(9, 10)])
    history = Journal(recorded=5)
    viewer = join(feed, history)
    viewer.watch(0, {})
    with pytest.raises(Lost):
        await frames(viewer, until=10)
    assert await frames(viewer) == []
    assert history.listed == [0, 5]


async def test_a_busy_cluster_is_asked_again(monkeypatch):
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.001)
    feed = feed_with(head=5)
    answers = iter([Refused("busy"), Refused("busy"), [batch(1, 5)]])

    async def history(cluster: str, since: int, limit: int) -> list[Batch]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    viewer = join(feed, history)
    viewer.watch(0, {})
    assert seqs(await frames(viewer, until=5)) == [1, 2, 3, 4, 5]


async def test_of_many_clocks_only_the_newest_is_sent():
    feed = feed_with()
    viewer = join(feed, Journal())
    feed.take([Clock(now, 60.0, False, 39.0, 2.5, 7200.0, 12.0) for now in range(50)])
    told = {"now": 49, "pace": 60.0, "paused": False, "reached": 39.0, "behind": 2.5, "slept": 7200.0, "overrun": 12.0}
    assert await frames(viewer) == [{"type": "clock", **told}]


async def test_a_clock_is_not_starved_by_entries():
    feed = feed_with()
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    kinds = []
    for seq in range(1, 5):
        feed.take([Clock(seq, 1.0, False), batch(seq, seq)])
        kinds += [json.loads(frame)["type"] for frame in await viewer.next_frames(lambda feed: "{}")]
    assert kinds == ["clock", "entries"] * 4


async def test_a_change_of_state_reaches_every_page():
    feed = feed_with()
    one, two = join(feed, Journal()), join(feed, Journal())
    feed.take([State("ended", "idle")])
    assert await frames(one) == await frames(two) == [{"type": "cluster"}]


async def test_the_newest_state_of_a_lesson_is_told_after_the_entries_it_speaks_of():
    feed = feed_with()
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    feed.take([Lesson({"beat": "one"}), batch(1, 2), Lesson({"beat": "two"})])
    got = await frames(viewer)
    assert [frame["type"] for frame in got] == ["entries", "lesson"]
    assert got[1]["lesson"] == {"beat": "two"}


async def test_what_is_said_of_an_earlier_life_is_passed_over():
    feed = feed_with()
    feed.take([State("starting", life=2), State("suspended", "idle", life=1)])
    assert feed.state == State("starting", life=2)


async def test_output_missed_while_the_socket_was_down_is_said_again_from_the_frame_named():
    feed = feed_with()
    feed.take([Output("k", 1, "stdout", "a"), Output("k", 2, "stderr", "b", after=7)])
    feed.take([Done("k", 3, 0, after=9), Done("other", 1, 0)])
    viewer = join(feed, Journal())
    viewer.watch(0, {"k": 1, "unknown": 0})
    (frame,) = await frames(viewer)
    assert frame == {
        "type": "terminals",
        "frames": [
            {"type": "output", "id": "k", "n": 2, "stream": "stderr", "text": "b", "after": 7},
            {"type": "done", "id": "k", "n": 3, "code": 0, "prompt": "", "after": 9},
        ],
    }


async def test_who_comes_later_is_told_what_was_typed_and_printed_before():
    feed = feed_with()
    viewer = join(feed, Journal())
    feed.take([Typed("k", "kubectl get pods -w"), Output("k", 1, "stdout", "a"), Typed("lesson-1", "ls", "lesson")])
    feed.take([Output("nobody heard what was typed", 4, "stdout", "x")])
    viewer.watch(0, {})
    feed.take([Typed("k", "kubectl get pods -w"), Output("k", 1, "stdout", "a"), Output("k", 2, "stdout", "b")])
    first, then = await frames(viewer)
    assert first["frames"] == [
        {"type": "typed", "id": "k", "line": "kubectl get pods -w", "by": "page", "prompt": "", "after": 0},
        {"type": "output", "id": "k", "n": 1, "stream": "stdout", "text": "a", "after": 0},
        {"type": "typed", "id": "lesson-1", "line": "ls", "by": "lesson", "prompt": "", "after": 0},
    ]
    assert then == {"type": "output", "id": "k", "n": 2, "stream": "stdout", "text": "b", "after": 0}


async def test_of_much_that_was_printed_the_newest_commands_are_told(monkeypatch):
    monkeypatch.setattr(terminals, "TERMINALS_CHARACTERS_MAX", 1000)
    feed = feed_with()
    for number in range(6):
        feed.take([Typed(f"k{number}", "ls"), Output(f"k{number}", 1, "stdout", "x" * 400)])
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    (frame,) = await frames(viewer)
    assert {one["id"] for one in frame["frames"]} == {"k4", "k5"}


async def test_output_that_the_bus_hands_over_twice_is_said_once():
    feed = feed_with()
    viewer = join(feed, Journal())
    viewer.watch(0, {})
    feed.take([Output("k", 1, "stdout", "a")])
    feed.take([Output("k", 1, "stdout", "a"), Output("k", 2, "stdout", "b")])
    assert [frame["n"] for frame in await frames(viewer)] == [1, 2]


async def test_of_a_command_that_prints_much_the_end_is_kept(monkeypatch):
    monkeypatch.setattr(terminals, "TERMINAL_CHARACTERS_MAX", 1000)
    feed = feed_with()
    feed.take([Typed("k", "cat"), *(Output("k", n, "stdout", "x" * 300) for n in range(1, 9))])
    assert [getattr(one, "n", None) for one in feed.terminals.after({})] == [None, 6, 7, 8]
    feed.take([Output("k", 9, "stdout", "x" * 5000), Done("k", 10, 0)])
    assert [getattr(one, "n", None) for one in feed.terminals.after({})] == [None, 10]


async def test_the_output_kept_is_bounded():
    feed = feed_with()
    for number in range(terminals.TERMINALS_MAX + 5):
        feed.take([Output(f"k{number}", n, "stdout", "x") for n in range(1, terminals.TERMINAL_FRAMES_MAX + 5)])
    assert feed.terminals.after({"k0": 0}) == []
    assert len(feed.terminals.after({f"k{terminals.TERMINALS_MAX + 4}": 0})) == terminals.TERMINAL_FRAMES_MAX


async def snapshot(cluster: str) -> Snapshot:
    return 0, None, None, None


async def test_what_was_printed_in_a_gap_of_the_stream_is_asked_for_and_comes_in_order():
    bus = EmbeddedBus(stream_messages_max=3)
    whole = [Typed("k", "seq 20"), *(Output("k", n, "stdout", f"{n}\n") for n in range(1, 20)), Done("k", 20, 0)]
    asked: list[str] = []

    async def recap(cluster: str) -> list[messages.Told]:
        asked.append(cluster)
        return [State("running"), *whole[:15]]

    async def starting(cluster: str) -> Snapshot:
        return 0, State("starting"), None, None

    hub = Hub(bus, Journal(), starting, recap=recap)
    await bus.append("cluster:c", messages.say(whole[0], 1, 1))
    feed, viewer = await hub.join("c")
    viewer.watch(0, {})
    got = await frames(viewer)
    for n, message in enumerate(whole[1:], start=2):
        await bus.append("cluster:c", messages.say(message, 1, n))
    async with asyncio.timeout(PATIENCE):
        while not got or got[-1]["type"] != "done":
            with contextlib.suppress(hub_module.Reconsider):  # rights may have changed in the gap, too
                got += map(json.loads, await viewer.next_frames(lambda feed: json.dumps({"type": "cluster"})))
    assert asked == ["c"]
    assert feed.state == State("running")
    assert "".join(one["text"] for one in got if one["type"] == "output").split() == [
        *map(str, range(1, 15)), "18", "19"
    ]  # fmt: skip
    await hub.aclose()


async def test_what_cannot_be_asked_for_is_told_as_lost_once():
    feed = feed_with()
    viewer = join(feed, Journal())
    feed.has_missed(None)
    with pytest.raises(hub_module.Reconsider):
        await next_at_once(viewer)
    with pytest.raises(hub_module.OutputLost):
        await next_at_once(viewer)
    assert await next_at_once(viewer) == []
    feed.take([State("suspended", "idle")])
    feed.has_missed(None)
    with pytest.raises(hub_module.Reconsider):
        await next_at_once(viewer)
    assert [frame["type"] for frame in await frames(viewer)] == ["cluster"], "it prints nothing that could be lost"


async def test_a_feed_lives_while_somebody_watches_and_starts_from_what_the_bus_keeps():
    bus = EmbeddedBus()
    hub = Hub(bus, Journal(), snapshot)
    await bus.append("cluster:c", messages.say(batch(1, 3), 1))
    feed, viewer = await hub.join("c")
    assert (feed.head, hub.head("c"), hub.watched()) == (3, 3, ["c"])
    same_feed, second = await hub.join("c")
    assert same_feed is feed
    hub.leave(feed, viewer)
    assert hub.watched() == ["c"]
    hub.leave(feed, second)
    assert (hub.watched(), hub.head("c")) == ([], 0)
    again, viewer = await hub.join("c")
    viewer.watch(1, {})
    assert seqs(await frames(viewer)) == [2, 3]
    hub.leave(again, viewer)
    await hub.aclose()


async def test_the_pages_of_one_cluster_are_bounded(monkeypatch):
    monkeypatch.setattr(hub_module, "VIEWERS_MAX", 2)
    hub = Hub(EmbeddedBus(), Journal(), snapshot)
    await hub.join("c")
    await hub.join("c")
    with pytest.raises(Refused, match="Too many pages"):
        await hub.join("c")
    await hub.aclose()
