"""A bug of ours planted in each place where one can be, in a cluster as the product runs it."""

import asyncio
import re
from concurrent.futures import Future

import pytest

from cluster_engine.apiserver.handlers.resources import Resources
from cluster_engine.etcd import apply
from cluster_engine.lens import Lens
from cluster_engine.programs.running import Program
from cluster_engine.programs.table import PROGRAMS
from cluster_engine.scheduler.main import Scheduler
from cluster_engine.shell import terminal
from cluster_engine.thread import ClusterSpec, ClusterThread
from cluster_engine.words.sentences import sentence
from cluster_engine.world import bugs
from tests.engine.cluster.test_cluster_whole import running_pods, typed

pytestmark = pytest.mark.bears_bugs


def told_of(cluster):
    """Give the entries that tell of bugs of ours."""
    return [entry for entry in cluster.journal.since(0, 10**6) if entry["kind"] == bugs.KIND]


def planted(*_, **__):
    raise KeyError("planted")


def test_a_component_with_a_bug_crashes_is_started_again_and_the_cluster_goes_on(monkeypatch, in_copy):
    async def story(cluster):
        with monkeypatch.context() as patch:
            patch.setattr(Scheduler, "_choose", planted)
            assert (await typed(cluster)("kubectl create deployment web --image=nginx"))[0] == 0
            await cluster.world.until(lambda: told_of(cluster))
        await cluster.world.until(lambda: running_pods(cluster))
        (entry,) = told_of(cluster)
        assert entry["from"] == "control-plane/kube-scheduler"
        assert sentence(entry) == "kube-scheduler: a bug of Glassplane, not of Kubernetes: KeyError: 'planted'"
        assert entry["fields"]["trace"].splitlines()[0].startswith("cluster_engine/")
        assert not cluster.world.failed.done()

    in_copy(story)


def test_an_etcd_whose_handler_has_a_bug_crashes_and_comes_back_with_what_it_had(monkeypatch, in_copy):
    async def story(cluster):
        type_ = typed(cluster)
        assert (await type_("kubectl create configmap before"))[0] == 0
        with monkeypatch.context() as patch:
            patch.setattr(apply, "apply_txn", planted)
            assert (await type_("kubectl create configmap meanwhile"))[0] == 1
        assert {entry["from"] for entry in told_of(cluster)} == {"control-plane/etcd"}
        await cluster.world.until(lambda: cluster.processes["control-plane/etcd"].is_alive)
        await asyncio.sleep(10)
        code, printed = await type_("kubectl get configmap before meanwhile")
        assert (code, '"meanwhile" not found' in printed, "before" in printed) == (1, True, True)

    in_copy(story)


def test_a_request_whose_handler_has_a_bug_is_answered_500_and_the_server_goes_on(monkeypatch, in_copy):
    async def story(cluster):
        type_ = typed(cluster)
        with monkeypatch.context() as patch:
            patch.setattr(Resources, "serve", planted)
            code, printed = await type_("kubectl get --raw /api/v1/nodes")
        assert code == 1
        assert "This request caused apiserver to panic. Look in the logs for details." in printed
        assert (await type_("kubectl get nodes"))[0] == 0
        assert {entry["from"] for entry in told_of(cluster)} == {"control-plane/kube-apiserver"}
        assert "GET /api/v1/nodes" in {entry["fields"]["doing"] for entry in told_of(cluster)}

    in_copy(story)


def test_a_program_with_a_bug_says_so_and_where_in_the_journal_and_exits_with_70(monkeypatch, in_copy):
    monkeypatch.setitem(PROGRAMS, "kubectl", Program("kubectl", planted, connects=True))

    async def story(cluster):
        code, printed = await typed(cluster)("kubectl get nodes")
        (entry,) = told_of(cluster)
        assert (code, printed) == (
            70,
            f"kubectl: {bugs.APOLOGY}: KeyError: 'planted' (entry {entry['seq']} of the journal)\n",
        )
        assert entry["from"] == "workstation/kubectl"

    in_copy(story)


def test_a_shell_with_a_bug_says_so_too_and_takes_the_next_line(monkeypatch, in_copy):
    async def story(cluster):
        with monkeypatch.context() as patch:
            patch.setattr(terminal, "parse", planted)
            code, printed = await typed(cluster)("echo hello")
        (entry,) = told_of(cluster)
        assert (code, printed) == (
            70,
            f"sh: {bugs.APOLOGY}: KeyError: 'planted' (entry {entry['seq']} of the journal)\n",
        )
        assert await typed(cluster)("echo hello") == (0, "hello\n")

    in_copy(story)


def test_a_lens_with_a_bug_ends_the_cluster_with_an_apology_that_names_the_place_in_the_journal(monkeypatch):
    failure = Future()
    thread = ClusterThread(ClusterSpec(pace=20.0), on_failure=failure.set_result)
    thread.start().result(timeout=60)
    try:
        monkeypatch.setattr(Lens, "segment", planted)
        bug = failure.result(timeout=60)
    finally:
        thread.stop().result(timeout=60)
    assert repr(bug) == "KeyError('planted')"
    where, position = bug.__notes__
    assert where.startswith("in the lens at ")
    assert re.fullmatch(r"at entry [1-9]\d* of the journal", position)
