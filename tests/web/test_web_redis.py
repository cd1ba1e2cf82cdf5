"""What a Redis that was restarted, or that somebody else may write to, does to us: nothing."""

import asyncio
import contextlib
import pickle
from typing import Any

import pytest
import redis
from web_until import PATIENCE

from visualizer.counting_cache import CountingCache
from visualizer.hosting.redis_bus import RedisBus

pytestmark = [pytest.mark.redis]


class Bomb:
    """Pickled, it runs code in whoever unpickles it."""

    exploded = 0

    def __reduce__(self) -> Any:
        return (_explode, ())


def _explode() -> int:
    Bomb.exploded += 1
    return 7


def test_what_somebody_else_writes_into_the_cache_is_not_executed(redis_url):
    cache = CountingCache(redis_url, {})
    raw = redis.Redis.from_url(redis_url)
    for data in (pickle.dumps(Bomb()), b"-5", b"9" * 5000, b"\xff", b""):
        raw.set(cache.make_key("limit"), data)
        assert cache.get("limit") == 0
        assert cache.get_many(["limit"]) == {"limit": 0}
    assert Bomb.exploded == 0
    raw.close()


def test_counts_are_kept_and_nothing_else(redis_url):
    cache = CountingCache(redis_url, {})
    assert cache.add("count", 0, 60)
    assert [cache.incr("count") for _ in range(3)] == [1, 2, 3]
    assert cache.get("count") == 3
    for other in ("text", 1.5, True, [1], None):
        with pytest.raises(TypeError, match="only whole numbers"):
            cache.set("other", other)


def test_counting_goes_on_after_redis_was_restarted(redis_server):
    cache = CountingCache(redis_server.url, {})
    cache.set("count", 1, 60)
    redis_server.restart()
    assert cache.incr("count") == 2


@pytest.mark.asyncio
async def test_after_a_restart_every_call_of_the_bus_works_at_once_and_loses_nothing(redis_server):
    bus = RedisBus(redis_server.url)
    await asyncio.gather(*(bus.append("s", b"%d" % number) for number in range(8)))  # a pool of connections
    assert await bus.hold("lease", "ann", 60)
    for call in (
        lambda: bus.append("s", b"a"),
        lambda: bus.hold("lease", "ann", 60),
        lambda: bus.holder("lease"),
        lambda: bus.leases("le"),
        lambda: bus.drop("other"),
        lambda: bus.append("s", b"b"),
    ):
        await asyncio.to_thread(redis_server.restart)
        await call()
    assert await bus.holder("lease") == "ann"
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(bus.follow("s")) as followed:
        seen = await anext(followed)
    assert sorted(seen) == [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"a", b"b"]
    await bus.aclose()


@pytest.mark.asyncio
async def test_a_message_whose_answer_was_lost_is_not_there_twice(redis_url, monkeypatch):
    bus = RedisBus(redis_url, prefix="lost-answer:")
    execute = redis.asyncio.Redis.evalsha
    lost = []

    async def loses_the_first_answer(client: Any, *args: Any) -> Any:
        answer = await execute(client, *args)
        if not lost:
            lost.append(answer)
            raise redis.exceptions.ConnectionError("Connection closed by server.")
        return answer

    await bus.append("other", b"the script is known")
    monkeypatch.setattr(redis.asyncio.Redis, "evalsha", loses_the_first_answer)
    for message in (b"1", b"1", b"2"):  # two that are alike are two
        await bus.append("s", message)
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(bus.follow("s")) as followed:
        seen: list[bytes] = []
        while len(seen) < 3:
            seen += await anext(followed)
    assert lost and seen == [b"1", b"1", b"2"]
    await bus.aclose()
