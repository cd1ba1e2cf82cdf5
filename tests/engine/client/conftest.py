"""A server that speaks HTTP/2 over the world's TLS and says what a test tells it to."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import h2.config
import h2.connection
import h2.events
import msgspec
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster_engine.world.tls import ServerTLS

ADDRESS, PORT = "10.0.0.1", 6443
CONFIG = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")


class Request(SimpleNamespace):
    """One request as it came: method, path, headers, body; and how to answer it."""

    server: "FakeConnection"
    stream: int

    def respond(self, status: int, obj: Any = None, headers: dict[str, str] | None = None, *, end: bool = True) -> None:
        body = b"" if obj is None else msgspec.json.encode(obj)
        self.server.state.send_headers(self.stream, [(":status", str(status)), *(headers or {}).items()])
        if body or end:
            self.server.state.send_data(self.stream, body, end_stream=end)
        self.server.flush()

    def say(self, *events: tuple[str, Any]) -> None:
        lines = b"".join(msgspec.json.encode({"type": type_, "object": obj}) + b"\n" for type_, obj in events)
        self.server.state.send_data(self.stream, lines)
        self.server.flush()

    def end(self) -> None:
        self.server.state.end_stream(self.stream)
        self.server.flush()

    def go_away(self, last_stream: int) -> None:
        self.server.state.close_connection(last_stream_id=last_stream)
        self.server.flush()
        self.server.state.state_machine.state = h2.connection.ConnectionState.SERVER_OPEN  # others may go on

    def reset(self, code: int = 8) -> None:
        self.server.state.reset_stream(self.stream, code)
        self.server.flush()


class FakeConnection(asyncio.Protocol):
    def __init__(self, fake: "FakeServer") -> None:
        self.fake = fake
        self.state = h2.connection.H2Connection(config=CONFIG)
        self.open: dict[int, Request] = {}
        fake.connections.append(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.state.initiate_connection()
        if self.fake.streams_max:
            self.state.update_settings({3: self.fake.streams_max})
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.fake.deaf:
            return
        for event in self.state.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = dict(event.headers)
                request = Request(server=self, stream=event.stream_id, headers=headers, body=b"")
                request.method, request.path = headers[":method"], headers[":path"]
                self.open[event.stream_id] = request
            elif isinstance(event, h2.events.DataReceived):
                self.open[event.stream_id].body += event.data
                self.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                request = self.open[event.stream_id]
                self.fake.requests.append(request)
                self.fake.answer(request)
            elif isinstance(event, h2.events.StreamReset):
                self.fake.resets.append((event.stream_id, int(event.error_code)))
            elif isinstance(event, h2.events.PingReceived):
                self.fake.pings += 1
        self.flush()

    def flush(self) -> None:
        if data := self.state.data_to_send():
            self.transport.write(data)

    def eof_received(self) -> None:
        pass

    def connection_lost(self, error: Exception | None) -> None:
        self.fake.lost += 1


class FakeServer:
    """Told what to answer by `answer`; keeps what it was asked."""

    def __init__(self, answer: Callable[[Request], None], tls: ServerTLS) -> None:
        self.answer = answer
        self.tls = tls
        self.requests: list[Request] = []
        self.connections: list[FakeConnection] = []
        self.resets: list[tuple[int, int]] = []
        self.pings = 0
        self.lost = 0
        self.deaf = False
        self.streams_max = 0

    async def main(self, process: Any) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: FakeConnection(self), ADDRESS, PORT, ssl=self.tls)
        process.ready()
        await asyncio.Event().wait()


def _certificate(name: str, issuer: Any, key: Any, signing_key: Any, *, is_ca: bool) -> Any:
    def subject(common_name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(subject(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(ADDRESS))]), critical=False)
    )
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture(scope="session")
def credentials() -> dict[str, bytes]:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    return {
        "ca": _certificate("ca", "ca", keys[0], keys[0], is_ca=True),
        "server": _certificate("server", "ca", keys[1], keys[0], is_ca=False),
        "server_key": _pem(keys[1]),
        "client": _certificate("client", "ca", keys[2], keys[0], is_ca=False),
        "client_key": _pem(keys[2]),
    }


@pytest.fixture
def kubeconfig(credentials: dict[str, bytes]) -> bytes:
    def data(name: str) -> str:
        return base64.b64encode(credentials[name]).decode()

    return yaml.safe_dump(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [
                {
                    "name": "k",
                    "cluster": {"server": f"https://{ADDRESS}:{PORT}", "certificate-authority-data": data("ca")},
                }
            ],
            "users": [
                {
                    "name": "u",
                    "user": {"client-certificate-data": data("client"), "client-key-data": data("client_key")},
                }
            ],
        }
    ).encode()


@pytest.fixture
def fake(credentials: dict[str, bytes]) -> Callable[[Callable[[Request], None]], FakeServer]:
    def make(answer: Callable[[Request], None]) -> FakeServer:
        tls = ServerTLS(
            credentials["server"], credentials["server_key"], client_ca=credentials["ca"], client_auth="request"
        )
        return FakeServer(answer, tls)

    return make


@pytest.fixture
def with_client(run: Any, kubeconfig: bytes, fake: Any) -> Callable[..., Any]:
    """Run `story(world, client, server)` with a client on a host of its own and a server that answers by `answer`."""

    def tell(answer: Callable[[Request], None], story: Any, *, deaf: bool = False, streams_max: int = 0) -> Any:
        from cluster_engine.client import Client

        async def whole(world: Any) -> Any:
            server = fake(answer)
            server.deaf, server.streams_max = deaf, streams_max
            await world.spawn(world.add_host("control-plane", ADDRESS), "kube-apiserver", server.main).wait_ready()
            host = world.add_host("worker-1", "10.0.0.11")
            host.files.write("/config", kubeconfig)
            done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

            async def main(process: Any) -> None:
                client = Client.from_kubeconfig(process, "/config", user_agent="test")
                done.set_result(await story(world, client, server))

            process = world.spawn(host, "client", main)
            await process.wait()
            return done.result()

        return run(whole)

    return tell
