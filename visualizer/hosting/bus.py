"""The bus between processes: bounded streams and leases, and nothing else.

Modelled on what Redis Streams and Kubernetes Leases promise, cut down to what hosting clusters needs:

A *stream* is a named, ordered run of messages of which only the newest `stream_messages_max` are kept (the embedded
bus, which keeps them in this process, also counts their bytes). Everybody who
follows it is handed what is kept, then what comes, in order. Who falls further behind than what is kept misses
messages and is not told: the messages themselves carry sequence numbers, so that a reader sees the gap and lists again.

A *lease* is a name held by one holder until it expires. The holder renews it; nobody else gets it while it lives. An
append may be made *under* a lease: whether it is held is looked at where the stream is, in the same instant, so that
who was stopped for longer than their lease, and does not know it, adds nothing any more.

Three implementations are held equal by one suite (tests/web/test_web_bus.py): `EmbeddedBus` here, in one process;
`PipeBus` (pipe_bus.py), which lends another process's bus to a child; `RedisBus` (redis_bus.py) for many machines.

Worked example, with `stream_messages_max=2`: append a, b, c to "s"; a follower is handed [b, c]; append d; it is
handed [d]. `hold("l", "ann", 3)` is True, `hold("l", "bob", 3)` False, `hold("l", "ann", 3)` True (renewed);
three seconds later `holder("l")` is None and bob may have it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple, Protocol

STREAM_MESSAGES_MAX = 512
STREAM_BYTES_MAX = 2 * 1024 * 1024
GIVE_WAY_MESSAGES = 64


class BusLost(ConnectionError):  # noqa: N818
    """The bus cannot be reached; what was asked may or may not have happened."""


class Held(NamedTuple):
    """A lease, and who is to hold it."""

    lease: str
    holder: str


class Bus(Protocol):
    """What every process may ask of the bus; each call may raise `BusLost`."""

    async def append(self, stream: str, message: bytes, *, under: Held | None = None) -> None:
        """Add a message to a stream; messages of one caller keep their order. Nothing, if `under` is not held."""

    def follow(self, stream: str) -> AsyncGenerator[list[bytes], None]:
        """Yield what is kept of a stream, oldest first, then what is appended; never ends. Close it when done."""

    async def drop(self, stream: str) -> None:
        """Forget what is kept of a stream; its followers stay and are handed what comes."""

    async def hold(self, lease: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; False when somebody else holds it."""

    async def release(self, lease: str, holder: str) -> None:
        """Give a lease back; without effect when somebody else holds it."""

    async def holder(self, lease: str) -> str | None:
        """Who holds a lease now."""

    async def leases(self, prefix: str) -> dict[str, str]:
        """All live leases whose name starts so, and who holds each."""

    async def aclose(self) -> None:
        """Let go of connections and tasks."""


class _Stream:
    def __init__(self, messages_max: int) -> None:
        self._messages_max = messages_max
        self._bytes = 0
        self.kept: deque[bytes] = deque()
        self.appended = 0  # since the stream was made
        self.followers = 0
        self.moved = asyncio.Event()  # replaced at each append: everybody who waits on it wakes

    def append(self, message: bytes) -> None:
        self.kept.append(message)
        self.appended += 1
        self._bytes += len(message)
        while len(self.kept) > self._messages_max or (self._bytes > STREAM_BYTES_MAX and len(self.kept) > 1):
            self._bytes -= len(self.kept.popleft())
        self.moved.set()
        self.moved = asyncio.Event()

    def clear(self) -> None:
        self.kept.clear()
        self._bytes = 0

    def after(self, position: int) -> list[bytes]:
        missing = min(self.appended - position, len(self.kept))
        return [self.kept[index] for index in range(len(self.kept) - missing, len(self.kept))]


class EmbeddedBus:
    """The bus inside one process: what `make run` uses. All calls from one event loop."""

    def __init__(
        self, *, stream_messages_max: int = STREAM_MESSAGES_MAX, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._messages_max = stream_messages_max
        self._now = now
        self._streams: dict[str, _Stream] = {}
        self._leases: dict[str, tuple[str, float]] = {}  # name → holder, expiry

    def _stream(self, name: str) -> _Stream:
        return self._streams.setdefault(name, _Stream(self._messages_max))

    async def append(self, stream: str, message: bytes, *, under: Held | None = None) -> None:
        """Add a message. Give way now and then, so that no burst passes a follower who takes what comes."""
        if under is None or self._live(under.lease) == under.holder:
            appended = self._stream(stream)
            appended.append(message)
            if appended.followers and appended.appended % GIVE_WAY_MESSAGES == 0:
                await asyncio.sleep(0)

    async def follow(self, stream: str) -> AsyncGenerator[list[bytes], None]:
        """Yield what is kept, then what comes."""
        followed = self._stream(stream)
        followed.followers += 1
        position = 0
        try:
            while True:
                moved = followed.moved
                messages, position = followed.after(position), followed.appended
                if messages:
                    yield messages
                else:
                    await moved.wait()
        finally:
            followed.followers -= 1
            self._forget_if_unused(stream)

    def _forget_if_unused(self, name: str) -> None:
        stream = self._streams.get(name)
        if stream is not None and not stream.kept and not stream.followers:
            del self._streams[name]

    async def drop(self, stream: str) -> None:
        """Forget what is kept."""
        if stream in self._streams:
            self._streams[stream].clear()
            self._forget_if_unused(stream)

    def _live(self, lease: str) -> str | None:
        holder, expires = self._leases.get(lease, ("", 0.0))
        if expires > self._now():
            return holder
        self._leases.pop(lease, None)
        return None

    async def hold(self, lease: str, holder: str, seconds: float) -> bool:
        """Take or renew."""
        if self._live(lease) not in {None, holder}:
            return False
        self._leases[lease] = (holder, self._now() + seconds)
        return True

    async def release(self, lease: str, holder: str) -> None:
        """Give back what is one's own."""
        if self._live(lease) == holder:
            del self._leases[lease]

    async def holder(self, lease: str) -> str | None:
        """Who holds it."""
        return self._live(lease)

    async def leases(self, prefix: str) -> dict[str, str]:
        """All live leases under a prefix."""
        names = [name for name in self._leases if name.startswith(prefix)]
        return {name: holder for name in names if (holder := self._live(name)) is not None}

    async def aclose(self) -> None:
        """Nothing to let go of."""
