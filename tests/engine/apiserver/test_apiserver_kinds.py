"""An API server gains and loses kinds while it runs."""

import asyncio
import functools

import pytest
from widgets import WIDGET, widget

from cluster_engine.api.kinds import Kinds
from cluster_engine.apiserver import main as apiserver

BASE = "/apis/toys.example/v2alpha1"
WIDGETS = f"{BASE}/namespaces/default/widgets"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def one(name="w", **spec):
    return {"apiVersion": "toys.example/v2alpha1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def run_kinds(run_api):
    """Run `story(plane, admin, kinds)` with an API server that serves `kinds`."""

    def run_story(story):
        async def with_kinds(plane):
            kinds = Kinds()
            await plane.start_etcd()
            await plane.start(functools.partial(apiserver.main, kinds=kinds))
            return await story(plane, plane.person(), kinds)

        return run_api(with_kinds, started=False)

    return run_story


async def groups(admin):
    return [item["metadata"]["name"] for item in (await admin.get("/apis", accept=AGGREGATED)).body["items"]]


def test_a_kind_is_served_from_the_instant_at_which_it_is_added_to_that_at_which_it_is_dropped(run_kinds):
    async def story(plane, admin, kinds):
        assert (await admin.get(WIDGETS)).code == 404
        kinds.add(WIDGET)
        await asyncio.sleep(0.5)  # its cache reads etcd; until then it says 429, as any does
        assert (await admin.get(WIDGETS)).body["kind"] == "WidgetList"
        assert (await admin.post(WIDGETS, one(size=5))).code == 201
        kinds.drop(WIDGET)
        assert (await admin.get(WIDGETS)).code == 404
        assert (await admin.post(WIDGETS, one("x"))).code == 404
        kinds.add(WIDGET)
        await asyncio.sleep(1)
        assert [each["metadata"]["name"] for each in (await admin.get(WIDGETS)).body["items"]] == ["w"], "it was stored"

    run_kinds(story)


def test_discovery_and_openapi_follow_within_the_same_second(run_kinds):
    async def story(plane, admin, kinds):
        assert "toys.example" not in await groups(admin)
        before = (await admin.get("/openapi/v3")).body["paths"]
        kinds.add(WIDGET)
        began = plane.world.loop.time()
        assert (await groups(admin))[-1] == "toys.example"
        assert (await admin.get("/apis/toys.example")).body["preferredVersion"]["version"] == "v2alpha1"
        names = [each["name"] for each in (await admin.get(BASE)).body["resources"]]
        assert names == ["widgets", "widgets/status"]
        after = (await admin.get("/openapi/v3")).body["paths"]
        assert {name: after[name] for name in before} == before
        answer = await admin.get(after["apis/toys.example/v2alpha1"]["serverRelativeURL"])
        assert "example.toys.v2alpha1.Widget" in answer.body["components"]["schemas"]
        assert BASE in (await admin.get("/")).body["paths"]
        kinds.drop(WIDGET)
        assert "toys.example" not in await groups(admin)
        assert (await admin.get(BASE)).code == 404
        assert (await admin.get("/openapi/v3")).body["paths"] == before
        assert plane.world.loop.time() - began < 1

    run_kinds(story)


def test_its_objects_are_defaulted_checked_patched_and_shown_as_a_table(run_kinds):
    async def story(plane, admin, kinds):
        kinds.add(WIDGET)
        await asyncio.sleep(1)
        created = (await admin.post(WIDGETS, one(colour="red"))).body
        assert created["spec"] == {"colour": "red", "size": 3}
        assert created["metadata"]["generation"] == 1
        bad = await admin.post(WIDGETS, one("bad", size=-1, colour="grey"))
        assert [cause["field"] for cause in bad.body["details"]["causes"]] == ["spec.size", "spec.colour"]
        strange = await admin.post(f"{WIDGETS}?fieldValidation=Strict", one("b", zz=1))
        assert 'unknown field "spec.zz"' in strange.body["message"]
        for kind in ("merge", "strategic"):
            patched = await admin.patch(f"{WIDGETS}/w", {"spec": {"parts": {kind: "yes"}}}, kind)
            assert patched.body["spec"]["parts"][kind] == "yes"
        status = await admin.patch(f"{WIDGETS}/w/status", {"status": {"phase": "Built"}, "spec": {"size": 9}})
        assert (status.body["status"], status.body["spec"]["size"]) == ({"phase": "Built"}, 3)
        table = (await admin.get(WIDGETS, accept=TABLE)).body
        assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Size", "Age"]
        assert table["rows"][0]["cells"][:2] == ["w", "3"]
        assert (await admin.delete(f"{WIDGETS}/w")).code == 200

    run_kinds(story)


def test_two_versions_of_a_resource_show_the_same_objects_each_in_its_own_words(run_kinds):
    async def story(plane, admin, kinds):
        older = WIDGETS.replace("v2alpha1", "v1beta1")
        kinds.add(WIDGET)
        kinds.add(widget(version="v1beta1"))
        await asyncio.sleep(1)
        async with admin.watch(f"{older}?watch=1") as watch:
            await admin.post(WIDGETS, one(size=4))
            seen = (await watch.next())["object"]
        assert (seen["apiVersion"], seen["spec"]["size"]) == ("toys.example/v1beta1", 4)
        changed = {**seen, "spec": {"size": 5}}
        assert (await admin.put(f"{older}/w", changed)).body["apiVersion"] == "toys.example/v1beta1"
        for path, version in ((WIDGETS, "v2alpha1"), (older, "v1beta1")):
            for found in ((await admin.get(f"{path}/w")).body, (await admin.get(f"{path}?limit=5")).body):
                assert found["apiVersion"] == f"toys.example/{version}"
            assert (await admin.get(f"{path}/w")).body["spec"] == {"size": 5}
            assert len((await admin.get(path)).body["items"]) == 1
        assert (await admin.delete(f"{older}/w")).code == 200
        assert (await admin.get(f"{WIDGETS}/w")).code == 404

    run_kinds(story)


def test_a_kind_without_strategic_patches_refuses_them_and_offers_none(run_kinds):
    async def story(plane, admin, kinds):
        kinds.add(widget(takes_strategic_patches=False))
        await asyncio.sleep(1)
        await admin.post(WIDGETS, one())
        refused = await admin.patch(f"{WIDGETS}/w", {"spec": {"size": 4}}, "strategic")
        assert refused.code == 415
        accepted = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
        assert refused.body["message"].endswith(", ".join(accepted))
        assert (await admin.patch(f"{WIDGETS}/w", {"spec": {"size": 4}}, "merge")).body["spec"]["size"] == 4
        document = (await admin.get("/openapi/v3/apis/toys.example/v2alpha1")).body
        patch = document["paths"][f"{BASE}/namespaces/{{namespace}}/widgets/{{name}}"]["patch"]
        assert list(patch["requestBody"]["content"]) == accepted

    run_kinds(story)


def test_a_watch_ends_with_its_kind_and_begins_anew_with_it(run_kinds):
    async def story(plane, admin, kinds):
        kinds.add(WIDGET)
        await asyncio.sleep(1)
        async with admin.watch(f"{WIDGETS}?watch=1") as watch:
            await admin.post(WIDGETS, one())
            await admin.patch(f"{WIDGETS}/w", {"spec": {"size": 4}})
            assert [event["type"] for event in await watch.take(2)] == ["ADDED", "MODIFIED"]
            kinds.drop(WIDGET)
            assert await watch.next() is None
        kinds.add(WIDGET)
        await asyncio.sleep(1)
        async with admin.watch(f"{WIDGETS}?watch=1") as watch:
            assert (await watch.next())["object"]["spec"]["size"] == 4

    run_kinds(story)


def test_who_watches_another_kind_notices_nothing(run_kinds):
    async def story(plane, admin, kinds):
        async with admin.watch("/api/v1/namespaces/default/configmaps?watch=1") as watch:
            kinds.add(WIDGET)
            await asyncio.sleep(1)
            kinds.drop(WIDGET)
            await admin.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "c"}})
            assert (await watch.next())["object"]["metadata"]["name"] == "c"

    run_kinds(story)


def test_a_server_that_has_ended_follows_its_kinds_no_more(run_kinds):
    async def story(plane, admin, kinds):
        plane.process.kill()
        await plane.goodbye()
        kinds.add(WIDGET)
        await plane.start(functools.partial(apiserver.main, kinds=kinds))
        admin = plane.person()
        assert (await admin.post(WIDGETS, one())).code == 201

    run_kinds(story)
