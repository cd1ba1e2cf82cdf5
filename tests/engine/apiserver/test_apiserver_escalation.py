"""Nobody grants more than they have: roles and bindings that would are refused, with what is missing."""

import pytest

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


def rule(verbs, resources, group="", **more):
    return {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split(), **more}


def role(name, *rules):
    return {"metadata": {"name": name}, "rules": list(rules)}


def binding(name, role_name, user, kind="ClusterRole"):
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role_name},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": user}],
    }


HELD = (
    rule("create get update patch delete", "roles rolebindings", GROUP),
    rule("get list", "pods */scale"),
    rule("get", "secrets", resourceNames=["db"]),
)


@pytest.fixture
def run_eve(run_api):
    """Run `story(admin, eve)`: eve may write roles and bindings in default, and holds a few rights there."""

    def run_story(story):
        async def with_eve(plane):
            admin, eve = plane.person(), plane.person("eve", ["dev"])
            assert (await admin.post(f"{RBAC}/clusterroles", role("limited", *HELD))).code == 201
            bound = binding("limited", "limited", "eve")
            assert (await admin.post(f"{RBAC}/namespaces/default/rolebindings", bound)).code == 201
            await story(admin, eve)

        run_api(with_eve)

    return run_story


@pytest.mark.parametrize(
    "granted",
    [
        rule("get", "pods"),
        rule("list", "deployments/scale pods/scale"),
        rule("get", "secrets", resourceNames=["db"]),
        rule("get list", "pods", resourceNames=["web"]),
        rule("delete", "roles", GROUP),
    ],
)
def test_what_one_holds_one_may_grant(run_eve, granted):
    async def story(_, eve):
        made = await eve.post(f"{RBAC}/namespaces/default/roles", role("r", granted))
        assert made.code == 201, made.body["message"]

    run_eve(story)


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (rule("get delete patch", "pods"), '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}'),
        (rule("get", "pods/log"), '{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'),
        (rule("get", "pods", "apps"), '{APIGroups:["apps"], Resources:["pods"], Verbs:["get"]}'),
        (rule("get", "secrets"), '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'),
        (
            rule("get", "secrets", resourceNames=["db", "mail"]),
            '{APIGroups:[""], Resources:["secrets"], ResourceNames:["mail"], Verbs:["get"]}',
        ),
        (rule("*", "*", "*"), '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'),
    ],
)
def test_what_one_lacks_one_may_not_grant(run_eve, granted, missing):
    async def story(_, eve):
        refused = await eve.post(f"{RBAC}/namespaces/default/roles", role("r", granted))
        assert refused.code == 403, refused.body
        assert refused.body["message"] == (
            f'roles.{GROUP} "r" is forbidden: user "eve" (groups=["dev" "system:authenticated"]) is attempting '
            f"to grant RBAC permissions not currently held:\n{missing}"
        )

    run_eve(story)


def test_nobody_binds_a_role_that_is_larger_than_their_own(run_eve):
    async def story(admin, eve):
        bindings = f"{RBAC}/namespaces/default/rolebindings"
        refused = await eve.post(bindings, binding("up", "cluster-admin", "eve"))
        assert refused.code == 403
        assert '{NonResourceURLs:["*"], Verbs:["*"]}' in refused.body["message"]
        assert (await eve.post(bindings, binding("same", "limited", "ben"))).code == 201
        unseen = await eve.post(bindings, binding("ghost", "nosuch", "ben", kind="Role"))
        assert unseen.body["message"] == f'roles.{GROUP} "nosuch" not found'
        assert (await admin.post(bindings, binding("ghost", "nosuch", "ben"))).code == 201
        empty = await eve.post(bindings, {"metadata": {"name": "empty"}})
        assert empty.code == 422

    run_eve(story)


def test_the_verbs_escalate_and_bind_open_the_way(run_eve):
    async def story(admin, eve):
        both = role("both", rule("escalate", "roles", GROUP), rule("bind", "clusterroles", GROUP))
        assert (await admin.post(f"{RBAC}/clusterroles", both)).code == 201
        assert (await admin.post(f"{RBAC}/clusterrolebindings", binding("both", "both", "eve"))).code == 201
        made = await eve.post(f"{RBAC}/namespaces/default/roles", role("r", rule("*", "*", "*")))
        assert made.code == 201
        assert (await eve.post(f"{RBAC}/namespaces/default/rolebindings", binding("up", "edit", "eve"))).code == 201

    run_eve(story)


def test_a_role_does_not_grow_beyond_its_writer_either(run_eve):
    async def story(admin, eve):
        roles = f"{RBAC}/namespaces/default/roles"
        assert (await eve.post(roles, role("r", rule("get", "pods")))).code == 201
        assert (await eve.patch(f"{roles}/r", {"rules": [rule("get list", "pods")]})).code == 200
        assert (await eve.patch(f"{roles}/r", {"rules": [rule("delete", "pods")]})).code == 403
        assert (await admin.patch(f"{roles}/r", {"rules": [rule("delete", "pods")]})).code == 200
        assert (await eve.patch(f"{roles}/r", {"metadata": {"labels": {"a": "b"}}})).code == 403

    run_eve(story)
