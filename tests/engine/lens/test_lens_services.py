"""Connections to Services in the journal: who answers, where the address led, who was rejected."""

import asyncio
import contextlib

from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
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
