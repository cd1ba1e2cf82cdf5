"""A world with one etcd in it, and a client that may talk to it."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from cluster_engine.cast import cast
from cluster_engine.etcd import server
from cluster_engine.etcd.client import EtcdClient
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.pki.layout import provision
from cluster_engine.world.process import Host
from cluster_engine.world.tls import client_tls
from tests.engine.etcd.etcd_members import Members

NAMES = ["control-plane", "10.0.0.1", "localhost", "127.0.0.1"]


class Etcd:
    """An etcd on host control-plane of a world, to be started, killed and talked to."""

    def __init__(self, world, files):
        self.host = world.add_host("control-plane", "10.0.0.1")
        self._world = world
        for path, data in files.items():
            self.host.files.write(path, data)
        self.process = None

    async def start(self):
        self.process = self._world.spawn(self.host, "etcd", server.main)
        await self.process.wait_ready()

    async def kill(self):
        """End it, and wait until its clients have heard."""
        self.process.kill()
        await self.process.wait()
        await asyncio.sleep(0.01)

    def tls(self, pair=None):
        files = self.host.files
        ca = files.read(f"{server.PKI}/ca.crt")
        if pair is None:
            return client_tls(ca=ca, certificate=files.read("/client.crt"), key=files.read("/client.key"), alpn=["h2"])
        return client_tls(ca=ca, certificate=pair.certificate, key=pair.key, alpn=["h2"])

    @asynccontextmanager
    async def client(self, pair=None):
        client = EtcdClient([("10.0.0.1", 2379)], self.tls(pair))
        try:
            yield client
        finally:
            await client.aclose()


@pytest.fixture(scope="session")
def etcd_files():
    """Certificates as kubeadm would lay them out, made once."""
    authority = Authority("etcd-ca", now=datetime.now(UTC))
    serving = authority.issue("control-plane", usage=Usage.BOTH, names=NAMES)
    client = authority.issue("kube-apiserver-etcd-client", usage=Usage.CLIENT)
    return {
        f"{server.PKI}/ca.crt": authority.pair.certificate,
        f"{server.PKI}/server.crt": serving.certificate,
        f"{server.PKI}/server.key": serving.key,
        "/client.crt": client.certificate,
        "/client.key": client.key,
    }


@pytest.fixture
def run_etcd(run, etcd_files):
    """Run `story(world, etcd)` in a world whose etcd is up."""

    def run_story(story, **options):
        async def with_etcd(world):
            etcd = Etcd(world, etcd_files)
            await etcd.start()
            return await story(world, etcd)

        return run(with_etcd, **options)

    return run_story


@pytest.fixture(scope="session")
def members_files():
    """The files of every host of a cluster with three members, made once."""
    hosts = {}

    def host(name):
        return hosts.setdefault(name, Host(name, ""))

    made = cast(1, etcd_members=3)
    provision(made, host, now=datetime.now(UTC))
    return {name: {path: one.files.read(path) for path in one.files.below("/")} for name, one in hosts.items()}


@pytest.fixture
def run_members(run, members_files):
    """Run `story(world, members)` in a world whose three members have agreed on a leader."""

    def run_story(story, **options):
        async def with_members(world):
            members = Members(world, members_files)
            await members.start_all()
            return await story(world, members)

        return run(with_members, **options)

    return run_story
