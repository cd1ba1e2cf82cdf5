"""StatefulSets on a whole cluster: pods with names, in order."""

import json

SET = """
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: web
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  {more}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: c, image: nginx, {probe}}}]
"""
SLOW = "readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 5}"


async def applied(sh, *, replicas=3, more="minReadySeconds: 0", probe=SLOW):
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{SET.format(replicas=replicas, more=more, probe=probe)}\nEOF")


async def pods(sh):
    found = json.loads(await sh.ok("kubectl get pods -l app=web -o json"))["items"]
    return {pod["metadata"]["name"]: pod for pod in found}


async def status(sh):
    return json.loads(await sh.ok("kubectl get sts web -o json"))["status"]


def test_pods_have_names_and_are_made_one_after_the_other(workstation):
    async def story(sh):
        await applied(sh)
        at_first = await pods(sh)
        told = await sh.ok("kubectl rollout status sts/web --timeout=120s")
        return at_first, told, await pods(sh), await status(sh), await sh.ok("kubectl get sts,controllerrevisions")

    at_first, told, all_of_them, counts, table = workstation(story)
    assert sorted(at_first) in (["web-0"], [])
    assert sorted(all_of_them) == ["web-0", "web-1", "web-2"]
    created = [all_of_them[name]["metadata"]["creationTimestamp"] for name in sorted(all_of_them)]
    assert created == sorted(set(created))
    first = all_of_them["web-0"]
    assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == ("web-0", "web")
    labels = first["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "web-0"
    assert labels["apps.kubernetes.io/pod-index"] == "0"
    assert labels["controller-revision-hash"] == counts["currentRevision"] == counts["updateRevision"]
    assert counts["readyReplicas"] == counts["currentReplicas"] == counts["availableReplicas"] == 3
    assert told.splitlines()[-1] == "partitioned roll out complete: 3 new pods have been updated..."
    assert "statefulset.apps/web   3/3" in table
    assert "statefulset.apps/web   1" in table


def test_in_parallel_all_are_made_at_once(workstation):
    async def story(sh):
        await applied(sh, more="podManagementPolicy: Parallel")
        await sh("sleep 2")
        return await pods(sh)

    assert sorted(workstation(story)) == ["web-0", "web-1", "web-2"]


def test_a_deleted_pod_comes_again_under_its_name_and_fewer_are_taken_from_the_end(workstation):
    async def story(sh):
        await applied(sh, probe="ports: []")
        await sh.ok("kubectl rollout status sts/web --timeout=120s")
        before = await pods(sh)
        await sh.ok("kubectl delete pod web-1")
        await sh("sleep 10")
        again = await pods(sh)
        await sh.ok("kubectl scale sts web --replicas=1")
        await sh("sleep 15")
        listed = "{range .items[*]}{.metadata.resourceVersion} {.message}{'\\n'}{end}"
        return before, again, await pods(sh), await sh.ok(f'kubectl get events -o jsonpath="{listed}"')

    before, again, left, events = workstation(story)
    uids = {name: (before[name]["metadata"]["uid"], again[name]["metadata"]["uid"]) for name in before}
    assert [name for name, (old, new) in uids.items() if old != new] == ["web-1"]
    assert sorted(left) == ["web-0"]
    said = {message: int(version) for version, _, message in (line.partition(" ") for line in events.splitlines())}
    assert "create Pod web-1 in StatefulSet web successful" in said
    ends = [said[f"delete Pod web-{number} in StatefulSet web successful"] for number in (2, 1)]
    assert ends == sorted(ends)


def test_a_new_template_is_rolled_out_from_the_end_down_to_the_partition_and_back(workstation):
    async def story(sh):
        await applied(sh, probe="ports: []", more="updateStrategy: {rollingUpdate: {partition: 1}}")
        await sh.ok("kubectl rollout status sts/web --timeout=120s")
        await sh.ok("kubectl set image sts/web c=nginx:1.27")
        told = await sh.ok("kubectl rollout status sts/web --timeout=120s")
        half, counts = await pods(sh), await status(sh)
        history = await sh.ok("kubectl rollout history sts/web")
        await sh.ok("kubectl delete pod web-0")
        await sh("sleep 10")
        still = await pods(sh)
        await sh.ok("""kubectl patch sts web -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}'""")
        await sh.ok("kubectl rollout status sts/web --timeout=120s")
        whole = await pods(sh)
        await sh.ok("kubectl rollout undo sts/web")
        await sh.ok("kubectl rollout status sts/web --timeout=120s")
        return told, half, counts, history, still, whole, await pods(sh)

    told, half, counts, history, still, whole, back = workstation(story)

    def images(found):
        return [found[name]["spec"]["containers"][0]["image"] for name in sorted(found)]

    assert told.splitlines()[-1] == "partitioned roll out complete: 2 new pods have been updated..."
    assert images(half) == ["nginx", "nginx:1.27", "nginx:1.27"]
    assert (counts["currentReplicas"], counts["updatedReplicas"]) == (1, 2)
    assert [line.split()[0] for line in history.splitlines()[2:4]] == ["1", "2"]
    assert images(still) == images(half)
    assert images(whole) == ["nginx:1.27"] * 3
    assert images(back) == ["nginx"] * 3


def test_its_pods_are_known_to_a_disruption_budget_by_its_replicas(workstation):
    async def story(sh):
        await applied(sh, probe="ports: []")
        await sh.ok("kubectl rollout status sts/web --timeout=120s")
        await sh.ok("kubectl create pdb web --selector=app=web --max-unavailable=1")
        await sh("sleep 2")
        return json.loads(await sh.ok("kubectl get pdb web -o json"))["status"]

    found = workstation(story)
    assert (found["expectedPods"], found["desiredHealthy"], found["disruptionsAllowed"]) == (3, 2, 1)


def test_what_may_not_be_is_refused_in_the_real_servers_words(workstation):
    async def story(sh):
        document = SET.format(replicas=1, more="podManagementPolicy: Both", probe="ports: []")
        both = await sh(f"kubectl create -f - <<'EOF'\n{document}\nEOF")
        await sh.ok("kubectl delete svc web")
        await applied(sh, replicas=0)
        changed = await sh("""kubectl patch sts web -p '{"spec":{"serviceName":"other"}}'""")
        return both.err, changed.err

    both, changed = workstation(story)
    assert "spec.podManagementPolicy: Invalid value: \"Both\": must be 'OrderedReady' or 'Parallel'" in both
    assert "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template'" in changed
