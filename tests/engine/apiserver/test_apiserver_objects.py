"""Objects through the whole server: create, read, update, patch, delete, over TLS, by HTTP/1.1 and HTTP/2."""

import json

import pytest
from apiserver_objects import config_map, deployment, pod

from cluster_engine.api.kinds import Kinds
from cluster_engine.apiserver import main as apiserver
from cluster_engine.apiserver.flags import Flags
from cluster_engine.cast import PKI
from cluster_engine.etcd.client import EtcdClient

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


def message(answer):
    return answer.body["message"]


@pytest.mark.parametrize("http2", [True, False])
def test_an_object_is_created_read_changed_and_deleted(run_api, http2):
    async def story(plane):
        admin = plane.person(http2=http2)
        created = await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        assert created.code == 201
        metadata = created.body["metadata"]
        assert set(metadata) == {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"}
        assert (await admin.get(f"{CONFIG_MAPS}/a")).body == created.body
        updated = await admin.put(f"{CONFIG_MAPS}/a", created.body | {"data": {"k": "2"}})
        assert updated.code == 200
        assert int(updated.body["metadata"]["resourceVersion"]) > int(metadata["resourceVersion"])
        assert updated.body["metadata"]["uid"] == metadata["uid"]
        deleted = await admin.delete(f"{CONFIG_MAPS}/a")
        assert deleted.body["status"] == "Success"
        assert deleted.body["details"] == {"name": "a", "kind": "configmaps", "uid": metadata["uid"]}
        gone = await admin.get(f"{CONFIG_MAPS}/a")
        assert (gone.code, message(gone)) == (404, 'configmaps "a" not found')

    run_api(story)


def test_every_answer_has_the_headers_of_the_real_server(run_api):
    async def story(plane):
        answer = await plane.person().get(CONFIG_MAPS)
        assert len(answer.headers["audit-id"]) == 36
        assert answer.headers["cache-control"] == "no-cache, private"
        assert answer.headers["content-type"] == "application/json"
        assert "date" in answer.headers

    run_api(story)


def test_what_cannot_be_created_is_refused_in_kubernetes_words(run_api):
    async def story(plane):
        admin = plane.person()
        assert (await admin.post(CONFIG_MAPS, config_map("a"))).code == 201
        again = await admin.post(CONFIG_MAPS, config_map("a"))
        assert (again.code, message(again)) == (409, 'configmaps "a" already exists')
        nowhere = await admin.post("/api/v1/namespaces/nope/configmaps", config_map("a"))
        assert (nowhere.code, message(nowhere)) == (404, 'namespaces "nope" not found')
        nameless = await admin.post(CONFIG_MAPS, {"data": {}})
        assert nameless.code == 422
        assert nameless.body["details"]["causes"][0]["field"] == "metadata.name"
        versioned = await admin.post(CONFIG_MAPS, {"metadata": {"name": "b", "resourceVersion": "5"}})
        assert (versioned.code, versioned.body.get("reason")) == (500, None)
        elsewhere = await admin.post(CONFIG_MAPS, {"metadata": {"name": "b", "namespace": "kube-system"}})
        assert elsewhere.code == 400
        other_kind = await admin.post(CONFIG_MAPS, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "b"}})
        assert other_kind.code == 400
        malformed = await admin.post(CONFIG_MAPS, b'{"metadata": ')
        assert (malformed.code, malformed.body["reason"]) == (400, "BadRequest")
        assert (await admin.post(CONFIG_MAPS, b"x", content_type="text/plain")).code == 415
        assert (await admin.post(CONFIG_MAPS, b"[]")).code == 400

    run_api(story)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", f"{CONFIG_MAPS}/a", 405),
        ("PUT", CONFIG_MAPS, 405),
        ("POST", "/api/v1/configmaps", 405),
        ("OPTIONS", CONFIG_MAPS, 405),
        ("HEAD", CONFIG_MAPS, 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("GET", "/api/v1/things", 404),
        ("GET", "/apis/no.such/v1/things", 404),
        ("GET", "/api/v1/namespaces/default/nodes/x", 404),
        ("GET", f"{CONFIG_MAPS}/a/nothing", 404),
        ("GET", "/api/v1//configmaps", 404),
        ("GET", "/nowhere", 404),
    ],
)
def test_paths_and_methods_that_do_not_exist(run_api, method, path, code):
    async def story(plane):
        assert (await plane.person().ask(method, path)).code == code

    run_api(story)


def test_a_stale_update_is_a_conflict_and_one_without_a_version_is_not(run_api):
    async def story(plane):
        admin = plane.person()
        first = (await admin.post(CONFIG_MAPS, config_map("a", k="1"))).body
        await admin.put(f"{CONFIG_MAPS}/a", first | {"data": {"k": "2"}})
        stale = await admin.put(f"{CONFIG_MAPS}/a", first | {"data": {"k": "3"}})
        assert stale.code == 409
        assert message(stale) == (
            'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )
        assert (await admin.put(f"{CONFIG_MAPS}/a", config_map("a", k="4"))).code == 200
        other = {"metadata": {"name": "a", "uid": "11111111-1111-1111-1111-111111111111"}}
        assert (await admin.put(f"{CONFIG_MAPS}/a", other)).code == 409
        assert (await admin.put(f"{CONFIG_MAPS}/a", config_map("b"))).code == 400
        assert (await admin.put(f"{CONFIG_MAPS}/missing", config_map("missing"))).code == 404

    run_api(story)


def test_an_update_that_changes_nothing_is_not_written(run_api):
    async def story(plane):
        admin = plane.person()
        created = (await admin.post(DEPLOYMENTS, deployment())).body
        same = await admin.put(f"{DEPLOYMENTS}/web", created)
        assert same.body == created
        same = await admin.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}})
        assert same.body == created

    run_api(story)


def test_leases_are_created_by_update_and_never_updated_blindly(run_api):
    async def story(plane):
        admin = plane.person()
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x"
        made = await admin.put(path, {"metadata": {"name": "x"}, "spec": {"holderIdentity": "me"}})
        assert made.code == 201
        blind = await admin.put(path, {"metadata": {"name": "x"}, "spec": {"holderIdentity": "you"}})
        assert blind.code == 422
        assert "must be specified for an update" in message(blind)
        made.body["spec"]["holderIdentity"] = "you"
        assert (await admin.put(path, made.body)).code == 200

    run_api(story)


def test_the_generation_counts_changes_of_the_spec_and_the_status_has_its_own_door(run_api):
    async def story(plane):
        admin = plane.person()
        created = (await admin.post(DEPLOYMENTS, deployment() | {"status": {"replicas": 9}})).body
        assert created["metadata"]["generation"] == 1
        assert created["status"] == {}
        scaled = (await admin.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 5}, "status": {"replicas": 9}})).body
        assert (scaled["metadata"]["generation"], scaled["status"]) == (2, {})
        labelled = (await admin.patch(f"{DEPLOYMENTS}/web", {"metadata": {"labels": {"a": "b"}}})).body
        assert labelled["metadata"]["generation"] == 2
        status = {"spec": {"replicas": 1}, "status": {"replicas": 5, "observedGeneration": 2}}
        changed = (await admin.patch(f"{DEPLOYMENTS}/web/status", status)).body
        assert changed["spec"]["replicas"] == 5
        assert changed["status"] == {"replicas": 5, "observedGeneration": 2}
        assert changed["metadata"]["generation"] == 2

    run_api(story)


def test_the_three_patch_types_do_what_they_are_named_for(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(DEPLOYMENTS, deployment())
        path = f"{DEPLOYMENTS}/web"
        container = {"name": "side", "image": "busybox"}
        added = {"spec": {"template": {"spec": {"containers": [container]}}}}
        merged = (await admin.patch(path, added, "strategic")).body
        assert [each["name"] for each in merged["spec"]["template"]["spec"]["containers"]] == ["side", "web"]
        replaced = (await admin.patch(path, added, "merge")).body
        assert [each["name"] for each in replaced["spec"]["template"]["spec"]["containers"]] == ["side"]
        operations = [
            {"op": "test", "path": "/spec/replicas", "value": 3},
            {"op": "replace", "path": "/spec/replicas", "value": 7},
        ]
        assert (await admin.patch(path, operations, "json")).body["spec"]["replicas"] == 7
        failed = await admin.patch(path, operations, "json")
        assert (failed.code, message(failed)) == (422, "the server rejected our request due to an error in our request")
        assert (await admin.ask("PATCH", path, {}, content_type="application/json")).code == 415
        assert (await admin.ask("PATCH", path, b"{", content_type="application/merge-patch+json")).code == 400
        assert (await admin.patch(path, [], "merge")).code == 400
        assert (await admin.patch(path, {}, "json")).code == 400
        stale = await admin.patch(path, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 1}})
        assert stale.code == 409
        assert (await admin.patch(path, {"metadata": {"name": "other"}})).code in (400, 422)
        assert (await admin.patch(f"{DEPLOYMENTS}/none", {})).code == 404

    run_api(story)


def test_scale_is_one_number_in_a_form_of_its_own(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(DEPLOYMENTS, deployment())
        scale = (await admin.get(f"{DEPLOYMENTS}/web/scale")).body
        assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
        assert scale["spec"] == {"replicas": 3}
        assert scale["status"] == {"replicas": 0, "selector": "app=web"}
        scale["spec"]["replicas"] = 0
        assert (await admin.put(f"{DEPLOYMENTS}/web/scale", scale)).body["spec"] == {}
        assert (await admin.put(f"{DEPLOYMENTS}/web/scale", scale)).code == 409
        patched = await admin.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 2}})
        assert patched.body["spec"] == {"replicas": 2}
        assert (await admin.get(f"{DEPLOYMENTS}/web")).body["metadata"]["generation"] == 3
        assert (await admin.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}})).code == 422

    run_api(story)


def test_a_dry_run_does_everything_but_store(run_api):
    async def story(plane):
        admin = plane.person()
        dry = await admin.post(f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
        assert dry.code == 201
        assert dry.body["metadata"]["uid"]
        assert (await admin.get(f"{CONFIG_MAPS}/a")).code == 404
        await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        assert (await admin.put(f"{CONFIG_MAPS}/a?dryRun=All", config_map("a", k="2"))).body["data"] == {"k": "2"}
        assert (await admin.delete(f"{CONFIG_MAPS}/a?dryRun=All")).code == 200
        assert (await admin.get(f"{CONFIG_MAPS}/a")).body["data"] == {"k": "1"}
        assert (await admin.post(f"{CONFIG_MAPS}?dryRun=Some", config_map("b"))).code == 422

    run_api(story)


def test_unknown_fields_are_warned_of_or_refused_as_asked(run_api):
    async def story(plane):
        admin = plane.person()
        odd = config_map("a") | {"zz": 1}
        warned = await admin.post(f"{CONFIG_MAPS}?dryRun=All", odd)
        assert warned.headers["warning"] == '299 - "unknown field \\"zz\\""'
        assert "zz" not in warned.body
        assert "warning" not in (await admin.post(f"{CONFIG_MAPS}?dryRun=All&fieldValidation=Ignore", odd)).headers
        strict = await admin.post(f"{CONFIG_MAPS}?fieldValidation=Strict", odd)
        assert strict.code == 400
        assert 'strict decoding error: unknown field "zz"' in message(strict)
        twice = b'{"metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'
        strict = await admin.post(f"{CONFIG_MAPS}?fieldValidation=Strict", twice)
        assert 'duplicate field "data.k"' in message(strict)
        doubled = b"metadata:\n  name: a\ndata:\n  k: a\n  k: b\n"
        strict = await admin.post(f"{CONFIG_MAPS}?fieldValidation=Strict", doubled, content_type="application/yaml")
        assert 'yaml: unmarshal errors:\n  line 5: key "k" already set in map' in message(strict)
        warned = await admin.post(
            f"{CONFIG_MAPS}?dryRun=All&fieldValidation=Warn", doubled, content_type="application/yaml"
        )
        assert 'line 5: key \\"k\\" already set in map' in warned.headers["warning"]
        assert "\n" not in warned.headers["warning"]
        much = config_map("a") | {f"u\n{at}" * 100: 1 for at in range(1000)}
        assert (await admin.post(f"{CONFIG_MAPS}?dryRun=All", much)).code == 201
        assert (await admin.post(f"{CONFIG_MAPS}?fieldValidation=Maybe", odd)).code == 422

    run_api(story)


def test_names_are_generated_from_a_vowelless_alphabet(run_api):
    async def story(plane):
        admin = plane.person()
        made = [
            (await admin.post(CONFIG_MAPS, {"metadata": {"generateName": "job-"}})).body["metadata"]["name"]
            for _ in range(5)
        ]
        assert len(set(made)) == 5
        assert all(name.startswith("job-") and set(name[4:]) <= set("bcdfghjklmnpqrstvwxz2456789") for name in made)

    run_api(story)


def test_yaml_and_protobuf_bodies_are_read(run_api):
    async def story(plane):
        admin = plane.person()
        text = b"metadata:\n  name: a\ndata:\n  when: 2001-12-14\n  number: '5'\n"
        made = await admin.post(CONFIG_MAPS, text, content_type="application/yaml")
        assert made.code == 201
        assert made.body["data"] == {"when": "2001-12-14", "number": "5"}
        read = await admin.get(f"{CONFIG_MAPS}/a", accept="application/yaml")
        assert read.headers["content-type"] == "application/yaml"
        assert read.raw.startswith(b"kind: ConfigMap\n")
        envelope = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x0f\x0a\x03\x0a\x01p\x12\x08\x0a\x01k\x12\x03val"
        made = await admin.post(CONFIG_MAPS, envelope, content_type="application/vnd.kubernetes.protobuf")
        assert made.code == 201, made
        assert made.body["data"] == {"k": "val"}
        garbage = await admin.post(CONFIG_MAPS, b"k8s\0\xff\xff", content_type="application/vnd.kubernetes.protobuf")
        assert garbage.code == 400

    run_api(story)


def test_finalizers_keep_an_object_until_the_last_is_gone(run_api):
    async def story(plane):
        admin = plane.person()
        kept = config_map("a")
        kept["metadata"]["finalizers"] = ["example.com/hold"]
        await admin.post(CONFIG_MAPS, kept)
        going = await admin.delete(f"{CONFIG_MAPS}/a")
        assert going.body["kind"] == "ConfigMap"
        assert going.body["metadata"]["deletionGracePeriodSeconds"] == 0
        assert (await admin.delete(f"{CONFIG_MAPS}/a")).body == going.body, "deleting twice changes nothing"
        assert (await admin.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "1"}})).code == 200
        assert (await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}})).code == 200
        assert (await admin.get(f"{CONFIG_MAPS}/a")).code == 404

    run_api(story)


def test_the_propagation_policy_leaves_a_finalizer_for_the_garbage_collector(run_api):
    async def story(plane):
        admin = plane.person()
        for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
            await admin.post(DEPLOYMENTS, deployment(policy.lower()))
            going = await admin.delete(f"{DEPLOYMENTS}/{policy.lower()}", {"propagationPolicy": policy})
            assert going.body["metadata"]["finalizers"] == [finalizer]
        await admin.post(DEPLOYMENTS, deployment("plain"))
        assert (await admin.delete(f"{DEPLOYMENTS}/plain", {"propagationPolicy": "Background"})).body[
            "kind"
        ] == "Status"
        await admin.post(DEPLOYMENTS, deployment("plain"))
        assert (await admin.delete(f"{DEPLOYMENTS}/plain", {"propagationPolicy": "Sideways"})).code == 422
        both = {"propagationPolicy": "Orphan", "orphanDependents": True}
        assert (await admin.delete(f"{DEPLOYMENTS}/plain", both)).code == 422

    run_api(story)


def test_preconditions_protect_from_deleting_another_object(run_api):
    async def story(plane):
        admin = plane.person()
        made = (await admin.post(CONFIG_MAPS, config_map("a"))).body
        other = {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}
        refused = await admin.delete(f"{CONFIG_MAPS}/a", other)
        assert refused.code == 409
        assert "Precondition failed: UID in precondition" in message(refused)
        old = {"preconditions": {"resourceVersion": "1"}}
        assert (await admin.delete(f"{CONFIG_MAPS}/a", old)).code == 409
        right = {"preconditions": {"uid": made["metadata"]["uid"]}}
        assert (await admin.delete(f"{CONFIG_MAPS}/a", right)).code == 200

    run_api(story)


def test_a_collection_is_deleted_by_selector_and_listed(run_api):
    async def story(plane):
        admin = plane.person()
        for name in ("a", "b", "c"):
            made = config_map(name)
            made["metadata"]["labels"] = {"keep": str(name == "b").lower()}
            await admin.post(CONFIG_MAPS, made)
        deleted = await admin.delete(f"{CONFIG_MAPS}?labelSelector=keep=false")
        assert deleted.body["kind"] == "ConfigMapList"
        assert [each["metadata"]["name"] for each in deleted.body["items"]] == ["a", "c"]
        left = (await admin.get(CONFIG_MAPS)).body["items"]
        assert [each["metadata"]["name"] for each in left] == ["b"]

    run_api(story)


def test_two_clients_that_race_both_get_an_honest_answer(run_api):
    async def story(plane):
        import asyncio

        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a"))
        patches = [admin.patch(f"{CONFIG_MAPS}/a", {"data": {f"k{n}": str(n)}}) for n in range(20)]
        assert {answer.code for answer in await asyncio.gather(*patches)} == {200}
        assert len((await admin.get(f"{CONFIG_MAPS}/a")).body["data"]) == 20
        creates = await asyncio.gather(*[admin.post(CONFIG_MAPS, config_map("new", n=str(n))) for n in range(5)])
        assert sorted(answer.code for answer in creates) == [201, 409, 409, 409, 409]

    run_api(story)


def test_a_namespace_goes_in_two_steps_and_the_important_ones_never(run_api):
    async def story(plane):
        admin = plane.person()
        made = await admin.post("/api/v1/namespaces", {"metadata": {"name": "team"}})
        assert made.body["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}
        assert made.body["spec"] == {"finalizers": ["kubernetes"]}
        going = (await admin.delete("/api/v1/namespaces/team")).body
        assert going["status"]["phase"] == "Terminating"
        refused = await admin.post("/api/v1/namespaces/team/configmaps", config_map("late"))
        assert refused.code == 403
        assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
        going["spec"] = {}
        assert (await admin.put("/api/v1/namespaces/team/finalize", going)).code == 200
        assert (await admin.get("/api/v1/namespaces/team")).code == 404
        for name in ("default", "kube-system", "kube-public"):
            assert (await admin.delete(f"/api/v1/namespaces/{name}")).code == 403

    run_api(story)


def test_a_body_over_three_mebibytes_is_refused_and_the_connection_goes_on(run_api):
    async def story(plane):
        admin = plane.person()
        huge = config_map("a", k="x" * (3 * 1024 * 1024))
        answer = await admin.post(CONFIG_MAPS, huge)
        assert (answer.code, answer.body["reason"]) == (413, "RequestEntityTooLarge")
        assert (await admin.get(CONFIG_MAPS)).code == 200

    run_api(story)


def test_large_answers_are_compressed_for_those_who_can_read_it(run_api):
    async def story(plane):
        import gzip

        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("big", k="x" * 200_000))
        answer = await admin.get(f"{CONFIG_MAPS}/big", headers=[("Accept-Encoding", "gzip")])
        assert answer.headers["content-encoding"] == "gzip"
        assert len(answer.raw) < 10_000
        assert json.loads(gzip.decompress(answer.raw))["data"]["k"] == "x" * 200_000
        assert "content-encoding" not in (await admin.get(f"{CONFIG_MAPS}/big")).headers

    run_api(story)


def test_people_get_indented_json(run_api):
    async def story(plane):
        admin = plane.person()
        assert b'\n  "kind"' in (await admin.get(f"{CONFIG_MAPS}?pretty=true")).raw
        assert b'\n  "kind"' not in (await admin.get(CONFIG_MAPS)).raw

    run_api(story)


class CountingClient(EtcdClient):
    """An etcd client that writes down what is asked of it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.calls = []

    async def get(self, key, **options):
        self.calls.append("get")
        return await super().get(key, **options)

    async def txn(self, *arguments):
        self.calls.append("txn")
        return await super().txn(*arguments)


def test_one_write_costs_one_etcd_transaction(run_api):
    async def story(plane):
        clients = []

        async def main(process):
            client = CountingClient([("127.0.0.1", 2379)], apiserver.etcd_tls(process, PKI))
            clients.append(client)
            try:
                given = Flags()
                server = apiserver.Server(process, Kinds(), PKI, client, service_range="10.96.0.0/12", given=given)
                await server.run(6443, apiserver.api_tls(process, PKI, given))
            finally:
                await client.aclose()

        await plane.start_etcd()
        await plane.start(main)
        (etcd,) = clients
        admin = plane.person()

        async def cost(asking):
            etcd.calls.clear()
            assert (await asking).code in (200, 201)
            return etcd.calls.copy()

        assert await cost(admin.post(DEPLOYMENTS, deployment())) == ["txn"]
        assert await cost(admin.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 4}})) == ["txn"]
        assert await cost(admin.patch(f"{DEPLOYMENTS}/web/status", {"status": {"replicas": 4}})) == ["txn"]
        assert await cost(admin.get(f"{DEPLOYMENTS}/web")) == ["get"]
        assert await cost(admin.get(f"{DEPLOYMENTS}?resourceVersion=0")) == []
        assert await cost(admin.delete(f"{DEPLOYMENTS}/web")) == ["txn"]

    run_api(story, started=False)


def test_pods_created_without_a_service_account_are_refused(run_api):
    async def story(plane):
        admin = plane.person()
        refused = await admin.post(PODS, pod("web-0"))
        assert refused.code == 403
        assert message(refused) == (
            'pods "web-0" is forbidden: error looking up service account default/default: '
            'serviceaccount "default" not found'
        )

    run_api(story)
