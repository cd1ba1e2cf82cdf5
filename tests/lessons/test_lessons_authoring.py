"""The examples in docs/authoring.md are lessons: they can be read, and they play as the page says they do."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from visualizer.lessons import library
from visualizer.lessons.lesson import LANGUAGES
from visualizer.lessons.player import Player

DOCUMENT = Path(__file__).parents[2] / "docs" / "authoring.md"
EXAMPLE = re.compile(r"\*\*`(?P<path>[\w/.-]+)`\*\*\n\n````\w+\n(?P<text>.*?)````\n", re.DOTALL)
WALKTHROUGH, EXERCISE = "walkthroughs/delete-a-pod", "exercises/ask-for-three"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Write the document's files where lessons lie."""
    folder = tmp_path_factory.mktemp("lessons")
    for example in EXAMPLE.finditer(DOCUMENT.read_text()):
        file = folder / example["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(example["text"])
    return folder


def play(lesson, story):
    """Run `await story(player)` on a new cluster, once the lesson has begun; give the last state."""
    loop = ClusterLoop(Clock())

    async def tell():
        spec = ClusterSpec(nodes=lesson.nodes, seed=lesson.seed, pace=None, epoch=datetime.now(UTC))
        async with Cluster(spec, loop) as cluster:
            player = Player(cluster, lesson, lambda _: None)
            player.pace = None
            await player.begin()
            await story(player)
            assert player.problems == []
            return player.state()

    try:
        return loop.run_until_complete(tell())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def performed(lesson, steps):
    """Play an exercise by these steps; give the last state."""
    return play(lesson, lambda player: player.stage.perform(steps))


def test_the_document_holds_one_whole_walkthrough_and_one_whole_exercise(content):
    assert library.paths(content) == [WALKTHROUGH, EXERCISE]
    for path in (WALKTHROUGH, EXERCISE):
        assert {file.name for file in (content / path).iterdir()} == {"lesson.yaml", "en.md", "de.md"}


def test_the_document_s_lessons_say_the_same_things_in_both_languages(content):
    for path in (WALKTHROUGH, EXERCISE):
        lesson = library.read(path, content)
        english, german = (library.prose(lesson, language) for language in LANGUAGES)
        assert english.titles().keys() == german.titles().keys()
        beats = [section.id for section in english.sections if section.kind == "beat"]
        assert beats == [beat.id for beat in lesson.beats]


def test_the_document_s_walkthrough_comes_to_each_of_its_beats_in_order(content):
    lesson = library.read(WALKTHROUGH, content)

    async def walk(player):
        for beat in lesson.beats:
            await player.advance(beat.id)

    state = play(lesson, walk)
    anchors = [state["anchors"][beat.id]["seq"] for beat in lesson.beats]
    assert anchors == sorted(set(anchors))
    assert state["anchors"].keys() >= set(lesson.names)
    assert state["solved"]


def test_the_document_s_exercise_is_solved_by_its_solution_and_not_by_its_near_misses(content):
    lesson = library.read(EXERCISE, content)
    assert performed(lesson, ())["checks"] == {}
    assert performed(lesson, lesson.solution)["solved"]
    for near_miss in lesson.near_misses:
        state = performed(lesson, near_miss.play)
        assert not state["checks"].keys() & set(near_miss.refuses)
        assert near_miss.debrief in state["debriefs"]
