"""Scores: of the nodes that could run the pod, which is best? Each plugin gives 0 … 100, times its weight.

Theory of operation. *TaintToleration* (3) and *NodeAffinity* (2) count what a pod would rather have;
*PodTopologySpread* (2) puts siblings, the pods of the same ReplicaSet or Service, on different nodes;
*NodeResourcesFit* (1) prefers the emptier node (LeastAllocated), *NodeResourcesBalancedAllocation* (1) the one where
CPU and memory would be used evenly, *ImageLocality* (1) one that has the images. The highest sum wins; among equals,
chance.

    LeastAllocated of a node with 2000m, 500m taken, pod 100m (memory alike): (2000 - 600) * 100 / 2000 = 70

Modelled on `pkg/scheduler/framework/plugins/*`, integer arithmetic included. Left out: InterPodAffinity.
"""

import math
from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import LabelSelector
from cluster_engine.scheduler.affinity import preference, tolerates
from cluster_engine.scheduler.nodes import NodeInfo
from cluster_engine.scheduler.resources import requests

Scores = dict[str, int]

SCORE_MAX = 100
RESOURCES = ("cpu", "memory")
SPREAD_KEYS = (("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5))
IMAGE_BYTES_MIN, IMAGE_BYTES_MAX = 23 * 1024 * 1024, 1000 * 1024 * 1024


def score(pod: Object, nodes: list[NodeInfo], siblings: LabelSelector | None) -> dict[str, Scores]:
    """Return each node's weighted scores by plugin; `siblings` selects the pods to be spread with this one."""
    table: dict[str, Scores] = {info.name: {} for info in nodes}
    for plugin, weight, give in PLUGINS:
        for name, points in give(pod, nodes, siblings).items():
            table[name][plugin] = points * weight
    return table


def taint_toleration(pod: Object, nodes: list[NodeInfo], _: LabelSelector | None) -> Scores:
    """Prefer nodes with fewer PreferNoSchedule taints that the pod does not tolerate."""
    counts = {}
    for info in nodes:
        soft = [taint for taint in info.node["spec"].get("taints") or () if taint["effect"] == "PreferNoSchedule"]
        counts[info.name] = sum(not tolerates(pod, taint) for taint in soft)
    return _normalized(counts, reverse=True)


def node_affinity(pod: Object, nodes: list[NodeInfo], _: LabelSelector | None) -> Scores:
    """Prefer nodes that match preferred terms."""
    return _normalized({info.name: preference(pod, info.node) for info in nodes}, reverse=False)


def _normalized(counts: Scores, *, reverse: bool) -> Scores:
    most = max(counts.values(), default=0)
    if not most:
        return dict.fromkeys(counts, SCORE_MAX if reverse else 0)
    scaled = {name: SCORE_MAX * count // most for name, count in counts.items()}
    return {name: SCORE_MAX - points for name, points in scaled.items()} if reverse else scaled


def least_allocated(pod: Object, nodes: list[NodeInfo], _: LabelSelector | None) -> Scores:
    """Prefer nodes with the larger share left free."""
    asked = requests(pod, nonzero=True)
    return {info.name: _free_share(info, asked) for info in nodes}


def _free_share(info: NodeInfo, asked: dict[str, int]) -> int:
    shares = []
    for name in RESOURCES:
        capacity = info.allocatable.get(name, 0)
        if capacity:
            used = info.nonzero.get(name, 0) + asked.get(name, 0)
            shares.append(max(0, capacity - used) * SCORE_MAX // capacity)
    return sum(shares) // len(shares) if shares else 0


def balanced_allocation(pod: Object, nodes: list[NodeInfo], _: LabelSelector | None) -> Scores:
    """Prefer nodes where the used shares of CPU and memory would be alike."""
    asked = requests(pod)
    return {info.name: _balance(info, asked) for info in nodes}


def _balance(info: NodeInfo, asked: dict[str, int]) -> int:
    shares = []
    for name in RESOURCES:
        capacity = info.allocatable.get(name, 0)
        if capacity:
            used = info.requested.get(name, 0) + asked.get(name, 0)
            shares.append(min(1.0, used / capacity))
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * SCORE_MAX)


def topology_spread(pod: Object, nodes: list[NodeInfo], siblings: LabelSelector | None) -> Scores:
    """Prefer nodes (and zones) with fewer siblings: the built-in default constraints."""
    if siblings is None:
        return {info.name: 0 for info in nodes}
    counts = {info.name: _siblings(pod, info, siblings) for info in nodes}
    raw: dict[str, float] = {info.name: 0.0 for info in nodes}
    for key, max_skew in SPREAD_KEYS:
        places: dict[str, int] = {}
        for info in nodes:
            place = info.node["metadata"].get("labels", {}).get(key)
            if place is not None:
                places[place] = places.get(place, 0) + counts[info.name]
        weight = math.log(len(places) + 2)
        for info in nodes:
            place = info.node["metadata"].get("labels", {}).get(key)
            if place is not None:
                raw[info.name] += places[place] * weight + (max_skew - 1)
    rounded = {name: round(value) for name, value in raw.items()}
    most, fewest = max(rounded.values()), min(rounded.values())
    if not most:
        return dict.fromkeys(rounded, SCORE_MAX)
    return {name: SCORE_MAX * (most + fewest - value) // most for name, value in rounded.items()}


def _siblings(pod: Object, info: NodeInfo, siblings: LabelSelector) -> int:
    namespace = pod["metadata"]["namespace"]
    return sum(
        1
        for other in info.pods.values()
        if other["metadata"]["namespace"] == namespace
        and "deletionTimestamp" not in other["metadata"]
        and siblings.matches(other["metadata"].get("labels"))
    )


def image_locality(pod: Object, nodes: list[NodeInfo], _: LabelSelector | None) -> Scores:
    """Prefer nodes that have (large) images of the pod already; images that many nodes have count more."""
    images = [_normal_name(container.get("image", "")) for container in pod["spec"]["containers"]]
    sizes = {info.name: _image_sizes(info) for info in nodes}
    having = {image: sum(image in one for one in sizes.values()) for image in images}
    scores = {}
    for info in nodes:
        found = sum(int(sizes[info.name].get(image, 0) * having[image] / len(nodes)) for image in images)
        most = IMAGE_BYTES_MAX * len(images)
        bounded = min(max(found, IMAGE_BYTES_MIN), most)
        scores[info.name] = SCORE_MAX * (bounded - IMAGE_BYTES_MIN) // (most - IMAGE_BYTES_MIN)
    return scores


def _image_sizes(info: NodeInfo) -> dict[str, int]:
    listed = info.node.get("status", {}).get("images") or ()
    return {name: int(image.get("sizeBytes", 0)) for image in listed for name in image.get("names") or ()}


def _normal_name(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


PLUGINS: tuple[tuple[str, int, Callable[[Object, list[NodeInfo], LabelSelector | None], Scores]], ...] = (
    ("TaintToleration", 3, taint_toleration),
    ("NodeAffinity", 2, node_affinity),
    ("PodTopologySpread", 2, topology_spread),
    ("NodeResourcesFit", 1, least_allocated),
    ("NodeResourcesBalancedAllocation", 1, balanced_allocation),
    ("ImageLocality", 1, image_locality),
)
"""Name, weight, and the function that gives 0 … 100 to each node."""
