"""A machine's packet filter: connections go where its rules say, and are seen as they say."""

import asyncio
import re
from collections import Counter

import pytest
from ears import Ears

from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.packet_filter import Comment, Packet, Rule, Source, Table
from cluster_engine.world.story import run_story
from cluster_engine.world.tap import Endpoint

SERVICE = "10.96.4.7"
FIRST, SECOND = "10.244.1.2", "10.244.2.2"


def web(*endpoints, node_port=30080, **more):
    return ServicePort("default/web", "tcp", SERVICE, 80, node_port, endpoints, **more)


class Site:
    """Two workers with a pod each, a host outside; and who asked whom."""

    def __init__(self, world):
        self.world = world
        self.workers = [world.add_host(f"worker-{n}", f"10.0.0.1{n}") for n in (1, 2)]
        self.outside = world.add_host("outsider", "10.0.0.99")
        self.pods = []
        for worker, address in zip(self.workers, (FIRST, SECOND), strict=True):
            pod = world.network.add_namespace(worker, f"web-{worker.name[-1]}.default", address)
            world.spawn(pod, "nginx", self._serve)
            self.pods.append(pod)

    def load(self, *ports, on=(0, 1)):
        for index in on:
            self.workers[index].packet_filter.load(iptables.tables(list(ports)))

    async def _serve(self, process):
        async def answer(_, writer):
            peer, here = (writer.get_extra_info(name) for name in ("peername", "sockname"))
            writer.write(f"{here[0]}:{here[1]} {peer[0]}".encode())
            writer.close()

        server = await asyncio.start_server(answer, "0.0.0.0", 8080)
        await server.serve_forever()

    async def ask(self, host, address=SERVICE, port=80):
        """Connect; give "endpoint client" as the server sees them, or the error, and the time it took."""
        heard = []

        async def main(process):
            try:
                reader, writer = await asyncio.open_connection(address, port)
            except OSError as error:
                heard.append(error)
                return
            assert writer.get_extra_info("peername") == (address, port)
            heard.append((await reader.read()).decode())
            writer.close()

        begun = self.world.loop.time()
        await self.world.spawn(host, "curl", main).wait()
        self.took = self.world.loop.time() - begun
        return heard[0]


def told(story, **options):
    async def whole(world):
        site = Site(world)
        await asyncio.sleep(0.1)
        return await story(site)

    return run_story(whole, **options)


def test_a_service_leads_a_pod_to_a_pod_that_sees_who_asks():
    async def story(site):
        site.load(web(f"{SECOND}:8080"))
        return await site.ask(site.pods[0]), await site.ask(site.workers[0])

    assert told(story) == (f"{SECOND}:8080 {FIRST}", f"{SECOND}:8080 10.0.0.11")


def test_a_pod_that_reaches_itself_by_its_service_sees_its_node():
    async def story(site):
        site.load(web(f"{FIRST}:8080"))
        return await site.ask(site.pods[0])

    assert told(story) == f"{FIRST}:8080 10.0.0.11"


def test_endpoints_are_drawn_with_equal_chance_and_the_seed_decides():
    async def story(site):
        site.load(web(f"{FIRST}:8080", f"{SECOND}:8080"))
        return [(await site.ask(site.pods[0])).split()[0] for _ in range(60)]

    drawn = told(story)
    assert min(Counter(drawn).values()) > 15
    assert told(story) == drawn != told(story, seed=2)


def test_a_client_with_affinity_stays_until_its_time_is_over():
    async def story(site):
        site.load(web(f"{FIRST}:8080", f"{SECOND}:8080", affinity_seconds=60))
        first = [await site.ask(site.pods[0]) for _ in range(12)]
        later = []
        for _ in range(12):
            await asyncio.sleep(61)
            later.append((await site.ask(site.pods[0])).split()[0])
        return first, later

    first, later = told(story)
    assert len(set(first)) == 1
    assert len(set(later)) == 2


def test_nobody_behind_a_service_is_a_refusal_at_once():
    async def story(site):
        site.load(web())
        for host in (site.workers[0], site.pods[0]):
            assert isinstance(await site.ask(host), ConnectionRefusedError)
            assert site.took < 0.001
        return await site.ask(site.outside, "10.0.0.11", 30080)

    assert isinstance(told(story), ConnectionRefusedError)


def test_a_node_port_leads_on_from_every_node_and_hides_the_client():
    async def story(site):
        site.load(web(f"{SECOND}:8080"))
        asked = [await site.ask(host, "10.0.0.11", 30080) for host in (site.outside, *site.workers, *site.pods)]
        return asked, await site.ask(site.workers[0], "127.0.0.1", 30080), await site.ask(site.outside)

    asked, at_home, clusterip_outside = told(story)
    assert asked == [f"{SECOND}:8080 10.0.0.11"] * 5
    assert at_home == f"{SECOND}:8080 10.0.0.11"
    assert isinstance(clusterip_outside, TimeoutError), "the address means nothing where there are no rules"


def test_a_local_policy_keeps_the_client_and_drops_where_nobody_is_at_home():
    async def story(site):
        here, there = web(f"{SECOND}:8080", external_local=True), f"{SECOND}:8080"
        site.load(here, on=[0])
        site.load(web(there, external_local=True, local=(there,)), on=[1])
        kept = await site.ask(site.outside, "10.0.0.12", 30080)
        inside = await site.ask(site.pods[0], "10.0.0.11", 30080)
        return kept, inside, await site.ask(site.outside, "10.0.0.11", 30080), site.took

    kept, inside, dropped, took = told(story)
    assert kept == f"{SECOND}:8080 10.0.0.99"
    assert inside == f"{SECOND}:8080 {FIRST}"
    assert isinstance(dropped, TimeoutError) and took > 100


def test_an_internal_local_policy_knows_the_nodes_own_endpoints_only():
    async def story(site):
        both = (f"{FIRST}:8080", f"{SECOND}:8080")
        site.load(web(*both, node_port=0, internal_local=True, local=both[:1]), on=[0])
        site.load(web(both[0], node_port=0, internal_local=True), on=[1])
        near = {(await site.ask(site.pods[0])).split()[0] for _ in range(9)}
        return near, await site.ask(site.pods[1])

    near, far = told(story)
    assert near == {f"{FIRST}:8080"}
    assert isinstance(far, TimeoutError)


def test_what_comes_by_a_node_port_needs_the_link_between_the_nodes_too():
    async def story(site):
        site.load(web(f"{SECOND}:8080"))
        site.world.network.partition("worker-1", "worker-2")
        cut = await site.ask(site.outside, "10.0.0.11", 30080)
        return cut, await site.ask(site.outside, "10.0.0.12", 30080)

    cut, direct = told(story)
    assert isinstance(cut, TimeoutError)
    assert direct == f"{SECOND}:8080 10.0.0.12"


def test_rules_are_in_the_kernel_and_gone_with_the_power():
    async def story(site):
        site.load(web(f"{SECOND}:8080"))
        site.workers[0].power_off()
        site.workers[0].power_on()
        return site.workers[0].packet_filter.tables, await site.ask(site.workers[0])

    tables, asked = told(story)
    assert not tables and isinstance(asked, OSError)


def test_the_tap_hears_what_the_client_sees_and_who_answers():
    heard = Ears()

    async def story(site):
        site.load(web(f"{SECOND}:8080"))
        await site.ask(site.workers[0])
        site.load(web())
        await site.ask(site.pods[0])

    told(story, tap=heard)
    through, rejected = heard.connections
    assert str(through.server) == f"{SERVICE}:80"
    assert through.server_process == "web-2.default/nginx"
    assert [str(one) for one in through.translated][1] == f"{SECOND}:8080"
    assert rejected.server_process == "worker-1" and rejected.translated is None
    assert [one.flags for one in heard.segments if one.connection == rejected.number] == ["S", "U"]


def test_what_is_printed_is_what_is_obeyed():
    (rule,) = (Rule((Source("10.0.0.0/8", negated=True), Comment("x y")), "DROP"),)
    table = Table("filter", ("INPUT",), {"INPUT": (rule,), "MINE": ()})
    assert table.text == (
        '*filter\n:INPUT ACCEPT [0:0]\n:MINE - [0:0]\n-A INPUT ! -s 10.0.0.0/8 -m comment --comment "x y" -j DROP\n'
        "COMMIT\n"
    )
    text = iptables.tables([web(f"{FIRST}:8080", affinity_seconds=9)])[2].text
    name = re.search(r"KUBE-SEP-\w+", text)[0]
    recent = f"--name {name} --mask 255.255.255.255 --rsource"
    assert f'-A {name} -p tcp -m comment --comment "default/web" -m recent --set {recent} -m tcp -j DNAT' in text
    assert f"-m recent --rcheck --seconds 9 --reap {recent} -j {name}" in text


def test_chains_that_go_in_circles_are_a_bug_and_no_hang():
    async def story(site):
        circle = Table("filter", ("OUTPUT",), {"OUTPUT": (Rule((), "A"),), "A": (Rule((), "A"),)})
        site.workers[0].packet_filter.load([circle])
        packet = Packet("tcp", Endpoint("10.0.0.11", 1), Endpoint(FIRST, 80))
        with pytest.raises(AssertionError, match="circles"):
            site.workers[0].packet_filter.sends(packet)

    told(story)
