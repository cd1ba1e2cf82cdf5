"""A host with containerd, and a client of its socket."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import pytest
from grpclib.client import Channel

from cluster_engine.containerd import main as containerd
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.rpc.grpc import call

CIDR = "10.244.1.0/24"


class Node:
    """A host with containerd, and a client of its socket."""

    def __init__(self, world):
        self.world = world
        self.host = world.add_host("worker-1", "10.0.0.11")
        self.process = None
        self.channel = None

    async def start(self, *, cidr=CIDR):
        self.process = self.world.spawn(self.host, "containerd", containerd.main)
        await self.process.wait_ready()
        if cidr:
            config = cri.RuntimeConfig(network_config=cri.NetworkConfig(pod_cidr=cidr))
            await self("UpdateRuntimeConfig", runtime_config=config)
        return self

    async def __call__(self, name, **fields):
        return await _method(self.channel, name)(_request(name)(**fields))

    async def sandbox(self, name="web-0", uid="u1"):
        metadata = cri.PodSandboxMetadata(name=name, namespace="default", uid=uid)
        config = cri.PodSandboxConfig(
            metadata=metadata, hostname=name, log_directory=f"/var/log/pods/default_{name}_{uid}"
        )
        return (await self("RunPodSandbox", config=config)).pod_sandbox_id

    async def container(self, sandbox, image, *command, args=(), start=True, attempt=0, linux=None, mounts=(), **env):
        await self("PullImage", image=cri.ImageSpec(image=image))
        linux = linux or cri.LinuxContainerConfig()
        linux.security_context.namespace_options.pid = cri.CONTAINER
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name="app", attempt=attempt),
            image=cri.ImageSpec(image=image, user_specified_image=image),
            command=command,
            args=args,
            envs=[cri.KeyValue(key=key, value=value) for key, value in env.items()],
            log_path=f"app/{attempt}.log",
            linux=linux,
            mounts=mounts,
        )
        id_ = (await self("CreateContainer", pod_sandbox_id=sandbox, config=config)).container_id
        if start:
            await self("StartContainer", container_id=id_)
        return id_

    def open(self, name):
        return _method(self.channel, name).open()

    async def seconds(self, seconds):
        await asyncio.sleep(seconds)

    async def restart(self, *, away=0.0):
        self.process.kill()
        await self.process.wait()
        await asyncio.sleep(away)
        await self.start()
        await asyncio.sleep(0.01)

    async def ran(self, image, command=(), args=(), *, seconds=100.0, **env):
        """Run a container of an image for so long; return what could be seen of it."""
        sandbox = await self.sandbox()
        id_ = await self.container(sandbox, image, *command, args=args, **env)
        await asyncio.sleep(seconds)
        return _told(await self.status(id_), self.log())

    async def status(self, id_):
        return (await self("ContainerStatus", container_id=id_)).status

    def log(self, name="web-0", uid="u1", attempt=0):
        path = f"/var/log/pods/default_{name}_{uid}/app/{attempt}.log"
        return self.host.files.read(path).decode() if self.host.files.exists(path) else ""


@dataclass(frozen=True)
class Ran:
    """What could be seen of a container: its lines with the seconds since its start, and its end, if it had one."""

    lines: list
    ends_at: float | None
    exit_code: int
    reason: str

    @property
    def texts(self):
        return [text for _, text, _ in self.lines]


def _told(status, log):
    lines = []
    for line in log.splitlines():
        time, stream, _, text = line.split(" ", 3)
        at = datetime.fromisoformat(f"{time[:26]}+00:00").timestamp() - status.started_at / 1e9
        lines.append((round(at, 3), text, stream))
    has_ended = status.state == cri.CONTAINER_EXITED
    ends_at = round((status.finished_at - status.started_at) / 1e9, 3) if has_ended else None
    return Ran(lines, ends_at, status.exit_code, status.reason)


def _methods():
    services = cri.DESCRIPTOR.services_by_name
    return {method.name: method for service in services.values() for method in service.methods}


METHODS = _methods()


def _request(name):
    return getattr(cri, METHODS[name].input_type.name)


def _method(channel, name):
    return call(channel, METHODS[name])


@pytest.fixture
def on_node(run):
    """Run `story(node)` as a process of the node."""

    def start(story, **options):
        async def outer(world):
            node = Node(world)
            result = world.loop.create_future()

            async def main(process):
                node.channel = Channel(path=containerd.SOCKET)
                await node.start(**options)
                result.set_result(await story(node))
                node.channel.close()

            world.spawn(node.host, "kubelet", main)
            await asyncio.wait([result, world.failed], return_when=asyncio.FIRST_COMPLETED)
            if world.failed.done():
                await world.failed
            return result.result()

        return run(outer)

    return start


@pytest.fixture
def container(on_node):
    """Run a container of an image for some seconds; return what could be seen of it."""

    def start(image, command=(), args=(), **options):
        return on_node(lambda node: node.ran(image, command, args, **options))

    return start


@pytest.fixture
def sh(container):
    """Run a script in a container of busybox."""
    return lambda text, **options: container("busybox", ["sh", "-c", text], **options)
