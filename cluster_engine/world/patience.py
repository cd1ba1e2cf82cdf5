"""Timeouts that judge a peer who may live in another time.

Theory of operation. A server gives a client so many seconds to finish its handshake, to send its body, to ask again.
Inside a world both count the same seconds. A client that came in by the gateway counts real ones: at pace 60 a server's
ninety seconds are one and a half of its own, and while the world leaps they are none at all; at pace 0.1, or paused,
the client's ninety are few or none here. So it is judged by the slower of the two clocks: time is up when it is up on
both. Whose time is the world's own is judged by a plain timer, at the very instant.

    transport.get_extra_info("peer_time")     the client's clock, or None: the same as the loop's

    judge = Patience(peer_time, 32.0, hang_up)     hang_up() after 32 s here and there; judge.cancel()
    async with within(60.0, peer_time):            as asyncio.timeout
        await body.read()
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PeerTime = Callable[[], float] | None

LOOK_AGAIN_SECONDS_MIN = 1.0


class Patience:
    """Calls back once `seconds` have passed on the running loop's clock and on the peer's."""

    def __init__(self, peer_time: PeerTime, seconds: float, callback: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._peer_time = peer_time
        self._until = 0.0 if peer_time is None else peer_time() + seconds
        self._callback = callback
        self._timer = self._loop.call_later(seconds, self._look)

    def cancel(self) -> None:
        """Do not call back."""
        self._timer.cancel()

    def _look(self) -> None:
        rest = 0.0 if self._peer_time is None else self._until - self._peer_time()
        if rest > 0:
            self._timer = self._loop.call_later(max(rest, LOOK_AGAIN_SECONDS_MIN), self._look)
        else:
            self._callback()


@asynccontextmanager
async def within(seconds: float, peer_time: PeerTime) -> AsyncIterator[None]:
    """Cancel what is in the block and raise TimeoutError when time is up, as `asyncio.timeout` does."""
    if peer_time is None:
        async with asyncio.timeout(seconds):
            yield
        return
    async with asyncio.timeout(None) as limit:
        judge = Patience(peer_time, seconds, lambda: limit.reschedule(asyncio.get_running_loop().time()))
        try:
            yield
        finally:
            judge.cancel()
