"""Three members of etcd in a world of their own, each to be killed, cut off and started again, and clients of them."""

import asyncio
from contextlib import asynccontextmanager

from cluster_engine.cast import cast
from cluster_engine.etcd.client import EtcdClient
from cluster_engine.etcd.store import DATA_DIRECTORY
from cluster_engine.pki.layout import PKI
from cluster_engine.world.tls import client_tls


class Members:
    """The members of one cluster by the names of their hosts, in order."""

    def __init__(self, world, files):
        self.world = world
        self.cast = cast(1, etcd_members=3)
        self.components = [one for one in self.cast.components if one.program.name == "etcd"]
        self.hosts = [one.host for one in self.components]
        for host in self.hosts:
            made = world.add_host(host.name, host.address)
            for path, data in files.get(host.name, {}).items():
                made.files.write(path, data)
        self.processes = {}

    @property
    def names(self):
        return [host.name for host in self.hosts]

    def host(self, name):
        return self.world.host(name)

    def start(self, name):
        one = next(one for one in self.components if one.host.name == name)
        process = self.world.spawn(self.host(name), "etcd", one.program.load())
        process.argv = one.argv
        self.processes[name] = process
        return process

    async def start_all(self):
        await asyncio.gather(*[self.start(name).wait_ready() for name in self.names])

    async def kill(self, name):
        self.processes[name].kill()
        await self.processes[name].wait()

    def cut_off(self, name):
        """Cut a member off from all others; clients still reach it."""
        for other in self.names:
            if other != name:
                self.world.network.partition(name, other)

    def join(self, name):
        for other in self.names:
            if other != name:
                self.world.network.heal(name, other)

    def store(self, name):
        return self.host(name).disk[DATA_DIRECTORY]

    @asynccontextmanager
    async def client(self, *names):
        """A client on the control plane of these members, of all when none is named."""
        files = self.host("control-plane").files
        stem = f"{PKI}/etcd/healthcheck-client"
        tls = client_tls(
            ca=files.read(f"{PKI}/etcd/ca.crt"),
            certificate=files.read(f"{stem}.crt"),
            key=files.read(f"{stem}.key"),
            alpn=["h2"],
        )
        endpoints = [(host.address, 2379) for host in self.hosts if not names or host.name in names]
        client = EtcdClient(endpoints, tls)
        try:
            yield client
        finally:
            await client.aclose()

    async def status(self, name):
        async with self.client(name) as client:
            return await client.status()

    async def leader(self):
        """The name of the member that leads, as the first one that knows a leader tells it."""
        for name in self.names:
            if self.processes[name].is_ready and self.processes[name].is_alive:
                status = await self.status(name)
                if status.leader:
                    return next(one.name for one in self.store(name).members if one.id == status.leader)
        return None

    async def followers(self):
        leader = await self.leader()
        return [name for name in self.names if name != leader]

    async def settle(self):
        """Wait until all that run have carried out the same."""
        for _ in range(100):
            await asyncio.sleep(0.1)
            running = [self.store(name) for name in self.names if self.processes[name].is_alive]
            if len({one.raft_index for one in running}) == 1:
                return
        raise AssertionError("the members do not come to the same")
