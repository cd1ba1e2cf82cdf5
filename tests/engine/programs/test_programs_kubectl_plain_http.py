"""kubectl by plain HTTP, as to a `kubectl proxy`; and how long it waits for an answer (--request-timeout)."""

import asyncio
import contextlib

import pytest

from cluster_engine.faults.components import Slow
from cluster_engine.faults.links import Partition


@contextlib.asynccontextmanager
async def proxy(sh, flags=""):
    serving = asyncio.ensure_future(sh(f"kubectl proxy {flags}", interrupt_after=120))
    await asyncio.sleep(2)
    yield
    await serving


def test_a_proxy_is_asked_by_plain_http_and_is_shown_no_credentials(workstation):
    async def story(sh):
        async with proxy(sh):
            await sh.ok("kubectl create token default")  # whoever has the kubeconfig may
            got = await sh.ok("kubectl -s http://localhost:8001 --as=bob --token=x get --raw /version -v=7 2>&1")
            made = await sh.ok("kubectl -s http://localhost:8001 create deployment web --image=nginx")
            watched = await sh("kubectl --server=http://127.0.0.1:8001 get deployments -w", interrupt_after=5)
            return got, made, watched

    got, made, watched = workstation(story, capture=True)
    assert "GET http://localhost:8001/version" in got and '"major": "1"' in got
    assert "Impersonate-User: bob" in got and "Authorization" not in got
    assert made == "deployment.apps/web created\n"
    assert watched.lines[1].split()[0] == "web"


def test_requests_one_after_the_other_share_a_connection_and_a_watch_has_its_own(workstation):
    async def story(sh):
        async with proxy(sh):
            await sh("kubectl -s http://localhost:8001 get pods -w", interrupt_after=5)
            return sh.cluster.journal.since(0, 100_000)

    entries = workstation(story, capture=True)
    asked = [one for one in entries if one["kind"] == "http.request" and one["to"] == "workstation/kubectl"]
    paths = {}
    for one in asked:
        paths.setdefault(one["connection"], []).append(one["fields"]["path"].partition("?")[0])
    assert ["/api", "/apis", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/pods"] in paths.values()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "-s 10.0.0.1:6443 get nodes",
            "Error from server (BadRequest): the server rejected our request for an",
        ),
        ("-s ftp://10.0.0.1 get --raw /x", 'Unable to connect to the server: unsupported protocol scheme "ftp"\n'),
        ("-s http:///x get --raw /x", 'error: host must be a URL or a host:port pair: "http:///x"\n'),
        ("-s 10.0.0.1:80/x get --raw /x", 'error: host must be a URL or a host:port pair: "10.0.0.1:80/x"\n'),
        (
            "-s http://10.0.0.1:81 get pods",
            "The connection to the server 10.0.0.1:81 was refused - did you",
        ),
        (
            "get nodes --request-timeout=1x",
            "error: Invalid timeout value. Timeout must be a single integer in",
        ),
        (
            "get nodes --request-timeout=-1",
            "error: Invalid timeout value. Timeout must be a single integer in",
        ),
    ],
)
def test_a_server_or_a_time_that_cannot_be_used_is_refused_as_the_real_one_refuses_it(shared_workstation, line, said):
    async def story(sh):
        return await sh(f"kubectl {line}")

    done = shared_workstation(story)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(said)


def test_without_a_kubeconfig_whoever_listens_at_port_8080_of_this_host_is_asked(workstation):
    async def story(sh):
        await sh.ok("cp .kube/config there")
        await sh.ok("rm .kube/config")
        nobody = await sh("kubectl get nodes")
        async with proxy(sh, "--kubeconfig=there --port=8080"):
            return nobody, await sh.ok("kubectl get nodes -o name")

    nobody, nodes = workstation(story)
    assert nobody.err.startswith("The connection to the server localhost:8080 was refused")
    assert nodes == "node/worker-1\nnode/worker-2\n"


def test_what_a_proxy_has_nobody_to_ask_for_is_answered_500(workstation):
    async def story(sh):
        serving = asyncio.ensure_future(sh("kubectl proxy --server=https://10.0.0.1:1", interrupt_after=20))
        await asyncio.sleep(2)
        told = await sh.ok("curl -si http://127.0.0.1:8001/api")
        through = await sh("kubectl -s http://127.0.0.1:8001 get --raw /api")
        return told, through, await serving

    told, through, serving = workstation(story)
    why = "dial tcp 10.0.0.1:1: connect: connection refused"
    assert told.startswith("HTTP/1.1 500 Internal Server Error\r\n") and told.endswith(f"\r\n\r\n{why}\n")
    assert "x-content-type-options: nosniff" in told.lower()
    assert serving.err.splitlines()[0].endswith(f"proxy_server.go:147] Error while proxying request: {why}")
    wrapped = f'an error on the server ("{why}") has prevented the request from succeeding'
    assert through.err == f"Error from server (InternalError): {wrapped}\n"


def test_a_time_for_each_request_goes_to_the_server_with_it(workstation):
    async def story(sh):
        plain = await sh.ok("kubectl get pods -v=6 2>&1")
        return plain, await sh.ok("kubectl get pods -v=6 --request-timeout=90 2>&1")

    plain, timed = workstation(story)
    assert "/api?timeout=32s 200" in plain and "pods?limit=500 200" in plain
    assert "pods?limit=500&timeout=1m30s 200" in timed


def test_whoever_waits_too_long_gives_up_in_the_words_of_gos_client(workstation):
    async def story(sh):
        await sh.ok("kubectl get nodes")
        sh.cluster.inject(Partition(target="control-plane", peer="workstation"))
        began = asyncio.get_running_loop().time()
        away = await sh("kubectl get nodes --request-timeout=5s")
        took = asyncio.get_running_loop().time() - began
        return away, took

    away, took = workstation(story)
    assert (away.code, away.err) == (
        1,
        "Unable to connect to the server: net/http: request canceled while waiting for connection "
        "(Client.Timeout exceeded while awaiting headers)\n",
    )
    assert 5 <= took < 6


def test_a_stream_ends_when_its_time_is_up(workstation):
    async def story(sh):
        await sh.ok("kubectl run talker --image=busybox --restart=Never -- sh -c 'echo hello; sleep 1000'")
        await sh.wait_for("kubectl logs talker", "hello")
        watch = await sh("kubectl get pods -w --request-timeout=2s")
        logs = await sh("kubectl logs -f talker --request-timeout=2s")
        raw = await sh("kubectl get --raw '/api/v1/pods?watch=true' --request-timeout=2s")
        return watch, logs, raw

    watch, logs, raw = workstation(story)
    assert (watch.code, watch.err, watch.lines[1].split()[0]) == (0, "", "talker")
    assert (logs.code, logs.out, logs.err) == (1, "hello\n", "error: context deadline exceeded\n")
    late = "error: context deadline exceeded (Client.Timeout or context cancellation while reading body)\n"
    assert (raw.code, raw.err) == (1, late) and '"type":"ADDED"' in raw.out


def test_the_api_server_heeds_the_time_that_a_request_names(workstation):
    async def story(sh):
        bad = await sh("kubectl get --raw '/api/v1/pods?timeout=soon'")
        sh.cluster.inject(Slow(target="control-plane/kube-apiserver", times=10_000.0))
        read = await sh("kubectl get --raw '/api/v1/pods?timeout=10ms'")
        line = "kubectl create --raw '/api/v1/namespaces/default/configmaps?timeout=10ms' -f config.yaml"
        return bad, read, await sh(line)

    bad, read, wrote = workstation(story)
    why = 'invalid timeout specified in the request URL - time: invalid duration "soon"'
    assert bad.err == f"Error from server (BadRequest): {why}\n"
    why = "the server was unable to return a response in the time allotted, but may still be processing the request"
    assert read.err == f"Error from server (Timeout): {why}\n"
    why = "Timeout: request did not complete within requested timeout - context deadline exceeded"
    assert wrote.err == f"Error from server (Timeout): {why}\n"
