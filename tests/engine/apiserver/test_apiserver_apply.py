"""Server-side apply: PATCH application/apply-patch+yaml."""

import asyncio

import pytest
from apiserver_objects import config_map, deployment

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"
WEB = f"{DEPLOYMENTS}/web"


def apply(person, path, config, *, manager="alice", force=False, query=""):
    manager_query = f"fieldManager={manager}" if manager else ""
    target = f"{path}?{manager_query}{'&force=true' if force else ''}{query}"
    return person.ask("PATCH", target, config, content_type=APPLY)


def data(**values):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": values}


def web(*containers, replicas=None):
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def managers(answer):
    assert answer.code < 300, answer
    return {(each["manager"], each["operation"]): each["fieldsV1"] for each in answer.body["metadata"]["managedFields"]}


def test_what_is_not_there_is_created_by_apply(run_api):
    async def story(plane):
        created = await apply(plane.person(), WEB, web({"name": "web", "image": "nginx"}))
        assert created.code == 201
        assert created.body["spec"]["replicas"] == 1
        assert managers(created) == {
            ("alice", "Apply"): {
                "f:spec": {
                    "f:selector": {},
                    "f:template": {
                        "f:metadata": {"f:labels": {"f:app": {}}},
                        "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}}}},
                    },
                }
            }
        }

    run_api(story)


def test_applying_the_same_again_writes_nothing(run_api):
    async def story(plane):
        admin = plane.person()
        container = {"name": "web", "image": "nginx", "resources": {"limits": {"cpu": "1000m"}}}
        first = await apply(admin, WEB, web(container))
        await asyncio.sleep(5)
        again = await apply(admin, WEB, web(container))
        assert (again.code, again.body) == (200, first.body)

    run_api(story)


def test_a_field_of_somebody_else_is_a_conflict_that_names_them(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(f"{DEPLOYMENTS}?fieldManager=kubectl-create", deployment("web", replicas=3))
        refused = await apply(admin, WEB, web({"name": "web", "image": "nginx"}, replicas=5))
        assert refused.code == 409
        assert refused.body["reason"] == "Conflict"
        assert refused.body["message"] == (
            'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas'
        )
        assert refused.body["details"] == {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "kubectl-create" using apps/v1',
                    "field": ".spec.replicas",
                }
            ]
        }

    run_api(story)


def test_several_conflicts_stand_one_in_a_line_by_manager(run_api):
    async def story(plane):
        admin = plane.person()
        await apply(admin, WEB, web({"name": "web", "image": "nginx"}), manager="zoe")
        await admin.patch(f"{WEB}/scale?fieldManager=bob", {"spec": {"replicas": 4}})
        refused = await apply(admin, WEB, web({"name": "web", "image": "httpd"}, replicas=5))
        assert refused.body["message"] == (
            'Apply failed with 2 conflicts: conflicts with "bob" with subresource "scale" using apps/v1:\n'
            '- .spec.replicas\nconflicts with "zoe":\n- .spec.template.spec.containers[name="web"].image'
        )

    run_api(story)


def test_force_takes_the_fields_over(run_api):
    async def story(plane):
        admin = plane.person()
        await apply(admin, f"{CONFIG_MAPS}/a", data(k="1", l="1"))
        forced = await apply(admin, f"{CONFIG_MAPS}/a", data(k="2"), manager="bob", force=True)
        assert forced.body["data"] == {"k": "2", "l": "1"}
        assert managers(forced) == {
            ("alice", "Apply"): {"f:data": {"f:l": {}}},
            ("bob", "Apply"): {"f:data": {"f:k": {}}},
        }

    run_api(story)


def test_what_two_apply_alike_both_own_and_it_goes_with_the_last(run_api):
    async def story(plane):
        admin = plane.person()
        await apply(admin, f"{CONFIG_MAPS}/a", data(k="1", l="1"))
        shared = await apply(admin, f"{CONFIG_MAPS}/a", data(k="1"), manager="bob")
        assert managers(shared)["bob", "Apply"] == {"f:data": {"f:k": {}}}
        left = await apply(admin, f"{CONFIG_MAPS}/a", data(l="1"))
        assert left.body["data"] == {"k": "1", "l": "1"}
        gone = await apply(admin, f"{CONFIG_MAPS}/a", data(m="1"), manager="bob")
        assert gone.body["data"] == {"l": "1", "m": "1"}

    run_api(story)


def test_what_is_left_out_goes_unless_an_update_set_it(run_api):
    async def story(plane):
        admin = plane.person()
        containers = [{"name": "web", "image": "nginx"}, {"name": "side", "image": "busybox"}]
        await apply(admin, WEB, web(*containers, replicas=4))
        env = {"name": "web", "env": [{"name": "A", "value": "1"}]}
        await admin.patch(WEB, {"spec": {"template": {"spec": {"containers": [env]}}}}, kind="strategic")
        less = await apply(admin, WEB, web(containers[0]))
        (container,) = less.body["spec"]["template"]["spec"]["containers"]
        assert (container["image"], container["env"]) == ("nginx", env["env"])
        assert less.body["spec"]["replicas"] == 1

    run_api(story)


def test_items_keep_their_places_and_new_ones_come_where_the_configuration_has_them(run_api):
    async def story(plane):
        admin = plane.person()
        one, two, three = ({"name": name, "image": "busybox"} for name in ("one", "two", "three"))
        await admin.post(DEPLOYMENTS, web(one, two))
        merged = await apply(admin, WEB, web(three, two))
        names = [each["name"] for each in merged.body["spec"]["template"]["spec"]["containers"]]
        assert names == ["one", "three", "two"]

    run_api(story)


def test_a_status_is_applied_by_its_own_path(run_api):
    async def story(plane):
        admin = plane.person()
        missing = await apply(admin, f"{WEB}/status", web({"name": "web", "image": "nginx"}))
        assert missing.code == 404
        await apply(admin, WEB, web({"name": "web", "image": "nginx"}))
        config = web({"name": "web", "image": "changed"}) | {"status": {"replicas": 2}}
        applied = await apply(admin, f"{WEB}/status", config, manager="bob")
        assert applied.body["status"]["replicas"] == 2
        assert applied.body["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx"
        assert managers(applied)["bob", "Apply"] == {"f:status": {"f:replicas": {}}}

    run_api(story)


def test_a_dry_run_stores_nothing(run_api):
    async def story(plane):
        admin = plane.person()
        assert (await apply(admin, f"{CONFIG_MAPS}/a", data(k="1"), query="&dryRun=All")).code == 201
        assert (await admin.get(f"{CONFIG_MAPS}/a")).code == 404

    run_api(story)


def test_objects_without_managed_fields_get_an_owner_before_the_first_apply(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(CONFIG_MAPS, config_map("a", k="1"))
        await admin.patch(f"{CONFIG_MAPS}/a", {"metadata": {"managedFields": []}})
        refused = await apply(admin, f"{CONFIG_MAPS}/a", data(k="2"))
        assert 'conflict with "before-first-apply" using v1: .data.k' in refused.body["message"]

    run_api(story)


def test_kubectl_takes_over_what_its_annotation_says_and_keeps_the_annotation(run_api):
    async def story(plane):
        admin = plane.person()
        applied = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"}}'
        annotation = {"kubectl.kubernetes.io/last-applied-configuration": applied}
        csa = {**data(k="1"), "metadata": {"name": "a", "annotations": annotation}}
        await admin.post(f"{CONFIG_MAPS}?fieldManager=kubectl-client-side-apply", csa)
        assert (await apply(admin, f"{CONFIG_MAPS}/a", data(k="2"))).code == 409
        taken = await apply(admin, f"{CONFIG_MAPS}/a", data(k="2"), manager="kubectl")
        (annotation,) = taken.body["metadata"]["annotations"].values()
        assert annotation == '{"apiVersion":"v1","data":{"k":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'

    run_api(story)


@pytest.mark.parametrize(
    ("config", "code", "text"),
    [
        ({"kind": "ConfigMap"}, 400, "invalid object type: /, Kind=ConfigMap"),
        (data() | {"apiVersion": "apps/v1"}, 400, "invalid object type: apps/v1, Kind=ConfigMap"),
        (data() | {"metadata": {"name": "a", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
        (b"a: b: c", 400, "error decoding YAML: "),
        (b"[]", 400, "error decoding YAML: "),
        (b"data: {a: b, a: c}", 400, "error strict decoding YAML: "),
        (
            data() | {"spec": {}},
            500,
            "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .spec: field not declared in schema",
        ),
        (
            data(k=1),
            500,
            "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
            ".data.k: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (
            data() | {"metadata": {"name": "b"}},
            400,
            "the name of the object (b) does not match the name on the URL (a)",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(run_api, config, code, text):
    async def story(plane):
        answer = await apply(plane.person(), f"{CONFIG_MAPS}/a", config, query="&fieldValidation=Strict")
        assert answer.code == code
        assert answer.body["message"].startswith(text), answer.body["message"]

    run_api(story)


def test_two_items_with_the_same_keys_are_refused(run_api):
    async def story(plane):
        twice = {"name": "web", "image": "nginx"}
        answer = await apply(plane.person(), WEB, web(twice, twice))
        assert answer.body["message"].endswith('.spec.template.spec.containers: duplicate entries for key [name="web"]')

    run_api(story)


def test_who_applies_must_say_their_name(run_api):
    async def story(plane):
        answer = await apply(plane.person(), f"{CONFIG_MAPS}/a", data(), manager="")
        assert (answer.code, answer.body["message"]) == (
            422,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        )
        forced = await plane.person().patch(f"{CONFIG_MAPS}/a?force=true", {})
        assert forced.body["message"] == (
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
        )

    run_api(story)


def test_who_may_patch_but_not_create_cannot_create_by_apply(run_api):
    async def story(plane):
        admin = plane.person()
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}
        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        await admin.post(f"{roles}/roles", {"metadata": {"name": "patcher"}, "rules": [rule]})
        group = "rbac.authorization.k8s.io"
        binding = {
            "metadata": {"name": "patcher"},
            "subjects": [{"kind": "User", "name": "eve", "apiGroup": group}],
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "patcher"},
        }
        await admin.post(f"{roles}/rolebindings", binding)
        await asyncio.sleep(1)
        refused = await apply(plane.person("eve", groups=()), f"{CONFIG_MAPS}/a", data(k="1"))
        assert refused.code == 403
        assert 'cannot create resource "configmaps"' in refused.body["message"]

    run_api(story)
