"""A ClusterThread that only pretends: the same interface as `cluster_engine.thread`, and a journal that tests command.

Lines it knows: `echo TEXT`, `emit N` (N entries in one call), `trickle N` (in N calls), `wait` (until interrupted),
`break` (the command), `crash` (the cluster).
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClusterSpec:
    nodes: int = 2
    seed: int = 1
    pace: float | None = 1.0
    capture: bool = True


class ClusterThread:
    START_ENTRIES = 3

    def __init__(
        self,
        spec: ClusterSpec,
        *,
        on_entries: Callable[[list[dict[str, Any]]], None],
        on_clock: Callable[[dict[str, Any]], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self.journal: list[dict[str, Any]] = []
        self.time = {"now": 0.0, "pace": spec.pace, "paused": False}
        self._on_entries, self._on_clock, self._on_failure = on_entries, on_clock, on_failure
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"fake cluster {spec.seed}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _soon(self, work: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except Exception as problem:
                future.set_exception(problem)

        self._work.put(do)
        return future

    def _emit(self, count: int) -> None:
        start = len(self.journal) + 1
        entries = [
            {"seq": seq, "at": seq / 100, "layer": "story", "kind": "test", "label": f"entry {seq}"}
            for seq in range(start, start + count)
        ]
        self.journal += entries
        if entries:
            self._on_entries(entries)

    def _tick(self, **changes: Any) -> None:
        self.time |= changes
        self._on_clock(dict(self.time))

    def start(self) -> "Future[dict[str, Any]]":
        def work() -> dict[str, Any]:
            if self.spec.seed == 666:
                raise RuntimeError("this seed does not start")
            self._tick()
            self._emit(self.START_ENTRIES)
            return {"ready": True, "participants": []}

        return self._soon(work)

    def command(self, line: str, write: Callable[[str, str], None]) -> "Future[int]":
        future: Future[int] = Future()
        word, _, rest = line.partition(" ")

        def work() -> None:
            match word:
                case "echo":
                    write("stdout", rest + "\n")
                    self._emit(1)
                case "emit":
                    self._emit(int(rest))
                case "trickle":
                    for _ in range(int(rest)):
                        self._emit(1)
                case "wait":
                    write("stdout", "waiting\n")
                    return  # until it is cancelled
                case "break":
                    future.set_exception(RuntimeError("a bug"))
                    return
                case "crash":
                    self._on_failure("RuntimeError: a bug in the cluster itself")
                case _:
                    write("stderr", f"{word}: command not found\n")
                    future.set_result(127)
                    return
            future.set_result(0)

        self._work.put(work)
        return future

    def clock(self) -> "Future[dict[str, Any]]":
        return self._soon(lambda: dict(self.time))

    def pause(self) -> "Future[None]":
        return self._soon(lambda: self._tick(paused=True))

    def resume(self) -> "Future[None]":
        return self._soon(lambda: self._tick(paused=False))

    def set_pace(self, pace: float) -> "Future[None]":
        return self._soon(lambda: self._tick(pace=pace))

    def step(self) -> "Future[int]":
        def work() -> int:
            if not self.time["paused"]:
                raise ValueError("the cluster is not paused")
            self._emit(1)
            return len(self.journal)

        return self._soon(work)

    def detail(self, seq: int) -> "Future[dict[str, Any]]":
        def work() -> dict[str, Any]:
            if not 1 <= seq <= len(self.journal):
                raise KeyError(seq)
            return {"seq": seq, "headers": [], "body": {"type": "none", "text": "", "truncated": False}}

        return self._soon(work)

    def entries(self, since: int, limit: int) -> "Future[list[dict[str, Any]]]":
        return self._soon(lambda: self.journal[since : since + limit])

    def kubeconfig(self) -> "Future[str]":
        return self._soon(lambda: f"apiVersion: v1\nkind: Config\n# seed {self.spec.seed}\n")

    def stop(self) -> "Future[None]":
        future = self._soon(lambda: None)
        self._work.put(None)
        return future
