"""A process of its own that has the journal of one recording open and answers questions about it.

    python -m visualizer.imports.answering FD KIND BEGAN_NS

It is asked on standard input and answers on standard output (`asking`), one after the other. The questions and their
answers are a running cluster's, made by the same code of the engine. What a file holds, anybody may have made: whatever
that does, it does to this process, which the kernel holds to so much CPU and memory. It knows no Django.
"""

import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from cluster_engine.export.selection import Context, date_of
from cluster_engine.export.slices import Exports
from cluster_engine.fields.opened import open_entry
from cluster_engine.journal import Journal
from cluster_engine.lens.searching import Search
from cluster_engine.state import State
from visualizer.hosting import messages
from visualizer.hosting.messages import Reply
from visualizer.imports.asking import LENGTH_BYTES, NOT_MADE, NOT_TOLD, Question, decode_question, encode, framed

CPU_SECONDS_MAX = 600
MEMORY_BYTES_MAX = 1024 * 1024 * 1024


class Recording:
    """A journal with what is asked of it."""

    def __init__(self, journal: Journal, kind: str, began_ns: int) -> None:
        self._journal, self._kind = journal, kind
        self._exports = Exports(journal, Context(began_ns))
        self._state = State(journal, date_of(began_ns), by_api_servers=True)

    def answer(self, question: Question) -> Any:
        """Answer a question. LookupError, ValueError: why that cannot be, in words."""
        match question:
            case messages.Detail(seq):
                return self._detail(seq)
            case messages.Export(format=form):
                self._look_for(form, NOT_MADE)
                return self._exports.answer(question)
            case messages.StateAt(view, at, args):
                self._look_for(view, NOT_TOLD)
                for _ in self._state.reading(view, at):
                    pass
                return self._state.answer(view, at, args)
            case messages.Search(texts, since):
                search = Search(self._journal, texts, since)
                for _ in search.reading():
                    pass
                return search.answer()

    def _look_for(self, what: str, absent: Mapping[str, Mapping[str, str]]) -> None:
        if (why := absent.get(self._kind, {}).get(what)) is not None:
            raise LookupError(why)

    def _detail(self, seq: int) -> Any:
        try:
            return open_entry(self._journal, seq)
        except KeyError:
            raise LookupError("There is no such entry any more.") from None


def replied(recording: Recording, question: bytes) -> Reply:
    """Answer a question as it came, or say why there is no answer."""
    try:
        return Reply(0, msgspec.json.encode(recording.answer(decode_question(question))))
    except (LookupError, ValueError) as problem:  # the engine's words for "no such entry" and "that cannot be"
        return Reply(0, refusal=str(problem.args[0]), missing=isinstance(problem, LookupError))
    except Exception:  # the outermost edge: of a recording one answer alone is missing
        traceback.print_exc()
        return Reply(0, refusal="This broke inside Glassplane; that is our mistake.")


def main(recording: Recording, asked: BinaryIO, out: BinaryIO) -> None:
    """Answer until nobody asks any more."""
    while length := asked.read(LENGTH_BYTES):
        out.write(framed(encode(replied(recording, asked.read(int.from_bytes(length))))))
        out.flush()


def bound() -> None:
    """Have the kernel hold this process to what a recording may cost."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


if __name__ == "__main__":
    bound()
    with os.fdopen(int(sys.argv[1]), "rb") as saved:
        opened = Journal.load(saved, Path(tempfile.gettempdir()))
    main(Recording(opened, sys.argv[2], int(sys.argv[3])), sys.stdin.buffer, sys.stdout.buffer)
