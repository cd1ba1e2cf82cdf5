"""What a real API server says and does in cases that foreign suites and attackers have found."""

import asyncio
import base64
import json

import pytest
from apiserver_objects import config_map, deployment, pod
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
SECRETS = "/api/v1/namespaces/default/secrets"
SERVICES = "/api/v1/namespaces/default/services"


def told(answer):
    return answer.code, answer.body["message"]


@pytest.mark.parametrize(
    ("path", "body", "code", "text"),
    [
        (
            CONFIG_MAPS,
            b'{"a":',
            400,
            '(must be of type ConfigMap): couldn\'t get version/kind; json parse error: *({"a":)',
        ),
        (CONFIG_MAPS, b"", 400, "(must be of type ConfigMap): *(<empty>)"),
        ("/api/v1/namespaces", b"\x00" * 40, 400, f"(must be of type Namespace): *({'00' * 30} ...)"),
        (
            CONFIG_MAPS,
            config_map("a", k="x" * (1 << 20), l="x"),
            422,
            "[]: Too long: may not be more than 1048576 bytes",
        ),
        (CONFIG_MAPS, b" " * 3_500_000, 413, "Request entity too large: limit is 3145728"),
        (
            SERVICES,
            {"metadata": {"name": "s"}, "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}},
            422,
            'spec.clusterIPs: Invalid value: []string{"1.2.3.4"}: failed to allocate IP 1.2.3.4: the provided IP '
            "(1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/12",
        ),
    ],
)
def test_bad_bodies_are_refused_in_the_real_words(run_api, path, body, code, text):
    async def story(plane):
        answer = await plane.person().post(path, body)
        assert answer.code == code
        for part in text.split("*"):
            assert part in answer.body["message"]

    run_api(story)


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("watch=1&resourceVersion=None", 500, 'resourceVersion: Invalid value: "None": strconv.ParseUint'),
        ("continue=abc", 400, "invalid continue token: continue key is not valid"),
        ("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIvYSJ9", 400, "continue key is not valid: /a"),
    ],
)
def test_bad_queries_are_refused_in_the_real_words(run_api, query, code, text):
    async def story(plane):
        answer = await plane.person().get(f"{CONFIG_MAPS}?{query}")
        assert answer.code == code
        assert text in answer.body["message"]

    run_api(story)


def test_a_version_of_the_future_names_no_field(run_api):
    async def story(plane):
        answer = await plane.person().get(f"{CONFIG_MAPS}?resourceVersion=99999999&resourceVersionMatch=NotOlderThan")
        assert answer.code == 504
        assert all("field" not in cause for cause in answer.body["details"]["causes"])

    run_api(story)


def test_media_types_that_say_nothing_are_not_understood(run_api):
    async def story(plane):
        assert (await plane.person().post(CONFIG_MAPS, config_map("a"), content_type=";;;")).code == 415
        answer = await plane.person().get(CONFIG_MAPS, accept="application/vnd.kubernetes.protobuf")
        assert answer.code == 406
        assert "protobuf" not in answer.body["message"]

    run_api(story)


def test_a_version_that_is_no_number_may_be_sent_with_a_new_object(run_api):
    async def story(plane):
        new = config_map("a")
        new["metadata"]["resourceVersion"] = "v1"
        assert (await plane.person().post(CONFIG_MAPS, new)).code == 201
        new["metadata"] = {"name": "b", "resourceVersion": "7"}
        answer = await plane.person().post(CONFIG_MAPS, new)
        assert told(answer) == (500, "resourceVersion should not be set on objects to be created")

    run_api(story)


def test_base64_may_have_newlines(run_api):
    async def story(plane):
        created = await plane.person().post(SECRETS, {"metadata": {"name": "s"}, "data": {"k": "aGVs\nbG8=\n"}})
        assert created.body["data"] == {"k": "aGVsbG8="}

    run_api(story)


def test_an_empty_group_of_a_role_is_that_of_roles(run_api):
    async def story(plane):
        path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
        reference = {"apiGroup": "", "kind": "ClusterRole", "name": "view"}
        created = await plane.person().post(path, {"metadata": {"name": "b"}, "roleRef": reference})
        assert created.body["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"

    run_api(story)


def test_a_deployments_status_leaves_its_labels_alone(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.post(DEPLOYMENTS, deployment("web"))
        patch = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}
        patched = await admin.patch(f"{DEPLOYMENTS}/web/status", patch)
        assert "labels" not in patched.body["metadata"]
        assert patched.body["metadata"]["annotations"] == {"c": "d"}

    run_api(story)


def test_strict_validation_names_doubled_and_unknown_fields_together(run_api):
    async def story(plane):
        admin = plane.person()
        body = b'{"metadata":{"name":"a"},"data":{"k":"1","k":"2"},"zz":1}'
        answer = await admin.post(f"{CONFIG_MAPS}?fieldValidation=Strict", body)
        assert answer.body["message"].endswith('strict decoding error: duplicate field "data.k", unknown field "zz"')
        text = b"metadata: {name: a}\nzz: 1\ndata:\n  k: '1'\n  k: '2'\n"
        answer = await admin.post(f"{CONFIG_MAPS}?fieldValidation=Strict", text, content_type="application/yaml")
        assert answer.body["message"].endswith(
            'strict decoding error: yaml: unmarshal errors:\n  line 5: key "k" already set in map, unknown field "zz"'
        )

    run_api(story)


def test_a_replaced_pod_gets_its_tolerations_back(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        created = (await admin.post(PODS, pod("a"))).body
        tolerations = created["spec"].pop("tolerations")
        replaced = await admin.put(f"{PODS}/a", created)
        assert (replaced.code, replaced.body["spec"]["tolerations"]) == (200, tolerations)

    run_api(story)


def test_a_pods_forbidden_update_is_not_told_in_pythons_words(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        await admin.post(PODS, pod("a"))
        answer = await admin.patch(f"{PODS}/a", {"spec": {"hostname": "b", "hostNetwork": True}})
        assert answer.code == 422
        assert "None" not in answer.body["message"]
        assert "True" not in answer.body["message"]

    run_api(story)


def test_ephemeral_containers_are_added_by_their_own_path_and_stay(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        await admin.post(PODS, pod("a"))
        path = f"{PODS}/a/ephemeralcontainers"
        shell = {"name": "shell", "image": "busybox"}
        added = await admin.patch(path, {"spec": {"ephemeralContainers": [shell]}}, kind="strategic")
        assert added.code == 200
        assert added.body["spec"]["ephemeralContainers"][0]["name"] == "shell"
        (entry,) = (each for each in added.body["metadata"]["managedFields"] if "subresource" in each)
        assert entry["subresource"] == "ephemeralcontainers"
        other = await admin.patch(f"{PODS}/a/ephemeralcontainers", {"spec": {"hostname": "b"}})
        assert "hostname" not in other.body["spec"]
        gone = await admin.patch(path, {"spec": {"ephemeralContainers": []}})
        assert gone.code == 422
        assert 'existing ephemeral containers "shell" may not be removed' in gone.body["message"]
        direct = await admin.patch(f"{PODS}/a", {"spec": {"ephemeralContainers": [shell, {**shell, "name": "two"}]}})
        assert direct.code == 422

    run_api(story)


def test_who_issues_tokens_says_with_which_keys(run_api):
    async def story(plane):
        admin = plane.person()
        configuration = await admin.get("/.well-known/openid-configuration")
        assert configuration.body == {
            "issuer": "https://kubernetes.default.svc.cluster.local",
            "jwks_uri": "https://10.0.0.1:6443/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        keys = await admin.get("/openid/v1/jwks")
        assert keys.headers["content-type"] == "application/jwk-set+json"
        await plane.create_default_account(admin)
        request = {"spec": {"audiences": ["vault"]}}
        token = (await admin.post("/api/v1/namespaces/default/serviceaccounts/default/token", request)).body
        header, claims, signature = (decoded(part) for part in token["status"]["token"].split("."))
        (key,) = keys.body["keys"]
        assert key["kid"] == json.loads(header)["kid"]
        assert json.loads(claims)["aud"] == ["vault"]
        x, y = (int.from_bytes(decoded(key[name]), "big") for name in "xy")
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        signed = token["status"]["token"].rpartition(".")[0].encode()
        public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        stranger = await plane.stranger().get("/openid/v1/jwks")
        assert stranger.code == 403

    run_api(story)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_what_a_pod_needs_and_is_not_there_keeps_it_out(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        ghost = await admin.post(PODS, pod("rc", runtimeClassName="ghost"))
        assert told(ghost) == (403, 'pods "rc" is forbidden: pod rejected: RuntimeClass "ghost" not found')
        image = await admin.post(PODS, pod("i", volumes=[{"name": "v", "image": {"reference": "busybox"}}]))
        assert image.code == 422
        assert "spec.volumes[0]: Required value: must specify a volume type" in image.body["message"]

    run_api(story)


def test_resources_of_a_whole_pod_are_known_and_dropped(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        small = pod("small", resources={"limits": {"cpu": "1"}})
        created = await admin.post(f"{PODS}?fieldValidation=Strict", small)
        assert created.code == 201
        assert "resources" not in created.body["spec"]

    run_api(story)


def test_a_template_is_not_defaulted_as_a_pod_is(run_api):
    async def story(plane):
        created = await plane.person().post(DEPLOYMENTS, deployment("web"))
        assert "enableServiceLinks" not in created.body["spec"]["template"]["spec"]

    run_api(story)


def test_a_token_is_bound_to_a_pod_of_its_account_or_to_a_secret_and_to_nothing_else(run_api):
    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        await admin.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "other"}})
        await admin.post(SECRETS, {"metadata": {"name": "s"}})
        await admin.post(PODS, pod("a"))

        def ask(account, **reference):
            spec = {"audiences": [], "boundObjectRef": reference}
            return admin.post(f"/api/v1/namespaces/default/serviceaccounts/{account}/token", {"spec": spec})

        foreign = await ask("other", kind="Pod", apiVersion="v1", name="a")
        assert told(foreign) == (
            400,
            'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
        )
        service = await ask("other", kind="Service", apiVersion="v1", name="a")
        assert told(service) == (400, "cannot bind token for serviceaccount to object of type /v1, Kind=Service")
        bound = await ask("other", kind="Secret", apiVersion="v1", name="s")
        somebody = plane.stranger(token=bound.body["status"]["token"])
        assert (await somebody.get("/api")).code == 200
        await admin.delete(f"{SECRETS}/s")
        await asyncio.sleep(15)
        assert (await somebody.get("/api")).code == 401

    run_api(story)
