"""The kubelet's ports: whom it lets in, and what it says beside logs."""

import ssl

import httpcore
import msgspec

from cluster_engine.api.kinds import CLUSTER_ROLE_BINDING, SERVICE_ACCOUNT
from cluster_engine.world.tls import client_tls

ADMIN = object()


async def ask(node, path, *, method="GET", token=None, who=None, port=10250):
    """Ask the kubelet, as the owner of a token, as an administrator, or as nobody."""
    pair = node.pki.admin if who is ADMIN else None
    shown = {"certificate": pair.certificate, "key": pair.key} if pair else {}
    tls = client_tls(ca=b"", **shown)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpcore.AsyncConnectionPool(ssl_context=tls) as pool:
        answer = await pool.request(method, f"https://10.0.0.11:{port}{path}", headers=headers)
        return answer.status, answer.content.decode()


def test_a_bearer_token_is_asked_about_and_its_owner_must_be_allowed(node):
    async def story(node):
        path = SERVICE_ACCOUNT.path("default", "default", "token")
        request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"audiences": []}}
        answer = await node.client.request("POST", path, body=msgspec.json.encode(request))
        token = answer.json()["status"]["token"]
        before = await ask(node, "/pods", token=token)
        subject = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kubelet-api-admin"}
        binding = {"metadata": {"name": "scraper"}, "roleRef": role, "subjects": [subject]}
        await node.client.create(
            CLUSTER_ROLE_BINDING, {"kind": "ClusterRoleBinding", "apiVersion": role["apiGroup"] + "/v1", **binding}
        )
        await node.until(lambda: _is_let_in(node, token))
        return before, await ask(node, "/pods", token="no.such.token"), await ask(node, "/pods")

    async def _is_let_in(node, token):
        return (await ask(node, "/pods", token=token))[0] == 200

    before, wrong, nobody = node(story)
    name = "system:serviceaccount:default:default"
    assert before == (403, f"Forbidden (user={name}, verb=get, resource=nodes, subresource=proxy, name=worker-1)")
    assert wrong == nobody == (401, "Unauthorized")


def test_what_runs_and_how_it_is_set_can_be_asked(node):
    async def story(node):
        await node.run_pod("box", "busybox", "sleep", "3600")
        return (
            await ask(node, "/runningpods/", who=ADMIN),
            await ask(node, "/configz", who=ADMIN),
            await ask(node, "/run/default/box/app?cmd=echo+hello", method="POST", who=ADMIN),
            await ask(node, "/run/default/box/app?cmd=false", method="POST", who=ADMIN),
            await ask(node, "/nosuch", who=ADMIN),
        )

    running, configz, ran, failed, nosuch = node(story)
    (pod,) = msgspec.json.decode(running[1])["items"]
    assert (pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]) == ("box", "app")
    assert msgspec.json.decode(configz[1])["kubeletconfig"]["healthzPort"] == 10248
    assert ran == (200, "hello\n")
    assert (failed[0], nosuch) == (500, (404, "404 page not found\n"))


def test_health_is_told_to_anybody_on_the_machine_and_to_nobody_else(node):
    async def story(node):
        found = []

        async def main(process):
            async with httpcore.AsyncConnectionPool() as pool:
                answer = await pool.request("GET", "http://127.0.0.1:10248/healthz")
                found.append((answer.status, answer.content))

        await node.world.spawn(node.host, "curl", main).wait()
        try:
            await ask(node, "/healthz", port=10248)
        except httpcore.ConnectError:
            return found
        raise AssertionError("it listens elsewhere too")

    assert node(story) == [(200, b"ok")]


def test_what_containers_use_is_told_as_json_and_to_prometheus(node):
    async def story(node):
        await node.run_pod("box", "busybox", "sh", "-c", "echo 12345 > /tmp/a; sleep 3600")
        paths = ("/stats/summary", "/metrics/resource", "/metrics/cadvisor", "/metrics")
        return [await ask(node, path, who=ADMIN) for path in paths]

    summary, resource, cadvisor, own = node(story)
    (pod,) = msgspec.json.decode(summary[1])["pods"]
    assert pod["podRef"]["name"] == "box"
    (container,) = pod["containers"]
    assert container["rootfs"]["usedBytes"] == 6
    used = container["memory"]["workingSetBytes"]
    assert used == pod["memory"]["workingSetBytes"] == 2 * 3 * 1024 * 1024, "the shell and sleep"
    labels = '{container="app",namespace="default",pod="box"}'
    assert f"container_memory_working_set_bytes{labels} 6.291456e+06\n" in resource[1]
    assert "# TYPE container_cpu_usage_seconds_total counter\n" in resource[1]
    assert 'container_fs_usage_bytes{container="app",id="/kubepods.slice/' in cadvisor[1]
    assert "kubelet_running_pods 1\n" in own[1]
    assert 'kubelet_node_name{node="worker-1"} 1\n' in own[1]
    assert 'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1\n' in own[1]
    assert 'rest_client_requests_total{code="201",host="10.0.0.1:6443",method="POST"}' in own[1]
