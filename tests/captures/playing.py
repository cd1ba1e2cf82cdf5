"""One lesson, played with a recorder beside the lens; its capture, read by tshark, against its journal."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster
from tests.captures.facts import Fact, differences
from tests.captures.journal_facts import journal_facts
from tests.captures.recording import Recorder
from tests.captures.tshark_facts import read, tshark_facts
from visualizer.lessons import library
from visualizer.lessons.check_play import Trial, play_as_meant


@dataclass(slots=True)
class Run:
    """A lesson's run until its cluster has ended: all entries, what tshark has read, what went wrong in playing."""

    path: str
    frames: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def problems(self) -> list[str]:
        """Return what went wrong, and what differs."""
        return [*self.errors, *differences(self.facts, journal_facts(self.entries))]

    def __str__(self) -> str:
        return f"{self.path:<50} {self.frames:6} frames {len(self.facts):6} facts {self.seconds:6.2f} s of CPU"


def run(path: str, folder: Path) -> Run:
    """Play a lesson as it ought to go; `folder` gets its capture and its keys, of which tshark reads."""
    began = time.process_time()
    recorders: list[Recorder] = []
    done = Run(path)

    def listen(cluster: Cluster) -> None:
        tap, journal = cluster.world.network.tap, cluster.journal
        assert tap is not None
        assert journal is not None
        recorders.append(Recorder(tap))
        cluster.world.network.tap = recorders[-1]
        journal.subscribe(done.entries.append)

    trial = Trial(library.read(path), before=listen)
    play_as_meant(trial)
    (recorder,) = recorders
    slug = path.rpartition("/")[2]
    file, keys = folder / f"{slug}.pcap", folder / f"{slug}.keys"
    recorder.write(file, keys)
    done.errors = [str(error) for error in trial.errors]
    done.frames = len(recorder.connections)
    done.facts = tshark_facts(read(file, keys), recorder.connections)
    done.seconds = time.process_time() - began
    return done
