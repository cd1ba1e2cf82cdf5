"""Commands of kubectl that make, compare and wait, and what they leave behind."""

import asyncio
import json
import re

import pytest
from recent import EPOCH

MAKE = "kubectl create deployment web --image=nginx"


def test_diff_says_what_apply_would_change_stores_nothing_and_tells_by_its_code(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f config.yaml")
        assert (await sh("kubectl diff -f config.yaml")).code == 0
        before = await sh.ok("kubectl get cm greeting -o jsonpath={.metadata.resourceVersion}")
        manifest = (
            '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}, "data": {"GREETING": "hi"}}'
        )
        done = await sh(f"echo '{manifest}' | kubectl diff -f -")
        assert done.code == 1
        assert "-  GREETING: hello\n+  GREETING: hi\n" in done.out
        assert done.lines[0].startswith("diff -u -N /tmp/LIVE-")
        assert await sh.ok("kubectl get cm greeting -o jsonpath={.metadata.resourceVersion}") == before
        assert (await sh("kubectl diff")).code == 2

    workstation(story)


def test_diff_masks_what_secrets_hold(workstation):
    async def story(sh):
        await sh.ok("kubectl create secret generic s --from-literal=a=old --from-literal=b=same")
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "new"}}
        done = await sh(f"echo '{json.dumps(manifest)}' | kubectl diff -f -")
        assert "-  a: '*** (before)'\n+  a: '*** (after)'\n   b: '***'\n" in done.out, done.out + done.err

    workstation(story)


def test_wait_for_creation_sees_what_comes_later(workstation):
    async def story(sh):
        waiting = asyncio.ensure_future(sh("kubectl wait --for=create cm/late --timeout=20s"))
        await asyncio.sleep(3)
        await sh.ok("kubectl create cm late")
        assert (await waiting).out == "configmap/late condition met\n"
        done = await sh("kubectl wait --for=create cm/never --timeout=2s")
        assert (done.code, done.err) == (1, "error: timed out waiting for the condition\n")

    workstation(story)


def test_a_kubeconfig_is_changed_by_the_way_to_a_value(workstation):
    async def story(sh):
        for line, said in (
            ("set clusters.a.b.server https://10.0.0.1:6443", 'Property "clusters.a.b.server" set.\n'),
            ("set users.anna.token s", 'Property "users.anna.token" set.\n'),
            ("set contexts.c.cluster a.b", 'Property "contexts.c.cluster" set.\n'),
            ("rename-context c d", 'Context "c" renamed to "d".\n'),
            ("set current-context d", 'Property "current-context" set.\n'),
        ):
            assert await sh.ok(f"kubectl config {line}") == said
        assert await sh.ok("kubectl config current-context") == "d\n"
        assert "https://10.0.0.1:6443" in await sh.ok("kubectl config view --minify")
        assert await sh.ok("kubectl config unset users.anna") == 'Property "users.anna" unset.\n'
        assert "anna" not in await sh.ok("kubectl config get-users")
        done = await sh("kubectl config set foo.bar x")
        assert (done.code, done.err) == (1, "error: unable to parse foo.bar after [] at api.Config\n")

    workstation(story)


def test_dry_runs_store_nothing(workstation):
    async def story(sh):
        await sh.ok(MAKE)
        before = await sh.ok("kubectl get deploy web -o jsonpath={.metadata.generation}")
        for line, said in (
            ("label deploy web a=b --dry-run=client", "labeled (dry run)"),
            ("annotate deploy web a=b --dry-run=server", "annotated (server dry run)"),
            ("set image deploy/web nginx=nginx:2 --dry-run=server", "image updated (server dry run)"),
            ("set serviceaccount deploy web default --dry-run=client", "serviceaccount updated (dry run)"),
        ):
            assert await sh.ok(f"kubectl {line}") == f"deployment.apps/web {said}\n"
        assert await sh.ok("kubectl get deploy web -o jsonpath={.metadata.generation}") == before
        assert await sh.ok("kubectl get deploy web -o jsonpath={.metadata.labels.a}") == ""

    workstation(story)


def test_selectors_subjects_and_tokens(workstation):
    async def story(sh):
        await sh.ok("kubectl create service nodeport web --tcp=80:8080 --node-port=30080")
        assert await sh.ok("kubectl set selector svc web tier=front") == "service/web selector updated\n"
        assert await sh.ok("kubectl get svc web -o jsonpath={.spec.selector}") == '{"tier":"front"}'
        await sh.ok("kubectl create rolebinding r --clusterrole=view --user=anna")
        said = await sh.ok("kubectl set subject rolebinding r --group=g --serviceaccount=default:default")
        assert said == "rolebinding.rbac.authorization.k8s.io/r subjects updated\n"
        assert await sh.ok("kubectl get rolebinding r -o jsonpath='{.subjects[*].name}'") == "anna g default"
        token = await sh.ok("kubectl create token default --duration=10m")
        assert token.count(".") == 2
        await sh.ok(f"kubectl config set-credentials t --token={token}")
        await sh.ok("kubectl config set-context t --user=t --cluster=kubernetes")
        who = await sh.ok("kubectl --context=t auth whoami -o jsonpath={.status.userInfo.username}")
        assert who == "system:serviceaccount:default:default"

    workstation(story)


def test_requests_for_many_objects_by_one_client_are_throttled_and_kubectl_says_so(workstation):
    async def story(sh):
        documents = "---\n".join(
            f"{{kind: ConfigMap, apiVersion: v1, metadata: {{name: m{n}, labels: {{a: b}}}}}}\n" for n in range(20)
        )
        sh.host.files.write("/root/maps.yaml", documents.encode())
        at = [asyncio.get_running_loop().time()]
        done = [await sh("kubectl apply -f maps.yaml -v=3"), await sh("kubectl delete configmap -l a=b -v=3")]
        at.append(asyncio.get_running_loop().time())
        return done, at[1] - at[0]

    (applied, deleted), took = workstation(story, nodes=1)
    assert applied.code == deleted.code == 0
    assert applied.err == "", "each object of a file has a client of its own"
    head = rf"I{EPOCH:%m%d} 10:00:0\d\.\d{{6}} +\d+ request\.go:729\]"
    said = rf"{head} Waited for 19\d\.\d+ms due to client-side throttling, not priority and fairness, request: "
    said += r"DELETE:https://10\.0\.0\.1:6443/api/v1/namespaces/default/configmaps/m\d+"
    assert sum(re.fullmatch(said, line) is not None for line in deleted.err.splitlines()) == 1 + 20 - 10
    assert took == pytest.approx((1 + 20 - 10 + 20 - 10) / 5, abs=0.3), "a list, the deletes; then as many questions"
