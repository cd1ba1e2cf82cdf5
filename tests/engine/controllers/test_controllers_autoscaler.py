"""Autoscalers where nobody measures: two spellings of one object, bounds that are kept, and what is said of it."""

import json

V1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"


async def autoscaler(sh, version="v2"):
    path = V1.replace("v1", version)
    return json.loads(await sh.ok(f"kubectl get --raw {path}/web"))


async def deployed(sh, replicas, bounds="--min=2 --max=4 --cpu-percent=70"):
    await sh.ok(f"kubectl create deployment web --image=nginx --replicas={replicas}")
    await sh.ok(f"kubectl autoscale deployment web {bounds}")
    await sh("sleep 40")


def test_without_a_metrics_api_it_says_so_and_leaves_the_number_as_it_is(workstation):
    async def story(sh):
        await deployed(sh, 3)
        table, events = await sh.ok("kubectl get hpa"), await sh.ok("kubectl get events")
        return await autoscaler(sh), table, events, await sh.ok("kubectl describe hpa web")

    found, table, events, described = workstation(story)
    reasons = {each["type"]: (each["status"], each["reason"]) for each in found["status"]["conditions"]}
    assert reasons["AbleToScale"] == ("True", "SucceededGetScale")
    assert reasons["ScalingActive"] == ("False", "FailedGetResourceMetric")
    assert found["status"]["currentReplicas"] == 3
    assert "web    Deployment/web   cpu: <unknown>/70%   2         4         3" in table
    assert "the server could not find the requested resource (get pods.metrics.k8s.io)" in events
    assert "resource cpu on pods  (as a percentage of request):  <unknown> / 70%" in described


def test_a_number_outside_the_bounds_is_brought_within_them(workstation):
    async def story(sh):
        await deployed(sh, 1)
        few = json.loads(await sh.ok("kubectl get deployment web -o json"))["spec"]["replicas"]
        await sh.ok("kubectl scale deployment web --replicas=9")
        await sh("sleep 20")
        many = json.loads(await sh.ok("kubectl get deployment web -o json"))["spec"]["replicas"]
        return few, many, await sh.ok("kubectl get events")

    few, many, events = workstation(story)
    assert (few, many) == (2, 4)
    assert "New size: 2; reason: Current number of replicas below Spec.MinReplicas" in events
    assert "New size: 4; reason: Current number of replicas above Spec.MaxReplicas" in events


def test_both_versions_spell_one_object(workstation):
    async def story(sh):
        await deployed(sh, 2)
        old, new = await autoscaler(sh, "v1"), await autoscaler(sh)
        listed = json.loads(await sh.ok(f"kubectl get --raw {V1}"))
        return old, new, listed

    old, new, listed = workstation(story)
    assert old["metadata"]["uid"] == new["metadata"]["uid"]
    assert (old["apiVersion"], old["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 70)
    target = {"type": "Utilization", "averageUtilization": 70}
    assert new["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    assert (listed["apiVersion"], listed["items"][0]["spec"]) == ("autoscaling/v1", old["spec"])


def test_bounds_that_are_none_are_refused_and_cpu_is_what_decides_if_nothing_is_said(workstation):
    async def story(sh):
        head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
        spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 3, "maxReplicas": 2}
        said = []
        for more in ({}, {"maxReplicas": 5}):
            document = json.dumps({**head, "spec": {**spec, **more}})
            said.append(await sh(f"kubectl create -f - <<'EOF'\n{document}\nEOF"))
        return said[0].err, said[1].err, await autoscaler(sh)

    wrong, right, found = workstation(story)
    assert "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`" in wrong
    assert right == ""
    assert found["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
