"""Sentences are said once and in full."""

import pytest

from cluster_engine.lens import words
from cluster_engine.lens.kubernetes import Asked


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("", "401 Unauthorized"),
        ("Unauthorized", "401 Unauthorized"),
        ("the token has expired", "401 Unauthorized, the token has expired"),
    ],
)
def test_a_refusal_says_what_its_status_does_not(problem, said):
    assert words.answer(401, Asked("GET", "/api/v1/nodes", "list"), "web", problem) == said
