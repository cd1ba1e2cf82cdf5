"""Pods: admission, binding, graceful deletion, eviction; Services' addresses; tokens."""

import pytest
from apiserver_objects import pod

from cluster_engine.api.quality_of_service import quality_of_service

PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
TO_NODE = {"target": {"kind": "Node", "name": "n1"}}


@pytest.fixture
def run_pods(run_api):
    """Run `story(plane, admin)` with a default service account."""

    def run_story(story):
        async def with_account(plane):
            admin = plane.person()
            assert (await plane.create_default_account(admin)).code == 201
            await story(plane, admin)

        run_api(with_account)

    return run_story


def test_admission_fills_in_what_every_pod_has(run_pods):
    async def story(plane, admin):
        made = (await admin.post(PODS, pod("web-0"))).body
        spec = made["spec"]
        assert spec["serviceAccountName"] == "default"
        assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
        assert [(each["key"], each["effect"], each["tolerationSeconds"]) for each in spec["tolerations"]] == [
            ("node.kubernetes.io/not-ready", "NoExecute", 300),
            ("node.kubernetes.io/unreachable", "NoExecute", 300),
        ]
        (volume,) = spec["volumes"]
        assert volume["name"].startswith("kube-api-access-")
        assert volume["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3607
        (mount,) = spec["containers"][0]["volumeMounts"]
        assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
        assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}

    run_pods(story)


def test_a_pod_may_do_without_a_token_and_keep_its_own_tolerations(run_pods):
    async def story(plane, admin):
        own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
        own["tolerationSeconds"] = 5
        made = (await admin.post(PODS, pod("a", automountServiceAccountToken=False, tolerations=[own]))).body
        assert "volumes" not in made["spec"]
        patience = {each["key"]: each["tolerationSeconds"] for each in made["spec"]["tolerations"]}
        assert patience == {"node.kubernetes.io/unreachable": 5, "node.kubernetes.io/not-ready": 300}
        assert (await admin.post(PODS, pod("b", priorityClassName="urgent"))).code == 403
        critical = (await admin.post(PODS, pod("c", priorityClassName="system-node-critical"))).body
        assert critical["spec"]["priority"] == 2000001000

    run_pods(story)


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0"}}, "Burstable"),
        ({"requests": {"cpu": "0", "ephemeral-storage": "1Gi"}}, "BestEffort"),
    ],
)
def test_quality_of_service_follows_from_requests_and_limits(resources, quality):
    assert quality_of_service({"containers": [{"name": "c", "resources": resources}]}) == quality


def test_a_binding_places_a_pod_once(run_pods):
    async def story(plane, admin):
        await admin.post(PODS, pod("web-0"))
        bound = await admin.post(f"{PODS}/web-0/binding", {"metadata": {"name": "web-0"}, **TO_NODE})
        assert (bound.code, bound.body["status"]) == (201, "Success")
        placed = (await admin.get(f"{PODS}/web-0")).body
        assert placed["spec"]["nodeName"] == "n1"
        (condition,) = placed["status"]["conditions"]
        assert (condition["type"], condition["status"]) == ("PodScheduled", "True")
        again = await admin.post(f"{PODS}/web-0/binding", {"target": {"kind": "Node", "name": "n2"}})
        assert again.code == 409
        assert again.body["details"]["kind"] == "pods/binding"
        assert 'is already assigned to node "n1"' in again.body["message"]
        direct = await admin.patch(f"{PODS}/web-0", {"spec": {"nodeName": "n2"}})
        assert direct.code == 422
        assert (await admin.post(f"{PODS}/web-0/binding", {"target": {}})).code == 422
        assert (await admin.post(f"{PODS}/none/binding", TO_NODE)).code == 404
        await admin.post(PODS, pod("web-1"))
        old_way = await admin.post("/api/v1/namespaces/default/bindings", {"metadata": {"name": "web-1"}, **TO_NODE})
        assert old_way.code == 201

    run_pods(story)


def test_a_running_pod_goes_when_the_kubelet_says_so(run_pods):
    async def story(plane, admin):
        await admin.post(PODS, pod("web-0"))
        await admin.post(f"{PODS}/web-0/binding", TO_NODE)
        going = (await admin.delete(f"{PODS}/web-0")).body["metadata"]
        assert going["deletionGracePeriodSeconds"] == 30
        longer = (await admin.delete(f"{PODS}/web-0", {"gracePeriodSeconds": 60})).body["metadata"]
        assert longer["deletionGracePeriodSeconds"] == 30, "a grace period only becomes shorter"
        shorter = (await admin.delete(f"{PODS}/web-0", {"gracePeriodSeconds": 5})).body["metadata"]
        assert shorter["deletionGracePeriodSeconds"] == 5
        assert (await admin.post(f"{PODS}/web-0/binding", TO_NODE)).code == 409
        confirmed = await admin.delete(f"{PODS}/web-0", {"gracePeriodSeconds": 0})
        assert confirmed.body["kind"] == "Pod"
        assert (await admin.get(f"{PODS}/web-0")).code == 404

    run_pods(story)


def test_a_pod_that_runs_nowhere_goes_at_once(run_pods):
    async def story(plane, admin):
        await admin.post(PODS, pod("unscheduled"))
        assert (await admin.delete(f"{PODS}/unscheduled")).code == 200
        assert (await admin.get(f"{PODS}/unscheduled")).code == 404
        await admin.post(PODS, pod("finished"))
        await admin.post(f"{PODS}/finished/binding", TO_NODE)
        await admin.patch(f"{PODS}/finished/status", {"status": {"phase": "Succeeded"}})
        await admin.delete(f"{PODS}/finished")
        assert (await admin.get(f"{PODS}/finished")).code == 404

    run_pods(story)


def test_an_eviction_is_a_delete_at_somebodys_request(run_pods):
    async def story(plane, admin):
        await admin.post(PODS, pod("web-0"))
        await admin.post(f"{PODS}/web-0/binding", TO_NODE)
        eviction = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "web-0"}}
        evicted = await admin.post(f"{PODS}/web-0/eviction", eviction | {"deleteOptions": {"gracePeriodSeconds": 3}})
        assert (evicted.code, evicted.body["status"]) == (201, "Success")
        assert (await admin.get(f"{PODS}/web-0")).body["metadata"]["deletionGracePeriodSeconds"] == 3
        assert (await admin.post(f"{PODS}/none/eviction", {"metadata": {"name": "none"}})).code == 404
        assert (await admin.post(f"{PODS}/web-0/eviction", {"metadata": {"name": "other"}})).code == 400

    run_pods(story)


def test_the_status_of_a_pod_is_patched_by_the_types_of_its_conditions(run_pods):
    async def story(plane, admin):
        await admin.post(PODS, pod("web-0"))
        await admin.post(f"{PODS}/web-0/binding", TO_NODE)
        ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        changed = (await admin.patch(f"{PODS}/web-0/status", ready, "strategic")).body["status"]
        assert {each["type"] for each in changed["conditions"]} == {"Ready", "PodScheduled"}
        assert changed["phase"] == "Running"

    run_pods(story)


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def test_every_service_gets_an_address_of_its_own(run_api):
    async def story(plane):
        admin = plane.person()
        made = [(await admin.post(SERVICES, service(f"s{n}"))).body["spec"]["clusterIP"] for n in range(20)]
        assert len(set(made)) == 20
        assert all(address.startswith("10.") and address != "10.96.0.1" for address in made)
        headless = (await admin.post(SERVICES, service("headless", clusterIP="None"))).body["spec"]
        assert headless["clusterIPs"] == ["None"]
        external = (await admin.post(SERVICES, service("ext", type="ExternalName", externalName="a.b"))).body["spec"]
        assert "clusterIP" not in external
        asked = (await admin.post(SERVICES, service("dns", clusterIP="10.96.0.10"))).body["spec"]
        assert asked["clusterIP"] == "10.96.0.10"
        for wanted in ("10.96.0.10", "10.96.0.1", "192.168.0.1", "nonsense"):
            refused = await admin.post(SERVICES, service("no", clusterIP=wanted))
            assert refused.code == 422, wanted
        await admin.delete(f"{SERVICES}/dns")
        again = await admin.post(SERVICES, service("dns2", clusterIP="10.96.0.10"))
        assert again.code == 201, "a deleted service's address is free again"

    run_api(story)


def test_a_node_port_is_given_kept_and_guarded(run_api):
    async def story(plane):
        admin = plane.person()
        made = (await admin.post(SERVICES, service("a", type="NodePort"))).body
        port = made["spec"]["ports"][0]["nodePort"]
        assert 30000 <= port <= 32767
        taken = service("b", type="NodePort", ports=[{"port": 80, "nodePort": port}])
        refused = await admin.post(SERVICES, taken)
        assert refused.code == 422
        assert "provided port is already allocated" in refused.body["message"]
        outside = service("b", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
        assert (await admin.post(SERVICES, outside)).code == 422
        address = made["spec"]["clusterIP"]
        kept = (await admin.put(f"{SERVICES}/a", service("a", type="NodePort"))).body["spec"]
        assert (kept["clusterIP"], kept["ports"][0]["nodePort"]) == (address, port)
        opened = (await admin.post(SERVICES, service("c"))).body
        opened = (await admin.patch(f"{SERVICES}/c", {"spec": {"type": "NodePort"}})).body
        assert opened["spec"]["ports"][0]["nodePort"] not in (None, port)

    run_api(story)


def test_creates_that_overlap_do_not_get_the_same_address(run_api):
    async def story(plane):
        import asyncio

        admin = plane.person()
        asked = [admin.post(SERVICES, service(f"s{n}", clusterIP="10.96.0.9")) for n in range(5)]
        assert sorted(answer.code for answer in await asyncio.gather(*asked)) == [201, 422, 422, 422, 422]

    run_api(story)


def test_a_token_is_asked_for_with_a_lifetime_and_a_binding(run_pods):
    async def story(plane, admin):
        path = "/api/v1/namespaces/default/serviceaccounts/default/token"
        made = await admin.post(path, {"spec": {"expirationSeconds": 600}})
        assert made.code == 201
        assert made.body["status"]["token"].count(".") == 2
        assert (await admin.post(path, {"spec": {"expirationSeconds": 599}})).code == 422
        assert (await admin.post(path.replace("/default/token", "/none/token"), {"spec": {}})).code == 404
        found = (await admin.post(PODS, pod("web-0"))).body["metadata"]
        reference = {"kind": "Pod", "apiVersion": "v1", "name": "web-0", "uid": found["uid"]}
        bound = await admin.post(path, {"spec": {"boundObjectRef": reference}})
        assert bound.code == 201
        who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        holder = plane.stranger(token=bound.body["status"]["token"])
        info = (await holder.post(who, {})).body["status"]["userInfo"]
        assert info["username"] == "system:serviceaccount:default:default"
        assert info["extra"]["authentication.kubernetes.io/pod-name"] == ["web-0"]
        wrong = reference | {"uid": "11111111-1111-1111-1111-111111111111"}
        assert (await admin.post(path, {"spec": {"boundObjectRef": wrong}})).code == 409

    run_pods(story)
