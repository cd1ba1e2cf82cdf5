"""A cluster in its own thread, and from the command line. Real threads and processes: that is the subject."""

import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest
from patience import PATIENCE_SECONDS, until

from cluster_engine.__main__ import main
from cluster_engine.deeds import BodyStop, Pace, Pause, Resume, Step, Stops
from cluster_engine.stops import PAGES_MAX
from cluster_engine.thread import ClusterEndedError, ClusterSpec, ClusterThread, running


@pytest.fixture
def thread():
    entries, clocks = [], []
    made = ClusterThread(ClusterSpec(pace=20.0), on_entries=entries.extend, on_clock=clocks.append)
    made.entries_seen, made.clocks_seen = entries, clocks
    made.start().result(timeout=PATIENCE_SECONDS)
    yield made
    made.stop().result(timeout=PATIENCE_SECONDS)


def test_entries_come_in_order_without_a_gap(thread):
    printed = []
    assert (
        thread.command("kubectl get nodes", lambda _, text: printed.append(text)).result(timeout=PATIENCE_SECONDS) == 0
    )
    assert "worker-2" in "".join(printed)
    thread.put(Pause()).result(timeout=PATIENCE_SECONDS)
    seqs = [entry["seq"] for entry in thread.entries_seen]
    assert seqs == list(range(1, len(seqs) + 1))
    assert thread.entries(0, 10**6).result(timeout=PATIENCE_SECONDS)[-1]["seq"] >= seqs[-1]


def test_pause_step_and_pace_are_told(thread):
    thread.put(Pause()).result(timeout=PATIENCE_SECONDS)
    assert thread.clocks_seen[-1]["paused"]
    first = thread.put(Step()).result(timeout=PATIENCE_SECONDS)["seq"]
    assert thread.put(Step()).result(timeout=PATIENCE_SECONDS)["seq"] > first
    thread.put(Pace(2.0)).result(timeout=PATIENCE_SECONDS)
    thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    assert thread.clocks_seen[-1]["pace"] == 2.0
    with pytest.raises(ValueError, match="pace"):
        thread.put(Pace(0)).result(timeout=PATIENCE_SECONDS)


def stands(thread):
    return thread.clock().result(timeout=PATIENCE_SECONDS)["paused"]


def test_time_stops_at_the_entry_that_is_waited_for_and_again_at_the_next(thread):
    thread.put(Stops([{"kind": "http.request", "from": "workstation/kubectl", "label": "GET nodes*"}])).result(
        timeout=PATIENCE_SECONDS
    )
    asked = thread.command("kubectl get nodes; sleep 1; kubectl get nodes", lambda *_: None)
    seen = []
    for _ in range(2):
        until(lambda: stands(thread))
        assert not asked.done()
        last = thread.entries(0, 10**6).result(timeout=PATIENCE_SECONDS)
        now = thread.clock().result(timeout=PATIENCE_SECONDS)["now"]
        seen.append(next(entry for entry in reversed(last) if entry["label"].startswith("GET nodes")))
        assert seen[-1]["arrived"] == pytest.approx(now)
        thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    asked.result(timeout=PATIENCE_SECONDS)
    assert seen[0]["seq"] < seen[1]["seq"]
    with pytest.raises(ValueError, match="there is no key knd"):
        thread.put(Stops([{"knd": "x"}])).result(timeout=PATIENCE_SECONDS)
    thread.put(Stops()).result(timeout=PATIENCE_SECONDS)
    thread.command("kubectl get nodes", lambda *_: None).result(timeout=PATIENCE_SECONDS)


def stopped_at(thread, label):
    """Wait until time stands; return the latest entry with that label, at whose arrival it does."""
    until(lambda: stands(thread))
    entries = thread.entries(0, 10**6).result(timeout=PATIENCE_SECONDS)
    found = next(entry for entry in reversed(entries) if entry["label"].startswith(label))
    assert found["arrived"] == pytest.approx(thread.clock().result(timeout=PATIENCE_SECONDS)["now"])
    return found


def test_time_stops_at_the_entry_whose_body_has_a_text(thread):
    wanted = {"kind": "http.request", "fields": {"verb": "create"}}
    thread.put(Stops(bodies=[BodyStop(["nothing like it"]), BodyStop(["needle*HAY", "configmap"], wanted)])).result(
        PATIENCE_SECONDS
    )
    line = "kubectl create configmap straw --from-literal=needle=straw; "
    thread.command(f"{line}kubectl create configmap c --from-literal=needle=hay; kubectl get nodes", lambda *_: None)
    assert stopped_at(thread, "POST configmaps")["fields"]["name"] == "c"
    thread.put(Stops()).result(timeout=PATIENCE_SECONDS)
    thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    for texts in (["*"], [], ["x" * 101], ["x"] * 9):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"type": "stops", "bodies": [{"texts": texts}]}, Stops)
    with pytest.raises(ValueError, match="there is no key knd"):
        thread.put(Stops(bodies=[BodyStop(["x"], {"knd": "x"})])).result(timeout=PATIENCE_SECONDS)


def test_time_stops_at_what_any_page_wants_until_it_wants_no_more(thread):
    get = {
        name: {"kind": "http.request", "from": "workstation/kubectl", "label": f"GET {name}*"}
        for name in ("nodes", "pods")
    }
    thread.put(Stops([get["nodes"]], page="one")).result(timeout=PATIENCE_SECONDS)
    thread.put(Stops([get["pods"]], page="two")).result(timeout=PATIENCE_SECONDS)
    lines = "kubectl get nodes; sleep 1; kubectl get pods; sleep 1; kubectl get nodes; sleep 1; kubectl get pods"
    asked = thread.command(lines, lambda *_: None)
    first = stopped_at(thread, "GET nodes")
    thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    assert stopped_at(thread, "GET pods")["seq"] > first["seq"]
    thread.put(Stops(page="one")).result(timeout=PATIENCE_SECONDS)
    thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    last = stopped_at(thread, "GET pods")
    nodes = [
        entry
        for entry in thread.entries(first["seq"], 10**6).result(PATIENCE_SECONDS)
        if entry["label"].startswith("GET nodes")
    ]
    assert first["seq"] < nodes[-1]["seq"] < last["seq"]
    thread.put(Stops(page="two")).result(timeout=PATIENCE_SECONDS)
    thread.put(Resume()).result(timeout=PATIENCE_SECONDS)
    asked.result(timeout=PATIENCE_SECONDS)


def test_of_many_pages_the_one_that_spoke_longest_ago_is_forgotten(thread):
    thread.put(Stops([{"kind": "http.request", "label": "GET nodes*"}], page="old")).result(timeout=PATIENCE_SECONDS)
    for number in range(PAGES_MAX):
        thread.put(Stops([{"kind": "nothing"}], page=f"page {number}")).result(timeout=PATIENCE_SECONDS)
    thread.command("kubectl get nodes", lambda *_: None).result(timeout=PATIENCE_SECONDS)
    for number in range(PAGES_MAX):
        thread.put(Stops(page=f"page {number}")).result(timeout=PATIENCE_SECONDS)


def test_time_stops_with_the_entry_that_says_that_an_object_has_come_into_a_state(thread):
    with pytest.raises(LookupError, match="no kind pdo"):
        thread.put(Stops(states=["pdo/x=Ready"])).result(timeout=PATIENCE_SECONDS)
    thread.put(Stops(states=["pod/default/web-*=Ready"])).result(timeout=PATIENCE_SECONDS)
    thread.command("kubectl create deployment web --image=nginx", lambda *_: None)
    until(lambda: stands(thread))
    reached = thread.state("reached", 2**53, {"state": "pod/default/web-*=Ready"}).result(timeout=PATIENCE_SECONDS)[
        "seqs"
    ]
    entries = {entry["seq"]: entry for entry in thread.entries(0, 10**6).result(timeout=PATIENCE_SECONDS)}
    assert len(reached) == 1
    assert entries[reached[0]]["arrived"] == pytest.approx(thread.clock().result(timeout=PATIENCE_SECONDS)["now"])
    thread.put(Stops()).result(timeout=PATIENCE_SECONDS)


def test_its_workers_are_those_too_that_were_switched_on_later(thread):
    before = thread.workers().result(timeout=PATIENCE_SECONDS)
    thread.command("machines add spare", lambda *_: None).result(timeout=PATIENCE_SECONDS)
    assert thread.workers().result(timeout=PATIENCE_SECONDS) == [*before, "spare"] == ["worker-1", "worker-2", "spare"]


def test_an_entry_can_be_opened_to_its_bytes(thread):
    thread.command("kubectl get nodes", lambda *_: None).result(timeout=PATIENCE_SECONDS)
    request = next(
        entry
        for entry in thread.entries(0, 10**6).result(timeout=PATIENCE_SECONDS)
        if entry["kind"] == "http.request" and entry["from"] == "workstation/kubectl"
    )
    detail = thread.detail(request["seq"]).result(timeout=PATIENCE_SECONDS)
    assert [":method", "GET"] in detail["headers"]
    assert detail["records"][0]["type"] == "application_data"
    assert detail["segments"][0]["payload"]
    with pytest.raises(KeyError):
        thread.detail(10**9).result(timeout=PATIENCE_SECONDS)


def test_after_the_end_every_question_is_refused_in_words():
    thread = ClusterThread(ClusterSpec(pace=None, capture=False))
    thread.start().result(timeout=PATIENCE_SECONDS)
    thread.stop().result(timeout=PATIENCE_SECONDS)
    with pytest.raises(ClusterEndedError, match="not running"):
        thread.command("kubectl get nodes", lambda *_: None).result(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("at", ["once", "work"])
def test_a_cluster_that_is_stopped_while_it_starts_gives_the_start_up(at):
    entries = []

    def at_work():
        if thread._clock.now > 0.0:
            thread.stop()
        return False

    def made(cluster):
        if at == "work":
            cluster.clock.before_waiting.append(at_work)

    thread = ClusterThread(ClusterSpec(), on_entries=entries.extend, on_made=made)
    started = thread.start()
    if at == "once":
        thread.stop()
    with pytest.raises(ClusterEndedError, match="before it was up"):
        started.result(timeout=PATIENCE_SECONDS)
    thread.stop().result(timeout=PATIENCE_SECONDS)
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
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
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
    thread.start().result(timeout=PATIENCE_SECONDS)

    async def held_up(cluster):
        began = machine.seconds  # it has waited at a great pace until this came
        machine.seconds += 30
        await cluster.world.until(lambda: machine.seconds > began + 120, within_seconds=1000)

    thread.run(held_up).result(timeout=PATIENCE_SECONDS)
    thread.stop().result(timeout=PATIENCE_SECONDS)
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
def test_up_refuses_bad_options_in_words(arguments, words, capsys):
    try:
        code = main(["up", *arguments])
    except SystemExit as end:  # argparse's
        code = end.code
    assert code != 0
    assert words in capsys.readouterr().err
