"""What is kept of a real terminal: all of it up to a bound, then the last of it."""

import asyncio

import pytest

from cluster_engine import printed
from cluster_engine.deeds import Done, Output, Typed


class Typist:
    """As much of a cluster as a line needs."""

    journal = None

    def __init__(self, *texts):
        self.texts = texts

    def terminal(self, name):
        assert name == "console"
        return type("Terminal", (), {"prompt": "workstation:~$"})

    async def command(self, line, write, *, terminal):
        if line == "interrupted":
            raise asyncio.CancelledError
        for text in self.texts:
            write("stdout", text)
        return 3


def test_of_much_the_last_is_kept_and_all_of_it_is_printed(monkeypatch):
    monkeypatch.setattr(printed, "CHARACTERS_MAX", 1000)
    shown = []
    kept = printed.Printed(lambda stream, text: shown.append(text))
    code = asyncio.run(kept.command(Typist(*"abcd", "e" * 600), "yes", terminal="console"))
    assert (code, "".join(shown)) == (3, "abcd" + "e" * 600)
    assert [type(one) for one in kept.frames] == [Output, Output, Done]
    assert [one.n for one in kept.frames] == [4, 5, 6]


def test_a_command_that_is_interrupted_has_an_end():
    kept = printed.Printed(lambda stream, text: None)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(kept.command(Typist(), "interrupted", terminal="console"))
    typed, done = kept.frames
    assert isinstance(typed, Typed)
    assert (typed.prompt, done.code) == ("workstation:~$", 130)
