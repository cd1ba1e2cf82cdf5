"""The way out of a page: frames as RFC 6455 has them, written at once where nothing waits before them."""

import pytest

from visualizer import websocket_frames


def test_a_frame_says_its_length_in_one_three_or_nine_bytes():
    for size, head in [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f" + (65536).to_bytes(8, "big")),
    ]:
        assert websocket_frames.on_the_wire(("x" * size,)) == head + b"x" * size


def test_the_length_is_of_bytes_and_frames_keep_their_order():
    assert websocket_frames.on_the_wire(("ü", "b")) == b"\x81\x02\xc3\xbc\x81\x01b"


def test_what_many_are_sent_is_written_once():
    frames = ("to all", "of you")
    assert websocket_frames.on_the_wire(frames) is websocket_frames.on_the_wire(tuple(frames))


@pytest.mark.asyncio
async def test_a_server_that_offers_no_short_way_is_sent_each_frame_by_itself():
    sent: list[str] = []

    class Consumer:
        scope = {"type": "websocket"}

        async def send(self, text_data: str) -> None:
            sent.append(text_data)

    await websocket_frames.sender_of(Consumer())(("one", "two"))
    assert sent == ["one", "two"]


class Transport:
    """Twisted's, as far as it is asked: the kernel takes `takes` bytes, the rest is buffered."""

    connected = True

    def __init__(self, takes: int | Exception, waiting: bytes = b"") -> None:
        self.takes, self.dataBuffer, self._tempDataLen = takes, b"", len(waiting)
        self.kernel, self.buffer = b"", waiting

    def writeSomeData(self, data: bytes) -> int | Exception:
        if isinstance(self.takes, Exception):
            return self.takes
        self.kernel += data[: self.takes]
        return len(data[: self.takes])

    def write(self, data: bytes) -> None:
        self.buffer += data


def test_what_the_kernel_does_not_take_is_buffered_and_nothing_overtakes_it():
    roomy, narrow = Transport(takes=100), Transport(takes=3)
    busy, lost = Transport(takes=100, waiting=b"before "), Transport(takes=ConnectionError())
    for transport in (roomy, narrow, busy, lost):
        websocket_frames.write_now(transport, b"frame")
    assert (roomy.kernel, roomy.buffer) == (b"frame", b"")
    assert (narrow.kernel, narrow.buffer) == (b"fra", b"me")
    assert (busy.kernel, busy.buffer) == (b"", b"before frame")
    assert (lost.kernel, lost.buffer) == (b"", b"frame")  # Twisted finds the loss by itself
