"""A process of its own that reads one file, hostile or heavy: whatever that does, it does to itself.

    python -m visualizer.imports.reader FILE KEYS SAVED         a `Said` a line, as JSON, on standard output

At its end the journal that the file was read into is saved in SAVED, with the bytes that its entries were read from.
Bounded by the kernel in CPU and memory, and by itself, somewhat earlier, in CPU, time and entries; what came before a
bound is said and saved, and that there was one. It knows no Django.
"""

import os
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from cluster_engine.journal import Journal
from cluster_engine.recordings.capture_files import CaptureError
from cluster_engine.recordings.story import Story, read

READING_CPU_SECONDS_MAX, READING_SECONDS_MAX = 75, 150
CPU_SECONDS_MAX = 90
MEMORY_BYTES_MAX = 1536 * 1024 * 1024
ENTRIES_MAX = 50_000
JOURNAL_BYTES_MAX = 192 * 1024 * 1024
"""Packets, and what was read in them. The oldest go first, as in a cluster's journal; their entries stay."""
BATCH_ENTRIES, BATCH_BYTES = 200, 1024 * 1024

_encode = msgspec.json.Encoder().encode


class Said(msgspec.Struct, omit_defaults=True):
    """What is said of a file: how much of it is read; entries from `first` on; what kind of file it is and when its
    story begins; what was not read; why nothing was.
    """

    read: float | None = None
    first: int = 0
    entries: list[msgspec.Raw] = []
    kind: str = ""
    began_ns: int = 0
    problems: list[str] | None = None
    refused: str = ""


class Enough(Exception):  # noqa: N818
    """A bound is reached; the text says which."""


class Writer:
    """Says a journal's entries in batches."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._now = Said()
        self._bytes = 0
        self._began, self._cpu_began = time.monotonic(), time.process_time()

    def take(self, entry: dict[str, Any]) -> None:
        """Called with each entry. Raise `Enough`."""
        if entry["seq"] > ENTRIES_MAX:
            raise Enough(f"only the first {ENTRIES_MAX} messages are kept")
        self._look_at_the_clock()
        if not self._now.entries:
            self._now.first = entry["seq"]
        line = _encode(entry)
        self._now.entries.append(msgspec.Raw(line))
        self._bytes += len(line)
        if len(self._now.entries) >= BATCH_ENTRIES or self._bytes >= BATCH_BYTES:
            self.flush()

    def progress(self, part: float) -> None:
        """Say how much is read. Raise `Enough`."""
        self.say(Said(read=part))
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        seconds, cpu_seconds = time.monotonic() - self._began, time.process_time() - self._cpu_began
        if cpu_seconds > READING_CPU_SECONDS_MAX or seconds > READING_SECONDS_MAX:
            raise Enough("the rest took too long")

    def flush(self) -> None:
        """Say what has come."""
        if self._now.entries:
            self.say(self._now)
            self._now, self._bytes = Said(), 0

    def say(self, said: Said) -> None:
        """Say something else."""
        self._out.write(_encode(said) + b"\n")
        self._out.flush()


def main(file: Path, keys: Path, saved: Path, out: BinaryIO) -> None:
    """Read a file and say what is in it."""
    journal = Journal(Path(tempfile.gettempdir()), bytes_max=JOURNAL_BYTES_MAX)
    writer, story, problems = Writer(out), Story(), list[str]()
    journal.subscribe(writer.take)
    try:
        read(file.read_bytes(), keys.read_bytes().decode("ascii", "replace"), journal, writer.progress, story)
    except CaptureError as problem:
        writer.say(Said(refused=str(problem)))
        return
    except Enough as bound:
        problems.append(str(bound))
    except MemoryError:
        problems.append("the rest needs more memory than there is for a file")
    except Exception:  # the outermost edge: what came before it is kept
        traceback.print_exc()
        problems.append("the rest broke inside Glassplane; that is our mistake")
    writer.flush()
    if journal.first > 1:
        problems.append(f"bodies and bytes are kept from message {journal.first} on")
    with saved.open("wb") as whole:
        journal.save(whole)
    writer.say(Said(read=1.0, kind=story.kind, began_ns=story.began_ns, problems=[*story.problems, *problems]))
    journal.close()


def bound() -> None:
    """Have the kernel hold this process to what a file may cost."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    os.nice(5)


if __name__ == "__main__":
    bound()
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.stdout.buffer)
