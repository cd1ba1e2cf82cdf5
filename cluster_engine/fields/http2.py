"""HTTP/2, frame by frame (RFC 9113), with what its frames carry: header blocks (`hpack`) and a stream's body.

A header block may go on in CONTINUATION frames, and a body lies in the DATA frames of its stream, with others' between
them. Both are joined, dissected as one and laid back (`runs`).

    00 00 05  01  05  00 00 00 01  82 86 84 41 8a        length 5, HEADERS, END_STREAM|END_HEADERS, stream 1
    │length   │type│flags│stream   │header block
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cluster_engine.fields.field import Field
from cluster_engine.fields.hpack import Blocks, Header
from cluster_engine.fields.runs import Run, joined, laid
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.header_compression import LEFT_OUT
from cluster_engine.lens.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ERRORS,
    FRAME_HEADER_BYTES,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITIZED,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTING_NAMES,
    SETTINGS,
    WINDOW_UPDATE,
)
from cluster_engine.lens.recognition import PREFACE

Body = Callable[[bytes], tuple[Field, ...]]
"""Dissects the body of the stream that is of interest, as far as it is here."""

TYPES = {
    DATA: "DATA",
    HEADERS: "HEADERS",
    PRIORITY: "PRIORITY",
    RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS",
    PUSH_PROMISE: "PUSH_PROMISE",
    PING: "PING",
    GOAWAY: "GOAWAY",
    WINDOW_UPDATE: "WINDOW_UPDATE",
    CONTINUATION: "CONTINUATION",
}
FLAGS = {
    DATA: {END_STREAM: "END_STREAM", PADDED: "PADDED"},
    HEADERS: {END_STREAM: "END_STREAM", END_HEADERS: "END_HEADERS", PADDED: "PADDED", PRIORITIZED: "PRIORITY"},
    SETTINGS: {ACK: "ACK"},
    PUSH_PROMISE: {END_HEADERS: "END_HEADERS", PADDED: "PADDED"},
    PING: {ACK: "ACK"},
    CONTINUATION: {END_HEADERS: "END_HEADERS"},
}
ERROR_NAMES = dict(enumerate(ERRORS))
STREAM_MASK = 0x7FFFFFFF
RUNS_MAX = 256
"""A body in more frames than that is not taken apart."""
BLOCKS_MAX = 400
"""So many header blocks are read: what later ones refer to is no longer known."""
FRAMES_FEW = 24
"""Where there are more, only the stream's own header blocks are taken apart, so that these have room."""


class Frame(NamedTuple):
    """Where a frame is, and where what it is there for begins and ends, behind its padding and priority."""

    kind: int
    flags: int
    stream: int
    at: int
    begin: int
    end: int


class Own(NamedTuple):
    """The stream that is of interest: its number, its headers as they were decoded (`has_trailers`: with what stood
    behind the body, if anything did), and what dissects its body.
    """

    stream: int | None = None
    headers: Sequence[Header] = ()
    has_trailers: bool = False
    body: Body | None = None


NOBODY = Own()


def frames(data: bytes, own: Own = NOBODY, begun: int = 0) -> tuple[Field, ...]:
    """Dissect what one side says on a connection, of which the first `begun` bytes are the rest of an earlier frame."""
    layout = list(_layout(data, begun))
    placed = _headers(data, layout, own)
    placed.update(_body(data, layout, own))

    def read(stretch: Stretch) -> None:
        if begun:
            stretch.take("http2.continued", min(begun, len(stretch)))
        if stretch.peek(len(PREFACE)) == PREFACE:
            stretch.text("http2.preface", len(PREFACE))
        for frame in layout:
            is_own = own.stream is None or frame.stream == own.stream
            _frame(stretch, frame, placed, is_own=is_own)
        if stretch:
            stretch.take("http2.cut", len(stretch))

    return dissected(data, read)


def _layout(data: bytes, begun: int) -> Iterator[Frame]:
    at = begun + (len(PREFACE) if data.startswith(PREFACE, begun) else 0)
    while len(data) - at >= FRAME_HEADER_BYTES:
        start = at + FRAME_HEADER_BYTES
        after = start + int.from_bytes(data[at : at + 3])
        kind, flags = data[at + 3], data[at + 4]
        begin, end = start, min(after, len(data))
        if flags & PADDED and kind in (DATA, HEADERS, PUSH_PROMISE) and begin < end:
            end = min(end, max(after - data[begin], begin + 1))
            begin += 1
        if kind == HEADERS and flags & PRIORITIZED:
            begin = min(begin + 5, end)
        elif kind == PUSH_PROMISE:
            begin = min(begin + 4, end)
        yield Frame(kind, flags, int.from_bytes(data[at + 5 : start]) & STREAM_MASK, at, begin, end)
        at = after


Placed = dict[int, tuple[Field, ...]]
"""Fields that were found in joined runs, by where their run begins."""


def _headers(data: bytes, layout: Sequence[Frame], own: Own) -> Placed:
    blocks = Blocks()
    is_short = len(layout) <= FRAMES_FEW
    placed: Placed = {}
    begun: list[Frame] = []
    blocks_left = BLOCKS_MAX
    for frame in layout:
        if frame.kind in (HEADERS, PUSH_PROMISE):
            begun = []
        elif frame.kind != CONTINUATION or not begun:
            continue
        if len(begun) < RUNS_MAX:
            begun.append(frame)
        if frame.flags & END_HEADERS:
            if not blocks_left:
                break
            blocks_left -= 1
            runs = [(one.begin, one.end) for one in begun]
            block = joined(data, runs)
            is_own = begun[0].kind == HEADERS and frame.stream == own.stream
            known = _known(blocks, block, own, begun[0]) if is_own else ()
            found = _laid(blocks.dissect(block, known), runs)
            if is_own or is_short:
                placed.update(found)
            begun = []
    return placed


def _known(blocks: Blocks, block: bytes, own: Own, frame: Frame) -> Sequence[Header]:
    """Return which of the stream's headers are in this block: the first, or, where the stream ends, the last."""
    if not frame.flags & END_STREAM:
        return own.headers
    count = blocks.count(block)
    if count == len(own.headers):
        return own.headers
    is_whole = not own.headers or own.headers[-1][0] != LEFT_OUT
    return own.headers[-count:] if own.has_trailers and count and is_whole else ()


def _body(data: bytes, layout: Sequence[Frame], own: Own) -> Placed:
    is_own = (one for one in layout if one.kind == DATA and one.stream == own.stream and one.end > one.begin)
    runs = [(one.begin, one.end) for one in is_own]
    if own.body is None or not runs or len(runs) > RUNS_MAX:
        return {}
    return _laid(own.body(joined(data, runs)), runs)


def _laid(fields: Sequence[Field], runs: Sequence[Run]) -> Placed:
    return {begin: found for (begin, _), found in zip(runs, laid(fields, runs), strict=True) if found}


def _frame(stretch: Stretch, frame: Frame, placed: Placed, *, is_own: bool) -> None:
    length = int.from_bytes(stretch.peek(3))
    called = TYPES.get(frame.kind, f"0x{frame.kind:02x}")
    value = f"{called} stream={frame.stream}"
    name = "http2.frame" if is_own else "http2.other_frame"
    with stretch.within(name, FRAME_HEADER_BYTES + length, value) as inside:
        inside.number("http2.length", 3)
        inside.number("http2.type", 1, TYPES)
        names = [name for bit, name in FLAGS.get(frame.kind, {}).items() if frame.flags & bit]
        inside.take("http2.flags", 1, " ".join([f"0x{frame.flags:02x}", *names]))
        inside.take("http2.stream", 4, str(frame.stream))
        _payload(inside, frame, placed)


def _payload(inside: Stretch, frame: Frame, placed: Placed) -> None:
    if frame.kind in (DATA, HEADERS, PUSH_PROMISE):
        _carrier(inside, frame, placed)
    elif frame.kind == CONTINUATION:
        _carried(inside, "http2.header_block", frame, placed)
    elif frame.kind == SETTINGS:
        while inside:
            with inside.within("http2.setting", 6) as setting:
                key, value = int.from_bytes(setting.peek(2)), int.from_bytes(setting.peek(6)[2:])
                setting.value = f"{SETTING_NAMES.get(key, key)} = {value}"
                setting.number("http2.setting.id", 2, SETTING_NAMES)
                setting.number("http2.setting.value", 4)
    elif frame.kind == PRIORITY:
        _priority(inside)
    elif frame.kind == RST_STREAM:
        inside.number("http2.error", 4, ERROR_NAMES)
    elif frame.kind == PING:
        inside.take("http2.ping", 8)
    elif frame.kind == GOAWAY:
        inside.take("http2.last_stream", 4, str(int.from_bytes(inside.peek(4)) & STREAM_MASK))
        inside.number("http2.error", 4, ERROR_NAMES)
        inside.text("http2.debug", len(inside))
    elif frame.kind == WINDOW_UPDATE:
        inside.take("http2.window_increment", 4, str(int.from_bytes(inside.peek(4)) & STREAM_MASK))
    elif inside:
        inside.take("http2.payload", len(inside))


def _carrier(inside: Stretch, frame: Frame, placed: Placed) -> None:
    """Read a frame of which a part may be padding."""
    if frame.flags & PADDED:
        inside.number("http2.pad_length", 1)
    if frame.kind == HEADERS and frame.flags & PRIORITIZED:
        _priority(inside)
    elif frame.kind == PUSH_PROMISE:
        inside.take("http2.promised_stream", 4, str(int.from_bytes(inside.peek(4)) & STREAM_MASK))
    _carried(inside, "http2.data" if frame.kind == DATA else "http2.header_block", frame, placed)
    if inside:
        inside.take("http2.padding", len(inside))


def _carried(inside: Stretch, name: str, frame: Frame, placed: Placed) -> None:
    found = placed.get(frame.begin)
    length = frame.end - inside.at
    if found is None or length <= 0:
        inside.take(name, max(length, 0))
        return
    with inside.within(name, length) as carried:
        carried.adopt(found)


def _priority(inside: Stretch) -> None:
    word = int.from_bytes(inside.peek(4))
    exclusive = " exclusive" if word & ~STREAM_MASK else ""
    inside.take("http2.dependency", 4, f"{word & STREAM_MASK}{exclusive}")
    inside.take("http2.weight", 1, str(inside.peek(1)[0] + 1 if inside else 0))
