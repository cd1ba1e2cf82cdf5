"""Globs: the same answers as a regular expression, and in linear time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.predicates.globs import fits

CPU_SECONDS_MAX = 5.0


@given(st.text("ab*?", max_size=12), st.text("ab\n", max_size=16))
def test_a_glob_stands_for_what_its_regular_expression_matches(pattern, text):
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(one, re.escape(one)) for one in pattern)
    assert fits(pattern, text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


@pytest.mark.parametrize(
    "pattern", ["*a" * 25 + "Z", "*a" * 250 + "Z", "*?a" * 150 + "Z", "?*" * 250 + "Z", "*" * 500 + "Z"]
)
def test_no_glob_takes_longer_than_the_text(pattern):
    began = time.process_time()
    assert not fits(pattern, "a" * 400)
    assert not fits(pattern, "a" * 200_000)
    assert time.process_time() - began < CPU_SECONDS_MAX
