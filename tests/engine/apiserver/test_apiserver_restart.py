"""What survives: etcd away, the API server away, the start of a cluster, and its upkeep."""

import asyncio

import httpcore
import pytest
from apiserver_objects import config_map

from tests.ears import Ears

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


def test_a_fresh_cluster_has_its_namespaces_its_policy_and_its_first_service(run_api):
    async def story(plane):
        admin = plane.person()
        namespaces = (await admin.get("/api/v1/namespaces")).body["items"]
        assert [each["metadata"]["name"] for each in namespaces] == [
            "default",
            "kube-node-lease",
            "kube-public",
            "kube-system",
        ]
        service = (await admin.get("/api/v1/namespaces/default/services/kubernetes")).body
        assert service["spec"]["clusterIP"] == "10.96.0.1"
        assert service["spec"]["ports"][0]["port"] == 443
        endpoints = (await admin.get("/api/v1/namespaces/default/endpoints/kubernetes")).body
        assert endpoints["subsets"][0]["addresses"] == [{"ip": "10.0.0.1"}]
        slices = (await admin.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")).body["items"]
        assert slices[0]["endpoints"][0]["addresses"] == ["10.0.0.1"]
        roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        found = {each["metadata"]["name"] for each in (await admin.get(roles)).body["items"]}
        assert {"cluster-admin", "view", "system:node", "system:controller:deployment-controller"} <= found

    run_api(story)


def test_the_policy_is_written_in_one_transaction_and_not_again_after_a_restart(run_api):
    async def story(plane):
        store = plane.host.disk["/var/lib/etcd"]
        admin = plane.person()
        namespaces = (await admin.get("/api/v1/namespaces")).body["items"]
        assert {each["metadata"]["resourceVersion"] for each in namespaces} == {"2"}
        await plane.process.stop()
        before = store.revision
        await plane.start()
        assert store.revision - before <= 1, "the identity lease, at most"

    run_api(story)


def test_it_waits_for_etcd_and_its_port_is_closed_before(run_api):
    async def story(plane):
        starting = asyncio.ensure_future(plane.start())
        await asyncio.sleep(19)
        assert not starting.done()
        with pytest.raises(httpcore.ConnectError):
            await plane.stranger().get("/readyz?verbose")
        await plane.start_etcd()
        await starting
        assert (await plane.person().get("/readyz")).raw == b"ok"
        assert (await plane.person().get("/livez/ping")).raw == b"ok"
        assert (await plane.person().get("/readyz/nothing")).code == 404

    run_api(story, started=False)


def test_it_ends_when_etcd_is_not_there_for_twenty_seconds(run_api):
    ears = Ears()

    async def story(plane):
        with pytest.raises(ChildProcessError):
            await plane.start()
        assert asyncio.get_running_loop().time() == pytest.approx(20, abs=0.1)

    run_api(story, started=False, tap=ears)
    ends = {note.process: note.fields["exitCode"] for note in ears.noted("process.exited")}
    assert ends["control-plane/kube-apiserver"] == 1
    assert [note.text for note in ears.noted("process.failed")] == ['"command failed" err="context deadline exceeded"']


def test_without_etcd_requests_fail_and_afterwards_all_goes_on(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a"))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as watch:
            await watch.next()
            plane.etcd.kill()
            await asyncio.sleep(1)
            assert (await admin.get(f"{CONFIG_MAPS}/a")).code == 500
            assert (await admin.post(CONFIG_MAPS, config_map("b"))).code == 500
            assert (await admin.get(f"{CONFIG_MAPS}?resourceVersion=0")).code == 200
            unready = await admin.get("/readyz")
            assert unready.code == 500
            assert b"[-]etcd failed: reason withheld" in unready.raw
            await plane.start_etcd()
            await asyncio.sleep(10)
            assert (await admin.post(CONFIG_MAPS, config_map("c"))).code == 201
            event = await watch.next()
            assert event["object"]["metadata"]["name"] == "c", "the same watch goes on"

    run_api(story)


def test_however_often_etcd_was_lost_its_watch_is_taken_up_again_in_half_a_second(run_api):
    async def story(plane):
        admin = plane.person()
        async with admin.watch(f"{CONFIG_MAPS}?watch=1") as watch:
            for turn in range(7):
                plane.etcd.kill()
                await plane.start_etcd()
                await asyncio.sleep(0.5)
                assert (await admin.post(CONFIG_MAPS, config_map(f"c{turn}"))).code == 201
                async with asyncio.timeout(0.5):
                    assert (await watch.next())["object"]["metadata"]["name"] == f"c{turn}"

    run_api(story)


def test_history_lost_while_away_ends_the_watches_and_lists_anew(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a"))
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as watch:
            await watch.next()
            plane.etcd.kill()
            await plane.etcd.wait()
            store = plane.host.disk["/var/lib/etcd"]
            for _ in range(3):
                store.put(b"/registry/configmaps/default/elsewhere", b"{}")
            store.delete_range(b"/registry/configmaps/default/elsewhere")
            store.compact(store.revision)
            await plane.start_etcd()
            assert await watch.next() is None
        await asyncio.sleep(10)
        assert [each["metadata"]["name"] for each in (await admin.get(CONFIG_MAPS)).body["items"]] == ["a"]

    run_api(story)


def test_a_restart_loses_nothing_and_forgets_the_window(run_api):
    async def story(plane):
        admin = plane.person()
        made = await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        later = await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "2"}})
        await plane.process.stop()
        await plane.start()
        assert (await admin.get(f"{CONFIG_MAPS}/a")).body == later.body
        version = made.body["metadata"]["resourceVersion"]
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={version}") as watch:
            assert (await watch.next())["object"]["code"] == 410

    run_api(story)


def test_killed_it_is_gone_at_once_and_stopped_it_says_goodbye(run_api):
    async def story(plane):
        loop = asyncio.get_running_loop()
        admin = plane.person()
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=0") as watch:
            await asyncio.sleep(1)
            began = loop.time()
            assert await plane.process.stop() == 0
            assert await watch.next() is None
            assert loop.time() - began < 1
        await plane.start()
        began = loop.time()
        plane.process.kill()
        assert await plane.process.wait() == 137
        assert loop.time() - began < 1
        with pytest.raises(httpcore.ConnectError):
            await plane.person().get("/version")

    run_api(story)


def test_the_identity_lease_is_renewed_every_ten_seconds(run_api):
    async def story(plane):
        admin = plane.person()
        await asyncio.sleep(1)
        (lease,) = (await admin.get(LEASES)).body["items"]
        assert lease["metadata"]["labels"]["apiserver.kubernetes.io/identity"] == "kube-apiserver"
        await asyncio.sleep(10)
        (renewed,) = (await admin.get(LEASES)).body["items"]
        assert renewed["spec"]["renewTime"] > lease["spec"]["renewTime"]
        assert renewed["spec"]["holderIdentity"] == lease["spec"]["holderIdentity"]

    run_api(story)


def test_etcd_is_compacted_every_five_minutes_to_the_mark_before(run_api):
    async def story(plane):
        store = plane.host.disk["/var/lib/etcd"]
        await asyncio.sleep(301)
        mark = store.revision
        assert store.compacted == 0
        await asyncio.sleep(300)
        assert abs(store.compacted - mark) <= 1

    run_api(story)


def test_events_run_out_after_an_hour(run_api):
    async def story(plane):
        admin = plane.person()
        events = "/api/v1/namespaces/default/events"
        reference = {"kind": "Pod", "namespace": "default", "name": "web-0"}
        made = {"metadata": {"name": "e"}, "involvedObject": reference, "reason": "Started", "type": "Normal"}
        assert (await admin.post(events, made)).code == 201
        await asyncio.sleep(3500)
        assert len((await admin.get(events)).body["items"]) == 1
        await asyncio.sleep(300)
        assert (await admin.get(events)).body["items"] == []

    run_api(story)


def test_a_request_that_etcd_never_answers_ends_after_a_minute(run_api):
    async def story(plane):
        admin = plane.person()
        plane.world.network.partition("control-plane", "control-plane")
        began = plane.world.loop.time()
        answer = await admin.get(f"{CONFIG_MAPS}/a")
        assert answer.code in (500, 504)
        assert plane.world.loop.time() - began <= 61

    run_api(story)
