"""Rooms over Redis: two web processes hear the same, and attempts are counted together."""

import asyncio
import secrets

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from web_until import PATIENCE

from visualizer import attempt_limits
from visualizer.database import in_database
from visualizer.hosting.redis_bus import RedisBus
from visualizer.rooms import code_limits, hub, services
from visualizer.rooms.changes import Changed, Placed
from visualizer.rooms.models import Member, Room

pytestmark = [pytest.mark.redis, pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def _room() -> tuple[Room, Member]:
    ada = get_user_model().objects.create_user("ada")
    room = services.open_room(ada.pk, title="Tuesday", mode="own", lesson="")
    return room, services.join(room, "visitor", name="Bea", group="")


async def frames(page, *wanted: str) -> None:
    """Hear frames that hold these texts, in whatever order."""
    missing = set(wanted)
    async with asyncio.timeout(PATIENCE):
        while missing:
            frame = await page.next_frame()
            missing = {text for text in missing if text not in frame}


async def test_what_one_process_writes_the_pages_of_another_hear(redis_url):
    prefix = f"test-{secrets.token_hex(4)}:"
    buses = [RedisBus(redis_url, prefix=prefix) for _ in range(2)]
    here, there = (hub.RoomHub(bus) for bus in buses)
    try:
        room, member = await in_database(_room)()
        _, bea = await here.join(room.pk, member.pk)
        live, ada = await there.join(room.pk, None)
        await frames(ada, '"type":"room"', '"online":true')
        await in_database(services.set_help)(room.pk, member.pk, True)
        await in_database(services.set_leading)(room.pk, True)
        await hub.tell(buses[0], room.pk, Placed(None))
        await hub.tell(buses[0], room.pk, Changed(room=True, members=[member.pk]))
        await frames(ada, '"leading":true', '"help":"2')
        live.place({"cluster": "c", "cursor": 7})
        await frames(bea, '"leading":true', '"cursor":7')
    finally:
        await here.aclose()
        await there.aclose()
        for bus in buses:
            await bus.aclose()


async def test_attempts_are_counted_in_redis_where_there_is_one(redis_url, settings, stopwatch):
    settings.CACHES = {"default": {"BACKEND": "visualizer.counting_cache.CountingCache", "LOCATION": redis_url}}

    def guess() -> None:
        cache.clear()
        attempts = code_limits.attempts("visitor", "192.0.2.7")
        for _ in range(code_limits.BOUNDS["visitor"].failures_max):
            assert attempts.wait() == 0
            attempts.failed()
        assert attempts.wait() == 0
        assert attempts.wait() == 3
        assert code_limits.attempts("another", "192.0.2.7").wait() == 0
        assert [attempt_limits.take("diagnose", "1", 2, 60) for _ in range(3)] == [True, True, False]
        cache.close()

    await in_database(guess)()
