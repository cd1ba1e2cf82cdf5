"""How fast this machine is now, so that figures of different hours and machines can be compared.

Theory of operation. Machines that are shared run at half their speed for hours. So beside a figure a fixed piece of
work of the same kind is timed, of which it is known how long it took where the figure's reference was measured:
Python (calls and dictionaries), JSON (msgspec) and TLS 1.3 records of 1 KB between two ends in memory, each about a
third of the whole. `slowness` above 1 says that the machine is slower than it was then.

    took = calibrate()                  seconds of real time, about 0.08
    slowness(took)                ->    1.25: a rate measured now would have been a quarter higher then
    around(measure)                     the figure and the slowness while it was taken (before and after it)

Real time, not CPU time: whoever else uses the cores slows both the figure and the work beside it. It is a correction,
not a proof: work that is bound by memory or by system calls slows in another way.
"""

import ssl
import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

T = TypeVar("T")

REFERENCE_SECONDS = 0.077
"""One `calibrate()` on 2026-11-27 while little else ran: AMD EPYC (virtual), 2 cores, Python 3.11.7, OpenSSL 3.0."""

PYTHON_ROUNDS, JSON_ROUNDS, TLS_ROUNDS = 200_000, 10_000, 8_000


def calibrate() -> float:
    """Do the fixed work once; give the real seconds that it took."""
    client, server = _tls_ends()
    began = time.perf_counter()
    _python(PYTHON_ROUNDS)
    _json(JSON_ROUNDS)
    _tls(client, server, TLS_ROUNDS)
    return time.perf_counter() - began


def slowness(seconds: float) -> float:
    """Tell how many times as long as the reference the work took."""
    return seconds / REFERENCE_SECONDS


def around(measure: Callable[[], T]) -> tuple[T, float]:
    """Measure something; give it and how slow the machine was, judged before and after it."""
    before = [calibrate() for _ in range(3)]
    measured = measure()
    after = [calibrate() for _ in range(3)]
    return measured, slowness((statistics.median(before) + statistics.median(after)) / 2)


def _python(rounds: int) -> int:
    table: dict[int, int] = {}

    def step(number: int) -> int:
        table[number & 255] = number
        return table.get(number >> 1 & 255, 0)

    total = 0
    for number in range(rounds):
        total += step(number)
    return total


def _json(rounds: int) -> None:
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web-0", "namespace": "default", "labels": {"app": "web"}, "resourceVersion": "42"},
        "spec": {"containers": [{"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}]}] * 4},
    }
    for _ in range(rounds):
        msgspec.json.decode(msgspec.json.encode(pod))


def _tls(client: "_End", server: "_End", rounds: int) -> None:
    payload = b"x" * 1024
    for _ in range(rounds):
        client.tls.write(payload)
        server.incoming.write(client.outgoing.read())
        server.tls.read(2048)


class _End:
    """One end of a connection in memory."""

    def __init__(self, context: ssl.SSLContext, *, is_server: bool) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=is_server)

    def step(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make both ends' contexts, with a certificate that nobody checks."""
    import tempfile
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "calibration")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = dated.sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        server.load_cert_chain(file.name)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return client, server


def _tls_ends() -> tuple[_End, _End]:
    client_context, server_context = _contexts()
    client, server = _End(client_context, is_server=False), _End(server_context, is_server=True)
    done = False
    while not done:
        done = client.step()
        server.incoming.write(client.outgoing.read())
        done = server.step() and done
        client.incoming.write(server.outgoing.read())
    return client, server


if __name__ == "__main__":
    times = sorted(calibrate() for _ in range(21))
    print(f"median {times[10]:.4f} s, best {times[0]:.4f} s, worst {times[-1]:.4f} s; reference {REFERENCE_SECONDS} s")
