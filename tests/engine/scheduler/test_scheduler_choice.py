"""The pure parts of the scheduler: resources, filters, scores, the cache."""

import pytest

from cluster_engine.api.selectors import parse_label
from cluster_engine.scheduler import filters, scores
from cluster_engine.scheduler.nodes import Cache, NodeInfo
from cluster_engine.scheduler.resources import amounts, requests


def node(name="n1", taints=(), labels=None, unschedulable=False, images=(), **allocatable):
    found = {"cpu": "2", "memory": "4Gi", "pods": "110", **allocatable}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": {"taints": list(taints), "unschedulable": unschedulable},
        "status": {"allocatable": found, "images": list(images)},
    }


def info(**fields):
    made = node(**fields)
    return NodeInfo(made, amounts(made["status"]["allocatable"]))


def container(ports=(), image="nginx", **asked):
    listed = [{"containerPort": port, "hostPort": port} for port in ports]
    return {"image": image, "resources": {"requests": asked}, "ports": listed}


def pod(*containers, name="p", labels=None, node_name="", **spec):
    if node_name:
        spec["nodeName"] = node_name
    metadata = {"name": name, "namespace": "d", "uid": name, "labels": labels or {}}
    return {"metadata": metadata, "spec": {"containers": list(containers) or [container()], **spec}}


def test_a_pods_request_is_the_sum_of_its_containers_or_what_its_start_needs():
    both = [container(cpu="100m", memory="64Mi"), container(cpu="1.5")]
    assert requests(pod(*both)) == {"cpu": 1600, "memory": 64 << 20}
    assert requests(pod(*both, initContainers=[container(cpu="3")])) == {"cpu": 3000, "memory": 64 << 20}
    sidecar = {**container(cpu="1"), "restartPolicy": "Always"}
    assert requests(pod(container(cpu="1"), initContainers=[sidecar])) == {"cpu": 2000}


def test_for_scoring_a_container_that_asks_for_nothing_counts_all_the_same():
    assert requests(pod(), nonzero=True) == {"cpu": 100, "memory": 200 << 20}


NO_SCHEDULE = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def affinity(operator, *values):
    term = {"matchExpressions": [{"key": "disk", "operator": operator, "values": list(values)}]}
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    ("asking", "offered", "reasons"),
    [
        (pod(), info(), None),
        (pod(), info(unschedulable=True), ("node(s) were unschedulable",)),
        (pod(node_name="n2"), info(), ("node(s) didn't match the requested node name",)),
        (pod(), info(taints=[NO_SCHEDULE]), ("node(s) had untolerated taint {dedicated: gpu}",)),
        (pod(tolerations=[{"key": "dedicated", "operator": "Exists"}]), info(taints=[NO_SCHEDULE]), None),
        (pod(tolerations=[{"key": "dedicated", "value": "x"}]), info(taints=[NO_SCHEDULE]), "taint"),
        (pod(), info(taints=[{**NO_SCHEDULE, "effect": "PreferNoSchedule"}]), None),
        (pod(nodeSelector={"disk": "ssd"}), info(), ("node(s) didn't match Pod's node affinity/selector",)),
        (pod(nodeSelector={"disk": "ssd"}), info(labels={"disk": "ssd"}), None),
        (pod(affinity=affinity("In", "ssd", "nvme")), info(labels={"disk": "nvme"}), None),
        (pod(affinity=affinity("DoesNotExist")), info(labels={"disk": "nvme"}), "affinity"),
        (pod(affinity=affinity("Gt", "5")), info(labels={"disk": "6"}), None),
        (pod(container(cpu="3", memory="8Gi")), info(), ("Insufficient cpu", "Insufficient memory")),
        (pod(container(**{"example.com/gpu": "1"})), info(), ("Insufficient example.com/gpu",)),
        (pod(), info(pods="0"), ("Too many pods",)),
    ],
)
def test_a_node_is_refused_with_the_real_ones_words(asking, offered, reasons):
    found = filters.objection(asking, offered)
    if reasons is None or found is None:
        assert found is reasons
    elif isinstance(reasons, str):
        assert reasons in found.reasons[0]
    else:
        assert found.reasons == reasons


def test_a_host_port_can_be_taken_once():
    one = info()
    one.add(pod(container(ports=[80]), name="first"))
    assert filters.objection(pod(container(ports=[80])), one).plugin == "NodePorts"
    assert filters.objection(pod(container(ports=[81])), one) is None
    one.remove("d/first")
    assert filters.objection(pod(container(ports=[80])), one) is None


def test_the_message_counts_reasons_and_says_whether_preemption_would_help():
    small, tainted = info(name="small", cpu="0"), info(name="tainted", taints=[NO_SCHEDULE])
    asking = pod(container(cpu="1"))
    objections = {each.name: filters.objection(asking, each) for each in (small, tainted)}
    assert filters.message(objections) == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: gpu}. "
        "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )
    assert filters.message({}) == "no nodes available to schedule pods"


def test_least_allocated_is_the_share_left_free():
    one = info(memory="2000Mi")
    one.add(pod(container(cpu="500m", memory="500Mi"), name="there"))
    # cpu (2000 - 500 - 100) / 2000 = 70 %, memory (2000 - 500 - 100) / 2000 = 70 %
    assert scores.least_allocated(pod(container(cpu="100m", memory="100Mi")), [one], None) == {"n1": 70}


def test_balanced_allocation_prefers_even_use():
    one = info(cpu="1", memory="1000Mi")
    asking = pod(container(cpu="600m", memory="200Mi"))
    assert scores.balanced_allocation(asking, [one], None) == {"n1": 80}  # shares 0.6 and 0.2


def test_siblings_are_spread():
    one, two = info(name="n1"), info(name="n2")
    one.add(pod(name="a", labels={"app": "web"}))
    given = scores.topology_spread(pod(labels={"app": "web"}), [one, two], parse_label("app=web"))
    assert given["n2"] == 100
    assert given["n1"] < given["n2"]
    assert scores.topology_spread(pod(), [one, two], None) == {"n1": 0, "n2": 0}


def test_soft_taints_and_preferences_are_weighed():
    soft = info(name="soft", taints=[{**NO_SCHEDULE, "effect": "PreferNoSchedule"}])
    plain = info(name="plain", labels={"disk": "ssd"})
    assert scores.taint_toleration(pod(), [soft, plain], None) == {"soft": 0, "plain": 100}
    term = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": term}]}
    asking = pod(affinity={"nodeAffinity": preferred})
    assert scores.node_affinity(asking, [soft, plain], None) == {"soft": 0, "plain": 100}


def test_a_node_that_has_the_image_is_preferred():
    has = info(name="has", images=[{"names": ["nginx:latest"], "sizeBytes": 800 << 20}])
    given = scores.image_locality(pod(), [has, info(name="not")], None)
    assert given == {"has": 100 * (400 - 23) // (1000 - 23), "not": 0}  # halved: one node of two has it


def test_weights_are_applied():
    table = scores.score(pod(), [info(name="n1"), info(name="n2")], None)
    assert table["n1"]["TaintToleration"] == 300
    assert table["n1"]["NodeResourcesFit"] == table["n2"]["NodeResourcesFit"]


def test_an_assumed_pod_counts_until_it_is_forgotten_and_a_confirmed_one_stays():
    cache = Cache()
    cache.set_node(node())
    waiting = pod(container(cpu="1"))
    cache.assume(waiting, "n1")
    assert cache.nodes()[0].requested == {"cpu": 1000}
    cache.forget(waiting)
    assert cache.nodes()[0].requested == {"cpu": 0}
    cache.assume(waiting, "n1")
    cache.confirm(pod(container(cpu="1"), node_name="n1"))
    cache.forget(waiting)
    assert cache.nodes()[0].requested == {"cpu": 1000}


def test_pods_of_a_node_that_is_not_there_count_once_it_comes():
    cache = Cache()
    cache.confirm(pod(container(cpu="1"), node_name="n1"))
    cache.set_node(node())
    assert cache.nodes()[0].requested == {"cpu": 1000}
    cache.remove_node(node())
    assert cache.nodes() == []
    cache.set_node(node())
    assert cache.nodes()[0].requested == {"cpu": 1000}
