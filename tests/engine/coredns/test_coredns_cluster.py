"""CoreDNS in a pod of a real control plane, behind its Service; and what a pod's resolver makes of it."""

import asyncio
import socket

import dns.flags
import dns.message
import dns.rcode
import pytest
from control_plane import ControlPlane, service

from cluster_engine.api.kinds import ENDPOINT_SLICE, SERVICE
from cluster_engine.cast import PKI, Account
from cluster_engine.coredns.main import main
from cluster_engine.kubeadm.addons import DNS_ADDRESS as DNS
from cluster_engine.kubeadm.addons import KINDS, manifests
from cluster_engine.mounted_tokens import issue
from cluster_engine.world import resolver
from cluster_engine.world.files import FileSystem

RESOLV_CONF = (
    b"search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
)
ENVIRONMENT = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


class Site:
    def __init__(self, plane):
        self.plane, self.world = plane, plane.world
        workers = [self.world.host(f"worker-{n}") for n in (1, 2)]
        self.server_pod = self.world.network.add_namespace(workers[0], "coredns.kube-system", "10.244.1.200")
        self.client_pod = self.world.network.add_namespace(workers[1], "client.default", "10.244.2.200")

    async def start(self):
        objects = {one["kind"]: one for one in manifests("coredns")}
        for kind, one in objects.items():
            if kind == "Service":
                del one["spec"]["selector"]  # the pod is made by hand
            if kind != "Deployment":
                await self.plane.client.create(KINDS[kind], one)
        files = FileSystem()
        files.write("/etc/coredns/Corefile", objects["ConfigMap"]["data"]["Corefile"].encode())
        account = Account(namespace="kube-system", name="coredns")
        files.write(f"{account.directory}/token", issue(self.world, account, "coredns"))
        files.write(f"{account.directory}/ca.crt", self.world.host("worker-1").files.read(f"{PKI}/ca.crt"))
        run = lambda process: main(process, ENVIRONMENT)  # noqa: E731
        await self.world.spawn(self.server_pod, "coredns", run, files=files).wait_ready()
        ports = [{"name": name, "port": 53, "protocol": over} for name, over in (("dns", "UDP"), ("dns-tcp", "TCP"))]
        slice_ = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "name": "kube-dns-x",
                "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "kube-dns"},
            },
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [self.server_pod.address], "conditions": {"ready": True}}],
        }
        await self.plane.client.create(ENDPOINT_SLICE, slice_)
        await asyncio.sleep(3)

    async def within(self, doing):
        """Do something as a process of the client's pod."""
        files = FileSystem()
        files.write("/etc/resolv.conf", RESOLV_CONF)
        files.write("/etc/hosts", b"127.0.0.1 localhost\n10.1.2.3 known # by hand\n")
        outcome = []

        async def run(process):
            try:
                outcome.append(await doing(process))
            except OSError as error:
                outcome.append(error)

        await self.world.spawn(self.client_pod, "client", run, files=files).wait()
        return outcome[0]

    async def ask(self, name, kind="A", **options):
        return await self.within(lambda _: resolver.exchange(dns.message.make_query(name, kind), DNS, 5, **options))

    async def look_up(self, name):
        async def doing(_):
            found = await asyncio.get_running_loop().getaddrinfo(name, 80)
            return [one[4][0] for one in found]

        return await self.within(doing)


@pytest.fixture
def told(run):
    def tell(story):
        async def whole(world):
            plane = ControlPlane(world)
            await plane.start(nodes=2, programs=("kube-controller-manager",))
            await asyncio.sleep(1)
            for worker in ("worker-1", "worker-2"):
                await plane.run("kube-proxy", worker).wait_ready()
            site = Site(plane)
            await site.start()
            await plane.client.create(SERVICE, service("web", clusterIP="10.96.4.7"))
            await asyncio.sleep(2)
            return await story(site)

        return run(whole)

    return tell


def test_it_answers_by_datagram_and_stream_with_authority(told):
    async def story(site):
        for tcp in (False, True):
            answer = await site.ask("web.default.svc.cluster.local.", tcp=tcp)
            assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA
            assert answer.answer[0].to_text() == "web.default.svc.cluster.local. 30 IN A 10.96.4.7"
        missing = await site.ask("wep.default.svc.cluster.local.")
        assert missing.rcode() == dns.rcode.NXDOMAIN and "SOA ns.dns.cluster.local." in missing.authority[0].to_text()
        nothing = await site.ask("web.default.svc.cluster.local.", "AAAA")
        assert nothing.rcode() == dns.rcode.NOERROR and not nothing.answer and nothing.authority
        assert (await site.ask("7.4.96.10.in-addr.arpa.", "PTR")).answer[0][
            0
        ].to_text() == "web.default.svc.cluster.local."
        srv = await site.ask("web.default.svc.cluster.local.", "SRV")
        assert srv.answer[0][0].to_text() == "0 100 80 web.default.svc.cluster.local."
        assert srv.additional[0][0].to_text() == "10.96.4.7"

    told(story)


def test_what_is_not_its_own_it_asks_the_data_centre(told):
    async def story(site):
        assert (await site.ask("worker-2.")).answer[0][0].to_text() == "10.0.0.12"
        assert (await site.ask("example.com.")).rcode() == dns.rcode.NXDOMAIN
        docs = service("docs", type="ExternalName", externalName="worker-2")
        del docs["spec"]["ports"], docs["spec"]["selector"]
        await site.plane.client.create(SERVICE, docs)
        await asyncio.sleep(1)
        answers = [one.to_text() for one in (await site.ask("docs.default.svc.cluster.local.")).answer]
        assert answers == ["docs.default.svc.cluster.local. 30 IN CNAME worker-2.", "worker-2. 30 IN A 10.0.0.12"]

    told(story)


def test_a_pod_finds_services_by_short_names_over_the_wire(told):
    async def story(site):
        assert await site.look_up("web") == await site.look_up("web.default.svc") == ["10.96.4.7"]
        assert await site.look_up("web.default.svc.cluster.local.") == ["10.96.4.7"]
        assert await site.look_up("known") == ["10.1.2.3"]
        assert await site.look_up("localhost") == ["127.0.0.1"]
        unknown = await site.look_up("wep")
        assert isinstance(unknown, socket.gaierror) and unknown.errno == socket.EAI_NONAME
        site.server_pod.processes[next(iter(site.server_pod.processes))].kill()
        silent = await site.look_up("web")
        assert isinstance(silent, socket.gaierror) and silent.errno == socket.EAI_AGAIN

    told(story)


def test_nonsense_gets_no_answer_and_what_does_not_fit_comes_by_stream(told):
    async def story(site):
        async def shout(_):
            reader, writer = await asyncio.open_connection(DNS, 53)
            writer.write(b"\0\x05hello")
            return await reader.read()

        assert await site.within(shout) == b""
        many = [{"addresses": [f"10.9.{n}.{m}"], "conditions": {"ready": True}} for n in range(8) for m in range(1, 11)]
        headless = service("many", clusterIP="None")
        del headless["spec"]["selector"]
        await site.plane.client.create(SERVICE, headless)
        metadata = {"name": "many-x", "namespace": "default", "labels": {"kubernetes.io/service-name": "many"}}
        slice_ = {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": metadata}
        slice_ |= {"addressType": "IPv4", "ports": [{"name": "", "port": 80, "protocol": "TCP"}], "endpoints": many}
        await site.plane.client.create(ENDPOINT_SLICE, slice_)
        await asyncio.sleep(1)
        assert len(await site.look_up("many")) == 80

    told(story)
