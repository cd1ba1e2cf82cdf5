"""Datagrams and echoes: where they come to, what comes back, what links and packet filters do to them."""

import asyncio
import errno
import random

import pytest
from ears import Ears

from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.datagrams import FLOWS_MAX
from cluster_engine.world.noise import Noise
from cluster_engine.world.story import run_story

POD, SERVICE = "10.244.2.2", "10.96.0.10"


class Echoing(asyncio.DatagramProtocol):
    """Sends everything back, with the address that it came from in front."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(addr[0].encode() + b" " + data, addr)


class Asking(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = []

    def datagram_received(self, data, addr):
        self.heard.append((data.decode(), addr))

    def error_received(self, error):
        self.heard.append(error.errno)


class Site:
    """Two workers, each with a pod; the second's echoes on port 53. `rules` lead a Service there."""

    def __init__(self, world):
        self.world, self.network = world, world.network
        self.workers = [world.add_host(f"worker-{n}", f"10.0.0.1{n}") for n in (1, 2)]
        self.pods = [
            self.network.add_namespace(worker, f"{worker.name}.pod", f"10.244.{n}.2")
            for n, worker in enumerate(self.workers, 1)
        ]
        self.server = world.spawn(self.pods[1], "coredns", self._serve)

    async def _serve(self, process):
        await self.world.loop.create_datagram_endpoint(Echoing, ("0.0.0.0", 53))
        await asyncio.Event().wait()

    def load(self, *endpoints):
        port = ServicePort("kube-system/kube-dns:dns", "udp", SERVICE, 53, 0, endpoints)
        self.workers[0].packet_filter.load(iptables.tables([port]))

    async def ask(self, host, address, port=53, *, times=1, seconds=5.0, connected=True):
        asking = Asking()

        async def main(process):
            to = (address, port)
            remote = to if connected else None
            transport, _ = await self.world.loop.create_datagram_endpoint(lambda: asking, remote_addr=remote)
            for number in range(times):
                transport.sendto(b"hello %d" % number, None if connected else to)
            await asyncio.sleep(seconds)

        await self.world.spawn(host, "dig", main).wait()
        return asking.heard

    async def ping(self, host, address):
        heard = []

        async def main(process):
            try:
                heard.append(await self.network.datagrams.echo(process, address))
            except OSError as error:
                heard.append(error.errno)

        await self.world.spawn(host, "ping", main).wait()
        return heard[0]


def told(story, **options):
    async def whole(world):
        site = Site(world)
        await asyncio.sleep(0.1)
        return await story(site)

    return run_story(whole, **options)


def test_an_answer_comes_from_where_the_asker_has_asked():
    async def story(site):
        site.load(f"{POD}:53")
        asked = [await site.ask(site.pods[0], to, connected=known) for to in (POD, SERVICE) for known in (True, False)]
        return asked, await site.ask(site.workers[0], SERVICE)

    asked, from_machine = told(story)
    heard = "10.244.1.2 hello 0"
    assert asked == [[(heard, (to, 53))] for to in (POD, POD, SERVICE, SERVICE)]
    assert from_machine == [("10.0.0.11 hello 0", (SERVICE, 53))]


def test_a_connected_socket_is_told_that_nobody_is_there():
    async def story(site):
        site.load()
        closed = await site.ask(site.pods[0], POD, 54)
        rejected = await site.ask(site.pods[0], SERVICE)
        nowhere = await site.ask(site.pods[0], "10.0.0.77")
        return closed, rejected, nowhere, await site.ask(site.pods[0], POD, 54, connected=False)

    assert told(story) == ([errno.ECONNREFUSED], [errno.ECONNREFUSED], [errno.EHOSTUNREACH], [])


def test_a_flood_to_a_closed_port_is_answered_by_a_trickle_and_on_the_machine_itself_each_time():
    async def story(site):
        there, here = site.workers
        away = [len(await site.ask(there, here.address, 9, times=count, seconds=2.0)) for count in (10, 3)]
        return away, len(await site.ask(there, "127.0.0.1", 9, times=10, seconds=2.0))

    assert told(story) == ([6, 2], 10)


def test_a_cut_link_swallows_datagrams_and_a_bad_one_some():
    ears = Ears()

    async def story(site):
        site.network.set_noise("worker-1", "worker-2", Noise(random.Random(1), lost=0.3, repeated=0.1))
        some = await site.ask(site.pods[0], POD, times=100)
        site.network.set_noise("worker-1", "worker-2", None)
        site.network.partition("worker-1", "worker-2")
        return some, await site.ask(site.pods[0], POD)

    some, none = told(story, tap=ears)
    assert 30 < len({text for text, _ in some}) < 80 and len(some) > len({text for text, _ in some})
    assert none == []
    assert ears.segments[-1].arrived is None


def test_sockets_have_ports_and_go_with_their_process():
    async def story(site):
        async def twice(process):
            with pytest.raises(OSError, match="in use"):
                await site.world.loop.create_datagram_endpoint(Echoing, ("0.0.0.0", 53))
            transport, _ = await site.world.loop.create_datagram_endpoint(Asking)
            assert transport.get_extra_info("sockname")[1] >= 32768
            with pytest.raises(OSError, match="too long"):
                transport.sendto(b"x" * 65508, (POD, 53))

        await site.world.spawn(site.pods[1], "second", twice).wait()
        site.server.kill()
        return dict(site.pods[1].datagram_sockets)

    assert told(story) == {}


def test_what_is_kept_of_flows_is_bounded():
    async def story(site):
        async def main(process):
            transport, _ = await site.world.loop.create_datagram_endpoint(Asking)
            for port in range(1, FLOWS_MAX + 100):
                transport.sendto(b"x", (POD, port))

        await site.world.spawn(site.pods[0], "scan", main).wait()
        return len(site.network.datagrams._flows)

    assert told(story) == FLOWS_MAX


def test_ping_tells_how_long_it_takes_and_whether_anybody_is_there():
    ears = Ears()

    async def story(site):
        near, far = await site.ping(site.workers[0], "127.0.0.1"), await site.ping(site.pods[0], POD)
        nobody, service = await site.ping(site.workers[0], "10.0.0.77"), await site.ping(site.workers[0], SERVICE)
        site.network.partition("worker-1", "worker-2")
        return near, far, nobody, service, await site.ping(site.pods[0], POD)

    near, far, nobody, service, cut = told(story, tap=ears)
    assert near == pytest.approx(0.000_04, rel=0.01) and far == pytest.approx(0.0005, rel=0.01)
    assert (nobody, service, cut) == (errno.EHOSTUNREACH, None, None), "no Service answers to ping"
    request = ears.segments[0].payload
    assert request[:2] == b"\x08\0" and len(request) == 64
    assert sum(int.from_bytes(request[at : at + 2], "big") for at in range(0, 64, 2)) % 0xFFFF == 0, "its checksum"
