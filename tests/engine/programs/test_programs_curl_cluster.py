"""curl against a cluster's own API server: over HTTP/2, as whom its certificate says, as long as it likes."""

KUBELET = "--cert /var/lib/kubelet/pki/kubelet-client-current.pem --cacert /etc/kubernetes/pki/ca.crt"
API = "https://10.0.0.1:6443"


def test_a_kubelets_certificate_is_who_one_is(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        told = await sh(f"curl -v {KUBELET} {API}/api/v1/nodes/worker-1")
        assert told.code == 0
        assert '"kind": "Node"' in told.out
        assert "* ALPN: server accepted h2\n" in told.err
        assert "*  SSL certificate verify ok.\n" in told.err
        assert "> GET /api/v1/nodes/worker-1 HTTP/2\n" in told.err
        assert "< HTTP/2 200 \n" in told.err
        refused = await sh(f"curl -s -w '%{{http_code}}' {KUBELET} {API}/api/v1/nodes/worker-2")
        assert refused.out.endswith("403")

    workstation(story)


def test_who_trusts_nobody_is_told_so(workstation):
    async def story(sh):
        told = await sh(f"curl {API}/version")
        assert told.code == 60
        assert told.err.startswith("curl: (60) SSL certificate problem: unable to get local issuer certificate\n")
        told = await sh(f"curl -k -s {API}/api")
        assert 'User \\"system:anonymous\\" cannot get path' in told.out

    workstation(story)


def test_a_watch_is_printed_as_it_comes_and_ends_with_ctrl_c(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        watch = f"curl -sN {KUBELET} '{API}/api/v1/nodes?watch=true&fieldSelector=metadata.name=worker-1'"
        told = await sh(watch, interrupt_after=30)
        assert told.code == 130
        assert '"type":"ADDED"' in told.out.replace(" ", "")
        ended = await sh(f"{watch} | head -1")
        assert (ended.code, len(ended.lines)) == (0, 1)
        late = await sh(f"{watch} -m 3 -S -o /dev/null")
        assert late.code == 28
        assert late.err.startswith("curl: (28) Operation timed out after 300")

    workstation(story)


def test_addresses_at_which_nobody_is(workstation):
    async def story(sh):
        told = await sh("curl http://10.0.0.1:81/")
        assert (told.code, told.err[:47]) == (7, "curl: (7) Failed to connect to 10.0.0.1 port 81")
        assert (await sh("curl -sS http://10.0.0.77/")).code == 7
        assert (await sh("curl -sS --connect-timeout 1 http://10.0.0.77/")).err.startswith(
            "curl: (28) Connection timeout after 1000 ms"
        )
        assert (await sh("curl http://nowhere/")).err == "curl: (6) Could not resolve host: nowhere\n"
        told = await sh("curl http://10.0.0.1:6443/")
        assert (told.code, told.out) == (0, "Client sent an HTTP request to an HTTPS server.\n")
        assert (await sh("curl --http2-prior-knowledge -sS http://10.0.0.1:6443/")).code in (18, 56)

    workstation(story)


def test_etcd_wants_a_certificate_and_says_so_late(workstation):
    async def story(sh):
        await sh.ok("ssh control-plane")
        told = await sh("curl -sS --cacert /etc/kubernetes/pki/etcd/ca.crt https://127.0.0.1:2379/version")
        assert told.code == 56
        assert "tlsv13 alert certificate required, errno 0" in told.err

    workstation(story)


def test_openssl_is_drawn_where_it_connects_and_not_where_it_reads(workstation):
    async def story(sh):
        entries = []
        sh.cluster.journal.subscribe(entries.append)
        await sh.ok("openssl version")
        await sh.ok("openssl s_client -connect 10.0.0.1:6443")
        started = [entry for entry in entries if entry["kind"] == "process.started"]
        assert [entry["fields"]["name"] for entry in started] == ["openssl"]

    workstation(story, capture=True)
