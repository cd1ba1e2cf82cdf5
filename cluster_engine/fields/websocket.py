"""WebSocket, frame by frame (RFC 6455), with the channel that Kubernetes puts before each message.

    82 05 01 "ls\\r\\n"…       FIN, binary, 5 bytes: channel 1 stdout, data
    81 85 37 fa 21 3d …        FIN, text, masked with 37 fa 21 3d: what a client sends is, byte by byte

For exec and attach a message's first byte is its channel (apimachinery/pkg/util/remotecommand).
"""

from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.lens.websocket import CHANNELS

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}
LENGTH_16, LENGTH_64 = 126, 127
CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
}


def frames(data: bytes, *, has_channels: bool = False, begun: int = 0) -> tuple[Field, ...]:
    """Dissect what one side says on a WebSocket, of which the first `begun` bytes are the rest of an earlier frame.

    `has_channels`: each message begins with its channel.
    """

    def read(stretch: Stretch) -> None:
        if begun:
            stretch.take("websocket.continued", min(begun, len(stretch)))
        is_begun = False
        while stretch:
            is_begun = _frame(stretch, has_channel=has_channels and not is_begun, is_begun=is_begun)

    return dissected(data, read)


def _frame(stretch: Stretch, *, has_channel: bool, is_begun: bool) -> bool:
    """Read a frame; give whether its message goes on after it."""
    head = stretch.peek(14)
    if len(head) < 2:
        raise Unreadable("a frame ends early")
    first, second = head[0], head[1]
    opcode, is_masked, length = first & 0x0F, bool(second & 0x80), second & 0x7F
    extended = {LENGTH_16: 2, LENGTH_64: 8}.get(length, 0)
    if extended:
        length = int.from_bytes(head[2 : 2 + extended])
    size = 2 + extended + 4 * is_masked + length
    called = OPCODES.get(opcode, f"0x{opcode:x}")
    with stretch.within("websocket.frame", size, called) as frame:
        bits = [name for bit, name in ((0x80, "FIN"), (0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")) if first & bit]
        frame.take("websocket.opcode", 1, " ".join([*bits, f"{opcode} {called}"]))
        mask_shown = "MASK " if is_masked else ""
        frame.take("websocket.length", 1, f"{mask_shown}{second & 0x7F}")
        if extended:
            frame.number("websocket.extended_length", extended)
        key = frame.take("websocket.masking_key", 4) if is_masked else b""
        if frame:
            _payload(frame, opcode, key, has_channel=has_channel and opcode in (TEXT, BINARY))
    is_control = bool(opcode & 0x08)
    return is_begun if is_control else not first & 0x80


def _payload(frame: Stretch, opcode: int, key: bytes, *, has_channel: bool) -> None:
    plain = _unmasked(frame.peek(len(frame)), key)
    if opcode == CLOSE and len(plain) >= 2:
        code = int.from_bytes(plain[:2])
        frame.value = f"close {code}"
        frame.take("websocket.close_code", 2, f"{code} {CLOSE_CODES.get(code, '')}".rstrip())
        frame.take("websocket.close_reason", len(frame), plain[2:].decode("utf-8", "replace"))
        return
    if has_channel:
        channel = f"{plain[0]} {CHANNELS.get(plain[0], '')}".rstrip()
        frame.value += f", {channel}"
        frame.take("websocket.channel", 1, channel)
        plain = plain[1:]
    if frame:
        frame.take("websocket.payload", len(frame), plain[:1024].decode("utf-8", "replace"))


def _unmasked(data: bytes, key: bytes) -> bytes:
    """Undo the masking: each byte was combined with one of the key's four (RFC 6455 5.3)."""
    if not key or not data:
        return data
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(repeated)).to_bytes(len(data))
