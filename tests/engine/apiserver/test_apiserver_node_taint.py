"""A new Node is tainted, until the controller has seen its conditions."""

import json

TAINTS = [{"key": "a", "effect": "NoExecute"}]
NODE = json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "spare"}, "spec": {"taints": TAINTS}})


def test_a_new_node_is_tainted_not_ready_beside_what_it_brings_and_ready_ones_have_lost_it(workstation):
    async def story(sh):
        created = json.loads(await sh.ok(f"kubectl create -o json -f - <<'EOF'\n{NODE}\nEOF"))
        return created, json.loads(await sh.ok("kubectl get nodes -o json"))["items"]

    created, nodes = workstation(story)
    taints = [(each["key"], each["effect"]) for each in created["spec"]["taints"]]
    assert taints == [("a", "NoExecute"), ("node.kubernetes.io/not-ready", "NoSchedule")]
    ready = [node for node in nodes if node["metadata"]["name"].startswith("worker")]
    assert [node["spec"].get("taints") for node in ready] == [None, None]
