"""Kinds that are kept and checked: PriorityClasses and what pods get of them, Ingresses, NetworkPolicies, quotas."""

import json

import pytest


async def create(sh, document):
    return await sh(f"kubectl create -f - <<'EOF'\n{document}\nEOF")


def priority_class(name, value, **more):
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
    return json.dumps({**kind, "value": value, **more})


def pod(name, **spec):
    containers = [{"name": "c", "image": "nginx"}]
    metadata = {"name": name}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}
    )


async def spec_of(sh, name):
    return json.loads(await sh.ok(f"kubectl get pod {name} -o json"))["spec"]


def test_the_systems_priority_classes_are_there_and_others_give_pods_their_value(workstation):
    async def story(sh):
        table = await sh.ok("kubectl get priorityclasses")
        await create(sh, priority_class("high", 1000, preemptionPolicy="Never"))
        await create(sh, pod("a", priorityClassName="high"))
        await create(sh, pod("b"))
        await create(sh, priority_class("usual", 7, globalDefault=True))
        await create(sh, pod("c"))
        missing = await create(sh, pod("d", priorityClassName="nosuch"))
        own = await create(sh, pod("e", priorityClassName="high", priority=5))
        specs = [await spec_of(sh, name) for name in "abc"]
        return table, specs, missing.err, own.err

    table, specs, missing, own = workstation(story)
    rows = [line.split()[:3] for line in table.splitlines()[1:]]
    assert rows == [
        ["system-cluster-critical", "2000000000", "false"],
        ["system-node-critical", "2000001000", "false"],
    ]
    found = [(spec.get("priorityClassName"), spec["priority"], spec["preemptionPolicy"]) for spec in specs]
    assert found == [
        ("high", 1000, "Never"),
        (None, 0, "PreemptLowerPriority"),
        ("usual", 7, "PreemptLowerPriority"),
    ]
    assert 'pods "d" is forbidden: no PriorityClass with name nosuch was found' in missing
    assert "the integer value of priority (5) must not be provided in pod spec" in own


def test_one_class_is_the_default_and_neither_value_nor_the_systems_names_are_free(workstation):
    async def story(sh):
        await create(sh, priority_class("first", 1, globalDefault=True))
        second = await create(sh, priority_class("second", 2, globalDefault=True))
        system = await create(sh, priority_class("system-mine", 2))
        large = await create(sh, priority_class("large", 1_000_000_001))
        changed = await sh("""kubectl patch priorityclass first -p '{"value":3}'""")
        return second.err, system.err, large.err, changed.err

    second, system, large, changed = workstation(story)
    assert "PriorityClass first is already marked as default" in second
    assert "priority class names with 'system-' prefix are reserved for system use only" in system
    assert "maximum allowed value of a user defined priority is 1000000000" in large
    assert "value: Forbidden: may not be changed in an update." in changed


def networking(kind, **spec):
    head = {"apiVersion": "networking.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}}
    return json.dumps({**head, "spec": spec})


SERVICE = {"service": {"name": "web", "port": {"number": 80}}}


def ingress(**path):
    paths = [{"path": "/", "pathType": "Prefix", "backend": SERVICE, **path}]
    return networking("Ingress", rules=[{"host": "a.example.com", "http": {"paths": paths}}])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (networking("Ingress"), "either `defaultBackend` or `rules` must be specified"),
        (
            networking("Ingress", rules=[{"host": "1.2.3.4"}]),
            'Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
        ),
        (networking("Ingress", rules=[{"host": "a.*.b"}]), "a wildcard DNS-1123 subdomain must start with '*.'"),
        (ingress(pathType=None), "paths[0].pathType: Required value: pathType must be specified"),
        (ingress(pathType="X"), 'supported values: "Exact", "ImplementationSpecific", "Prefix"'),
        (ingress(path="a"), 'paths[0].path: Invalid value: "a": must be an absolute path'),
        (ingress(path="/a//b"), "must not contain '//'"),
        (ingress(backend={}), 'paths[0].backend: Invalid value: "": resource or service backend is required'),
        (ingress(backend={"service": {"name": "web"}}), "backend: Required value: port name or number is required"),
        (networking("IngressClass", controller="acme"), 'must be a domain-prefixed path (such as "acme.io/foo")'),
        (
            networking("NetworkPolicy", ingress=[{"from": [{}]}]),
            "from[0]: Required value: must specify a peer",
        ),
        (
            networking(
                "NetworkPolicy", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]}]
            ),
            "must be a strict subset of `cidr`",
        ),
        (networking("NetworkPolicy", policyTypes=["Both"]), 'supported values: "Ingress", "Egress"'),
    ],
)
def test_what_is_no_rule_is_refused_in_the_real_servers_words(shared_workstation, document, said):
    async def story(sh):
        return (await create(sh, document)).err

    assert said in shared_workstation(story)


def test_policy_types_follow_from_what_is_said_and_ports_are_tcp(workstation):
    async def story(sh):
        rule = {"ports": [{"port": 53}], "to": [{"podSelector": {}}]}
        await create(sh, networking("NetworkPolicy", podSelector={}, egress=[rule]))
        return json.loads(await sh.ok("kubectl get netpol x -o json"))["spec"]

    spec = workstation(story)
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"][0]["ports"] == [{"port": 53, "protocol": "TCP"}]


def test_an_ingress_gets_the_class_that_is_the_default(workstation):
    async def story(sh):
        await create(sh, networking("IngressClass", controller="acme.io/a"))
        before = await create(sh, ingress())
        await sh.ok("kubectl annotate ingressclass x ingressclass.kubernetes.io/is-default-class=true")
        await sh.ok("kubectl delete ingress x")
        await create(sh, ingress())
        return before.err, await sh.ok("kubectl get ingress")

    err, table = workstation(story)
    assert err == ""
    assert table.splitlines()[1].split()[:4] == ["x", "x", "a.example.com", "80"]
