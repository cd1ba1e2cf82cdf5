"""What a failed step says, by what its tools have printed."""

from pathlib import Path

import pytest

import set_up


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code ENOSPC", "the disk is full"),
        ("... because ensurepip is not\navailable. ...", None),
        ("created successfully because ensurepip is not available.  On Debian", "`apt install python3-venv` brings it"),
        ("NewConnectionError('... Temporary failure in name resolution')", "there is no network here"),
        ("npm error code EAI_AGAIN", "there is no network here"),
        ("npm error code E404", None),
        ("ERROR: Could not find a version that satisfies the requirement x (from versions: none)", None),
    ],
)
def test_a_reason_that_is_known_is_said_and_any_other_in_the_tools_own_words(printed, words):
    problem = str(set_up.Failed(set_up.SetUp(Path("x")).page, f"first\n{printed}\nlast"))
    assert problem.startswith("Could not fetch the page's modules from the npm registry")
    if words is None:
        assert "    last\n" in problem
    else:
        assert words in problem
        assert "\n" not in problem


def test_the_tools_last_words_are_not_endless():
    problem = str(set_up.Failed(set_up.SetUp(Path("x")).page, "word\n" * 1000))
    assert problem.count("\n") < 20
