import asyncio

from control_plane import deployment, service

from cluster_engine.api.kinds import DEPLOYMENT, ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE


async def slices(plane):
    return await plane.items(ENDPOINT_SLICE, "default", labelSelector="kubernetes.io/service-name=web")


def test_a_service_leads_to_its_ready_pods_in_both_forms(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        pods = await plane.items(POD, "default")
        addresses = sorted(pod["status"]["podIP"] for pod in pods)
        (one,) = await slices(plane)
        assert sorted(each["addresses"][0] for each in one["endpoints"]) == addresses
        assert all(
            each["conditions"] == {"ready": True, "serving": True, "terminating": False} for each in one["endpoints"]
        )
        assert one["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
        endpoints = await plane.client.get(ENDPOINTS, "web", "default")
        (subset,) = endpoints["subsets"]
        assert [each["ip"] for each in subset["addresses"]] == addresses
        assert subset["ports"] == [{"port": 80, "protocol": "TCP"}]

    cluster(story)


def test_a_pod_that_is_not_ready_is_told_apart(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        pods = await plane.items(POD, "default")
        status = {"conditions": [{"type": "Ready", "status": "False"}]}
        await plane.client.patch(POD, pods[0]["metadata"]["name"], {"status": status}, "default", subresource="status")
        await asyncio.sleep(1)
        (one,) = await slices(plane)
        ready = {each["addresses"][0]: each["conditions"]["ready"] for each in one["endpoints"]}
        assert ready[pods[0]["status"]["podIP"]] is False
        (subset,) = (await plane.client.get(ENDPOINTS, "web", "default"))["subsets"]
        assert [each["ip"] for each in subset["notReadyAddresses"]] == [pods[0]["status"]["podIP"]]

    cluster(story)


def test_a_port_that_no_pod_names_leaves_slices_without_ports_and_endpoints_empty(cluster):
    async def story(plane):
        named = service()
        named["spec"]["ports"] = [{"port": 80, "targetPort": "http"}]
        await plane.client.create(SERVICE, named)
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        (one,) = await slices(plane)
        assert len(one["endpoints"]) == 3
        assert not one["ports"]
        assert not (await plane.client.get(ENDPOINTS, "web", "default")).get("subsets")

    cluster(story)


def test_a_service_without_pods_has_one_empty_slice_and_empty_endpoints(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await asyncio.sleep(1)
        (one,) = await slices(plane)
        assert not one.get("endpoints")
        assert not (await plane.client.get(ENDPOINTS, "web", "default")).get("subsets")

    cluster(story)


def test_slices_and_endpoints_go_with_their_service(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        await plane.client.delete(SERVICE, "web", "default")
        await asyncio.sleep(3)
        assert await slices(plane) == []
        assert await plane.gone(ENDPOINTS, "web", "default")

    cluster(story)


def test_a_deleted_slice_comes_back(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        (one,) = await slices(plane)
        await plane.client.delete(ENDPOINT_SLICE, one["metadata"]["name"], "default")
        await asyncio.sleep(3)
        (again,) = await slices(plane)
        assert len(again["endpoints"]) == 3

    cluster(story)


def test_nothing_is_written_while_nothing_changes(cluster):
    async def story(plane):
        await plane.client.create(SERVICE, service())
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        before = [one["metadata"]["resourceVersion"] for one in await slices(plane)]
        endpoints = await plane.client.get(ENDPOINTS, "web", "default")
        await asyncio.sleep(300)
        assert [one["metadata"]["resourceVersion"] for one in await slices(plane)] == before
        assert await plane.client.get(ENDPOINTS, "web", "default") == endpoints

    cluster(story)
