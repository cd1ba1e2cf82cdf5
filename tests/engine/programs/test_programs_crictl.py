"""crictl: what the runtime of a worker has, and what becomes of it when somebody meddles below the kubelet."""

import json


def test_containers_pods_and_images_are_listed_and_described(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=nginx; kubectl wait --for=condition=Ready pod/web")
        node = (await sh.ok("kubectl get pod web -o jsonpath={.spec.nodeName}")).strip()
        await sh.ok(f"ssh {node}")
        header, line = (await sh.ok("crictl ps")).splitlines()
        assert header.split() == ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD", "ID", "POD",
                                  "NAMESPACE"]  # fmt: skip
        assert line.split()[-2:] == ["web", "default"]
        (id_,) = (await sh.ok("crictl ps -q --name '^web$' --label io.kubernetes.pod.name=web")).split()
        assert line.split()[0] == id_[:13]
        told = json.loads(await sh.ok(f"crictl inspect {id_[:13]}"))
        assert (told["status"]["id"], told["status"]["state"]) == (id_, "CONTAINER_RUNNING")
        assert "nginx" in await sh.ok("crictl images; sleep 2")
        logs = await sh(f"crictl logs {id_}")
        assert (logs.code, "start worker process" in logs.out + logs.err) == (0, True)
        assert (await sh.ok(f"crictl exec {id_} hostname")).strip()

    workstation(story)


def test_what_is_stopped_below_the_kubelet_is_started_again_by_it(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=nginx; kubectl wait --for=condition=Ready pod/web")
        node = (await sh.ok("kubectl get pod web -o jsonpath={.spec.nodeName}")).strip()
        await sh.ok(f"ssh {node}")
        refused = await sh("crictl rmp $(crictl pods -q)")
        assert refused.err.endswith("is running, please stop it first\n")
        stopped = await sh.ok("crictl stopp $(crictl pods -q)")
        assert stopped.startswith("Stopped sandbox ")
        await sh.ok("sleep 20")
        states = [line.split()[-5] for line in (await sh.ok("crictl pods")).splitlines()[1:]]
        assert sorted(states) == ["NotReady", "Ready"]

    workstation(story)


def test_without_a_runtime_it_says_why(workstation):
    async def story(sh):
        for host, why in (("worker-1", "connection refused"), ("control-plane", "no such file or directory")):
            done = await sh(f"ssh {host} 'systemctl stop containerd; crictl ps'")
            assert done.code == 1
            assert done.err.splitlines()[-1].startswith("FATA[0000] validate service connection: validate CRI v1 ")
            assert done.err.endswith(f'dial unix /run/containerd/containerd.sock: connect: {why}"\n')

    workstation(story)


def test_what_makes_no_sense_is_refused(workstation):
    async def story(sh):
        await sh.ok("ssh worker-1")
        for line, code, says in (
            ("crictl inspect zzz", 1, 'FATA[0000] getting the status of the container "zzz": rpc error: '
             'code = NotFound desc = an error occurred when try to find container "zzz": not found\n'),
            ("crictl stop", 1, "FATA[0000] ID cannot be empty\n"),
            ("crictl ps --label x", 1, "FATA[0000] labels should be in the form of key=value\n"),
            ("crictl nonsense", 3, "No help topic for 'nonsense'\n"),
            ("crictl ps --nonsense", 1, "FATA[0000] unknown flag: --nonsense\n"),
        ):  # fmt: skip
            done = await sh(line)
            assert (done.code, done.err) == (code, says)

    workstation(story)


def test_commands_run_in_a_container_with_streams_and_end_with_their_code(workstation):
    async def story(sh):
        await _on_the_node_of_web(sh)
        assert await sh.ok("echo hello | crictl exec -i $(crictl ps -q) cat") == "hello\n"
        done = await sh("crictl exec $(crictl ps -q) sh -c 'echo out; echo err >&2; exit 3'")
        assert (done.code, done.out, done.err.startswith("err\n")) == (1, "out\n", True)
        assert done.err.endswith("command terminated with exit code 3\n")
        refused = await sh("crictl exec -t $(crictl ps -q) sh")
        assert refused.err.endswith("tty=true must be specified with interactive=true\n")
        assert await sh.ok("crictl exec -s $(crictl ps -q) hostname") == "web\n"

    workstation(story)


def test_ports_of_a_pod_are_reached_below_the_kubelet(workstation):
    async def story(sh):
        await _on_the_node_of_web(sh)
        await sh.ok("crictl port-forward $(crictl pods -q) 8080:80 >/dev/null &")
        assert "Welcome to nginx!" in await sh.ok("sleep 1; curl -s http://127.0.0.1:8080")
        refused = await sh("crictl port-forward $(crictl pods -q) x")
        assert (refused.code, refused.err.startswith("FATA[0000] port forward: ")) == (1, True)

    workstation(story)


def test_what_containers_and_pods_use_is_what_a_node_says_of_them(workstation):
    async def story(sh):
        await _on_the_node_of_web(sh)
        (stats,) = json.loads(await sh.ok("crictl stats -o json"))["stats"]
        header, line = (await sh.ok("crictl stats")).splitlines()
        assert header.split() == ["CONTAINER", "NAME", "CPU", "%", "MEM", "DISK", "INODES"]
        used = int(stats["memory"]["workingSetBytes"]["value"])
        assert line.split()[1:] == ["web", "0.00", f"{used / 1e6:.4g}MB", "0B", "0"]
        assert (await sh.ok("crictl statsp")).splitlines()[1].split()[0] == "web"
        images = json.loads(await sh.ok("crictl images -o json"))["images"]
        (file_system,) = json.loads(await sh.ok("crictl imagefsinfo"))["status"]["imageFilesystems"]
        assert int(file_system["usedBytes"]["value"]) == sum(int(image["size"]) for image in images)

    workstation(story)


def test_a_log_is_followed_until_its_container_ends_and_shown_in_part(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=busybox --restart=Never -- sh -c 'echo one; sleep 5; echo two'")
        await sh.ok("kubectl wait --for=condition=Ready pod/web")
        await sh.ok("ssh $(kubectl get pod web -o jsonpath={.spec.nodeName})")
        assert await sh.ok("crictl logs -f $(crictl ps -q)") == "one\ntwo\n"
        id_ = "$(crictl ps -aq)"
        assert await sh.ok(f"crictl logs --tail 1 {id_}") == "two\n"
        assert await sh.ok(f"crictl logs --limit-bytes 2 {id_}") == "on"
        assert await sh.ok(f"sleep 1; crictl logs --since 3s {id_}") == "two\n"
        assert (await sh(f"crictl logs -p {id_}")).err == "FATA[0000] previous log: no previous container found\n"

    workstation(story)


async def _on_the_node_of_web(sh):
    await sh.ok("kubectl run web --image=nginx; kubectl wait --for=condition=Ready pod/web")
    await sh.ok("ssh $(kubectl get pod web -o jsonpath={.spec.nodeName})")
