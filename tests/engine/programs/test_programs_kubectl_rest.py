"""`kubectl auth reconcile`, `cluster-info dump`, `completion` and what `wait` waits for."""

import pytest

from cluster_engine.programs.kubectl import completion

READER = (
    "echo '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a, namespace: default}, "
    'rules: [{apiGroups: [""], resources: [%s], verbs: [%s]}]}\' > %s.yaml'
)
BINDING = (
    "echo '{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: default}, "
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s}, "
    "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %s}]}' > %s.yaml"
)


def test_reconcile_adds_what_a_role_lacks_and_removes_only_when_told(workstation):
    async def story(sh):
        await sh.ok(READER % ("pods", "get", "one"))
        await sh.ok(READER % ("pods, services", "list", "two"))
        first = await sh("kubectl auth reconcile -f one.yaml")
        again = await sh("kubectl auth reconcile -f one.yaml")
        added = await sh("kubectl auth reconcile -f two.yaml")
        rules = await sh.ok("kubectl get role a -o jsonpath={.rules[*].verbs}")
        removed = await sh("kubectl auth reconcile -f one.yaml --remove-extra-permissions")
        return first, again, added, rules, removed, await sh.ok("kubectl get role a -o jsonpath={.rules[*].verbs}")

    first, again, added, rules, removed, left = workstation(story)
    assert first.out == again.out == "role.rbac.authorization.k8s.io/a reconciled\n"
    assert first.err == (
        "\treconciliation required create\n\tmissing rules added:\n"
        "\t\t{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n"
    )
    assert again.err == ""
    assert added.err.count("Verbs:[list]") == 2
    assert rules == '["get"] ["list"] ["list"]'
    assert "extra rules removed:" in removed.err
    assert left == '["get"]'


def test_reconcile_makes_a_binding_anew_whose_role_differs(workstation):
    async def story(sh):
        await sh.ok(BINDING % ("Role, name: a", "ann", "one"))
        await sh.ok(BINDING % ("ClusterRole, name: view", "ben", "two"))
        await sh.ok("kubectl auth reconcile -f one.yaml")
        dry = await sh("kubectl auth reconcile -f two.yaml --dry-run=client")
        before = await sh.ok("kubectl get rolebinding b -o jsonpath={.roleRef.name}")
        await sh.ok("kubectl auth reconcile -f two.yaml")
        path = "{.roleRef.name}{.subjects[*].name}"
        return dry, before, await sh.ok(f"kubectl get rolebinding b -o jsonpath={path}")

    dry, before, after = workstation(story)
    assert dry.out == "rolebinding.rbac.authorization.k8s.io/b reconciled (dry run)\n"
    assert dry.err.startswith("\treconciliation required recreate\n")
    assert (before, after) == ("a", "viewben")


def test_a_dump_has_the_nodes_the_objects_and_the_logs(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=busybox --restart=Never -- echo here I was")
        await sh.ok("kubectl wait --for=jsonpath={.status.phase}=Succeeded pod/web")
        text = await sh.ok("kubectl cluster-info dump")
        told = await sh.ok("kubectl cluster-info dump --output-directory=/tmp/dump -o yaml")
        return (
            text,
            told,
            await sh.ok("ls /tmp/dump /tmp/dump/default"),
            await sh.ok("cat /tmp/dump/default/web/logs.txt"),
        )

    text, told, listed, logs = workstation(story)
    assert '"kind": "NodeList"' in text
    assert '"kind": "DeploymentList"' in text
    assert told == "Cluster info dumped to /tmp/dump\n"
    assert "nodes.yaml" in listed
    assert "pods.yaml" in listed
    assert logs == (
        "==== START logs for container web of pod default/web ====\nhere I was\n"
        "==== END logs for container web of pod default/web ====\n"
    )


@pytest.mark.parametrize("shell", sorted(completion.SCRIPTS))
def test_each_shells_script_asks_kubectl_itself(workstation, shell):
    async def story(sh):
        return await sh.ok(f"kubectl completion {shell}")

    assert "kubectl __complete" in workstation(story)


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("jsonpath=", "jsonpath expression cannot be empty"),
        (
            "jsonpath='{.status'",
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        ),
        (
            "jsonpath='{.metadata.name}='",
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        ),
        ("jsonpath='{.metadata}'=x", "jsonpath leads to a nested object or list which is not supported"),
        ("jsonpath='{.spec.ports[*].port}'=5 --timeout=0", "condition not met for services/kubernetes"),
        ("jsonpath='{.metadata.labels.*}'=5", "given jsonpath expression matches more than one value"),
        ("nothing", 'unrecognized condition: "nothing"'),
    ],
)
def test_what_cannot_be_waited_for_is_said_at_once(shared_workstation, condition, error):
    async def story(sh):
        return await sh(f"kubectl wait --for={condition} svc/kubernetes")

    done = shared_workstation(story)
    assert (done.code, done.err) == (1, f"error: {error}\n")
