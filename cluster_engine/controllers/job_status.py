"""What a Job's pods mean for the Job: pure functions of the Job and its pods.

Theory of operation. A pod counts once: while it carries the finalizer TRACKING it has not been counted, and cannot
vanish uncounted. Numbers in the status are of those pods that have lost it; the uids of those that are about to are
written first, in `uncountedTerminatedPods`, so that a controller that dies in between counts none twice.

    pods {a: Succeeded*, b: Failed*, c: Running}   * with the finalizer
    1  PUT jobs/status   uncounted {succeeded: [a], failed: [b]}
    2  PATCH a, PATCH b  without the finalizer
    3  PUT jobs/status   succeeded 1, failed 1, uncounted {}

Modelled on `pkg/controller/job/{job_controller,backoff_utils,indexed_job_utils,pod_failure_policy}.go`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cluster_engine.api import time
from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.controllers import pods
from cluster_engine.controllers.ownership import is_deleting

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 10.0, 600.0
COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")
BACKOFF_LIMIT = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")


def condition(type_: str, why: tuple[str, str], now: datetime, status: str = "True") -> Object:
    """Make a condition of a Job."""
    moment = time.rfc3339(now)
    return {
        "type": type_,
        "status": status,
        "lastProbeTime": moment,
        "lastTransitionTime": moment,
        "reason": why[0],
        "message": why[1],
    }


def has(job: Object, type_: str) -> Object | None:
    """Return a condition of the Job that is True."""
    found = pods.condition(job, type_)
    return found if found is not None and found["status"] == "True" else None


def is_finished(job: Object) -> bool:
    """Return whether there is nothing left to do."""
    return has(job, "Complete") is not None or has(job, "Failed") is not None


def is_tracked(pod: Object) -> bool:
    """Return whether the pod is yet to be counted."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def untracked() -> Object:
    """Return the patch that takes the finalizer away."""
    return {"metadata": {"$deleteFromPrimitiveList/finalizers": [TRACKING]}}


def is_failed(pod: Object, job: Object) -> bool:
    """Return whether the pod counts as a failure; one that is deleted does, unless the Job says to wait for its end."""
    if pods.phase(pod) == "Failed":
        return True
    return job["spec"].get("podReplacementPolicy") != "Failed" and is_deleting(pod) and pods.phase(pod) != "Succeeded"


def verdict_of_policy(job: Object, pod: Object) -> tuple[str, str]:
    """Return what the Job's failure policy says of a failed pod: an action, and for FailJob the message."""
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        action = rule["action"]
        if wanted := rule.get("onExitCodes"):
            found = _by_exit_code(pod, wanted)
            if found is not None:
                name, code = found
                where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                text = f"Container {name} for pod {where} failed with exit code {code} matching {action} rule"
                return action, f"{text} at index {number}"
        for each in rule.get("onPodConditions") or ():
            met = pods.condition(pod, each["type"])
            if met is not None and met["status"] == each.get("status", "True"):
                where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                text = f"Pod {where} has condition {each['type']} matching {action} rule at index {number}"
                return action, text
    return "Count", ""


def _by_exit_code(pod: Object, wanted: Object) -> tuple[str, int] | None:
    status = pod.get("status") or {}
    for each in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        ended = (each.get("state") or {}).get("terminated")
        if ended is None or wanted.get("containerName", each["name"]) != each["name"]:
            continue
        code = ended["exitCode"]
        if code != 0 and (code in wanted["values"]) is (wanted["operator"] == "In"):
            return each["name"], code
    return None


def restarts(job_pods: Iterable[Object]) -> int:
    """Count the restarts of containers in pods that have not ended."""
    running = [pod for pod in job_pods if pods.phase(pod) in ("Pending", "Running")]
    statuses = [
        each
        for pod in running
        for field in ("initContainerStatuses", "containerStatuses")
        for each in (pod.get("status") or {}).get(field) or ()
    ]
    return sum(each.get("restartCount", 0) for each in statuses)


def ended_at(pod: Object) -> datetime | None:
    """Return when the last of a pod's containers ended, or the pod was deleted."""
    status = pod.get("status") or {}
    ends = [
        (each.get("state") or {}).get("terminated", {}).get("finishedAt")
        for each in status.get("containerStatuses") or ()
    ]
    known = [time.parse(each) for each in ends if each]
    if known:
        return max(known)
    gone = pod["metadata"].get("deletionTimestamp")
    return time.parse(gone) if gone else None


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: 10, 20, 40 … 600 s."""
    if failures <= 0:
        return 0.0
    return float(min(BACKOFF_SECONDS * 2 ** min(failures - 1, 10), BACKOFF_SECONDS_MAX))


def wait_seconds(failures: int, last: datetime | None, now: datetime) -> float:
    """Return how long no pod is to be made yet."""
    if not failures or last is None:
        return 0.0
    return max(0.0, (last + timedelta(seconds=backoff_seconds(failures)) - now).total_seconds())


# -- indexes -----------------------------------------------------------------------------------------------------------


def is_indexed(job: Object) -> bool:
    """Return whether each pod has a number."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Object) -> int | None:
    """Return the pod's number."""
    found = int_of((pod["metadata"].get("annotations") or {}).get(INDEX, ""))
    return found if found is not None and found >= 0 else None


def written_indexes(indexes: Iterable[int]) -> str:
    """Write numbers as ranges: {0, 1, 2, 5} is "0-2,5"; two in a row are "0,1"."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(
        str(run[0]) if len(run) == 1 else f"{run[0]},{run[1]}" if len(run) == 2 else f"{run[0]}-{run[-1]}"
        for run in runs
    )


def read_indexes(text: str, completions: int) -> set[int]:
    """Read what `written_indexes` has written, below `completions`."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        low, high = int_of(first), int_of(last or first)
        if low is not None and high is not None:
            found.update(range(low, min(high, completions - 1) + 1))
    return found


def pending_indexes(active: Sequence[Object], done: set[int], count: int, completions: int) -> list[int]:
    """Return the lowest numbers that neither a running pod has nor a successful one had."""
    taken = done | {index for pod in active if (index := index_of(pod)) is not None}
    return [index for index in range(completions) if index not in taken][:count]


def counted(status: Object, tracked: set[str]) -> tuple[Object, bool]:
    """Count those uncounted pods that have lost their finalizer; return the status and whether it has changed."""
    uncounted: dict[str, Any] = status.get("uncountedTerminatedPods") or {}
    left = {name: [uid for uid in uncounted.get(name) or () if uid in tracked] for name in ("succeeded", "failed")}
    gained = {name: len(uncounted.get(name) or ()) - len(left[name]) for name in left}
    if not any(gained.values()):
        return status, False
    numbers = {name: status.get(name, 0) + gain for name, gain in gained.items() if status.get(name, 0) + gain}
    kept = {name: uids for name, uids in left.items() if uids}
    return {**status, **numbers, "uncountedTerminatedPods": kept}, True
