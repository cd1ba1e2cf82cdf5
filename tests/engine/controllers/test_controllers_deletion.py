import asyncio

from control_plane import deployment

from cluster_engine.api.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD, REPLICA_SET, SERVICE_ACCOUNT
from cluster_engine.api.status import Refusal


async def with_web(plane):
    await plane.client.create(DEPLOYMENT, deployment())
    await asyncio.sleep(3)
    assert len(await plane.items(POD, "default")) == 3


async def left(plane):
    return [len(await plane.items(kind, "default")) for kind in (DEPLOYMENT, REPLICA_SET, POD)]


def test_background_deletion_takes_the_owner_first_and_all_below_after_it(cluster):
    async def story(plane):
        await with_web(plane)
        answer = await plane.client.delete(DEPLOYMENT, "web", "default", options={"propagationPolicy": "Background"})
        assert answer["status"] == "Success"
        assert (await left(plane))[0] == 0
        await asyncio.sleep(3)
        return await left(plane)

    assert cluster(story) == [0, 0, 0]


def test_foreground_deletion_keeps_the_owner_until_all_below_are_gone(cluster):
    async def story(plane):
        await with_web(plane)
        for kubelet in plane.kubelets.values():
            kubelet.stop_seconds = 2.0
        await plane.client.delete(DEPLOYMENT, "web", "default", options={"propagationPolicy": "Foreground"})
        await asyncio.sleep(1)
        assert await left(plane) == [1, 1, 3]
        pods = await plane.items(POD, "default")
        assert all("deletionTimestamp" in pod["metadata"] for pod in pods)
        await asyncio.sleep(3)
        assert await left(plane) == [0, 0, 0]

    cluster(story)


def test_orphaned_replica_sets_stay_and_belong_to_nobody(cluster):
    async def story(plane):
        await with_web(plane)
        await plane.client.delete(DEPLOYMENT, "web", "default", options={"propagationPolicy": "Orphan"})
        await asyncio.sleep(3)
        assert await left(plane) == [0, 1, 3]
        (replica_set,) = await plane.items(REPLICA_SET, "default")
        assert not replica_set["metadata"].get("ownerReferences")

    cluster(story)


def test_an_object_that_names_an_owner_who_never_was_is_collected(cluster):
    async def story(plane):
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "no-such-uid"}
        metadata = {"name": "child", "namespace": "default", "ownerReferences": [owner]}
        await plane.client.create(CONFIG_MAP, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata})
        await asyncio.sleep(2)
        return await plane.gone(CONFIG_MAP, "child", "default")

    assert cluster(story) is True


def test_an_object_with_another_living_owner_only_loses_the_reference(cluster):
    async def story(plane):
        def config_map(name, owners=()):
            references = [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "name": each["metadata"]["name"],
                    "uid": each["metadata"]["uid"],
                }
                for each in owners
            ]
            metadata = {"name": name, "namespace": "default", "ownerReferences": references}
            return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}

        one, two = [await plane.client.create(CONFIG_MAP, config_map(name)) for name in ("one", "two")]
        await plane.client.create(CONFIG_MAP, config_map("child", [one, two]))
        await plane.client.delete(CONFIG_MAP, "one", "default")
        await asyncio.sleep(2)
        child = await plane.client.get(CONFIG_MAP, "child", "default")
        return [each["name"] for each in child["metadata"]["ownerReferences"]]

    assert cluster(story) == ["two"]


def test_a_deleted_namespace_takes_everything_in_it_along(cluster):
    async def story(plane):
        await plane.client.create(NAMESPACE, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
        await asyncio.sleep(1)
        web = deployment()
        web["metadata"]["namespace"] = "shop"
        await plane.client.create(DEPLOYMENT, web)
        await asyncio.sleep(3)
        assert len(await plane.items(POD, "shop")) == 3
        await plane.client.delete(NAMESPACE, "shop")
        try:
            await plane.client.create(DEPLOYMENT, {**web, "metadata": {"name": "late", "namespace": "shop"}})
        except Refusal as refusal:
            assert refusal.code == 403

        async def is_gone():
            return await plane.gone(NAMESPACE, "shop")

        await plane.until(is_gone, 60)
        assert [await plane.items(kind, "shop") for kind in (DEPLOYMENT, REPLICA_SET, POD, SERVICE_ACCOUNT)] == [[]] * 4

    cluster(story)


def test_every_namespace_has_a_default_account_that_comes_back(cluster):
    async def story(plane):
        await plane.client.create(NAMESPACE, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
        await asyncio.sleep(1)
        first = await plane.client.get(SERVICE_ACCOUNT, "default", "shop")
        await plane.client.delete(SERVICE_ACCOUNT, "default", "shop")
        await asyncio.sleep(1)
        second = await plane.client.get(SERVICE_ACCOUNT, "default", "shop")
        assert first["metadata"]["uid"] != second["metadata"]["uid"]
        assert await plane.client.get(SERVICE_ACCOUNT, "default", "kube-system")

    cluster(story)


def test_a_namespace_that_something_holds_says_what_in_five_conditions(cluster):
    async def story(plane):
        namespace = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "stuck"}}
        await plane.client.create(NAMESPACE, namespace)
        metadata = {"name": "held", "namespace": "stuck", "finalizers": ["example.com/hold"]}
        await plane.client.create(CONFIG_MAP, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata})
        await plane.client.delete(NAMESPACE, "stuck")
        await asyncio.sleep(5)
        told = (await plane.client.get(NAMESPACE, "stuck"))["status"]["conditions"]
        patch = {"metadata": {"finalizers": None}}
        await plane.client.patch(CONFIG_MAP, "held", patch, "stuck", type="merge")
        await plane.until(lambda: plane.gone(NAMESPACE, "stuck"))
        return {each["type"]: (each["status"], each["message"]) for each in told}

    assert cluster(story) == {
        "NamespaceDeletionDiscoveryFailure": ("False", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": ("False", "All legacy kube types successfully parsed"),
        "NamespaceDeletionContentFailure": (
            "False",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "True",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ),
    }
