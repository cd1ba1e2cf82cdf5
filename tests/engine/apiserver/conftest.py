"""A world with etcd and an API server in it, and clients of many kinds that talk to it over real TLS."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpcore
import pytest
from apiserver_objects import pod

from cluster_engine.apiserver import main as apiserver
from cluster_engine.apiserver.authentication.x509 import ClientCertificates
from cluster_engine.apiserver.serving.exchange import Response
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.cast import PKI, cast
from cluster_engine.etcd import server as etcd
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.pki.layout import provision
from cluster_engine.world.process import Host
from cluster_engine.world.tls import ServerTLS, client_tls

URL = "https://10.0.0.1:6443"
PODS = "/api/v1/namespaces/default/pods"


class Answer:
    """What came back: `code`, `headers` (lower-case), `raw` and, where it is JSON, `body`."""

    def __init__(self, code, headers, raw):
        self.code = code
        self.headers = {name.decode().lower(): value.decode() for name, value in headers}
        self.raw = raw

    @property
    def body(self):
        return json.loads(self.raw)

    def __repr__(self):
        return f"{self.code} {self.raw[:300]!r}"


class Person:
    """A client with an identity; HTTP/2 unless told otherwise."""

    def __init__(self, tls, *, http2=True, token=None):
        self.pool = httpcore.AsyncConnectionPool(ssl_context=tls, http2=http2, http1=not http2, keepalive_expiry=600)
        self._headers = [("Host", "10.0.0.1:6443"), ("User-Agent", "test/1")]
        if token:
            self._headers.append(("Authorization", f"Bearer {token}"))

    async def ask(self, method, path, body=None, *, content_type="application/json", headers=(), accept=None):
        sent = [*self._headers, *headers]
        if accept:
            sent.append(("Accept", accept))
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent += [("Content-Type", content_type), ("Content-Length", str(len(content)))]
        answer = await self.pool.request(method, URL + path, headers=sent, content=content)
        return Answer(answer.status, answer.headers, answer.content)

    async def get(self, path, **options):
        return await self.ask("GET", path, **options)

    async def post(self, path, body, **options):
        return await self.ask("POST", path, body, **options)

    async def put(self, path, body, **options):
        return await self.ask("PUT", path, body, **options)

    async def delete(self, path, body=None, **options):
        return await self.ask("DELETE", path, body, **options)

    async def patch(self, path, body, kind="merge"):
        types = {"merge": "merge-patch", "strategic": "strategic-merge-patch", "json": "json-patch"}
        return await self.ask("PATCH", path, body, content_type=f"application/{types[kind]}+json")

    @asynccontextmanager
    async def watch(self, path, accept=None):
        headers = [*self._headers, *([("Accept", accept)] if accept else [])]
        async with self.pool.stream("GET", URL + path, headers=headers) as answer:
            yield Watch(answer)


class Watch:
    """An open watch: `await next()` gives the next event, None at the end."""

    def __init__(self, answer):
        self.code = answer.status
        self._chunks = answer.aiter_stream()
        self._text = b""

    async def next(self):
        while b"\n" not in self._text:
            try:
                self._text += await anext(self._chunks)
            except StopAsyncIteration:
                return None
        line, _, self._text = self._text.partition(b"\n")
        return json.loads(line)

    async def take(self, count):
        return [await self.next() for _ in range(count)]

    async def silent_for(self, seconds):
        """True when nothing comes for that long. The watch cannot be used afterwards if something was under way."""
        try:
            async with asyncio.timeout(seconds):
                await self.next()
        except TimeoutError:
            return True
        return False


class ControlPlane:
    """etcd and kube-apiserver on host control-plane."""

    def __init__(self, world, files, authority):
        self.world = world
        self.host = world.add_host("control-plane", "10.0.0.1")
        for path, data in files.items():
            self.host.files.write(path, data)
        self.authority = authority
        self._people = []

    async def start_etcd(self):
        self.etcd = self.world.spawn(self.host, "etcd", etcd.main)
        await self.etcd.wait_ready()

    async def start(self, main=apiserver.main, *flags):
        """Start the API server; with flags on its command line instead of none."""
        self.process = self.world.spawn(self.host, "kube-apiserver", main)
        if flags:
            self.process.argv = ("kube-apiserver", *flags)
        await self.process.wait_ready()

    def person(self, name="kubernetes-super-admin", groups=("system:masters",), **options):
        """A client by certificate of the cluster's CA."""
        pair = self.authority.issue(name, organizations=list(groups), usage=Usage.CLIENT)
        return self.stranger(pair, **options)

    def stranger(self, pair=None, *, http2=True, token=None):
        """A client with some certificate, or none."""
        ca = self.host.files.read(f"{PKI}/ca.crt")
        alpn = ("h2",) if http2 else ("http/1.1",)
        if pair is None:
            tls = client_tls(ca=ca, alpn=alpn)
        else:
            tls = client_tls(ca=ca, certificate=pair.certificate, key=pair.key, alpn=alpn)
        person = Person(tls, http2=http2, token=token)
        self._people.append(person)
        return person

    async def create_default_account(self, admin, namespace="default"):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        return await admin.post(path, {"metadata": {"name": "default"}})

    async def goodbye(self):
        for person in self._people:
            await person.pool.aclose()


@pytest.fixture(scope="session")
def pki_files():
    """All of a control plane's certificates, made once."""
    alone = cast(0)
    hosts = {one.name: Host(one.name, one.address) for one in alone.hosts}
    pki = provision(alone, hosts.__getitem__, now=datetime.now(UTC))
    files = hosts["control-plane"].files
    return {path: files.read(path) for path in list(files._files)}, pki.cluster


@pytest.fixture(scope="session")
def foreign_authority(pki_files):
    """A certificate authority that the cluster does not know, as old as its own."""
    return Authority("kubernetes", now=pki_files[1].now)


@pytest.fixture
def run_api(run, pki_files):
    """Run `story(plane)` in a world whose API server is up."""

    def run_story(story, *, started=True, **options):
        async def with_plane(world):
            plane = ControlPlane(world, *pki_files)
            if started:
                await plane.start_etcd()
                await plane.start()
            try:
                return await story(plane)
            finally:
                await plane.goodbye()

        return run(with_plane, epoch=datetime.now(UTC), **options)

    return run_story


NODE = {
    "metadata": {"name": "n1"},
    "status": {
        "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.0.0.11"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    },
}


class Kubelet:
    """A kubelet's port that says what a test wants said."""

    def __init__(self, plane, authority):
        self.plane = plane
        self.pair = authority.issue("n1", usage=Usage.SERVER, names=["n1", "10.0.0.11"])
        self.asked = []
        self.writers = []
        self.answer = Response(200, "text/plain", b"line 1\nline 2\n")

    async def start(self):
        host = self.plane.world.add_host("n1", "10.0.0.11")
        self.process = self.plane.world.spawn(host, "kubelet", self.main)
        await self.process.wait_ready()

    async def main(self, process):
        ca = self.plane.authority.pair.certificate
        self.certificates = ClientCertificates(ca)
        tls = ServerTLS(self.pair.certificate, self.pair.key, client_ca=ca, client_auth="request")
        async with Listener(process, self.serve) as listener:
            await listener.listen("10.0.0.11", 10250, tls)
            process.ready()
            await asyncio.get_running_loop().create_future()

    async def serve(self, request):
        user = self.certificates.user(request.peer.certificates, datetime.now(UTC))
        self.asked.append((user.name, request.path, request.query))
        self.headers = request.headers
        return self.answer

    async def follow(self, writer):
        self.writers.append(writer)
        await asyncio.get_running_loop().create_future()


@pytest.fixture
def run_logs(run_api, foreign_authority):
    """Run `story(plane, admin, kubelet)` with a pod bound to a node whose kubelet answers."""

    def run_story(story):
        async def with_kubelet(plane):
            admin = plane.person()
            await plane.create_default_account(admin)
            assert (await admin.post("/api/v1/nodes", NODE)).code == 201
            assert (await admin.post(PODS, pod("web-0"))).code == 201
            assert (await admin.post(f"{PODS}/web-0/binding", {"target": {"kind": "Node", "name": "n1"}})).code == 201
            kubelet = Kubelet(plane, foreign_authority)
            await kubelet.start()
            await story(plane, admin, kubelet)

        run_api(with_kubelet)

    return run_story
