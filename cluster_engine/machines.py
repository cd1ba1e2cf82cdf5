"""A machine that comes later: switched on beside a running cluster, to be joined to it by hand.

Theory of operation. It is the hosts' and the supervisor's affair only: a host is plugged in, containerd starts, and
kubelet and kube-proxy lie there, stopped, until `kubeadm join` starts them. The cast has it from then on, so that its
components can be broken as all others. Nothing of it is in the cluster's API before its kubelet has registered.

    machine = switch_on(cluster, group, load, "")       worker-3, 10.0.0.13: containerd; kubelet, kube-proxy: inactive

Where kube-proxy is a process of the host, the files that its pod would be given are written when it starts.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from cluster_engine.api.names import dns_label_problems
from cluster_engine.cast import Cast, Component, Role, worker
from cluster_engine.mounted_tokens import mount
from cluster_engine.pki.layout import Pki, provision_account
from cluster_engine.world.process import Host, Main, Process
from cluster_engine.world.supervisor import Program, Supervisor
from cluster_engine.world.world import World


class Growing(Protocol):
    """A cluster to which a machine may come."""

    world: World
    supervisor: Supervisor
    pki: Pki
    cast: Cast


def switch_on(
    cluster: Growing, group: asyncio.TaskGroup, load: Callable[[Component], Program], name: str, *, workers_max: int
) -> Host:
    """Switch a machine on; `load` gives what runs a component. "" is the next worker's name.

    ValueError: that is no name, it is taken, or there are `workers_max`.
    """
    number = len(cluster.cast.of_role(Role.WORKER)) + 1
    if name and dns_label_problems(name):
        raise ValueError(f"{name!r} is no name of a machine: small letters, digits and hyphens, 63 at most")
    if number > workers_max:
        raise ValueError(f"there is no room for more than {workers_max} workers")
    host = worker(number, name)
    machine = cluster.world.add_host(host.name, host.address)
    cluster.cast = cluster.cast.with_worker(host)
    for one in cluster.cast.components:
        if one.host is host:
            _put(cluster, group, one, load(one))
    return machine


def _put(cluster: Growing, group: asyncio.TaskGroup, one: Component, program: Program) -> None:
    if one.program.in_pod:
        cluster.supervisor.install(program)
    elif one.identity is None:
        cluster.supervisor.start(program, group)
    elif one.identity.account is None:
        cluster.supervisor.place(program, group)
    else:
        cluster.supervisor.place(replace(program, main=_mounted(cluster, one, program.main)), group)


def _mounted(cluster: Growing, one: Component, main: Main) -> Main:
    async def mounted(process: Process) -> None:
        provision_account(cluster.pki, one, process.files)
        mount(cluster.world, one)
        await main(process)

    return mounted
