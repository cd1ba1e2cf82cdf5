"""A cluster's journal as a file to take along: what each format is called, and how it comes, slice by slice.

The cluster's process writes (`cluster_engine.export`), and is asked for one slice after another, so that nothing of the
whole lies anywhere: the next is asked for when the browser has taken the last (`server.py`). What cannot be is said
before the file begins; what breaks later breaks the file off, so that the browser knows that it has not all of it.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import msgspec
from django.http import StreamingHttpResponse

from visualizer.hosting.messages import Export

FILES = {
    "html": ("html", "text/html; charset=utf-8"),
    "jsonl": ("jsonl", "application/jsonl"),
    "pcapng": ("pcapng", "application/x-pcapng"),
    "keylog": ("keys.log", "text/plain; charset=utf-8"),
    "mermaid": ("mmd", "text/vnd.mermaid"),
    "otlp": ("otlp.jsonl", "application/jsonl"),
    "audit": ("audit.log", "application/jsonl"),
}
"""By format: how the names of its files end, and their type."""


class Chosen(NamedTuple):
    """What somebody wants: a format, and of the journal entries from `first` to `last`, of one connection or all."""

    form: str
    first: int = 1
    last: int | None = None
    connection: int | None = None

    @property
    def file_name(self) -> str:
        """A name that says what it is."""
        parts = ["glassplane"]
        if self.connection is not None:
            parts.append(f"connection-{self.connection}")
        if self.first > 1 or self.last is not None:
            parts.append(f"{self.first}-{self.last or ''}".rstrip("-"))
        return f"{'-'.join(parts)}.{FILES[self.form][0]}"


class Slice(msgspec.Struct):
    """What a cluster answers (`cluster_engine.export.slices`)."""

    data: bytes
    ended: bool


_slice = msgspec.json.Decoder(Slice).decode
Ask = Callable[[Export], Awaitable[bytes]]


async def response(chosen: Chosen, language: str, ask: Ask, *, prints: bool) -> StreamingHttpResponse:
    """Answer with the file, which has what commands `prints` too where that is theirs to see.

    Whatever `ask` raises at the first slice is the caller's.
    """
    whole = Export(secrets.token_urlsafe(12), 0, *chosen, language, prints)
    first = _slice(await ask(whole))
    answer = StreamingHttpResponse(_slices(whole, first, ask), content_type=FILES[chosen.form][1])
    answer.headers["Content-Disposition"] = f'attachment; filename="{chosen.file_name}"'
    answer.headers["Content-Encoding"] = "identity"  # Django makes a gzip of each slice, and browsers read the first
    return answer


async def _slices(whole: Export, first: Slice, ask: Ask) -> AsyncIterator[bytes]:
    now, number = first, 0
    while True:
        if now.data:
            yield now.data
        if now.ended:
            return
        number += 1
        now = _slice(await ask(msgspec.structs.replace(whole, number=number)))
