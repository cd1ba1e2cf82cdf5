"""A cluster in its own thread, and from the command line. Real threads and processes: that is the subject."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cluster_engine.__main__ import main
from cluster_engine.deeds import Pace, Pause, Resume, Step
from cluster_engine.thread import ClusterEndedError, ClusterSpec, ClusterThread, running


@pytest.fixture
def thread():
    entries, clocks = [], []
    made = ClusterThread(ClusterSpec(pace=20.0), on_entries=entries.extend, on_clock=clocks.append)
    made.entries_seen, made.clocks_seen = entries, clocks
    made.start().result(timeout=60)
    yield made
    made.stop().result(timeout=60)


def test_entries_come_in_order_without_a_gap(thread):
    printed = []
    assert thread.command("kubectl get nodes", lambda _, text: printed.append(text)).result(timeout=30) == 0
    assert "worker-2" in "".join(printed)
    thread.put(Pause()).result(timeout=10)
    seqs = [entry["seq"] for entry in thread.entries_seen]
    assert seqs == list(range(1, len(seqs) + 1))
    assert thread.entries(0, 10**6).result(timeout=10)[-1]["seq"] >= seqs[-1]


def test_pause_step_and_pace_are_told(thread):
    thread.put(Pause()).result(timeout=10)
    assert thread.clocks_seen[-1]["paused"]
    first = thread.put(Step()).result(timeout=10)["seq"]
    assert thread.put(Step()).result(timeout=10)["seq"] > first
    thread.put(Pace(2.0)).result(timeout=10)
    thread.put(Resume()).result(timeout=10)
    assert thread.clocks_seen[-1]["pace"] == 2.0
    with pytest.raises(ValueError, match="pace"):
        thread.put(Pace(0)).result(timeout=10)


def test_its_workers_are_those_too_that_were_switched_on_later(thread):
    before = thread.workers().result(timeout=10)
    thread.command("machines add spare", lambda *_: None).result(timeout=30)
    assert thread.workers().result(timeout=10) == [*before, "spare"] == ["worker-1", "worker-2", "spare"]


def test_an_entry_can_be_opened_to_its_bytes(thread):
    thread.command("kubectl get nodes", lambda *_: None).result(timeout=30)
    request = next(
        entry
        for entry in thread.entries(0, 10**6).result(timeout=10)
        if entry["kind"] == "http.request" and entry["from"] == "workstation/kubectl"
    )
    detail = thread.detail(request["seq"]).result(timeout=10)
    assert [":method", "GET"] in detail["headers"]
    assert detail["records"][0]["type"] == "application_data"
    assert detail["segments"][0]["payload"]
    with pytest.raises(KeyError):
        thread.detail(10**9).result(timeout=10)


def test_after_the_end_every_question_is_refused_in_words():
    thread = ClusterThread(ClusterSpec(pace=None, capture=False))
    thread.start().result(timeout=60)
    thread.stop().result(timeout=60)
    with pytest.raises(ClusterEndedError, match="not running"):
        thread.command("kubectl get nodes", lambda *_: None).result(timeout=10)


@pytest.mark.parametrize("at", ["once", "work"])
def test_a_cluster_that_is_stopped_while_it_starts_gives_the_start_up(at):
    entries = []
    thread = ClusterThread(ClusterSpec(), on_entries=entries.extend)
    started = thread.start()
    while at == "work" and thread._clock.now == 0.0:
        thread.ping().result(timeout=60)
    thread.stop().result(timeout=60)
    with pytest.raises(ClusterEndedError, match="before it was up"):
        started.result(timeout=10)
    assert entries == []  # which are told once it is up


def test_a_cluster_that_cannot_start_says_why():
    with pytest.raises(ValueError, match="1 to 50"), running(nodes=0):
        pass


def test_as_a_test_control_plane():
    with running(nodes=1, pace=30.0) as control_plane:
        assert "worker-1" in control_plane.kubectl("get nodes")
        with pytest.raises(RuntimeError, match="NotFound"):
            control_plane.kubectl("get pod nothing")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_says_when_it_is_ready_and_ends_cleanly(tmp_path, number):
    command = [sys.executable, "-m", "cluster_engine", "up", "--nodes", "1", "--gateway", "127.0.0.1:0"]
    files = ["--kubeconfig", str(tmp_path / "kubeconfig"), "--journal", str(tmp_path / "journal.jsonl")]
    with subprocess.Popen([*command, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert set(told) == {"gateway", "kubeconfig", "seconds", "cpuSeconds"}
    assert told["gateway"] in (tmp_path / "kubeconfig").read_text()
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o077 == 0
    entries = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))


class FakeMachine:
    """Nobody waits on it for real; `happens` is called with each wait, and told which one it is."""

    def __init__(self, happens=lambda _: None):
        self.seconds, self.waits, self.happens = 0.0, 0, happens

    def real(self):
        return self.seconds

    def processor(self):
        return 0.0

    def wait(self, outside, seconds):
        self.waits += 1
        self.seconds += seconds
        self.happens(self.waits)
        return outside.select(0)


def test_a_clock_that_falls_behind_is_told_and_told_again_until_it_is_level():
    machine, clocks = FakeMachine(), []
    thread = ClusterThread(ClusterSpec(nodes=1, pace=1.0, capture=False), on_clock=clocks.append, machine=machine)
    thread.start().result(timeout=60)

    async def held_up(cluster):
        machine.seconds += 30
        await cluster.world.until(lambda: machine.seconds > 120, within_seconds=1000)

    thread.run(held_up).result(timeout=60)
    thread.stop().result(timeout=60)
    behind = [clock["behind"] for clock in clocks]
    assert 25 < max(behind) <= 30
    assert sorted(set(behind), reverse=True) == [one for one in behind if one] + [0]
    assert clocks[-1].items() >= {"behind": 0, "reached": None, "paused": False, "pace": 1}.items()


def test_up_says_on_standard_error_that_the_machine_slept(capsys, tmp_path):
    machine = FakeMachine()

    def happens(wait):
        if wait == 200:
            machine.seconds += 7500
        if wait == 1000:
            os.kill(os.getpid(), signal.SIGTERM)

    machine.happens = happens
    arguments = ["--nodes", "1", "--gateway", "127.0.0.1:0", "--kubeconfig", str(tmp_path / "kubeconfig")]
    assert main(["up", *arguments], machine) == 0
    assert capsys.readouterr().err == "glassplane: this machine slept: 2 h 5 min are left out of the cluster's time\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nodes", "0"], "a cluster has 1 to 50 nodes, not 0"),
        (["--gateway", "0.0.0.0:6443"], "loopback only"),
        (["--gateway", "here"], "is not HOST:PORT"),
        (["--pace", "-1"], "pace"),
    ],
)
def test_up_refuses_bad_options_in_words(arguments, words):
    command = [sys.executable, "-m", "cluster_engine", "up", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
