"""A bus lent through a pipe: a child process uses the bus of its parent.

Frames are msgpack behind a length of four bytes. The child (`PipeBus`) asks; the parent (`lend`) does it on its own bus
and answers what has an answer. Appends are not answered: the pipe keeps their order. When either end is closed or its
process dies, the other sees the end of the file at once: a child needs nothing else to know that it is alone.
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec

from visualizer.hosting.bus import STREAM_MESSAGES_MAX, Bus, BusLost, Held

FRAME_BYTES_MAX = 64 * 1024 * 1024


class Append(msgspec.Struct, tag=True, frozen=True):
    """Append a message, if `under` is held; not answered."""

    stream: str
    message: bytes
    under: Held | None = None


class Follow(msgspec.Struct, tag=True, frozen=True):
    """Send what a stream holds and gets, as `Items`, until `Unfollow`."""

    id: int
    stream: str


class Unfollow(msgspec.Struct, tag=True, frozen=True):
    """No more of this."""

    id: int


class Drop(msgspec.Struct, tag=True, frozen=True):
    """Forget a stream; answered by None."""

    id: int
    stream: str


class Hold(msgspec.Struct, tag=True, frozen=True):
    """Answered by a bool."""

    id: int
    lease: str
    holder: str
    seconds: float


class Release(msgspec.Struct, tag=True, frozen=True):
    """Answered by None."""

    id: int
    lease: str
    holder: str


class Holder(msgspec.Struct, tag=True, frozen=True):
    """Answered by a name or None."""

    id: int
    lease: str


class Leases(msgspec.Struct, tag=True, frozen=True):
    """Answered by a dict."""

    id: int
    prefix: str


class Answer(msgspec.Struct, tag=True, frozen=True):
    """What a question was answered; `problem` instead when the bus was lost."""

    id: int
    value: bool | str | dict[str, str] | None = None
    problem: str | None = None


class Items(msgspec.Struct, tag=True, frozen=True):
    """Messages for a follower."""

    id: int
    messages: list[bytes]


Question = Drop | Hold | Release | Holder | Leases
Asked = Append | Follow | Unfollow | Question
Told = Answer | Items

_encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(Asked)
_told = msgspec.msgpack.Decoder(Told)


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one frame; `BusLost` at the end of the pipe."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > FRAME_BYTES_MAX:
            raise BusLost(f"the other end of the pipe speaks nonsense: a frame of {size} bytes")
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError) as problem:
        raise BusLost("the other end of the pipe is gone") from problem


def _write_frame(writer: asyncio.StreamWriter, frame: Asked | Told) -> None:
    body = _encode(frame)
    writer.write(len(body).to_bytes(4, "big") + body)


async def lend(bus: Bus, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a bus to the other end of a pipe until it is closed."""
    following: dict[int, asyncio.Task[None]] = {}
    try:
        while True:
            match _asked.decode(await _read_frame(reader)):
                case Append(stream, message, under):
                    with contextlib.suppress(BusLost):
                        await bus.append(stream, message, under=under)
                case Follow(number, stream):
                    following[number] = asyncio.create_task(_pump(bus, number, stream, writer))
                case Unfollow(number):
                    if number in following:
                        following.pop(number).cancel()
                case question:
                    _write_frame(writer, await _answer(bus, question))
                    await _drained(writer)
    except BusLost:
        pass
    finally:
        for task in following.values():
            task.cancel()
        await asyncio.gather(*following.values(), return_exceptions=True)
        writer.close()


async def _pump(bus: Bus, number: int, stream: str, writer: asyncio.StreamWriter) -> None:
    async with contextlib.aclosing(bus.follow(stream)) as followed:
        async for messages in followed:
            _write_frame(writer, Items(number, messages))
            await _drained(writer)


async def _answer(bus: Bus, question: Question) -> Answer:
    try:
        match question:
            case Drop():
                await bus.drop(question.stream)
                return Answer(question.id)
            case Hold():
                return Answer(question.id, await bus.hold(question.lease, question.holder, question.seconds))
            case Release():
                await bus.release(question.lease, question.holder)
                return Answer(question.id)
            case Holder():
                return Answer(question.id, await bus.holder(question.lease))
            case Leases():
                return Answer(question.id, await bus.leases(question.prefix))
    except BusLost as problem:
        return Answer(question.id, problem=str(problem))


async def _drained(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
    except OSError as problem:
        raise BusLost("the other end of the pipe is gone") from problem


class _Follower:
    def __init__(self, messages_max: int) -> None:
        self.messages: deque[bytes] = deque(maxlen=messages_max)
        self.moved = asyncio.Event()


class PipeBus:
    """The child's end: a `Bus` whose streams and leases are its parent's."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        stream_messages_max: int = STREAM_MESSAGES_MAX,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._writer = writer
        self._on_lost = on_lost
        self._messages_max = stream_messages_max
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._followers: dict[int, _Follower] = {}
        self._reading = asyncio.create_task(self._read(reader), name="pipe-bus-reader")
        self._lost = asyncio.Event()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                match _told.decode(await _read_frame(reader)):
                    case Items(number, messages):
                        if follower := self._followers.get(number):
                            follower.messages.extend(messages)
                            follower.moved.set()
                            await asyncio.sleep(0)  # what is here already is not read past who follows
                    case Answer() as answer:
                        self._settle(answer)
        except BusLost as problem:
            self._lost.set()
            self._on_lost()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(BusLost(str(problem)))
                    future.exception()  # it may have nobody left to hear it
            for follower in self._followers.values():
                follower.moved.set()

    def _settle(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.id, None)
        if future is None or future.done():
            return
        if answer.problem is None:
            future.set_result(answer.value)
        else:
            future.set_exception(BusLost(answer.problem))

    async def _write(self, frame: Asked) -> None:
        if self._lost.is_set():
            raise BusLost("the other end of the pipe is gone")
        _write_frame(self._writer, frame)
        await _drained(self._writer)

    async def _ask(self, question: Question) -> Any:
        future = self._waiting[question.id] = asyncio.get_running_loop().create_future()
        try:
            await self._write(question)
            return await future
        finally:
            self._waiting.pop(question.id, None)

    async def append(self, stream: str, message: bytes, *, under: Held | None = None) -> None:
        """Add a message; waits while the pipe is full."""
        await self._write(Append(stream, message, under))

    async def follow(self, stream: str) -> AsyncGenerator[list[bytes], None]:
        """Yield what is kept, then what comes; `BusLost` at the end of the pipe."""
        number = next(self._numbers)
        follower = self._followers[number] = _Follower(self._messages_max)
        try:
            await self._write(Follow(number, stream))
            while True:
                await follower.moved.wait()
                follower.moved.clear()
                if follower.messages:
                    messages = list(follower.messages)
                    follower.messages.clear()
                    yield messages
                elif self._lost.is_set():
                    raise BusLost("the other end of the pipe is gone")
        finally:
            del self._followers[number]
            if not self._lost.is_set():
                _write_frame(self._writer, Unfollow(number))

    async def drop(self, stream: str) -> None:
        """Forget what is kept."""
        await self._ask(Drop(next(self._numbers), stream))

    async def hold(self, lease: str, holder: str, seconds: float) -> bool:
        """Take or renew."""
        return bool(await self._ask(Hold(next(self._numbers), lease, holder, seconds)))

    async def release(self, lease: str, holder: str) -> None:
        """Give back what is one's own."""
        await self._ask(Release(next(self._numbers), lease, holder))

    async def holder(self, lease: str) -> str | None:
        """Who holds it."""
        found: str | None = await self._ask(Holder(next(self._numbers), lease))
        return found

    async def leases(self, prefix: str) -> dict[str, str]:
        """All live leases under a prefix."""
        found: dict[str, str] = await self._ask(Leases(next(self._numbers), prefix))
        return found

    async def aclose(self) -> None:
        """Close this end."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._lost.set()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
