"""What the server says about itself: discovery, OpenAPI, version, metrics."""

from tests.ears import Ears

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def test_aggregated_discovery_is_one_document_that_is_sent_once(run_api):
    async def story(plane):
        admin = plane.person()
        for path in ("/api", "/apis"):
            answer = await admin.get(path, accept=AGGREGATED)
            assert answer.headers["content-type"] == AGGREGATED.partition(",")[0]
            assert answer.body["kind"] == "APIGroupDiscoveryList"
            again = await admin.get(path, accept=AGGREGATED, headers=[("If-None-Match", answer.headers["etag"])])
            assert (again.code, again.raw) == (304, b"")

    run_api(story)


def test_legacy_discovery_is_a_document_for_each_group_version(run_api):
    async def story(plane):
        admin = plane.person()
        assert (await admin.get("/api")).body["kind"] == "APIVersions"
        groups = (await admin.get("/apis/")).body
        assert groups["kind"] == "APIGroupList"
        assert (await admin.get("/apis/apps")).body["kind"] == "APIGroup"
        for path in ("/api/v1", "/apis/apps/v1"):
            assert (await admin.get(path)).body["kind"] == "APIResourceList"
        assert (await admin.get("/apis/no.such")).code == 404
        assert (await admin.get("/apis/apps/v9")).code == 404

    run_api(story)


def test_an_openapi_document_asked_for_by_its_hash_may_be_kept_for_ever(run_api):
    async def story(plane):
        admin = plane.person()
        index = (await admin.get("/openapi/v3")).body["paths"]
        path = index["apis/apps/v1"]["serverRelativeURL"]
        answer = await admin.get(path)
        assert answer.headers["cache-control"] == "public, immutable"
        assert "Deployment" in "".join(answer.body["components"]["schemas"])
        plain = await admin.get(path.partition("?")[0])
        assert plain.headers["cache-control"] == "no-cache, private"
        wrong = await admin.get(f"{path.partition('?')[0]}?hash=00")
        assert (wrong.code, wrong.headers["location"]) == (301, path)
        known = await admin.get(path, headers=[("If-None-Match", answer.headers["etag"])])
        assert known.code == 304
        assert (await admin.get("/openapi/v3/apis/no.such/v1")).code == 404

    run_api(story)


def test_openapi_v2_is_protobuf_where_that_is_asked_for_and_else_json(run_api):
    async def story(plane):
        admin = plane.person()
        answer = await admin.get("/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
        assert answer.headers["content-type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        for accept in ("application/json", "*/*", None):
            document = (await admin.get("/openapi/v2", accept=accept)).body
            assert document["swagger"] == "2.0"
            spec = document["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]
            assert spec["containers"]["items"] == {"$ref": "#/definitions/io.k8s.api.core.v1.Container"}
            assert spec["containers"]["x-kubernetes-list-map-keys"] == ["name"]
            assert spec["nodeSelector"]["additionalProperties"] == {"type": "string"}
        assert (await admin.get("/openapi/v2", accept="text/html")).code == 406

    run_api(story)


def test_the_version_is_a_1_32_and_ours(run_api):
    async def story(plane):
        version = (await plane.stranger().get("/version")).body
        assert version["gitVersion"].startswith("v1.32.")
        assert version["gitVersion"].endswith("+glassplane")

    run_api(story)


def test_metrics_count_requests_and_not_what_strangers_make_up(run_api):
    async def story(plane):
        admin = plane.person()
        await admin.get("/api/v1/pods")
        nobody = plane.stranger()
        for word in ("A", "B", "C"):
            await nobody.ask(word, f"/api/v1/{word}")
        text = (await admin.get("/metrics")).raw.decode()
        assert (
            'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",'
            'scope="cluster",subresource="",verb="LIST",version="v1"} 1'
        ) in text
        assert (
            'apiserver_request_total{code="403",component="apiserver",dry_run="",group="",resource="",'
            'scope="",subresource="",verb="other",version=""} 3'
        ) in text
        root = (await admin.get("/")).body["paths"]
        assert "/apis/apps/v1" in root

    run_api(story)


def test_a_refusal_is_noted_with_who_what_and_why(run_api):
    ears = Ears()

    async def story(plane):
        await plane.stranger().get("/api/v1/secrets")
        await plane.stranger(token="nonsense").get("/api/v1/secrets")

    run_api(story, tap=ears)
    said = {note.kind: note.fields for note in ears.notes if note.kind.startswith("apiserver.")}
    assert said["apiserver.forbidden"]["user"] == "system:anonymous"
    assert said["apiserver.forbidden"]["verb"] == "list"
    assert said["apiserver.unauthenticated"]["reason"] == "the token is not a JSON Web Token"
