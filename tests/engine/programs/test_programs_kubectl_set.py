"""`kubectl set`: what is sent is the difference, and nothing where there is none."""

import json

import pytest

CONTAINER = "kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0]}'"
UNNAMED = "one or more resources must be specified as <resource> <name> or <resource>/<name>"
REFUSED = {
    "set env A=b": UNNAMED,
    "set env deploy A=b": UNNAMED,
    "set env deploy/web A=b B": "all resources must be specified before environment changes: deploy/web A=b B",
    "set env deploy/web A=b A-": "can not both modify and remove the same environment variable in the same command",
    "set env svc/kubernetes A=b": "services/kubernetes the object is not a pod or does not have a pod template: "
    "*v1.Service",
    "set resources deploy web": "you must specify an update to requests or limits (in the form of --requests/--limits)",
    "set resources deploy web --limits=cpu": "Invalid argument syntax cpu, expected <resource>=<value>",
    "set resources deploy web --limits=cpu=1 -c x": "unable to find container named x",
    "set image deploy/web x=y": 'unable to find container named "x"',
}


@pytest.fixture
def with_web(workstation):
    """Type lines on a cluster with a Deployment; give what the last one printed."""

    def play(*lines):
        async def story(sh):
            await sh.ok("kubectl create deployment web --image=nginx")
            return [await sh(line) for line in lines]

        return workstation(story)

    return play


def test_variables_are_set_replaced_and_removed(with_web):
    said, again, listed, container = with_web(
        "kubectl set env deployment/web A=1 B=2",
        "kubectl set env deployment/web B- A=3 C=a=b",
        "kubectl set env deployment/web --list",
        CONTAINER,
    )
    assert said.out == again.out == "deployment.apps/web env updated\n"
    assert listed.out == "# Deployment web, container nginx\nA=3\nC=a=b\n"
    assert json.loads(container.out)["env"] == [{"name": "A", "value": "3"}, {"name": "C", "value": "a=b"}]


def test_a_value_takes_the_place_of_a_reference(with_web):
    reference = '{"name":"A","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}}'
    patch = '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","env":[' + reference + "]}]}}}}"
    _, listed, _, container = with_web(
        f"kubectl patch deployment web -p '{patch}'",
        "kubectl set env deployment/web --list",
        "kubectl set env deployment/web A=1",
        CONTAINER,
    )
    assert listed.out.endswith("# A from configmap m, key k\n")
    assert json.loads(container.out)["env"] == [{"name": "A", "value": "1"}]


def test_requests_and_limits_are_set_one_by_one(with_web):
    _, said, container = with_web(
        "kubectl set resources deployment web --requests=cpu=0.5,memory=64Mi",
        "kubectl set resources deployment web --limits=cpu=1 --requests=cpu=250m",
        CONTAINER,
    )
    assert said.out == "deployment.apps/web resource requirements updated\n"
    wanted = {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"cpu": "1"}}
    assert json.loads(container.out)["resources"] == wanted


def test_where_nothing_differs_nothing_is_sent_and_nothing_said(with_web):
    _, again, version = with_web(
        "kubectl set env deployment/web A=1",
        "kubectl set env deployment/web A=1 -v=6",
        "kubectl set image deployment/web '*=nginx' -v=6",
    )
    for done in (again, version):
        assert (done.code, done.out) == (0, "")
        assert "PATCH" not in done.err


def test_what_cannot_be_set_is_refused_in_kubectls_words(with_web):
    done = with_web(*(f"kubectl {line}" for line in REFUSED))
    assert [(one.code, one.err) for one in done] == [(1, f"error: {said}\n") for said in REFUSED.values()]


def test_a_value_is_not_overwritten_against_the_will(with_web):
    _, done = with_web("kubectl set env deploy/web A=1", "kubectl set env deploy/web A=2 --overwrite=false")
    assert done.err == "error: 'A' already has a value (1), and --overwrite is false\n"


def test_variables_come_from_a_config_map_each_by_its_key(workstation):
    async def story(sh):
        await sh.ok("kubectl create deployment web --image=nginx")
        await sh.ok("kubectl create configmap shop --from-literal=colour=red --from-literal=max.size=3")
        await sh.ok("kubectl set env deployment/web --from=configmap/shop --prefix=SHOP_")
        listed = await sh.ok("kubectl set env deployment/web --list")
        none = await sh("kubectl set env deployment/web A=b -c nope")
        return listed, none.err

    listed, none = workstation(story)
    assert "# SHOP_COLOUR from configmap shop, key colour\n" in listed
    assert "# SHOP_MAX_SIZE from configmap shop, key max.size\n" in listed
    assert none == 'Warning: Deployment/web does not have any containers matching "nope"\n'


def test_a_file_is_changed_without_a_server(workstation):
    async def story(sh):
        lines = (
            "set image -f once.yaml work=busybox:2 --local -o jsonpath={.spec.containers[0].image}",
            "set env -f once.yaml A=b --local -o jsonpath={.spec.containers[0].env}",
            "label -f once.yaml a=b --local -o jsonpath={.metadata.labels}",
            "annotate -f once.yaml a=b --local -o jsonpath={.metadata.annotations}",
        )
        told = [await sh.ok(f"kubectl {line}") for line in lines]
        return told, (await sh("kubectl get pod once")).err

    told, there = workstation(story)
    assert told == ["busybox:2", '[{"name":"A","value":"b"}]', '{"a":"b"}', '{"a":"b"}']
    assert there == 'Error from server (NotFound): pods "once" not found\n'


def test_what_is_changed_is_named_or_selected_or_all(workstation):
    async def story(sh):
        for name in ("a", "b"):
            await sh.ok(f"kubectl create deployment {name} --image=nginx")
        everything = await sh.ok("kubectl set image deployment --all nginx=nginx:2 --dry-run=client")
        chosen = await sh.ok("kubectl label deployment -l app=a x=y")
        version = await sh("kubectl label deployment a x=z --overwrite --resource-version=1")
        both = await sh("kubectl label deployment a x=z x-")
        return everything, chosen, version.err, both.err

    everything, chosen, version, both = workstation(story)
    assert everything == "".join(f"deployment.apps/{name} image updated (dry run)\n" for name in "ab")
    assert chosen == "deployment.apps/a labeled\n"
    assert version.startswith('Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "a"')
    assert both == "error: can not both modify and remove a label in the same command\n"
