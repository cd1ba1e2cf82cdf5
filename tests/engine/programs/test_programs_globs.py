"""Shell patterns over names, and that none of them takes long."""

import fnmatch

import pytest

from cluster_engine.programs.text.globs import matches

PATTERNS = ["*", "?", "a*", "*a", "*.yaml", "[ab]*", "[!ab]*", "[a-c]?", "a[", "[]a]", "a.b", "a+b", "(x)", "é*", ""]
NAMES = ["", "a", "b", "ab", "web.yaml", "a[", "]", "a.b", "axb", "a+b", "aab", "(x)", "éa", "a\nb", "d1"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_what_fnmatch_says(pattern):
    assert {name: matches(pattern, name) for name in NAMES} == {
        name: fnmatch.fnmatchcase(name, pattern) for name in NAMES
    }


def test_a_backslash_takes_a_special_character_as_it_is():
    assert matches(r"a\*", "a*")
    assert not matches(r"a\*", "ab")


def test_a_pattern_that_would_hold_up_others_does_not():
    assert not matches("*a" * 400, "a" * 100_000 + "b")
