"""Somebody who works in another cluster while an attack goes on, and must not notice.

What is looked at: how long a typed line takes to come back, whether the journal comes without a gap and the socket
stays open, and whether the cluster lives the same life all the time. It is a process of its own, since the attacks keep
theirs busy.
"""

import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

from tests.visitor import Visitor

PAUSE_SECONDS = 0.5  # a cluster takes 2,000 lines at most: enough for a quarter of an hour
LINE_SECONDS = 60.0  # a line that takes longer is lost
FIGURES, OVER = "figures", "over"


class Bystander:
    """Types a line again and again."""

    def __init__(self, address: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, other = spawn.Pipe()
        spawn.Process(target=_work, args=(address, other), daemon=True).start()

    def figures(self) -> str:
        """Say how long its lines took since this was asked last."""
        return str(self._ask(FIGURES))

    def judge(self) -> list[str]:
        """Stop, and say what was noticed."""
        return list(self._ask(OVER))

    def _ask(self, what: str) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()


def _work(address: str, pipe: Connection) -> None:
    visitor, problems, times, number, asked = Visitor(address), list[str](), list[float](), 0, ""
    while asked != OVER:
        if not problems:
            number += 1
            printed = visitor.type(f"echo {number}", LINE_SECONDS)
            times.append(printed.seconds)
            if printed.text != f"{number}\n":
                problems.append(f"echo {number} printed {printed.text!r} in {printed.seconds:.0f} s")
        if pipe.poll(PAUSE_SECONDS):
            asked = pipe.recv()
            pipe.send(_figures(times) if asked == FIGURES else problems + _noticed(visitor))
            times.clear()


def _figures(times: list[float]) -> str:
    if not times:
        return "no line came back"
    half, most = (sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000 for share in (0.5, 0.99))
    return f"{len(times)} lines, p50 {half:.0f} ms, p99 {most:.0f} ms"


def _noticed(visitor: Visitor) -> list[str]:
    found = [f"its socket was closed: {one}" for one in visitor.closed]
    if visitor.seen != list(range(1, len(visitor.seen) + 1)):
        found.append("its journal has a gap")
    if visitor.life != 1 or visitor.ends:
        found.append(f"its cluster was ended: {visitor.ends}")
    return found + visitor.bugs
