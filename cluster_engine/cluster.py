"""The one door to a cluster: build it, type commands, pause, step, watch what happened.

Theory of operation. A cluster is a world (`world/`) with hosts, certificates on their file systems (`pki/`) and
programs; `cast.py` says which. `world/supervisor.py` starts a program again that ended by itself; `faults/` breaks
things, on request. The network's tap feeds the lens, the lens the journal.

The cluster starts in leaping time and without effort (`world/work.py`), so that a person waits for nothing but what is
computed, and then goes at the pace and with the effort asked for.

    async with Cluster(ClusterSpec(nodes=2), loop) as cluster:
        await cluster.command("kubectl create deployment web --image=nginx --replicas=3", print_it)
        await cluster.world.until(lambda: ..., within_seconds=30)

Whoever is not on the cluster's own thread uses `cluster_engine.thread`.
"""

import asyncio
import contextlib
import contextvars
import functools
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_args

import msgspec

from cluster_engine import faults, machines
from cluster_engine.api.kinds import Kinds
from cluster_engine.cast import (
    CONTROL_PLANE,
    PROGRAMS,
    WORKSTATION,
    Component,
    HostProgram,
    Role,
    by_certificate,
    cast,
    with_flags,
    with_key_lab,
)
from cluster_engine.deeds import FromOutside, Layer, RefusedDeedError
from cluster_engine.etcd.client import prefix_end
from cluster_engine.etcd.store import DATA_DIRECTORY, Store
from cluster_engine.faults import Fault
from cluster_engine.faults.active import Active, Faults
from cluster_engine.journal import Journal
from cluster_engine.kubeadm import addons, audit, static_pods
from cluster_engine.lens import Lens
from cluster_engine.mounted_tokens import mount
from cluster_engine.pki.layout import admin_kubeconfig, provision
from cluster_engine.stored import Stored
from cluster_engine.world import bugs
from cluster_engine.world.files import PRIVATE_MODE
from cluster_engine.world.gateway import LOOPBACK, Gateway, open_gateway
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Host
from cluster_engine.world.story import end_all
from cluster_engine.world.supervisor import Program, Supervisor
from cluster_engine.world.world import World

if TYPE_CHECKING:
    from cluster_engine.programs.streams import Input
    from cluster_engine.shell.terminal import Terminal

NODES_MAX = 50
ETCD_MEMBERS = (1, 3, 5)
EFFORT_MAX = 100.0
PAGE = "page"  # the terminal that people type into
START_SECONDS_MAX = 300.0
LINE_LENGTH_MAX = 64 * 1024
INTERRUPTED = 130  # what a shell says of a program ended by Ctrl-C

T = TypeVar("T")
LAYERS: tuple[Layer, ...] = get_args(Layer)
QUIET_SECONDS_MAX = 300
"""So far a step looks for something that is no heartbeat, in virtual seconds."""

Write = Callable[[str, str], None]
"""Called with "stdout" or "stderr" and a piece of text."""


class ClusterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster is made from. Two with equal specs behave alike, message by message.

    `pace` None leaps. Without `capture` nothing is kept of what crosses the wires. `directory` is where the journal
    keeps what it does not hold in memory (None: a temporary one). `epoch` is the date at the beginning (None: the real
    now). `effort` multiplies the time that programs take to compute (`world/work.py`): 1 for about that of real ones,
    0 for none. `gateway_names` are names or IPv4 addresses of this machine by which others reach it: the API server's
    certificate has them too, and the gateway then listens for others. `programs` are what its
    hosts run. With `proxy_certificate` kube-proxy shows a client certificate and no service account's token.
    With `system_pods` it is as kubeadm makes one: the control plane is a node, its programs are static pods, kube-proxy
    is a DaemonSet, and CoreDNS knows the names of Services. `api_server_flags`, `--name=value`, stand on the API
    server's command line beside those that kubeadm gives it, or instead of them (`apiserver.flags`); with `audit` it
    writes an audit log, by the policy of `kubeadm.audit`. Three `etcd_members` agree by Raft, and may lose one.
    With `key_lab` the API server's certificate has an RSA key, and who asks for it agrees with it on keys by RSA
    (`curl --http1.1 --tls-max 1.2 --ciphers AES128-GCM-SHA256`).
    With a `secret` the authority has the same key whenever the cluster is made again, so that a join command or a
    kubeconfig that somebody has copied goes on to hold.
    """

    nodes: int = 2
    seed: int = 1
    pace: float | None = 1.0
    capture: bool = True
    directory: Path | None = None
    epoch: datetime | None = None
    gateway_names: tuple[str, ...] = ()
    effort: float = 0.0
    programs: tuple[HostProgram, ...] = PROGRAMS
    proxy_certificate: bool = False
    system_pods: bool = False
    api_server_flags: tuple[str, ...] = ()
    audit: bool = False
    etcd_members: int = 1
    key_lab: bool = False
    secret: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= NODES_MAX:
            raise ValueError(f"a cluster has 1 to {NODES_MAX} nodes, not {self.nodes}")
        if self.etcd_members not in ETCD_MEMBERS:
            raise ValueError(f"etcd has 1, 3 or 5 members, not {self.etcd_members}")
        if not 0 <= self.effort <= EFFORT_MAX:
            raise ValueError(f"an effort of {self.effort} is outside 0 … {EFFORT_MAX:g}")


class Cluster:
    """A running control plane. Use as an async context manager, on its own ClusterLoop.

    `kinds` are those that the API server serves, at present. The journal is there, and may be subscribed to, before
    anything has started.
    """

    def __init__(self, spec: ClusterSpec, loop: ClusterLoop) -> None:
        self.spec = spec
        self.loop = loop
        self.clock = loop.clock
        directory = spec.directory or Path(tempfile.gettempdir())
        self.journal = Journal(directory) if spec.capture else None
        lens = Lens(self.journal) if self.journal is not None else None
        epoch = spec.epoch or datetime.now(UTC)
        self.world = World(loop, seed=spec.seed, epoch=epoch, tap=lens, position=self._position)
        self.supervisor = Supervisor(self.world)
        self.processes = self.supervisor.processes
        self._gateways: dict[tuple[str, int], Gateway] = {}
        self.gateway: Gateway | None = None  # to the API server
        self._heard_of: set[int] = set()  # clients of it that have said something
        self.overhear: Callable[[FromOutside | None], None] = lambda act: None
        """Called with what comes in at that gateway, or None for what nobody could do again."""
        self._keepers = contextlib.AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self._company: dict[asyncio.Task[Any], None] = {}
        self._terminals: dict[str, Terminal] = {}
        self._faults = Faults(self)
        self.kinds = Kinds()
        self._stored = Stored(self._store, self.kinds)
        programs = by_certificate(spec.programs) if spec.proxy_certificate else spec.programs
        if spec.key_lab:
            programs = with_key_lab(programs)
        flags = (*(audit.FLAGS if spec.audit else ()), *spec.api_server_flags)
        if flags:
            programs = with_flags(programs, "kube-apiserver", flags)
        self.cast = cast(spec.nodes, programs, system_pods=spec.system_pods, etcd_members=spec.etcd_members)
        self._add_hosts()

    def _position(self) -> int:
        return 0 if self.journal is None else self.journal.head

    def _add_hosts(self) -> None:
        world = self.world
        for host in self.cast.hosts:
            world.add_host(host.name, host.address)
        self.workers = [world.host(host.name) for host in self.cast.of_role(Role.WORKER)]
        names, secret = self.spec.gateway_names, self.spec.secret
        self.pki = provision(self.cast, world.host, now=world.epoch, more_names=names, secret=secret)
        world.add_machine = self._add_machine
        if self.spec.audit:
            audit.write_policy(world.host(CONTROL_PLANE).files)

    # -- start and end ---------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start everything and wait, in leaping time, until every component has synced."""
        try:
            await self._start()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def _start(self) -> None:
        group = self._group = await self._keepers.enter_async_context(asyncio.TaskGroup())
        self.clock.set_pace(None)
        self._prepare_pods()
        for stage in self.cast.stages():
            ready = [self._begin(one, group) for one in stage if not one.program.is_addon]
            async with asyncio.timeout(START_SECONDS_MAX):
                await self._all(ready)
        if self.spec.system_pods:
            await self._all([self.world.spawn(self.world.host(CONTROL_PLANE), "kubeadm", addons.kubeadm).wait()])
            await self.world.until(self._has_addons, within_seconds=START_SECONDS_MAX)
        await self.world.until(self._takes_pods, within_seconds=START_SECONDS_MAX)
        self.world.effort = self.spec.effort
        self.clock.set_pace(self.spec.pace)

    def _prepare_pods(self) -> None:
        """Lay out what kubelets find that start components: the programs, the manifests and the images."""
        texts = static_pods.manifests(self.cast)
        for one in self.cast.components:
            if one.program.in_pod:
                path, text = texts.get(one.id, ("", b""))
                self.supervisor.install(self._program(one), path)
                if path:
                    self.world.host(one.host.name).files.write(path, text, PRIVATE_MODE)
        if texts:
            from cluster_engine.containerd.main import load_images  # here, so that who hosts clusters loads no programs

            load_images(self.world.host(CONTROL_PLANE), static_pods.IMAGES)

    def _begin(self, one: Component, group: asyncio.TaskGroup) -> Awaitable[Any]:
        """Start a component, or let its kubelet do so; give what waits until it is ready."""
        if one.program.in_pod:
            return self.world.until(lambda: self._is_up(one), within_seconds=START_SECONDS_MAX)
        mount(self.world, one)
        return self.supervisor.start(self._program(one), group).wait_ready()

    def _is_up(self, one: Component) -> bool:
        process = self.processes.get(one.id)
        return process is not None and process.is_ready

    def _has_addons(self) -> bool:
        """Return whether every component is up, every pod of kube-system is ready, and all nodes lead to its DNS.

        Asked at each rest of the world, so what costs little is asked first.
        """
        if not all(map(self._is_up, self.cast.components)):
            return False
        pods = self.stored("pods", namespace="kube-system")
        names = [one["metadata"]["name"] for one in pods if _is_ready(one)]
        if len(names) < len(pods) or sum(name.startswith("coredns-") for name in names) != 2:
            return False
        tables = [worker.packet_filter.tables for worker in self.workers]
        return all(found and f"{addons.DNS_ADDRESS}/32" in found["nat"].text for found in tables)

    async def _all(self, waits: list[Any]) -> None:
        everything = asyncio.gather(*waits)
        ends: list[asyncio.Future[Any]] = [everything, self.world.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not everything.done():
            everything.cancel()
            await self.world.failed
        await everything

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill every process, close the gateway and the journal. A bug is told where in the journal it was."""
        if isinstance(error, Exception):
            error.add_note(f"at entry {self._position()} of the journal")
        self.world.network.tap = None  # nobody in the story ends what ends now
        self.clock.before_waiting.append(self._hurry)
        for gateway in self._gateways.values():
            gateway.close()
        self._faults.abandon()
        for task in list(self._company):
            task.cancel()
        self.processes.clear()
        await end_all(self.world)
        await self._keepers.aclose()
        if self.journal is not None:
            self.journal.close()

    def _hurry(self) -> bool:
        """Let nothing hold up the end, whoever pauses now."""
        self.clock.resume()
        self.clock.set_pace(None)
        return False

    def _program(self, component: Component) -> Program:
        main = component.program.load()
        if component == self.cast.api_server:
            main = functools.partial(main, kinds=self.kinds)
        program = component.program
        return Program(
            component.host.name,
            program.name,
            main,
            description=program.description,
            argv=component.argv,
            is_static_pod=bool(program.kubeadm_pod),
        )

    def _takes_pods(self) -> bool:
        """Return whether a pod of the default namespace would be admitted, and every worker would do for it."""
        nodes = [one for one in self.stored("nodes") if one["metadata"]["name"] != CONTROL_PLANE]
        ready = [node for node in nodes if _is_ready(node) and not node["spec"].get("taints")]
        return len(ready) == self.spec.nodes and any(
            one["metadata"]["name"] == "default" for one in self.stored("serviceaccounts", namespace="default")
        )

    def _add_machine(self, name: str) -> Host:
        assert self._group is not None, "a cluster that has not started has no place for a machine"
        return machines.switch_on(self, self._group, self._program, name, workers_max=NODES_MAX)

    # -- what people do ----------------------------------------------------------------------------------------------

    def terminal(self, name: str = PAGE, *, on: str = WORKSTATION) -> "Terminal":
        """Return the terminal of that name, which keeps what lines change; a new one stands on the host `on`."""
        found = self._terminals.get(name)
        if found is None:
            found = self._terminals[name] = self._new_terminal(on)
        return found

    def _new_terminal(self, host: str) -> "Terminal":
        from cluster_engine.shell.terminal import Terminal  # here, so that a cluster starts without it

        return Terminal(self.world, self.world.host(host), self.accompany)

    async def command(self, line: str, write: Write, *, terminal: str = PAGE, stdin: "Input | None" = None) -> int:
        """Run what somebody typed into a terminal; give the exit code. Cancelling is Ctrl-C.

        `stdin` is what programs read where nothing is piped in; without it they come to the end at once.
        """
        if len(line) > LINE_LENGTH_MAX:
            write("stderr", "sh: argument list too long\n")
            return 126
        typed_into = self.terminal(terminal)
        said: dict[str, Any] = {"line": line, "host": typed_into.host.name}
        self.world.note("command.started", line, said)
        code = INTERRUPTED
        try:
            code = await typed_into.run(line, write, stdin=stdin)
        except Exception as bug:
            write("stderr", f"sh: {self.world.bug(bug, line, host=said['host'])}\n")
            code = bugs.EXIT_CODE
        finally:
            self.world.note("command.finished", f"exit code {code}", {**said, "exitCode": code})
        return code

    def inject(self, record: Fault, *, sealed: bool = False) -> str:
        """Let a fault happen (`cluster_engine.faults`); give its id. FaultError when it does not fit this cluster.

        The journal does not say what a `sealed` one is until it is over.
        """
        assert self._group is not None, "a cluster that has not started cannot be broken"
        return self._faults.inject(record, self._group, sealed=sealed)

    def fail(self, name: str = "request-refused", /, **fields: Any) -> str:
        """Let the fault of that name happen; give its id. FaultError as `inject`.

        cluster.fail(verb="patch", resource="pods", nth=3, code=409)
        cluster.fail("power-off", target="worker-1", end=120.0)
        """
        return self.inject(faults.named(name, **fields))

    async def heal(self, fault: str) -> None:
        """Put right what a fault did; returns when that is done. FaultError when no such fault is active."""
        await self._faults.heal(fault)

    async def heal_all(self) -> None:
        """Put right what every fault did."""
        await self._faults.heal_all()

    @property
    def faults(self) -> list[Active]:
        """What has been injected and is not over, in order of injection."""
        return self._faults.active

    async def administer(self, line: str) -> tuple[int, str]:
        """Run a line on the control plane, as its administrator would; give its exit code and all that it printed."""
        printed: list[str] = []
        terminal = self._new_terminal(CONTROL_PLANE)
        terminal.is_seen = False
        code = await terminal.run(line, lambda _, text: printed.append(text))
        return code, "".join(printed)

    def objects(self, prefix: str) -> list[dict[str, Any]]:
        """Give the objects under a key prefix, "/registry/pods/default/", as they lie in etcd; no wire carries this."""
        found = self._store().range(prefix.encode(), prefix_end(prefix.encode()))
        return [msgspec.json.decode(pair.value) for pair in found.kvs]

    def stored(self, resource: str, group: str | None = None, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return the objects of a resource as they lie in etcd; ValueError when there is no such resource.

        The very same list as before when none of them has changed.
        """
        return self._stored.find(resource, group, namespace)

    @property
    def revision(self) -> int:
        """The revision of etcd's store."""
        return self._stored.revision

    def _store(self) -> Store:
        """Return the store of the member of etcd that is the furthest."""
        disks = [self.world.host(host.name).disk for host in self.cast.of_role(Role.CONTROL_PLANE, Role.ETCD)]
        stores: list[Store] = [disk[DATA_DIRECTORY] for disk in disks if DATA_DIRECTORY in disk]
        return max(stores, key=lambda store: store.revision)

    def accompany(self, doing: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run something beside the cluster, which is no part of it; it is cancelled when the cluster ends."""
        assert self._group is not None, "a cluster that has not started cannot be accompanied"
        task = self._group.create_task(doing, name=name, context=contextvars.Context())
        self._company[task] = None
        task.add_done_callback(self._company.pop)
        return task

    async def open_gateway(
        self, host: str = "127.0.0.1", port: int = 0, *, to: tuple[str, int] | None = None
    ) -> tuple[str, int]:
        """Open a real port that leads to the API server, or to a port of a host of the cluster; once for each. Give it.

        It is for others too if there are `gateway_names`. ValueError when there is no such host.
        """
        api_server = self.cast.api_server
        name, inside = to or (api_server.host.name, api_server.program.ports[0])
        found = self.world.network.hosts.get(name)
        if found is None:
            raise ValueError(f"no host {name}")
        if (name, inside) not in self._gateways:
            for_others = bool(self.spec.gateway_names)
            opened = await open_gateway(
                self.world, to=(found.address, inside), host=host, port=port, for_others=for_others
            )
            self._gateways[name, inside] = opened
            if to is None:
                self.gateway = opened
                opened.overhear = self._overheard
                self.overhear(FromOutside("opened"))
            else:
                self.overhear(None)  # what is said there is not TLS with the API server
        return self._gateways[name, inside].address

    def _overheard(self, what: Any, client: int, data: bytes, engine: Any) -> None:
        """Tell what a client from outside does; of the first that it says, as whom and by which protocol."""
        if engine is None or client in self._heard_of:
            self.overhear(FromOutside(what, client, data))
        else:
            self._heard_of.add(client)
            shown = engine.info("peercert_chain")
            admin = bool(shown) and shown[0] == ssl.PEM_cert_to_DER_cert(self.pki.admin.certificate.decode())
            if shown and not admin:
                self.overhear(None)  # nobody here has the key of that certificate
            self.overhear(FromOutside(what, client, data, engine.info("alpn_protocol") or "", admin))
        if what == "left":
            self._heard_of.discard(client)

    async def kubeconfig(self, name: str = "127.0.0.1") -> str:
        """Return an administrator's kubeconfig that leads through the gateway, by a name that the certificate has."""
        if name not in (*LOOPBACK, *self.spec.gateway_names):
            raise ValueError(f"the API server's certificate does not name {name}")
        _, port = await self.open_gateway()
        return admin_kubeconfig(self.pki, f"https://{name}:{port}").decode()

    async def step(self, layer: Layer | None = None) -> int:
        """From a paused state, let time go on until the journal has a new entry; give its number.

        With a `layer`, until it has one that is drawn there and is no heartbeat. RefusedDeedError when none comes in
        QUIET_SECONDS_MAX.
        """
        assert self.journal is not None, "a cluster without capture has nothing to step through"
        done: asyncio.Future[int] = self.loop.create_future()
        drawn = LAYERS[: LAYERS.index(layer) + 1] if layer is not None else LAYERS
        limit = self.clock.now + QUIET_SECONDS_MAX

        def see(entry: dict[str, Any]) -> None:
            if not done.done() and (layer is None or (entry["layer"] in drawn and not entry["heartbeat"])):
                done.set_result(entry["seq"])

        def is_done() -> bool:
            if not done.done() and self.clock.now >= limit:
                done.set_exception(RefusedDeedError("Nothing but heartbeats came in five minutes."))
            return done.done()

        unsubscribe = self.journal.subscribe(see)
        self.clock.step(is_done)
        try:
            return await done
        finally:
            unsubscribe()


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


__all__ = ["Cluster", "ClusterSpec"]
