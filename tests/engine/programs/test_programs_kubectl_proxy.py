"""`kubectl proxy` passes plain HTTP on to the API server, as whoever the kubeconfig says."""

import asyncio

import httpcore
import msgspec


def test_what_is_asked_of_the_proxy_is_asked_of_the_api_server_with_the_kubeconfigs_certificate(workstation):
    async def story(sh):
        proxy = asyncio.ensure_future(sh("kubectl proxy", interrupt_after=30))
        await asyncio.sleep(1)
        asked = sh.host.world_answers = {}

        async def main(process):
            async with httpcore.AsyncConnectionPool() as pool:
                for name, path, host in (
                    ("nodes", "/api/v1/nodes", "127.0.0.1:8001"),
                    ("exec", "/api/v1/namespaces/default/pods/web/exec", "127.0.0.1:8001"),
                    ("elsewhere", "/api/v1/nodes", "evil.example"),
                ):
                    answer = await pool.request("GET", f"http://127.0.0.1:8001{path}", headers={"Host": host})
                    asked[name] = (answer.status, answer.content)

        await sh.cluster.world.spawn(sh.host, "client", main).wait()
        return asked, await proxy

    asked, proxy = workstation(story)
    status, body = asked["nodes"]
    assert (status, msgspec.json.decode(body)["kind"]) == (200, "NodeList")
    assert asked["exec"] == asked["elsewhere"] == (403, b"Forbidden\n")
    assert (proxy.code, proxy.out) == (130, "Starting to serve on 127.0.0.1:8001\n")
