"""The audit log: what a policy says of a request, what stands in its events, and a policy that cannot be read."""

import asyncio
import json

import msgspec
import pytest

from cluster_engine.apiserver import main as apiserver
from cluster_engine.apiserver.audit.event import Event, Reference, as_legacy
from cluster_engine.apiserver.audit.policy import LEVELS, PolicyError, load
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Attributes
from cluster_engine.kubeadm import audit

PATH = "/etc/kubernetes/audit-policy.yaml"
LOG = "/var/log/audit.log"
JANE = User("jane", groups=("dev", "system:authenticated"))
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def policy(rules, head=""):
    return load(f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{head}rules:\n{rules}".encode(), PATH)


def level(found, verb="get", resource="pods", user=JANE, path="", **more):
    resource, _, subresource = resource.partition("/")
    about = {"path": path, "is_resource": False} if path else {"resource": resource, "subresource": subresource}
    return LEVELS[found.evaluate(Attributes(user, verb, **about, **more)).level]


def test_the_first_rule_that_matches_counts_and_none_is_no_record():
    found = policy("- {level: None, verbs: [watch]}\n- {level: Request, users: [jane]}\n")
    assert level(found, "watch") == "None"
    assert level(found) == "Request"
    assert level(found, user=User("joe")) == "None"


def test_a_rule_matches_groups_namespaces_and_paths():
    found = policy(
        "- {level: Metadata, userGroups: [dev], namespaces: [a]}\n- {level: Request, nonResourceURLs: ['/healthz*']}\n"
    )
    assert level(found, namespace="a") == "Metadata"
    assert level(found, namespace="b") == "None"
    assert level(found, path="/healthz/ping") == "Request"
    assert level(found, path="/version") == "None"


def test_resources_match_by_group_subresource_wildcard_and_name():
    found = policy(
        "- level: Metadata\n  resources:\n  - {group: '', resources: [pods/log, '*/scale', secrets/*]}\n"
        "  - {group: '', resources: [configmaps], resourceNames: [a]}\n  - {group: apps}\n"
    )
    assert [level(found, resource=one) for one in ("pods", "pods/log", "secrets", "secrets/x", "rcs/scale")] == [
        "None", "Metadata", "Metadata", "Metadata", "Metadata",
    ]  # fmt: skip
    assert level(found, resource="configmaps", name="a") == "Metadata"
    assert level(found, resource="configmaps", name="b") == "None"
    assert level(found, resource="deployments", group="apps") == "Metadata"


def test_stages_and_managed_fields_are_left_out_by_the_policy_or_by_the_rule():
    rules = "- {level: Metadata, omitStages: [Panic]}\n- {level: Metadata, omitManagedFields: false}\n"
    first, second = policy(rules, "omitStages: [RequestReceived]\nomitManagedFields: true\n").rules
    assert first.recorded.omits == {"RequestReceived", "Panic"}
    assert (first.recorded.without_managed_fields, second.recorded.without_managed_fields) == (True, False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("apiVersion: v1\n a: b: c\n", "failed decoding: yaml: line 2: mapping values are not allowed in this context"),
        ("kind: Policy\n", """failed decoding: Object 'apiVersion' is missing in '{"kind":"Policy"}'"""),
        ("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n", "loaded illegal policy with 0 rules"),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: metadata\n",
            'rules[0].level: Unsupported value: "metadata": '
            'supported values: "None", "Metadata", "Request", "RequestResponse"',
        ),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Metadata, verbs: get}\n",
            "failed decoding: json: cannot unmarshal string into Go struct field PolicyRule.rules.verbs of type "
            "[]string",
        ),
        ("a: " + "[" * 20000, "failed decoding: yaml:"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_used_says_why_in_the_real_words(text, why):
    with pytest.raises(PolicyError) as error:
        load(text.encode(), PATH)
    assert str(error.value).startswith(f"loading audit policy file: {why}")
    assert str(error.value).endswith(f": from file {PATH}")


def test_what_does_not_belong_into_a_policy_is_let_through_with_a_warning():
    assert (
        policy("- {level: Metadata, verb: [get]}\n").warnings == 'strict decoding error: unknown field "rules[0].verb"'
    )


def test_the_policy_that_a_cluster_begins_with_can_be_read():
    assert level(load(audit.POLICY, PATH), "create", "pods") == "Metadata"


def test_a_request_leaves_its_stages_and_what_its_level_asks_for(run_api):
    rules = """
- {level: None, userGroups: [system:nodes]}
- {level: RequestResponse, omitManagedFields: true, verbs: [create], resources: [{resources: [configmaps]}]}
- {level: Metadata, resources: [{resources: [configmaps]}]}
- {level: Metadata, nonResourceURLs: ["/version"]}
"""
    text = f"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: {rules}"

    async def story(plane):
        plane.host.files.write(PATH, text.encode())
        await plane.start_etcd()
        flags = ("--authorization-mode=Node,RBAC", f"--audit-policy-file={PATH}", f"--audit-log-path={LOG}")
        await plane.start(apiserver.main, *flags)
        admin = plane.person()

        def lines():
            return [json.loads(line) for line in plane.host.files.read(LOG).splitlines()]

        answer = await admin.post(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"x": "1"}})
        received, complete = lines()
        assert [received["stage"], complete["stage"]] == ["RequestReceived", "ResponseComplete"]
        assert received["auditID"] == complete["auditID"] == answer.headers["audit-id"]
        assert "responseStatus" not in received
        assert complete["requestObject"] == {"metadata": {"name": "a"}, "data": {"x": "1"}}
        assert complete["responseObject"]["metadata"]["uid"]
        assert "managedFields" not in complete["responseObject"]["metadata"]
        assert complete["objectRef"] == {
            "resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1",
        }  # fmt: skip
        assert complete["responseStatus"] == {"metadata": {}, "code": 201}
        assert complete["annotations"]["authorization.k8s.io/decision"] == "allow"
        assert list(complete)[:9] == [
            "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs",
        ]  # fmt: skip

        await admin.get(f"{CONFIG_MAPS}/nope")
        status = lines()[-1]["responseStatus"]
        assert (status["code"], status["reason"], status["details"]["name"]) == (404, "NotFound", "nope")
        assert "responseObject" not in lines()[-1]

        await admin.get("/version", headers=[("Impersonate-User", "joe")])
        last = lines()[-1]
        assert (last["verb"], last["impersonatedUser"]["username"]) == ("get", "joe")
        assert "objectRef" not in last

        await plane.stranger(token="forged").get(CONFIG_MAPS)
        last = lines()[-1]
        assert (last["stage"], last["responseStatus"]["code"]) == ("ResponseStarted", 401)
        assert last["responseStatus"]["message"] == "Authentication failed, attempted: bearer"
        assert last["user"] == {"username": ""}

        count = len(lines())
        version = answer.body["metadata"]["resourceVersion"]
        async with admin.watch(f"{CONFIG_MAPS}?watch=1&timeoutSeconds=2&resourceVersion={version}") as watch:
            assert [line["stage"] for line in lines()[count:]] == ["RequestReceived", "ResponseStarted"]
            assert await watch.next() is None
        assert [line["stage"] for line in lines()[count + 2 :]] == ["ResponseComplete"]

        known = plane.person("system:node:n1", ("system:nodes",))
        count = len(lines())
        await known.get("/version")
        assert len(lines()) == count

    run_api(story, started=False)


def test_the_legacy_format_says_who_asked_for_what_in_one_line():
    user = msgspec.Raw(b'{"username":"jane","groups":["dev","system:authenticated"]}')
    event = Event(
        kind="Event", apiVersion="audit.k8s.io/v1", level="Metadata", auditID="1", stage="RequestReceived",
        requestURI="/api/v1/pods", verb="list", user=user, sourceIPs=["10.0.0.7", "10.0.0.1"], userAgent='a "b"',
        requestReceivedTimestamp="2026-01-01T10:00:03.250000Z",
    )  # fmt: skip
    assert as_legacy(event).decode() == (
        r'2026-01-01T10:00:03.25Z AUDIT: id="1" stage="RequestReceived" ip="10.0.0.7" method="list" user="jane" '
        r'groups="\"dev\",\"system:authenticated\"" as="<self>" asgroups="<lookup>" user-agent="a \"b\"" '
        r'namespace="<none>" uri="/api/v1/pods" response="<deferred>"'
    )
    event.responseStatus = {"code": 200}
    event.objectRef = Reference(resource="pods", namespace="default")
    event.impersonatedUser = msgspec.Raw(b'{"username":"joe","groups":[]}')
    assert as_legacy(event).endswith(b'namespace="default" uri="/api/v1/pods" response="200"')
    assert b'as="joe" asgroups="" ' in as_legacy(event)


def test_a_log_that_is_full_is_put_aside_and_few_are_kept(run):
    from cluster_engine.apiserver.audit.log import LogFile

    async def story(world):
        host = world.add_host("h", "10.0.0.1")

        async def main(process):
            log = LogFile(process, LOG, bytes_max=100, backups=2)
            log.open()
            for number in range(40):
                log.write(b"%029d\n" % number)
                await asyncio.sleep(1)

        await world.spawn(host, "writer", main).wait()
        names = host.files.listdir("/var/log")
        assert len(names) == 3
        assert host.files.read(LOG).splitlines()[-1] == b"%029d" % 39
        assert host.files.length(f"/var/log/{names[0]}") == 90

    run(story)
