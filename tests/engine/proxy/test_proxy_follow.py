import asyncio
import base64

import msgspec
import pytest
from control_plane import ControlPlane, deployment, service

from cluster_engine.api.kinds import DEPLOYMENT, POD, SERVICE, SERVICE_ACCOUNT


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


async def told(process, path):
    """Ask the port that only the host itself reaches."""
    answers = []

    async def main(_):
        reader, writer = await asyncio.open_connection("127.0.0.1", 10249)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answers.append((await reader.read()).decode())
        writer.close()

    await process.world.spawn(process.host, "curl", main).wait()
    return answers[0]


def test_it_counts_what_it_does_on_a_port_of_its_own_host(cluster):
    async def story(plane, host):
        (proxy,) = (one for one in host.processes.values() if one.name == "kube-proxy")
        await plane.client.create(SERVICE, service())
        await asyncio.sleep(2)
        assert (await told(proxy, "/proxyMode")).endswith("\r\n\r\niptables")
        assert (await told(proxy, "/healthz")).endswith("\r\n\r\nok")
        text = (await told(proxy, "/metrics")).partition("\r\n\r\n")[2]
        counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert counted["kubeproxy_sync_proxy_rules_duration_seconds_count"] == "2"
        assert counted["kubeproxy_sync_proxy_rules_service_changes_total"] == "2"
        nat = host.packet_filter.tables["nat"].rules
        assert counted['kubeproxy_sync_proxy_rules_iptables_last{table="nat"}'] == str(nat)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(host.address, 10249)

    cluster(story)


def test_it_shows_the_token_of_its_service_account_and_stops_with_the_account(cluster):
    async def story(plane, host):
        directory = "/var/run/secrets/kubernetes.io/serviceaccount"
        assert host.files.read(f"{directory}/namespace") == b"kube-system"
        assert "tokenFile: " + directory in host.files.read("/var/lib/kube-proxy/kubeconfig.conf").decode()
        claims = msgspec.json.decode(
            base64.urlsafe_b64decode(host.files.read(f"{directory}/token").split(b".")[1] + b"==")
        )
        assert claims["sub"] == "system:serviceaccount:kube-system:kube-proxy"
        before = rules(host)
        await plane.client.delete(SERVICE_ACCOUNT, "kube-proxy", "kube-system")
        await asyncio.sleep(11)  # a success is remembered for ten seconds
        host.processes[next(pid for pid, one in host.processes.items() if one.name == "kube-proxy")].kill()
        plane.world.spawn(host, "kube-proxy", plane.cast.component("worker-1/kube-proxy").program.load())
        await plane.client.create(SERVICE, service())
        await asyncio.sleep(5)
        assert rules(host) == before, "nobody knows the token's account any more"

    cluster(story)
