"""Flags that many of kubectl's commands have: --dry-run, -l, -o, and what they do where they stand."""

import pytest


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("scale deploy web --replicas=5 --dry-run=client", "deployment.apps/web scaled (dry run)\n"),
        ("scale deploy web --replicas=5 --dry-run=server", "deployment.apps/web scaled (server dry run)\n"),
        ("scale deploy --all --replicas=5 --dry-run=client -o name", "deployment.apps/web\n"),
        ("cordon worker-1 --dry-run=server", "node/worker-1 cordoned (server dry run)\n"),
        ("cordon -l kubernetes.io/hostname=worker-2 --dry-run=client", "node/worker-2 cordoned (dry run)\n"),
        ("taint node worker-1 a=b:NoSchedule --dry-run=client", "node/worker-1 tainted\n"),
        ("taint node --all a=b:NoSchedule --dry-run=client -o name", "node/worker-1\nnode/worker-2\n"),
        ("config get-contexts -o name", "kubernetes-admin@kubernetes\n"),
        ("api-resources --categories=all -o name --api-group=batch", "cronjobs.batch\njobs.batch\n"),
        ("get --raw=/healthz", "ok"),
    ],
)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(shared_workstation, line, text):
    async def story(sh):
        await sh("kubectl create deployment web --image=nginx")  # it is there already, but for the first
        told = await sh.ok(f"kubectl {line}")
        nodes = await sh.ok("kubectl get nodes -o jsonpath={.items[*].spec.unschedulable}{.items[*].spec.taints}")
        return told, await sh.ok("kubectl get deploy web -o jsonpath={.spec.replicas}"), nodes

    assert shared_workstation(story) == (text, "1", "")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("scale deploy web --replicas=5 --resource-version=1", "Expected resource version to be 1, was "),
        ("cordon worker-1 -l a=b", "cannot specify both a node name and a --selector option\n"),
        ("drain worker-1 --pod-selector='a in'", "--pod-selector=<pod_selector> must be a valid label selector\n"),
        ("taint pod x a=b:NoSchedule", "invalid resource type pod, only node types are supported\n"),
        (
            "taint node worker-1 a=b:NoSchedule a=c:NoSchedule",
            "duplicated taints with the same key and effect: {a c NoSchedule <nil>}\n",
        ),
        (
            "taint node worker-1 a=b:NoSchedule a:NoSchedule-",
            "can not both modify and remove the following taint(s) in the same command: a=NoSchedule\n",
        ),
        ("api-resources --sort-by=foo", "--sort-by accepts only name or kind\n"),
        ("explain deploy --api-version=foo/v1", 'couldn\'t find resource for "foo/v1, Resource=deployments"\n'),
        ("get --raw=/healthz pods", "arguments may not be passed when --raw is specified\n"),
        ("events --types=foo", "valid --types are Normal or Warning\n"),
        ("config get-contexts nosuch", "context nosuch not found\n"),
    ],
)
def test_what_does_not_go_together_is_refused(shared_workstation, line, error):
    async def story(sh):
        await sh("kubectl create deployment web --image=nginx")  # it is there already, but for the first
        return await sh(f"kubectl {line}")

    done = shared_workstation(story)
    assert done.code == 1
    assert done.err.startswith(f"error: {error}")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("config --kubeconfig=/root/other set-cluster a --server=https://1.2.3.4:6443", 'Cluster "a" set.\n'),
        ("config --kubeconfig /root/other get-clusters --request-timeout=1s", "NAME\na\n"),
        ("create -n kube-public serviceaccount guest -o name --dry-run=client", "serviceaccount/guest\n"),
        ("create --namespace=kube-public secret generic x -o name --dry-run=client", "secret/x\n"),
    ],
)
def test_flags_of_all_commands_may_stand_before_a_subcommand(shared_workstation, line, text):
    async def story(sh):
        await sh("kubectl --kubeconfig=/root/other config set-cluster a")
        return await sh.ok(f"kubectl {line}")

    assert shared_workstation(story) == text


def test_what_was_applied_last_can_be_seen(workstation):
    async def story(sh):
        await sh.ok("kubectl apply -f config.yaml")
        await sh.ok("kubectl create deployment web --image=nginx")
        never = await sh.ok("kubectl apply view-last-applied deploy web")
        return await sh.ok("kubectl apply view-last-applied cm greeting"), never

    seen, never = workstation(story)
    assert seen.startswith("apiVersion: v1\ndata:\n  GREETING: hello\nkind: ConfigMap\n")
    assert never == ""


def test_names_and_ages_can_be_printed_without_the_servers_table(workstation):
    async def story(sh):
        return await sh.ok("kubectl get nodes --server-print=false")

    assert workstation(story).splitlines()[0].split() == ["NAME", "AGE"]
