"""As whom pods run, what they may write, and the files that the kubelet makes for them."""

import pytest

from cluster_engine.api.kinds import SECRET
from tests.engine.kubelet.test_kubelet_acting import ended, log_of


async def said(node, name, command, *, container=None, **spec):
    """Run a script in a pod to its end; return its lines."""
    wanted = {"name": "app", "image": "busybox", "command": ["sh", "-c", command], **(container or {})}
    await node.run_pod(name, "", containers=[wanted], restartPolicy="Never", until=None, **spec)
    await node.until(lambda: ended(node, name))
    return log_of(node, name)


def test_the_security_context_of_the_documentation_is_as_it_says(node):
    """kubernetes.io/docs/tasks/configure-pod-container/security-context, its first pod."""

    async def story(node):
        return await said(
            node,
            "security-context-demo",
            "id; cd /data; ls -l | tail -n 1; cd demo; echo hello > testfile; ls -l; touch /x; "
            "ps ax -o user,comm; whoami",
            container={"volumeMounts": [{"name": "demo", "mountPath": "/data/demo"}]},
            securityContext={"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]},
            volumes=[{"name": "demo", "emptyDir": {}}],
        )

    lines = node(story)
    assert lines[0] == "uid=1000 gid=3000 groups=2000,3000,4000"
    assert lines[1].startswith("drwxrwsrwx 2 root 2000 4096 ")
    assert lines[1].endswith(" demo")
    assert lines[3].startswith("-rw-r--r-- 1 1000 2000 6 ")
    assert lines[4] == "touch: cannot touch '/x': Permission denied"
    assert lines[6:8] == ["1000     sh", "1000     ps"]
    assert lines[-1] == "whoami: unknown uid 1000"


@pytest.mark.parametrize(
    ("image", "of_pod", "own", "why"),
    [
        ("nginx", {"runAsNonRoot": True}, {}, "container has runAsNonRoot and image will run as root"),
        ("nginx", {"runAsNonRoot": True}, {"runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        (
            "memcached",
            {},
            {"runAsNonRoot": True},
            "container has runAsNonRoot and image has non-numeric user (memcache), cannot verify user is non-root",
        ),
        ("nginx", {"runAsNonRoot": True, "runAsUser": 0}, {"runAsNonRoot": False}, None),
        ("nginxinc/nginx-unprivileged", {"runAsNonRoot": True}, {}, None),
        ("memcached", {"runAsUser": 11211}, {"runAsNonRoot": True}, None),
    ],
)
def test_a_container_that_must_not_be_root_is_not(node, image, of_pod, own, why):
    async def story(node):
        container = {"name": "app", "image": image, "securityContext": own}
        await node.run_pod("web", "", containers=[container], securityContext=of_pod, until=None)
        if why is None:
            await node.until(lambda: node.phase_is("web", "Running"))
            return None

        async def waits():
            return await node.waiting("web") == "CreateContainerConfigError"

        await node.until(waits)
        pod = await node.pod("web")
        where = f'(pod: "web_default({pod["metadata"]["uid"]})", container: app)'
        assert any(message == f"Error: {why} {where}" for _, message, _ in await node.events("web"))
        return pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"], f"{why} {where}"

    told = node(story)
    assert told is None or told[0] == told[1]


def test_a_read_only_root_leaves_volumes_and_etc_hosts_writable(node):
    async def story(node):
        return await said(
            node,
            "readonly",
            "echo x > /tmp/a; echo x > /cache/a; cat /cache/a; echo '10.0.0.9 mine' >> /etc/hosts; "
            "tail -n 1 /etc/hosts",
            container={
                "securityContext": {"readOnlyRootFilesystem": True},
                "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            },
            volumes=[{"name": "cache", "emptyDir": {}}],
        )

    assert node(story) == ["sh: /tmp/a: Read-only file system", "x", "10.0.0.9 mine"]


def test_a_secret_is_read_by_the_group_that_the_pod_gives_its_volumes(node):
    """Files of mode 0400: for root alone, but for fsGroup's read bits."""

    async def story(node):
        metadata = {"name": "key", "namespace": "default"}
        await node.client.create(
            SECRET, {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": {"k": "eA=="}}
        )
        told = []
        for name, context in (("without", {"runAsUser": 1000}), ("within", {"runAsUser": 1000, "fsGroup": 2000})):
            told += await said(
                node,
                name,
                "ls -l /keys | tail -n 1 | cut -c 1-22; cat /keys/k; echo",
                container={"volumeMounts": [{"name": "keys", "mountPath": "/keys"}]},
                securityContext=context,
                volumes=[{"name": "keys", "secret": {"secretName": "key", "defaultMode": 0o400}}],
            )
        return told

    assert node(story) == [
        "-r-------- 1 root root",
        "cat: can't open '/keys/k': Permission denied",
        "",
        "-r--r----- 1 root 2000",
        "x",
    ]


def test_the_sysctl_lets_everybody_listen_on_low_ports(node):
    async def story(node):
        sysctls = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
        own = {"image": "hashicorp/http-echo", "args": ["-listen=:80", "-text=hello"]}
        low = {"name": "app", **own}
        await node.run_pod("low", "", containers=[low], securityContext={"runAsUser": 1000, "sysctls": sysctls})
        return await said(node, "high", "", container={**own, "command": []}, securityContext={"runAsUser": 1000})

    assert node(story)[-1] == "listen tcp :80: bind: permission denied"


@pytest.mark.parametrize("value", ["", "x", "-1", "65537", "9" * 100])
def test_a_sysctl_that_is_no_port_keeps_the_sandbox_from_being_made(node, value):
    async def story(node):
        sysctls = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": value}]
        await node.run_pod("low", "nginx", until=None, securityContext={"sysctls": sysctls})

        async def told():
            return [message for reason, message, _ in await node.events("low") if reason == "FailedCreatePodSandBox"]

        await node.until(told)
        return (await told())[0]

    assert node(story).endswith("write /proc/sys/net/ipv4/ip_unprivileged_port_start: invalid argument: unknown")


HOSTS = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


@pytest.mark.parametrize(
    ("spec", "end"),
    [
        ({}, "10.244.0.2\tweb\n"),
        (
            {"hostname": "db-0", "subdomain": "db"},
            "10.244.0.2\tdb-0.db.default.svc.cluster.local\tdb-0\n",
        ),
        (
            {"hostAliases": [{"ip": "10.1.2.3", "hostnames": ["foo.local", "bar.local"]}]},
            "10.244.0.2\tweb\n\n# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n",
        ),
    ],
)
def test_etc_hosts_is_as_the_kubelet_writes_it(node, spec, end):
    assert node(lambda node: said(node, "web", "cat /etc/hosts", **spec)) == (HOSTS + end).splitlines()


def test_a_pod_in_the_nodes_network_has_the_nodes_hosts(node):
    lines = node(lambda node: said(node, "web", "cat /etc/hosts; hostname", hostNetwork=True))
    assert lines == ["# Kubernetes-managed hosts file (host network).", "127.0.0.1\tlocalhost", "worker-1"]


def test_names_of_host_aliases_are_found(node):
    aliases = [{"ip": "127.0.0.1", "hostnames": ["me.local"]}]
    script = "getent hosts me.local; nc -z -w 1 me.local 81; echo $?"
    lines = node(lambda node: said(node, "web", script, hostAliases=aliases, container={"image": "unknown/tools"}))
    assert lines[-1] == "1"
    assert not any("bad address" in line or "not known" in line for line in lines)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            {},
            ["search default.svc.cluster.local svc.cluster.local cluster.local", "nameserver 10.96.0.10",
             "options ndots:5"],
        ),
        ({"dnsPolicy": "Default"}, []),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["192.0.2.1"],
                    "searches": ["ns1.svc.cluster-domain.example", "my.dns.search.suffix"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                },
            },
            ["search ns1.svc.cluster-domain.example my.dns.search.suffix", "nameserver 192.0.2.1",
             "options ndots:2 edns0"],
        ),
    ],
)  # fmt: skip
def test_resolv_conf_is_as_the_policy_says(node, spec, says):
    assert node(lambda node: said(node, "web", "echo; cat /etc/resolv.conf", **spec)) == ["", *says]
