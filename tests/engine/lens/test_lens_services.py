"""Connections to Services in the journal: who answers, where the address led, who was rejected."""

import asyncio
import contextlib

import dns.message
import dns.rrset

from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.lens.opening import open_entry
from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.story import run_story


def entries_of(*endpoints):
    """Have a pod ask a Service that leads to a pod on another worker; give what the journal has of TCP."""
    journal = Journal()

    async def serve(process):
        server = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 8080)
        await server.serve_forever()

    async def ask(process):
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("10.96.4.7", 80)
            writer.close()

    async def story(world):
        workers = [world.add_host(f"worker-{n}", f"10.0.0.1{n}") for n in (1, 2)]
        pods = [world.network.add_namespace(one, f"{one.name}.pod", f"10.244.{n}.2") for n, one in enumerate(workers)]
        rules = iptables.tables([ServicePort("default/web", "tcp", "10.96.4.7", 80, 0, endpoints)])
        workers[0].packet_filter.load(rules)
        world.spawn(pods[1], "nginx", serve, told=False)
        await world.spawn(pods[0], "curl", ask, told=False).wait()
        await asyncio.sleep(1)

    run_story(story, tap=Lens(journal))
    return [entry for entry in journal.since(0, 100) if entry["layer"] == "tcp"]


def test_a_syn_names_who_answers_and_where_the_services_address_led():
    syn, answer, *_ = entries_of("10.244.1.2:8080")
    assert (syn["from"], syn["to"]) == ("worker-1.pod/curl", "worker-2.pod/nginx")
    assert syn["fields"]["server"] == "10.96.4.7:80"
    assert syn["fields"]["leadsTo"] == "10.244.1.2:8080"
    assert "clientSeenAs" not in syn["fields"]
    assert answer["from"] == "worker-2.pod/nginx"


def test_a_rejected_connection_is_answered_by_the_machine_and_is_over():
    syn, rejected = entries_of()
    assert (syn["to"], rejected["from"]) == ("worker-1", "worker-1")
    assert (rejected["kind"], rejected["cause"]) == ("icmp.unreachable", syn["seq"])


def test_dns_is_opened_and_other_datagrams_are_bytes():
    journal = Journal()
    query = dns.message.make_query("web.default.svc.cluster.local", "A", id=7)

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            if len(data) < 12:
                return
            answer = dns.message.make_response(dns.message.from_wire(data))
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 30, "IN", "A", "10.96.4.7"))
            self.transport.sendto(answer.to_wire(), addr)

    async def serve(process):
        await asyncio.get_running_loop().create_datagram_endpoint(Server, ("0.0.0.0", 53))
        await asyncio.Event().wait()

    async def ask(process):
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol)
        transport.sendto(query.to_wire(), ("10.0.0.12", 53))
        transport.sendto(b"hello", ("10.0.0.12", 9))
        await asyncio.sleep(1)
        transport.sendto(b"no message", ("10.0.0.12", 53))
        await asyncio.get_running_loop().network.datagrams.echo(process, "10.0.0.12", 3)

    async def story(world):
        hosts = [world.add_host(f"worker-{n}", f"10.0.0.1{n}") for n in (1, 2)]
        server = world.spawn(hosts[1], "coredns", serve, told=False)
        await asyncio.sleep(0)
        await world.spawn(hosts[0], "dig", ask, told=False).wait()
        server.kill()

    run_story(story, tap=Lens(journal))
    asked, closed, answered, unreachable, nonsense, echo, reply = [one for one in journal.since(0, 100) if one["to"]]
    assert asked["kind"] == "dns.query" and asked["label"] == "A web.default.svc.cluster.local"
    assert (asked["from"], asked["to"], asked["layer"]) == ("worker-1/dig", "worker-2/coredns", "story")
    assert (answered["kind"], answered["label"], answered["replyTo"]) == ("dns.response", "10.96.4.7", asked["seq"])
    assert "ANSWER" in open_entry(journal, answered["seq"])["body"]["text"]
    assert (closed["kind"], closed["size"], unreachable["kind"]) == ("udp.datagram", 5, "icmp.unreachable")
    assert nonsense["kind"] == "udp.datagram"
    assert (echo["kind"], reply["kind"], reply["fields"]["icmpSequence"]) == ("icmp.echo", "icmp.reply", 3)
