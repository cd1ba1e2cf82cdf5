"""CronJobs start what is due, once, and as they say, as far as their controller had been told.

a Job made for a CronJob    for a whole minute that has come, after the CronJob was made, and is named after it
                            the only one for that minute
                            not while an earlier one of its is active, where that is forbidden
                            not while it is suspended

Jobs that people make from a CronJob (`create job --from`) are theirs: they have no time at which they were due.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tests.simulate.knowledge import Told, believed
from tests.simulate.story import History, Object, Violation
from tests.simulate.traffic import Exchange

DUE = "a CronJob makes a Job for a minute that has come"
ONCE = "a CronJob makes one Job for each minute"
FORBIDDEN = "a CronJob that forbids it has one Job at a time"
SUSPENDED = "a suspended CronJob makes no Job"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
SYNC_SECONDS = 20.0
"""How long the controller may be about a CronJob before it makes a Job: it asks for others first."""


def mistimed(traffic: Iterable[Exchange], history: History, told: Told) -> Iterator[Violation]:
    """Judge every Job that was made for a CronJob."""
    made: dict[tuple[str, str], str] = {}
    for write in history.of("jobs"):
        job, owner = write.now, _cron_job(write.now)
        if job is None or owner is None or write.before is not None:
            continue
        at = job["metadata"].get("annotations", {}).get(SCHEDULED)
        if at is None:
            continue
        if (owner["uid"], at) in made:
            yield Violation(ONCE, f"{write.token} at {write.revision} and {made[owner['uid'], at]} are both for {at}")
        made[owner["uid"], at] = write.token
        if why := _untimely(job, owner, at, history):
            yield Violation(DUE, f"{write.token} was made at {write.revision} for {at}, {why}")
    for one in traffic:
        if one.resource == "jobs" and one.verb == "create" and one.status == 201:
            yield from _policy(one, history, told)


def _cron_job(job: Object | None) -> Object | None:
    owners = (job or {}).get("metadata", {}).get("ownerReferences") or ()
    return next((one for one in owners if one["kind"] == "CronJob" and one.get("controller")), None)


def _untimely(job: Object, owner: Object, text: str, history: History) -> str:
    at, metadata = datetime.fromisoformat(text).astimezone(UTC), job["metadata"]
    if at.second:
        return "which is no whole minute"
    if metadata["name"] != f"{owner['name']}-{int(at.timestamp()) // 60}":
        return "and is not named after it"
    if at > datetime.fromisoformat(metadata["creationTimestamp"]):
        return "which had not come"
    begun = _made(history, f"cronjobs/{metadata['namespace']}/{owner['name']}", owner["uid"])
    return "before the CronJob was made" if begun is not None and at < begun else ""


def _made(history: History, token: str, uid: str) -> datetime | None:
    mine = (each.now for each in history.about(token) if each.now and each.now["metadata"]["uid"] == uid)
    return next((datetime.fromisoformat(each["metadata"]["creationTimestamp"]) for each in mine), None)


def _policy(one: Exchange, history: History, told: Told) -> Iterator[Violation]:
    write = next((each for each in history.about(one.token) if each.before is None and each.at >= one.began), None)
    owner = _cron_job(write.now if write is not None else None)
    if write is None or write.now is None or owner is None or SCHEDULED not in write.now["metadata"]["annotations"]:
        return
    token = f"cronjobs/{write.now['metadata']['namespace']}/{owner['name']}"
    floor = told.floor(one.request["from"], "cronjobs", one.began - SYNC_SECONDS)
    states = [each for each in believed(history, token, floor, one.began) if each["metadata"]["uid"] == owner["uid"]]
    if not states or not floor:
        return
    if all(each["spec"].get("suspend") for each in states):
        yield Violation(SUSPENDED, f"{one.token} was made at {write.revision} for {token}", one.seqs)
    jobs = {each["metadata"]["uid"]: each for each in history.state("jobs", write.revision - 1).values()}
    if all(each["spec"].get("concurrencyPolicy") == "Forbid" and _running(each, jobs) for each in states):
        running = _running(states[-1], jobs)
        yield Violation(FORBIDDEN, f"{one.token} was made at {write.revision} while {running} was active", one.seqs)


def _running(cron_job: Object, jobs: dict[str, Object]) -> str:
    """Name a Job that the CronJob says is active, and that has not finished."""
    for reference in cron_job.get("status", {}).get("active") or ():
        job = jobs.get(reference["uid"])
        conditions = (job or {}).get("status", {}).get("conditions") or ()
        if job is not None and not any(
            one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions
        ):
            return str(reference["name"])
    return ""
