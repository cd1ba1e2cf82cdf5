"""One cluster in its own thread: a door that any other thread may use.

Theory of operation. A cluster's loop has a clock of its own, which may stand or leap; no other loop can share it. So
each cluster gets a thread, and whoever owns it (a web worker, a test, a script) talks to it by futures:

    thread = ClusterThread(ClusterSpec(nodes=2), on_entries=print, on_clock=print)
    thread.start().result()
    thread.command("kubectl get nodes", lambda stream, text: print(text, end="")).result()
    thread.put(deeds.Inject({"name": "power-off", "target": "worker-1"})).result()
    thread.stop().result()

or, for a test of one's own operator or controller, with the gateway open:

    with running(nodes=2) as control_plane:
        subprocess.run(["kubectl", "--kubeconfig", control_plane.kubeconfig, "get", "nodes"])

`on_entries` and `on_clock` are called on the cluster's thread, between two instants of its time; they must be quick.
`on_clock` hears what `Clock.told` gives whenever somebody has turned the clock or it stands otherwise to real time;
`on_made` is given the cluster before it starts.
What people do is a deed (`cluster_engine.deeds`), and `put` has it done. A thread that is given a `Run` tells through
it what comes of that, and can do a past again. A cluster that ends by a bug of ours says so once, through `on_failure`,
and every later call fails with ClusterEnded.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cluster_engine import deeds, faults
from cluster_engine.api.objects import Object
from cluster_engine.cast import Role
from cluster_engine.cluster import Cluster, ClusterSpec, Write
from cluster_engine.fields.opened import open_entry
from cluster_engine.journal import Journal
from cluster_engine.run import Run
from cluster_engine.world.clock import Clock, Machine
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.pacing import Drift

if TYPE_CHECKING:
    from cluster_engine.export.slices import Ask, Exports, Slice
    from cluster_engine.state import State

T = TypeVar("T")

BATCH_ENTRIES_MAX = 256
BATCH_ENTRIES_OF_BEFORE_MAX = 32
"""Of what was said before anybody listened, which is read from the journal: what that takes stays with the process."""


class ClusterEndedError(RuntimeError):
    """The cluster has been stopped, or has ended by a bug of ours."""


def _ignore(_: Any) -> None:
    """Take news that nobody wants."""


class ClusterThread:
    """One cluster on its own loop in its own thread. Every method may be called from any thread."""

    def __init__(
        self,
        spec: ClusterSpec,
        *,
        on_entries: Callable[[list[Object]], None] = _ignore,
        on_clock: Callable[[Object], None] = _ignore,
        on_failure: Callable[[BaseException], None] = _ignore,
        run: Run | None = None,
        machine: Machine | None = None,
        on_made: Callable[[Cluster], None] = _ignore,
    ) -> None:
        self.spec = spec
        self._on_made = on_made
        self._run = run or Run()
        self._on_entries, self._on_clock, self._on_failure = on_entries, on_clock, on_failure
        self._clock = Clock(machine=machine)
        self._clock_told: tuple[float | None, bool, Drift] | None = None
        self._loop: ClusterLoop | None = None
        self._cluster: Cluster | None = None
        self._started: Future[Object] = Future()
        self._ended: Future[None] = Future()
        self._stop_asked = False
        self._stopping: asyncio.Event | None = None  # the same, for the loop
        self._pending: list[Object] = []
        self._exports: Exports | None = None
        self._state: State | None = None
        self._thread = threading.Thread(target=self._main, name=f"cluster seed {spec.seed}", daemon=True)

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Future[Object]:
        """Build and start the cluster; the future ends when every component has synced."""
        self._thread.start()
        return self._started

    def stop(self) -> Future[None]:
        """End everything; the future ends when the thread's work is done."""
        if not self._thread.is_alive() and not self._ended.done():
            self._ended.set_result(None)
        self._stop_asked = True
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed just now
                loop.call_soon_threadsafe(stopping.set)
        return self._ended

    def join(self) -> None:
        """Wait until the thread itself is gone, after `stop`: for who is about to fork."""
        self._thread.join()

    def _main(self) -> None:
        try:
            self._clock.outside_may_speak = True
            self._loop = ClusterLoop(self._clock)
            self._loop.run_until_complete(self._live())
        except ClusterEndedError as ended:
            self._started.set_exception(ended)
        except BaseException as failure:
            self._tell_failure(failure)
        finally:
            if self._loop is not None:
                self._loop.wind_up()
            self._cluster = None
            self._ended.set_result(None)

    async def _live(self) -> None:
        """Live until it is stopped or breaks; a start or a replay that is stopped is given up."""
        self._stopping = asyncio.Event()
        if self._stop_asked:  # before there was a loop
            self._stopping.set()
        life, stopping = (asyncio.ensure_future(one) for one in (self._life(), self._stopping.wait()))
        await asyncio.wait([life, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not self._started.done():
            life.cancel()
        try:
            await life
        except asyncio.CancelledError:
            raise ClusterEndedError("the cluster was stopped before it was up") from None

    async def _life(self) -> None:
        assert self._loop is not None
        made = Cluster(self.spec, self._loop)
        self._on_made(made)
        async with made as cluster:
            stop_gathering = self._begin_gathering(cluster)
            self._run.enter(cluster)
            try:
                await self._unless_it_breaks(cluster, self._run.begin())
                await self._unless_it_breaks(cluster, self._serve(cluster))
            finally:
                self._cluster = None
                self._run.close()
                self._flush()
                stop_gathering()  # how the programs end now is no part of the story

    async def _serve(self, cluster: Cluster) -> None:
        """Be at everybody's service until somebody stops it."""
        assert self._stopping is not None
        self._cluster = cluster
        self._started.set_result({"now": self._clock.now, "head": cluster.journal.head if cluster.journal else 0})
        self._tell_clock()
        await self._stopping.wait()

    async def _unless_it_breaks(self, cluster: Cluster, doing: Coroutine[Any, Any, None]) -> None:
        done, failed = asyncio.ensure_future(doing), cluster.world.failed
        try:
            await asyncio.wait([done, failed], return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
            await done
        finally:
            done.cancel()

    def _tell_failure(self, failure: BaseException) -> None:
        if not self._started.done():
            self._started.set_exception(failure)
        self._on_failure(failure)

    # -- news ----------------------------------------------------------------------------------------------------------

    def _begin_gathering(self, cluster: Cluster) -> Callable[[], None]:
        """Tell what was and what comes; give the function that ends this."""
        self._clock.before_waiting.append(self._flush)
        if cluster.journal is None:
            return lambda: None
        self._clock.before_waiting.append(lambda: self._keep_state(cluster))
        self._gather_what_was(cluster.journal)
        return cluster.journal.subscribe(self._gather)

    def _keep_state(self, cluster: Cluster) -> bool:
        """In an idle moment, read what the journal will have forgotten when somebody asks for the state."""
        if cluster.journal is not None and cluster.journal.is_filling:
            self._state_of(cluster).keep_up()
        return False

    def _gather_what_was(self, journal: Journal) -> None:
        since = 0
        while batch := journal.since(since, BATCH_ENTRIES_OF_BEFORE_MAX):
            since = batch[-1]["seq"]
            self._on_entries(batch)

    def _gather(self, entry: Object) -> None:
        self._pending.append(entry)
        if len(self._pending) >= BATCH_ENTRIES_MAX:
            self._flush()

    def _flush(self) -> bool:
        if self._pending:
            batch, self._pending = self._pending, []
            self._on_entries(batch)
        if self._cluster is not None and self._clock_stands() != self._clock_told:
            self._tell_clock()  # somebody on this side has turned it (a lesson, a step), or it does not keep its pace
        return False

    def _clock_stands(self) -> tuple[float | None, bool, Drift]:
        return (self._clock.pace, self._clock.paused, self._clock.drift)

    def _tell_clock(self) -> None:
        self._clock_told = self._clock_stands()
        self._on_clock(self._clock.told())

    # -- what anybody may ask ------------------------------------------------------------------------------------------

    def run(self, do: Callable[[Cluster], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a coroutine with the cluster on its own loop; what it awaits there goes by the cluster's time."""
        loop, cluster = self._loop, self._cluster
        if loop is None or cluster is None or loop.is_closed():
            return _refused()
        return asyncio.run_coroutine_threadsafe(do(cluster), loop)

    def put(self, deed: deeds.Deed) -> Future[Any]:
        """Have a deed done; the future gives its answer. RefusedDeedError.

        A drive turns the clock at once. An act is taken at rest and dated (`cluster_engine.run`).
        """
        if isinstance(deed, deeds.Drive):
            return self.run(lambda _: self._drive(deed))
        if self._cluster is None:
            return _refused()
        return self._run.put(deed)

    async def _drive(self, drive: deeds.Drive) -> Any:
        answer = await self._run.drive(drive)
        self._tell_clock()
        return answer

    def command(self, line: str, write: Write) -> Future[int]:
        """Type a line on the workstation; `write` is called on the cluster's thread. Cancel the future for Ctrl-C."""
        return self.run(lambda cluster: cluster.command(line, write))

    def faults(self) -> Future[list[Object]]:
        """Return the active faults: `id`, `at` (None before their start) and the record's own fields."""

        async def do(cluster: Cluster) -> list[Object]:
            return [{"id": one.id, "at": one.at, **faults.write(one.record)} for one in cluster.faults]

        return self.run(do)

    def ping(self) -> Future[None]:
        """Come to the cluster's thread between two of its callbacks, at whatever it is: starting, leaping, standing."""
        come: Future[None] = Future()
        loop = self._loop
        try:
            if loop is None:
                raise RuntimeError("there is no loop yet")
            loop.call_soon_threadsafe(come.set_result, None)
        except RuntimeError:  # there is nothing yet, or nothing any more, that could be stuck
            come.set_result(None)
        return come

    def clock(self) -> Future[Object]:
        """Look at the clock, as `on_clock` would tell it."""

        async def do(_: Cluster) -> Object:
            return self._clock.told()

        return self.run(do)

    def entries(self, since: int, limit: int) -> Future[list[Object]]:
        """Return at most `limit` entries after number `since`."""

        async def do(cluster: Cluster) -> list[Object]:
            return cluster.journal.since(since, limit) if cluster.journal else []

        return self.run(do)

    def export(self, ask: "Ask", said: Sequence[deeds.Typed | deeds.Frame] = ()) -> "Future[Slice]":
        """Return a slice of the journal in a format (`cluster_engine.export.slices`), `said` in the terminal with it.

        LookupError where there is no such format, or the export has been broken off.
        """

        async def do(cluster: Cluster) -> "Slice":
            # here, so that a cluster starts without it
            from cluster_engine.export.selection import Context, nanoseconds_of
            from cluster_engine.export.slices import Exports

            if cluster.journal is None:
                raise LookupError("This cluster has kept nothing of what crossed its wires.")
            if self._exports is None:
                context = Context(nanoseconds_of(cluster.world.epoch), cast=cluster.cast.describe())
                self._exports = Exports(cluster.journal, context)
            return self._exports.answer(ask, said)

        return self.run(do)

    def state(self, view: str, at: int, args: Mapping[str, str]) -> Future[Object]:
        """Return what stood after entry `at`, in a view of `cluster_engine.state`. LookupError: no such view."""

        async def do(cluster: Cluster) -> Object:
            state = self._state_of(cluster)
            for _ in state.reading(view, at):
                await asyncio.sleep(0)  # the cluster goes on between two slices
            return state.answer(view, at, args)

        return self.run(do)

    def _state_of(self, cluster: Cluster) -> "State":
        from cluster_engine.state import State  # here, so that a cluster starts without it

        if cluster.journal is None:
            raise LookupError("This cluster has kept nothing of what crossed its wires.")
        if self._state is None:
            self._state = State(cluster.journal, cluster.world.epoch)
        return self._state

    def search(self, texts: Sequence[str], since: int) -> Future[Object]:
        """Return which entries after `since` have these texts in their bodies (`lens.searching`). ValueError."""

        async def do(cluster: Cluster) -> Object:
            from cluster_engine.lens.searching import Search  # here, so that a cluster starts without it

            if cluster.journal is None:
                raise LookupError("This cluster has kept nothing of what crossed its wires.")
            search = Search(cluster.journal, texts, since)
            for _ in search.reading():
                await asyncio.sleep(0)  # the cluster goes on between two slices
            return search.answer()

        return self.run(do)

    def detail(self, seq: int) -> Future[Object]:
        """Return everything there is behind an entry; KeyError when it is gone or never was."""

        async def do(cluster: Cluster) -> Object:
            if cluster.journal is None:
                raise KeyError(seq)
            return open_entry(cluster.journal, seq)

        return self.run(do)

    def workers(self) -> Future[list[str]]:
        """Return the names of the machines for pods, those that were switched on later too."""

        async def do(cluster: Cluster) -> list[str]:
            return [host.name for host in cluster.cast.of_role(Role.WORKER)]

        return self.run(do)

    def kubeconfig(self, name: str = "127.0.0.1") -> Future[str]:
        """Open the gateway if need be and give a kubeconfig that leads through it, to a name of this machine."""
        return self.run(lambda cluster: cluster.kubeconfig(name))

    def gateway(
        self, host: str = "127.0.0.1", port: int = 0, *, to: tuple[str, int] | None = None
    ) -> Future[tuple[str, int]]:
        """Open a gateway if need be, to the API server or to a host's port, and give its address.

        OSError when the port is taken, ValueError when there is no such host.
        """
        return self.run(lambda cluster: cluster.open_gateway(host, port, to=to))


def _refused() -> Future[Any]:
    refused: Future[Any] = Future()
    refused.set_exception(ClusterEndedError("the cluster is not running"))
    return refused


class ControlPlane(msgspec.Struct, frozen=True):
    """A running cluster as a test sees it: a kubeconfig file for real clients, and kubectl without any."""

    thread: ClusterThread
    kubeconfig: str
    address: tuple[str, int]

    def kubectl(self, arguments: str) -> str:
        """Run our own kubectl inside; give what it prints. RuntimeError with its words when it fails."""
        out: list[str] = []
        code = self.thread.command(f"kubectl {arguments}", lambda _, text: out.append(text)).result()
        if code:
            raise RuntimeError("".join(out).strip())
        return "".join(out)

    def fail(self, name: str = "request-refused", /, **fields: Any) -> str:
        """Let the fault of that name happen, with these fields; give its id. FaultError when it does not fit.

        control_plane.fail(verb="patch", resource="pods", nth=3, code=409)
        control_plane.fail("partition", target="worker-1", end=60.0)
        """
        answer = self.thread.put(deeds.Inject(faults.write(faults.named(name, **fields)))).result()
        return str(answer["fault"])

    def heal(self, fault: str | None = None) -> None:
        """Put right what a fault did, or all of them; returns when that is done. RefusedDeedError."""
        self.thread.put(deeds.Heal(fault)).result()


@contextlib.contextmanager
def running(**spec: Any) -> Iterator[ControlPlane]:
    """Run one cluster for as long as the block lasts; `spec` as in ClusterSpec, without capture unless asked for."""
    thread = ClusterThread(ClusterSpec(**{"capture": False, **spec}))
    try:
        thread.start().result()
        address = thread.gateway().result()
        with tempfile.TemporaryDirectory(prefix="glassplane-") as directory:
            path = Path(directory) / "kubeconfig"
            path.write_text(thread.kubeconfig().result())
            path.chmod(0o600)
            yield ControlPlane(thread, str(path), address)
    finally:
        thread.stop().result()


__all__ = ["ClusterEndedError", "ClusterSpec", "ClusterThread", "ControlPlane", "running"]
