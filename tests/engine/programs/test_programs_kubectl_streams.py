"""kubectl among other programs: what is piped in, what it is piped into, its environment, its log, its kubeconfig."""

import asyncio

import pytest

POD = """apiVersion: v1
kind: Pod
metadata: {name: piped}
spec: {containers: [{name: c, image: nginx}]}
"""


def test_manifests_are_read_from_standard_input_wherever_a_file_may_be_named(workstation):
    async def story(sh):
        told = [
            await sh.ok(line)
            for line in (
                f"cat <<EOF | kubectl apply -f -\n{POD}EOF",
                f"kubectl apply -f - <<EOF\n{POD}EOF",
                "cat pod.yaml | kubectl create -f -",
                "cat pod.yaml | kubectl get -f - -o name",
                "kubectl describe -f - < pod.yaml | head -1",
                "kubectl create deployment web --image=nginx --dry-run=client -o yaml | kubectl apply -f -",
                'echo \'{"spec":{"replicas":2}}\' | kubectl patch deploy web --patch-file=-',
                "kubectl get deploy web -o yaml | kubectl delete -f -",
            )
        ]
        failed = await sh("echo 'a: b: c' | kubectl apply -f -"), await sh("kubectl apply -f - < /dev/null")
        return told, failed

    told, (odd, nothing) = workstation(story)
    assert told[:4] == ["pod/piped created\n", "pod/piped unchanged\n", "pod/hello created\n", "pod/hello\n"]
    assert told[4].split() == ["Name:", "hello"]
    assert told[5:] == [
        "deployment.apps/web created\n",
        "deployment.apps/web patched\n",
        'deployment.apps "web" deleted\n',
    ]
    assert odd.err.startswith("error: error parsing STDIN: ")
    assert nothing.err == "error: no objects passed to apply\n"


def test_a_watch_ends_with_its_reader_and_a_list_goes_through_loops(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx --replicas=3")
        await sh.ok("kubectl rollout status deploy/web")
        first = asyncio.ensure_future(sh("kubectl get pods -w | head -2"))
        later = asyncio.ensure_future(sh("kubectl get pods -w | head -6 | wc -l"))
        await asyncio.sleep(10)
        assert not first.done(), "a watch hears that nobody reads it when it next writes"
        await sh.ok("kubectl delete pod --all")
        looped = await sh.ok(
            "for node in $(kubectl get nodes -o name); do kubectl get $node --no-headers | grep -c Ready; done"
        )
        return await asyncio.wait_for(first, 60), await asyncio.wait_for(later, 60), looped

    first, later, looped = workstation(story)
    assert (first.code, len(first.lines)) == (0, 2)
    assert later.out == "6\n"
    assert looped == "1\n1\n"


def test_v_tells_each_request_and_more_of_it_the_higher_it_is(workstation):
    async def story(sh):
        await sh.ok("kubectl get nodes")
        return [await sh(f"kubectl get nodes -v={level}") for level in (5, 6, 7, 8, 9)]

    quiet, six, seven, eight, nine = workstation(story)
    url = "https://10.0.0.1:6443/api/v1/nodes?limit=500"
    assert quiet.err == ""
    loaded, line = six.err.splitlines()
    assert loaded.endswith(" loader.go:402] Config loaded from file:  /root/.kube/config")
    head, _, told = line.partition("] ")
    assert head.split()[-1] == "round_trippers.go:560"
    assert told.startswith(f"GET {url} 200 OK in ")
    told = [line.partition("] ")[2] for line in seven.err.splitlines()]
    assert told[1:3] == [f"GET {url}", "Request Headers:"]
    assert told[-1].startswith("Response Status: 200 OK in ")
    assert "    Accept: application/json;as=Table;" in seven.err
    assert f" -H \"User-Agent: kubectl/v1.32.13 (linux/amd64) kubernetes/glassplane\" '{url}'" in nine.err
    assert "HTTP Statistics: GetConnection" in nine.err
    assert "Bearer" not in eight.err
    assert '"Response Body" body="{\\"kind\\":\\"Table\\"' in eight.err
    assert "    Content-Type: application/json" in eight.err
    assert " [truncated " in eight.err
    assert quiet.out.split()[:5] == eight.out.split()[:5]


def test_a_kubeconfig_without_a_ca_meets_an_unknown_authority(workstation):
    async def story(sh):
        await sh.ok("grep -v certificate-authority-data .kube/config > other")
        return await sh("kubectl --kubeconfig=other get nodes"), await sh("KUBECONFIG=other kubectl get nodes")

    for said in workstation(story):
        assert (said.code, said.err) == (
            1,
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown "
            "authority\n",
        )


def test_a_kubeconfig_that_skips_verification_shows_its_certificate_all_the_same(workstation):
    head = (
        "current-context: x",
        'clusters: [{name: x, cluster: {server: "https://10.0.0.1:6443", insecure-skip-tls-verify: true}}]',
        "contexts: [{name: x, context: {cluster: x, user: kubernetes-admin}}]",
    )

    async def story(sh):
        await sh.ok("".join(f"echo '{line}' >> other; " for line in head) + "grep -A 4 ^users: .kube/config >> other")
        return await sh.ok("kubectl --kubeconfig=other auth whoami -o jsonpath='{.status.userInfo.username}'")

    assert workstation(story) == "kubernetes-admin"


@pytest.mark.parametrize("form", ["--kubeconfig={}", "export KUBECONFIG={};"])
def test_a_kubeconfig_is_named_by_flag_or_environment(workstation, form):
    async def story(sh):
        before, after = ("", f" {form}") if form.startswith("--") else (f"{form} ", "")
        kubelet = "/etc/kubernetes/kubelet.conf"
        await sh.ok("ssh worker-1")
        without = await sh("kubectl get nodes")
        who = "auth whoami -o jsonpath='{.status.userInfo.username}'"
        return without, await sh.ok(f"{before.format(kubelet)}kubectl{after.format(kubelet)} {who}")

    without, who = workstation(story)
    assert without.err == (
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    )
    assert who == "system:node:worker-1"


def test_programs_are_found_by_hosts_and_lines_are_told_where_they_are_typed_but_not_the_administrators(workstation):
    async def story(sh):
        assert await sh.cluster.administer("ssh worker-1 hostname") == (0, "worker-1\n")
        await sh.ok("kubectl get pods | grep -c x || true")
        await sh.ok("ssh control-plane kubectl --kubeconfig=/etc/kubernetes/admin.conf get nodes")
        await sh.ok("ssh control-plane")
        await sh.ok("export KUBECONFIG=/etc/kubernetes/admin.conf; kubectl get nodes | wc -l")
        entries = sh.cluster.journal.since(0, 100_000)
        lines = [(one["fields"]["host"], one["label"]) for one in entries if one["kind"] == "command.started"]
        starts = [one["from"] for one in entries if one["kind"] == "process.started"]
        return lines, [name for name in starts if name.split("/")[1] not in ("etcd", "kubelet")][-6:]

    lines, starts = workstation(story, capture=True)
    assert lines == [
        ("workstation", "kubectl get pods | grep -c x || true"),
        ("workstation", "ssh control-plane kubectl --kubeconfig=/etc/kubernetes/admin.conf get nodes"),
        ("control-plane", "kubectl --kubeconfig=/etc/kubernetes/admin.conf get nodes"),
        ("workstation", "ssh control-plane"),
        ("control-plane", "export KUBECONFIG=/etc/kubernetes/admin.conf; kubectl get nodes | wc -l"),
    ]
    assert starts[-3:] == ["workstation/kubectl", "control-plane/kubectl", "control-plane/kubectl"]


BINDING = (
    '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "held"}, "target": {"kind": "Node", "name": "%s"}}'
)


def test_a_file_is_posted_as_it_is_where_create_is_told_a_raw_path(workstation):
    held = POD.replace("piped", "held").replace("spec: {", "spec: {schedulerName: nobody, ")
    bind = "kubectl create --raw /api/v1/namespaces/default/pods/held/binding -f -"

    async def story(sh):
        await sh.ok(f"kubectl apply -f - <<EOF\n{held}EOF")
        bound = await sh.ok(f"echo '{BINDING % 'worker-1'}' | {bind}")
        again = await sh(f"echo '{BINDING % 'worker-2'}' | {bind}")
        return bound, again, sh.cluster.stored("pods")[0]["spec"]["nodeName"]

    bound, again, node = workstation(story)
    assert '"kind":"Status"' in bound and '"status":"Success"' in bound
    assert again.err == (
        'Error from server (Conflict): Operation cannot be fulfilled on pods/binding "held": '
        'pod held is already assigned to node "worker-1"\n'
    )
    assert node == "worker-1"


def test_a_kind_that_can_only_be_created_is_created_from_a_file(workstation):
    held = POD.replace("piped", "held").replace("spec: {", "spec: {schedulerName: nobody, ")

    async def story(sh):
        await sh.ok(f"kubectl apply -f - <<EOF\n{held}EOF")
        bound = await sh.ok(f"echo '{BINDING % 'worker-1'}' | kubectl create -f -")
        return bound, sh.cluster.stored("pods")[0]["spec"]["nodeName"]

    assert workstation(story) == ("status/<unknown> created\n", "worker-1")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--raw /x -f a -f b", "--raw can only use a single local file or stdin"),
        ("--raw /x -f https://a/b", "--raw cannot read from a url"),
        ("--raw /x -f a -o yaml", "--raw and --output are mutually exclusive"),
        ("--raw x -f a", '--raw must be a valid URL path: parse "x": invalid URI for request'),
        ("--raw /x -f nope", "open nope: no such file or directory"),
    ],
)
def test_what_create_raw_cannot_post_it_refuses_as_kubectl_does(shared_workstation, flags, said):
    refused = shared_workstation(lambda sh: sh(f"kubectl create {flags}"))
    assert (refused.code, refused.err.splitlines()[0]) == (1, f"error: {said}")
