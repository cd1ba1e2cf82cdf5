"""Real programs speak on this machine's loopback; dumpcap records them, and tshark and our import read the capture.

dumpcap writes to a pipe: its header says that it listens, and it has written everything down once it has written a
datagram that is sent last. So nobody waits for time to pass.

    dumpcap  ── header ─────────▶  the programs speak
             ── …, last word ───▶  the capture is whole, whatever its connections have still to say
"""

import contextlib
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cluster_engine.journal import Journal
from cluster_engine.recordings.story import read
from tests.captures import grpc_messages, tshark_facts
from tests.captures.facts import Fact, differences
from tests.captures.journal_facts import Entry, journal_facts

HOST = "127.0.0.1"
PIECE_BYTES = 65_536
ENTRIES_MAX = 10_000
BUFFER_MEBIBYTES = 32
"""What the kernel keeps for dumpcap while that does not run; the rest is lost."""


class RecordingError(Exception):
    """There is no dumpcap, or it may not listen here."""


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """Keep a port free during the block for who listens there (with SO_REUSEADDR): the kernel gives it to nobody."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind((HOST, 0))
        yield int(keeper.getsockname()[1])


@contextlib.contextmanager
def serving(command: list[str], folder: Path, ready: bytes) -> Iterator[None]:
    """Run a server during the block, which begins once it has written a line with `ready` in it."""
    with (
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server,
        ThreadPoolExecutor(1) as reader,
    ):
        assert server.stdout is not None
        try:
            said = b"".join(_until(server.stdout, ready))
            assert ready in said, said.decode(errors="replace")
            reader.submit(server.stdout.read)  # a pipe that is full would hold it up
            yield
        finally:
            server.terminate()


def _until(lines: Iterator[bytes], wanted: bytes) -> Iterator[bytes]:
    for line in lines:
        yield line
        if wanted in line:
            return


def record(port: int, speak: Callable[[], None]) -> bytes:
    """Return what crosses the loopback to and from a port while `speak` runs, as dumpcap writes it: pcapng."""
    if shutil.which("dumpcap") is None:
        raise RecordingError("there is no dumpcap here")
    last_word = secrets.token_bytes(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind((HOST, 0))
        wanted = f"tcp port {port} or udp port {nobody.getsockname()[1]}"
        line = ["dumpcap", "-q", "-i", "lo", "-B", str(BUFFER_MEBIBYTES), "-f", wanted, "-w", "-"]
        with (
            subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0) as recorder,
            ThreadPoolExecutor(1) as reader,
        ):
            assert recorder.stdout is not None
            try:
                header = recorder.stdout.read(PIECE_BYTES)
                if not header:
                    raise RecordingError("dumpcap may not listen here")
                rest = reader.submit(_read_until, recorder.stdout, last_word)
                speak()
                nobody.sendto(last_word, nobody.getsockname())
                return bytes(header + rest.result())
            finally:
                recorder.terminate()


def _read_until(pipe: IO[bytes], last_word: bytes) -> bytearray:
    """Read what is written: a pipe that is full holds dumpcap up, and the kernel then drops what it cannot keep."""
    capture = bytearray()
    while last_word not in capture and (piece := pipe.read(PIECE_BYTES)):
        capture += piece
    return capture


@dataclass(frozen=True, slots=True)
class Compared:
    """A capture, read by both. `differences` has a line for each."""

    entries: list[Entry]
    problems: list[str]
    facts: list[Fact]
    differences: list[str]

    def said(self, name: str) -> list[str]:
        """Return what tshark has read in all threads of a name: `tls`, `stream`, …; in its order."""
        return [fact.said for fact in self.facts if fact.thread.name.partition(" ")[0] == name]


def compare(capture: bytes, keys: str, port: int, folder: Path, *, is_http2: bool = False) -> Compared:
    """Read a capture by tshark and by our import, with the same keys; `is_http2`: it is, without TLS, at that port."""
    file, log = folder / "run.pcapng", folder / "run.keys"
    file.write_bytes(capture)
    log.write_text(keys)
    journal = Journal()
    story = read(capture, keys, journal)
    more = ["-o", f"tls.keylog_file:{log}", *(["-d", f"tcp.port=={port},http2"] if is_http2 else [])]
    frames = tshark_facts.read(file, *more, shown="grpc")
    connections = [_whose(frame, port) for frame in frames]
    theirs = tshark_facts.tshark_facts(frames, connections) + list(grpc_messages.of_tshark(frames, connections))
    entries = journal.since(0, ENTRIES_MAX)
    ours = [*journal_facts(entries), *grpc_messages.of_journal(journal, entries)]
    return Compared(entries, story.problems, theirs, list(differences(theirs, ours)))


def _whose(frame: tshark_facts.Pairs, port: int) -> tuple[int, bool]:
    """Say of which connection a frame is, counted from 1, and whether its client has sent it."""
    tcp = dict(dict(frame).get("tcp", []))
    return (int(tcp["tcp.stream"]) + 1, int(tcp["tcp.dstport"]) == port) if tcp else (0, False)
