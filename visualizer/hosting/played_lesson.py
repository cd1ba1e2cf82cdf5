"""The lesson that plays on a hosted cluster (`cluster_engine.run.Lesson`), by its slug; it tells how far it is."""

from collections.abc import Awaitable, Callable
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.commands import Show
from visualizer.hosting.messages import Clock, Lesson
from visualizer.lessons import library
from visualizer.lessons.player import Player

PACE = 1.0


class PlayedLesson:
    """One run of a lesson. `tell` hears its state whenever that has changed, and the clock, which the lesson drives.

    `replays`: this has been played before, and nothing is told until `replayed`.
    """

    _player: Player

    def __init__(self, slug: str, tell: Callable[[Lesson | Clock], None], *, pace: float | None, replays: bool) -> None:
        self._slug, self._tell = slug, tell
        self._pace, self._replays = pace or PACE, replays

    async def begin(self, cluster: Cluster, show: Show) -> None:
        """Play the start. LookupError when there is no such lesson."""
        lesson = library.find(self._slug)
        if lesson is None:
            raise LookupError(f"there is no lesson {self._slug}")
        self._clock = cluster.clock
        self._player = Player(cluster, lesson, self._told, show)
        await self._player.begin()
        if cluster.clock.pace is None:  # it has leapt through the start; whoever resumes wants to see something
            cluster.clock.set_pace(self._pace)

    def _told(self, state: dict[str, Any]) -> None:
        if not self._replays:
            self._tell(Lesson(state))
            self._tell(Clock(**self._clock.told()))

    def replayed(self) -> None:
        """Say where the lesson stands, now that it stands there for good."""
        self._replays = False
        self._told(self._player.state())

    def advance(self, beat: str) -> Awaitable[None]:
        """See Player."""
        return self._player.advance(beat)

    def answer(self, question: str, answer: Any) -> None:
        """See Player."""
        self._player.answer(question, answer)

    def hint(self) -> None:
        """See Player."""
        self._player.hint()


__all__ = ["PlayedLesson"]
