"""Running containers: processes of the machine, each under a record that is written when it ends.

A container's first process runs in its pod's network and sees the container's files; what it writes goes to the log.
When it ends, whoever ended it, everything else in the container is killed, as the kernel does when process 1 of a PID
namespace dies, and the record says so. None of this needs containerd: the record lies on the machine's disk, and the
next containerd finds it (in reality the shim, the parent of a container's first process, keeps it).

    SIGTERM     ends a server; a shell hears it by a `trap`; any other first process ignores it, as Linux has it
    SIGKILL     ends all, with 137

Modelled on containerd-shim-runc and the kernel's PID namespaces. Left out: cgroups but for memory, checkpoints.
"""

import asyncio
import contextlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from cluster_engine.containerd import identity, workloads
from cluster_engine.containerd.logs import Log
from cluster_engine.containerd.rootfs import STATE, Mount, RootFiles
from cluster_engine.containerd.store import Container, Sandbox, Store
from cluster_engine.containerd.throttle import Quota
from cluster_engine.containerd.workloads import SHELLS, NotExecutableError
from cluster_engine.programs import running
from cluster_engine.programs.invocation import CannotGoOnError
from cluster_engine.programs.running import Program, kill_for_memory
from cluster_engine.programs.streams import Bytes, Input, Pipe, Streams
from cluster_engine.programs.window import Window
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.pids import OF_MACHINES, PidNamespace
from cluster_engine.world.process import Host, Process
from cluster_engine.world.users import User
from cluster_engine.world.world import World

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
OF_TERMINALS = {"TERM": "xterm"}
UNLIMITED, EXECUTABLE = 0, 0o111
NOT_YET = 0
"""The number of the first process of a container that has not begun."""


class Tasks:
    """The running containers of a node."""

    def __init__(self, world: World, machine: Host, store: Store) -> None:
        self._world = world
        self._machine = machine
        self._store = store

    def start(
        self, container: Container, sandbox: Sandbox, *, broken: Program | None = None, hangs: bool = False
    ) -> None:
        """Run a container's first process, `broken` in its place. NotExecutableError where there is no such program."""
        container.files = self._files(container, sandbox)
        container.environment = self._environment(container, sandbox)
        container.programs = _programs(container)
        argv = container.image.workload.argv(container.config.command, container.config.args)
        program, argv = self._program(container, argv, first=True)
        if broken is not None:
            program = broken
        window = container.window = Window() if container.config.tty else None
        log = container.log = Log(self._machine.files, container.log_path, self._now, window)
        stdin: Input = Bytes()
        if container.config.stdin:
            stdin = container.stdin = Pipe(window)
        process = container.process = running.start(
            self._world,
            self._host(sandbox),
            program,
            argv,
            Streams(stdin, log.stdout, log.stderr),
            environment=container.environment,
            directory=container.config.working_dir or "/",
            files=container.files,
        )
        process.hangs = hangs
        if container.files.pids.first == NOT_YET:
            container.files.pids.first = process.pid
        container.state = cri.CONTAINER_RUNNING
        container.started_at = nanoseconds(self._now())
        container.pid = process.pid
        process.on_exit = lambda process: _ended(self._store, container, process)

    async def execute(self, container: Container, argv: Sequence[str], streams: Streams, *, tty: bool = False) -> int:
        """Run a further program in a running container to its end; return its exit code. NotExecutableError."""
        return await self._run(container, argv, streams, container.environment | (OF_TERMINALS if tty else {}))

    async def _run(
        self, container: Container, argv: Sequence[str], streams: Streams, environment: Mapping[str, str]
    ) -> int:
        program, words = self._program(container, list(argv), first=False)
        return await running.run(
            self._world,
            self._host(self._store.sandboxes[container.sandbox_id]),
            program,
            words,
            streams,
            environment=environment,
            directory=container.config.working_dir or "/",
            files=container.files,
            execute=partial(self._called, container),
        )

    async def _called(
        self, container: Container, argv: Sequence[str], streams: Streams, environment: Mapping[str, str]
    ) -> int:
        """Run a program for one that no shell has started, as `timeout` and `env` do. See Execute."""
        from cluster_engine.containerd.container_shell import CANNOT_FORK, is_full  # once a container needs it

        if is_full(self._host(self._store.sandboxes[container.sandbox_id]), container.files):
            raise CannotGoOnError(CANNOT_FORK)
        try:
            return await self._run(container, argv, streams, environment)
        except NotExecutableError as error:
            raise FileNotFoundError(2, "No such file or directory", argv[0]) from error

    async def stop(self, container: Container, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace; returns once the container has ended.

        Who cancels this call takes back the SIGKILL, not the SIGTERM.
        """
        process = container.process
        if process is None:
            return
        if grace_seconds > 0:
            process.hear_sigterm()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await process.wait()
        self.kill(container)

    def kill(self, container: Container) -> None:
        """SIGKILL."""
        if container.process is not None:
            container.process.kill()

    def crash(self, container: Container, exit_code: int) -> None:
        """Let a running container's program end by itself, now."""
        if container.process is not None:
            container.process.exit(exit_code)

    def run_out_of_memory(self, container: Container) -> None:
        """Have the kernel kill a running container's program for want of memory."""
        if container.process is not None:
            kill_for_memory(container.process)

    def hang(self, container: Container, *, hangs: bool) -> None:
        """Let a running container's program read nothing more of what comes to it, or go on."""
        if container.process is not None:
            container.process.hangs = True
            if not hangs:
                container.process.go_on()

    def clean(self, container: Container) -> None:
        """Delete what a container has written."""
        self._machine.files.remove_below(f"{STATE}/{container.id}")

    # -- inside --------------------------------------------------------------------------------------------------------

    def _host(self, sandbox: Sandbox) -> Host:
        return sandbox.network or self._machine

    def _now(self) -> datetime:
        return self._world.now() + self._machine.skew

    def _program(self, container: Container, argv: list[str], *, first: bool) -> tuple[Program, list[str]]:
        """Return what an argv means in a container, and the argv it is given. NotExecutableError."""
        if (too_long := workloads.refused(argv, container.environment)) is not None:
            return too_long, argv
        workload = container.image.workload
        try:
            program, words = workload.started(argv) if first else (workload.found(argv[0]), argv)
        except NotExecutableError:
            assert container.files is not None
            if not (argv and argv[0].startswith("/") and workload.has_shell and container.files.exists(argv[0])):
                raise
            if not container.files.mode(argv[0]) & EXECUTABLE:
                raise NotExecutableError(f'exec: "{argv[0]}": permission denied') from None
            program, words = None, ["sh", *argv]  # a script
        shell = words[0].rpartition("/")[2] if words else ""
        return program or container.programs[shell], words

    def _environment(self, container: Container, sandbox: Sandbox) -> dict[str, str]:
        image = container.image
        own = {image.workload.version: image.version} if image.workload.version and image.version else {}
        hostname = sandbox.config.hostname or self._machine.name
        said = {pair.key: pair.value for pair in container.config.envs}
        home = identity.home_of(_user(container), image.workload.passwd)
        terminal = OF_TERMINALS if container.config.tty else {}
        return {**ENVIRONMENT, **terminal, "HOME": home, "HOSTNAME": hostname, **own, **said}

    def _pids(self, container: Container, sandbox: Sandbox) -> PidNamespace:
        """Return the process namespace that a container asks for."""
        options = container.config.linux.security_context.namespace_options
        if options.pid == cri.NODE:
            return OF_MACHINES
        if options.pid == cri.TARGET and (target := self._store.containers[options.target_id].files) is not None:
            return target.pids
        if options.pid == cri.POD:
            if sandbox.pids is None:
                sandbox.pids = PidNamespace(self._machine.next_pid(), "/pause", "pause")
            return sandbox.pids
        return PidNamespace(NOT_YET)

    def _files(self, container: Container, sandbox: Sandbox) -> RootFiles:
        config = container.config
        mounts = [Mount(one.container_path, one.host_path, one.readonly) for one in config.mounts]
        memory = config.linux.resources.memory_limit_in_bytes
        hostname = sandbox.config.hostname or self._machine.name
        brought = {
            "/etc/hostname": f"{hostname}\n".encode(),
            "/etc/hosts": f"127.0.0.1\tlocalhost\n{sandbox.ip or self._machine.address}\t{hostname}\n".encode(),
            "/etc/resolv.conf": _resolv_conf(sandbox.config.dns_config),
            "/sys/fs/cgroup/memory.max": b"%d\n" % memory if memory != UNLIMITED else b"max\n",
        }
        upper = f"{STATE}/{container.id}/rootfs"
        workload, user, security = container.image.workload, _user(container), config.linux.security_context
        image = {**workload.files, **brought, **identity.files_of(user, security, workload.passwd)}
        return RootFiles(
            self._machine.files,
            image,
            upper,
            mounts,
            is_readonly=security.readonly_rootfs,
            user=user,
            pids=self._pids(container, sandbox),
            owned=dict.fromkeys(workload.owned, (user.uid, user.gid)),
        )


def _programs(container: Container) -> Mapping[str, Program]:
    """Return what can be called in a container, by name: its shells share one quota."""
    workload = container.image.workload
    quota = container.quota = Quota()
    found: ChainMap[str, Program] = ChainMap({}, dict(workload.programs), dict(workload.tools))
    if workload.has_shell:
        from cluster_engine.containerd.container_shell import shell_program  # once a container has one

        found.maps[0].update({name: shell_program(name, quota, lambda: found) for name in SHELLS})
    return found


def _user(container: Container) -> User:
    workload = container.image.workload
    return identity.user_of(container.config.linux.security_context, workload.user, workload.passwd)


def _ended(store: Store, container: Container, process: Process) -> None:
    """Write down that a container's first process has ended. After a power cut nobody does."""
    if not process.host.powered:
        return
    for other in list(process.host.processes.values()):
        if other.files is container.files:
            other.kill()
    assert container.log is not None
    container.log.end()
    code = process.exit_code or 0
    container.state = cri.CONTAINER_EXITED
    container.exit_code = code
    container.finished_at = nanoseconds(process.now())
    container.reason = "OOMKilled" if process.out_of_memory else "Completed" if code == 0 else "Error"
    container.process = container.files = container.stdin = None
    container.programs = {}
    if store.on_exit is None or not store.on_exit(container):
        store.untold.append(container.id)


def _resolv_conf(dns: cri.DNSConfig) -> bytes:
    lines = [f"search {' '.join(dns.searches)}"] if dns.searches else []
    lines += [f"nameserver {server}" for server in dns.servers]
    lines += [f"options {' '.join(dns.options)}"] if dns.options else []
    return "".join(f"{line}\n" for line in lines).encode()


def nanoseconds(moment: datetime) -> int:
    """Write a moment as CRI does."""
    return int(moment.timestamp() * 1_000_000) * 1000
