"""`kubectl proxy` passes plain HTTP on to the API server, as whoever the kubeconfig says."""

import asyncio

import httpcore
import msgspec

PODS = "http://127.0.0.1:8001/api/v1/namespaces/default/pods"
KUBECTL = "workstation/kubectl"


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


def test_all_requests_to_the_proxy_are_streams_of_one_connection_beside_a_watch_that_stays_open(workstation):
    async def story(sh):
        proxy = asyncio.ensure_future(sh("kubectl proxy", interrupt_after=60))
        await asyncio.sleep(1)
        watch = asyncio.ensure_future(sh(f"curl -sN '{PODS}?watch=true'", interrupt_after=20))
        await asyncio.sleep(1)
        for _ in range(2):
            await sh.ok(f"curl -s {PODS}")
        entries = sh.cluster.journal.since(0, 100_000)
        await watch
        await proxy
        return [entry for entry in entries if entry["kind"] == "http.request" and entry["from"] == KUBECTL], entries

    asked, entries = workstation(story, capture=True)
    assert [entry["fields"]["path"].partition("?")[2] for entry in asked] == ["watch=true", "", ""]
    assert len({entry["connection"] for entry in asked}) == 1
    assert len({entry["stream"] for entry in asked}) == 3
    assert not [one for one in entries if one["kind"] == "tcp.rst" and one["connection"] == asked[0]["connection"]]


def test_a_connection_that_was_lost_is_dialled_anew_by_the_next_request(workstation):
    async def story(sh):
        proxy = asyncio.ensure_future(sh("kubectl proxy", interrupt_after=300))
        await asyncio.sleep(1)
        await sh.ok(f"curl -s {PODS}")
        await sh.ok("ssh control-plane 'kill $(pidof kube-apiserver)'")
        await asyncio.sleep(1)
        refused = await sh.ok(f"curl -s {PODS}")
        await asyncio.sleep(120)
        answer = await sh.ok(f"curl -s {PODS}")
        await proxy
        return refused, answer

    refused, answer = workstation(story)
    assert refused == "dial tcp 10.0.0.1:6443: connect: connection refused\n"
    assert msgspec.json.decode(answer)["kind"] == "PodList"
