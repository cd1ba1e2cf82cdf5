"""What the kubelet decides and says, from spec and runtime state alone."""

from datetime import UTC, datetime

import pytest

from cluster_engine.api.durations import go_duration
from cluster_engine.kubelet import actions, pod_status
from cluster_engine.kubelet.actions import container_hash
from cluster_engine.kubelet.backoff import Backoff
from cluster_engine.kubelet.environment import expand, service_variables
from cluster_engine.kubelet.pod_status import Knowledge, Waiting
from cluster_engine.kubelet.runtime_cache import CONTAINER_HASH, PodRuntime, Sandbox
from cluster_engine.kubelet.status_patch import two_way
from cluster_engine.rpc import cri_pb2 as cri

NOW = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
SECOND = 1_000_000_000


def a_pod(*containers, init=(), policy="Always", **spec):
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "default", "uid": "u1"},
        "spec": {
            "containers": [a_container(name) for name in containers or ("app",)],
            "initContainers": [a_container(name) for name in init],
            "restartPolicy": policy,
            **spec,
        },
    }


def a_container(name, **fields):
    return {"name": name, "image": "nginx", **fields}


def state_of(name, state, *, exit_code=0, attempt=0, image="nginx"):
    return cri.ContainerStatus(
        id=f"{name}-{attempt}",
        metadata=cri.ContainerMetadata(name=name, attempt=attempt),
        state=state,
        exit_code=exit_code,
        reason="" if state != cri.CONTAINER_EXITED else "Error" if exit_code else "Completed",
        started_at=int(NOW.timestamp()) * SECOND,
        finished_at=int(NOW.timestamp() + 5) * SECOND if state == cri.CONTAINER_EXITED else 0,
        image=cri.ImageSpec(image="docker.io/library/nginx:latest"),
        annotations={CONTAINER_HASH: container_hash({"name": name, "image": image})},
    )


def running(name, **fields):
    return state_of(name, cri.CONTAINER_RUNNING, **fields)


def exited(name, code=0, **fields):
    return state_of(name, cri.CONTAINER_EXITED, exit_code=code, **fields)


def node_with(*containers, ready=True, attempt=0, ip="10.244.1.2"):
    status = cri.PodSandboxStatus(
        id="s1",
        metadata=cri.PodSandboxMetadata(name="web", namespace="default", uid="u1", attempt=attempt),
        state=cri.SANDBOX_READY if ready else cri.SANDBOX_NOTREADY,
        network=cri.PodSandboxNetworkStatus(ip=ip),
    )
    return PodRuntime("u1", {"s1": Sandbox(status, containers)})


NOTHING = PodRuntime("u1")


def names(containers):
    return [container["name"] for container in containers]


# -- actions


def test_a_new_pod_gets_a_sandbox_and_all_containers():
    wanted = actions.compute(a_pod("a", "b"), NOTHING)
    assert (wanted.create_sandbox, wanted.attempt, names(wanted.start)) == (True, 0, ["a", "b"])


def test_a_pod_that_runs_needs_nothing():
    wanted = actions.compute(a_pod("a"), node_with(running("a")))
    assert wanted == actions.Actions()


def test_init_containers_run_one_after_the_other():
    pod = a_pod("app", init=("one", "two"))
    assert actions.compute(pod, NOTHING).next_init["name"] == "one"
    assert actions.compute(pod, node_with(running("one"))) == actions.Actions()
    assert actions.compute(pod, node_with(exited("one"))).next_init["name"] == "two"
    done = actions.compute(pod, node_with(exited("one"), exited("two")))
    assert (done.next_init, names(done.start)) == (None, ["app"])


def test_an_ephemeral_container_starts_before_all_others_are_there_and_only_once():
    pod = a_pod("app", init=("first",), ephemeralContainers=[a_container("look")])
    beginning = actions.compute(pod, node_with(running("first")))
    assert [one["name"] for one in beginning.ephemeral] == ["look"]
    assert actions.compute(pod, node_with(running("first"), exited("look", 1))).ephemeral == []


def test_a_failed_init_container_runs_again_unless_the_policy_is_never():
    failed = node_with(exited("one", 1))
    assert actions.compute(a_pod(init=("one",)), failed).next_init["name"] == "one"
    assert actions.compute(a_pod(init=("one",), policy="Never"), failed).kill_pod


@pytest.mark.parametrize(
    ("policy", "code", "restarts"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_says_what_is_started_again(policy, code, restarts):
    wanted = actions.compute(a_pod("app", policy=policy), node_with(exited("app", code)))
    assert names(wanted.start) == (["app"] if restarts else [])
    assert wanted.kill_pod is not restarts


def test_a_container_whose_image_was_changed_is_replaced():
    pod = a_pod("app")
    pod["spec"]["containers"][0]["image"] = "nginx:1.27"
    wanted = actions.compute(pod, node_with(running("app")))
    assert wanted.kill[0].message == "Container app definition changed, will be restarted"
    assert names(wanted.start) == ["app"]


def test_a_container_that_fails_its_liveness_probe_is_replaced():
    wanted = actions.compute(a_pod("app"), node_with(running("app")), {"app-0": "liveness"})
    assert wanted.kill[0].message == "Container app failed liveness probe, will be restarted"


def test_a_sandbox_that_is_gone_is_made_anew():
    wanted = actions.compute(a_pod("app"), node_with(exited("app", 137), ready=False))
    assert (wanted.kill_pod, wanted.create_sandbox, wanted.attempt) == (True, True, 1)
    never = actions.compute(a_pod("app", policy="Never"), node_with(exited("app", 137), ready=False))
    assert (never.kill_pod, never.create_sandbox, never.start) == (True, False, [])


# -- status


def status(pod, runtime, old=None, **knowledge):
    return pod_status.generate(pod, runtime, old or {}, Knowledge(now=NOW, host_ip="10.0.0.11", **knowledge))


def condition(status, type_):
    return next(each for each in status["conditions"] if each["type"] == type_)


def test_a_pod_without_anything_on_the_node_is_pending():
    told = status(a_pod("app"), NOTHING)
    assert told["phase"] == "Pending"
    assert told["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert condition(told, "Ready")["message"] == "containers with unready status: [app]"
    assert condition(told, "PodReadyToStartContainers")["status"] == "False"
    assert "podIP" not in told


def test_a_pod_that_runs_is_ready_and_has_an_address():
    told = status(a_pod("app"), node_with(running("app")))
    assert (told["phase"], told["podIP"], told["podIPs"]) == ("Running", "10.244.1.2", [{"ip": "10.244.1.2"}])
    assert [each["status"] for each in told["conditions"]] == ["True"] * 5
    assert told["containerStatuses"][0]["containerID"] == "containerd://app-0"
    assert told["containerStatuses"][0]["state"] == {"running": {"startedAt": "2026-01-01T10:00:00Z"}}


def test_one_container_that_waits_keeps_the_pod_pending():
    assert status(a_pod("a", "b"), node_with(running("a")))["phase"] == "Pending"


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        ("Always", 0, "Running"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
        ("Never", 0, "Succeeded"),
        ("Never", 1, "Failed"),
    ],
)
def test_the_phase_of_a_pod_whose_containers_have_ended(policy, code, phase):
    assert status(a_pod("app", policy=policy), node_with(exited("app", code)))["phase"] == phase


def test_a_pod_that_is_stopped_ends_as_its_containers_did():
    assert status(a_pod("app"), node_with(exited("app", 0)), is_terminating=True)["phase"] == "Succeeded"
    assert status(a_pod("app"), node_with(exited("app", 137)), is_terminating=True)["phase"] == "Failed"
    assert status(a_pod("app"), NOTHING, is_terminating=True)["phase"] == "Failed"


def test_a_phase_once_final_stays():
    told = status(a_pod("app", policy="Never"), NOTHING, {"phase": "Succeeded"})
    assert told["phase"] == "Succeeded"


def test_a_crashed_container_waits_and_its_end_is_its_last_state():
    waiting = {"app": Waiting("CrashLoopBackOff", "back-off 10s restarting failed container=app")}
    told = status(a_pod("app"), node_with(exited("app", 3, attempt=0), exited("app", 3, attempt=1)), waiting=waiting)
    container = told["containerStatuses"][0]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["containerID"] == "containerd://app-1"
    assert (container["restartCount"], container["ready"], told["phase"]) == (1, False, "Running")


def test_a_restarted_container_remembers_how_the_one_before_ended():
    told = status(a_pod("app"), node_with(exited("app", 3), running("app", attempt=1)))
    container = told["containerStatuses"][0]
    assert "running" in container["state"]
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["restartCount"] == 1


def test_an_image_that_cannot_be_pulled_is_a_waiting_reason():
    waiting = {"app": Waiting("ErrImagePull", "rpc error: …")}
    told = status(a_pod("app"), node_with(), waiting=waiting)
    assert told["containerStatuses"][0]["state"] == {"waiting": {"reason": "ErrImagePull", "message": "rpc error: …"}}
    assert told["phase"] == "Pending"


def test_a_readiness_probe_that_has_not_succeeded_keeps_the_pod_unready():
    told = status(a_pod("app"), node_with(running("app")), probed_ready={"app": False})
    assert (condition(told, "Ready")["status"], told["containerStatuses"][0]["started"]) == ("False", True)


def test_a_condition_keeps_its_time_while_its_status_stays():
    old = {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2025-01-01T00:00:00Z"}]}
    assert condition(status(a_pod(), NOTHING, old), "Ready")["lastTransitionTime"] == "2025-01-01T00:00:00Z"
    changed = condition(status(a_pod(), node_with(running("app")), old), "Ready")
    assert changed["lastTransitionTime"] == "2026-01-01T10:00:00Z"


def test_init_containers_that_have_not_ended_are_named():
    told = status(a_pod("app", init=("one", "two")), node_with(running("one")))
    assert condition(told, "Initialized")["message"] == "containers with incomplete status: [one two]"
    assert told["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert told["phase"] == "Pending"


# -- the small ones


def test_a_patch_tells_only_what_differs():
    old = status(a_pod("app"), NOTHING)
    new = status(a_pod("app"), node_with(running("app")), old)
    patch = two_way(old, new)
    assert patch["phase"] == "Running"
    assert "startTime" not in patch
    assert [each["type"] for each in patch["conditions"]] == ["PodReadyToStartContainers", "Ready", "ContainersReady"]
    assert patch["conditions"][0] == {"status": "True", "type": "PodReadyToStartContainers"}
    assert [each["type"] for each in patch["$setElementOrder/conditions"]] == [
        each["type"] for each in new["conditions"]
    ]
    assert two_way(new, new) == {}


def test_back_off_doubles_to_its_cap_and_forgets():
    backoff = Backoff()
    waits = []
    now = 0.0
    for _ in range(8):
        assert not backoff.in_backoff_since("k", now, now + 1000)
        backoff.next("k", now, now)
        waits.append(backoff.seconds("k"))
        now += 1
        assert backoff.in_backoff_since("k", now, now)
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]
    assert not backoff.in_backoff_since("k", now + 700, now + 700), "ten quiet minutes and it is forgotten"
    backoff.next("k", now + 700, now + 700)
    assert backoff.seconds("k") == 10


def test_a_first_failure_costs_nothing():
    assert not Backoff().in_backoff_since("new", 5, 5)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "10s"), (80, "1m20s"), (300, "5m0s"), (2.3456, "2.346s"), (0.409, "409ms"), (3661, "1h1m1s"), (0, "0s")],
)
def test_durations_look_like_gos(seconds, text):
    assert go_duration(seconds, 3) == text


def test_variables_refer_to_earlier_ones():
    assert expand("$(A)-$(B)-$$(A)", {"A": "x"}) == "x-$(B)-$(A)"


def test_services_become_variables():
    service = {
        "metadata": {"name": "my-db", "namespace": "default"},
        "spec": {"clusterIP": "10.96.7.7", "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}]},
    }
    variables = service_variables([service], "default")
    assert variables["MY_DB_SERVICE_HOST"] == "10.96.7.7"
    assert variables["MY_DB_SERVICE_PORT_SQL"] == "5432"
    assert variables["MY_DB_PORT_5432_TCP"] == "tcp://10.96.7.7:5432"
    assert service_variables([service], "other") == {}
