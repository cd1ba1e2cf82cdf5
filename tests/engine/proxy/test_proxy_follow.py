import asyncio

import msgspec
import pytest
from control_plane import ControlPlane, deployment, service

from cluster_engine.api.kinds import DEPLOYMENT, POD, SERVICE


@pytest.fixture
def cluster(run):
    def tell(story):
        async def whole(world):
            plane = ControlPlane(world)
            await plane.start(nodes=2, programs=("kube-controller-manager", "kube-scheduler"))
            await asyncio.sleep(1)
            proxy = plane.run("kube-proxy", "worker-1")
            await proxy.wait_ready()
            return await story(plane, world.host("worker-1"))

        return run(whole)

    return tell


def rules(host):
    return "".join(table.text for table in host.packet_filter.tables.values())


def test_rules_follow_services_and_pods(cluster):
    async def story(plane, host):
        assert "default/kubernetes:https -> 10.0.0.1:6443" in rules(host)
        await plane.client.create(SERVICE, service())
        await asyncio.sleep(2)
        assert "default/web has no endpoints" in rules(host)
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(4)
        pods = await plane.items(POD, "default")
        for pod in pods:
            assert f"--to-destination {pod['status']['podIP']}:80" in rules(host)
        await plane.client.delete(SERVICE, "web", "default")
        await asyncio.sleep(2)
        assert "default/web" not in rules(host)

    cluster(story)


def test_headless_services_are_not_even_sent(cluster):
    async def story(plane, host):
        before = rules(host)
        headless = service(clusterIP="None")
        headless["metadata"]["labels"] = {"service.kubernetes.io/headless": ""}
        await plane.client.create(SERVICE, headless)
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(4)
        assert rules(host) == before

    cluster(story)


async def ask(host, request):
    reader, writer = await asyncio.open_connection(host.address, 10256)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


def test_it_says_how_it_is_and_survives_nonsense(cluster):
    async def story(plane, host):
        status, body = await ask(host, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status == "HTTP/1.1 200 OK"
        assert set(msgspec.json.decode(body)) == {"lastUpdated", "currentTime", "nodeEligible"}
        assert (await ask(host, b"GET /nothing HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 404 Not Found"
        assert await ask(host, b"\x16\x03\x01" + b"\0" * 100_000) == ("", b"")
        assert (await ask(host, b"\r\n\r\n"))[0] == "HTTP/1.1 404 Not Found"
        assert (await ask(host, b"GET /livez HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 200 OK"

    cluster(story)
