"""CronJobs, made up: each invariant goes red, and only on what is wrong."""

import pytest

from tests.simulate import crons as c
from tests.simulate.knowledge import Told
from tests.simulate.story import History, Write
from tests.simulate.traffic import Exchange

CONTROLLER = "control-plane/kube-controller-manager"
MINUTE = 29454361  # 10:01
STATUS = {"active": [{"uid": "job-1", "name": f"slow-{MINUTE}"}]}


def cron_job(revision, at, *, policy="Forbid", suspend=False, status=None, before=None):
    metadata = {"name": "slow", "namespace": "default", "uid": "cron", "creationTimestamp": "2026-01-01T10:00:30Z"}
    spec = {"concurrencyPolicy": policy, "suspend": suspend}
    now = {"metadata": metadata, "spec": spec, "status": status or {}}
    return Write(revision, "/registry/cronjobs/default/slow", before, now, at)


def job(revision, at, n, *, name="", scheduled="", created="2026-01-01T10:02:00Z", finished=False):
    scheduled = scheduled or f"2026-01-01T10:0{n}:00Z"
    name = name or f"slow-{MINUTE - 1 + n}"
    metadata = {"name": name, "namespace": "default", "uid": f"job-{n}", "creationTimestamp": created}
    metadata["ownerReferences"] = [{"kind": "CronJob", "name": "slow", "uid": "cron", "controller": True}]
    metadata["annotations"] = {c.SCHEDULED: scheduled}
    conditions = [{"type": "Complete", "status": "True"}] if finished else []
    now = {"metadata": metadata, "status": {"conditions": conditions}}
    return Write(revision, f"/registry/jobs/default/{name}", None, now, at)


def made(write):
    named = {"name": write.now["metadata"]["name"], "namespace": "default", "resource": "jobs"}
    request = {"seq": 1, "at": write.at - 0.1, "from": CONTROLLER, "fields": {**named, "verb": "create", "path": "/"}}
    return Exchange(request, {"seq": 2, "at": write.at + 0.1, "fields": {**named, "status": 201}})


def told(*heard):
    fields = [{"resource": "cronjobs", "resourceVersion": str(revision)} for revision, _ in heard]
    times = [at for _, at in heard]
    return Told(
        {"kind": "watch.event", "to": CONTROLLER, "arrived": at, "fields": one}
        for one, at in zip(fields, times, strict=True)
    )


def found(*writes, heard=((1, 0.1), (3, 31.0))):
    history = History(writes)
    traffic = [made(write) for write in writes if write.token.startswith("jobs/") and write.before is None]
    return {one.invariant for one in c.mistimed(traffic, history, told(*heard))}


FIRST = cron_job(1, 0.0)
ONE = job(2, 30.1, 1)
ACTIVE = cron_job(3, 30.2, status=STATUS)


@pytest.mark.parametrize(
    ("wrong", "invariants"),
    [
        (job(4, 90.1, 2, finished=True), {c.FORBIDDEN}),
        (job(4, 90.1, 2, scheduled="2026-01-01T10:02:07Z"), {c.DUE, c.FORBIDDEN}),
        (job(4, 90.1, 2, name="slow-7"), {c.DUE, c.FORBIDDEN}),
        (job(4, 90.1, 2, created="2026-01-01T10:01:59Z"), {c.DUE, c.FORBIDDEN}),
        (job(4, 90.1, 2, name=f"slow-{MINUTE - 1}", scheduled="2026-01-01T10:00:00Z"), {c.DUE, c.FORBIDDEN}),
        (job(4, 90.1, 2, scheduled="2026-01-01T10:01:00Z"), {c.DUE, c.ONCE, c.FORBIDDEN}),
    ],
)
def test_a_job_too_many_too_early_or_of_no_minute_is_found(wrong, invariants):
    assert found(FIRST, ONE, ACTIVE, wrong) == invariants


def test_what_is_allowed_or_over_or_was_not_known_is_not_blamed():
    ended = Write(4, ONE.key, ONE.now, job(4, 60.0, 1, finished=True).now, 60.0)
    assert found(FIRST, ONE, ACTIVE, ended, job(5, 90.1, 2)) == set()
    assert found(FIRST, ONE, cron_job(3, 30.2, status=STATUS, policy="Allow"), job(4, 90.1, 2)) == set()
    assert found(FIRST, ONE, ACTIVE, job(4, 90.1, 2), heard=[(1, 0.1)]) == set()
    assert found(FIRST, ONE, ACTIVE, cron_job(4, 89.0), job(5, 90.1, 2)) == set(), "it may hold the last for true"
    by_hand = job(4, 90.1, 2, name="by-hand")
    del by_hand.now["metadata"]["annotations"][c.SCHEDULED]
    assert found(FIRST, ONE, ACTIVE, by_hand) == set()


def test_a_suspended_cron_job_makes_none_once_that_is_known():
    suspended = cron_job(3, 30.2, suspend=True)
    assert found(FIRST, ONE, suspended, job(4, 90.1, 2)) == {c.SUSPENDED}
    assert found(FIRST, ONE, suspended, job(4, 45.1, 2)) == set(), "the controller was about it already"
