"""The door from hosting to `visualizer.lessons`: a lesson by its slug, a player for a cluster."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Player(Protocol):
    """What is asked of `visualizer.lessons.player.Player`, on the cluster's own loop."""

    async def begin(self) -> None:
        """Play the start of the lesson."""
        ...

    def advance(self, beat: str) -> Awaitable[None]:
        """Go on to a beat."""
        ...

    def answer(self, question: str, answer: Any) -> None:
        """Take an answer. ValueError when there is no such question, or it is no answer to it."""
        ...

    def hint(self) -> None:
        """Give the next hint."""
        ...

    def state(self) -> dict[str, Any]:
        """Say how far it has come."""
        ...


Shown = tuple[Callable[[str, str], None], Callable[[int], None]]
"""Where a command's output goes (stream, text), and whom to tell its exit code."""


def player(
    cluster: Any, slug: str, told: Callable[[dict[str, Any]], None], typed: Callable[[str], Shown] | None = None
) -> Player:
    """Make the player of a lesson; `typed` hears its commands. LookupError when there is no such lesson."""
    from visualizer.lessons import library
    from visualizer.lessons import player as players

    lesson = library.find(slug)
    if lesson is None:
        raise LookupError(f"there is no lesson {slug}")
    made: Player = players.Player(cluster, lesson, told, typed)
    return made
