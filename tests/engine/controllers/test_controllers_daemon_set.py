"""DaemonSets on a whole cluster: a pod on each node, and what it was before."""

import json

import pytest

from cluster_engine.controllers import daemon_pods

DAEMON = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: log}}
spec:
  selector: {{matchLabels: {{app: log}}}}
  {more}
  template:
    metadata: {{labels: {{app: log}}}}
    spec:
      {spec}
      containers: [{{name: c, image: nginx}}]
"""


async def applied(sh, *, more="minReadySeconds: 0", spec="terminationGracePeriodSeconds: 1"):
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{DAEMON.format(more=more, spec=spec)}\nEOF")


async def by_node(sh):
    found = json.loads(await sh.ok("kubectl get pods -l app=log -o json"))["items"]
    return {pod["spec"].get("nodeName"): pod for pod in found}


async def status(sh):
    return json.loads(await sh.ok("kubectl get ds log -o json"))["status"]


def test_each_node_has_one_pod_bound_by_the_scheduler_to_the_node_it_is_for(workstation):
    async def story(sh):
        await applied(sh)
        await sh.ok("kubectl rollout status ds/log --timeout=60s")
        return await by_node(sh), await status(sh), await sh.ok("kubectl get events")

    pods, counts, events = workstation(story, nodes=3)
    assert sorted(pods) == ["worker-1", "worker-2", "worker-3"]
    for node, pod in pods.items():
        assert daemon_pods.target_of({"spec": {**pod["spec"], "nodeName": ""}}) == node
    assert counts["desiredNumberScheduled"] == counts["numberAvailable"] == counts["updatedNumberScheduled"] == 3
    assert "Successfully assigned default/log-" in events


def test_a_pod_stays_on_a_cordoned_node_and_leaves_one_that_is_not_selected_any_more(workstation):
    async def story(sh):
        await sh.ok("kubectl label node worker-1 worker-2 disk=ssd")
        await applied(sh, spec="nodeSelector: {disk: ssd}")
        await sh.ok("kubectl rollout status ds/log --timeout=60s")
        await sh.ok("kubectl cordon worker-1")
        await sh.ok("kubectl label node worker-2 disk-")
        await sh("sleep 10")
        return await by_node(sh), await status(sh)

    pods, counts = workstation(story)
    assert sorted(pods) == ["worker-1"]
    assert (counts["desiredNumberScheduled"], counts["numberMisscheduled"]) == (1, 0)


def test_a_deleted_pod_comes_again_on_the_same_node(workstation):
    async def story(sh):
        await applied(sh)
        await sh.ok("kubectl rollout status ds/log --timeout=60s")
        before = await by_node(sh)
        await sh.ok(f"kubectl delete pod {before['worker-2']['metadata']['name']}")
        await sh("sleep 5")
        return before, await by_node(sh)

    before, after = workstation(story)
    assert after["worker-1"]["metadata"]["uid"] == before["worker-1"]["metadata"]["uid"]
    assert after["worker-2"]["metadata"]["uid"] != before["worker-2"]["metadata"]["uid"]


def test_a_new_template_is_rolled_out_node_by_node_and_back_again(workstation):
    async def story(sh):
        await applied(sh)
        await sh.ok("kubectl rollout status ds/log --timeout=60s")
        await sh.ok("kubectl set image ds/log c=nginx:1.27")
        least = 3
        for _ in range(40):
            counts = await status(sh)
            least = min(least, counts.get("numberAvailable", 0))
            await sh("sleep 0.5")
        new = await by_node(sh)
        history = await sh.ok("kubectl rollout history ds/log")
        back = await sh.ok("kubectl rollout undo ds/log")
        await sh.ok("kubectl rollout status ds/log --timeout=120s")
        return least, new, history, back, await by_node(sh), await sh.ok("kubectl rollout history ds/log")

    least, new, history, back, old, after = workstation(story, nodes=3)
    assert least == 2
    assert {pod["spec"]["containers"][0]["image"] for pod in new.values()} == {"nginx:1.27"}
    assert history.split("\n")[:4] == [
        "daemonset.apps/log ",
        "REVISION  CHANGE-CAUSE",
        "1         <none>",
        "2         <none>",
    ]
    assert back == "daemonset.apps/log rolled back\n"
    assert {pod["spec"]["containers"][0]["image"] for pod in old.values()} == {"nginx"}
    assert [line.split()[0] for line in after.splitlines()[2:4]] == ["2", "3"]


@pytest.mark.long
def test_with_a_surge_the_new_pod_stands_beside_the_old_one_and_no_node_is_without(workstation):
    async def story(sh):
        await applied(sh, more="updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}")
        await sh.ok("kubectl rollout status ds/log --timeout=60s")
        await sh.ok("kubectl set image ds/log c=nginx:1.27")
        least, most = 9, 0
        for _ in range(40):
            found = json.loads(await sh.ok("kubectl get pods -l app=log -o json"))["items"]
            alive = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
            most = max(most, len(alive))
            least = min(least, (await status(sh)).get("numberAvailable", 0))
            await sh("sleep 0.5")
        return least, most, await by_node(sh)

    least, most, pods = workstation(story)
    assert (least, most) == (2, 3)
    assert {pod["spec"]["containers"][0]["image"] for pod in pods.values()} == {"nginx:1.27"}


def test_with_ondelete_nothing_is_replaced_until_somebody_deletes(workstation):
    async def story(sh):
        await applied(sh, more="updateStrategy: {type: OnDelete}")
        await sh("sleep 10")
        before = await by_node(sh)
        await sh.ok("kubectl set image ds/log c=nginx:1.27")
        await sh("sleep 20")
        refused = await sh("kubectl rollout status ds/log")
        return before, await by_node(sh), await status(sh), refused.err

    before, after, counts, refused = workstation(story)
    assert {node: pod["metadata"]["uid"] for node, pod in before.items()} == {
        node: pod["metadata"]["uid"] for node, pod in after.items()
    }
    assert "updatedNumberScheduled" not in counts
    assert refused == "error: rollout status is only available for RollingUpdate strategy type\n"


@pytest.mark.parametrize(
    ("taint", "tolerated", "expected"),
    [
        (None, None, (True, True)),
        ({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}, None, (True, True)),
        ({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, None, (True, True)),
        ({"key": "dedicated", "value": "x", "effect": "NoSchedule"}, None, (False, True)),
        ({"key": "dedicated", "value": "x", "effect": "NoExecute"}, None, (False, False)),
        ({"key": "dedicated", "value": "x", "effect": "NoExecute"}, {"operator": "Exists"}, (True, True)),
        ({"key": "dedicated", "value": "x", "effect": "PreferNoSchedule"}, None, (True, True)),
    ],
)
def test_which_nodes_get_a_pod_and_which_keep_one(taint, tolerated, expected):
    node = {"metadata": {"name": "n", "labels": {}}, "spec": {"taints": [taint] if taint else []}}
    spec = {"containers": [], "tolerations": [tolerated] if tolerated else []}
    assert daemon_pods.should_run({"spec": {"template": {"spec": spec}}}, node) == expected


def test_what_may_not_be_is_refused_in_the_real_servers_words(workstation):
    async def story(sh):
        never = await sh(
            "kubectl create -f - <<'EOF'\n" + DAEMON.format(more="", spec="restartPolicy: Never") + "\nEOF"
        )
        both = "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}"
        surge = await sh("kubectl create -f - <<'EOF'\n" + DAEMON.format(more=both, spec="") + "\nEOF")
        return never.err, surge.err

    never, surge = workstation(story)
    assert 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"' in never
    assert "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value:" in surge
    assert "may not be set when maxUnavailable is non-zero" in surge
