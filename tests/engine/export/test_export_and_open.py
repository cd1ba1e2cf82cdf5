"""What is taken along as a capture can be opened again, and says the same."""

import struct
from collections import Counter

from cluster_engine.export import blocks
from cluster_engine.journal import Journal
from cluster_engine.recordings.story import read


def spoken(entries):
    """What crossed wires, each connection by itself, whatever its number and its ends are called."""
    connections = {}
    for entry in entries:
        if entry["connection"] is not None and entry["arrived"] is not None:
            connections.setdefault(entry["connection"], []).append((entry["layer"], entry["kind"], entry["label"]))
    return Counter(map(tuple, connections.values()))


def test_a_run_that_is_opened_again_says_what_its_journal_said(told):
    journal = Journal(bytes_max=1 << 26)
    story = read(told.export("pcapng"), "", journal)
    assert story.problems == []
    assert spoken(journal.since(0, 1_000_000)) == spoken(told.entries())


def test_its_participants_are_found_again(told):
    journal = Journal(bytes_max=1 << 26)
    read(told.export("pcapng"), "", journal)
    names = {entry["from"] for entry in journal.since(0, 1_000_000)}
    assert {"control-plane/kube-apiserver", "worker-1/kubelet", "control-plane/kube-scheduler"} <= names


def without_secrets(file):
    """The same capture without its blocks of secrets."""
    out, at = b"", 0
    while at < len(file):
        kind, length = struct.unpack_from("<II", file, at)
        out += b"" if kind == blocks.SECRETS else file[at : at + length]
        at += length
    return out


def test_without_its_keys_it_says_what_stays_closed_and_a_key_log_beside_it_opens_it(told):
    file = without_secrets(told.export("pcapng"))
    journal = Journal(bytes_max=1 << 26)
    story = read(file, "", journal)
    assert any("not opened: TLS 1.3 always agrees" in problem for problem in story.problems)
    assert "http.request" not in {entry["kind"] for entry in journal.since(0, 1_000_000) if entry["stream"]}
    journal = Journal(bytes_max=1 << 26)
    assert read(file, told.export("keylog").decode(), journal).problems == []
    assert spoken(journal.since(0, 1_000_000)) == spoken(told.entries())
