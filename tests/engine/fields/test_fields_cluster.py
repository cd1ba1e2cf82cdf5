"""What crosses the wires of a whole cluster: every byte of every entry is in a field, and can be read."""

from collections import Counter

import pytest
from fields_story import journal_of
from test_fields_opened import judge

from cluster_engine.fields.field import every
from cluster_engine.fields.opened import open_entry


@pytest.fixture(scope="module")
def journal():
    with journal_of(etcd_members=3) as journal:
        yield journal


@pytest.mark.long
def test_every_byte_of_every_entry_is_explained(journal):
    unreadable, kinds, names = {}, Counter(), Counter()
    for entry in journal.since(0, 100_000):
        detail = open_entry(journal, entry["seq"])
        kinds[entry["kind"]] += 1
        problems = [one for one in judge(detail) if "fields" not in one]
        if problems:
            unreadable[entry["seq"], entry["kind"], entry["label"]] = problems
        for stretch in (*detail["records"], *detail["segments"]):
            for part in ("plaintextFields", "payloadFields"):
                names.update(one.name for one in every(stretch.get(part, ())))
    assert unreadable == {}
    spoken = "http.request grpc.request etcd.event watch.event h2.settings raft.message websocket.message dns.response"
    assert set(spoken.split()) <= set(kinds)
    protocols = "tls http1 http2 hpack grpc protobuf websocket raft dns icmp body kubernetes"
    assert set(protocols.split()) <= {name.partition(".")[0] for name in names}
