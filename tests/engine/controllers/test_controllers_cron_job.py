"""CronJobs on a whole cluster: Jobs come when their time has come, and which ones stay."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cluster_engine.controllers import cron_schedule

CRON = """
apiVersion: batch/v1
kind: CronJob
metadata: {{name: hello}}
spec:
  schedule: "{schedule}"
  {more}
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers: [{{name: c, image: busybox, command: ["sh", "-c", "{script}"]}}]
"""


def document(*, schedule="* * * * *", more="suspend: false", script="echo hi"):
    return CRON.format(schedule=schedule, more=more, script=script)


async def applied(sh, **options):
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{document(**options)}\nEOF")


async def jobs(sh):
    return json.loads(await sh.ok("kubectl get jobs -o json"))["items"]


async def cron_job(sh):
    return json.loads(await sh.ok("kubectl get cj hello -o json"))


def test_a_job_is_made_each_minute_named_after_it_and_the_last_three_stay(workstation):
    async def story(sh):
        await applied(sh)
        await sh("sleep 90")
        first, then = await jobs(sh), await sh.ok("kubectl get cronjobs")
        await sh("sleep 270")
        return first, then, await jobs(sh), await cron_job(sh), await sh.ok("kubectl get events")

    first, table, last, cron, events = workstation(story)
    [job] = first
    due = datetime.fromisoformat(job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"])
    assert job["metadata"]["name"] == f"hello-{int(due.timestamp()) // 60}"
    assert (due.second, job["metadata"]["ownerReferences"][0]["name"]) == (0, "hello")
    assert " ".join(table.splitlines()[0].split()) == "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST SCHEDULE AGE"
    assert table.splitlines()[1].split()[:8] == ["hello", *"*****", "<none>", "False"]
    assert len(last) == 3
    assert (
        cron["status"]["lastSuccessfulTime"] > cron["status"]["lastScheduleTime"] > job["metadata"]["creationTimestamp"]
    )
    assert "active" not in cron["status"]
    for said in ("Created job hello-", "Saw completed job: hello-", "condition: Complete", "Deleted job hello-"):
        assert said in events


def test_what_is_running_forbids_the_next_is_replaced_by_it_or_runs_beside_it(workstation):
    async def story(sh):
        found = {}
        for policy in ("Forbid", "Replace", "Allow"):
            await applied(sh, more=f"concurrencyPolicy: {policy}", script="sleep 600")
            await sh("sleep 150")
            found[policy] = ([job["metadata"]["name"] for job in await jobs(sh)], await sh.ok("kubectl get events"))
            await sh.ok("kubectl delete cronjob hello")
            await sh("sleep 15")
        return found

    found = workstation(story)
    counts = {policy: len(names) for policy, (names, _) in found.items()}
    assert counts["Forbid"] == counts["Replace"] == 1
    assert counts["Allow"] >= 2
    assert "prior execution is running and concurrency policy is Forbid" in found["Forbid"][1]
    assert "Deleted job hello-" in found["Replace"][1]


def test_a_suspended_one_makes_none_and_goes_on_when_it_is_resumed(workstation):
    async def story(sh):
        await applied(sh, more="suspend: true")
        await sh("sleep 150")
        before = await jobs(sh)
        await sh.ok("""kubectl patch cronjob hello -p '{"spec":{"suspend":false}}'""")
        await sh("sleep 5")
        return before, await jobs(sh)

    before, after = workstation(story)
    assert before == []
    assert len(after) == 1


def test_its_jobs_and_their_pods_go_with_it(workstation):
    async def story(sh):
        await applied(sh)
        await sh("sleep 90")
        await sh.ok("kubectl delete cronjob hello")
        await sh("sleep 10")
        return await sh("kubectl get jobs,pods")

    assert workstation(story).err == "No resources found in default namespace.\n"


def test_what_cannot_be_is_refused_in_the_real_servers_words(workstation):
    async def story(sh):
        wrong: list[dict[str, str]] = [
            {"schedule": "61 * * * *"},
            {"schedule": "CRON_TZ=UTC * * * * *"},
            {"more": "timeZone: Europe/Nowhere"},
            {"more": "concurrencyPolicy: Never"},
        ]
        documents = [document(**options) for options in wrong]
        documents.append(document().replace("restartPolicy: Never", "restartPolicy: Always"))
        return [(await sh(f"kubectl create -f - <<'EOF'\n{each}\nEOF")).err for each in documents]

    schedule, both, zone, policy, always = workstation(story)
    assert 'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61' in schedule
    assert "cannot use TZ or CRON_TZ in schedule, use timeZone field instead" in both
    assert 'spec.timeZone: Invalid value: "Europe/Nowhere": unknown time zone Europe/Nowhere' in zone
    assert 'Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"' in policy
    assert 'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure"' in always


NOW = datetime(2026, 1, 5, 10, 12, tzinfo=UTC)


def made(schedule, **spec):
    created = {"name": "c", "namespace": "default", "creationTimestamp": "2026-01-05T10:00:00Z"}
    return {"metadata": created, "spec": {"schedule": schedule, **spec}}


@pytest.mark.parametrize(
    ("schedule", "spec", "later", "last", "missed"),
    [
        ("*/5 * * * *", {}, timedelta(0), NOW.replace(minute=10), 2),
        ("0 11 * * *", {}, timedelta(0), None, 0),
        ("* * * * *", {}, timedelta(days=2), NOW + timedelta(days=2), 2892),
        ("30 6-16/4 * * 1-5", {}, timedelta(days=7), (NOW + timedelta(days=6)).replace(day=12, hour=6, minute=30), 41),
        ("@every 7m", {}, timedelta(0), NOW.replace(minute=7), 1),
        ("*/5 * * * *", {"startingDeadlineSeconds": 60}, timedelta(0), None, 0),
        ("0 12 * * *", {"timeZone": "Europe/Berlin"}, timedelta(hours=1), NOW.replace(hour=11, minute=0), 0),
    ],
)
def test_the_last_time_that_has_come_is_found_and_how_many_were_missed(schedule, spec, later, last, missed):
    cron_job = made(schedule, **spec)
    found = cron_schedule.due(cron_job, {}, cron_schedule.schedule_of(cron_job), NOW + later, within_deadline=True)
    assert found.last == last
    assert abs(found.missed - missed) <= (1 if missed else 0)


def test_a_schedule_that_never_strikes_says_so():
    cron_job = made("0 0 31 2 *")
    with pytest.raises(ValueError, match="less than 1 second"):
        cron_schedule.due(cron_job, {}, cron_schedule.schedule_of(cron_job), NOW, within_deadline=True)
