"""managedFields: every write says who has set which fields."""

import asyncio

import pytest
from apiserver_objects import config_map, deployment, pod

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


def entries(answer):
    """What each entry holds, by manager, operation and subresource."""
    assert answer.code < 300, answer
    found = answer.body["metadata"].get("managedFields", [])
    assert all(each["fieldsType"] == "FieldsV1" for each in found)
    return {
        (each["manager"], each["operation"], *([each["subresource"]] if "subresource" in each else [])): each[
            "fieldsV1"
        ]
        for each in found
    }


def leaves(names):
    return {f"f:{name}": {} for name in names.split()}


def test_who_creates_an_object_manages_what_it_set_and_what_was_defaulted(run_api):
    async def story(plane):
        await plane.create_default_account(plane.person())
        created = await plane.person().post(f"{PODS}?fieldManager=kubectl-run", pod("nginx", labels={"run": "nginx"}))
        container = leaves("image imagePullPolicy name resources terminationMessagePath terminationMessagePolicy")
        spec = "dnsPolicy enableServiceLinks restartPolicy schedulerName securityContext terminationGracePeriodSeconds"
        assert entries(created) == {
            ("kubectl-run", "Update"): {
                "f:metadata": {"f:labels": {".": {}, "f:run": {}}},
                "f:spec": {
                    "f:containers": {'k:{"name":"web"}': {".": {}, **container}},
                    **leaves(spec),
                },
            }
        }
        (entry,) = created.body["metadata"]["managedFields"]
        assert (entry["apiVersion"], entry["time"][-1]) == ("v1", "Z")

    run_api(story)


def test_without_a_field_manager_the_user_agent_names_it(run_api):
    async def story(plane):
        created = await plane.person().post(CONFIG_MAPS, config_map("a", k="1"))
        assert entries(created) == {("test", "Update"): {"f:data": {".": {}, "f:k": {}}}}

    run_api(story)


def test_an_update_takes_the_fields_that_it_changes(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(f"{CONFIG_MAPS}?fieldManager=one", config_map("a", k="1", l="1"))
        changed = await admin.patch(f"{CONFIG_MAPS}/a?fieldManager=two", {"data": {"k": "2", "m": "3"}})
        assert entries(changed) == {
            ("one", "Update"): {"f:data": {".": {}, "f:l": {}}},
            ("two", "Update"): {"f:data": {"f:k": {}, "f:m": {}}},
        }
        removed = await admin.patch(f"{CONFIG_MAPS}/a?fieldManager=three", {"data": {"k": None, "m": None}})
        assert list(entries(removed)) == [("one", "Update")]

    run_api(story)


def test_an_update_that_changes_nothing_writes_nothing(run_api):
    async def story(plane):
        admin = plane.person()
        created = await admin.post(f"{CONFIG_MAPS}?fieldManager=one", config_map("a", k="1"))
        await asyncio.sleep(5)
        same = await admin.put(f"{CONFIG_MAPS}/a?fieldManager=two", config_map("a", k="1"))
        assert same.body == created.body

    run_api(story)


def test_the_time_of_an_entry_is_that_of_its_last_change(run_api):
    async def story(plane):
        admin = plane.person()
        created = await admin.post(f"{CONFIG_MAPS}?fieldManager=one", config_map("a", k="1", l="1"))
        await asyncio.sleep(5)
        changed = await admin.patch(f"{CONFIG_MAPS}/a?fieldManager=one", {"data": {"k": "2"}})
        before, after = (each.body["metadata"]["managedFields"][0] for each in (created, changed))
        assert before["fieldsV1"] == after["fieldsV1"]
        assert before["time"] < after["time"]

    run_api(story)


def test_status_and_scale_have_entries_of_their_own(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(f"{DEPLOYMENTS}?fieldManager=one", deployment("web"))
        status = {"status": {"observedGeneration": 1, "replicas": 1}}
        await admin.patch(f"{DEPLOYMENTS}/web/status?fieldManager=two", status)
        await admin.patch(f"{DEPLOYMENTS}/web/scale?fieldManager=three", {"spec": {"replicas": 7}})
        found = entries(await admin.get(f"{DEPLOYMENTS}/web"))
        assert found["two", "Update", "status"] == {"f:status": {"f:observedGeneration": {}, "f:replicas": {}}}
        assert found["three", "Update", "scale"] == {"f:spec": {"f:replicas": {}}}
        assert "f:replicas" not in found["one", "Update"]["f:spec"]

    run_api(story)


@pytest.mark.parametrize("nothing", [[], [{}]])
def test_managed_fields_are_reset_by_an_empty_list_or_entry_and_not_kept_from_then_on(run_api, nothing):
    async def story(plane):
        admin = plane.person()
        created = await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        del created.body["metadata"]["managedFields"]
        assert list(entries(await admin.put(f"{CONFIG_MAPS}/a", created.body))) == [("test", "Update")]
        assert entries(await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"managedFields": nothing}})) == {}
        assert entries(await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "3"}})) == {}

    run_api(story)


def test_entries_that_cannot_be_read_are_as_if_they_had_not_been_sent(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        for bad in ({"x:y": {}}, {"k:{": {}}, {"f:a": {".": {"f:b": {}}}}, {"v:" + "[" * 150: {}}):
            entry = {"manager": "evil", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": bad}
            answer = await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"managedFields": [entry]}})
            assert list(entries(answer)) == [("test", "Update")]

    run_api(story)


def test_the_oldest_of_many_updates_become_one_entry(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a", k=""))
        for number in range(15):
            await admin.patch(f"{CONFIG_MAPS}/a?fieldManager=m{number:02}", {"data": {f"k{number:02}": ""}})
            await asyncio.sleep(2)
        found = entries(await admin.get(f"{CONFIG_MAPS}/a"))
        assert len(found) == 10
        assert set(found["ancient-changes", "Update"]["f:data"]) == {".", "f:k", *leaves("k00 k01 k02 k03 k04 k05")}

    run_api(story)


def test_the_servers_own_objects_have_entries_too(run_api):
    async def story(plane):
        role = await plane.person().get("/apis/rbac.authorization.k8s.io/v1/clusterroles/view")
        assert list(entries(role)) == [("kube-apiserver", "Update")]
        (lease,) = (await plane.person().get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases")).body[
            "items"
        ]
        (entry,) = lease["metadata"]["managedFields"]
        assert set(entry["fieldsV1"]["f:spec"]) == {"f:holderIdentity", "f:leaseDurationSeconds", "f:renewTime"}

    run_api(story)


def test_a_field_manager_must_be_short_and_printable(run_api):
    async def story(plane):
        admin = plane.person()
        long = await admin.post(f"{CONFIG_MAPS}?fieldManager={'m' * 129}", config_map("a"))
        assert long.code == 422
        assert long.body["message"] == (
            'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes'
        )
        tab = await admin.patch(f"{CONFIG_MAPS}/a?fieldManager=a%09b", {})
        assert tab.body["message"] == (
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\tb": '
            "invalid character U+0009 (at position 1)"
        )

    run_api(story)
