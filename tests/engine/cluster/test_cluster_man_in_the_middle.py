"""The man in the middle: who does not trust it breaks off, who does is read, and the certificate stays behind."""

import asyncio
import contextlib
import re

from cluster_engine.lens.opening import open_entry

START = "mitmdump --mode reverse:https://10.0.0.1:6443 -p 8443 --set ssl_verify_upstream_trusted_ca=/root/ca.crt"
PROXY, MITM_CA = "https://10.0.0.100:8443", "/root/.mitmproxy/mitmproxy-ca-cert.pem"
KUBECTL = f"kubectl --server {PROXY} --certificate-authority {MITM_CA}"
PKI = "/etc/kubernetes/pki"


@contextlib.asynccontextmanager
async def proxy(sh, options=""):
    """A proxy on the workstation, from here on; what it prints is in the file `flows`."""
    files = sh.cluster.world.host("control-plane").files
    sh.host.files.write("/root/ca.crt", files.read(f"{PKI}/ca.crt"))
    line = f"{START} {options} > /root/flows 2>&1"
    running = asyncio.ensure_future(sh.cluster.command(line, lambda *_: None, terminal="proxy"))
    await asyncio.sleep(1)
    yield
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_an_untrusted_proxy_is_left_at_once_and_a_trusted_one_has_the_plaintext_but_not_the_identity(workstation):
    async def story(sh):
        async with proxy(sh):
            untrusted = await sh(f"kubectl --server {PROXY} get nodes")
            assert (untrusted.code, untrusted.err.strip()) == (
                1,
                "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by "
                "unknown authority",
            )
            assert (await sh(f"curl -s --cacert ca.crt {PROXY}/version")).code == 60
            trusted = await sh(f"{KUBECTL} get --raw /api/v1/namespaces/default/pods")
            assert 'User "system:anonymous" cannot list resource "pods"' in trusted.err
            secret = "$(kubectl create token default)"
            await sh.ok(
                f"curl -sS --cacert {MITM_CA} -H 'X-A: b' -H \"Authorization: Bearer {secret}\" {PROXY}/version"
            )
        flows = await sh.ok("cat flows")
        distrust = "Client TLS handshake failed. The client does not trust the proxy's certificate for 10.0.0.1:6443"
        assert flows.count(distrust) == 2
        assert re.search(
            r"^10\.0\.0\.100:\d+: GET https://10\.0\.0\.1:6443/api/v1/namespaces/default/pods HTTP/2\.0\n"
            r"      << HTTP/2\.0 403 Forbidden \d+b$",
            flows,
            re.M,
        )
        entries = sh.cluster.journal.since(0, 100_000)
        alerts = [(one["from"], one["to"], one["label"]) for one in entries if one["label"] == "Alert unknown_ca"]
        mitm, server = "workstation/mitmdump", "control-plane/kube-apiserver"
        assert alerts == [(f"workstation/{who}", mitm, "Alert unknown_ca") for who in ("kubectl", "curl")]
        shown = {one["label"] for one in entries if one["kind"] == "tls.certificate" and one["to"] in (mitm, server)}
        by_proxy = {one["label"] for one in entries if one["kind"] == "tls.certificate" and one["from"] == mitm}
        assert "Certificate (none)" in shown & by_proxy
        ways = [(one["from"], one["to"]) for one in entries if one["kind"] == "http.request" and _is_version(one)]
        assert ways == [("workstation/curl", mitm), (mitm, server)]
        seen = next(one for one in entries if one["kind"] == "http.request" and one["from"] == "workstation/mitmdump")
        assert open_entry(sh.cluster.journal, seen["seq"])["records"][0]["readers"] == "session"

    workstation(story, nodes=1, capture=True)


def _is_version(entry):
    return entry["fields"]["path"] == "/version"


def test_a_watch_is_seen_where_it_is_passed_on_as_it_comes_and_tokens_and_secrets_can_be_read(workstation):
    async def story(sh):
        async with proxy(sh, "--flow-detail 3 --set stream_large_bodies=1 --set client_certs=/root/me.pem"):
            pass
        assert "me.pem: No such file or directory" in await sh.ok("cat flows")
        config = "kubectl config view --raw -o jsonpath='{.users[0].user.client-%s-data}' | base64 -d"
        await sh.ok(f"{config % 'certificate'} > me.pem; {config % 'key'} >> me.pem")
        async with proxy(sh, "--flow-detail 3 --set stream_large_bodies=1 --set client_certs=/root/me.pem"):
            watching = asyncio.ensure_future(sh(f"{KUBECTL} get configmaps --watch -o name", interrupt_after=20))
            await asyncio.sleep(5)
            await sh.cluster.command("kubectl create configmap seen --from-literal=a=b", lambda *_: None, terminal="x")
            assert "configmap/seen" in (await watching).out
            assert "kubernetes-admin" in await sh.ok(f"{KUBECTL} auth whoami")
            assert "yes" in await sh.ok(f"{KUBECTL} auth can-i '*' '*'")
        flows = await sh.ok("cat flows")
        assert re.search(r"GET https://10\.0\.0\.1:6443/api/v1/namespaces/default/configmaps\?.*watch=true", flows)
        assert "(content missing)" in flows and "SelfSubjectReview" in flows

    workstation(story, nodes=1, capture=True)


def test_what_a_proxy_cannot_do_is_said_in_its_words(workstation):
    async def story(sh):
        for line, code, said in (
            ("mitmdump", 1, "mitmdump: only --mode reverse:https://HOST:PORT is there"),
            ("mitmdump -x", 2, "mitmdump: error: unrecognized arguments: -x"),
            ("mitmdump -m regular", 1, "Invalid mode specification: regular"),
            ("mitmdump -m reverse:https://a --set x=1", 1, "Unknown option: x"),
            ("mitmdump -m reverse:https://a -p 99999", 1, "Invalid value for listen_port: 99999"),
            ("mitmdump -m reverse:https://a -H /x", 1, "Cannot parse modify_headers option /x"),
            (f"mitmdump -m reverse:https://a -H '{'/' * 3000}'", 1, "Cannot parse modify_headers option"),
        ):
            done = await sh(line)
            assert (done.code, said in done.err) == (code, True), done
        async with proxy(sh, "--set ssl_verify_upstream_trusted_ca=/root/.kube/config"):
            pass
        assert "Cannot load TLS files" in await sh.ok("cat flows")
        async with proxy(sh, "--set confdir=/root/other --set ssl_verify_upstream_trusted_ca="):
            answer = await sh.ok(f"curl -s --cacert /root/other/mitmproxy-ca-cert.pem {PROXY}/version || cat flows")
            assert "502 Bad Gateway" in answer and "Certificate verify failed" in answer
            done = await sh("mitmdump -m reverse:https://a --listen-port 8443")
            assert (done.code, done.err) == (1, "Error: a: bind *:8443: Address already in use\n")

    workstation(story, nodes=1)


def test_a_front_proxy_says_who_asks_and_nobody_else_does(workstation):
    async def story(sh):
        files = sh.cluster.world.host("control-plane").files
        pair = files.read(f"{PKI}/front-proxy-client.crt") + files.read(f"{PKI}/front-proxy-client.key")
        sh.host.files.write("/root/front.pem", pair)
        said = "-H /~q/X-Remote-User/jane -H /~q/X-Remote-Group/dev -H /~q/X-Remote-Extra-Scopes/a"
        async with proxy(sh, f"--set client_certs=/root/front.pem {said}"):
            who = await sh.ok(f"{KUBECTL} auth whoami")
            assert re.findall(r"^(?:Username|Groups|Extra: \w+) .*", who, re.M) == [
                "Username        jane", "Groups          [dev system:authenticated]", "Extra: scopes   [a]"
            ]  # fmt: skip
            refused = await sh(f"{KUBECTL} get --raw /api/v1/nodes")
            assert 'User "jane" cannot list resource "nodes"' in refused.err
        as_jane = "curl -sSk -H 'X-Remote-User: jane' https://10.0.0.1:6443/api/v1/nodes"
        assert "system:anonymous" in await sh.ok(as_jane)
        config = "kubectl config view --raw -o jsonpath='{.users[0].user.client-%s-data}' | base64 -d"
        await sh.ok(f"{config % 'certificate'} > me.pem; {config % 'key'} >> me.pem")
        assert "NodeList" in await sh.ok(f"{as_jane} --cert me.pem")
        assert '"code": 401' in await sh.ok("curl -sSk --cert front.pem https://10.0.0.1:6443/api/v1/nodes")

    workstation(story, nodes=1)
