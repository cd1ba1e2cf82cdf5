"""Jobs, on a whole cluster, and what their status says."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from cluster_engine.controllers import job_status

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: work}}
spec:
  {spec}
  template:
    spec:
      restartPolicy: {policy}
      containers: [{{name: c, image: busybox, command: [sh, -c, "{script}"]}}]
"""


async def submitted(sh, *, spec="backoffLimit: 6", script="sleep 2", policy="Never"):
    text = JOB.format(spec=spec, script=script, policy=policy)
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{text}\nEOF")


async def state(sh):
    job = json.loads(await sh.ok("kubectl get job work -o json"))
    found = json.loads(await sh.ok("kubectl get pods -o json"))["items"]
    return job["status"], found


def said(status):
    return [(each["type"], each["reason"]) for each in status["conditions"] if each["status"] == "True"]


def test_as_many_pods_succeed_as_are_wanted_and_no_more_than_allowed_run_at_once(workstation):
    async def story(sh):
        await submitted(sh, spec="completions: 5\n  parallelism: 2")
        most = 0
        for _ in range(40):
            status, pods = await state(sh)
            most = max(most, sum(pod["status"]["phase"] in ("Pending", "Running") for pod in pods))
            if "completionTime" in status:
                break
            await sh("sleep 1")
        listed = await sh.ok("kubectl get jobs")
        return status, pods, most, listed

    status, pods, most, listed = workstation(story)
    assert most == 2
    assert said(status) == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert (status["succeeded"], status["ready"], status["terminating"]) == (5, 0, 0)
    assert status["uncountedTerminatedPods"] == {}
    assert len(pods) == 5
    assert not any("finalizers" in pod["metadata"] for pod in pods)
    assert listed.split("\n")[1].split()[:3] == ["work", "Complete", "5/5"]


def test_the_pods_of_a_job_that_is_deleted_while_they_run_go_too(workstation):
    async def story(sh):
        await submitted(sh, spec="completions: 2\n  parallelism: 2", script="sleep 100")
        await sh.ok("kubectl wait --for=condition=Ready pod -l job-name=work --timeout=60s")
        await sh.ok("kubectl delete job work")
        await asyncio.sleep(40)
        return await sh("kubectl get pods")

    left = workstation(story)
    assert (left.out, left.err) == ("", "No resources found in default namespace.\n")


def test_after_each_failure_it_waits_longer_and_after_too_many_it_has_failed(workstation):
    async def story(sh):
        await submitted(sh, spec="backoffLimit: 2", script="exit 3")
        await sh.ok("kubectl wait --for=condition=failed job/work --timeout=120s")
        return await state(sh)

    status, pods = workstation(story)
    assert said(status) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert status["failed"] == len(pods) == 3
    made = sorted(datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in pods)
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(made)]
    assert 10 <= gaps[0] <= 15
    assert 20 <= gaps[1] <= 25


def test_each_pod_of_an_indexed_job_knows_its_number(workstation):
    async def story(sh):
        spec = "completionMode: Indexed\n  completions: 4\n  parallelism: 2"
        await submitted(sh, spec=spec, script="echo I am $JOB_COMPLETION_INDEX")
        await sh.ok("kubectl wait --for=condition=complete job/work --timeout=60s")
        status, pods = await state(sh)
        logs = [await sh.ok(f"kubectl logs {pod['metadata']['name']}") for pod in pods]
        return status, pods, logs

    status, pods, logs = workstation(story)
    assert status["completedIndexes"] == "0-3"
    assert sorted(logs) == [f"I am {n}\n" for n in range(4)]
    assert sorted(pod["metadata"]["name"].rpartition("-")[0] for pod in pods) == [f"work-{n}" for n in range(4)]


def test_a_suspended_job_has_no_pods_and_a_resumed_one_begins_anew(workstation):
    async def story(sh):
        await submitted(sh, spec="suspend: true")
        await sh("sleep 5")
        before = await state(sh)
        await sh.ok("""kubectl patch job work -p '{"spec":{"suspend":false}}'""")
        await sh.ok("kubectl wait --for=condition=complete job/work --timeout=60s")
        return before, await state(sh)

    (before, none), (after, _) = workstation(story)
    assert said(before) == [("Suspended", "JobSuspended")]
    assert none == []
    assert "startTime" not in before
    assert after["succeeded"] == 1


def test_a_job_that_takes_too_long_fails_and_its_pods_go(workstation):
    async def story(sh):
        await submitted(sh, spec="activeDeadlineSeconds: 5", script="sleep 1000")
        await sh.ok("kubectl wait --for=condition=failed job/work --timeout=120s")
        await sh("sleep 40")
        return await state(sh)

    status, pods = workstation(story)
    assert said(status) == [("FailureTarget", "DeadlineExceeded"), ("Failed", "DeadlineExceeded")]
    assert pods == []


def test_a_failure_policy_ends_a_job_at_the_exit_code_it_names(workstation):
    async def story(sh):
        rule = "{action: FailJob, onExitCodes: {operator: In, values: [42]}}"
        await submitted(sh, spec=f"podFailurePolicy: {{rules: [{rule}]}}", script="exit 42")
        await sh.ok("kubectl wait --for=condition=failed job/work --timeout=60s")
        return await state(sh)

    status, pods = workstation(story)
    assert said(status)[-1] == ("Failed", "PodFailurePolicy")
    name = pods[0]["metadata"]["name"]
    assert status["conditions"][-1]["message"] == (
        f"Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    )


def test_a_controller_that_dies_in_between_counts_no_pod_twice(workstation):
    async def story(sh):
        await submitted(sh, spec="completions: 6\n  parallelism: 3", script="sleep 1")
        for seconds in (2.3, 2.4, 17.1, 18.05, 17.3):
            await sh(f"sleep {seconds}")
            await sh.cluster.supervisor.restart("control-plane/kube-controller-manager", "test", kill=True)
        await sh.ok("kubectl wait --for=condition=complete job/work --timeout=180s")
        return await state(sh)

    status, pods = workstation(story)
    assert status["succeeded"] == 6
    assert sum(pod["status"]["phase"] == "Succeeded" for pod in pods) == 6


def test_what_may_not_be_is_refused_in_the_real_servers_words(workstation):
    async def story(sh):
        always = await sh("kubectl create -f - <<'EOF'\n" + JOB.format(spec="", policy="Always", script="x") + "\nEOF")
        await submitted(sh)
        changed = await sh("""kubectl patch job work -p '{"spec":{"completions":2}}'""")
        return always.err, changed.err

    always, changed = workstation(story)
    assert 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"' in always
    assert "spec.completions: Invalid value: 2: field is immutable" in changed


@pytest.mark.parametrize(
    ("indexes", "text"),
    [((), ""), ((0,), "0"), ((0, 1), "0,1"), ((0, 1, 2, 5), "0-2,5"), ((7, 3, 4, 5, 9, 10), "3-5,7,9,10")],
)
def test_indexes_are_written_as_ranges_and_read_again(indexes, text):
    assert job_status.written_indexes(indexes) == text
    assert job_status.read_indexes(text, 100) == set(indexes)
    assert job_status.read_indexes(text, 5) == {index for index in indexes if index < 5}


def test_the_wait_after_failures_doubles_up_to_ten_minutes():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    waits = [job_status.wait_seconds(failures, now - timedelta(seconds=4), now) for failures in (0, 1, 2, 7, 1000)]
    assert waits == [0, 6, 16, 596, 596]


INDEXED = "completionMode: Indexed\n  completions: {n}\n  parallelism: {n}\n  "


def test_a_finished_job_is_deleted_with_its_pods_when_its_time_has_come(workstation):
    async def story(sh):
        await submitted(sh, spec="ttlSecondsAfterFinished: 20", script="true")
        await sh.ok("kubectl wait --for=condition=complete job/work --timeout=60s")
        await sh("sleep 15")
        before = await sh.ok("kubectl get jobs -o name")
        await sh("sleep 10")
        return before, (await sh("kubectl get jobs,pods")).err

    before, after = workstation(story)
    assert before == "job.batch/work\n"
    assert after == "No resources found in default namespace.\n"


def test_a_job_has_succeeded_when_its_policy_says_so_and_its_other_pods_are_ended(workstation):
    async def story(sh):
        policy = "successPolicy: {rules: [{succeededIndexes: 0-1, succeededCount: 1}]}"
        script = "test $JOB_COMPLETION_INDEX = 1 || sleep 600"
        await submitted(sh, spec=INDEXED.format(n=3) + policy, script=script)
        await sh.ok("kubectl wait --for=condition=complete job/work --timeout=120s")
        return await state(sh)

    status, pods = workstation(story)
    assert said(status) == [("SuccessCriteriaMet", "SuccessPolicy"), ("Complete", "SuccessPolicy")]
    assert status["conditions"][-1]["message"] == "Matched rules at index 0"
    assert (status["completedIndexes"], status["succeeded"], status.get("active", 0)) == ("1", 1, 0)
    assert not [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]


def test_each_index_has_failures_of_its_own_and_the_others_go_on(workstation):
    async def story(sh):
        script = "test $JOB_COMPLETION_INDEX != 1"
        await submitted(sh, spec=INDEXED.format(n=3) + "backoffLimitPerIndex: 1", script=script)
        await sh.ok("kubectl wait --for=condition=failed job/work --timeout=120s")
        return await state(sh)

    status, pods = workstation(story)
    assert said(status) == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]
    assert (status["completedIndexes"], status["failedIndexes"], status["failed"]) == ("0,2", "1", 2)
    annotation = "batch.kubernetes.io/job-index-failure-count"
    tried = [pod for pod in pods if pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "1"]
    assert sorted(pod["metadata"]["annotations"][annotation] for pod in tried) == ["0", "1"]
    ends = [pod["status"]["containerStatuses"][0]["state"]["terminated"] for pod in tried]
    first, second = sorted(datetime.fromisoformat(each["startedAt"]) for each in ends)
    assert (second - first).total_seconds() >= 10
    assert not any("finalizers" in pod["metadata"] for pod in pods)


def test_more_failed_indexes_than_allowed_end_the_job(workstation):
    async def story(sh):
        more = "backoffLimitPerIndex: 0\n  maxFailedIndexes: 1"
        await submitted(sh, spec=INDEXED.format(n=4) + more, script="test $JOB_COMPLETION_INDEX = 9 || sleep 600")
        return await state(sh)

    async def failing(sh):
        more = "backoffLimitPerIndex: 0\n  maxFailedIndexes: 1"
        script = "test $JOB_COMPLETION_INDEX -lt 2 && exit 1; sleep 600"
        await submitted(sh, spec=INDEXED.format(n=4) + more, script=script)
        await sh.ok("kubectl wait --for=condition=failed job/work --timeout=120s")
        return await state(sh)

    assert "conditions" not in workstation(story)[0]
    status, pods = workstation(failing)
    assert said(status)[-1] == ("Failed", "MaxFailedIndexesExceeded")
    assert not [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]


def test_what_is_for_indexed_jobs_is_refused_for_others(workstation):
    async def story(sh):
        return [
            (await sh(f"kubectl create -f - <<'EOF'\n{JOB.format(spec=each, script='x', policy='Never')}\nEOF")).err
            for each in ("backoffLimitPerIndex: 1", "maxFailedIndexes: 1")
        ]

    limit, most = workstation(story)
    assert "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode" in limit
    assert "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified" in most


def test_a_job_that_is_over_makes_no_pod_while_the_news_of_its_end_are_late(workstation):
    async def story(sh):
        await submitted(sh)
        await sh("sleep 1")
        sh.cluster.fail("slow-watcher", target="control-plane/kube-controller-manager", resource="jobs", seconds=9)
        await sh("sleep 20")
        seen = await state(sh)
        await sh("sleep 60")
        return seen, await state(sh)

    (early, _), (status, pods) = workstation(story)
    assert (
        said(early)
        == said(status)
        == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    )
    assert len(pods) == 1
