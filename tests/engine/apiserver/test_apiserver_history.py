"""What the watch cache keeps of the past: all that a watch from there may be told, as little else as can be."""

import msgspec
import pytest
from weighing import weigh

from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.api.selectors import FieldSelector, LabelSelector, parse_label
from cluster_engine.apiserver.watch_cache import HISTORY_EVENTS_MAX, Event, Selection, WatchCache
from cluster_engine.rpc import etcd_pb2, kv_pb2
from cluster_engine.world.world import World

KEY = "/registry/configmaps/default/a"
EVERYTHING = Selection("/registry/configmaps/", LabelSelector(()), FieldSelector(()))


def stored(revision: int) -> bytes:
    data = {f"key-{n}": f"{revision}.{n}" for n in range(40)}
    metadata = {"name": "a", "namespace": "default", "uid": "1", "labels": {"even": str(revision % 2 == 0)}}
    return msgspec.json.encode({"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": data})


def change(cache: WatchCache, revision: int, *, gone: bool = False) -> None:
    """Tell the cache what etcd would."""
    kv = kv_pb2.KeyValue(key=KEY.encode(), value=b"" if gone else stored(revision), mod_revision=revision)
    event = kv_pb2.Event(type=kv_pb2.Event.DELETE if gone else kv_pb2.Event.PUT, kv=kv)
    response = etcd_pb2.WatchResponse(events=[event])
    response.header.revision = revision
    cache.take(response)


def listen(cache: WatchCache, selection: Selection) -> list[bytes]:
    """Watch from the beginning; give the lines told, as they come."""
    lines: list[bytes] = []

    def tell(event: Event, event_type: str) -> None:
        lines.append(event.line(event_type, "JSON", lambda kind, found: kind.encode() + found.json))

    cache.watch(selection, 1, tell)
    return lines


def empty() -> WatchCache:
    """Make a cache that is told by the test, and asks no storage."""
    cache = WatchCache(CONFIG_MAP, None)  # type: ignore[arg-type]
    cache.replace([], 1)
    return cache


@pytest.mark.parametrize("labels", [LabelSelector(()), parse_label("even=True")])
def test_who_comes_late_is_told_what_those_were_told_who_were_there(run, labels):
    async def story(_: World) -> None:
        cache = empty()
        selection = Selection("/registry/configmaps/", labels, FieldSelector(()))
        early = listen(cache, selection)
        for revision in range(2, 30):
            change(cache, revision, gone=revision % 10 == 0)
        assert listen(cache, selection) == early
        assert len(early) > 10

    run(story)


def test_history_is_kept_as_json_and_nothing_else(run):
    async def story(_: World) -> None:
        cache = empty()
        listen(cache, EVERYTHING)
        for revision in range(2, 102):
            change(cache, revision)
        assert weigh(cache._history) < 2 * 100 * len(stored(100))

    run(story)


def test_history_has_a_bound_where_time_stands(run):
    async def story(_: World) -> None:
        cache = empty()
        for revision in range(2, HISTORY_EVENTS_MAX + 100):
            change(cache, revision, gone=revision % 2 == 1)
        assert len(cache._history) == HISTORY_EVENTS_MAX
        assert cache.oldest == 99

    run(story)
