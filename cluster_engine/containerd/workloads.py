"""What images run: for each well-known one its entrypoint, its programs, files and tools. The catalogue's other half.

A program is a coroutine as people's programs are (`programs/`), whether it serves (`servers/`) or ends. Of an image
that nobody here knows (`UNKNOWN`) it is taken for granted that it serves (`servers/unknown.py`).

    SERVICES["nginx"].started([])                       nginx, as the entrypoint starts it
    SERVICES["nginx"].started(["sleep", "5"])           sleep
    SERVICES["pause"].started(["sh"])                   NotExecutableError: exec: "sh": executable file not found …
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from cluster_engine.containerd.servers import agnhost, batch, components, coredns, databases, hello, nginx
from cluster_engine.containerd.servers.unknown import nothing, unknown
from cluster_engine.containerd.tools import BUSYBOX, COREUTILS, CURL, KNOWN, tools
from cluster_engine.programs.facts import says
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.running import Program

ARGUMENT_BYTES_MAX = 128 * 1024
ARGUMENTS_BYTES_MAX = 2 * 1024 * 1024
"""Linux's bounds on one argument or variable of a program (MAX_ARG_STRLEN), and on all of them together (ARG_MAX)."""
NOT_EXECUTED_CODE = 255
SHELLS = ("sh", "bash", "ash", "dash")


class NotExecutableError(Exception):
    """There is no such program in the image; the text is runc's."""


class Workload(msgspec.Struct, frozen=True):
    """What an image brings. `main` is what its entrypoint starts; without `tools` it has no shell."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    main: Program | None = None
    programs: Mapping[str, Program] = msgspec.field(default_factory=dict)
    tools: Mapping[str, Program] = msgspec.field(default_factory=dict)
    files: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    version: str = ""
    """The environment variable that holds its version."""
    user: str = ""
    """USER of its Dockerfile, "" for root; and the line of /etc/passwd of a user that it has beside root."""
    passwd: str = ""
    owned: tuple[str, ...] = ()
    """The directories in it that are its user's."""
    is_unknown: bool = False
    """Nobody here knows what is in it: whatever is called is there."""

    def argv(self, command: Sequence[str], args: Sequence[str]) -> list[str]:
        """Combine a container's command and args with the image's, as Kubernetes documents it."""
        if command:
            return [*command, *args]
        return [*self.entrypoint, *(args or self.cmd)]

    @property
    def has_shell(self) -> bool:
        """Whether there is a shell in it."""
        return bool(self.tools)

    def started(self, argv: Sequence[str]) -> tuple[Program | None, list[str]]:
        """Return what a container's first process runs and its argv; of a shell None. NotExecutableError."""
        if not argv and not self.is_unknown:
            raise NotExecutableError("no command specified")
        count = len(self.entrypoint)
        by_entrypoint = bool(count) and list(argv[:count]) == list(self.entrypoint)
        rest = list(argv[count:] if by_entrypoint else argv)
        if self.main is not None:
            name = _name(rest[0]) if rest else ""
            if by_entrypoint and name == self.main.name:
                return self.main, [name, *rest[1:]]
            if not rest or rest[0].startswith("-") or (by_entrypoint and not self.knows(rest[0])):
                return self.main, [self.main.name, *rest]
            if self.is_unknown and not self.knows(rest[0]):
                return self.main, [self.main.name, *rest[1:]]
        return self.found(rest[0]), rest

    def found(self, word: str) -> Program | None:
        """Return the program of a name or path; of a shell None. NotExecutableError."""
        name = _name(word)
        if self.has_shell and name in SHELLS:
            return None
        program = self.programs.get(name) or self.tools.get(name)
        if program is None and self.is_unknown:
            return Program(name[:64] or "program", nothing)
        if program is None:
            raise NotExecutableError(f'exec: "{word}": executable file not found in $PATH')
        return program

    def knows(self, word: str) -> bool:
        """Return whether it has a program of its own, a tool or a shell of that name or path."""
        name = _name(word)
        return name in self.programs or name in self.tools or (self.has_shell and name in SHELLS)


def refused(argv: Sequence[str], environment: Mapping[str, str]) -> Program | None:
    """Return what is left of a program whose arguments and environment the kernel does not take (E2BIG)."""
    sizes = [len(word) for word in argv] + [len(name) + 1 + len(value) for name, value in environment.items()]
    if max(sizes, default=0) <= ARGUMENT_BYTES_MAX and sum(sizes) <= ARGUMENTS_BYTES_MAX:
        return None

    async def complain(invocation: Invocation) -> int:
        invocation.err(f"exec {argv[0][:255]}: argument list too long\n")
        return NOT_EXECUTED_CODE

    return Program("runc", complain)


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _server(name: str, main: Callable[[Invocation], Awaitable[int]]) -> Program:
    return Program(name, main, handles_sigterm=True)


def _own(*programs: Program) -> Mapping[str, Program]:
    return {program.name: program for program in programs}


_DEBIAN, _BUSYBOX = tools(COREUTILS), tools(BUSYBOX)


def _nginx(port: int, layout: nginx.Layout, **more: Any) -> Workload:
    server = partial(nginx.nginx, port=port, layout=layout)
    return Workload(
        (nginx.ENTRYPOINT,),
        ("nginx", "-g", "daemon off;"),
        _server("nginx", partial(server, by_entrypoint=True)),
        {name: _server("nginx", server) for name in ("nginx", "nginx-debug")},
        tools(COREUTILS | CURL),
        nginx.NGINX_FILES,
        "NGINX_VERSION",
        passwd="nginx:x:101:101:nginx user:/nonexistent:/bin/false",
        **more,
    )


def _official(name: str, main: Callable[[Invocation], Awaitable[int]], *others: Program) -> Workload:
    server = _server(name, main)
    return Workload(("docker-entrypoint.sh",), (name,), server, _own(server, *others), _DEBIAN)


def _only(path: str, main: Callable[[Invocation], Awaitable[int]], *cmd: str) -> Workload:
    """Return an image with one program and no shell."""
    server = _server(_name(path), main)
    return Workload((path,), cmd, server, _own(server))


def _component(name: str, *others: str) -> Workload:
    """Return the image of a cluster's component, with some of the tools that can be typed."""
    server = Program(name, components.component, connects=True, handles_sigterm=True)
    return Workload((), (name,), None, _own(server), tools(frozenset(others)))


def _interpreter(*names: str) -> Workload:
    programs = {name: Program(name, batch.interpreter) for name in names}
    return Workload((), (names[0],), None, programs, _DEBIAN)


_HTTPD = _server("httpd", nginx.httpd)
SERVICES: dict[str, Workload] = {
    "nginx": _nginx(80, nginx.OFFICIAL),
    "nginx-unprivileged": _nginx(8080, nginx.UNPRIVILEGED, user="101"),
    "httpd": Workload(
        (), ("httpd-foreground",), None, {"httpd-foreground": _HTTPD, "httpd": _HTTPD}, _DEBIAN, nginx.HTTPD_FILES,
        "HTTPD_VERSION",
    ),
    "redis": _official("redis-server", databases.redis, Program("redis-cli", says(lambda _: "PONG"))),
    "memcached": replace(
        _official("memcached", databases.memcached), user="memcache", passwd="memcache:x:11211:11211::/home:/bin/sh"
    ),
    "postgres": _official(
        "postgres",
        databases.postgres,
        Program("pg_isready", says(lambda _: "/var/run/postgresql:5432 - accepting connections")),
    ),
    "mysql": _official(
        "mysqld", databases.mysql("MYSQL", "MySQL"), Program("mysqladmin", says(lambda _: "mysqld is alive"))
    ),
    "mariadb": _official("mariadbd", databases.mysql("MARIADB", "MariaDB")),
    "mongo": _official(
        "mongod",
        databases.mongo,
        *(Program(name, says(lambda _: "{ ok: 1 }")) for name in ("mongosh", "mongo")),
    ),
    "http-echo": _only("/http-echo", hello.http_echo),
    "whoami": _only("/whoami", hello.whoami),
    "hello-app": Workload(
        (), ("./hello-app",), None, _own(_server("hello-app", hello.hello_app)), version="HELLO_VERSION"
    ),
    "bootcamp": Workload(
        (), ("/bin/sh", "-c", "node server.js"), None, _own(_server("node", hello.bootcamp)), tools(COREUTILS | CURL),
        version="BOOTCAMP_VERSION",
    ),
    "echoserver": Workload(
        (), ("/usr/local/bin/run.sh",), None, {"run.sh": _server("nginx", hello.echoserver)}, tools(COREUTILS | CURL)
    ),
    "agnhost": Workload(
        ("/agnhost",), ("pause",), _server("agnhost", agnhost.agnhost), _own(_server("agnhost", agnhost.agnhost)),
        tools(BUSYBOX | CURL | {"dig"}),
    ),
    "pause": _only("/pause", agnhost.pause),
    "coredns": _only("/coredns", coredns.coredns),
    "kube-apiserver": _component("kube-apiserver"),
    "kube-controller-manager": _component("kube-controller-manager"),
    "kube-scheduler": _component("kube-scheduler"),
    "etcd": _component("etcd", "etcdctl", "cp"),
    "kube-proxy": _component("kube-proxy", "iptables-save"),
    "hello-world": Workload((), ("/hello",), None, _own(Program("hello", batch.hello_world))),
    "stress": Workload(
        (), ("stress",), None, _own(_server("stress", batch.stress)), _BUSYBOX
    ),
    "vish-stress": _only("/stress", batch.stress),
    "perl": Workload((), ("perl",), None, _own(Program("perl", batch.perl)), _DEBIAN),
    "busybox": Workload(cmd=("sh",), tools=_BUSYBOX),
    "alpine": Workload(cmd=("/bin/sh",), tools=_BUSYBOX),
    "ubuntu": Workload(cmd=("/bin/bash",), tools=_DEBIAN),
    "debian": Workload(cmd=("bash",), tools=_DEBIAN),
    "curl": Workload(
        ("/entrypoint.sh",), ("curl",), KNOWN.get("curl"), {}, tools(BUSYBOX | CURL), user="curl_user",
        passwd="curl_user:x:100:101:Linux User,,,:/home/curl_user:/sbin/nologin", owned=("/home/curl_user",),
    ),
    "python": _interpreter("python3", "python"),
    "node": _interpreter("node", "npm"),
}  # fmt: skip
UNKNOWN = Workload(main=_server("program", unknown), tools=_BUSYBOX, is_unknown=True)
"""An image that only its name is known of: it runs until it is told to stop, and says nothing."""
CRASH = Program("program", batch.crash)
LEAK = Program("program", batch.leak)
