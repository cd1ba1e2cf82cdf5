"""The cast: what is started, provisioned, aimed at and shown is what stands in its table."""

import asyncio
import functools

import pytest

from cluster_engine.api.kinds import SELF_SUBJECT_REVIEW
from cluster_engine.cast import PROGRAMS, HostProgram, Identity, Role, cast
from cluster_engine.client import Client
from cluster_engine.faults import FaultError, read

AGENT_PORT = 9100
EPHEMERAL_PORT_MIN = 32768
UNIX_SOCKET = 0


async def agent(process, *, kubeconfig):
    """A program that asks the API server who it is, and listens."""
    client = Client.from_kubeconfig(process, kubeconfig, user_agent="agent")
    review = {"kind": SELF_SUBJECT_REVIEW.name, "apiVersion": SELF_SUBJECT_REVIEW.api_version}
    process.host.disk["agent"] = (await client.create(SELF_SUBJECT_REVIEW, review))["status"]["userInfo"]
    server = await asyncio.start_server(lambda reader, writer: writer.close(), process.host.address, AGENT_PORT)
    async with server:
        process.ready()
        await asyncio.Event().wait()


AGENT = HostProgram(
    name="agent",
    role=Role.WORKER,
    stage=4,
    entry=f"{__name__}:agent",
    identity=Identity(common_name="agent:{host}", organizations=("agents",), kubeconfig="/etc/agent.conf"),
    ports=(AGENT_PORT,),
)


def test_one_more_row_is_a_program_that_is_started_provisioned_aimed_at_and_shown(in_copy):
    async def story(cluster):
        assert cluster.cast.describe()["components"].count("worker-2/agent") == 1
        for worker in cluster.workers:
            assert cluster.processes[f"{worker.name}/agent"].is_alive
            user = worker.disk["agent"]
            assert (user["username"], "agents" in user["groups"]) == (f"agent:{worker.name}", True)
        for fault in ("stop", "certificate-expired"):
            cluster.inject(read({"name": fault, "target": "worker-1/agent"}))
        await cluster.world.until(lambda: not cluster.processes["worker-1/agent"].is_alive)
        with pytest.raises(FaultError, match="worker-2/agent"):
            cluster.inject(read({"name": "stop", "target": "control-plane/agent"}))

    in_copy(story, nodes=2, programs=(*PROGRAMS, AGENT), capture=False)


def test_every_program_listens_on_the_ports_of_its_row_and_on_no_others(in_copy):
    async def story(cluster):
        for one in cluster.cast.components:
            ports = {listener.local.port for listener in cluster.processes[one.id].listeners}
            fixed = {port for port in ports if port < EPHEMERAL_PORT_MIN}  # containerd's streaming server takes any
            assert fixed - {UNIX_SOCKET} == set(one.program.ports), one.id

    in_copy(story, nodes=1, capture=False)


def test_programs_start_stage_by_stage_and_are_shown_host_by_host():
    order = [[one.id for one in stage] for stage in cast(1).stages()]
    assert order == [
        ["control-plane/etcd"],
        ["control-plane/kube-apiserver", "worker-1/containerd"],
        [
            "control-plane/kube-controller-manager",
            "control-plane/kube-scheduler",
            "worker-1/kubelet",
            "worker-1/kube-proxy",
        ],
    ]
    hosts = [one.host.name for one in cast(3).components]
    assert hosts == sorted(hosts)


def test_every_row_names_something_that_can_be_run():
    for row in PROGRAMS:
        main = row.load()
        assert asyncio.iscoroutinefunction(main.func if isinstance(main, functools.partial) else main), row.name
