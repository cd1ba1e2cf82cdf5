"""kubectl apply, merged by the server, and what it prunes."""

import yaml

from cluster_engine.words.sentences import explanation, sentence

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
"""
SHOP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, labels: {app: shop}}
data: {k: "1"}
"""


def shown(text):
    return {(each["manager"], each["operation"]) for each in yaml.safe_load(text)["metadata"]["managedFields"]}


def test_the_server_merges_and_names_who_is_in_the_way(workstation):
    async def story(sh):
        sh.host.files.write("/root/mine.yaml", DEPLOYMENT.encode())
        first = await sh.ok("kubectl apply --server-side -f mine.yaml")
        again = await sh.ok("kubectl apply --server-side -f mine.yaml")
        await sh.ok("kubectl scale deployment/web --replicas=5")
        refused = await sh("kubectl apply --server-side -f mine.yaml")
        forced = await sh.ok("kubectl apply --server-side --force-conflicts -f mine.yaml")
        hidden = await sh.ok("kubectl get deployment web -o yaml")
        managed = await sh.ok("kubectl get deployment web -o yaml --show-managed-fields")
        return first, again, refused, forced, hidden, managed

    first, again, refused, forced, hidden, managed = workstation(story)
    assert first == again == forced == "deployment.apps/web serverside-applied\n"
    assert refused.code == 1
    assert refused.err.startswith(
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: '
        ".spec.replicas\nPlease review the fields above--they currently have other managers. Here\nare the ways "
    )
    assert "managedFields" not in hidden
    assert shown(managed) == {("kubectl", "Apply"), ("kube-controller-manager", "Update")}


def test_what_was_applied_from_the_client_becomes_the_servers(workstation):
    async def story(sh):
        sh.host.files.write("/root/a.yaml", (SHOP % "a").encode())
        await sh.ok("kubectl apply -f a.yaml")
        sh.host.files.write("/root/a.yaml", (SHOP % "a").replace('"1"', '"2"').encode())
        await sh.ok("kubectl apply --server-side -f a.yaml")
        return await sh.ok("kubectl get cm a -o yaml --show-managed-fields")

    told = workstation(story)
    assert yaml.safe_load(told)["data"] == {"k": "2"}
    assert shown(told) == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}


def test_flags_that_do_not_go_together_are_refused(workstation):
    async def story(sh):
        sh.host.files.write("/root/a.yaml", (SHOP % "a").encode())
        lines = ("--force-conflicts", "--server-side --dry-run=client", "--server-side --force", "--prune")
        return [(await sh(f"kubectl apply -f a.yaml {flags}")).err for flags in lines]

    assert workstation(story) == [
        "error: --force-conflicts only works with --server-side\n",
        "error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)\n",
        "error: --force cannot be used with --server-side\n",
        "error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the "
        "--all flag. If you did not mean to prune all resources, specify a label selector\n",
    ]


def test_what_is_applied_no_more_is_pruned(workstation):
    async def story(sh):
        sh.host.files.write("/root/shop.yaml", "---".join(SHOP % name for name in ("a", "b")).encode())
        await sh.ok("kubectl apply -f shop.yaml")
        await sh.ok("kubectl create configmap mine --from-literal=k=1")
        await sh.ok("kubectl label configmap mine app=shop")
        sh.host.files.write("/root/shop.yaml", (SHOP % "b").encode())
        pruned = await sh.ok("kubectl apply --prune -l app=shop -f shop.yaml")
        return pruned, await sh.ok("kubectl get cm -l app=shop -o name")

    assert workstation(story) == (
        "configmap/b unchanged\nconfigmap/a pruned\n",
        "configmap/b\nconfigmap/mine\n",
    )


def test_the_wire_says_as_whom_somebody_applies_and_that_others_are_in_the_way(workstation):
    async def story(sh):
        sh.host.files.write("/root/mine.yaml", DEPLOYMENT.encode())
        await sh.ok("kubectl apply --server-side -f mine.yaml")
        sh.host.files.write("/root/mine.yaml", DEPLOYMENT.replace("replicas: 2", "replicas: 3").encode())
        await sh("kubectl apply --server-side --field-manager=ci -f mine.yaml")
        entries = sh.cluster.journal.since(0, 100_000)
        return [entry for entry in entries if entry["fields"].get("appliesAs")]

    first, second, refused = workstation(story, capture=True)
    assert sentence(first).startswith("kubectl as kubectl asks kube-apiserver to make Deployment web")
    assert second["fields"]["appliesAs"] == "ci"
    assert second["fields"]["patchType"] == "application/apply-patch+yaml"
    assert (refused["kind"], refused["fields"]["status"]) == ("http.response", 409)
    assert explanation(refused).startswith("409 Conflict to a server-side apply")
    assert explanation(first, "de").startswith("Server-Side Apply")
