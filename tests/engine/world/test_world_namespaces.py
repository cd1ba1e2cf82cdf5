"""A pod's network on a machine: an address of its own, the machine's power, links, clock and process numbers."""

import asyncio
from datetime import timedelta

import pytest

from cluster_engine.world.files import FileSystem
from cluster_engine.world.story import run_story


async def _answer(process):
    async def hello(_, writer):
        writer.write(process.files.read("/hello") + process.host.address.encode())
        writer.close()

    server = await asyncio.start_server(hello, "0.0.0.0", 80)
    process.ready()
    await server.serve_forever()


async def _ask(world, host, address):
    heard = []

    async def main(process):
        try:
            reader, writer = await asyncio.open_connection(address, 80)
        except OSError as error:
            heard.append(error)
            return
        heard.append(await reader.read())
        writer.close()

    process = world.spawn(host, "curl", main)
    await process.wait()
    return heard[0]


def _pod(world, name="web.default", address="10.244.1.2"):
    machine = world.add_host("worker-1", "10.0.0.11")
    namespace = world.network.add_namespace(machine, name, address)
    files = FileSystem()
    files.write("/hello", b"hello from ")
    process = world.spawn(namespace, "nginx", _answer, files=files)
    return machine, namespace, process


def test_a_pod_is_reached_at_its_own_address_from_everywhere_and_not_at_its_machines():
    async def story(world):
        machine, namespace, process = _pod(world)
        other = world.add_host("worker-2", "10.0.0.12")
        await process.wait_ready()
        for host in (machine, other, namespace):
            assert await _ask(world, host, "10.244.1.2") == b"hello from 10.244.1.2"
        assert await _ask(world, namespace, "127.0.0.1") == b"hello from 10.244.1.2"
        assert isinstance(await _ask(world, other, "10.0.0.11"), ConnectionRefusedError)

    run_story(story)


def test_a_pod_has_its_machines_clock_processes_and_power():
    async def story(world):
        machine, namespace, process = _pod(world)
        machine.skew = timedelta(hours=1)
        assert process.now() - world.now() == timedelta(hours=1)
        assert machine.processes[process.pid] is process is namespace.processes[process.pid]
        await process.wait_ready()
        machine.power_off()
        assert not process.is_alive
        assert not namespace.powered
        assert not machine.processes

    run_story(story)


def test_a_cut_link_of_the_machine_cuts_its_pods_off():
    async def story(world):
        _, _, process = _pod(world)
        other = world.add_host("worker-2", "10.0.0.12")
        await process.wait_ready()
        world.network.partition("worker-1", "worker-2")
        assert isinstance(await _ask(world, other, "10.244.1.2"), TimeoutError)

    run_story(story)


def test_a_network_that_is_taken_away_takes_its_processes_along_and_frees_the_address():
    async def story(world):
        machine, namespace, process = _pod(world)
        await process.wait_ready()
        with pytest.raises(ValueError, match=r"10\.244\.1\.2"):
            world.network.add_namespace(machine, "other.default", "10.244.1.2")
        world.network.remove_namespace(namespace)
        assert process.exit_code == 137
        world.network.add_namespace(machine, "other.default", "10.244.1.2")

    run_story(story)
