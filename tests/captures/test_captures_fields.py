"""The real tshark finds the frames and headers in a run's HTTP/2 that our dissectors find."""

import shutil
import subprocess
import threading
from collections import Counter, defaultdict

import pytest

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Selection
from cluster_engine.fields import http2, stretch
from cluster_engine.fields.field import UNREADABLE, every
from cluster_engine.lens.http2 import Http2
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

BEYOND_ANY_BOUND = 10**8
VALUE_CHARS = 100
REPRESENTATIONS = {
    "hpack.indexed": "Indexed Header Field",
    "hpack.incremental": "Literal Header Field with Incremental Indexing",
    "hpack.never_indexed": "Literal Header Field never Indexed",
    "hpack.without_indexing": "Literal Header Field without Indexing",
}
TOGETHER = "\x01"


def play(file):
    """Write a run's capture; return what each side of each connection has said in HTTP/2, unix sockets left out."""
    loop = ClusterLoop(Clock())

    async def live():
        async with Cluster(ClusterSpec(nodes=1, pace=None), loop) as cluster:
            assert await cluster.command("kubectl create deployment web --image=nginx", lambda *_: None) == 0
            assert await cluster.command("kubectl rollout status deployment web", lambda *_: None) == 0
            assert await cluster.command("kubectl get pods -A -o yaml", lambda *_: None) == 0
            file.write_bytes(b"".join(FORMATS["pcapng"](cluster.journal, Selection(), Context(1_700_000_000 * 10**9))))
            return [bytes(said) for said in SAID.values()]

    try:
        return loop.run_until_complete(live())
    finally:
        loop.close()


SAID = defaultdict(bytearray)


@pytest.fixture
def listening(monkeypatch):
    """Have the lens' HTTP/2 note its plain bytes, and the dissectors read all of them at once.

    Other tests' clusters may live on in threads of their own.
    """
    read, here = Http2.data, threading.get_ident()

    def data(self, from_client, chunk, piece):
        conversation = self._conversation
        if threading.get_ident() == here and not conversation.server.id.endswith("containerd"):
            SAID[conversation.number, from_client] += chunk
        read(self, from_client, chunk, piece)

    SAID.clear()
    monkeypatch.setattr(Http2, "data", data)
    monkeypatch.setattr(stretch, "FIELDS_MAX", BEYOND_ANY_BOUND)
    monkeypatch.setattr(http2, "BLOCKS_MAX", BEYOND_ANY_BOUND)
    monkeypatch.setattr(http2, "FRAMES_FEW", BEYOND_ANY_BOUND)


def tshark(file, *names):
    command = [
        "tshark",
        "-r",
        str(file),
        "-Y",
        "http2",
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        f"aggregator={TOGETHER}",
    ]
    for name in names:
        command += ["-e", name]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        values = [one.split(TOGETHER) if one else [] for one in line.split("|", len(names) - 1)]
        yield from zip(*values, strict=True)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark to compare with")
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("listening")
def test_frames_and_headers_are_those_that_tshark_finds(tmp_path):
    file = tmp_path / "run.pcapng"
    fields = [field for said in play(file) for field in every(http2.frames(said))]
    assert UNREADABLE not in {field.name for field in fields}

    types = [field.value.partition(" ")[0] for field in fields if field.name == "http2.type"]
    lengths = [field.value for field in fields if field.name == "http2.length"]
    frames = Counter(zip(types, lengths, strict=True))
    assert frames == Counter(tshark(file, "http2.type", "http2.length"))
    assert frames.total() > 1000

    headers = Counter(field.value[:VALUE_CHARS] for field in fields if field.name in REPRESENTATIONS)
    found = tshark(file, "http2.header.name", "http2.header.value")
    assert headers == Counter(f"{name}: {value}"[:VALUE_CHARS] for name, value in found)

    kinds = Counter(REPRESENTATIONS[field.name] for field in fields if field.name in REPRESENTATIONS)
    assert kinds == Counter(kind.partition(" - ")[0] for (kind,) in tshark(file, "http2.header.repr"))
