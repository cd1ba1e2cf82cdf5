"""`kubectl create` of every kind, `run` and `expose`: what flags make, and what is said where they make nothing."""

import asyncio

import msgspec
import pytest
import yaml


def made(workstation, *lines):
    async def story(sh):
        return [await sh(f"kubectl {line}") for line in lines]

    return workstation(story)


def test_a_job_is_made_as_its_cron_job_would_make_it_and_belongs_to_it(workstation):
    async def story(sh):
        await sh.ok("kubectl create cronjob nightly --image=busybox --schedule='0 3 * * *' -- echo done")
        await sh.ok("kubectl create job now --from=cronjob/nightly")
        await sh.ok("kubectl wait --for=condition=Complete job/now")
        job = await sh.ok("kubectl get job now -o json")
        wrong = [
            (await sh(f"kubectl create job x {flags}")).err
            for flags in ("", "--from=cronjob/nosuch", "--from=cronjob/nightly --image=a", "--from=cronjob/a -- date")
        ]
        return msgspec.json.decode(job), wrong

    job, wrong = workstation(story)
    assert job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("CronJob", "nightly", True)
    assert wrong == [
        "error: either --image or --from must be specified\n",
        'Error from server (NotFound): cronjobs.batch "nosuch" not found\n',
        "error: either --image or --from must be specified\n",
        "error: cannot specify --from and command\n",
    ]


def test_a_cluster_role_can_be_made_of_others(workstation):
    role, both = made(
        workstation,
        "create clusterrole all --aggregation-rule=a=b,c=d --dry-run=client -o yaml",
        "create clusterrole all --aggregation-rule=a=b --verb=get --resource=pods",
    )
    found = yaml.safe_load(role.out)
    assert found["aggregationRule"] == {"clusterRoleSelectors": [{"matchLabels": {"a": "b", "c": "d"}}]}
    assert both.err == (
        "error: aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames\n"
    )


def test_the_name_of_a_config_map_can_end_with_a_hash_of_it(workstation):
    names = [
        done.out
        for done in made(
            workstation,
            "create configmap x --from-literal=a=b --append-hash --dry-run=client -o name",
            "create configmap x --append-hash --dry-run=client -o name",
            "create secret generic x --from-literal=a=b --append-hash --dry-run=client -o name",
        )
    ]
    assert names == ["configmap/x-64686gkt6c\n", "configmap/x-62ctbmbfd2\n", "secret/x-k694gm4m9h\n"]


def test_a_token_can_be_bound_to_a_pod_and_ends_with_it(workstation):
    async def story(sh):
        await sh.ok("kubectl run web --image=nginx")
        token = await sh.ok("kubectl create token default --bound-object-kind=Pod --bound-object-name=web")
        before = await sh(f"kubectl auth whoami --token={token} --kubeconfig=/root/.kube/config")
        wrong = [
            (await sh(f"kubectl create token default {flags}")).err
            for flags in ("--bound-object-kind=Foo", "--bound-object-name=x", "--duration=-5s")
        ]
        return before, wrong

    before, wrong = workstation(story)
    assert before.code == 0
    assert wrong == [
        "error: supported --bound-object-kind values are Node, Pod, Secret\n",
        "error: --bound-object-name can only be set if --bound-object-kind is provided\n",
        "error: --duration must be greater than or equal to 0\n",
    ]


def test_what_flags_have_made_can_be_overridden(workstation):
    merged, strategic, patched, broken = made(
        workstation,
        """run x --image=nginx --overrides='{"spec":{"nodeName":"worker-1"}}' --dry-run=client -o yaml""",
        """run x --image=nginx --override-type=strategic --dry-run=client -o yaml """
        """--overrides='{"spec":{"containers":[{"name":"x","tty":true}]}}'""",
        """run x --image=nginx --override-type=json --dry-run=client -o yaml """
        """--overrides='[{"op":"add","path":"/metadata/labels/a","value":"b"}]'""",
        "run x --image=nginx --overrides='{' --dry-run=client",
    )
    assert yaml.safe_load(merged.out)["spec"]["nodeName"] == "worker-1"
    (container,) = yaml.safe_load(strategic.out)["spec"]["containers"]
    assert (container["image"], container["tty"]) == ("nginx", True)
    assert yaml.safe_load(patched.out)["metadata"]["labels"] == {"run": "x", "a": "b"}
    assert broken.err == "error: Invalid JSON Patch\n"


def test_a_pod_can_be_exposed_as_it_is_made(workstation):
    async def story(sh):
        told = await sh.ok("kubectl run web --image=nginx --port=80 --expose")
        await sh.ok("kubectl wait --for=condition=Ready pod/web")
        await asyncio.sleep(5)
        return told, await sh.ok("kubectl get endpoints web -o jsonpath={.subsets[0].ports[0].port}")

    told, port = workstation(story)
    assert told == "service/web created\npod/web created\n"
    assert port == "80"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "create deploy x --image=a --dry-run=foo",
            'Invalid dry-run value (foo). Must be "none", "server", or "client".',
        ),
        (
            "create cm x --validate=foo",
            'invalid - validate option "foo"; must be one of: strict (or true), warn, ignore (or false)',
        ),
        ("create secret tls x", "key and cert must be specified"),
        ("create ingress x --default-backend=foo", "default-backend should be in format servicename:serviceport"),
        ("create service clusterip x --tcp=99999", 'strconv.ParseUint: parsing "99999": value out of range'),
        ("run x --image=NGINX", 'Invalid image name "NGINX": invalid reference format'),
        ("run x --image=a --env=b", "invalid env: b"),
        ("run x --image=a --labels=b", "unexpected label spec: b"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(shared_workstation, line, error):
    (done,) = made(shared_workstation, line)
    assert (done.code, done.err) == (1, f"error: {error}\n")
