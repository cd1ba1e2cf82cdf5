"""A ClusterThread that only pretends: the same interface as `cluster_engine.thread`, and a journal that tests command.

Lines it knows: `echo TEXT`, `emit N` (N entries in one call), `trickle N` (in N calls), `wait` (until interrupted),
`crash` (the cluster), `outside` (an entry of a client from outside); and, for who runs it in a
process of its own, `hang` (for ever, and the thread with it), `fault` (a segmentation fault), `swell MIB` (memory that
is kept), `chance` (what several sources of chance give), `log NAME` (a remark of that logger).

Its time is its journal: entry 12 is of 0.12 s, and time passes by entries. So a replay, which leaps to the times of
inputs, makes the entries that were made then, and, asked for a seed from 700 to 799, others.
"""

import asyncio
import ctypes
import inspect
import logging
import os
import random
import secrets
import ssl
import threading
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from cluster_engine import deeds
from cluster_engine.cast import Cast, Role, cast, worker
from cluster_engine.faults import Fault, write
from cluster_engine.journal import Journal
from cluster_engine.run import ReplayDiffersError, Run


@dataclass(frozen=True)
class ClusterSpec:
    nodes: int = 2
    seed: int = 1
    pace: float | None = 1.0
    capture: bool = True
    epoch: datetime | None = None
    gateway_names: tuple[str, ...] = ()
    effort: float = 0.0
    system_pods: bool = False
    secret: bytes = b""
    etcd_members: int = 1
    audit: bool = False
    key_lab: bool = False


@dataclass
class FakeCluster:
    """What inputs are performed on."""

    thread: "ClusterThread"
    loop: asyncio.AbstractEventLoop
    journal: Journal = field(default_factory=lambda: Journal(bytes_max=2**30))
    clock: Any = field(default_factory=lambda: SimpleNamespace(before_waiting=[], now=0.0))
    revision: int = 0
    active: dict[str, Fault] = field(default_factory=dict)
    injected: int = 0
    machines_added: int = 0

    @property
    def faults(self) -> list[Any]:
        return [SimpleNamespace(id=one, record=record) for one, record in self.active.items()]

    @property
    def cast(self) -> Cast:
        spec = self.thread.spec
        made = cast(spec.nodes, system_pods=spec.system_pods, etcd_members=spec.etcd_members)
        for number in range(self.machines_added):
            made = made.with_worker(worker(spec.nodes + 1 + number))
        return made

    def inject(self, record: Fault, *, sealed: bool = False) -> str:
        record.check(self)  # type: ignore[arg-type]
        self.injected += 1
        name = f"fault-{self.injected}"
        self.active[name] = record
        fields = {"sealed": True} if sealed else write(record)
        self.loop.call_soon(lambda: self.thread.emit(1, kind="fault.started", fields={"id": name, **fields}))
        return name

    async def heal(self, name: str) -> None:
        del self.active[name]
        self.thread.emit(1, kind="fault.ended", fields={"id": name})

    async def heal_all(self) -> None:
        for name in list(self.active):
            await self.heal(name)

    def terminal(self) -> Any:
        """What lines are typed into; it never goes anywhere."""
        return SimpleNamespace(prompt="fake:~$", jobs=SimpleNamespace(printing=lambda _: []))

    async def command(self, line: str, write: Callable[[str, str], None], **_: Any) -> int:
        word, _, rest = line.partition(" ")
        match word:
            case "echo":
                write("stdout", rest + "\n")
                self.thread.emit(1, label=rest)
            case "machines":
                self.machines_added += 1
            case "emit":
                self.thread.emit(int(rest))
            case "trickle":
                for _ in range(int(rest)):
                    self.thread.emit(1)
            case "wait":
                write("stdout", "waiting\n")
                await self.loop.create_future()  # until it is cancelled
            case "hang":
                while True:
                    pass
            case "fault":
                ctypes.string_at(0)
            case "swell":
                try:
                    self.swollen = b"x" * (int(rest) * 2**20)
                except MemoryError:  # as programs do (cluster_engine/programs/running.py)
                    write("stderr", "Killed\n")
                    return 137
            case "litter":  # mebibytes that nobody refers to but they themselves
                for _ in range(int(rest) * 16):
                    circle: list[Any] = [b"x" * 2**16]
                    circle.append(circle)
            case "chance":
                write("stdout", " ".join(chance()) + "\n")
            case "log":
                logging.getLogger(rest).info("a remark")
                logging.getLogger(rest).warning("a warning of %s", rest)
            case "crash":
                self.thread.on_failure(RuntimeError("a bug in the cluster itself"))
            case "outside":
                self.thread.emit(1, **{"from": "outside/client"})
            case _:
                write("stderr", f"{word}: command not found\n")
                return 127
        return 0


def chance() -> list[str]:
    """What no two processes may have in common."""
    key = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return [
        os.urandom(16).hex(),
        secrets.token_hex(),
        ssl.RAND_bytes(16).hex(),
        hex(key),
        str(random.random()),
        str(uuid.uuid4()),
    ]


class ClusterThread:
    START_ENTRIES = 3

    def __init__(
        self,
        spec: ClusterSpec,
        *,
        on_entries: Callable[[list[dict[str, Any]]], None],
        on_clock: Callable[[dict[str, Any]], None],
        on_failure: Callable[[BaseException], None],
        run: Run | None = None,
    ) -> None:
        self.spec = spec
        self.time = {"now": 0.0, "pace": spec.pace, "paused": False}
        self.on_failure = on_failure
        self._on_entries, self._on_clock = on_entries, on_clock
        self._run = run or Run()
        self._loop = asyncio.new_event_loop()
        self._turns = asyncio.Lock()
        self._exports: Any = None
        self.cluster = FakeCluster(self, self._loop)
        self._thread = threading.Thread(target=self._live, name=f"fake cluster {spec.seed}", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _in_turn(self, do: Callable[[], Any]) -> "Future[Any]":
        async def turn() -> Any:
            async with self._turns:
                answer = do()
                return await answer if inspect.isawaitable(answer) else answer

        return self._ask(turn())

    def _ask(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        if self._loop.is_closed():
            work.close()
            refused: Future[Any] = Future()
            refused.set_exception(RuntimeError("the cluster is not running"))
            return refused
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # Time and entries -----------------------------------------------------------------------------------------------

    def emit(self, count: int, **fields: Any) -> None:
        """Make entries; time passes with them."""
        entries = []
        for _ in range(count):
            seq = self.cluster.journal.head + 1
            usual = {"layer": "story", "kind": "test", "from": "fake", "to": None, "label": f"entry {seq}"}
            if 700 <= self.spec.seed < 800 and self._run.past:
                usual["label"] = "another entry"
            entry = {"seq": seq, "at": seq / 100, "arrived": seq / 100, **usual, "fields": {}, **fields}
            self.cluster.clock.now = self.time["now"] = seq / 100
            self.cluster.journal.append(entry)
            entries.append(entry)
        if entries:
            self._on_entries(entries)
        for hook in self.cluster.clock.before_waiting:
            hook()

    def _leap(self, at: float) -> None:
        if self.time["now"] > at:
            raise ReplayDiffersError(f"{at} is over")
        self.emit(round(at * 100) - self.cluster.journal.head)

    def _tick(self, **changes: Any) -> None:
        self.time |= changes
        self._on_clock(dict(self.time))

    # Life -----------------------------------------------------------------------------------------------------------

    def start(self) -> "Future[dict[str, Any]]":
        return self._in_turn(self._start)

    async def _start(self) -> dict[str, Any]:
        if self.spec.seed == 666:
            raise RuntimeError("this seed does not start")
        self._tick()
        self.emit(self.START_ENTRIES)
        await self._begin(self._run)
        return {"now": self.time["now"], "head": self.cluster.journal.head}

    async def _begin(self, run: Run) -> None:
        run.enter(self.cluster)  # type: ignore[arg-type]
        await run.play_start()
        for one in run.past:
            self._leap(one.at)
            self._take(one.act)
            for _ in range(5):
                await asyncio.sleep(0)
        if run.until:
            self._leap(run.until)
            self._tick(paused=run.paused)
        run.replayed()

    def put(self, deed: deeds.Deed) -> "Future[Any]":
        return self._in_turn(lambda: self._drive(deed) if isinstance(deed, deeds.Drive) else self._take(deed))

    def _take(self, act: deeds.Act) -> Any:
        doing = self._run.take(act)
        return self._loop.create_task(doing) if inspect.iscoroutine(doing) else doing

    def _drive(self, drive: deeds.Drive) -> Any:
        match drive:
            case deeds.Pace(pace):
                self._tick(pace=pace)
            case deeds.Pause():
                self._tick(paused=True)
            case deeds.Resume():
                self._tick(paused=False)
            case deeds.Step():
                if not self.time["paused"]:
                    raise ValueError("the cluster is not paused")
                self.emit(1)
                return {"seq": self.cluster.journal.head}
        return {}

    def stop(self) -> "Future[None]":
        async def stop() -> None:
            self._loop.call_soon(self._loop.stop)

        return self._ask(stop())

    # What may be asked ----------------------------------------------------------------------------------------------

    def ping(self) -> "Future[None]":
        come: Future[None] = Future()
        self._loop.call_soon_threadsafe(come.set_result, None)
        return come

    def clock(self) -> "Future[dict[str, Any]]":
        return self._in_turn(lambda: dict(self.time))

    def detail(self, seq: int) -> "Future[dict[str, Any]]":
        def work() -> dict[str, Any]:
            if not 1 <= seq <= self.cluster.journal.head:
                raise KeyError(seq)
            return {"seq": seq, "headers": [], "body": {"type": "none", "text": "", "truncated": False}}

        return self._in_turn(work)

    def entries(self, since: int, limit: int) -> "Future[list[dict[str, Any]]]":
        return self._in_turn(lambda: self.cluster.journal.since(since, limit))

    def state(self, view: str, at: int, args: dict[str, str]) -> "Future[dict[str, Any]]":
        from cluster_engine.state import State

        return self._in_turn(
            lambda: State(self.cluster.journal, datetime(2026, 1, 1, tzinfo=UTC)).answer(view, at, args)
        )

    def search(self, texts: list[str], since: int) -> "Future[dict[str, Any]]":
        from cluster_engine.lens.searching import Search

        search = Search(self.cluster.journal, texts, since)
        return self._in_turn(lambda: (list(search.reading()), search.answer())[1])

    def export(self, ask: Any, said: Any = ()) -> "Future[Any]":
        from cluster_engine.export.slices import Exports

        if self._exports is None:
            self._exports = Exports(self.cluster.journal)
        exports = self._exports
        return self._in_turn(lambda: exports.answer(ask, said))

    def workers(self) -> "Future[list[str]]":
        return self._in_turn(lambda: [host.name for host in self.cluster.cast.of_role(Role.WORKER)])

    def kubeconfig(self, name: str) -> "Future[str]":
        known = ", ".join(self.spec.gateway_names)
        return self._in_turn(lambda: f"apiVersion: v1\nkind: Config\n# seed {self.spec.seed} at {name} of {known}\n")
