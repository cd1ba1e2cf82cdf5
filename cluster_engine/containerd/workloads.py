"""What images run: for each well-known one, what its entrypoint writes, whether it lasts, and how it takes SIGTERM.

A server's timeline has its first lines and no end. Several images stop at once without a password in their environment,
in the words of the real entrypoints: the commonest crash loop of all. Anything else in a container is a command for
`script`. Of an image that nobody here knows (`UNKNOWN`) it is taken for granted that it serves.

Left out: what servers do with requests, beyond the port on which they would listen.

    SERVICES["nginx"].timeline(command=[], args=[], env={})                       runs for ever
    SERVICES["nginx"].timeline(command=["sleep", "5"], args=[], env={})           ends after 5 s
    SERVICES["postgres"].timeline(command=[], args=[], env={})                    ends with 1, and says why
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cluster_engine.containerd import script
from cluster_engine.containerd.timeline import Line, NotExecutableError, Stop, Timeline, stamp

Program = Callable[[Sequence[str], Mapping[str, str]], Timeline]

ARGUMENT_BYTES_MAX = 128 * 1024
ARGUMENTS_BYTES_MAX = 2 * 1024 * 1024
"""Linux's bounds on one argument or variable of a program (MAX_ARG_STRLEN), and on all of them together (ARG_MAX)."""
NOT_EXECUTED_CODE = 255
ANY_PORT = "*"


@dataclass(frozen=True, slots=True)
class Workload:
    """What an image brings: entrypoint and cmd, programs of its own, the port it serves, its tools' output."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    program: Program | None = None
    programs: frozenset[str] = frozenset()
    port: int | None = None
    has_shell: bool = True
    tools: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()
    is_unknown: bool = False
    """Nobody here knows what is in it: whatever is called is there, runs on, and listens on whatever port is asked."""

    def argv(self, command: Sequence[str], args: Sequence[str]) -> list[str]:
        """Combine a container's command and args with the image's, as Kubernetes documents it."""
        if command:
            return [*command, *args]
        return [*self.entrypoint, *(args or self.cmd)]

    def offers(self, command: Sequence[str]) -> dict[str, str]:
        """Say on which port a container of this image would listen, and which HTTP paths it has (none named: all)."""
        if self.is_unknown:
            return {"port": ANY_PORT, "paths": ""}
        if self.port is None or (command and command[0].rpartition("/")[2] not in self.programs):
            return {}
        return {"port": str(self.port), "paths": " ".join(self.paths)}

    def execute(self, argv: Sequence[str], env: Mapping[str, str], exists: Callable[[str], bool]) -> Timeline:
        """Work out what a further program in a running container does (`exec`). Raises NotExecutableError."""
        said = dict(self.tools).get(argv[0].rpartition("/")[2])
        if said is not None:
            return Timeline(lines=(Line(0.0, said),), ends_at=0.0)
        if not self.has_shell:
            raise NotExecutableError(f'exec: "{argv[0]}": executable file not found in $PATH')
        if self.is_unknown and not script.knows(argv[0]):
            return Timeline(ends_at=0.0)
        return _refused(argv, env) or script.evaluate(argv, env, exists)

    def timeline(self, *, command: Sequence[str], args: Sequence[str], env: Mapping[str, str]) -> Timeline:
        """Work out what a container of this image does. Raises NotExecutableError."""
        argv = self.argv(command, args)
        if not argv:
            if self.is_unknown and self.program is not None:
                return self.program(argv, env)
            raise NotExecutableError("no command specified")
        refused = _refused(argv, env)
        if refused is not None:
            return refused
        rest = (
            argv[len(self.entrypoint) :]
            if self.entrypoint and argv[: len(self.entrypoint)] == [*self.entrypoint]
            else argv
        )
        named = rest[0].rpartition("/")[2] if rest else ""
        own = not rest or named in self.programs or rest[0].startswith("-")
        if self.program is not None and (own or (self.is_unknown and not script.knows(named))):
            return self.program(rest, env)
        if not self.has_shell:
            raise NotExecutableError(f'exec: "{argv[0]}": executable file not found in $PATH')
        return script.evaluate(rest, env)


def _refused(argv: Sequence[str], env: Mapping[str, str]) -> Timeline | None:
    """Return the end of a program whose arguments and environment the kernel does not take (E2BIG)."""
    sizes = [len(word) for word in argv] + [len(name) + 1 + len(value) for name, value in env.items()]
    if max(sizes) <= ARGUMENT_BYTES_MAX and sum(sizes) <= ARGUMENTS_BYTES_MAX:
        return None
    complaint = Line(0.0, f"exec {argv[0][:255]}: argument list too long", "stderr")
    return Timeline(lines=(complaint,), ends_at=0.0, exit_code=NOT_EXECUTED_CODE)


def _server(*lines: str, stop: Stop, prefix: str = "") -> Program:
    timeline = Timeline(
        lines=tuple(Line(0.02 * (1 + i // 4), prefix + text) for i, text in enumerate(lines)), on_term=stop
    )
    return lambda argv, env: timeline


def _unless(names: Sequence[str], complaint: str, program: Program) -> Program:
    """Run `program` only when one of the environment variables is set; else complain and end with 1."""

    def run(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
        if any(env.get(name) for name in names):
            return program(argv, env)
        lines = tuple(Line(0.15, text, "stderr") for text in complaint.strip("\n").split("\n"))
        return Timeline(lines=lines, ends_at=0.2, exit_code=1)

    return run


_NGINX_TIME = stamp("%Y/%m/%d %H:%M:%S")
_NGINX = _server(
    "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    "/docker-entrypoint.sh: Configuration complete; ready for start up",
    f'{_NGINX_TIME} [notice] 1#1: using the "epoll" event method',
    f"{_NGINX_TIME} [notice] 1#1: nginx/1.27.3",
    f"{_NGINX_TIME} [notice] 1#1: start worker processes",
    f"{_NGINX_TIME} [notice] 1#1: start worker process 29",
    stop=Stop(0.1, 0, (Line(0.0, f"{_NGINX_TIME} [notice] 1#1: signal 3 (SIGQUIT) received, shutting down"),)),
)
_HTTPD = _server(
    "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using 10.244.0.1. "
    "Set the 'ServerName' directive globally to suppress this message",
    f"[{stamp('%a %b %d %H:%M:%S')} {stamp('%Y')}] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.62 (Unix) "
    "configured -- resuming normal operations",
    f"[{stamp('%a %b %d %H:%M:%S')} {stamp('%Y')}] [core:notice] [pid 1:tid 1] AH00094: Command line: "
    "'httpd -D FOREGROUND'",
    stop=Stop(0.1),
)
_REDIS_TIME = f"1:M {stamp('%d %b %Y %H:%M:%S')}.000 *"
_REDIS = _server(
    f"1:C {stamp('%d %b %Y %H:%M:%S')}.000 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
    f"{_REDIS_TIME} Running mode=standalone, port=6379.",
    f"{_REDIS_TIME} Server initialized",
    f"{_REDIS_TIME} Ready to accept connections tcp",
    stop=Stop(0.1, 0, (Line(0.0, f"{_REDIS_TIME} Redis is now ready to exit, bye bye..."),)),
)
_POSTGRES_TIME = f"{stamp('%Y-%m-%d %H:%M:%S')}.000 UTC"
_POSTGRES = _unless(
    ["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"],
    """
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
""",
    _server(
        "PostgreSQL init process complete; ready for start up.",
        f"{_POSTGRES_TIME} [1] LOG:  starting PostgreSQL 17.2 on x86_64-pc-linux-gnu",
        f'{_POSTGRES_TIME} [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432',
        f"{_POSTGRES_TIME} [1] LOG:  database system is ready to accept connections",
        stop=Stop(0.2, 0, (Line(0.0, f"{_POSTGRES_TIME} [1] LOG:  received smart shutdown request"),)),
    ),
)


def _mysql(prefix: str, name: str) -> Program:
    time = stamp("%Y-%m-%d %H:%M:%S+00:00")
    return _unless(
        [
            f"{prefix}_ROOT_PASSWORD",
            f"{prefix}_ALLOW_EMPTY_PASSWORD",
            f"{prefix}_RANDOM_ROOT_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
        ],
        f"""
{time} [Note] [Entrypoint]: Entrypoint script for {name} Server started.
{time} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - {prefix}_ROOT_PASSWORD
    - {prefix}_ALLOW_EMPTY_PASSWORD
    - {prefix}_RANDOM_ROOT_PASSWORD
""",
        _server(
            f"{time} [Note] [Entrypoint]: Entrypoint script for {name} Server started.",
            f"{time} [Note] [Entrypoint]: {name} init process done. Ready for start up.",
            f"{time} 0 [System] [Server] /usr/sbin/mysqld: ready for connections. port: 3306",
            stop=Stop(0.5),
        ),
    )


_HELLO = """
Hello from Docker!
This message shows that your installation appears to be working correctly.
"""


def _hello(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
    return Timeline(lines=tuple(Line(0.0, text) for text in _HELLO.split("\n")), ends_at=0.02)


def _interpreter(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
    """Stand for python3 or node: without a terminal and a script they read end-of-file and end; with one they go on."""
    return Timeline(ends_at=0.05) if len(argv) < 2 or argv[1] == "--version" else Timeline()


def _echo(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
    """Stand for hashicorp/http-echo, which says on which port it serves."""
    listens = next((word.partition("=")[2] for word in argv if word.lstrip("-").startswith("listen=")), ":5678")
    time = stamp("%Y/%m/%d %H:%M:%S")
    return Timeline(lines=(Line(0.02, f"{time} [INFO] server is listening on {listens}"),), on_term=Stop(0.05))


def _stress(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
    """Stand for stress, without the load: "stress --cpu 2 --vm 1" says what it does, and does nothing."""
    counts = {
        name: next((argv[i + 1] for i, word in enumerate(argv[:-1]) if word in (f"--{name}", f"-{name[0]}")), "0")
        for name in ("cpu", "io", "vm", "hdd")
    }
    hogs = ", ".join(f"{count} {name}" for name, count in counts.items())
    return Timeline(lines=(Line(0.01, f"stress: info: [1] dispatching hogs: {hogs}"),), on_term=Stop(0.02, 143))


def _perl(argv: Sequence[str], env: Mapping[str, str]) -> Timeline:
    """Stand for perl: a one-liner ends well, and prints pi as Kubernetes' documentation asks for it; a file runs on."""
    digits = next((found for word in argv if (found := _BPI.search(word))), None)
    if digits is not None:
        return Timeline(
            lines=(Line(PI_SECONDS, _pi(min(max(int(digits.group(1)), 1), PI_DIGITS_MAX))),), ends_at=PI_SECONDS
        )
    return Timeline(ends_at=0.05) if any(word.startswith("-") for word in argv) or len(argv) < 2 else Timeline()


def _pi(digits: int) -> str:
    """Return pi rounded to so many significant digits, by Machin's formula."""
    unity: int = 10 ** (digits + 10)

    def arctan_inverse(x: int) -> int:
        power = total = unity // x
        n = 1
        while power:
            power //= -x * x
            n += 2
            total += power // n
        return total

    text = str((4 * (4 * arctan_inverse(5) - arctan_inverse(239)) + 5 * 10**10) // 10**11)
    return f"{text[0]}.{text[1:]}"


_BPI = re.compile(r"\bbpi\((\d{1,9})\)")
PI_DIGITS_MAX = 4000
PI_SECONDS = 5.0
_NGINX_PATHS = ("/", "/index.html", "/50x.html")

SERVICES: dict[str, Workload] = {
    "nginx": Workload(
        ("/docker-entrypoint.sh",),
        ("nginx", "-g", "daemon off;"),
        _NGINX,
        frozenset({"nginx", "nginx-debug"}),
        80,
        paths=("/", "/index.html", "/50x.html"),
    ),
    "httpd": Workload(
        (), ("httpd-foreground",), _HTTPD, frozenset({"httpd-foreground", "httpd"}), 80, paths=_NGINX_PATHS[:2]
    ),
    "redis": Workload(
        ("docker-entrypoint.sh",),
        ("redis-server",),
        _REDIS,
        frozenset({"redis-server"}),
        6379,
        tools=(("redis-cli", "PONG"),),
    ),
    "memcached": Workload(
        ("docker-entrypoint.sh",), ("memcached",), _server(stop=Stop(0.05)), frozenset({"memcached"}), 11211
    ),
    "postgres": Workload(
        ("docker-entrypoint.sh",),
        ("postgres",),
        _POSTGRES,
        frozenset({"postgres"}),
        5432,
        tools=(("pg_isready", "/var/run/postgresql:5432 - accepting connections"),),
    ),
    "mysql": Workload(
        ("docker-entrypoint.sh",),
        ("mysqld",),
        _mysql("MYSQL", "MySQL"),
        frozenset({"mysqld"}),
        3306,
        tools=(("mysqladmin", "mysqld is alive"),),
    ),
    "mariadb": Workload(
        ("docker-entrypoint.sh",), ("mariadbd",), _mysql("MARIADB", "MariaDB"), frozenset({"mariadbd", "mysqld"}), 3306
    ),
    "mongo": Workload(
        ("docker-entrypoint.sh",),
        ("mongod",),
        _server("MongoDB starting", "Waiting for connections on port 27017", stop=Stop(0.2)),
        frozenset({"mongod"}),
        27017,
        tools=(("mongosh", "{ ok: 1 }"), ("mongo", "{ ok: 1 }")),
    ),
    "http-echo": Workload(("/http-echo",), (), _echo, frozenset({"http-echo"}), 5678, has_shell=False),
    "stress": Workload(("/stress",), (), _stress, frozenset({"stress"})),
    "perl": Workload((), ("perl",), _perl, frozenset({"perl"})),
    "busybox": Workload(cmd=("sh",)),
    "alpine": Workload(cmd=("/bin/sh",)),
    "ubuntu": Workload(cmd=("/bin/bash",)),
    "debian": Workload(cmd=("bash",)),
    "python": Workload((), ("python3",), _interpreter, frozenset({"python", "python3"})),
    "node": Workload(("docker-entrypoint.sh",), ("node",), _interpreter, frozenset({"node", "npm"})),
    "hello-world": Workload((), ("/hello",), _hello, frozenset({"hello"}), has_shell=False),
    "pause": Workload(("/pause",), (), _server(stop=Stop(0.01)), frozenset({"pause"}), has_shell=False),
    "whoami": Workload(
        ("/whoami",),
        (),
        _server("Starting up on port 80", stop=Stop(0.05, 2)),
        frozenset({"whoami"}),
        80,
        has_shell=False,
    ),
    "agnhost": Workload(
        ("/agnhost",),
        ("pause",),
        _server("Paused", stop=Stop(0.05)),
        frozenset({"pause", "netexec", "agnhost", "serve-hostname", "test-webserver"}),
        8080,
    ),
}
UNKNOWN = Workload(program=_server(stop=Stop(0.1)), is_unknown=True)
"""An image that only its name is known of: it runs until it is told to stop, and says nothing."""
