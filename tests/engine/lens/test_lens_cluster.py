"""The lens on a whole cluster: everything is readable, every chain is complete, every run is alike."""

import asyncio
import re
from collections import Counter
from functools import cache

import pytest
from lens_capture import chain

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.lens.causes import HOW
from cluster_engine.lens.opening import open_entry
from cluster_engine.words.languages import document, languages
from cluster_engine.words.sentences import sentence
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.story import run_story

LINE = "kubectl create deployment web --image=nginx --replicas=3"


async def _story(loop: ClusterLoop, effort: float) -> tuple[list[dict], list[dict]]:
    async with Cluster(ClusterSpec(nodes=2, seed=7, pace=None, effort=effort), loop) as cluster:
        journal = cluster.journal
        assert journal is not None
        said: list[str] = []
        assert await cluster.command(LINE, lambda _, text: said.append(text)) == 0, said
        running: list[str] = []
        journal.subscribe(lambda entry: running.append(entry["label"]) if _says_running(entry) else None)
        await cluster.world.until(lambda: len(running) == 3, within_seconds=60)
        entries = journal.since(0, 100_000)
        return entries, [open_entry(journal, entry["seq"]) for entry in entries]


def _says_running(entry: dict) -> bool:
    return entry["fields"].get("event") == "STARTED" and entry["fields"].get("container") == "nginx"


@cache
def run_cluster(_: int = 0, effort: float = 0.0) -> tuple[list[dict], list[dict]]:
    loop = ClusterLoop()
    try:
        return loop.run_until_complete(_story(loop, effort))
    finally:
        loop.close()


@pytest.fixture(scope="module", params=(0.0, 1.0), ids=("at once", "with effort"))
def entries(request) -> list[dict]:
    return run_cluster(effort=request.param)[0]


def test_nothing_on_the_wires_is_unreadable(entries):
    bad = [entry for entry in entries if entry["kind"] in ("tcp.data", "tls.data", "tls.encrypted", "tls.handshake")]
    assert bad == []
    assert not [entry for entry in entries if "unreadable" in entry["fields"]]
    assert len(entries) > 500


def test_whatever_the_deployment_brought_about_leads_back_to_the_command(entries):
    command = next(entry for entry in entries if entry["kind"] == "command.started")
    about = [
        entry
        for entry in entries[command["seq"] :]
        if str(entry["fields"].get("name") or entry["fields"].get("pod") or "").startswith("web")
    ]
    assert len(about) > 100
    stray = [entry for entry in about if chain(entries, entry)[-1] is not command]
    assert stray == []
    started = [entry for entry in about if entry["label"].startswith("StartContainer web")]
    assert len(started) == 3
    kinds_of_causes = {entry["kind"] for entry in chain(entries, started[0])}
    assert {"grpc.request", "watch.event", "etcd.event", "http.request", "command.started"} <= kinds_of_causes


@pytest.mark.parametrize("language", languages())
def test_whatever_is_said_in_a_cluster_is_a_sentence_in_every_language(entries, language):
    for entry in entries:
        said = sentence(entry, language)
        assert not re.search(r"\{\w+\}|\[[^\]]*\{", said), entry
        programs = [entry[end].rpartition("/")[2] for end in ("from", "to") if entry["to"]]
        assert all(program in said for program in programs), entry


def test_every_chain_ends_in_a_command_a_timer_or_a_start(entries):
    ends = Counter(chain(entries, entry)[-1]["trigger"] for entry in entries)
    assert set(ends) <= {"command", "timer", "start"}
    assert ends["command"] > 200


def test_no_pod_is_why_another_pods_image_is_pulled_though_one_waits_for_the_other(entries):
    pulls = [entry for entry in entries if entry["fields"].get("method") == "PullImage" and "pod" in entry["fields"]]
    asked = [entry for entry in pulls if entry["kind"] == "grpc.request"]
    assert len(asked) == 3
    for pull in asked:
        others = {entry["fields"]["pod"] for entry in asked} - {pull["fields"]["pod"]}
        on_the_node = [entry for entry in chain(entries, pull) if pull["from"] in (entry["from"], entry["to"])]
        assert not others & {entry["fields"].get("pod", entry["fields"].get("name")) for entry in on_the_node}
    by_seq = {entry["seq"]: entry for entry in entries}
    waited = [by_seq[pull["after"]]["label"] for pull in asked]
    assert sorted(waited) == ["ImageStatus done", "ImageStatus done", "PullImage done"], "two nodes, three pods"


def test_every_inferred_cause_names_a_rule_that_the_page_can_explain(entries):
    said = {entry["how"] for entry in entries if entry["cause"] is not None}
    assert None in said, "answers need no rule"
    assert said - {None} <= set(HOW)
    for language in languages():
        assert {f"how.{rule}" for rule in HOW} <= set(document(language))


def test_everything_before_the_command_that_is_no_heartbeat_leads_to_a_start(entries):
    command = next(entry for entry in entries if entry["kind"] == "command.started")
    before = [entry for entry in entries[: command["seq"] - 1] if not entry["heartbeat"]]
    assert {chain(entries, entry)[-1]["kind"] for entry in before} == {"process.started"}


def test_every_entry_opens_to_the_bytes_it_was_read_from():
    entries, details = run_cluster()
    for entry, detail in zip(entries, details, strict=True):
        assert bool(detail["segments"]) == (entry["to"] is not None), entry
        if entry["layer"] in ("story", "http") and entry["to"] and "containerd" not in (entry["from"] + entry["to"]):
            assert detail["records"], entry
            assert all(record["plaintext"] for record in detail["records"])


def test_two_runs_with_one_seed_are_told_alike():
    keys = ("seq", "at", "arrived", "kind", "from", "to", "label", "cause", "trigger", "replyTo", "heartbeat", "stream")

    def told(entries: list[dict]) -> list[tuple]:
        return [tuple(entry[key] for key in keys) for entry in entries]

    assert told(run_cluster(0)[0]) == told(run_cluster(1)[0])


def test_a_connection_asked_for_before_its_server_listened_is_the_answering_program_s():
    async def answers(_process):
        await asyncio.sleep(0.0001)  # the SYN is under way, for a quarter of a millisecond
        async with await asyncio.start_server(lambda _, writer: writer.close(), "10.0.0.1", 6443) as server:
            await server.serve_forever()

    async def story(world):
        world.spawn(world.add_host("control-plane", "10.0.0.1"), "kube-apiserver", answers)
        _, writer = await asyncio.open_connection("10.0.0.1", 6443)
        await asyncio.sleep(1)
        writer.close()
        await asyncio.sleep(1)

    journal = Journal()
    run_story(story, tap=Lens(journal))
    ends = {(entry["from"], entry["to"]) for entry in journal.since(0, 100) if entry["connection"] is not None}
    client, server = "outside/story", "control-plane/kube-apiserver"
    assert ends == {(client, server), (server, client)}


def test_a_request_and_its_answer_say_whose_certificate_the_client_has_shown(entries):
    shown = {
        (entry["kind"], entry["fields"].get("certificate"))
        for entry in entries
        if "workstation/kubectl" in (entry["from"], entry["to"]) and entry["kind"].startswith("http.re")
    }
    admin = "CN=kubernetes-admin,O=kubeadm:cluster-admins"
    assert shown == {("http.request", admin), ("http.response", admin)}
