"""What the kubelet tells Prometheus, on three paths.

    /metrics/resource      container_memory_working_set_bytes{container="app",namespace="default",pod="web"} 3.1e+06
    /metrics/cadvisor      the same by cAdvisor's names, with the image and the id
    /metrics               of the kubelet itself: running pods and containers, its node's name, its start

Modelled on pkg/kubelet/metrics (collectors/resource_metrics.go too) and cadvisor's prometheus.go. Left out: times of
metrics, swap, network, devices, histograms.
"""

from collections.abc import Callable

from cluster_engine.kubelet.runtime_cache import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID
from cluster_engine.kubelet.stats import Usage
from cluster_engine.metrics.of_process import build_info
from cluster_engine.metrics.registry import Metric, Samples, exposed
from cluster_engine.rpc import cri_pb2 as cri

STATES = {"running": cri.CONTAINER_RUNNING, "exited": cri.CONTAINER_EXITED, "created": cri.CONTAINER_CREATED}
Value = Callable[[cri.ContainerStats], float]


def _processor(one: cri.ContainerStats) -> float:
    return one.cpu.usage_core_nano_seconds.value / 1e9


def _working_set(one: cri.ContainerStats) -> float:
    return one.memory.working_set_bytes.value


def resource(usage: Usage) -> str:
    """Return `/metrics/resource`."""
    processor, working_set, started = (_samples(usage, value) for value in (_processor, _working_set, usage.started_at))
    return exposed((
        ("container_cpu_usage_seconds_total", "counter",
         "[STABLE] Cumulative cpu time consumed by the container in core-seconds", processor),
        ("container_memory_working_set_bytes", "gauge",
         "[STABLE] Current working set of the container in bytes", working_set),
        ("container_start_time_seconds", "gauge",
         "[STABLE] Start time of the container since unix epoch in seconds", started),
        ("node_cpu_usage_seconds_total", "counter",
         "[STABLE] Cumulative cpu time consumed by the node in core-seconds", [({}, usage.processor)]),
        ("node_memory_working_set_bytes", "gauge",
         "[STABLE] Current working set of the node in bytes", [({}, usage.memory)]),
        ("resource_scrape_error", "gauge",
         "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise", [({}, 0)]),
    ))  # fmt: skip


def cadvisor(usage: Usage) -> str:
    """Return `/metrics/cadvisor`."""
    found = (
        ("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", _processor),
        ("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.",
         lambda one: one.writable_layer.used_bytes.value),
        ("container_memory_rss", "gauge", "Size of RSS in bytes.", lambda one: one.memory.rss_bytes.value),
        ("container_memory_usage_bytes", "gauge",
         "Current memory usage in bytes, including all memory regardless of when it was accessed",
         lambda one: one.memory.usage_bytes.value),
        ("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", _working_set),
        ("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds.",
         usage.started_at),
    )  # fmt: skip
    return exposed((name, kind, text, _samples(usage, value, whole=True)) for name, kind, text, value in found)


def kubelet(usage: Usage) -> str:
    """Return `/metrics`."""
    process, pods = usage.process, usage.cache.pods()
    containers = [one for pod in pods for one in pod.all_containers()]
    counted = {name: sum(one.state == state for one in containers) for name, state in STATES.items()}
    by_state: Samples = [({"container_state": name}, count) for name, count in counted.items() if count]
    running = sum(1 for pod in pods if pod.sandbox is not None and pod.sandbox.is_ready)
    own: tuple[Metric, ...] = (
        ("kubelet_node_name", "gauge", "[ALPHA] The node's name. The count is always 1.",
         [({"node": process.host.hostname}, 1)]),
        ("kubelet_running_containers", "gauge", "[ALPHA] Number of containers currently running", by_state),
        ("kubelet_running_pods", "gauge", "[ALPHA] Number of pods that have a running pod sandbox", [({}, running)]),
    )  # fmt: skip
    return process.metrics.text(own, build_info())


def _samples(usage: Usage, value: Value, *, whole: bool = False) -> Samples:
    """Return one sample for each running container; `whole`: with image and id."""
    found: Samples = []
    for one in usage.containers:
        known, id_ = one.attributes.labels, one.attributes.id
        labels = {"container": known[CONTAINER_NAME], "namespace": known[POD_NAMESPACE], "pod": known[POD_NAME]}
        if whole:
            status = usage.cache.get(known[POD_UID]).container(id_)
            place = f"/kubepods.slice/kubepods-pod{known[POD_UID].replace('-', '_')}.slice/{id_}"
            labels |= {"id": place, "image": "" if status is None else status.image.image, "name": id_}
        found.append((dict(sorted(labels.items())), value(one)))
    return found
