"""What is typed while a line runs is what its programs read, until Ctrl-D."""

import asyncio

import pytest

from cluster_engine.programs.keyboard import TYPED_BYTES_MAX, Keyboard, Unattended, is_terminal
from cluster_engine.programs.streams import Nowhere, Pipe


def test_a_program_that_waits_is_told_of_and_ctrl_d_ends_one_reading_not_the_keyboard():
    async def story():
        told = []
        keyboard = Keyboard(told.append)
        keyboard.type("ahead\n")
        assert await keyboard.read() == b"ahead\n"
        assert told == [], "what was typed ahead keeps nobody waiting"
        reading = asyncio.ensure_future(keyboard.read())
        await asyncio.sleep(0)
        assert told == [True]
        keyboard.type("a\n")
        keyboard.type("b\n")
        assert await reading == b"a\n"
        assert await keyboard.read() == b"b\n"
        keyboard.end()
        keyboard.end()
        assert await keyboard.read() == b""
        assert told == [True, False]
        again = asyncio.ensure_future(keyboard.read())
        await asyncio.sleep(0)
        assert told == [True, False, True], "the next program of the line reads on"
        keyboard.type("c\n")
        assert await again == b"c\n"

    asyncio.run(story())


def test_what_nobody_reads_is_bounded():
    keyboard = Keyboard()
    keyboard.type("x" * TYPED_BYTES_MAX)
    with pytest.raises(ValueError, match="Nothing reads"):
        keyboard.type("x")


def test_a_pipe_is_no_terminal():
    assert is_terminal(Keyboard())
    assert is_terminal(Unattended())
    assert not is_terminal(Pipe())
    assert not is_terminal(Nowhere())
