"""What a lesson refuses with is read in the reader's language."""

import re
from pathlib import Path

import pytest
from django.utils.translation import override

from visualizer import refusals
from visualizer.lessons import player

FOLDER = Path(player.__file__).parent
RAISED = re.compile(r'raise RefusedDeedError\(f?"(?P<text>.*?)"\)')
PLACE = re.compile(r"%\\?\((\w+)\\?\)s")


def test_whatever_a_lesson_refuses_with_has_a_pattern():
    sources = "".join((FOLDER / f"{name}.py").read_text() for name in ("player", "answers", "questions"))
    raised = [re.sub(r"{[^}]*}", "x", text) for text in RAISED.findall(sources)]
    assert len(raised) >= 11
    patterns = [re.compile(PLACE.sub(".+", re.escape(pattern))) for pattern in refusals.LESSONS]
    assert [text for text in raised if not any(pattern.fullmatch(text) for pattern in patterns)] == []


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("There are no more hints.", "Weitere Hinweise gibt es nicht."),
        ("There is no beat x in this lesson.", "Einen Schritt x gibt es in dieser Lektion nicht."),
        ("The answer to who is one of a, b.", "Die Antwort auf who ist eine von diesen: a, b."),
    ],
)
def test_it_is_read_in_german_with_its_values_as_they_are(text, german):
    with override("de"):
        assert refusals.said(text) == german
