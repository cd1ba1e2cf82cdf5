"""The bus over Redis: streams are Redis Streams trimmed at each append, leases are keys with an expiry.

One connection blocks in XREAD for all followers of this process; a stream of its own (`wake`) is among those read, so
that a new follower is heard at once. Followers that do not keep up lose the oldest messages here exactly as they would
lose them in Redis: by the bound of the stream.

Connections are kept in a pool, and a Redis that was restarted has closed them all. What was asked over one of those is
asked once more over a new one. Leases and lists may be asked twice; a message may have been appended although its
answer was lost, so each carries a nonce, and the second time it is appended only if it is not there already.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

import redis.asyncio
import redis.exceptions

from visualizer.hosting.bus import STREAM_MESSAGES_MAX, BusLost, Held

logger = logging.getLogger(__name__)
T = TypeVar("T")

STREAM_IDLE_SECONDS = 24 * 60 * 60  # a stream that nobody appends to is forgotten
READ_MESSAGES_MAX = 256  # of each stream, in one answer
BLOCK_SECONDS = 5.0
RETRY_SECONDS = 0.5

HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
APPEND = """
if ARGV[6] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[6] then return 0 end
if ARGV[5] == 'again' then
    for _, item in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[3])) do
        if item[2][4] == ARGV[2] then return 0 end
    end
end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'm', ARGV[1], 'n', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

Position = tuple[int, int]  # a stream id: milliseconds and a counter


class _Follower:
    def __init__(self, messages_max: int) -> None:
        self.position: Position = (0, 0)
        self.messages: deque[bytes] = deque(maxlen=messages_max)
        self.moved = asyncio.Event()

    def take(self, items: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> None:
        """Keep what this follower has not seen yet."""
        for identifier, fields in items:
            milliseconds, counter = identifier.split(b"-")
            position = (int(milliseconds), int(counter))
            if position > self.position:
                self.position = position
                self.messages.append(fields[b"m"])
                self.moved.set()


class RedisBus:
    """The bus between machines. `prefix` keeps several Glassplanes in one Redis apart."""

    def __init__(
        self, url: str, *, stream_messages_max: int = STREAM_MESSAGES_MAX, prefix: str = "glassplane:"
    ) -> None:
        # socket_timeout None: redis-py's default of some seconds would end every quiet XREAD
        self._redis: Any = redis.asyncio.Redis.from_url(url, socket_timeout=None, socket_connect_timeout=5)
        self._messages_max = stream_messages_max
        self._prefix = prefix
        self._wake = f"{prefix}wake:{secrets.token_urlsafe(8)}"
        self._followers: dict[str, list[_Follower]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._hold = self._redis.register_script(HOLD)
        self._release = self._redis.register_script(RELEASE)
        self._append_script = self._redis.register_script(APPEND)
        self._nonces = (f"{start}-{number}" for start in [secrets.token_urlsafe(8)] for number in itertools.count())

    def _stream(self, name: str) -> str:
        return f"{self._prefix}stream:{name}"

    def _lease(self, name: str) -> str:
        return f"{self._prefix}lease:{name}"

    async def append(self, stream: str, message: bytes, *, under: Held | None = None) -> None:
        """Add a message and trim the stream."""
        await self._append(self._stream(stream), message, self._messages_max, under)

    async def _append(self, key: str, message: bytes, messages_max: int, under: Held | None = None) -> None:
        keys = [key, self._lease(under.lease) if under is not None else key]
        holder, nonce = under.holder if under is not None else "", next(self._nonces)

        def append(how: str) -> Awaitable[int]:
            args: list[str | bytes | int] = [message, nonce, messages_max, STREAM_IDLE_SECONDS, how, holder]
            return cast("Awaitable[int]", self._append_script(keys=keys, args=args))

        await self._told(lambda: append("first"), lambda: append("again"))

    async def follow(self, stream: str) -> AsyncGenerator[list[bytes], None]:
        """Yield what is kept, then what comes."""
        follower = _Follower(self._messages_max)
        followers = self._followers.setdefault(self._stream(stream), [])
        followers.append(follower)
        try:
            await self._read_this_too()
            while True:
                await follower.moved.wait()
                follower.moved.clear()
                messages = list(follower.messages)
                follower.messages.clear()
                yield messages
        finally:
            followers.remove(follower)
            if not followers:
                self._followers.pop(self._stream(stream), None)

    async def _read_this_too(self) -> None:
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="redis-bus-reader")
        else:
            with contextlib.suppress(BusLost):  # the reader retries by itself and then reads all
                await self._append(self._wake, b"", 1)

    async def _read(self) -> None:
        woken: Position = (0, 0)
        while True:
            streams = {key: min(one.position for one in ones) for key, ones in self._followers.items() if ones}
            wanted = {key: f"{ms}-{counter}" for key, (ms, counter) in [*streams.items(), (self._wake, woken)]}
            try:
                answer = await self._redis.xread(wanted, count=READ_MESSAGES_MAX, block=int(BLOCK_SECONDS * 1000))
            except (redis.exceptions.RedisError, OSError) as problem:
                logger.warning("cannot read from Redis, trying again: %s", problem)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for name, items in answer.items() if isinstance(answer, dict) else answer or ():
                key = name.decode()
                if key == self._wake:
                    milliseconds, counter = items[-1][0].split(b"-")
                    woken = (int(milliseconds), int(counter))
                for follower in self._followers.get(key, ()):
                    if follower.position >= streams[key]:  # else it came meanwhile and needs what is older first
                        follower.take(items)

    async def drop(self, stream: str) -> None:
        """Forget what is kept."""
        await self._told(lambda: self._redis.delete(self._stream(stream)))

    async def hold(self, lease: str, holder: str, seconds: float) -> bool:
        """Take or renew."""
        return bool(await self._told(lambda: self._hold(keys=[self._lease(lease)], args=[holder, int(seconds * 1000)])))

    async def release(self, lease: str, holder: str) -> None:
        """Give back what is one's own."""
        await self._told(lambda: self._release(keys=[self._lease(lease)], args=[holder]))

    async def holder(self, lease: str) -> str | None:
        """Who holds it."""
        found = cast("bytes | None", await self._told(lambda: self._redis.get(self._lease(lease))))
        return None if found is None else found.decode()

    async def leases(self, prefix: str) -> dict[str, str]:
        """All live leases under a prefix."""
        return await self._told(lambda: self._leases(prefix))

    async def _leases(self, prefix: str) -> dict[str, str]:
        pattern = "".join(f"\\{c}" if c in "*?[]\\" else c for c in self._lease(prefix)) + "*"
        keys = [key async for key in self._redis.scan_iter(match=pattern, count=1000)]
        holders = await self._redis.mget(keys) if keys else []
        start = len(self._lease(""))
        return {
            key.decode()[start:]: holder.decode()
            for key, holder in zip(keys, holders, strict=True)
            if holder is not None  # expired meanwhile
        }

    async def aclose(self) -> None:
        """Stop reading and close the connections."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            await self._redis.delete(self._wake)
        await self._redis.aclose()

    async def _told(self, ask: Callable[[], Awaitable[T]], again: Callable[[], Awaitable[T]] | None = None) -> T:
        """Ask Redis; once more, perhaps in another way, where the connection was lost. Raise `BusLost`."""
        try:
            try:
                return await ask()
            except (redis.exceptions.ConnectionError, OSError):
                await self._redis.connection_pool.disconnect(inuse_connections=False)  # the others are as old
                return await (again or ask)()
        except (redis.exceptions.RedisError, OSError) as problem:
            raise BusLost(f"Redis cannot be reached: {problem}") from problem
