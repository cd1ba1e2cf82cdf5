"""Jobs count right and end once: seen in etcd's history.

status.succeeded       never falls, never passes spec.completions, counts pods that have succeeded
Complete               with exactly the completions asked for
finished               stays finished, with the same counts, and makes no more pods
"""

from collections.abc import Iterator

from cluster_engine.api.objects import Object
from tests.simulate.story import History, Violation, Write

COUNTED = "a Job counts the pods that have succeeded"
FINISHED = "a finished Job stays finished"


def miscounted(history: History) -> Iterator[Violation]:
    """Judge each write of a Job, and each pod that was made for one."""
    succeeded: dict[str, set[str]] = {}
    finished: dict[str, Object] = {}
    for write in sorted(history.of("jobs") + history.of("pods"), key=lambda one: one.revision):
        if write.now is None:
            continue
        if write.token.startswith("jobs/"):
            yield from _job(write, write.now, succeeded, finished)
        else:
            yield from _pod(write, write.now, succeeded, finished)


def _pod(write: Write, pod: Object, succeeded: dict[str, set[str]], finished: dict[str, Object]) -> Iterator[Violation]:
    owners = (one for one in pod["metadata"].get("ownerReferences") or () if one["kind"] == "Job")
    for owner in owners:
        if pod.get("status", {}).get("phase") == "Succeeded":
            succeeded.setdefault(owner["uid"], set()).add(pod["metadata"]["uid"])
        if write.before is None and owner["uid"] in finished:
            yield Violation(FINISHED, f"{write.token} was made at {write.revision} for {owner['name']}, which is over")


def _job(write: Write, job: Object, succeeded: dict[str, set[str]], finished: dict[str, Object]) -> Iterator[Violation]:
    uid, status = job["metadata"]["uid"], job.get("status", {})
    count, wanted = status.get("succeeded", 0), job["spec"].get("completions")
    before = (write.before or {}).get("status", {}).get("succeeded", 0)
    if count < before or (wanted is not None and count > wanted):
        yield Violation(COUNTED, f"{write.token} went from {before} to {count} of {wanted} at {write.revision}")
    if count > len(succeeded.get(uid, ())):
        yield Violation(
            COUNTED, f"{write.token} counts {count} at {write.revision}: {len(succeeded.get(uid, ()))} have"
        )
    if uid in finished and _outcome(finished[uid]) != _outcome(job):
        was, now = _outcome(finished[uid]), _outcome(job)
        yield Violation(FINISHED, f"{write.token} was {was}, and is {now} at {write.revision}")
    conditions = _outcome(job)[0]
    if "Complete" in conditions and wanted is not None and count != wanted:
        yield Violation(COUNTED, f"{write.token} is complete with {count} of {wanted} at {write.revision}")
    if conditions:
        finished.setdefault(uid, job)


def _outcome(job: Object) -> tuple[tuple[str, ...], int, int]:
    status = job.get("status", {})
    held = {one["type"] for one in status.get("conditions") or () if one["status"] == "True"}
    return tuple(sorted(held & {"Complete", "Failed"})), status.get("succeeded", 0), status.get("failed", 0)
