"""Lists: what resourceVersion means, pages, selectors, tables."""

import base64
import json

import pytest
from apiserver_objects import config_map, pod

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def names(answer):
    return [each["metadata"]["name"] for each in answer.body["items"]]


async def make(admin, *wanted):
    for name in wanted:
        assert (await admin.post(CONFIG_MAPS, config_map(name))).code == 201


def test_a_list_is_in_key_order_and_its_items_do_not_repeat_the_kind(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, "b", "a", "c")
        listed = await admin.get(CONFIG_MAPS)
        assert (listed.body["kind"], listed.body["apiVersion"]) == ("ConfigMapList", "v1")
        assert names(listed) == ["a", "b", "c"]
        assert all("kind" not in each and "apiVersion" not in each for each in listed.body["items"])
        assert (await admin.get("/api/v1/namespaces/nowhere/configmaps")).body["items"] == []

    run_api(story)


@pytest.mark.parametrize("query", ["", "limit=500", "resourceVersion=0", "resourceVersion={now}"])
def test_who_has_written_lists_what_he_wrote(run_api, query):
    async def story(plane):
        admin = plane.person()
        for n in range(5):
            made = await admin.post(CONFIG_MAPS, config_map(f"c{n}"))
            now = made.body["metadata"]["resourceVersion"]
            found = names(await admin.get(f"{CONFIG_MAPS}?{query.format(now=now)}"))
            if query != "resourceVersion=0":
                assert f"c{n}" in found

    run_api(story)


def test_a_version_that_lies_ahead_is_waited_for_three_seconds_then_504(run_api):
    async def story(plane):
        admin = plane.person()
        for path in (CONFIG_MAPS, f"{CONFIG_MAPS}/a"):
            began = plane.world.loop.time()
            answer = await admin.get(f"{path}?resourceVersion=1000000")
            assert answer.code == 504
            assert answer.headers["retry-after"] == "1"
            assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
            assert plane.world.loop.time() - began == pytest.approx(3, abs=0.05)

    run_api(story)


def test_an_exact_version_shows_the_past_until_it_is_compacted(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, "a")
        then = (await admin.get(CONFIG_MAPS)).body["metadata"]["resourceVersion"]
        await make(admin, "b")
        exact = f"{CONFIG_MAPS}?resourceVersion={then}&resourceVersionMatch=Exact"
        assert names(await admin.get(exact)) == ["a"]
        plane.host.disk["/var/lib/etcd"].compact(int(then) + 1)
        gone = await admin.get(exact)
        assert (gone.code, gone.body["reason"]) == (410, "Expired")
        ahead = await admin.get(f"{CONFIG_MAPS}?resourceVersion=1000000&resourceVersionMatch=Exact")
        assert ahead.code == 500

    run_api(story)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resourceVersion=x", 500),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersion=1&resourceVersionMatch=Sometime", 422),
        ("sendInitialEvents=true", 422),
        ("continue=garbage", 400),
        ("continue=garbage&resourceVersion=5", 400),
        ("labelSelector=a+in+(b", 400),
        ("fieldSelector=data=x", 400),
        ("limit=many", 400),
    ],
)
def test_parameters_that_make_no_sense(run_api, query, code):
    async def story(plane):
        assert (await plane.person().get(f"{CONFIG_MAPS}?{query}")).code == code

    run_api(story)


def test_pages_show_one_moment_whatever_happens_in_between(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, *"abcde")
        first = await admin.get(f"{CONFIG_MAPS}?limit=2")
        assert names(first) == ["a", "b"]
        assert first.body["metadata"]["remainingItemCount"] == 3
        await make(admin, "bb", "f")
        await admin.delete(f"{CONFIG_MAPS}/d")
        second = await admin.get(f"{CONFIG_MAPS}?limit=2&continue={first.body['metadata']['continue']}")
        assert names(second) == ["c", "d"]
        assert second.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
        last = await admin.get(f"{CONFIG_MAPS}?limit=2&continue={second.body['metadata']['continue']}")
        assert names(last) == ["e"]
        assert set(last.body["metadata"]) == {"resourceVersion"}
        exact = await admin.get(f"{CONFIG_MAPS}?limit=6")
        assert "continue" not in exact.body["metadata"], "exactly as many as there are"

    run_api(story)


def test_the_token_is_the_real_servers_and_an_expired_one_says_how_to_go_on(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, *"abc")
        page = (await admin.get(f"{CONFIG_MAPS}?limit=1")).body["metadata"]
        token = json.loads(base64.urlsafe_b64decode(page["continue"] + "=="))
        assert token == {"v": "meta.k8s.io/v1", "rv": int(page["resourceVersion"]), "start": "a\0"}
        await make(admin, "d")
        plane.host.disk["/var/lib/etcd"].compact(int(page["resourceVersion"]) + 1)
        expired = await admin.get(f"{CONFIG_MAPS}?limit=1&continue={page['continue']}")
        assert (expired.code, expired.body["reason"]) == (410, "Expired")
        onward = expired.body["metadata"]["continue"]
        assert names(await admin.get(f"{CONFIG_MAPS}?limit=9&continue={onward}")) == ["b", "c", "d"]

    run_api(story)


def test_pages_of_a_selection_are_filled_from_as_many_keys_as_it_takes(run_api):
    async def story(plane):
        admin = plane.person()
        for n in range(250):
            labels = {"pick": "yes"} if n % 100 == 99 else {}
            await admin.post(CONFIG_MAPS, {"metadata": {"name": f"c{n:03}", "labels": labels}})
        page = await admin.get(f"{CONFIG_MAPS}?limit=1&labelSelector=pick%3Dyes")
        assert names(page) == ["c099"]
        assert "remainingItemCount" not in page.body["metadata"]
        token = page.body["metadata"]["continue"]
        page = await admin.get(f"{CONFIG_MAPS}?limit=1&labelSelector=pick%3Dyes&continue={token}")
        assert names(page) == ["c199"]

    run_api(story)


def test_resource_version_zero_ignores_the_limit(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, *"abc")
        await plane.world.loop.create_task(_settled(admin))
        listed = await admin.get(f"{CONFIG_MAPS}?limit=1&resourceVersion=0")
        assert names(listed) == ["a", "b", "c"]
        assert "continue" not in listed.body["metadata"]

    async def _settled(admin):
        assert (await admin.get(CONFIG_MAPS)).code == 200

    run_api(story)


def test_objects_are_selected_by_labels_and_fields(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        await admin.post(PODS, pod("a", labels={"app": "web", "tier": "front"}))
        await admin.post(PODS, pod("b", labels={"app": "db"}))
        await admin.post(f"{PODS}/b/binding", {"target": {"kind": "Node", "name": "n1"}})

        async def selected(query):
            return names(await admin.get(f"{PODS}?{query}"))

        assert await selected("labelSelector=app%3Dweb") == ["a"]
        assert await selected("labelSelector=app+in+(web,db),!tier") == ["b"]
        assert await selected("fieldSelector=spec.nodeName%3Dn1") == ["b"]
        assert await selected("fieldSelector=spec.nodeName!%3Dn1") == ["a"]
        assert await selected("fieldSelector=metadata.name%3Da,status.phase%3DPending") == ["a"]
        assert await selected("fieldSelector=metadata.name%3Da&labelSelector=app%3Ddb") == []

    run_api(story)


def test_a_table_has_the_columns_that_kubectl_prints(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, "a", "b")
        made = (await admin.get(CONFIG_MAPS, accept=TABLE)).body
        assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
        assert [column["name"] for column in made["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert made["columnDefinitions"][0]["format"] == "name"
        assert [row["cells"][:2] for row in made["rows"]] == [["a", 0], ["b", 0]]
        assert made["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
        whole = (await admin.get(f"{CONFIG_MAPS}?includeObject=Object", accept=TABLE)).body
        assert whole["rows"][0]["object"]["kind"] == "ConfigMap"
        assert (await admin.get(f"{CONFIG_MAPS}?includeObject=Half", accept=TABLE)).code == 400
        one = (await admin.get(f"{CONFIG_MAPS}/a", accept=TABLE)).body
        assert len(one["rows"]) == 1
        assert (await admin.get(CONFIG_MAPS, accept="application/cbor")).code == 406

    run_api(story)


def test_lists_can_be_had_as_metadata_and_as_yaml(run_api):
    async def story(plane):
        admin = plane.person()
        await make(admin, "a")
        partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        listed = (await admin.get(CONFIG_MAPS, accept=partial)).body
        assert listed["kind"] == "PartialObjectMetadataList"
        assert listed["items"][0]["kind"] == "PartialObjectMetadata"
        text = (await admin.get(CONFIG_MAPS, accept="application/yaml")).raw
        assert text.startswith(b"kind: ConfigMapList\n")

    run_api(story)
