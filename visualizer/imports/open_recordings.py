"""The recordings that somebody asks about just now: each has a process (`answering`) with its journal open.

    await ask(cluster, Detail(12))      -> the answer as JSON, as a running cluster's

A process begins with the first question and ends when there was none for a while. At most `OPEN_MAX` are there in this
web process; when one more begins, that which was asked longest ago ends. One that dies of what it was asked, or of the
bounds that the kernel holds it to, costs that answer alone: the next question begins another.
"""

import asyncio
import contextlib
import logging
import sys
import tempfile
import weakref

from visualizer import ending
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.hosting.messages import Question, Reply
from visualizer.hosting.refused import Missing, Refused
from visualizer.imports import selectors
from visualizer.imports.asking import LENGTH_BYTES, decode_reply, encode, framed

logger = logging.getLogger(__name__)

OPEN_MAX = 4
QUESTIONS_MAX = 64
IDLE_SECONDS = 60.0
ANSWER_SECONDS = 60.0
"""The first answer waits for the journal to be read."""

BROKE = "This broke inside Glassplane; that is our mistake."
NOT_IN_TIME = "The cluster is busy and gave no answer in time."
MESSAGES_ALONE = "Of this recording there are its messages alone."

_Asked = tuple[Question, "asyncio.Future[Reply]"]


class OpenRecording:
    """A recording with the process that has it open. Questions are put to it one after the other."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.is_over = False
        """Whether nothing may be asked any more."""
        self._questions: asyncio.Queue[_Asked | None] = asyncio.Queue(QUESTIONS_MAX)
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, question: Question) -> bytes:
        """Put a question. Raise `Refused`."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        try:
            self._questions.put_nowait((question, answer))
        except asyncio.QueueFull:
            raise Refused(NOT_IN_TIME) from None
        reply = await answer
        if reply.refusal is not None:
            raise (Missing if reply.missing else Refused)(reply.refusal)
        return reply.answer

    def end(self) -> None:
        """End once what was asked is answered."""
        with contextlib.suppress(asyncio.QueueFull):
            self._questions.put_nowait(None)

    async def attend(self) -> None:
        """Answer until nothing was asked for a while."""
        try:
            while (asked := await self._next()) is not None:
                question, answer = asked
                reply = await self._reply(question)
                if not answer.done():
                    answer.set_result(reply)
        finally:
            self.is_over = True
            self._leave()
            await self._kill()

    def _leave(self) -> None:
        """Let nobody wait whom nobody will answer."""
        while not self._questions.empty():
            asked = self._questions.get_nowait()
            if asked is not None and not asked[1].done():
                asked[1].set_result(Reply(0, refusal=BROKE))

    async def _next(self) -> _Asked | None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    return await self._questions.get()
            except TimeoutError:
                if self._questions.empty():
                    return None

    async def _reply(self, question: Question) -> Reply:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._process is None:
                    self._process = await self._begin()
                return (
                    Reply(0, refusal=MESSAGES_ALONE, missing=True)
                    if self._process is None
                    else await self._put(question)
                )
        except TimeoutError:
            await self._kill()
            return Reply(0, refusal=NOT_IN_TIME)
        except Exception:  # the outermost edge: what a file does to its process costs one answer
            await self._kill()
            logger.exception("recording %s could not be asked", self.cluster)
            return Reply(0, refusal=BROKE)

    async def _begin(self) -> asyncio.subprocess.Process | None:
        kind, began_ns = await in_database(selectors.about)(self.cluster)
        with tempfile.TemporaryFile() as saved:
            if not await in_database(selectors.journal_into)(self.cluster, saved):
                return None
            saved.seek(0)
            command = (sys.executable, "-m", "visualizer.imports.answering", str(saved.fileno()), kind, str(began_ns))
            pipe = asyncio.subprocess.PIPE
            return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, pass_fds=[saved.fileno()])

    async def _put(self, question: Question) -> Reply:
        assert self._process is not None
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(framed(encode(question)))
        await asked.drain()
        length = int.from_bytes(await answers.readexactly(LENGTH_BYTES))
        return decode_reply(await answers.readexactly(length))

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await ending.kill(process)


_open: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, OpenRecording]]" = weakref.WeakKeyDictionary()


async def ask(cluster: str, question: Question) -> bytes:
    """Ask a recording. Raise `Refused`."""
    known = _open.setdefault(asyncio.get_running_loop(), {})
    recording = known.pop(cluster, None)
    if recording is None or recording.is_over:
        recording = OpenRecording(cluster)
        web_process.current().spawn(recording.attend(), f"recording {cluster}")
    known[cluster] = recording  # as the one that was asked latest
    if len(known) > OPEN_MAX:
        known.pop(next(iter(known))).end()
    return await recording.ask(question)
