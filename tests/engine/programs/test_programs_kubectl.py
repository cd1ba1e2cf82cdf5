"""kubectl against a whole cluster: what it prints, what it sends, how it ends."""

import asyncio
import json

import pytest
import yaml

from tests.ears import Ears


def test_a_deployment_is_made_and_runs(workstation):
    async def story(sh):
        created = await sh.ok("kubectl create deployment web --image=nginx --replicas=3")
        rolled = await sh.ok("kubectl rollout status deployment/web")
        pods = await sh.ok("kubectl get pods -o wide --no-headers")
        return created, rolled, pods

    created, rolled, pods = workstation(story)
    assert created == "deployment.apps/web created\n"
    assert rolled.endswith('deployment "web" successfully rolled out\n')
    rows = [line.split() for line in pods.splitlines()]
    assert [row[1:4] for row in rows] == [["1/1", "Running", "0"]] * 3
    assert {row[6] for row in rows} == {"worker-1", "worker-2"}


def test_a_watch_shows_what_happens_until_ctrl_c(workstation):
    async def story(sh):
        watching = asyncio.ensure_future(sh("kubectl get pods -w", interrupt_after=40))
        await asyncio.sleep(1)
        await sh.ok("kubectl run once --image=busybox --restart=Never -- sleep 5")
        done = await watching
        await asyncio.sleep(1)
        return done, sh.host.processes

    done, processes = workstation(story)
    assert done.code == 130
    states = [line.split()[2] for line in done.lines[1:]]
    assert [state for i, state in enumerate(states) if state != states[i - 1] or i == 0] == [
        "Pending", "ContainerCreating", "Running", "Completed",
    ]  # fmt: skip
    assert not processes, "nothing is left running on the workstation"


async def watched(sh, *lines):
    """Watch in several ways at once, while a pod comes, is changed and goes."""
    await sh.ok("kubectl run early --image=nginx")
    await asyncio.sleep(10)
    watching = [asyncio.ensure_future(sh(line, interrupt_after=20)) for line in lines]
    await asyncio.sleep(1)
    await sh.ok("kubectl label pod early seen=yes")
    await sh.ok("kubectl delete pod early")
    return [await one for one in watching]


def test_a_watch_says_of_what_type_each_event_is(workstation):
    async def story(sh):
        return await watched(
            sh,
            *(
                f"kubectl get pods {flags} --output-watch-events"
                for flags in ("-w", "-w -A", "early -w", "--watch-only")
            ),
        )

    plain, everywhere, one, later = workstation(story)
    assert plain.lines[:3] == [
        "EVENT      NAME    READY   STATUS    RESTARTS   AGE",
        "ADDED      early   1/1     Running   0          10s",
        "MODIFIED   early   1/1     Running   0          11s",
    ]
    types = [line.split()[0] for line in plain.lines[1:]]
    assert types[-1] == "DELETED" and set(types[1:-1]) == {"MODIFIED"}
    assert everywhere.lines[0].split()[:3] == ["EVENT", "NAMESPACE", "NAME"]
    assert everywhere.lines[1].split()[:3] == ["ADDED", "default", "early"]
    assert [line.split()[0] for line in one.lines] == ["EVENT", *types], "what is there is told once"
    assert [line.split()[0] for line in later.lines] == ["EVENT", *types[1:]]


def test_events_of_a_watch_are_documents_with_a_type(workstation):
    async def story(sh):
        formats = ("json", "yaml", "custom-columns=T:.type,N:.object.metadata.name")
        return await watched(sh, *(f"kubectl get pods -w --output-watch-events -o {one}" for one in formats))

    as_json, as_yaml, as_columns = workstation(story)
    events = [json.loads(line) for line in as_json.lines]
    assert as_json.lines[0].startswith('{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod",')
    assert {(*event, event["object"]["metadata"]["name"]) for event in events} == {("type", "object", "early")}
    assert [event["type"] for event in events][:2] == ["ADDED", "MODIFIED"]
    assert list(yaml.safe_load_all(as_yaml.out)) == events
    assert as_yaml.out.startswith("object:\n  apiVersion: v1\n")
    assert as_columns.lines[:3] == ["T       N", "ADDED   early", "MODIFIED   early"]


def test_objects_of_a_watch_in_yaml_are_kept_apart(workstation):
    async def story(sh):
        return (await watched(sh, "kubectl get pods -w -o yaml"))[0]

    done = workstation(story)
    assert {one["kind"] for one in yaml.safe_load_all(done.out)} == {"Pod"}
    assert done.out.count("---\n") >= 2 and not done.out.startswith("---")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("get pods --output-watch-events", "can only be used with --watch or --watch-only"),
        ("get pods -w --output-watch-events -o name", "missing apiVersion or kind"),
    ],
)
def test_events_of_no_watch_or_without_a_form_are_refused(workstation, line, said):
    async def story(sh):
        return await sh(f"kubectl {line}")

    done = workstation(story)
    assert done.code == 1
    assert done.err.startswith("error: ") and said in done.err


def test_apply_creates_then_leaves_alone_then_changes(workstation):
    async def story(sh):
        first = await sh.ok("kubectl apply -f web.yaml")
        second = await sh.ok("kubectl apply -f web.yaml")
        text = sh.host.files.read("/root/web.yaml").replace(b"replicas: 3", b"replicas: 2")
        sh.host.files.write("/root/web.yaml", text)
        third = await sh.ok("kubectl apply -f web.yaml")
        return first, second, third, await sh.ok("kubectl get deploy web -o jsonpath={.spec.replicas}")

    first, second, third, replicas = workstation(story)
    assert first == "deployment.apps/web created\nservice/web created\n"
    assert second == "deployment.apps/web unchanged\nservice/web unchanged\n"
    assert third == "deployment.apps/web configured\nservice/web unchanged\n"
    assert replicas == "2"


def test_what_was_applied_and_is_no_longer_said_is_removed(workstation):
    async def story(sh):
        manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: '1'\n  b: '2'\n"
        sh.host.files.write("/root/c.yaml", manifest.encode())
        await sh.ok("kubectl apply -f c.yaml")
        await sh.ok('kubectl patch cm c --type=merge -p \'{"data":{"other":"kept"}}\'')
        sh.host.files.write("/root/c.yaml", manifest.replace("  b: '2'\n", "").encode())
        await sh.ok("kubectl apply -f c.yaml")
        return await sh.ok("kubectl get cm c -o jsonpath={.data}")

    assert workstation(story) == '{"a":"1","other":"kept"}'


def test_an_old_copy_is_not_put_over_what_somebody_else_has_written(workstation):
    async def story(sh):
        await sh.ok("kubectl create configmap c --from-literal=a=1")
        await sh.ok("kubectl get cm c -o yaml > old.yaml")
        await sh.ok('kubectl patch cm c --type=merge -p \'{"data":{"b":"2"}}\'')
        stale = await sh("kubectl replace -f old.yaml")
        fresh = await sh("kubectl get cm c -o yaml | grep -v '  b:' | kubectl replace -f -")
        return stale, fresh, await sh.ok("kubectl get cm c -o jsonpath={.data}")

    stale, fresh, data = workstation(story)
    assert (stale.code, fresh.code) == (1, 0)
    assert stale.err == (
        'Error from server (Conflict): error when replacing "old.yaml": Operation cannot be fulfilled on configmaps '
        '"c": the object has been modified; please apply your changes to the latest version and try again\n'
    )
    assert (fresh.out, data) == ("configmap/c replaced\n", '{"a":"1"}')


def test_without_a_version_the_last_writer_wins_and_force_makes_another_object(workstation):
    async def story(sh):
        await sh.ok("kubectl create configmap c --from-literal=a=1")
        await sh.ok("kubectl get cm c -o yaml | grep -v resourceVersion > old.yaml")
        await sh.ok('kubectl patch cm c --type=merge -p \'{"data":{"b":"2"}}\'')
        written = await sh.ok("kubectl replace -f old.yaml")
        data = await sh.ok("kubectl get cm c -o jsonpath={.data}")
        before = await sh.ok("kubectl get cm c -o jsonpath={.metadata.uid}")
        forced = await sh.ok("kubectl replace --force -f old.yaml")
        return written, data, forced, before, await sh.ok("kubectl get cm c -o jsonpath={.metadata.uid}")

    written, data, forced, before, after = workstation(story)
    assert (written, data) == ("configmap/c replaced\n", '{"a":"1"}')
    assert forced == 'configmap "c" deleted\nconfigmap/c replaced\n'
    assert before != after


def test_delete_waits_until_the_pod_is_gone(workstation):
    async def story(sh):
        await sh.ok("kubectl run slow --image=busybox -- sleep 3600")
        await sh.ok("kubectl wait --for=condition=Ready pod/slow")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deleted = await sh.ok("kubectl delete pod slow")
        took = loop.time() - begun
        return deleted, took, await sh("kubectl get pod slow")

    deleted, took, after = workstation(story)
    assert deleted == 'pod "slow" deleted\n'
    assert 30 <= took < 31, "sleep as process 1 takes no SIGTERM: the whole grace period"
    assert after.err == 'Error from server (NotFound): pods "slow" not found\n'


def test_a_forced_delete_does_not_wait(workstation):
    async def story(sh):
        await sh.ok("kubectl run slow --image=busybox -- sleep 3600")
        await sh.ok("kubectl wait --for=condition=Ready pod/slow")
        return await sh("kubectl delete pod slow --force")

    done = workstation(story)
    assert done.out == 'pod "slow" force deleted\n'
    assert done.err.startswith("Warning: Immediate deletion does not wait for confirmation")


def test_a_rollout_and_back(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx:1.26")
        await sh.ok("kubectl rollout status deployment/web")
        updated = await sh.ok("kubectl set image deployment/web nginx=nginx:1.27")
        await sh.ok("kubectl rollout status deployment/web")
        history = await sh.ok("kubectl rollout history deployment/web")
        undone = await sh.ok("kubectl rollout undo deployment/web")
        await sh.ok("kubectl rollout status deployment/web")
        image = await sh.ok("kubectl get deploy web -o jsonpath={.spec.template.spec.containers[0].image}")
        return updated, history, undone, image

    updated, history, undone, image = workstation(story)
    assert updated == "deployment.apps/web image updated\n"
    assert history == "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    assert (undone, image) == ("deployment.apps/web rolled back\n", "nginx:1.26")


def test_logs_come_from_the_node(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f crash.yaml -f once.yaml")
        await sh.wait_for("kubectl get pod once", "Completed")
        once = await sh.ok("kubectl logs once")
        prepared = await sh.ok("kubectl logs once -c prepare")
        await sh.wait_for("kubectl get pod crash", "CrashLoopBackOff")
        previous = await sh.ok("kubectl logs crash --previous")
        followed = await sh("kubectl logs once -f")
        return once, prepared, previous, followed.code

    assert workstation(story) == ("working\ndone\n", "preparing\n", "about to fail\n", 0)


def test_a_crash_loop_backs_off(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f crash.yaml")
        await asyncio.sleep(300)
        return (
            await sh.ok("kubectl get pod crash -o jsonpath={.status.containerStatuses[0].restartCount}"),
            await sh.ok("kubectl describe pod crash"),
        )

    restarts, described = workstation(story)
    assert 4 <= int(restarts) <= 6, "10, 20, 40, 80, 160 s, each up to 15 s longer"
    assert "Back-off restarting failed container crash in pod crash_default(" in described
    assert "Reason:       Error" in described


def test_an_image_that_does_not_exist_is_backed_off(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment bad --image=nginx:nonsense")
        await sh.wait_for("kubectl get pods", "ImagePullBackOff")
        return await sh.ok("kubectl describe pods -l app=bad")

    described = workstation(story)
    assert 'Failed to pull image "nginx:nonsense": rpc error: code = NotFound desc = failed to pull' in described
    assert "Error: ErrImagePull" in described
    assert 'Back-off pulling image "nginx:nonsense"' in described


def test_a_pod_waits_for_its_config_map(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f config.yaml && kubectl delete -f config.yaml")
        text = sh.host.files.read("/root/config.yaml").split(b"---")
        sh.host.files.write("/root/map.yaml", text[0])
        sh.host.files.write("/root/pod-only.yaml", text[1])
        await sh.ok("kubectl apply -f pod-only.yaml")
        waiting = await sh.wait_for("kubectl get pod greeter", "CreateContainerConfigError")
        await sh.ok("kubectl apply -f map.yaml")
        await sh.wait_for("kubectl get pod greeter", "Running")
        return waiting.out, await sh.ok("kubectl logs greeter")

    waiting, logs = workstation(story)
    assert "0/1" in waiting
    assert logs == "hello\n"


def test_a_container_that_is_no_longer_healthy_is_restarted(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f liveness.yaml")
        await asyncio.sleep(120)
        return await sh.ok("kubectl get pod liveness --no-headers"), await sh.ok("kubectl get events")

    row, events = workstation(story)
    assert int(row.split()[3]) >= 1
    assert "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory" in events
    assert "Container liveness failed liveness probe, will be restarted" in events


def test_who_may_do_what(workstation):
    async def story(sh):
        before = await sh("kubectl get pods --as=ann")
        await sh.ok("kubectl apply -f reader.yaml")
        after = await sh("kubectl get pods --as=ann")
        asked = await sh("kubectl auth can-i delete pods --as=ann")
        return before, after, asked, await sh.ok("kubectl auth whoami")

    before, after, asked, whoami = workstation(story)
    assert before.err == (
        'Error from server (Forbidden): pods is forbidden: User "ann" cannot list resource "pods" in API group "" in '
        'the namespace "default"\n'
    )
    assert (after.code, after.err) == (0, "No resources found in default namespace.\n")
    assert (asked.code, asked.out) == (1, "no\n")
    assert "kubernetes-admin" in whoami


def test_a_drained_node_is_empty(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx --replicas=4")
        await sh.ok("kubectl rollout status deployment/web")
        drained = await sh.ok("kubectl drain worker-1")
        await sh.wait_for("kubectl get deploy web", "4/4")
        return (
            drained,
            await sh.ok("kubectl get pods -o wide --no-headers"),
            await sh.ok("kubectl get nodes --no-headers"),
        )

    drained, pods, nodes = workstation(story)
    assert drained.startswith("node/worker-1 cordoned\n")
    assert drained.endswith("node/worker-1 drained\n")
    assert {line.split()[6] for line in pods.splitlines() if "Running" in line} == {"worker-2"}
    assert "Ready,SchedulingDisabled" in nodes


def test_a_drain_that_loses_its_server_says_so_for_each_pod(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx --replicas=4")
        await sh.ok("kubectl rollout status deployment/web")
        draining = asyncio.ensure_future(sh("kubectl drain worker-1"))
        await asyncio.sleep(0.5)  # the pods end for a while
        sh.cluster.processes["control-plane/kube-apiserver"].kill()
        return await draining

    done = workstation(story)
    assert done.code == 1
    assert "drained" not in done.out
    assert 'unable to drain node "worker-1" due to error: [error when ' in done.err
    assert "There are pending nodes to be drained:\n worker-1\n" in done.err
    assert done.err.count("error when waiting for pod ") >= 2


def test_discovery_is_asked_once_and_kept(workstation):
    async def story(sh):
        ears = Ears()
        await sh.ok("kubectl get pods")
        sh.cluster.world.network.tap = ears
        await sh.ok("kubectl get pods")
        sh.cluster.world.network.tap = None
        cached = sh.host.files.exists("/root/.kube/cache/discovery/10.0.0.1_6443/servergroups.json")
        return cached, [c for c in ears.connections if c.client_process == "workstation/kubectl"]

    cached, connections = workstation(story)
    assert cached
    assert len(connections) == 1, "one run, one connection"


def test_each_command_ends_with_the_real_codes(workstation):
    async def story(sh):
        return {
            line: (await sh(line)).code
            for line in (
                "kubectl get nodes",
                "kubectl get pod nope",
                "kubectl frobnicate",
                "frobnicate",
                "echo 'a",
                "true && false",
                "false || echo yes",
                "kubectl get nodes | grep worker-9",
                "",
            )
        }

    assert list(workstation(story).values()) == [0, 1, 1, 127, 2, 1, 0, 1, 0]


def test_output_goes_through_filters_and_into_files(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment d --image=nginx --dry-run=client -o yaml > d.yaml")
        applied = await sh.ok("kubectl apply -f d.yaml")
        counted = await sh.ok("kubectl get nodes --no-headers | grep worker | wc -l")
        return applied, counted, await sh.ok("cat d.yaml | head -2; ls")

    applied, counted, shown = workstation(story)
    assert applied == "deployment.apps/d created\n"
    assert counted == "2\n"
    assert shown.startswith("apiVersion: apps/v1\nkind: Deployment\n")
    assert "d.yaml\n" in shown


@pytest.mark.parametrize("name", ["config", "crash", "liveness", "once", "pod", "reader", "web"])
def test_every_example_is_accepted(shared_workstation, name):
    async def story(sh):
        return await sh(f"kubectl apply -f {name}.yaml")

    done = shared_workstation(story)
    assert (done.code, done.err) == (0, "")


def test_without_an_api_server_kubectl_says_so(workstation):
    async def story(sh):
        process = sh.cluster.processes.pop("control-plane/kube-apiserver")
        process.kill()
        await process.wait()
        return await sh("kubectl get pods"), await sh("kubectl create deployment web --image=nginx")

    looked, created = workstation(story)
    refused = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"
    assert looked.err.splitlines()[-1] == refused
    assert created.err == (
        'error: failed to create deployment: Post "https://10.0.0.1:6443/apis/apps/v1/namespaces/default/deployments?'
        'fieldManager=kubectl-create&fieldValidation=Strict": dial tcp 10.0.0.1:6443: connect: connection refused\n'
    )


def test_a_binding_made_by_flags_gives_a_service_account_its_rights(workstation):
    may = "kubectl auth can-i list pods --as=system:serviceaccount:default:default"

    async def story(sh):
        before = await sh(may)
        made = await sh.ok("kubectl create rolebinding look --clusterrole=view --serviceaccount=default:default")
        wide = await sh.ok("kubectl create clusterrolebinding all --clusterrole=view --user=ben --group=ops")
        return before, made, wide, await sh.ok(may), await sh.ok("kubectl auth can-i list pods -A --as=ben")

    before, made, wide, after, ben = workstation(story)
    assert (before.code, before.out) == (1, "no\n")
    assert made == "rolebinding.rbac.authorization.k8s.io/look created\n"
    assert wide == "clusterrolebinding.rbac.authorization.k8s.io/all created\n"
    assert (after, ben) == ("yes\n", "yes\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clusterrolebinding x", 'required flag(s) "clusterrole" not set'),
        ("clusterrolebinding --clusterrole=a", "exactly one NAME is required, got 0"),
        ("clusterrolebinding x --clusterrole=a --serviceaccount=b", "serviceaccount must be <namespace>:<name>"),
        ("rolebinding x --role=a --clusterrole=b", "exactly one of clusterrole or role must be specified"),
    ],
)
def test_a_binding_that_lacks_something_is_refused_as_kubectl_does(shared_workstation, line, said):
    async def story(sh):
        return await sh(f"kubectl create {line}")

    done = shared_workstation(story)
    assert done.code == 1
    assert said in done.err


def test_a_raw_watch_is_printed_as_it_comes(workstation):
    async def story(sh):
        printed = []
        path = "/api/v1/namespaces/default/configmaps?watch=true"
        watching = asyncio.ensure_future(
            sh.cluster.command(f"kubectl get --raw '{path}'", lambda _, text: printed.append(text))
        )
        await asyncio.sleep(1)
        before = "".join(printed)
        await sh.ok("kubectl create configmap fresh --from-literal=a=ä")
        await asyncio.sleep(1)
        after = "".join(printed)
        watching.cancel()
        await asyncio.wait([watching])
        return before, after

    before, after = workstation(story)
    assert '"name":"kube-root-ca.crt"' in before
    assert "fresh" not in before
    assert '"name":"fresh"' in after and '"a":"ä"' in after
