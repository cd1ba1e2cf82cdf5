"""Disruption budgets on a whole cluster: what may be evicted, what waits, and what the answer says."""

import json

import pytest

BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec:
  {spec}
  selector: {{matchLabels: {{app: web}}}}
"""
EVICTION = '{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{name}","namespace":"default"}}}}'


async def deployed(sh, spec, replicas=3):
    await sh.ok(f"kubectl create deployment web --image=nginx --replicas={replicas}")
    await sh.ok("kubectl rollout status deployment/web")
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{BUDGET.format(spec=spec)}\nEOF")
    await sh("sleep 1")


async def budget(sh):
    return json.loads(await sh.ok("kubectl get pdb web -o json"))


async def names(sh):
    found = json.loads(await sh.ok("kubectl get pods -l app=web -o json"))["items"]
    return sorted(pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"])


async def evict(sh, name):
    body = EVICTION.format(name=name)
    path = f"/api/v1/namespaces/default/pods/{name}/eviction"
    return await sh(f"kubectl create --raw {path} -f - <<'EOF'\n{body}\nEOF")


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ("minAvailable: 2", 2, 1),
        ("minAvailable: 50%", 2, 1),
        ("maxUnavailable: 1", 2, 1),
        ("maxUnavailable: 34%", 1, 2),
        ("minAvailable: 4", 4, 0),
    ],
)
def test_a_budget_says_how_many_pods_may_go(workstation, spec, desired, allowed):
    async def story(sh):
        await deployed(sh, spec)
        return (await budget(sh))["status"], await sh.ok("kubectl get pdb")

    status, table = workstation(story)
    assert (status["expectedPods"], status["currentHealthy"]) == (3, 3)
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    [condition] = status["conditions"]
    assert condition["reason"] == ("SufficientPods" if allowed else "InsufficientPods")
    head, row = (line.split() for line in table.splitlines())
    assert " ".join(head) == "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE"
    assert row[3] == str(allowed)


def test_what_a_budget_does_not_allow_is_refused_with_429_and_says_which_budget(workstation):
    async def story(sh):
        await deployed(sh, "minAvailable: 2")
        first, second, third = await names(sh)
        said = [await evict(sh, first), await evict(sh, second)]
        noted = (await budget(sh))["status"]
        pod = json.loads(await sh.ok(f"kubectl get pod {first} -o json"))
        await sh("sleep 30")
        return said, first, noted, pod, await names(sh), third, (await budget(sh))["status"]

    (allowed, refused), first, noted, pod, left, third, later = workstation(story)
    assert allowed.code == 0
    assert refused.code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in refused.err
    assert noted["disruptionsAllowed"] == 0
    condition = next(each for each in pod["status"]["conditions"] if each["type"] == "DisruptionTarget")
    assert (condition["reason"], condition["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    assert first not in left
    assert third in left
    assert (len(left), later["disruptionsAllowed"], later.get("disruptedPods")) == (3, 1, None)


def test_drain_waits_until_the_budget_allows_it(workstation):
    async def story(sh):
        await deployed(sh, "minAvailable: 2", replicas=2)
        draining = await sh("kubectl drain worker-1 --timeout=12s")
        await sh.ok("kubectl scale deployment web --replicas=3")
        return draining, await sh("kubectl drain worker-1 --timeout=120s")

    before, after = workstation(story, nodes=2)
    assert "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget." in before.err
    assert before.code == 1
    assert after.code == 0, after.err
    assert "node/worker-1 drained" in after.out


def test_pods_that_do_not_run_are_evicted_whatever_the_budget_says(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx --replicas=1")
        await sh.ok("""kubectl patch deployment web -p '{"spec":{"template":{"spec":{"nodeSelector":{"a":"b"}}}}}'""")
        await sh.ok(f"kubectl apply -f - <<'EOF'\n{BUDGET.format(spec='minAvailable: 100%')}\nEOF")
        await sh("sleep 3")
        pods = json.loads(await sh.ok("kubectl get pods -l app=web -o json"))["items"]
        [pending] = [pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] == "Pending"]
        return await evict(sh, pending), pending, await names(sh)

    done, pending, left = workstation(story)
    assert done.code == 0, done.err
    assert pending not in left


def test_the_pods_of_a_daemonset_have_no_scale_and_the_budget_says_so(workstation):
    async def story(sh):
        await sh.ok(
            """kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
EOF"""
        )
        await sh.ok(f"kubectl apply -f - <<'EOF'\n{BUDGET.format(spec='maxUnavailable: 1')}\nEOF")
        await sh("sleep 10")
        return (await budget(sh))["status"], await sh.ok("kubectl get events")

    status, events = workstation(story)
    [condition] = status["conditions"]
    assert (condition["reason"], status["disruptionsAllowed"]) == ("SyncFailed", 0)
    assert "daemonsets.apps does not implement the scale subresource" in events


def test_a_budget_with_two_numbers_or_none_that_is_one_is_refused(workstation):
    async def story(sh):
        specs = ("minAvailable: 1\n  maxUnavailable: 1", "minAvailable: 101%", "maxUnavailable: x", "minAvailable: -1")
        return [(await sh(f"kubectl create -f - <<'EOF'\n{BUDGET.format(spec=each)}\nEOF")).err for each in specs]

    both, more, letters, less = workstation(story)
    assert "minAvailable and maxUnavailable cannot be both set" in both
    assert "must not be greater than 100%" in more
    assert "a valid percent string must be a numeric string followed by an ending '%'" in letters
    assert "must be greater than or equal to 0" in less
