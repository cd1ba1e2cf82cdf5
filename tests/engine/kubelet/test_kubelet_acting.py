"""Pods that act: volumes are read, probes are answered, last words are heard."""

import asyncio
import base64

import pytest

from cluster_engine.api.kinds import CONFIG_MAP, POD, SECRET
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FILE_BYTES_MAX


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
        (web(tcpSocket={"host": "nosuch", "port": 90}), "Readiness probe failed: dial tcp: lookup nosuch: "),
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


# -- lives of containers -----------------------------------------------------------------------------------------------


def script(name, text, **more):
    return {"name": name, "image": "busybox", "command": ["sh", "-c", text], **more}


def test_a_sidecar_starts_before_the_others_and_ends_after_them(node):
    async def story(node):
        text = "trap 'echo end; exit 0' TERM; echo begin; sleep 3600 & wait"
        await node.run_pod(
            "beside",
            "",
            containers=[script("app", text)],
            initContainers=[script("proxy", text, restartPolicy="Always"), script("once", "echo once; sleep 5")],
        )
        pod = await node.pod("beside")
        await node.client.delete(POD, "beside", "default")
        await asyncio.sleep(3)
        return pod, [
            (said.process, said.text) for said in node.noted("containerd.started") + node.noted("containerd.exited")
        ]

    pod, notes = node(story)
    states = {one["name"]: (one["ready"], one["started"]) for one in pod["status"]["initContainerStatuses"]}
    assert states == {"proxy": (True, True), "once": (True, False)}
    order = [text.split()[1] + " " + text.split()[5] for _, text in notes]
    assert order == ["proxy runs,", "once runs,", "app runs,", "once ended", "app ended", "proxy ended"]


def test_a_sidecar_is_started_again_and_does_not_keep_a_pod_from_its_end(node):
    async def story(node):
        await node.run_pod(
            "job",
            "",
            containers=[script("app", "sleep 60")],
            initContainers=[script("proxy", "sleep 20; exit 1", restartPolicy="Always")],
            restartPolicy="Never",
        )
        await asyncio.sleep(50)
        during = await node.pod("job")
        await node.until(lambda: node.phase_is("job", "Succeeded"))
        return during

    (proxy,) = node(story)["status"]["initContainerStatuses"]
    assert proxy["restartCount"] >= 1


@pytest.mark.parametrize(
    ("hook", "reason", "events"),
    [
        ({"exec": {"command": ["sh", "-c", "echo up > /tmp/up"]}}, None, []),
        ({"sleep": {"seconds": 2}}, None, []),
        ({"exec": {"command": ["false"]}}, "PostStartHookError", ["PostStartHook failed"]),
        ({"httpGet": {"path": "/none", "port": 80}}, "PostStartHookError", ["PostStartHook failed"]),
    ],
)
def test_a_container_whose_post_start_hook_fails_is_killed(node, hook, reason, events):
    async def story(node):
        text = "exec nginx -g 'daemon off;'"
        container = {"name": "app", "image": "nginx", "command": ["sh", "-c", text], "lifecycle": {"postStart": hook}}
        await node.run_pod("hooked", "", containers=[container], until=None)
        await asyncio.sleep(12)
        return await node.waiting("hooked"), [text for why, text, _ in await node.events("hooked") if "Hook" in why]

    waiting, told = node(story)
    assert waiting in (reason, "CrashLoopBackOff") if reason else waiting is None
    assert told == events


def test_a_pre_stop_hook_takes_of_the_grace(node):
    async def story(node):
        container = script("app", "sleep 3600", lifecycle={"preStop": {"exec": {"command": ["sleep", "4"]}}})
        await node.run_pod("slow", "", containers=[container], terminationGracePeriodSeconds=10)
        before = asyncio.get_running_loop().time()
        await node.client.delete(POD, "slow", "default")
        await node.until(lambda: node.is_gone("slow"))
        return asyncio.get_running_loop().time() - before

    assert 10 <= node(story) < 13


def test_a_pod_fails_once_it_has_been_active_for_as_long_as_it_may(node):
    async def story(node):
        await node.run_pod("late", "busybox", "sleep", "3600", activeDeadlineSeconds=20)
        await node.until(lambda: node.phase_is("late", "Failed"), within_seconds=25)
        await asyncio.sleep(40)
        return await node.pod("late"), [status.state for status in node.containers()]

    pod, states = node(story)
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert pod["status"]["message"] == "Pod was active on the node longer than the specified deadline"
    assert states == [cri.CONTAINER_EXITED]


# -- a node that runs short --------------------------------------------------------------------------------------------


async def condition(node, type_):
    return next(c for c in (await node.node())["status"]["conditions"] if c["type"] == type_)


def test_who_takes_the_nodes_memory_is_evicted(node):
    async def story(node):
        await node.run_pod("modest", "nginx")
        hog = {
            "name": "app",
            "image": "polinux/stress",
            "command": ["stress"],
            "args": ["--vm", "1", "--vm-bytes", "7G"],
        }
        await node.run_pod("hog", "", containers=[hog])
        await node.until(lambda: node.phase_is("hog", "Failed"), within_seconds=40)
        pressed = await condition(node, "MemoryPressure")
        await asyncio.sleep(330)
        return await node.pod("hog"), await node.pod("modest"), pressed, await condition(node, "MemoryPressure")

    hog, modest, pressed, after = node(story)
    assert hog["status"]["reason"] == "Evicted"
    assert hog["status"]["message"].startswith(
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: "
    )
    assert (
        "Container app was using 7340032Ki, request is 0, has larger consumption of memory" in hog["status"]["message"]
    )
    assert modest["status"]["phase"] == "Running"
    assert (pressed["status"], pressed["reason"]) == ("True", "KubeletHasInsufficientMemory")
    assert (after["status"], after["reason"]) == ("False", "KubeletHasSufficientMemory")


def test_who_fills_the_nodes_disk_is_evicted_and_its_files_are_gone(node):
    async def story(node):
        await node.run_pod("modest", "nginx")
        await node.run_pod("writer", "busybox", "sleep", "3600")
        writer = node.containers()[-1]
        for number in range(8):
            try:
                writer.files.write(f"/tmp/{number}", bytes(FILE_BYTES_MAX))
            except OSError as error:
                full = error
        writer.files.write("/tmp/rest", bytes(FILE_BYTES_MAX // 2))
        await node.until(lambda: node.phase_is("writer", "Failed"), within_seconds=20)
        pressed = await condition(node, "DiskPressure")
        await node.client.delete(POD, "writer", "default")
        await node.until(lambda: node.is_gone("writer"))
        await asyncio.sleep(5)
        return full, await node.pod("modest"), pressed, node.host.files.size

    full, modest, pressed, size = node(story)
    assert str(full).startswith("[Errno 28] No space left on device: '/tmp/")
    assert modest["status"]["phase"] == "Running"
    assert pressed["status"] == "True"
    assert size < FILE_BYTES_MAX
