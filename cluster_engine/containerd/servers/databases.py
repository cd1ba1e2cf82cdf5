"""Databases: they accept connections on their ports, and stop at once without a password, in their entrypoints' words.

Redis answers what is asked of it most (PING, ECHO, SET, GET, DEL, EXISTS, INCR, KEYS, INFO); of memcached, PostgreSQL,
MySQL and MongoDB nothing is behind the port: connections are accepted, and stay silent.

    printf 'PING\\r\\n' | nc web-0 6379      +PONG

Modelled on the official images. Left out: what databases are for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from cluster_engine.containerd.servers import http
from cluster_engine.programs.invocation import Invocation

KEYS_MAX, VALUE_BYTES_MAX, COMMAND_BYTES_MAX = 10_000, 64 * 1024, 128 * 1024
DATABASE_BYTES_MAX = 1024 * 1024
CONNECTIONS_MAX = 256
Program = Callable[[Invocation], Awaitable[int]]


def database(port: int, lines: str, last: str = "", seconds: float = 0.1, protocol: type | None = None) -> Program:
    """Return a server that says `lines` when it starts, `last` when it is stopped, and accepts connections.

    In lines `{date}` and `{time}` stand for the time.
    """

    async def main(invocation: Invocation) -> int:
        await asyncio.sleep(0.02)
        shared: dict[bytes, bytes] = {}
        connections: dict[asyncio.BaseTransport, None] = {}
        make = protocol or Silent
        try:
            server = await asyncio.get_running_loop().create_server(lambda: make(shared, connections), "0.0.0.0", port)
        except OSError as error:
            invocation.err(f"could not bind to port {port}: {error.strerror}\n")
            return 1
        invocation.out(_timed(invocation, lines))
        await http.until_sigterm()
        server.close()
        invocation.out(_timed(invocation, last))
        await asyncio.sleep(seconds)
        return 0

    return main


def unless_set(names: Sequence[str], complaint: str, program: Program) -> Program:
    """Return a program that runs only where one of the environment variables is set; else it complains and ends."""

    async def main(invocation: Invocation) -> int:
        if any(invocation.environment.get(name) for name in names):
            return await program(invocation)
        await asyncio.sleep(0.15)
        invocation.err(_timed(invocation, complaint))
        await asyncio.sleep(0.05)
        return 1

    return main


def _timed(invocation: Invocation, text: str) -> str:
    now = invocation.process.now()
    return (
        text.replace("{redis}", now.strftime("%d %b %Y %H:%M:%S.000"))
        .replace("{iso}", now.strftime("%Y-%m-%d %H:%M:%S+00:00"))
        .replace("{utc}", now.strftime("%Y-%m-%d %H:%M:%S.000 UTC"))
    )


class Silent(asyncio.Protocol):
    """A connection that is accepted, and told nothing."""

    def __init__(self, shared: dict[bytes, bytes], connections: dict[asyncio.BaseTransport, None]) -> None:
        self.shared, self._connections = shared, connections
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = cast(asyncio.WriteTransport, transport)
        self._connections[transport] = None
        if len(self._connections) > CONNECTIONS_MAX:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        if self.transport is not None:
            self._connections.pop(self.transport, None)


class Redis(Silent):
    """A connection to Redis: commands inline or as arrays of bulk strings (RESP 2)."""

    _read = b""

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        assert self.transport is not None
        self._read += data
        while self._read:
            command, rest = _taken(self._read)
            if command is None:
                if len(self._read) > COMMAND_BYTES_MAX:
                    self.transport.write(b"-ERR Protocol error: too big request\r\n")
                    self.transport.close()
                return
            self._read = rest
            if command:
                self.transport.write(self._answer([word.upper() if n == 0 else word for n, word in enumerate(command)]))
            if command and command[0].upper() == b"QUIT":
                self.transport.close()

    def _answer(self, command: list[bytes]) -> bytes:
        values = self.shared
        match command:
            case [b"PING"]:
                return b"+PONG\r\n"
            case [b"PING" | b"ECHO", text]:
                return _bulk(text)
            case [b"SET", key, value, *_]:
                if len(values) >= KEYS_MAX or len(value) > VALUE_BYTES_MAX or _size(values) > DATABASE_BYTES_MAX:
                    return b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
                values[key] = value
                return b"+OK\r\n"
            case [b"GET", key]:
                return _bulk(values[key]) if key in values else b"$-1\r\n"
            case [b"DEL" | b"EXISTS" as name, *keys]:
                found = [key for key in keys if key in values]
                for key in found if name == b"DEL" else []:
                    values.pop(key, None)
                return b":%d\r\n" % len(found)
            case [b"INCR", key]:
                old = values.get(key, b"0")
                if not old.lstrip(b"-").isdigit() or len(old) > 18:
                    return b"-ERR value is not an integer or out of range\r\n"
                values[key] = b"%d" % (int(old) + 1)
                return b":" + values[key] + b"\r\n"
            case [b"KEYS", _]:
                return b"*%d\r\n" % len(values) + b"".join(_bulk(key) for key in values)
            case [b"DBSIZE"]:
                return b":%d\r\n" % len(values)
            case [b"INFO", *_]:
                return _bulk(b"# Server\r\nredis_version:7.4.1\r\nredis_mode:standalone\r\nrole:master\r\n")
            case [b"COMMAND", *_] | [b"CLIENT", *_] | [b"SELECT", *_] | [b"QUIT"]:
                return b"+OK\r\n"
        return b"-ERR unknown command '%s'\r\n" % command[0][:128].replace(b"\r", b"").replace(b"\n", b"")


def _size(values: dict[bytes, bytes]) -> int:
    return sum(len(key) + len(value) for key, value in values.items())


def _bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


def _taken(read: bytes) -> tuple[list[bytes] | None, bytes]:
    """Take one command off what was read: its words and the rest; None where it has not come whole."""
    line, end, rest = read.partition(b"\r\n" if b"\r\n" in read else b"\n")
    if not end:
        return None, read
    if not line.startswith(b"*"):
        return line.split(), rest
    words: list[bytes] = []
    count = int(line[1:]) if line[1:].isdigit() and len(line) < 6 else 0
    for _ in range(count):
        head, end, after = rest.partition(b"\r\n")
        size = int(head[1:]) if head[1:].isdigit() and len(head) < 9 else 0
        if not end or len(after) < size + 2:
            return None, read
        words.append(after[:size])
        rest = after[size + 2 :]
    return words, rest


REDIS_LINES = """1:C {redis} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
1:M {redis} * Running mode=standalone, port=6379.
1:M {redis} * Server initialized
1:M {redis} * Ready to accept connections tcp
"""
redis = database(6379, REDIS_LINES, "1:M {redis} * Redis is now ready to exit, bye bye...\n", 0.1, Redis)
memcached = database(11211, "", "", 0.05)
mongo = database(27017, "MongoDB starting\nWaiting for connections on port 27017\n", "", 0.2)
postgres = unless_set(
    ["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"],
    """Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
""",
    database(
        5432,
        """PostgreSQL init process complete; ready for start up.
{utc} [1] LOG:  starting PostgreSQL 17.2 on x86_64-pc-linux-gnu
{utc} [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432
{utc} [1] LOG:  database system is ready to accept connections
""",
        "{utc} [1] LOG:  received smart shutdown request\n",
        0.2,
    ),
)


def mysql(prefix: str, name: str) -> Program:
    """Return MySQL's or MariaDB's server."""
    return unless_set(
        [
            f"{prefix}_ROOT_PASSWORD",
            f"{prefix}_ALLOW_EMPTY_PASSWORD",
            f"{prefix}_RANDOM_ROOT_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
        ],
        f"""{{iso}} [Note] [Entrypoint]: Entrypoint script for {name} Server started.
{{iso}} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - {prefix}_ROOT_PASSWORD
    - {prefix}_ALLOW_EMPTY_PASSWORD
    - {prefix}_RANDOM_ROOT_PASSWORD
""",
        database(
            3306,
            f"""{{iso}} [Note] [Entrypoint]: Entrypoint script for {name} Server started.
{{iso}} [Note] [Entrypoint]: {name} init process done. Ready for start up.
{{iso}} 0 [System] [Server] /usr/sbin/mysqld: ready for connections. port: 3306
""",
            "",
            0.5,
        ),
    )
