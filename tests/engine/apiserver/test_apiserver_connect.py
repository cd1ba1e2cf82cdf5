"""Subresources that lead to somebody else: who may, where it goes, and what is said where it cannot."""

import asyncio

import pytest
from apiserver_objects import pod

from cluster_engine.apiserver.serving.exchange import Response
from cluster_engine.apiserver.serving.listener import Listener

PODS = "/api/v1/namespaces/default/pods"
TROUBLE = "error trying to reach service: dial tcp:"
SERVICES = "/api/v1/namespaces/default/services"


def test_a_stream_needs_an_upgrade_a_pod_with_a_node_and_a_clear_container(run_logs):
    async def story(plane, admin, kubelet):
        plain = await admin.post(f"{PODS}/web-0/exec?command=date", b"")
        assert (plain.code, plain.body["message"]) == (400, "Upgrade request required")
        assert (await admin.get(f"{PODS}/none/exec?command=date")).code == 404
        wrong = await admin.get(f"{PODS}/web-0/attach?container=side")
        assert wrong.body["message"] == "container side is not valid for pod web-0"
        await admin.post(PODS, pod("waits"))
        waits = await admin.get(f"{PODS}/waits/portforward")
        assert waits.body["message"] == "pod waits does not have a host assigned"
        assert (await admin.put(f"{PODS}/web-0/exec", b"")).code == 405
        assert kubelet.asked == []

    run_logs(story)


@pytest.mark.parametrize(("method", "verb"), [("GET", "get"), ("POST", "create")])
def test_streams_take_a_right_of_their_own(run_logs, method, verb):
    async def story(plane, admin, kubelet):
        role = {
            "kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "looks"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "create"]}],
        }  # fmt: skip
        binding = {
            "kind": "RoleBinding", "apiVersion": role["apiVersion"], "metadata": {"name": "looks"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "looks"},
            "subjects": [{"kind": "User", "name": "bob"}],
        }  # fmt: skip
        for plural, obj in (("roles", role), ("rolebindings", binding)):
            path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/default/{plural}"
            assert (await admin.post(path, obj)).code == 201
        await asyncio.sleep(1)
        bob = plane.person("bob", groups=())
        assert (await bob.get(f"{PODS}/web-0")).code == 200
        refused = await bob.ask(method, f"{PODS}/web-0/exec?command=date", b"" if method == "POST" else None)
        assert refused.code == 403
        assert f'User "bob" cannot {verb} resource "pods/exec"' in refused.body["message"]

    run_logs(story)


def test_what_is_asked_of_a_node_is_asked_of_its_kubelet_without_who_asked(run_logs):
    async def story(plane, admin, kubelet):
        kubelet.answer = Response(418, "text/x-tea", b"no coffee")
        secret = [("Authorization", "Bearer secret"), ("Impersonate-User", "eve"), ("X-Own", "1")]
        secret.append(("Impersonate-Group", "system:masters"))
        answer = await admin.get("/api/v1/nodes/n1/proxy/stats/summary?only=cpu", headers=secret)
        assert (answer.code, answer.raw, answer.headers["content-type"]) == (418, b"no coffee", "text/x-tea")
        assert kubelet.asked == [("kube-apiserver-kubelet-client", "/stats/summary", "only=cpu")]
        assert kubelet.headers["x-own"] == ("1",)
        assert not {"authorization", "impersonate-user"} & kubelet.headers.keys()
        kubelet.process.kill()
        gone = await admin.get("/api/v1/nodes/n1/proxy/pods")
        assert (gone.code, gone.body["reason"]) == (503, "ServiceUnavailable")
        text = "error trying to reach service: dial tcp 10.0.0.11:10250: connect: connection refused"
        assert gone.body["message"] == text

    run_logs(story)


def test_a_pod_is_asked_at_its_address_and_is_shown_no_certificate(run_logs):
    async def story(plane, admin, kubelet):
        asked = []

        async def serve(request):
            asked.append((request.method, request.path, request.peer.certificates, await request.read()))
            return Response(200, "text/plain", b"hello")

        async def main(process):
            async with Listener(process, serve) as listener:
                await listener.listen("10.0.0.11", 8080, None)
                process.ready()
                await asyncio.get_running_loop().create_future()

        server = plane.world.spawn(plane.world.host("n1"), "web", main)
        await server.wait_ready()
        await point(admin, "10.0.0.11")
        answer = await admin.post(f"{PODS}/web-0:8080/proxy/a//b%20c".replace("//", "/"), b"body")
        assert (answer.code, answer.raw) == (200, b"hello")
        assert asked == [("POST", "/a/b%20c", (), b"body")]

    run_logs(story)


async def point(admin, address):
    status = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
    assert (await admin.patch(f"{PODS}/web-0/status", status)).code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_an_address_that_leads_back_to_the_api_servers_host_is_not_asked(run_logs, address):
    async def story(plane, admin, kubelet):
        await point(admin, address)
        answer = await admin.get(f"{PODS}/web-0:2379/proxy/")
        assert (answer.code, answer.body["message"]) == (400, "address not allowed")

    run_logs(story)


def test_names_and_ports_that_mean_nothing_are_refused(run_logs):
    async def story(plane, admin, kubelet):
        ports = [{"port": 80}]
        body = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": {"ports": ports}}
        assert (await admin.post(SERVICES, body)).code == 201
        await point(admin, "10.0.0.11")
        asked = {
            f"{PODS}/ftp:web-0:80/proxy/": (400, 'invalid pod request "ftp:web-0:80"'),
            f"{PODS}/web-0:http/proxy/": (
                503,
                "error trying to reach service: dial tcp: lookup tcp/http: unknown port",
            ),
            f"{PODS}/web-0:99999/proxy/": (503, "error trying to reach service: dial tcp: address 99999: invalid port"),
            f"{SERVICES}/web/proxy/": (503, 'no endpoints available for service "web"'),
            f"{SERVICES}/web:81/proxy/": (503, 'no service port 81 found for service "web"'),
            f"{SERVICES}/none/proxy/": (404, 'services "none" not found'),
        }
        for path, expected in asked.items():
            answer = await admin.get(path)
            assert (answer.code, answer.body["message"]) == expected, path

    run_logs(story)
