"""The watch cache and what clients hear of it: order, versions, selectors, bookmarks, history and its end."""

import asyncio

import pytest
from apiserver_objects import config_map, pod

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
STATE = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def said(event):
    metadata = event["object"]["metadata"]
    return event["type"], metadata.get("name"), metadata["resourceVersion"]


def version(answer):
    return answer.body["metadata"]["resourceVersion"]


@pytest.mark.parametrize("http2", [True, False])
def test_a_watch_from_a_version_hears_all_that_came_after_it_in_order(run_api, http2):
    async def story(plane):
        admin, watcher = plane.person(), plane.person(http2=http2)
        first = await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        second = await admin.put(f"{CONFIG_MAPS}/a", config_map("a", k="2"))
        async with watcher.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={version(first)}") as watch:
            assert said(await watch.next()) == ("MODIFIED", "a", version(second))
            third = await admin.post(CONFIG_MAPS, config_map("b"))
            assert said(await watch.next()) == ("ADDED", "b", version(third))
            await admin.delete(f"{CONFIG_MAPS}/a")
            event = await watch.next()
            assert event["type"] == "DELETED"
            assert event["object"]["data"] == {"k": "2"}, "the last state"
            assert int(event["object"]["metadata"]["resourceVersion"]) > int(version(third)), (
                "the version of the deletion"
            )

    run_api(story)


@pytest.mark.parametrize("start", ["", "&resourceVersion=0"])
def test_a_watch_from_nowhere_first_hears_what_is_there(run_api, start):
    async def story(plane):
        admin = plane.person()
        for name in ("b", "a"):
            await admin.post(CONFIG_MAPS, config_map(name))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1{start}") as watch:
            assert [said(event)[:2] for event in await watch.take(2)] == [("ADDED", "a"), ("ADDED", "b")]
            await admin.post(CONFIG_MAPS, config_map("c"))
            assert said(await watch.next())[:2] == ("ADDED", "c")

    run_api(story)


def test_initial_events_end_with_a_bookmark_that_says_so(run_api):
    async def story(plane):
        admin = plane.person()
        made = await admin.post(CONFIG_MAPS, config_map("a"))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&{STATE}") as watch:
            assert said(await watch.next())[:2] == ("ADDED", "a")
            bookmark = await watch.next()
            assert bookmark["type"] == "BOOKMARK"
            assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
            assert int(bookmark["object"]["metadata"]["resourceVersion"]) >= int(version(made))

    run_api(story)


def test_entering_a_selection_is_added_and_leaving_it_is_deleted_with_the_old_state(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a"))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&labelSelector=on%3Dyes&resourceVersion=0") as watch:
            await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "outside"}})
            await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"on": "yes"}}})
            await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "inside"}})
            left = await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": None}})
            await admin.delete(f"{CONFIG_MAPS}/a")
            await admin.post(CONFIG_MAPS, {"metadata": {"name": "b", "labels": {"on": "yes"}}})
            entered, changed, gone, other = await watch.take(4)
            assert [event["type"] for event in (entered, changed, gone, other)] == [
                "ADDED",
                "MODIFIED",
                "DELETED",
                "ADDED",
            ]
            assert gone["object"]["metadata"]["labels"] == {"on": "yes"}
            assert gone["object"]["metadata"]["resourceVersion"] == version(left)

    run_api(story)


def test_a_kubelet_hears_of_a_pod_when_it_is_bound_to_its_node(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        kubelet = plane.person("system:node:a", ["system:nodes"])
        path = "/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Da&resourceVersion=0"
        async with kubelet.watch(path) as watch:
            await admin.post(PODS, pod("web-0"))
            await admin.post(f"{PODS}/web-0/binding", {"target": {"kind": "Node", "name": "a"}})
            event = await watch.next()
            assert said(event)[:2] == ("ADDED", "web-0")
            assert event["object"]["spec"]["nodeName"] == "a"

    run_api(story)


def test_a_namespace_hears_only_of_its_own(run_api):
    async def story(plane):
        admin = plane.person()
        async with (
            admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as one,
            admin.watch("/api/v1/configmaps?watch=1&resourceVersion=0") as all_of_them,
        ):
            await admin.post("/api/v1/namespaces/kube-system/configmaps", config_map("elsewhere"))
            await admin.post(CONFIG_MAPS, config_map("here"))
            assert said(await one.next())[1] == "here"
            heard = [said(event)[1] for event in await all_of_them.take(5)]
            assert heard[3:] == ["elsewhere", "here"], "after kubeadm's three"

    run_api(story)


def test_all_watchers_hear_one_event_as_the_same_bytes(run_api):
    async def story(plane):
        admin = plane.person()
        people = [plane.person() for _ in range(3)]
        watches = [person.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") for person in people]
        opened = [await watch.__aenter__() for watch in watches]
        await admin.post(CONFIG_MAPS, config_map("a"))
        events = [await watch.next() for watch in opened]
        assert events[0] == events[1] == events[2]
        for watch in watches:
            await watch.__aexit__(None, None, None)

    run_api(story)


def test_a_watch_ends_at_its_timeout_without_a_word(run_api):
    async def story(plane):
        admin = plane.person()
        began = plane.world.loop.time()
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0&timeoutSeconds=7") as watch:
            assert await watch.next() is None
        assert plane.world.loop.time() - began == pytest.approx(7, abs=0.1)

    run_api(story)


def test_bookmarks_come_each_minute_and_just_before_the_end(run_api):
    async def story(plane):
        admin = plane.person()
        began = plane.world.loop.time()
        path = f"{CONFIG_MAPS}?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=150"
        times = []
        async with admin.watch(path) as watch:
            while (event := await watch.next()) is not None:
                assert event["type"] == "BOOKMARK"
                assert set(event["object"]) == {"kind", "apiVersion", "metadata"}
                times.append(round(plane.world.loop.time() - began))
        assert times == [60, 120, 148]
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0&timeoutSeconds=150") as watch:
            assert await watch.next() is None

    run_api(story)


def test_a_version_that_lies_ahead_is_waited_for_in_silence(run_api):
    async def story(plane):
        admin = plane.person()
        now = int(version(await admin.get(CONFIG_MAPS)))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={now + 2}") as watch:
            for name in ("a", "b", "c"):
                await admin.post(CONFIG_MAPS, config_map(name))
            assert said(await watch.next())[1] == "c"

    run_api(story)


def test_a_version_from_before_the_window_is_an_error_event_inside_a_200(run_api):
    async def story(plane):
        await plane.process.stop()
        await plane.start()
        admin = plane.person()
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=1") as watch:
            assert watch.code == 200
            event = await watch.next()
            assert event["type"] == "ERROR"
            assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
            assert event["object"]["message"].startswith("too old resource version: 1 (")
            assert await watch.next() is None

    run_api(story)


def test_history_is_kept_for_75_seconds_and_at_least_a_hundred_events(run_api):
    async def story(plane):
        admin = plane.person()
        first = version(await admin.post(CONFIG_MAPS, config_map("a")))
        for n in range(99):
            await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"n": str(n)}})
        await asyncio.sleep(100)
        await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"n": "a hundred and one"}})
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={first}") as watch:
            assert [event["type"] for event in await watch.take(100)] == ["MODIFIED"] * 100
        await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"n": "one more"}})
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={first}") as watch:
            assert (await watch.next())["type"] == "ERROR"

    run_api(story)


def test_history_of_large_objects_is_shorter(run_api):
    async def story(plane):
        admin = plane.person()
        first = version(await admin.post(CONFIG_MAPS, config_map("a")))
        for n in range(12):
            last = version(await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"n": f"{n}" + "x" * 700_000}}))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={first}") as watch:
            assert (await watch.next())["type"] == "ERROR"
        await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"n": "small"}})
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={last}") as watch:
            assert (await watch.next())["type"] == "MODIFIED"

    run_api(story)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resourceVersion=x", 500),
        ("sendInitialEvents=true", 422),
        ("resourceVersionMatch=NotOlderThan", 422),
        ("sendInitialEvents=true&resourceVersionMatch=Exact", 422),
        ("labelSelector=a+in+(b", 400),
        ("fieldSelector=spec.nope=1", 400),
        ("timeoutSeconds=soon", 400),
    ],
)
def test_errors_before_the_stream_are_ordinary_answers(run_api, query, code):
    async def story(plane):
        assert (await plane.person().get(f"{CONFIG_MAPS}?watch=1&{query}")).code == code

    run_api(story)


def test_a_table_watch_names_its_columns_once(run_api):
    async def story(plane):
        admin = plane.person()
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0", accept=accept) as watch:
            await admin.post(CONFIG_MAPS, config_map("a", x="1", y="2"))
            await admin.delete(f"{CONFIG_MAPS}/a")
            first, second = await watch.take(2)
            assert first["object"]["kind"] == "Table"
            assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
            assert first["object"]["rows"][0]["cells"] == ["a", 2, "0s"]
            assert second["type"] == "DELETED"
            assert second["object"]["columnDefinitions"] is None

    run_api(story)


def test_metadata_alone_can_be_watched(run_api):
    async def story(plane):
        admin = plane.person()
        accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0", accept=accept) as watch:
            await admin.post(CONFIG_MAPS, config_map("a", x="1"))
            event = await watch.next()
            assert event["object"]["kind"] == "PartialObjectMetadata"
            assert "data" not in event["object"]

    run_api(story)


def test_a_named_object_is_not_watched_but_read(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a"))
        assert (await admin.get(f"{CONFIG_MAPS}/a?watch=1")).body["kind"] == "ConfigMap"

    run_api(story)


def test_a_watch_without_an_end_lasts_between_half_an_hour_and_an_hour(run_api):
    async def story(plane):
        began = plane.world.loop.time()
        async with plane.person().watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as watch:
            assert await watch.next() is None
        assert 1800 <= plane.world.loop.time() - began <= 3600

    run_api(story)


def test_a_client_that_does_not_read_is_let_go_and_the_others_hear_on(run_api):
    async def story(plane):
        admin, lazy = plane.person(), plane.person(http2=False)
        async with (
            lazy.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as asleep,
            admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as awake,
        ):
            await admin.post(CONFIG_MAPS, config_map("a"))
            await asleep.next()
            await awake.next()
            for n in range(80):
                await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": f"{n}" * 20_000}})
                assert (await awake.next())["type"] == "MODIFIED"
            heard = 0
            while await asleep.next() is not None:
                heard += 1
            assert 0 < heard < 80

    run_api(story)


def test_the_old_watch_prefix_on_a_name_hears_of_that_name_only(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("other"))
        async with admin.watch("/api/v1/watch/namespaces/default/configmaps/a?timeoutSeconds=5") as watch:
            await admin.post(CONFIG_MAPS, config_map("another"))
            await admin.post(CONFIG_MAPS, config_map("a"))
            assert said(await watch.next())[1] == "a"
            assert await watch.next() is None

    run_api(story)


def test_a_client_from_another_time_watches_as_long_as_it_asked_by_its_own_clock(run_api):
    async def story(plane):
        admin = plane.person(http2=False)
        loop = asyncio.get_running_loop()
        ends, known = plane.world.network.ends, list(plane.world.network.ends)

        async def watch_to_the_end():
            async with admin.watch(f"{CONFIG_MAPS}?watch=1&timeoutSeconds=10") as watch:
                while await watch.next() is not None:
                    pass

        watching = asyncio.ensure_future(watch_to_the_end())
        await plane.world.until(lambda: list(ends) != known)
        client, _ = ends[list(ends)[-1]]
        client.told = {"peer_time": lambda: loop.time() / 60}
        began = loop.time()
        await watching
        assert 600 <= loop.time() - began <= 602

    run_api(story)


def test_an_etcd_that_was_lost_five_times_is_soon_watched_again_the_sixth_time(run_api):
    async def story(plane):
        admin = plane.person()
        for _ in range(5):
            plane.etcd.kill()
            await plane.start_etcd()
            await asyncio.sleep(30)
        plane.etcd.kill()
        await plane.start_etcd()
        began = asyncio.get_running_loop().time()
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as watch:
            await admin.post(CONFIG_MAPS, config_map("after"))
            while (event := await watch.next())["object"]["metadata"]["name"] != "after":
                assert event is not None
            assert asyncio.get_running_loop().time() - began < 1

    run_api(story)
