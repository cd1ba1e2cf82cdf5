"""`kubectl port-forward`: a port of the workstation leads into a pod's network, over one WebSocket."""

import asyncio

import httpcore
import pytest


def fetch(sh, *ports):
    """Ask each port on the workstation's loopback for /."""
    found = []

    async def main(process):
        for port in ports:
            try:
                async with httpcore.AsyncConnectionPool() as pool:
                    answer = await pool.request("GET", f"http://127.0.0.1:{port}/")
                    found.append((answer.status, b"Welcome to nginx!" in answer.content))
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                found.append("cut")

    process = sh.cluster.world.spawn(sh.host, "client", main)

    async def wait():
        await process.wait()
        return found

    return wait()


@pytest.fixture
def with_nginx(workstation):
    def start(story):
        async def beside(sh):
            await sh.ok("kubectl create deployment web --image=nginx --port=80")
            await sh.ok("kubectl expose deployment web --port=8000 --target-port=80")
            await sh.ok("kubectl rollout status deployment/web")
            return await story(sh)

        return workstation(beside)

    return start


@pytest.mark.parametrize("what", ["deploy/web 8080:80", "svc/web 8080:8000"])
def test_connections_to_a_local_port_reach_the_pod(with_nginx, what):
    async def story(sh):
        forwarding = asyncio.ensure_future(sh(f"kubectl port-forward {what}", interrupt_after=30))
        await asyncio.sleep(2)
        found = await fetch(sh, 8080, 8080)
        return found, await forwarding

    found, done = with_nginx(story)
    assert found == [(200, True), (200, True)]
    assert done.out == "Forwarding from 127.0.0.1:8080 -> 80\n" + 2 * "Handling connection for 8080\n"
    assert done.code == 130


def test_a_port_on_which_nobody_listens_there_ends_it_with_the_runtimes_words(with_nginx):
    async def story(sh):
        forwarding = asyncio.ensure_future(sh("kubectl port-forward deploy/web 8081:81", interrupt_after=30))
        await asyncio.sleep(2)
        return await fetch(sh, 8081), await forwarding

    found, done = with_nginx(story)
    assert found == ["cut"]
    assert done.code == 1
    assert "an error occurred forwarding 8081 -> 81: error forwarding port 81 to pod " in done.err
    assert "dial tcp4 127.0.0.1:81: connect: connection refused" in done.err
    assert done.err.endswith("error: lost connection to pod\n")


def test_what_cannot_be_forwarded_is_said_as_kubectl_does(with_nginx):
    async def story(sh):
        return [
            (await sh(f"kubectl port-forward {rest}")).err
            for rest in (
                "deploy/web",
                "deploy/web 1:2:3",
                "deploy/web x",
                "deploy/web 99999",
                "svc/web 81",
                "nosuch 80",
            )
        ]

    assert with_nginx(story) == [
        "error: TYPE/NAME and list of ports are required for port-forward\n"
        "See 'kubectl port-forward -h' for help and examples\n",
        "error: invalid port format '1:2:3'\n",
        "error: error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax\n",
        "error: error parsing local port '99999': strconv.ParseUint: parsing \"99999\": value out of range\n",
        "error: Service web does not have a service port 81\n",
        'Error from server (NotFound): pods "nosuch" not found\n',
    ]
