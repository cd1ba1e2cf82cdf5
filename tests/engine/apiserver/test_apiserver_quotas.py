"""Quotas and limit ranges on a whole cluster: what is refused, what is filled in, what is counted again."""

import json

import pytest

from cluster_engine.api import usage
from cluster_engine.api.kinds import POD, SERVICE

QUOTA = '{{"apiVersion":"v1","kind":"ResourceQuota","metadata":{{"name":"sum"}},"spec":{spec}}}'


async def create(sh, document):
    text = document if isinstance(document, str) else json.dumps(document)
    return await sh(f"kubectl create -f - <<'EOF'\n{text}\nEOF")


async def limited(sh, **spec):
    await create(sh, QUOTA.format(spec=json.dumps(spec)))
    await sh("sleep 1")


async def used(sh):
    return json.loads(await sh.ok("kubectl get quota sum -o json"))["status"]["used"]


def pod(name, requests=None, limits=None, **spec):
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    container = {"name": "c", "image": "nginx", "resources": resources}
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
    return {**head, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec}}


def test_what_goes_beyond_a_quota_is_refused_and_says_what_was_asked_used_and_allowed(workstation):
    async def story(sh):
        await limited(sh, hard={"pods": "2", "requests.cpu": "300m"})
        done = [await create(sh, pod(name, {"cpu": "100m"})) for name in "abc"]
        return [each.err for each in done], await used(sh), await sh.ok("kubectl get quota")

    (_, second, third), found, table = workstation(story)
    assert second == ""
    assert third == (
        'Error from server (Forbidden): error when creating "STDIN": pods "c" is forbidden: exceeded quota: sum, '
        "requested: pods=1, used: pods=2, limited: pods=2\n"
    )
    assert found == {"pods": "2", "requests.cpu": "200m"}
    assert "pods: 2/2, requests.cpu: 200m/300m" in table


def test_containers_must_name_what_a_quota_limits(workstation):
    async def story(sh):
        await limited(sh, hard={"requests.cpu": "1", "limits.memory": "1Gi"})
        return (await create(sh, pod("a"))).err

    assert "failed quota: sum: must specify limits.memory for: c; requests.cpu for: c" in workstation(story)


def test_what_goes_or_ends_makes_room_again(workstation):
    async def story(sh):
        await limited(sh, hard={"pods": "1", "count/deployments.apps": "1"})
        await create(sh, pod("a"))
        full = await used(sh)
        await sh.ok("kubectl delete pod a")
        await sh("sleep 3")
        empty = await used(sh)
        ends = pod("b", restartPolicy="Never")
        ends["spec"]["containers"][0].update(image="busybox", command=["true"])
        await create(sh, ends)
        await sh("sleep 10")
        ended = await used(sh)
        await sh.ok("kubectl create deployment web --image=nginx --replicas=0")
        second = await sh("kubectl create deployment other --image=nginx")
        return full, empty, ended, second.err

    full, empty, ended, second = workstation(story)
    assert [each["pods"] for each in (full, empty, ended)] == ["1", "0", "0"]
    assert "exceeded quota: sum, requested: count/deployments.apps=1" in second


def test_a_replica_set_tells_of_the_quota_that_stops_it(workstation):
    async def story(sh):
        await limited(sh, hard={"pods": "2"})
        await sh.ok("kubectl create deployment web --image=nginx --replicas=4")
        await sh("sleep 8")
        return await sh.ok("kubectl get deployment web"), await sh.ok("kubectl get events")

    table, events = workstation(story)
    assert "2/4" in table
    assert "exceeded quota: sum, requested: pods=1, used: pods=2, limited: pods=2" in events


def test_a_quota_with_scopes_counts_pods_within_them_only(workstation):
    async def story(sh):
        await limited(sh, hard={"pods": "5"}, scopes=["BestEffort"])
        await create(sh, pod("a", {"cpu": "10m"}))
        await create(sh, pod("b"))
        return await used(sh)

    assert workstation(story) == {"pods": "1"}


LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "each"},
    "spec": {
        "limits": [
            {"type": "Container", "max": {"cpu": "800m"}, "min": {"cpu": "20m"}, "defaultRequest": {"cpu": "50m"}},
            {"type": "Pod", "max": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "10"}},
        ]
    },
}


def test_a_limit_range_fills_in_what_a_container_does_not_say_and_says_that_it_did(workstation):
    async def story(sh):
        await create(sh, LIMITS)
        limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "x"}}
        await create(sh, pod("a", limits={"cpu": "500m"}))
        await create(
            sh, {**LIMITS, **limits, "spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi"}}]}}
        )
        await create(sh, pod("b", {"cpu": "100m"}, {"cpu": "500m"}))
        return [json.loads(await sh.ok(f"kubectl get pod {name} -o json")) for name in "ab"]

    first, second = workstation(story)
    assert first["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}}
    assert second["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert second["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: memory request for container c; memory limit for container c"
    )


@pytest.mark.parametrize(
    ("requests", "limits", "said"),
    [
        ({"cpu": "10m"}, {"cpu": "100m"}, "minimum cpu usage per Container is 20m, but request is 10m"),
        ({"cpu": "900m"}, {"cpu": "900m"}, "maximum cpu usage per Container is 800m, but limit is 900m"),
        ({"cpu": "20m"}, {"cpu": "800m"}, "cpu max limit to request ratio per Pod is 10, but provided ratio is 40.0"),
    ],
)
def test_what_a_limit_range_does_not_allow_is_refused(workstation, requests, limits, said):
    async def story(sh):
        await create(sh, LIMITS)
        return (await create(sh, pod("a", requests, limits))).err

    assert said in workstation(story)


def test_a_pods_usage_is_that_of_its_containers_or_of_a_first_one_that_needs_more():
    spec = pod("a", {"cpu": "100m", "memory": "64Mi"}, {"cpu": "1"})["spec"]
    spec["initContainers"] = [{"name": "i", "image": "x", "resources": {"requests": {"cpu": "300m", "memory": "1Mi"}}}]
    assert usage.usage_of(POD, {"spec": spec}) == {
        "count/pods": "1",
        "pods": "1",
        "requests.cpu": "300m",
        "cpu": "300m",
        "requests.memory": "64Mi",
        "memory": "64Mi",
        "limits.cpu": "1",
    }
    assert usage.usage_of(POD, {"spec": spec, "status": {"phase": "Failed"}}) == {"count/pods": "1"}
    service = {"spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}}
    assert usage.usage_of(SERVICE, service) == {"count/services": "1", "services": "1", "services.nodeports": "2"}
