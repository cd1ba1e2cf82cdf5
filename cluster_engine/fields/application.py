"""What is spoken inside TLS, or in the clear: the one table from an entry's kind to the dissector of its bytes.

An entry was read from parts: the contents of TLS records, or the payloads of segments. They begin where its message
does, or before, and end behind it. Parts that follow each other in the stream are joined and dissected as one, so that
a frame or a message in two records is read whole; then its fields are laid back.

    application([Part(b"…HEADERS…DATA…")], Context("http.request", stream=1, …))   -> [(Field("http2.frame", …), …)]

Bounded: so many bytes of a stretch are dissected (DISSECTED_BYTES_MAX).
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from cluster_engine.fields import dns, http1, http2, icmp, websocket
from cluster_engine.fields.bodies import Context, body_of
from cluster_engine.fields.field import UNREADABLE, Field
from cluster_engine.fields.runs import laid
from cluster_engine.fields.stretch import Stretch, dissected

DISSECTED_BYTES_MAX = 256 * 1024
Fields = tuple[Field, ...]


class Part(NamedTuple):
    """Plain bytes of one record or segment: whether they `follow` the part before them without a gap, and how many of
    them at the front belong to a frame or chunk that was begun before.
    """

    data: bytes
    follows: bool = False
    begun: int = 0


def application(parts: Sequence[Part], context: Context) -> list[Fields]:
    """Dissect what an entry was read from; give each part its fields."""
    found: list[Fields] = []
    at = 0
    while at < len(parts):
        end = at + 1
        while end < len(parts) and parts[end].follows and parts[end - 1].data:
            end += 1
        found += _stretch(parts[at:end], context)
        at = end
    return found


def _stretch(parts: Sequence[Part], context: Context) -> list[Fields]:
    data = b"".join([part.data for part in parts])
    fields = dissect(data[:DISSECTED_BYTES_MAX], context, parts[0].begun)
    if len(data) > DISSECTED_BYTES_MAX:
        reason = f"more than {DISSECTED_BYTES_MAX} bytes"
        fields = (*fields, Field(UNREADABLE, DISSECTED_BYTES_MAX, len(data), reason))
    return laid(fields, [(0, len(part.data)) for part in parts])


def dissect(data: bytes, context: Context, begun: int = 0) -> Fields:
    """Dissect one stretch of plain bytes, of which the first `begun` are the rest of an earlier frame or chunk."""
    if not data:
        return ()
    if context.family == "dns":
        return dns.message(data)
    if context.family == "icmp":
        return icmp.message(data)
    if context.family == "h2" or context.stream is not None:
        has_trailers = context.kind.endswith(".response")
        own = http2.Own(context.stream, context.headers, has_trailers, body_of(context))
        return http2.frames(data, own, begun)
    if context.family == "websocket" or (context.family == "watch" and _is_frame(data[begun:])):
        messages = partial(websocket.frames, has_channels="type" in context.fields and context.family == "websocket")
        if data.startswith(b"HTTP/"):
            return http1.messages(data, upgraded=messages)
        return messages(data, begun=begun)
    if context.family in ("http", "watch", "raft"):
        return http1.messages(data, body_of(context), websocket.frames, begun)
    return dissected(data, _unknown)


def _is_frame(data: bytes) -> bool:
    """Tell a WebSocket's frame, as a watch may be sent, from a head or a chunk's size, which are text."""
    return data[:1] >= b"\x80" or b"" < data[:1] < b"\x09"


def _unknown(stretch: Stretch) -> None:
    stretch.take("any.payload", len(stretch))
