"""What it costs to play a walkthrough whole, in leaping time: its cluster's start, its own, then beat after beat.

Played by the player that serves learners, without anybody in between. Imports are done, as in a worker that hosts
others.
"""

import time

from cluster_engine.cluster import Cluster
from cluster_engine.world.work import REAL_EFFORT
from tests.bench.figures import in_cluster
from visualizer.lessons.courses import ordered
from visualizer.lessons.lesson import WALKTHROUGH, Lesson
from visualizer.lessons.player import Player


def cost_of_each() -> dict[str, float]:
    """Give the CPU seconds of every walkthrough, by its slug."""
    in_cluster(_nothing)
    return {lesson.slug: cost_of(lesson) for lesson in ordered() if lesson.kind == WALKTHROUGH}


async def _nothing(_: Cluster) -> None:
    """What is imported late is imported now."""


def cost_of(lesson: Lesson) -> float:
    """Play a walkthrough to its end; give the CPU seconds."""

    async def story(cluster: Cluster) -> None:
        player = Player(cluster, lesson, lambda _: None)
        player.pace = None
        await player.begin()
        for beat in lesson.beats:
            await player.advance(beat.id)
        assert player.state()["solved"], f"{lesson.path}: {player.state()['lost']} does not come"

    before = time.process_time()
    in_cluster(story, **lesson.cluster, effort=REAL_EFFORT)
    return time.process_time() - before
