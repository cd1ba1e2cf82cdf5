"""What is to be done for a pod: spec and runtime state in, actions out. Pure, and the heart of being level-triggered.

The question is always "what is missing between what should be and what is", never "what has happened". So it does not
matter how often it is asked, or what was missed in between.

    nothing on the node                  make a sandbox, start the first init container, or all containers
    sandbox ready, init 1 has ended 0    start init container 2
    all init done, app not there         start app
    app ended with 1, policy Always      start app            (the worker asks the back-off before it does)
    app ended with 0, policy Never       nothing is left to run: kill the pod
    sandbox not ready                    kill the pod, make a new sandbox (attempt + 1), start over

An init container with restartPolicy Always is a sidecar: the next one begins once it has started, and it is started
anew whenever it has ended, until the pod's containers have.

An ephemeral container is started once the sandbox is there, before anything else, and never again.

Modelled on kuberuntime_manager.go `computePodActions`. Left out: in-place resizing.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.runtime_cache import CONTAINER_HASH, PodRuntime
from cluster_engine.rpc import cri_pb2 as cri


class Kill(msgspec.Struct, frozen=True):
    """A container to be stopped, and what the event says about it."""

    container: Object
    status: cri.ContainerStatus
    message: str


class Actions(msgspec.Struct):
    """What to do, in this order: kill, make a sandbox, start ephemeral containers, the next init container or all."""

    kill_pod: bool = False
    create_sandbox: bool = False
    attempt: int = 0
    ephemeral: list[Object] = msgspec.field(default_factory=list)
    next_init: Object | None = None
    start: list[Object] = msgspec.field(default_factory=list)
    kill: list[Kill] = msgspec.field(default_factory=list)


def compute(
    pod: Object,
    runtime: PodRuntime,
    unhealthy: Mapping[str, str] | None = None,
    started: Mapping[str, bool] | None = None,
) -> Actions:
    """Work out what a pod needs.

    `unhealthy` names container ids that a probe wants dead, and the probe; `started` the containers whose startup probe
    has, or has not, succeeded.
    """
    unhealthy, started = unhealthy or {}, started or {}
    sandbox = runtime.sandbox
    if sandbox is None or not sandbox.is_ready or not (sandbox.status.network.ip or pods.uses_host_network(pod)):
        return _start_over(pod, runtime)
    actions = Actions(ephemeral=[one for one in pods.ephemeral_containers(pod) if not runtime.of_name(one["name"])])
    if not _init_done(pod, runtime, started):
        _continue_init(pod, runtime, actions, started)
        return actions
    kept = _keep(pod, pods.containers(pod), runtime, unhealthy, actions)
    actions.kill_pod = kept == 0 and not actions.start and not actions.kill
    if not actions.kill_pod:
        mains, actions.start = actions.start, []
        _keep(pod, pods.sidecars(pod), runtime, unhealthy, actions)
        actions.start += mains
    return actions


def _keep(
    pod: Object, containers: list[Object], runtime: PodRuntime, unhealthy: Mapping[str, str], actions: Actions
) -> int:
    """Add what is to be started and killed of these containers; return how many are to go on."""
    kept = 0
    for container in containers:
        status = runtime.latest(container["name"])
        if status is None or status.state != cri.CONTAINER_RUNNING:
            if should_restart(pod, status, container):
                actions.start.append(container)
            continue
        why = _reason_to_kill(container, status, unhealthy)
        if not why:
            kept += 1
            continue
        changed = status.annotations.get(CONTAINER_HASH) != container_hash(container)
        if changed or _policy(pod, container) != "Never":
            why += ", will be restarted"
            actions.start.append(container)
        actions.kill.append(Kill(container, status, why))
    return kept


def _policy(pod: Object, container: Object) -> str:
    return "Always" if pods.is_sidecar(container) else pods.restart_policy(pod)


def should_restart(pod: Object, status: cri.ContainerStatus | None, container: Object) -> bool:
    """Return whether a container that does not run should, by the restart policy."""
    if pods.is_deleted(pod):
        return False
    if status is None:
        return True
    if status.state == cri.CONTAINER_RUNNING:
        return False
    if status.state != cri.CONTAINER_EXITED:
        return True
    policy = _policy(pod, container)
    return policy == "Always" or (policy == "OnFailure" and status.exit_code != 0)


def container_hash(container: Object) -> str:
    """Return the hash by which a changed container is known: of name and image, as of 1.32."""
    picked = {"name": container["name"], "image": container.get("image", "")}
    return hashlib.sha256(msgspec.json.encode(picked)).hexdigest()[:8]


def _start_over(pod: Object, runtime: PodRuntime) -> Actions:
    sandbox = runtime.sandbox
    attempt = 0 if sandbox is None else sandbox.status.metadata.attempt + 1
    actions = Actions(kill_pod=True, create_sandbox=True, attempt=attempt)
    if pods.restart_policy(pod) == "Never" and attempt and runtime.all_containers():
        actions.create_sandbox = False  # it has run already, and once was all that was asked for
        return actions
    if pods.init_containers(pod):
        actions.next_init = pods.init_containers(pod)[0]
        return actions
    for container in pods.containers(pod):
        status = runtime.latest(container["name"])
        ended = status is not None and status.state == cri.CONTAINER_EXITED
        if not (ended and status is not None and status.exit_code == 0 and pods.restart_policy(pod) == "OnFailure"):
            actions.start.append(container)
    actions.create_sandbox = bool(actions.start)
    return actions


def _init_done(pod: Object, runtime: PodRuntime, started: Mapping[str, bool]) -> bool:
    init = pods.init_containers(pod)
    if not init or any(runtime.latest(container["name"]) for container in pods.containers(pod)):
        return True
    last = runtime.latest(init[-1]["name"])
    if pods.is_sidecar(init[-1]):
        return last is not None and last.state == cri.CONTAINER_RUNNING and started.get(init[-1]["name"], True)
    return last is not None and last.state == cri.CONTAINER_EXITED and last.exit_code == 0


def _continue_init(pod: Object, runtime: PodRuntime, actions: Actions, started: Mapping[str, bool]) -> None:
    """Init containers run one after the other; a failed one again, unless the policy is Never."""
    for container in pods.init_containers(pod):
        status = runtime.latest(container["name"])
        if status is not None and status.state == cri.CONTAINER_RUNNING:
            if pods.is_sidecar(container) and started.get(container["name"], True):
                continue
            return
        if pods.is_sidecar(container):
            actions.next_init = container
            return
        if status is not None and status.state == cri.CONTAINER_EXITED:
            if status.exit_code == 0:
                continue
            if pods.restart_policy(pod) == "Never":
                actions.kill_pod = True
                return
        actions.next_init = container
        return


def _reason_to_kill(container: Object, status: cri.ContainerStatus, unhealthy: Mapping[str, str]) -> str:
    if status.annotations.get(CONTAINER_HASH) != container_hash(container):
        return f"Container {container['name']} definition changed"
    if status.id in unhealthy:
        return f"Container {container['name']} failed {unhealthy[status.id]} probe"
    return ""
