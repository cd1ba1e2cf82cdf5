"""`kubectl debug`: a container beside what is to be looked at, in a running pod, in a copy of it, or on a node."""

import asyncio

import msgspec
import pytest

from cluster_engine.programs.keyboard import Keyboard
from cluster_engine.programs.kubectl import debug_pods
from cluster_engine.programs.kubectl.debug_pods import Wish

POD = {
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}, "annotations": {"a": "b"}},
    "spec": {
        "nodeName": "worker-1",
        "containers": [{"name": "nginx", "image": "nginx", "livenessProbe": {}, "args": ["x"]}],
        "ephemeralContainers": [{"name": "old"}],
    },
}


async def _web(sh):
    await sh.ok("kubectl run web --image=nginx")
    await sh.ok("kubectl wait --for=condition=Ready pod/web")


async def _typed(sh, line, *words):
    out = []
    keyboard = Keyboard()
    running = asyncio.ensure_future(sh.cluster.command(line, lambda _, text: out.append(text), stdin=keyboard))
    for word in words:
        await asyncio.sleep(15)
        keyboard.type(word)
    return await running, "".join(out)


def _listed(out):
    """Name the programs that ps lists."""
    return [line.split()[3].rstrip(":") for line in out.partition("COMMAND\n")[2].splitlines() if len(line.split()) > 3]


def test_a_container_is_put_into_a_running_pod_and_sees_its_network_and_processes(workstation):
    async def story(sh):
        await _web(sh)
        line = "kubectl debug web -it -c look --image=busybox --profile=general --target=web -- sh"
        told = await _typed(sh, line, "wget -qO- localhost | grep title\n", "ps -e\n", "exit\n")
        await asyncio.sleep(5)
        return told, await sh.ok("kubectl get pod web -o json"), await sh.ok("kubectl describe pod web")

    (code, out), pod, described = workstation(story)
    assert code == 0
    assert 'Targeting container "web".' in out
    assert "Welcome to nginx!" in out
    assert "nginx" in _listed(out)
    found = msgspec.json.decode(pod)
    (container,) = found["spec"]["ephemeralContainers"]
    assert container["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}}
    assert container["targetContainerName"] == "web"
    (status,) = found["status"]["ephemeralContainerStatuses"]
    assert (status["state"]["terminated"]["exitCode"], status["restartCount"], status["ready"]) == (0, 0, False)
    assert found["status"]["containerStatuses"][0]["ready"]
    assert "Ephemeral Containers:\n  look:\n" in described


def test_a_pods_ephemeral_containers_run_at_once_and_are_never_started_again(workstation):
    async def story(sh):
        await _web(sh)
        await sh.ok("kubectl debug web -c one --image=busybox --profile=baseline -q -- sh -c 'echo said; exit 3'")
        await sh.ok("kubectl debug web -c two --image=busybox --profile=baseline -q -- sleep 3600")
        await asyncio.sleep(120)
        path = "{range .status.ephemeralContainerStatuses[*]}{.name}{.restartCount}{.state}{'\\n'}{end}"
        states = await sh.ok(f'kubectl get pod web -o jsonpath="{path}"')
        return states, await sh.ok("kubectl logs web -c one"), await sh.ok("kubectl exec web -c two -- hostname")

    states, log, name = workstation(story)
    one, two = states.splitlines()
    assert one.startswith('one0{"terminated"')
    assert two.startswith('two0{"running"')
    assert (log, name) == ("said\n", "web\n")


def test_a_container_that_has_ended_already_shows_its_log(workstation):
    async def story(sh):
        await _web(sh)
        return await sh("kubectl debug web --attach -c once --image=busybox --profile=general -- echo that was it")

    done = workstation(story)
    assert (done.code, done.out) == (0, "that was it\n")


def test_a_copy_of_a_pod_can_be_changed_and_entered(workstation):
    async def story(sh):
        await _web(sh)
        line = "kubectl debug web -it --copy-to=probe --container=web --profile=general -- sh"
        code, out = await _typed(sh, line, "hostname\n", "exit\n")
        await sh.ok("kubectl debug web --copy-to=other --set-image=*=httpd --replace")
        image = await sh.ok("kubectl get pod other -o jsonpath={.spec.containers[0].image}")
        return code, out, image, (await sh("kubectl get pod web --ignore-not-found -o name")).out

    code, out, image, left = workstation(story)
    assert code == 0
    assert "probe\n" in out
    assert "Session ended, resume using 'kubectl attach probe -c web -i -t' command when the pod is running\n" in out
    assert (image, left) == ("httpd", "")


def test_a_node_is_entered_with_its_files_and_its_processes(workstation):
    async def story(sh):
        line = "kubectl debug node/worker-1 -it --image=busybox --profile=general"
        return await _typed(sh, line, "ls /host/etc/kubernetes\n", "ps -e\n", "hostname -i\n", "exit\n")

    code, out = workstation(story)
    assert code == 0
    assert "Creating debugging pod node-debugger-worker-1-" in out
    assert "kubelet.conf" in out
    assert "/usr/bin/kubelet" in _listed(out)
    assert "10.0.0.11" in out


@pytest.mark.parametrize(
    ("profile", "context"),
    [
        ("legacy", None),
        ("general", {"capabilities": {"add": ["SYS_PTRACE"]}}),
        ("baseline", None),
        ("netadmin", {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}),
        ("sysadmin", {"privileged": True}),
    ],
)
def test_each_profile_allows_what_its_name_says(profile, context):
    wish = Wish(profile=profile, image="busybox", fields={})
    assert debug_pods.for_running(wish, "x", "").get("securityContext") == context


def test_a_copy_keeps_what_the_legacy_profile_or_a_flag_keeps():
    def copy(profile, *kept):
        copied = debug_pods.copied(POD, "copy", {}, same_node=False)
        wish = Wish(profile=profile, image="busybox", fields={}, kept=frozenset(kept))
        return debug_pods.with_debugger(copied, wish, "debugger")

    legacy, general = copy("legacy"), copy("general", "keep-labels")
    assert "ephemeralContainers" not in legacy["spec"]
    assert "nodeName" not in legacy["spec"]
    assert legacy["metadata"]["annotations"] == {"a": "b"}
    assert "livenessProbe" in legacy["spec"]["containers"][0]
    assert "shareProcessNamespace" not in legacy["spec"]
    assert sorted(general["metadata"]) == ["labels", "name", "namespace"]
    assert "livenessProbe" not in general["spec"]["containers"][0]
    assert general["spec"]["shareProcessNamespace"] is True


def test_a_custom_profile_is_laid_over_the_container(workstation):
    async def story(sh):
        await _web(sh)
        await sh.ok("echo '{env: [{name: A, value: b}], securityContext: {runAsUser: 0}}' > custom.yaml")
        await sh.ok("kubectl debug web -c x --image=busybox --profile=general --custom=custom.yaml")
        await sh.ok("echo 'image: x' > bad.yaml")
        bad = await sh("kubectl debug web -c y --image=busybox --profile=general --custom=bad.yaml")
        return await sh.ok("kubectl get pod web -o jsonpath={.spec.ephemeralContainers[0]}"), bad.err

    container, bad = workstation(story)
    found = msgspec.json.decode(container)
    assert found["env"] == [{"name": "A", "value": "b"}]
    assert found["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}, "runAsUser": 0}
    assert bad == "error: name, command, image, lifecycle and volume devices are not modifiable via custom profile\n"


def test_containers_of_a_pod_that_shares_its_processes_see_each_other(workstation):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "both"},
        "spec": {
            "shareProcessNamespace": True,
            "containers": [
                {"name": "web", "image": "nginx"},
                {"name": "look", "image": "busybox", "command": ["sleep", "1000"]},
            ],
        },
    }

    async def story(sh):
        sh.host.files.write("/root/both.json", msgspec.json.encode(pod))
        await sh.ok("kubectl apply -f both.json")
        await sh.ok("kubectl wait --for=condition=Ready pod/both --timeout=60s")
        return await sh.ok("kubectl exec both -c look -- ps")

    first, *others = workstation(story).splitlines()[1:]
    assert first.split() == ["1", "root", "0:00", "/pause"]
    assert any("nginx -g" in line for line in others)
    assert any("sleep 1000" in line for line in others)
