"""Asking workers: a question goes into a worker's inbox, its answer comes back into this web process's own."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Coroutine
from typing import Any

from visualizer.hosting import messages
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.messages import Ask, Question
from visualizer.hosting.refused import Missing, NoAnswer, Refused

ASK_SECONDS = 25.0

Answer = Coroutine[Any, Any, bytes]


class Mailbox:
    """Questions of one web process on their way."""

    def __init__(self, bus: Bus) -> None:
        self.name = secrets.token_urlsafe(8)
        self._bus = bus
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    async def run(self) -> None:
        """Take in answers, for ever."""
        async with contextlib.aclosing(self._bus.follow(messages.web_name(self.name))) as inbox:
            async for frames in inbox:
                for reply in messages.replies(frames):
                    self._settle(reply)

    def _settle(self, reply: messages.Reply) -> None:
        future = self._waiting.pop(reply.id, None)
        if future is None or future.done():
            return
        if reply.refusal is None:
            future.set_result(reply.answer)
        else:
            future.set_exception((Missing if reply.missing else Refused)(reply.refusal))

    async def put(
        self, worker: str, cluster: str, question: Question, *, life: int = 1, seconds: float = ASK_SECONDS
    ) -> Answer:
        """Put a question to a worker, behind those put before; what is returned, when awaited, is the answer in JSON.

        Both raise `Refused`: with the worker's words, or when there is no answer.
        """
        ask = Ask(next(self._numbers), messages.web_name(self.name), cluster, question, life)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[ask.id] = future
        try:
            async with asyncio.timeout(seconds):
                await self._bus.append(messages.worker_name(worker), messages.pack(ask))
        except (TimeoutError, BusLost) as problem:
            del self._waiting[ask.id]
            raise Refused("The engine cannot be reached just now; please try again.") from problem
        return self._answer(ask.id, future, seconds)

    async def _answer(self, number: int, future: "asyncio.Future[bytes]", seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError as problem:
            raise NoAnswer("The cluster is busy and gave no answer in time.") from problem
        finally:
            self._waiting.pop(number, None)

    async def ask(
        self, worker: str, cluster: str, question: Question, *, life: int = 1, seconds: float = ASK_SECONDS
    ) -> bytes:
        """Put a question and wait for the answer."""
        return await (await self.put(worker, cluster, question, life=life, seconds=seconds))
