"""The two targets that need a world around them: what is typed on a workstation, and what is called on etcd.

A case is a session of several lines or calls, so that it can be played again by itself.
"""

import asyncio
import random
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.fuzz import making
from tests.recent import EPOCH

LINES_MAX = 12
CALLS_MAX = 30
LINE_SECONDS_MAX = 60
"""Of the cluster's time; then Ctrl-C."""

WORDS = (
    "pods", "deploy/web", "nodes", "worker-1", "node/worker-1", "svc", "all", "cm", "secrets", "-", "--", "a=b",
    "a-", "web", "nginx",
    "default", "kube-system", "a:NoSchedule", "deployments.apps", "/api/v1/pods?limit=2", "x/y/z", "web.yaml",
    "config.yaml", "odd",
)  # fmt: skip
VALUES = ("yaml", "json", "name", "wide", "jsonpath={..name}", "custom-columns=A:.metadata.name", "app=web", "5s",
          "1", "-1", "odd",
          "web.yaml", "client", "server", "condition=Ready", "{.items[*]}", "a", "kubectl", "merge")  # fmt: skip
OTHERS = (
    "echo",
    "cat",
    "ls",
    "rm",
    "date",
    "help",
    "true",
    "false",
    "hostname",
    "frobnicate",
    "k get nodes",
    "ls -a /",
    "cat /root/odd",
    "A=b",
    "echo $A ${A:-$(date)} `ls` $((1+$A))",
    "for i in a $(ls) *; do echo $i",
    "done",
    "while true; do",
    "if [ -f odd ]; then",
    "fi",
    "sh -c",
    "sudo",
    "ssh worker-1",
    "exit",
    "cd /",
    "cat <<EOF\n$A\nEOF\n",
    "(",
    ")",
    "wait",
    "sleep 1 &",
    "f() {",
    "f a b",
    "return 3",
    "local A=1",
    "case $A in a*|[!b]) echo ;;",
    "esac",
    "set -eu",
    "set -- a 'b c' $A",
    "shift",
    "read -r A B",
    "echo ${A%%.*} ${A##*[a-z]}",
    'for i in "$@"; do echo $i; done',
    "eval",
    ". f",
    "chmod 755 f",
    "./f",
)
FILTERS = (
    "grep a",
    "grep -E '(a+)+$'",
    "grep -c",
    "head -1",
    "tail -n +2",
    "sort -r",
    "wc -l",
    "grep '['",
    "less",
    "head -n x",
    "while read -r a b; do echo $b; done",
    "kubectl apply -f -",
    "sh",
    "ssh worker-1 cat",
)
JOINTS = (" ; ", " && ", " || ", " | ", " > f ", " >> f ", " & ", " < f", "\n")


def make_session(rng: random.Random) -> tuple[str, list[str]]:
    """The content of the file `odd`, and lines."""
    from tests.fuzz.targets import make_yaml

    return make_yaml(rng), [_line(rng) for _ in range(rng.randrange(3, LINES_MAX))]


def _line(rng: random.Random) -> str:
    parts = [_command(rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    line = rng.choice(JOINTS).join(parts)
    for _ in range(rng.choice((0, 0, 1, 2))):
        line += f" | {rng.choice(FILTERS)}"
    if rng.random() < 0.2:
        line += rng.choice((" > f", " >> /tmp/x", " > odd", " > /", " > ''", " 2>&1", " < odd", " <<< $A"))
    line = making.spoiled_text(rng, line)[:8000] if rng.random() < 0.15 else line
    return line.encode("utf-8", "replace").decode()  # no socket lets half a surrogate pair through


def _command(rng: random.Random) -> str:
    from cluster_engine.programs.kubectl.main import COMMANDS

    if rng.random() < 0.15:
        return f"{rng.choice(OTHERS)} {_quoted(rng, making.text(rng, WORDS)) if rng.random() < 0.5 else ''}"
    name = rng.choice(list(COMMANDS))
    words = ["kubectl", name]
    words += [
        _quoted(rng, making.text(rng, WORDS) if rng.random() < 0.2 else rng.choice(WORDS))
        for _ in range(rng.randrange(4))
    ]
    flags = [flag for flag in COMMANDS[name].flags if flag.name not in ("watch", "watch-only", "follow")]
    for flag in rng.choices(flags, k=rng.randrange(3)) if flags else ():
        value = making.text(rng, VALUES) if rng.random() < 0.2 else rng.choice(VALUES)
        words.append(f"--{flag.name}" if flag.kind == "bool" else f"--{flag.name}={_quoted(rng, value)}")
    return " ".join(words)


def _quoted(rng: random.Random, word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'" if rng.random() < 0.9 else word


class Session:
    """A cluster at rest, on whose workstation one case is typed. Its process may fork before: each fork has its own."""

    def __init__(self) -> None:
        from cluster_engine.world.clock import Clock
        from cluster_engine.world.loop import ClusterLoop

        self._loop = ClusterLoop(Clock(None))
        self._at_rest: asyncio.Future[None] = self._loop.create_future()
        self._case: asyncio.Future[tuple[str, list[str]]] = self._loop.create_future()
        self._life = self._loop.create_task(self._live())
        self._loop.run_until_complete(asyncio.wait([self._life, self._at_rest], return_when=asyncio.FIRST_COMPLETED))

    def play(self, case: tuple[str, list[str]]) -> None:
        """Type the lines, then stop the cluster. AssertionError for a bug that the shell tells of."""
        self._case.set_result(case)
        try:
            self._loop.run_until_complete(self._life)
        finally:
            self._loop.wind_up()

    async def _live(self) -> None:
        from cluster_engine.cluster import Cluster, ClusterSpec

        cluster = Cluster(ClusterSpec(pace=None, epoch=EPOCH), self._loop)
        cluster.world.is_strict = True
        async with cluster:
            self._at_rest.set_result(None)
            told = asyncio.ensure_future(_type(cluster, *await self._case))
            await asyncio.wait([told, cluster.world.failed], return_when=asyncio.FIRST_COMPLETED)
            if not told.done():
                await cluster.world.failed
            told.result()


def take_session(case: tuple[str, list[str]]) -> None:
    """Type the lines on the workstation of a new cluster."""
    Session().play(case)


async def _type(cluster: Any, odd: str, lines: list[str]) -> None:
    from cluster_engine.world.bugs import APOLOGY

    cluster.world.host("workstation").files.write("/root/odd", odd.encode("utf-8", "replace"))
    for line in lines:
        out: list[str] = []
        running = asyncio.ensure_future(cluster.command(line, lambda stream, text: out.append(text)))  # noqa: B023
        try:
            code = await asyncio.wait_for(asyncio.shield(running), LINE_SECONDS_MAX)
        except TimeoutError:
            running.cancel()
            await asyncio.wait([running])
            code = 130
        said = "".join(out)
        assert APOLOGY not in said, f"{line!r}: {said[-500:]}"
        assert code in range(256), f"{line!r} ended with {code}"


# -- etcd --------------------------------------------------------------------------------------------------------------


def make_calls(rng: random.Random) -> list[tuple[str, bytes]]:
    """Paths of methods, and what is sent to each."""
    return [_call(rng) for _ in range(rng.randrange(1, CALLS_MAX))]


@cache
def _methods() -> dict[str, Any]:
    from cluster_engine.rpc import etcd_pb2

    services = etcd_pb2.DESCRIPTOR.services_by_name.values()
    return {f"/{service.full_name}/{method.name}": method for service in services for method in service.methods}


def _call(rng: random.Random) -> tuple[str, bytes]:
    path = rng.choice(list(_methods()))
    message = _message(rng, _methods()[path].input_type, 3)
    raw = message.SerializeToString()
    return path, making.spoiled_bytes(rng, raw) if rng.random() < 0.3 else raw


def _message(rng: random.Random, descriptor: Any, depth: int) -> Any:
    from google.protobuf import message_factory

    made = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if rng.random() < 0.4:
            continue
        values = [_field(rng, field, depth) for _ in range(rng.randrange(4) if field.is_repeated else 1)]
        for one in values:
            if one is None:
                continue
            if field.is_repeated:
                target = getattr(made, field.name)
                target.append(one)
            elif field.message_type is not None:
                getattr(made, field.name).CopyFrom(one)
            else:
                setattr(made, field.name, one)
    return made


def _field(rng: random.Random, field: Any, depth: int) -> Any:
    if field.message_type is not None:
        return _message(rng, field.message_type, depth - 1) if depth else None
    if field.enum_type is not None:
        return rng.choice([one.number for one in field.enum_type.values])
    if field.type == field.TYPE_BYTES:
        return rng.choice((b"", b"\0", b"a", b"b", b"/registry/pods/", b"\xff" * 3, b"x" * 10_000))
    if field.type == field.TYPE_STRING:
        return rng.choice(("", "a", "é", "x" * 1000))
    if field.type == field.TYPE_BOOL:
        return rng.random() < 0.5
    signed = field.type in (field.TYPE_INT64, field.TYPE_INT32, field.TYPE_SINT64)
    small = field.type in (field.TYPE_INT32, field.TYPE_UINT32)
    return rng.choice((0, 1, 2, 3, 7, 2**31 - 1, *((-1,) if signed else ()), *(() if small else (2**62, 2**63 - 1))))


class Raw:
    """A message that is only its bytes."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def SerializeToString(self) -> bytes:
        return self.raw

    FromString = classmethod(lambda cls, raw: cls(raw))


def take_calls(case: list[tuple[str, bytes]]) -> None:
    """Call an etcd; it answers or refuses with a status of its own, and lives on."""
    from cluster_engine.etcd import server
    from cluster_engine.rpc.endpoints import Channel
    from cluster_engine.world.story import run_story
    from cluster_engine.world.tls import client_tls

    files = _files()

    async def story(world: Any) -> None:
        host = world.add_host("control-plane", "10.0.0.1")
        for path, data in files.items():
            host.files.write(path, data)
        process = world.spawn(host, "etcd", server.main)
        await process.wait_ready()
        pair = {"certificate": files["/client.crt"], "key": files["/client.key"]}
        tls = client_tls(ca=files[f"{server.PKI}/ca.crt"], alpn=["h2"], **pair)
        channel = Channel("10.0.0.1", 2379, ssl=tls)
        for path, raw in case:
            await _ask(channel, path, raw)
        channel.close()
        assert process.exit_code is None, "etcd has ended"

    run_story(story)


async def _ask(channel: Any, path: str, raw: bytes) -> None:
    from grpclib.const import Cardinality
    from grpclib.exceptions import GRPCError, StreamTerminatedError

    method = _methods()[path]
    streams = method.client_streaming or method.server_streaming
    cardinality = Cardinality.STREAM_STREAM if streams else Cardinality.UNARY_UNARY
    try:
        async with asyncio.timeout(5), channel.request(path, cardinality, Raw, Raw) as stream:
            await stream.send_message(Raw(raw), end=True)
            while await stream.recv_message() is not None:
                pass
    except GRPCError as error:
        assert error.message != "Internal Server Error", f"{path} {raw!r}"
    except (TimeoutError, StreamTerminatedError, ConnectionError):
        return


@cache
def _files() -> dict[str, bytes]:
    """Certificates as kubeadm would lay them out, made once."""
    from cluster_engine.etcd import server
    from cluster_engine.pki.authority import Authority, Usage

    authority = Authority("etcd-ca", now=datetime.now(UTC))
    serving = authority.issue("control-plane", usage=Usage.BOTH, names=["control-plane", "10.0.0.1"])
    client = authority.issue("kube-apiserver-etcd-client", usage=Usage.CLIENT)
    return {
        f"{server.PKI}/ca.crt": authority.pair.certificate,
        f"{server.PKI}/server.crt": serving.certificate,
        f"{server.PKI}/server.key": serving.key,
        "/client.crt": client.certificate,
        "/client.key": client.key,
    }
