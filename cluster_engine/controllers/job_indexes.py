"""Indexes of a Job: which have failed for good, which may be tried again and when, and when enough have succeeded.

Theory of operation. With `backoffLimitPerIndex` each index has its own failures. How many it has had stands on the pod
that is made next, in an annotation; so the last pod that failed is kept (its finalizer stays) until there is that next
one. An index whose pod fails with as many failures behind it as the limit has failed for good; others go on.

    limit 1   pod of 3 (failures 0) fails → 10 s → pod of 3 (failures 1) fails → failedIndexes "3"

Modelled on `pkg/controller/job/{backoff_utils,indexed_job_utils,success_policy}.go`.
"""

from collections.abc import Iterable
from datetime import datetime

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.controllers import job_status
from cluster_engine.controllers.job_status import condition, index_of, read_indexes

FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
FAILED_INDEXES = ("FailedIndexes", "Job has failed indexes")
TOO_MANY = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")


def is_limited(job: Object) -> bool:
    """Return whether each index has its own failures."""
    return job_status.is_indexed(job) and job["spec"].get("backoffLimitPerIndex") is not None


def failures_of(pod: Object) -> int:
    """Return how many failures an index had when the pod was made."""
    return int_of((pod["metadata"].get("annotations") or {}).get(FAILURES, "0")) or 0


def last_failed(job: Object, pods: Iterable[Object]) -> dict[int, Object]:
    """Return the newest failed pod of each index."""
    found: dict[int, Object] = {}
    for pod in pods:
        index = index_of(pod)
        if index is None or not job_status.is_failed(pod, job):
            continue
        if index not in found or _age(pod) > _age(found[index]):
            found[index] = pod
    return found


def _age(pod: Object) -> tuple[int, str]:
    return failures_of(pod) + _ignored(pod), pod["metadata"]["creationTimestamp"]


def _ignored(pod: Object) -> int:
    return int_of((pod["metadata"].get("annotations") or {}).get(IGNORED, "0")) or 0


def failed(job: Object, pods: Iterable[Object], done: set[int]) -> set[int]:
    """Return the indexes that have failed for good."""
    found = read_indexes((job.get("status") or {}).get("failedIndexes", ""), job["spec"]["completions"])
    limit = job["spec"]["backoffLimitPerIndex"]
    for index, pod in last_failed(job, pods).items():
        action = job_status.verdict_of_policy(job, pod)[0]
        if action == "FailIndex" or (action != "Ignore" and failures_of(pod) >= limit):
            found.add(index)
    return found - done


def annotations(job: Object, last: Object | None) -> dict[str, str]:
    """Return what the next pod of an index says of those before it."""
    if last is None:
        return {FAILURES: "0"}
    if job_status.verdict_of_policy(job, last)[0] == "Ignore":
        return {FAILURES: str(failures_of(last)), IGNORED: str(_ignored(last) + 1)}
    said = {FAILURES: str(failures_of(last) + 1)}
    return said | ({IGNORED: str(_ignored(last))} if _ignored(last) else {})


def wait_seconds(last: Object, now: datetime) -> float:
    """Return how long no next pod of an index is to be made yet."""
    failures = failures_of(last) + _ignored(last) + 1
    return job_status.wait_seconds(failures, job_status.ended_at(last) or now, now)


def verdict(job: Object, failures: set[int], done: set[int], now: datetime) -> Object | None:
    """Return that the Job has failed by its indexes, if it has."""
    most = job["spec"].get("maxFailedIndexes")
    if most is not None and len(failures) > most:
        return condition("FailureTarget", TOO_MANY, now)
    if failures and len(failures) + len(done) >= job["spec"]["completions"]:
        return condition("FailureTarget", FAILED_INDEXES, now)
    return None


def success(job: Object, done: set[int], now: datetime) -> Object | None:
    """Return that the Job has succeeded early by its success policy, if it has."""
    for number, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        text, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        meant = done if text is None else read_indexes(text, job["spec"]["completions"])
        needed = count if count is not None else len(meant)
        if len(meant & done) >= needed and (text is not None or count is not None):
            return condition("SuccessCriteriaMet", ("SuccessPolicy", f"Matched rules at index {number}"), now)
    return None
