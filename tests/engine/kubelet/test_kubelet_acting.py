"""Pods that act: volumes are read, probes are answered, last words are heard."""

import asyncio
import base64

import pytest

from cluster_engine.api.kinds import CONFIG_MAP, SECRET


def log_of(node, name, container="app"):
    (path,) = [
        path for path in node.host.files.below("/var/log/pods") if f"_{name}_" in path and f"/{container}/" in path
    ]
    return [line.split(" ", 3)[3] for line in node.host.files.read(path).decode().splitlines()]


async def create(node, kind, name, **data):
    api_kind = "ConfigMap" if kind is CONFIG_MAP else "Secret"
    metadata = {"name": name, "namespace": "default"}
    await node.client.create(kind, {"kind": api_kind, "apiVersion": "v1", "metadata": metadata, **data})


async def ended(node, name):
    return (await node.pod(name)).get("status", {}).get("phase") in ("Succeeded", "Failed")


VOLUMES = [
    {"name": "config", "configMap": {"name": "app"}},
    {"name": "picked", "configMap": {"name": "app", "items": [{"key": "a", "path": "deep/er.conf"}]}},
    {"name": "secret", "secret": {"secretName": "key"}},
    {"name": "cache", "emptyDir": {}},
    {"name": "host", "hostPath": {"path": "/etc/kubernetes"}},
    {"name": "about", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {"name": "optional", "configMap": {"name": "none", "optional": True}},
]
MOUNTS = [
    {"name": "config", "mountPath": "/config"}, {"name": "picked", "mountPath": "/picked/"},
    {"name": "secret", "mountPath": "/secret"}, {"name": "cache", "mountPath": "/cache"},
    {"name": "host", "mountPath": "/host"}, {"name": "about", "mountPath": "/about"},
    {"name": "optional", "mountPath": "/optional"}, {"name": "config", "mountPath": "/etc/app.conf", "subPath": "a"},
    {"name": "cache", "mountPath": "/mine", "subPathExpr": "$(NAME)"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("cat /config/b; ls /config; echo x > /config/a", ["two", "a", "b", "sh: /config/a: Read-only file system"]),
        ("cat /picked/deep/er.conf; ls /picked", ["onedeep"]),
        ("cat /secret/token; ls -d /optional; ls /optional", ["s3cret", "/optional"]),
        ("cat /etc/app.conf; cat /about/labels", ["onevolumes"]),
        ("ls /cache; echo kept > /cache/x; echo y > /mine/y; ls /cache; cat /cache/web/y", ["web", "x", "y"]),
        ("ls /host", ["kubelet.conf"]),
        ("ls /var/run/secrets/kubernetes.io/serviceaccount", ["ca.crt", "namespace", "token"]),
    ],
)
def test_a_container_reads_its_volumes(node, command, says):
    async def story(node):
        await create(node, CONFIG_MAP, "app", data={"a": "one", "b": "two\n"})
        await create(node, SECRET, "key", data={"token": base64.b64encode(b"s3cret\n").decode()})
        env = [{"name": "NAME", "value": "web"}]
        container = {
            "name": "app",
            "image": "busybox",
            "command": ["sh", "-c", command],
            "volumeMounts": MOUNTS,
            "env": env,
        }
        await node.run_pod("volumes", "", containers=[container], volumes=VOLUMES, restartPolicy="Never", until=None)
        await node.until(lambda: ended(node, "volumes"))
        return log_of(node, "volumes")

    said = node(story)
    assert [line for line in said if line in says] == says


def test_a_config_map_that_changes_is_seen_in_the_volume_after_a_while(node):
    async def story(node):
        await create(node, CONFIG_MAP, "app", data={"a": "one\n"})
        text = "while true; do cat /config/a; sleep 10; done"
        mounts = [{"name": "config", "mountPath": "/config"}]
        container = {"name": "app", "image": "busybox", "command": ["sh", "-c", text], "volumeMounts": mounts}
        await node.run_pod("reader", "", containers=[container], volumes=[VOLUMES[0]])
        await node.client.patch(CONFIG_MAP, "app", {"data": {"a": "two\n"}}, "default", type="merge")
        await asyncio.sleep(120)
        return log_of(node, "reader")

    said = node(story)
    assert set(said) == {"one", "two"}
    assert said[-1] == "two"


@pytest.mark.parametrize(
    ("command", "policy", "message"),
    [
        ("echo 'no database' > /dev/termination-log; exit 1", "File", "no database\n"),
        ("echo 'in the log'; exit 1", "File", None),
        ("echo 'in the log'; exit 1", "FallbackToLogsOnError", "in the log\n"),
        ("echo 'in the log'; exit 0", "FallbackToLogsOnError", None),
    ],
)
def test_last_words_are_heard(node, command, policy, message):
    async def story(node):
        container = {
            "name": "app",
            "image": "busybox",
            "command": ["sh", "-c", command],
            "terminationMessagePolicy": policy,
        }
        until = "Succeeded" if command.endswith("0") else "Failed"
        return await node.run_pod("words", "", containers=[container], restartPolicy="Never", until=until)

    (status,) = node(story)["status"]["containerStatuses"]
    assert status["state"]["terminated"].get("message") == message


def web(**probe):
    return {"name": "app", "image": "nginx", "readinessProbe": {"periodSeconds": 1, "failureThreshold": 1, **probe}}


@pytest.mark.parametrize(
    ("container", "failure"),
    [
        (web(httpGet={"path": "/", "port": 80}), ""),
        (web(httpGet={"path": "/none", "port": 80}), "Readiness probe failed: HTTP probe failed with statuscode: 404"),
        (web(httpGet={"path": "/", "port": 81}),
         'Readiness probe failed: Get "http://10.244.0.2:81/": dial tcp 10.244.0.2:81: connect: connection refused'),
        (web(httpGet={"path": "/", "port": 80, "scheme": "HTTPS"}),
         'Readiness probe failed: Get "https://10.244.0.2:80/": http: server gave HTTP response to HTTPS client'),
        (web(httpGet={"path": "/", "port": "none"}), "Readiness probe errored and resulted in unknown state: "),
        (web(tcpSocket={"port": 80}), ""),
        (web(tcpSocket={"port": 90}), "Readiness probe failed: dial tcp 10.244.0.2:90: connect: connection refused"),
        (web(grpc={"port": 80}), 'Readiness probe failed: timeout: failed to connect service "10.244.0.2:80" '),
        (web(exec={"command": ["ls", "/etc/hostname"]}), ""),
        (web(exec={"command": ["sh", "-c", "echo bad; exit 1"]}), "Readiness probe failed: bad"),
        (web(exec={"command": ["false"]}), "Readiness probe failed: "),
        (web(exec={"command": ["sleep", "9"]}), 'Readiness probe failed: command "sleep 9" timed out'),
        (web(exec={"command": ["none"]}), "Readiness probe errored and resulted in unknown state: "),
        ({**web(httpGet={"path": "/any", "port": 1234}), "image": "quay.io/some/thing:v1"}, ""),
    ],
)  # fmt: skip
def test_a_probe_says_what_is_wrong_in_the_kubelets_words(node, container, failure):
    async def story(node):
        pod = await node.run_pod("probed", "", containers=[container])
        await asyncio.sleep(5)
        pod = await node.pod("probed")
        events = await node.events("probed")
        return pod["status"]["containerStatuses"][0]["ready"], [
            text for reason, text, _ in events if reason == "Unhealthy"
        ]

    ready, unhealthy = node(story)
    assert ready is not bool(failure)
    assert [text[: len(failure)] for text in unhealthy[:1]] == ([failure] if failure else [])


def test_a_probe_is_a_request_on_the_wire(node):
    async def story(node):
        await node.run_pod("probed", "", containers=[web(httpGet={"path": "/", "port": 80})])
        await asyncio.sleep(5)
        return log_of(node, "probed")

    assert '"GET / HTTP/1.1" 200' in node(story)[-1]
    assert node(story)[-1].endswith('"-" "kube-probe/1.32" "-"')
