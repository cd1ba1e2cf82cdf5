"""Files that are written while a cluster lives: its journal as lines of JSON, its packets with the keys that open them,
and at its end the page with all of it.

with Files(Path("run.jsonl"), Path("run.pcapng")) as files:
    cluster = Cluster(spec, loop)
    files.begin(cluster.journal, cluster.world.epoch, cluster.cast.describe())
    async with cluster:
        …
"""

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cluster_engine.journal import Journal

if TYPE_CHECKING:
    from cluster_engine.export.selection import Said


class Files:
    """Opens what is wanted (OSError; ValueError where the page has not been built), and closes it at the end."""

    def __init__(
        self, journal: Path | None = None, pcapng: Path | None = None, html: Path | None = None, language: str = "en"
    ) -> None:
        self._language = language
        with contextlib.ExitStack() as opening:
            if html is not None:
                from cluster_engine.export.frame import frame

                frame(language)
            self._html = None if html is None else opening.enter_context(html.open("wb"))
            self._journal = None if journal is None else opening.enter_context(journal.open("wb", buffering=0))
            self._pcapng = None if pcapng is None else opening.enter_context(pcapng.open("wb"))
            self._open = opening.pop_all()

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def begin(
        self,
        journal: Journal | None,
        epoch: datetime,
        cast: dict[str, Any],
        said: Callable[[], "tuple[Said, ...]"] = tuple,
    ) -> None:
        """Write what comes from now on, until the journal is closed; the page only then: its newest stands first.

        `said` is asked at the end what was typed and printed.
        """
        if journal is None:
            return
        if self._journal is not None:
            from cluster_engine.export.jsonl import lines_into  # here and below, so that a cluster starts without it

            journal.subscribe(lines_into(self._journal, self._language))
        if self._pcapng is not None:
            from cluster_engine.export.pcapng import Recording
            from cluster_engine.export.selection import Context, nanoseconds_of

            Recording(journal, self._pcapng, Context(nanoseconds_of(epoch)))
        if (file := self._html) is not None:
            from cluster_engine.export.html import html
            from cluster_engine.export.selection import Context, Selection, nanoseconds_of

            def write() -> None:
                context = Context(nanoseconds_of(epoch), self._language, cast, said())
                file.writelines(html(journal, Selection(), context))

            journal.before_close(write)
