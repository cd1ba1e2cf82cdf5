"""The examples in docs/authoring.md are lessons, and hold what `manage.py lessons check` asks of a lesson."""

import re
from pathlib import Path

import pytest

from visualizer.lessons import check, library

DOCUMENT = Path(__file__).parents[2] / "docs" / "authoring.md"
EXAMPLE = re.compile(r"\*\*`(?P<path>[\w/.-]+)`\*\*\n\n````\w+\n(?P<text>.*?)````\n", re.DOTALL)
LESSONS = ["walkthroughs/delete-a-pod", "exercises/ask-for-three"]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Write the document's files where lessons lie."""
    folder = tmp_path_factory.mktemp("lessons")
    for example in EXAMPLE.finditer(DOCUMENT.read_text()):
        file = folder / example["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(example["text"])
    return folder


def test_the_document_holds_a_whole_walkthrough_and_a_whole_exercise(content):
    assert library.paths(content) == LESSONS
    for path in LESSONS:
        assert {file.name for file in (content / path).iterdir()} == {"lesson.yaml", "en.md", "de.md"}


@pytest.mark.parametrize("path", LESSONS)
@pytest.mark.long
def test_the_document_s_lessons_pass_the_check(content, path):
    report = check.check(path, content)
    assert report.errors == ()
    assert report.entries > 0
