"""One worker with the real containerd and kubelet, and the real etcd and API server for it to talk to."""

import asyncio

import pytest
from recent import EPOCH

from cluster_engine.api.kinds import CONFIG_MAP, EVENT, NODE, POD, SERVICE_ACCOUNT
from cluster_engine.api.status import NotFound
from cluster_engine.cast import Role, cast
from cluster_engine.client.rest import Client
from cluster_engine.containerd import main as containerd
from cluster_engine.pki.layout import provision
from tests.ears import Ears

POD_CIDR = "10.244.0.0/24"


class Node:
    """What a test may do to a node, and ask about it."""

    def __init__(self, world):
        self.world = world
        self.cast = cast(1)
        hosts = self.cast.of_role(Role.CONTROL_PLANE, Role.WORKER, Role.PERSON)
        self.control_plane, self.host, self.workstation = (world.add_host(one.name, one.address) for one in hosts)
        self.pki = provision(self.cast, world.host, now=world.epoch)
        self.client = None
        self.processes = {}
        world.network.tap = ears = Ears()
        self.noted = ears.noted

    async def start(self, name):
        (one,) = [one for one in self.cast.components if one.program.name == name]
        host = self.world.host(one.host.name)
        process = self.processes[name] = self.world.spawn(host, name, one.program.load())
        await process.wait_ready()

    async def kill(self, name):
        process = self.processes[name]
        process.kill()
        await process.wait()

    async def prepare(self):
        """Do what controllers would: a service account and the cluster's certificate in the namespace."""
        metadata = {"name": "default", "namespace": "default"}
        await self.client.create(SERVICE_ACCOUNT, {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata})
        metadata = {"name": "kube-root-ca.crt", "namespace": "default"}
        config = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"ca.crt": "…"}}
        await self.client.create(CONFIG_MAP, config)

    async def give_range(self):
        await self.client.patch(NODE, "worker-1", {"spec": {"podCIDR": POD_CIDR}}, type="merge")
        await self.until(self.is_ready)

    async def run_pod(self, name, image, *command, until="Running", containers=None, **spec):
        container = {"name": "app", "image": image, **({"command": list(command)} if command else {})}
        pod = {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"nodeName": "worker-1", "containers": containers or [container], **spec},
        }
        await self.client.create(POD, pod)
        if until:
            await self.until(lambda: self.phase_is(name, until))
        return await self.pod(name)

    async def pod(self, name):
        return await self.client.get(POD, name, "default")

    async def phase_is(self, name, phase):
        return (await self.pod(name)).get("status", {}).get("phase") == phase

    async def is_gone(self, name):
        try:
            await self.pod(name)
        except NotFound:
            return True
        return False

    async def node(self):
        return await self.client.get(NODE, "worker-1")

    async def ready(self):
        return next(c for c in (await self.node())["status"]["conditions"] if c["type"] == "Ready")

    async def is_ready(self):
        return (await self.ready())["status"] == "True"

    async def waiting(self, name):
        """Give the reason for which a pod's first container waits, or None."""
        statuses = (await self.pod(name))["status"].get("containerStatuses") or [{}]
        return statuses[0].get("state", {}).get("waiting", {}).get("reason")

    async def events(self, name):
        events = (await self.client.list(EVENT))["items"]
        return [(e["reason"], e["message"], e["count"]) for e in events if e["involvedObject"]["name"] == name]

    async def until(self, question, within_seconds=120):
        """Ask each second until the answer is yes."""
        for _ in range(within_seconds):
            if await question():
                return
            await asyncio.sleep(1)
        raise TimeoutError(f"{question} did not come true within {within_seconds} s")

    def store(self):
        """What containerd has on its disk."""
        return self.host.disk[containerd.STATE]

    def containers(self):
        return list(self.store().containers.values())


@pytest.fixture
def node(run):
    """Run `story(node)` beside a node that is ready (or, with ready=False, has no pod range yet)."""

    def start(story, *, ready=True):
        async def outer(world):
            node = Node(world)
            result = world.loop.create_future()
            for name in ("etcd", "kube-apiserver", "containerd"):
                await node.start(name)

            async def main(process):
                node.client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="test")
                await node.prepare()
                await node.start("kubelet")
                if ready:
                    await node.give_range()
                result.set_result(await story(node))

            process = world.spawn(node.workstation, "test", main)
            await asyncio.wait([result, world.failed], return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                await world.failed
            process.kill()
            return result.result()

        return run(outer, epoch=EPOCH)

    return start
