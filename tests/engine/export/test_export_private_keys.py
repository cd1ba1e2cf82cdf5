"""No private key crosses a wire or leaves with an export, but one that somebody has put into a Secret.

A key is looked for by its secret number: as bytes, in hexadecimal, and in base64 within base64, however it is wrapped.
What is searched is every segment as it crossed the wires, all that was spoken inside TLS, and every export.
"""

import base64
import gzip
import re
from collections import defaultdict

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Selection
from cluster_engine.lens import recognition
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

SECRET = "tls.key"
STORY = (
    "machines add",
    "ssh control-plane kubeadm token create --print-join-command > join.sh",
    "ssh worker-2 < join.sh",
    "kubectl wait --for=condition=Ready node/worker-2 --timeout=60s",
    "kubectl create token default",
    "openssl genrsa -out dev.key 2048",
    "openssl req -new -key dev.key -subj /CN=dev -out dev.csr",
    "kubectl config set-credentials dev --client-key=dev.key --embed-certs",
    f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {SECRET} -out tls.crt -subj /CN=shop",
    f"kubectl create secret tls shop --cert=tls.crt --key={SECRET}",
    "kubectl get secret shop -o yaml",
    "kubectl create deployment web --image=nginx",
    "kubectl rollout status deployment web",
)
PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}")
BETWEEN_LINES = re.compile(rb"\\[nr]|\s+")
URL_SAFE = bytes.maketrans(b"-_", b"+/")
WRAPPED_MAX = 3


def unwrapped(data, wrapped=WRAPPED_MAX):
    """Yield the data, and what it is where it is base64, wherever that begins."""
    yield data
    if wrapped == 0:
        return
    for run in BASE64.findall(BETWEEN_LINES.sub(b"", data).translate(URL_SAFE)):
        for begin in range(4):
            whole = run[begin : len(run) - (len(run) - begin) % 4]
            yield from unwrapped(base64.b64decode(whole), wrapped - 1)


def secret_numbers(pem):
    """Return the numbers that are the secret of a key, as bytes."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return [number.to_bytes((number.bit_length() + 7) // 8) for number in (numbers.p, numbers.q, numbers.d)]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return [key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8)]
    return [key.private_bytes_raw()]


def found(places, numbers):
    """Say which of `numbers`, by file, are in which of `places`, by name."""
    texts = {number: [number, number.hex().encode()] for file in numbers for number in numbers[file]}
    return {
        (place, file)
        for place, data in places.items()
        for one in unwrapped(data)
        for file in numbers
        if any(text in one for number in numbers[file] for text in texts[number])
    }


def unpacked(page):
    """Return what the one HTML file has in its script elements."""
    return b"\n".join(gzip.decompress(base64.b64decode(one)) for one in re.findall(rb">(H4sI[A-Za-z0-9+/=\s]+)<", page))


class Heard:
    """A tap that passes everything on, and keeps the bytes."""

    def __init__(self, tap):
        self.tap, self.wires = tap, defaultdict(bytearray)

    def segment(self, segment):
        self.wires[segment.connection, segment.from_client] += segment.payload
        self.tap.segment(segment)

    def __getattr__(self, name):
        return getattr(self.tap, name)


@pytest.fixture(scope="module")
def story():
    """Return the secret numbers by file, the bytes on the wires, what was said inside TLS or in the clear, exports."""
    said = defaultdict(bytearray)
    read = recognition.Guess.data

    def data(self, from_client, chunk, piece):
        said[self._conversation.number, from_client, self._layer] += chunk
        read(self, from_client, chunk, piece)

    async def live():
        cluster = Cluster(ClusterSpec(nodes=1, pace=None, audit=True, system_pods=True), loop)
        heard = cluster.world.network.tap = Heard(cluster.world.network.tap)
        async with cluster:
            for line in STORY:
                out = []
                code = await cluster.command(line, lambda _, text, out=out: out.append(text))
                assert code == 0, (line, out)
            numbers = {
                f"{name}:{path}": [number for pem in pems for number in secret_numbers(pem)]
                for name, host in cluster.world.network.hosts.items()
                for path in host.files.below("/")
                if (pems := {pem for one in unwrapped(host.files.read(path), 2) for pem in PEM.findall(one)})
            }
            exports = {
                name: b"".join(write(cluster.journal, Selection(), Context(1))) for name, write in FORMATS.items()
            }
            return numbers, {"wires": b"|".join(heard.wires.values())}, {"said": b"|".join(said.values())}, exports

    loop = ClusterLoop(Clock())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recognition.Guess, "data", data)
        try:
            return loop.run_until_complete(live())
        finally:
            loop.close()


@pytest.fixture(scope="module")
def secret(story):
    """The key that a Secret has, and therefore etcd's database."""
    return {SECRET: next(numbers for file, numbers in story[0].items() if file.endswith(f"/{SECRET}"))}


@pytest.fixture(scope="module")
def kept(story, secret):
    """Keys that are nobody's but their file's."""
    return {file: numbers for file, numbers in story[0].items() if numbers != secret[SECRET]}


def test_the_keys_of_authorities_components_and_kubeconfigs_are_looked_for(kept):
    files = " ".join(kept)
    for name in ("ca.key", "etcd/ca.key", "front-proxy-ca.key", "sa.key", "apiserver.key", "admin.conf", "dev.key"):
        assert f"/{name}" in files
    assert "worker-2:/var/lib/kubelet/pki/" in files


def test_no_key_of_the_clusters_own_is_on_a_wire_or_said_within_tls(story, kept):
    _, wires, said, _ = story
    assert found(wires | said, kept) == set()


@pytest.mark.long
def test_no_export_has_a_key_of_the_clusters_own(story, kept):
    exports = story[3]
    assert found(exports | {"html": unpacked(exports["html"])}, kept) == set()


@pytest.mark.long
def test_the_key_in_a_secret_is_said_within_tls_and_crosses_no_wire_in_the_open(story, secret):
    _, wires, said, exports = story
    assert found(said, secret) == {("said", SECRET)}
    assert found(wires, secret) == set()
    shown = {name: exports[name] for name in ("pcapng", "jsonl", "mermaid", "otlp", "audit", "keylog")}
    assert found(shown, secret) == set()
    assert found({"html": unpacked(exports["html"])}, secret) == {("html", SECRET)}
