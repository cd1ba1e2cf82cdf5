"""Whatever a client sends, the answer is a Status of the client's fault and the server goes on."""

import json
import random

import pytest
from apiserver_objects import config_map, deployment, pod

from cluster_engine.api import kinds

SEEDS = (
    config_map("x", k="v"),
    deployment("x"),
    pod("x", volumes=[{"name": "v", "projected": {"sources": [{"configMap": {"name": "a"}}]}}]),
    {"metadata": {"name": "x"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}},
    {"metadata": {"name": "x"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]},
    {"metadata": {"name": "x"}, "target": {"kind": "Node", "name": "n"}},
    {"spec": {"replicas": 3, "boundObjectRef": {"kind": "Pod", "name": "p"}, "resourceAttributes": {"verb": "get"}}},
    {"gracePeriodSeconds": 1, "preconditions": {"uid": "x"}, "propagationPolicy": "Foreground"},
)
JUNK = (None, True, 0, -1, 1.5, "", "x", "a/b", [], {}, ["x"], {"a": 1}, 10**20, [[[]]])
QUERIES = ("", "", "dryRun=All", "fieldValidation=Strict", "limit=1", "continue=x", "fieldSelector=metadata.name%3Dx")
PATCHES = ("merge-patch", "strategic-merge-patch", "json-patch")


def spoiled(value, rng):
    """Give a value in which something, somewhere, is not what it should be."""
    if isinstance(value, dict):
        kept = {key: spoiled(each, rng) for key, each in value.items() if rng.random() > 0.03}
        return {key: rng.choice(JUNK) if rng.random() < 0.06 else each for key, each in kept.items()}
    if isinstance(value, list):
        return [spoiled(each, rng) for each in value]
    return value


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_request_makes_the_server_panic(run_api, seed):
    rng = random.Random(seed)

    async def story(plane):
        admin = plane.person()
        await plane.create_default_account(admin)
        served = [kind for kind in kinds.BUILT_IN if kind.verbs and not kind.name.startswith("ClusterRole")]
        for _ in range(120):
            kind = rng.choice(served)
            subresource = rng.choice([None, None, *(each.name for each in kind.subresources)])
            name = "x" if subresource or rng.random() < 0.5 else None
            path = f"{kind.path('default', name, subresource)}?{rng.choice(QUERIES)}"
            method = rng.choice(["PUT", "PATCH", "DELETE"] if name else ["POST"])
            content_type = "application/json"
            body = json.dumps(spoiled(rng.choice(SEEDS), rng)).encode()
            if method == "PATCH":
                content_type = f"application/{rng.choice(PATCHES)}+json"
            elif rng.random() < 0.1:
                content_type, body = "application/yaml", body[: rng.randrange(len(body))]
            answer = await admin.ask(method, path, body, content_type=content_type)
            assert answer.code < 500 or "resourceVersion" in answer.body["message"], (method, path, body, answer)

    run_api(story)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 50_000, "application/json"),
        (b"[" * 100_000, "application/yaml"),
        (
            b"a: &a [x,x,x,x,x,x,x,x,x]\n"
            + b"".join(b"b%d: &a [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" % at for at in range(9)),
            "application/yaml",
        ),
        (b'{"a":' * 999 + b"1" + b"}" * 999, "application/json"),
        (b"9" * 30_000, "application/json"),
        (b"9" * 30_000, "application/yaml"),
        (b"\xff\xfe\x00", "application/json"),
        (b"\xff\xfe\x00", "application/yaml"),
        (b"k8s\0" + b"\x0a" * 1000, "application/vnd.kubernetes.protobuf"),
        (b"", "application/json"),
        (b"null", "application/json"),
    ],
)
def test_bodies_made_to_hurt_are_bad_requests(run_api, body, content_type):
    async def story(plane):
        answer = await plane.person().post("/api/v1/namespaces/default/pods", body, content_type=content_type)
        assert (answer.code, answer.body["reason"]) == (400, "BadRequest")

    run_api(story)
