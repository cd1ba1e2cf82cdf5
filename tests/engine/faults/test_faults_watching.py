"""Watches as people see them from a workstation: over a WebSocket, by the thousand, and one that does not read."""

import asyncio
import base64
import json
import socket
from collections import Counter
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE_SECONDS
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request as WebSocketRequest
from wsproto.events import TextMessage

from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.apiserver.dispatch_budget import WAITING_EVENTS_MAX, DispatchBudget
from cluster_engine.client.http2 import STREAM_WINDOW_BYTES as WINDOW_BYTES
from cluster_engine.client.rest import Client
from cluster_engine.programs.network import websocat
from cluster_engine.programs.options import OptionError
from cluster_engine.programs.watchers import read
from cluster_engine.thread import running
from cluster_engine.world.tls import client_tls
from tests.engine.programs.curl_server import type_

TOKEN = '-H "Authorization: Bearer $(kubectl create token default)"'
WATCH = "10.0.0.1:6443/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=5"


async def typed(it, line):
    printed = []
    code = await it.cluster.command(line, lambda _, text: printed.append(text))
    return code, "".join(printed)


def of(it, since, who, layer=("http", "story")):
    entries = it.cluster.journal.since(since, 10**6)
    return [one for one in entries if f"workstation/{who}" in (one["from"], one["to"]) and one["layer"] in layer]


def test_a_watch_over_a_websocket_is_a_message_an_event_and_begins_with_an_origin(broken):
    async def story(it):
        await it.kubectl("create clusterrolebinding w --clusterrole=view --serviceaccount=default:default")
        code, printed = await typed(it, f"websocat -kU {TOKEN} 'wss://{WATCH}'")
        assert (code, printed.splitlines()[0]) == (
            1,
            "websocat: WebSocketError: WebSocketError: Received unexpected status code (403 Forbidden)",
        ), "golang.org/x/net/websocket wants an Origin"
        code, printed = await typed(it, f"websocat -U --origin https://me {TOKEN} 'wss://{WATCH}'")
        assert code == 1 and "certificate" in printed, "websocat trusts nobody that it has not heard of"

        head = it.cluster.journal.head
        line = f"websocat -kU --origin https://me --protocol any {TOKEN} 'wss://{WATCH}'"
        watching = it.cluster.accompany(typed(it, line), "websocat")
        await asyncio.sleep(1.0)
        await it.kubectl("create configmap a")
        await it.kubectl("delete configmap a")
        code, printed = await watching
        assert code == 0, "the server says goodbye when the watch is over"
        assert [one.partition(',"object"')[0] for one in printed.splitlines()] == [
            '{"type":"ADDED"',
            '{"type":"ADDED"',
            '{"type":"DELETED"',
        ]
        seen = of(it, head, "websocat")
        assert [(one["kind"], one["label"]) for one in seen if not one["kind"].startswith("process")] == [
            ("http.request", "watch configmaps"),
            ("http.response", "101 Switching Protocols"),
            ("watch.event", "ADDED configmap kube-root-ca.crt"),
            ("watch.event", "ADDED configmap a"),
            ("watch.event", "DELETED configmap a"),
            ("http.end", "end of watch configmaps"),
            ("websocket.close", "close 1000"),
        ]
        by_seq = {one["seq"]: one for one in it.cluster.journal.since(head, 10**6)}
        (added,) = [one for one in seen if one["label"] == "ADDED configmap a"]
        assert by_seq[added["cause"]]["kind"] == "etcd.event"

        code, printed = await typed(
            it,
            "kubectl proxy & sleep 1; websocat -U --origin http://me "
            f"'ws://127.0.0.1:8001{WATCH.partition('6443')[2]}'; kill %1",
        )
        assert '{"type":"ADDED","object":{"kind":"ConfigMap"' in printed

    broken(story, nodes=1)


def test_a_real_client_watches_over_a_websocket_through_the_gateway():
    with running(nodes=1, pace=1000.0) as control_plane:
        config = yaml.safe_load(Path(control_plane.kubeconfig).read_text())
        user = config["users"][0]["user"]
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        certificate, key = (base64.b64decode(user[f"client-{one}-data"]) for one in ("certificate", "key"))
        tls = client_tls(ca=authority.encode(), certificate=certificate, key=key, alpn=("http/1.1",))
        with (
            socket.create_connection(control_plane.address, timeout=PATIENCE_SECONDS) as raw,
            tls.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            frames = WSConnection(ConnectionType.CLIENT)
            target = "/api/v1/namespaces/default/configmaps?watch=1"
            origin = [(b"Origin", b"https://me")]
            connection.sendall(frames.send(WebSocketRequest("127.0.0.1", target, extra_headers=origin)))

            def next_name():
                said = ""
                while True:
                    for one in frames.events():
                        if isinstance(one, TextMessage):
                            said += one.data
                            if one.message_finished:
                                return json.loads(said)["object"]["metadata"]["name"]
                    data = connection.recv(65536)
                    assert data, "the watch has ended"
                    frames.receive_data(data)

            assert next_name() == "kube-root-ca.crt"
            control_plane.kubectl("create configmap a")
            assert next_name() == "a"


@pytest.mark.long
def test_watches_grow_to_a_thousand_from_one_line_and_etcd_hears_of_none(broken):
    async def story(it):
        await asyncio.sleep(5.0)
        head = it.cluster.journal.head
        line = "watchers --seconds 20 1000 /api/v1/namespaces/default/configmaps"
        watching = it.cluster.accompany(typed(it, line), "watchers")
        await asyncio.sleep(5.0)
        asked = [one for one in it.cluster.journal.since(head, 10**6) if one["kind"] == "grpc.request"]
        assert not [one for one in asked if one["fields"]["method"] == "Watch"]
        head = it.cluster.journal.head
        await it.kubectl("create configmap a")
        await asyncio.sleep(1.0)
        told = [one for one in it.cluster.journal.since(head, 10**6) if one["kind"] == "etcd.event"]
        assert len([one for one in told if "configmaps" in one["label"]]) == 1
        assert len([one for one in of(it, head, "watchers") if one["kind"] == "watch.event"]) == 1000
        code, printed = await watching
        assert (code, printed.splitlines()) == (
            0,
            [
                "1 watch is open",
                "10 watches are open",
                "100 watches are open",
                "1000 watches are open, over 10 connections",
                "ADDED: 1000 of 1000 watches have it, after 0 ms",
            ],
        )
        code, printed = await typed(it, "watchers 3 /api/v1/nothing")
        assert code == 1 and "could not find the requested resource" in printed

    broken(story, nodes=1)


def test_who_does_not_read_is_forgotten_by_the_cache_and_nobody_else_waits_for_it(broken):
    """Its stream's window (4 MiB) fills, then its two channels; then it has a tenth of a second."""

    async def story(it):
        line = "watchers --slow --seconds 60 3 /api/v1/namespaces/default/configmaps"
        watching = it.cluster.accompany(typed(it, line), "watchers")
        await asyncio.sleep(1.0)
        await it.kubectl("create configmap a")
        head, filler = it.cluster.journal.head, "x" * 20_000

        async def write(process):
            client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="writer")
            for number in range(WINDOW_BYTES // len(filler) + WAITING_EVENTS_MAX + 10):
                data = {"data": {"filler": filler, "n": str(number)}}
                await client.patch(CONFIG_MAP, "a", data, "default", type="merge")

        await it.world.spawn(it.world.host("workstation"), "writer", write).wait()
        await asyncio.sleep(1.0)
        (forgotten,) = it.notes("apiserver.watcher_forgotten")
        events = [one for one in of(it, head, "watchers") if one["kind"] == "watch.event"]
        streams = Counter((one["connection"], one["stream"]) for one in events if one["at"] < forgotten["at"])
        slow, *others = sorted(streams.values())
        assert len(others) == 2 and others[0] == others[1] > slow + WAITING_EVENTS_MAX - 2
        assert slow >= WINDOW_BYTES // (len(filler) + 2000)
        await watching

    broken(story, nodes=1)


def test_the_budget_for_waiting_is_a_tenth_of_a_second_and_grows_by_a_twentieth_each():
    budget = DispatchBudget()
    assert [budget.take(100.0), budget.take(100.0), budget.take(101.0)] == [0.1, 0.0, pytest.approx(0.05)]
    budget.give_back(0.05)
    assert budget.take(101.0) == pytest.approx(0.05)
    assert budget.take(1000.0) == 0.1, "it is never more"


@pytest.mark.parametrize(
    "words", [[], ["0", "/x"], ["2001", "/x"], ["x", "/x"], ["5", "x"], ["--seconds=-1", "5", "/x"]]
)
def test_what_makes_no_sense_to_watchers_is_its_usage(words):
    with pytest.raises(ValueError, match=r"^$"):
        read(words, "")


def test_websocat_reads_its_words_as_the_real_one():
    given = websocat.read(["-kU", "-H", "A: b", "--origin", "https://x", "wss://h/p"])
    assert (given.url, given.flags, given.headers) == (
        "wss://h/p",
        {"k", "U", "H", "O"},
        [("A", "b"), ("Origin", "https://x")],
    )
    for words in ([], ["http://h"], ["ws://h", "ws://i"], ["-H", "nothing", "ws://h"]):
        with pytest.raises(ValueError, match=r"URL|Unknown address|Invalid header"):
            websocat.read(words)
    with pytest.raises(OptionError, match="unrecognized option '--nope'"):
        websocat.read(["--nope", "ws://h"])


def test_websocat_says_which_options_it_takes(run):
    async def story(world):
        return await type_(world, world.add_host("here", "10.0.0.1"), ["websocat", "--help"])

    code, out, err = run(story)
    assert (code, err) == (0, "")
    assert [name for name in websocat.LONG if f"--{name.rstrip('=')}" not in out] == []
