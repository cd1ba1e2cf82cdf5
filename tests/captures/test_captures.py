"""The real tshark and the journal say the same of three lessons, and every wrong journal is found out. (`make captures`
plays all lessons.)
"""

import copy
import dataclasses
import shutil

import pytest

from tests.captures.facts import TLS, Fact, Thread, differences
from tests.captures.playing import BAD_LINKS, run

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="there is no tshark to compare with")


@needs_tshark
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("path", "threads"),
    [
        ("exercises/decrypt-or-not", {"tcp", "tls", "http2", "stream", "http/1"}),
        ("walkthroughs/into-a-pod", {"tcp", "tls", "http2", "stream", "http/1", "websocket"}),
    ],
)
def test_tshark_reads_what_the_journal_says(path, threads, tmp_path):
    played = run(path, tmp_path)
    assert played.problems() == []
    assert {fact.thread.name.partition(" ")[0] for fact in played.facts} == threads


@needs_tshark
@pytest.mark.timeout(300)
@pytest.mark.long
def test_tshark_reads_what_the_journal_says_where_segments_are_lost_and_connections_break(tmp_path):
    played = run(BAD_LINKS, tmp_path)
    assert played.problems() == []
    kinds = [entry["kind"] for entry in played.entries]
    assert kinds.count("tcp.lost") > 20
    assert kinds.count("tcp.rst") > 5
    assert sum(fact.thread.name.startswith("stream ") for fact in played.facts) > 2000


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    if shutil.which("tshark") is None:
        pytest.skip("there is no tshark to compare with")
    return run("walkthroughs/mutual-tls", tmp_path_factory.mktemp("captures"))


def test_tshark_reads_the_requests_within_mutual_tls(played):
    assert played.problems() == []
    assert sum(fact.said.startswith("GET ") for fact in played.facts) > 50


def found_in(played, entries):
    """Compare with another journal than the run's."""
    return dataclasses.replace(played, entries=entries).problems()


def last(played, kind):
    return max(at for at, entry in enumerate(played.entries) if entry["kind"] == kind)


@pytest.mark.parametrize(
    "kind",
    [
        "tcp.syn", "tcp.fin", "tcp.rst", "tls.client_hello", "tls.finished", "tls.alert", "h2.goaway", "h2.settings",
        "http.request", "http.response", "grpc.request", "grpc.response",
    ],
)  # fmt: skip
def test_an_entry_too_few_and_an_entry_too_many_are_found(played, kind):
    at, entries = last(played, kind), played.entries
    (missing,) = found_in(played, entries[:at] + entries[at + 1 :])
    (extra,) = found_in(played, [*entries[: at + 1], *entries[at:]])
    assert "tshark alone has" in missing
    assert "the journal alone has" in extra


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        ("http.request", "path", "/api/v1/nowhere"),
        ("http.request", "method", "DELETE"),
        ("http.response", "status", 418),
        ("grpc.request", "method", "Compact"),
        ("grpc.response", "status", "ABORTED"),
        ("tls.alert", "description", "decode_error"),
        ("h2.goaway", "error", "ENHANCE_YOUR_CALM"),
    ],
)
def test_a_wrong_word_is_found_on_both_sides(played, kind, field, wrong):
    entries = copy.deepcopy(played.entries)
    entries[last(played, kind)]["fields"][field] = wrong
    assert len(found_in(played, entries)) == 2


@pytest.mark.parametrize("key", ["stream", "connection"])
def test_a_response_on_the_wrong_stream_or_connection_is_found(played, key):
    entries = copy.deepcopy(played.entries)
    entries[last(played, "http.response")][key] = 999
    assert len(found_in(played, entries)) == 2


def test_order_counts_within_a_thread():
    thread, other = Thread(1, True, TLS), Thread(1, False, TLS)
    hello, finished = Fact(thread, "client_hello", "frame 4"), Fact(thread, "finished", "frame 6")
    answer = Fact(other, "server_hello", "frame 5")
    assert list(differences([hello, answer, finished], [answer, hello, finished])) == []
    assert len(list(differences([hello, finished], [finished, hello]))) == 2


def test_what_is_not_due_may_be_missing_and_nothing_else_may_stand_for_it():
    thread = Thread(1, True, "stream 3")
    begun = Fact(thread, "GET /a", "frame 9", is_due=False)
    assert list(differences([begun], [])) == []
    assert list(differences([begun], [Fact(thread, "GET /a", "entry 12")])) == []
    assert list(differences([begun], [Fact(thread, "GET /b", "entry 12")])) == [
        "connection 1, client, stream 3: the journal alone has GET /b (entry 12)"
    ]
