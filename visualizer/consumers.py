"""The WebSocket of a page: what the page says goes to its cluster, what the cluster's feed has goes to the page.

Who may do what is asked of `access` when a page connects, and whenever the cluster's stream says that rights have
changed (somebody signs out, a room is paused, a learner is forgotten). When the session is over by its age the page is
closed and may come back. What nobody says (a session that was deleted, a stream that was cut) counts after
`ACCESS_SECONDS`: a message that comes so long after it was asked last has it asked again. All other messages cost no
query.
"""

import asyncio
import json
import math
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from cluster_engine import deeds
from cluster_engine.cast import cast
from visualizer import access, browser_protocol, handshakes, mishaps, services, websocket_frames
from visualizer.access import Access, Action
from visualizer.browser_protocol import Ping, Said, Watch
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.hosting.hub import Feed, Lost, OutputLost, Reconsider, Viewer
from visualizer.hosting.mailbox import Answer
from visualizer.hosting.messages import State
from visualizer.hosting.refused import GONE, Refused
from visualizer.page_socket import TOO_MANY, PageSocket
from visualizer.reasons import IMPORTED, NOT_YOURS
from visualizer.reasons import said as said_reason

NO_SUCH_CLUSTER = 4404  # also one that is somebody else's: an id tells nothing
ACCESS_SECONDS = 60.0  # how old an answer of `access` may be
GOODBYE_SECONDS = 2.0  # a cluster that is busier forgets this page when others want its place (`stops.PAGES_MAX`)
ASKING_MAX = 32  # questions of one page that wait for an answer


class ClusterConsumer(PageSocket):
    """One page at one cluster."""

    MESSAGE_CHARACTERS_MAX = browser_protocol.MESSAGE_CHARACTERS_MAX
    NAMED = "cluster"  # the part of the path that says which
    READS_ONLY = False  # it came by a link (`sharing.consumer`)

    _feed: Feed | None = None
    _viewer: Viewer
    _asked_at = -math.inf  # when `access` was asked last, on the loop's clock
    _stops = False  # it wants time to stop at something

    async def connect(self) -> None:
        """Accept, then close at once who has no business here: the page reads the code."""
        self._asking: set[asyncio.Task[None]] = set()
        self._page = secrets.token_hex(8)  # as which the cluster knows what it wants time to stop at
        self._host = web_process.current()
        await self.accept()
        self._id = str(self.scope["url_route"]["kwargs"][self.NAMED])
        found = await self._ask_access(self._enter)
        if found is None:
            await self.close(NO_SUCH_CLUSTER)
            return
        self._cluster = found.cluster
        if not self.READS_ONLY:
            await self._host.revival.wake(self._cluster)
        try:
            self._feed, self._viewer = await self._host.hub.join(self._cluster.pk, reads_only=self.READS_ONLY)
        except Refused as refusal:
            await self._error(str(refusal))
            await self.close(TOO_MANY)
            return
        await self.send(text_data=self._hello())
        self.start(self._cluster.pk)

    async def _ask_access(self, find: Callable[[], Access | None]) -> Access | None:
        """Ask what the page may do, and keep the answer; None when it may not even look."""
        asked_at = asyncio.get_running_loop().time()
        found = await in_database(find)()
        if found is not None:
            self._access, self._asked_at = found, asked_at
        return found

    def _find(self) -> Access | None:
        self.handshake = handshakes.read(self.scope)
        found = access.find(self.handshake.owner, self._id)
        return found if found is not None and found.may(Action.SEE) else None

    def _enter(self) -> Access | None:
        found = self._find()
        if found is not None:
            services.mark_watched(found.cluster)
        return found

    async def disconnect(self, code: int) -> None:
        """Leave the feed; time does not stop for this page any more."""
        if self._feed is not None:
            self._host.hub.leave(self._feed, self._viewer)
            tasks = [*self._asking, *([self.writing] if self.writing is not None else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._stops:
            with suppress(Refused, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._host.clusters.ask(self._cluster.pk, deeds.Stops(page=self._page))

    # To the page ----------------------------------------------------------------------------------------------------

    async def write(self, send: websocket_frames.SendFrames) -> None:
        """See PageSocket."""
        while True:
            try:
                await send(await self._viewer.next_frames(self._cluster_frame))
            except Reconsider:
                if not await self._reconsider():
                    await self.close(NO_SUCH_CLUSTER)
                    return
            except Lost:
                await self._error(_("Some entries of this journal were lost with the process that ran the cluster."))
            except OutputLost:
                await self._error(_("Some of what commands printed did not arrive here, and cannot be had any more."))

    async def _reconsider(self) -> bool:
        """Ask again what the page may do, and have it told; False when it may not even look any more."""
        self._asked_at = -math.inf  # what it says meanwhile is not taken by the old answer
        if await self._ask_access(self._find) is None:
            return False
        self._viewer.state_is_new = True
        return True

    def _hello(self) -> str:
        assert self._feed is not None
        feed, viewer = self._feed, self._viewer
        viewer.state_is_new = viewer.clock_is_new = viewer.lesson_is_new = False  # it says all three
        return json.dumps(
            {
                "type": "hello",
                "cluster": self._cluster_fields(feed),
                "clock": msgspec.structs.asdict(feed.clock) if feed.clock is not None else None,
                "lesson": feed.lesson.state if feed.lesson is not None and not self.READS_ONLY else None,
                "head": feed.head,
                "cast": self._cast(),
            }
        )

    def _cast(self) -> Any:
        known = self._cluster
        if known.reason == IMPORTED:  # who is in it, its messages alone say
            return {"people": [], "hosts": [], "workers": [], "components": []}
        return cast(known.nodes, system_pods=known.system_pods, etcd_members=known.etcd_members).describe()

    def _cluster_frame(self, feed: Feed) -> str:
        return json.dumps({"type": "cluster", "cluster": self._cluster_fields(feed)})

    def _cluster_fields(self, feed: Feed) -> dict[str, Any]:
        state = feed.state or State("starting")
        with override(self._language):
            message = said_reason(state.reason, feed.head)
            mishap = mishaps.in_words(feed.mishap, is_over=state.state in {"starting", "running"})
        return {
            "id": feed.id,
            "state": state.state,
            "life": state.life,
            "reason": state.reason,
            "message": message,
            "mishap": mishap,
            "successor": state.successor,
            "nodes": self._cluster.nodes,
            "seed": self._cluster.seed,
            "lesson": self._cluster.lesson or None,
            "branch": bool(self._cluster.origin),
            "may": [action.value for action in Action if self._access.may(action)],
        }

    async def _error(self, message: str, **fields: Any) -> None:
        await self.send(text_data=self._error_frame(message, **fields))

    def _error_frame(self, message: str, **fields: Any) -> str:
        return json.dumps({"type": "error", "message": self.in_words(message), **fields})

    # From the page --------------------------------------------------------------------------------------------------

    def decode(self, text: bytes) -> Said:
        """See PageSocket."""
        return browser_protocol.decode(text)

    async def refuse(self, problem: str, text: str) -> None:
        """See PageSocket."""
        await self._error(problem, **browser_protocol.command_of(text))

    async def take(self, message: Said) -> None:
        """See PageSocket."""
        if length_of(message) > deeds.LINE_MAX:
            await self._error(_("This message is too long."), **named(message))
            return
        if isinstance(message, Watch):
            self._viewer.watch(message.since, message.commands)
            return
        if isinstance(message, Ping):
            self._viewer.notify('{"type":"pong"}')
            return
        if isinstance(message, deeds.Stops):
            message = msgspec.structs.replace(message, page=self._page)
            self._stops = bool(message.entries or message.bodies or message.states)
        fields = named(message)
        if (refusal := await self._refusal(message)) is not None:
            await self._error(refusal, **fields)
            return
        try:
            answer = await self._host.clusters.put(self._cluster.pk, message)
        except Refused as problem:
            await self._error(str(problem), **fields, **_passing(problem))
            return
        task = asyncio.create_task(self._hear(message, answer, fields))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _refusal(self, message: Said) -> str | None:
        """Say why a message is not even asked."""
        if len(self._asking) >= ASKING_MAX:
            return _("The cluster is busy and gave no answer in time.")
        is_old = asyncio.get_running_loop().time() - self._asked_at >= ACCESS_SECONDS
        if (is_old or self._viewer.rights_are_new) and await self._ask_access(self._find) is None:
            return _("There is no such cluster, or it is not yours.")
        action = action_of(message)
        return None if self._access.may(action) else NOT_YOURS[action]

    async def _hear(self, message: Said, answer: Answer, fields: dict[str, str]) -> None:
        """Wait for an answer while the page goes on talking: a step may wait for a resume."""
        try:
            answered = await answer
        except Refused as refusal:
            self._viewer.notify(self._error_frame(str(refusal), **fields, **_passing(refusal)))
            return
        if isinstance(message, deeds.Command) and self._is_forgotten(message.id, answered):
            said_once = _("This command was run already; what it printed is not kept any more.")
            self._viewer.notify(self._error_frame(said_once, **fields))
        elif (frame := reply_of(message, answered)) is not None:
            self._viewer.notify(frame)

    def _is_forgotten(self, command: str, answer: bytes) -> bool:
        """Whether a command that a page sent again was taken the first time, and nothing of it is known here."""
        assert self._feed is not None
        return bool(json.loads(answer).get("again")) and command not in self._feed.terminals


def _passing(refusal: Refused) -> dict[str, bool]:
    """What a page is told of a refusal that is over once the cluster is back: it may say the same again then."""
    return {"passing": True} if str(refusal) == GONE else {}


def named(message: Said) -> dict[str, str]:
    """The `id` by which a page finds the answer to what it said, where it waits for one."""
    match message:
        case deeds.Command() | deeds.Complete() | deeds.Inject() | deeds.Heal() if message.id is not None:
            return {"id": message.id}
        case _:
            return {}


def length_of(message: Said) -> int:
    """How many characters of text a message has whose bound is said in words."""
    match message:
        case (
            deeds.Command(line=str(text))
            | deeds.Complete(line=str(text))
            | deeds.Keys(text=str(text))
            | deeds.Edited(text=str(text))
        ):
            return len(text)
        case _:
            return 0


def action_of(message: Said) -> Action:
    """What the page wants, in terms of access."""
    match message:
        case deeds.Command() | deeds.Keys() | deeds.Resize() | deeds.Edited() | deeds.Complete() | deeds.Interrupt():
            return Action.TYPE
        case deeds.Pace() | deeds.Pause() | deeds.Resume() | deeds.Step() | deeds.Stops():
            return Action.DRIVE
        case deeds.Inject() | deeds.Heal():
            return Action.BREAK
        case deeds.Advance() | deeds.Answer() | deeds.Hint():
            return Action.LEARN
        case Watch() | Ping():
            return Action.SEE


def reply_of(message: Said, answer: bytes) -> str | None:
    """The frame that tells the page its answer, where there is more to tell than progress."""
    match message:
        case deeds.Inject():
            return json.dumps({"type": "injected", **named(message), "fault": json.loads(answer)["fault"]})
        case deeds.Complete():
            return json.dumps({"type": "completed", **named(message), **json.loads(answer)})
        case deeds.Heal():
            return json.dumps({"type": "healed", **named(message)})
    return None
