"""What etcd held: by what crossed its wires, at every position, whatever happened to it."""

import random

from state_story import recorded

from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import Evidence, pack, unpack
from cluster_engine.state.keys import key_of, resource_of, subject_of


def held(answer):
    """What an answer to `objects` says that etcd held, with the version of each."""
    return {
        f"{kind['resource']}/{row['namespace']}/{row['name']}": row["seq"]
        for kind in answer["kinds"]
        for row in kind["rows"]
    }


def objects_at(told, at, names):
    """Each object that stood at a position, as etcd keeps it: without its version."""
    state, found = told.state(), {}
    for name in names:
        resource, namespace, short = name.split("/")
        answer = told.ask("object", at, state, resource=resource, namespace=namespace, name=short)
        if answer["object"] is not None:
            del answer["object"]["metadata"]["resourceVersion"]
            found[name] = answer["object"]
    return found


def test_it_is_what_etcd_held_before_and_after_faults_and_after_a_restore(told):
    everything = {name for there in told.held.values() for name in there}
    assert len(told.held) == 5 and len(everything) > 50
    for at, there in told.held.items():
        assert objects_at(told, at, everything) == there, f"at {at}"


def test_three_members_tell_of_one_store():
    async def story(tell):
        await tell.ok("kubectl create deployment web --image=nginx")
        tell.cluster.fail("stop", target="control-plane/etcd")
        await tell.ok("kubectl rollout status deployment web")
        await tell.ok("kubectl delete deployment web")
        tell.look()

    with recorded(story, etcd_members=3, nodes=1) as told:
        for at, there in told.held.items():
            assert objects_at(told, at, [*there, "deployments/default/web"]) == there


def naive(entries, reader):
    """What stands after these entries, in a dict: key to revision, by what etcd says of single keys and lists."""
    there, gone = {}, {}

    def stands(key, revision):
        if revision > max(there.get(key, 0), gone.get(key, 0)):
            there[key] = revision
            gone.pop(key, None)

    def deleted(key, revision):
        if there.get(key, revision) < revision:
            del there[key]
            gone[key] = revision

    for entry in entries:
        fields = entry["fields"]
        if entry["kind"] == "etcd.event":
            (deleted if fields["type"] == "DELETE" else stands)(fields["key"], fields["revision"])
        elif entry["kind"] == "grpc.response" and fields.get("method") == "Txn" and fields.get("succeeded"):
            for one in reader.message(entry["replyTo"]).success:
                if one.request_put.key:
                    stands(one.request_put.key.decode(), fields["revision"])
                elif one.request_delete_range.key:
                    deleted(one.request_delete_range.key.decode(), fields["revision"])
        elif entry["kind"] == "grpc.response" and fields.get("method") == "Range":
            answer, asked = reader.message(entry["seq"]), reader.message(entry["replyTo"])
            listed = {pair.key.decode(): pair.mod_revision for pair in answer.kvs}
            for key, revision in listed.items():
                stands(key, revision)
            if asked.range_end and not answer.more and not asked.count_only:
                key, end = asked.key.decode(), asked.range_end.decode()
                for one in [one for one in there if key <= one < end and one not in listed]:
                    deleted(one, asked.revision or fields["revision"])
    return there


def test_a_timeline_says_what_a_dict_says_that_is_told_the_same_entries(told):
    restored = next(
        entry["seq"] for entry in told.entries() if entry["kind"] == "fault.started" and "revisions" in entry["fields"]
    )
    state = told.state()
    told.ask("objects", restored, state)
    chance = random.Random(7)
    for at in [1, restored, *(chance.randrange(restored) for _ in range(12))]:  # forwards and backwards
        timelines = state._fold.keys.timelines
        points = {key: timeline.at(at) for key, timeline in timelines.items()}
        found = {key: point.number for key, point in points.items() if point is not None and point.told & 3 != 2}
        assert found == naive(told.journal.since(0, at), state._fold.reader), f"at {at}"


def test_how_much_was_read_before_changes_no_answer(told):
    head = told.journal.head
    fresh = [told.ask("objects", at) for at in (head // 3, head)]
    state = told.state()
    told.ask("objects", head, state)
    assert [told.ask("objects", at, state) for at in (head // 3, head)] == fresh
    assert told.ask("objects", 2**53, state) == fresh[1]


def test_before_the_first_entry_there_is_nothing(told):
    answer = told.ask("objects", 0)
    assert (answer["at"], answer["first"], answer["complete"], answer["kinds"]) == (0, 1, True, [])


def test_what_the_journal_has_forgotten_is_named_without_cells(told):
    journal = Journal(bytes_max=3_000_000)
    short = type(told)(journal, told.epoch)
    state = short.state()
    for entry in told.entries():
        journal.append({**entry}, copied(told.journal, entry["seq"], journal))
        assert not list(state.reading("objects", entry["seq"]))
    answer, whole = short.ask("objects", of=state), told.ask("objects")
    assert answer["first"] > 1000 and not answer["complete"]
    assert held(answer) == held(whole)
    rows = [row for kind in answer["kinds"] for row in kind["rows"]]
    assert {row["gone"] for row in rows} == {True, False}
    assert all(row["cells"] == [row["name"]] for row in rows if row["gone"])
    late = held(short.ask("objects"))  # who asks first now knows what was told since
    assert late and late.keys() <= held(whole).keys() and min(late.values()) >= answer["first"]


def copied(journal, seq, to):
    """Copy what lies beside an entry into another journal."""
    packed = journal.evidence(seq)
    if not packed:
        return b""
    stored = unpack(packed)
    body = b"" if stored.body < 0 else journal.read(stored.body)
    return pack(Evidence((), stored.headers, b"", stored.body_type), to.keep_body(body))


def test_a_key_names_its_object_and_an_object_its_key():
    for key in (
        "/registry/minions/worker-1",
        "/registry/pods/default/web-1",
        "/registry/services/specs/default/web",
        "/registry/services/endpoints/default/web",
        "/registry/toys.example/widgets/default/a",
    ):
        assert key_of(subject_of(key)) == key
    assert subject_of("/registry/masterleases/10.0.0.1") is None
    assert subject_of("compact_rev_key") is None
    assert resource_of("deployments") == resource_of("deployments.apps")
