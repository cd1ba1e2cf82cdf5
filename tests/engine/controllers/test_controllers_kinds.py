"""The garbage collector and the namespace controller know the kinds that a cluster has gained while it runs."""

import asyncio

from widgets import WIDGET, widget

from cluster_engine.api.kinds import CONFIG_MAP, NAMESPACE

PERIOD_SECONDS = 31


def owned(kind, name, owner=None, namespace="default"):
    metadata = {"name": name, "namespace": namespace}
    if owner is not None:
        identity = {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        metadata["ownerReferences"] = [{"apiVersion": owner["apiVersion"], "kind": owner["kind"], **identity}]
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}


async def gained(plane):
    plane.kinds.add(WIDGET)
    await asyncio.sleep(PERIOD_SECONDS)


def test_what_a_widget_owns_goes_with_it_and_a_widget_with_what_owns_it(cluster):
    async def story(plane):
        await gained(plane)
        top = await plane.client.create(CONFIG_MAP, owned(CONFIG_MAP, "top"))
        middle = await plane.client.create(WIDGET, owned(WIDGET, "middle", top))
        await plane.client.create(CONFIG_MAP, owned(CONFIG_MAP, "bottom", middle))
        await asyncio.sleep(2)
        assert not await plane.gone(CONFIG_MAP, "bottom", "default")
        await plane.client.delete(CONFIG_MAP, "top", "default")
        await asyncio.sleep(2)
        assert await plane.gone(WIDGET, "middle", "default")
        assert await plane.gone(CONFIG_MAP, "bottom", "default")

    cluster(story)


def test_a_widget_that_takes_no_strategic_patch_is_orphaned_all_the_same(cluster):
    async def story(plane):
        plane.kinds.add(widget(takes_strategic_patches=False))
        await asyncio.sleep(PERIOD_SECONDS)
        top = await plane.client.create(CONFIG_MAP, owned(CONFIG_MAP, "top"))
        other = await plane.client.create(CONFIG_MAP, owned(CONFIG_MAP, "other"))
        both = owned(WIDGET, "w", top)
        both["metadata"]["ownerReferences"] += owned(WIDGET, "", other)["metadata"]["ownerReferences"]
        await plane.client.create(WIDGET, both)
        await plane.client.delete(CONFIG_MAP, "top", "default", options={"propagationPolicy": "Orphan"})
        await asyncio.sleep(2)
        left = (await plane.client.get(WIDGET, "w", "default"))["metadata"]["ownerReferences"]
        assert [each["name"] for each in left] == ["other"]

    cluster(story)


def test_what_names_an_owner_of_a_kind_that_is_not_known_waits_until_it_is(cluster):
    async def story(plane):
        stranger = {"apiVersion": WIDGET.api_version, "kind": "Widget", "metadata": {"name": "w", "uid": "no-such"}}
        await plane.client.create(CONFIG_MAP, owned(CONFIG_MAP, "child", stranger))
        await asyncio.sleep(10)
        assert not await plane.gone(CONFIG_MAP, "child", "default")
        await gained(plane)
        await asyncio.sleep(60)
        assert await plane.gone(CONFIG_MAP, "child", "default")

    cluster(story)


def test_widgets_go_with_their_namespace_at_once(cluster):
    async def story(plane):
        plane.kinds.add(WIDGET)
        await asyncio.sleep(1)
        await plane.client.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        await plane.client.create(WIDGET, owned(WIDGET, "w", namespace="shop"))
        await plane.client.delete(NAMESPACE, "shop")
        await asyncio.sleep(3)
        assert await plane.gone(NAMESPACE, "shop")
        assert await plane.items(WIDGET) == []

    cluster(story)


def test_a_kind_that_has_gone_is_asked_for_no_longer(cluster):
    async def story(plane):
        await gained(plane)
        plane.kinds.drop(WIDGET)
        await asyncio.sleep(2 * PERIOD_SECONDS)
        before = await asked(plane)
        await asyncio.sleep(10 * PERIOD_SECONDS)
        assert await asked(plane) == before

    async def asked(plane):
        response = await plane.client.request("GET", "/metrics")
        return [line for line in response.body.decode().splitlines() if 'code="404"' in line]

    cluster(story)
