import pytest

from cluster_engine.etcd import errors
from cluster_engine.etcd.apply import apply_delete_range, apply_put, apply_range, apply_txn
from cluster_engine.etcd.client import delete, get, not_there, put, unchanged
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb


@pytest.fixture
def store():
    return Store()


def nested(compare, success, failure=()):
    return pb.RequestOp(request_txn=pb.TxnRequest(compare=compare, success=success, failure=failure))


def txn(store, compare, success, failure=()):
    return apply_txn(store, pb.TxnRequest(compare=compare, success=success, failure=failure))


def keys(response):
    return [kv.key for kv in response.kvs]


def fill(store, **values):
    for key, value in values.items():
        store.put(key.encode(), value)


# Transactions


def test_a_transaction_that_changes_several_keys_is_one_revision(store):
    response = txn(store, [], [put(b"a", b""), put(b"b", b""), get(b"a", b"c")])
    assert (response.succeeded, response.header.revision, store.revision) == (True, 2, 2)
    inside = response.responses[2].response_range
    assert [(kv.key, kv.mod_revision) for kv in inside.kvs] == [(b"a", 2), (b"b", 2)]


def test_a_transaction_that_only_reads_leaves_the_revision(store):
    fill(store, a=b"")
    response = txn(store, [], [get(b"a"), delete(b"nothing")])
    assert (response.header.revision, store.revision) == (2, 2)


def test_a_read_before_the_write_of_the_same_transaction_sees_the_state_before(store):
    fill(store, a=b"old")
    response = txn(store, [], [get(b"a"), put(b"a", b"new"), get(b"a")])
    values = [answer.response_range.kvs[0].value for answer in response.responses if answer.HasField("response_range")]
    assert values == [b"old", b"new"]


def test_a_read_at_the_revision_before_does_not_see_the_transactions_own_write(store):
    fill(store, a=b"old")
    at_two = pb.RequestOp(request_range=pb.RangeRequest(key=b"a", revision=2))
    response = txn(store, [], [put(b"a", b"new"), at_two])
    assert response.responses[1].response_range.kvs[0].value == b"old"


@pytest.mark.parametrize(
    ("result", "expected", "holds"),
    [
        (pb.Compare.EQUAL, 2, True),
        (pb.Compare.EQUAL, 3, False),
        (pb.Compare.NOT_EQUAL, 3, True),
        (pb.Compare.GREATER, 1, True),
        (pb.Compare.GREATER, 2, False),
        (pb.Compare.LESS, 3, True),
        (pb.Compare.LESS, 2, False),
    ],
)
def test_a_comparison_compares(store, result, expected, holds):
    fill(store, a=b"")
    compare = pb.Compare(key=b"a", target=pb.Compare.MOD, result=result, mod_revision=expected)
    assert txn(store, [compare], []).succeeded is holds


@pytest.mark.parametrize(
    "fields",
    [
        {"target": pb.Compare.VERSION, "version": 2},
        {"target": pb.Compare.CREATE, "create_revision": 2},
        {"target": pb.Compare.MOD, "mod_revision": 3},
        {"target": pb.Compare.VALUE, "value": b"y"},
        {"target": pb.Compare.LEASE, "lease": 7},
    ],
)
def test_every_fact_of_a_key_can_be_compared(store, fields):
    store.grant(10, 7, now=0.0)
    store.put(b"a", b"x")
    store.put(b"a", b"y", lease=7)
    assert txn(store, [pb.Compare(key=b"a", **fields)], []).succeeded
    assert not txn(store, [pb.Compare(key=b"a", result=pb.Compare.NOT_EQUAL, **fields)], []).succeeded


def test_a_key_that_is_not_there_compares_as_zero_but_has_no_value(store):
    assert txn(store, [not_there(b"a")], []).succeeded
    for result in (pb.Compare.EQUAL, pb.Compare.NOT_EQUAL):
        compare = pb.Compare(key=b"a", target=pb.Compare.VALUE, result=result, value=b"")
        assert not txn(store, [compare], []).succeeded


def test_a_comparison_of_a_range_must_hold_for_every_key(store):
    fill(store, a=b"", b=b"")
    older = pb.Compare(key=b"a", range_end=b"c", target=pb.Compare.MOD, result=pb.Compare.LESS, mod_revision=4)
    assert txn(store, [older], []).succeeded
    store.put(b"b", b"")
    assert not txn(store, [older], []).succeeded


def test_nested_transactions_decide_on_the_state_before_all_of_them(store):
    response = txn(
        store,
        [not_there(b"a")],
        [put(b"a", b""), nested([not_there(b"a")], [put(b"then", b"")], [put(b"else", b"")])],
    )
    assert response.responses[1].response_txn.succeeded
    assert keys(apply_range(store, pb.RangeRequest(key=b"\0", range_end=b"\0"))) == [b"a", b"then"]
    assert store.revision == 2


def test_the_branch_not_taken_does_nothing(store):
    response = txn(store, [unchanged(b"a", 9)], [put(b"then", b"")], [nested([], [put(b"else", b"")])])
    assert not response.succeeded
    assert keys(apply_range(store, pb.RangeRequest(key=b"\0", range_end=b"\0"))) == [b"else"]


@pytest.mark.parametrize(
    "operations",
    [
        [put(b"a", b"1"), put(b"a", b"2")],
        [put(b"b", b""), delete(b"a", b"c")],
        [delete(b"a", b"c"), put(b"b", b"")],
        [put(b"a", b""), nested([], [put(b"a", b"")])],
        [nested([], [put(b"a", b"")]), nested([], [], [put(b"a", b"")])],
        [nested([], [delete(b"a")]), put(b"a", b"")],
        [nested([], [nested([], [put(b"a", b"")])]), delete(b"a", b"\0")],
    ],
)
def test_no_transaction_changes_a_key_twice(store, operations):
    for compare in ([], [unchanged(b"x", 9)]):
        with pytest.raises(errors.DuplicateKeyError):
            txn(store, compare, operations)
        with pytest.raises(errors.DuplicateKeyError):
            txn(store, compare, [], operations)
    assert store.revision == 1


@pytest.mark.parametrize(
    "operations",
    [
        [nested([], [put(b"a", b"")], [put(b"a", b"")])],
        [nested([], [put(b"a", b"")], [delete(b"a")])],
        [delete(b"a"), delete(b"a")],
        [get(b"a"), put(b"a", b"")],
    ],
)
def test_branches_that_exclude_each_other_may_change_the_same_key(store, operations):
    assert txn(store, [], operations).succeeded


def test_a_transaction_with_one_bad_operation_changes_nothing(store):
    fill(store, a=b"")
    bad = [
        (put(b"x", b"", lease=99), errors.LeaseNotFoundError),
        (pb.RequestOp(request_put=pb.PutRequest(key=b"x", ignore_value=True)), errors.KeyNotFoundError),
        (pb.RequestOp(request_range=pb.RangeRequest(key=b"x", revision=99)), errors.FutureRevisionError),
        (put(b"", b""), errors.EmptyKeyError),
    ]
    for operation, refusal in bad:
        with pytest.raises(refusal):
            txn(store, [], [put(b"b", b""), nested([], [operation])])
    assert (store.revision, store.range(b"b").count) == (2, 0)


def test_a_transaction_has_at_most_128_operations(store):
    most = [put(b"%d" % number, b"") for number in range(128)]
    assert txn(store, [], most).succeeded
    for arguments in ([[], [*most, get(b"x")]], [[], [], [*most, get(b"x")]], [[not_there(b"x")] * 129, []]):
        with pytest.raises(errors.TooManyOperationsError):
            txn(store, *arguments)
    with pytest.raises(errors.TooManyOperationsError):
        txn(store, [], [nested([], most)])


# Single requests


def test_a_request_beyond_one_and_a_half_mebibytes_is_refused(store):
    with pytest.raises(errors.RequestTooLargeError):
        apply_put(store, pb.PutRequest(key=b"a", value=bytes(1536 * 1024)))
    with pytest.raises(errors.RequestTooLargeError):
        txn(store, [], [put(b"a", bytes(1536 * 1024))])


def test_an_empty_key_is_refused(store):
    for apply, request in (
        (apply_range, pb.RangeRequest()),
        (apply_put, pb.PutRequest()),
        (apply_delete_range, pb.DeleteRangeRequest()),
    ):
        with pytest.raises(errors.EmptyKeyError):
            apply(store, request)


def test_a_put_may_keep_value_or_lease_of_a_key_that_is_there(store):
    store.grant(10, 7, now=0.0)
    store.put(b"a", b"x", lease=7)
    apply_put(store, pb.PutRequest(key=b"a", value=b"y", ignore_lease=True))
    assert (store.range(b"a").kvs[0].value, store.range(b"a").kvs[0].lease) == (b"y", 7)
    apply_put(store, pb.PutRequest(key=b"a", ignore_value=True))
    assert (store.range(b"a").kvs[0].value, store.range(b"a").kvs[0].lease) == (b"y", 0)
    with pytest.raises(errors.KeyNotFoundError):
        apply_put(store, pb.PutRequest(key=b"b", ignore_value=True))
    with pytest.raises(errors.ValueProvidedError):
        apply_put(store, pb.PutRequest(key=b"a", value=b"z", ignore_value=True))
    with pytest.raises(errors.LeaseProvidedError):
        apply_put(store, pb.PutRequest(key=b"a", lease=7, ignore_lease=True))


def test_prev_kv_is_what_was_there(store):
    assert not apply_put(store, pb.PutRequest(key=b"a", value=b"1", prev_kv=True)).HasField("prev_kv")
    assert apply_put(store, pb.PutRequest(key=b"a", value=b"2", prev_kv=True)).prev_kv.value == b"1"
    deleted = apply_delete_range(store, pb.DeleteRangeRequest(key=b"a", prev_kv=True))
    assert (deleted.deleted, deleted.prev_kvs[0].value) == (1, b"2")


def test_a_range_counts_all_and_says_when_there_is_more(store):
    fill(store, a=b"1", b=b"2", c=b"3")
    response = apply_range(store, pb.RangeRequest(key=b"a", range_end=b"\0", limit=2))
    assert (keys(response), response.more, response.count) == ([b"a", b"b"], True, 3)
    response = apply_range(store, pb.RangeRequest(key=b"a", range_end=b"\0", limit=3))
    assert (response.more, response.count) == (False, 3)


def test_a_range_may_give_only_keys_or_only_their_number(store):
    fill(store, a=b"1", b=b"2")
    only_keys = apply_range(store, pb.RangeRequest(key=b"a", range_end=b"\0", keys_only=True))
    assert [(kv.key, kv.value) for kv in only_keys.kvs] == [(b"a", b""), (b"b", b"")]
    number = apply_range(store, pb.RangeRequest(key=b"a", range_end=b"\0", count_only=True))
    assert (keys(number), number.count) == ([], 2)


@pytest.mark.parametrize(
    ("target", "order", "found"),
    [
        (pb.RangeRequest.KEY, pb.RangeRequest.NONE, [b"a", b"b", b"c"]),
        (pb.RangeRequest.KEY, pb.RangeRequest.DESCEND, [b"c", b"b", b"a"]),
        (pb.RangeRequest.VALUE, pb.RangeRequest.NONE, [b"b", b"c", b"a"]),
        (pb.RangeRequest.MOD, pb.RangeRequest.DESCEND, [b"a", b"b", b"c"]),
        (pb.RangeRequest.CREATE, pb.RangeRequest.ASCEND, [b"c", b"b", b"a"]),
        (pb.RangeRequest.VERSION, pb.RangeRequest.DESCEND, [b"a", b"b", b"c"]),
    ],
)
def test_a_range_is_sorted_by_what_was_asked_before_it_is_cut(store, target, order, found):
    fill(store, c=b"2", b=b"1", a=b"0")
    store.put(b"a", b"3")
    request = pb.RangeRequest(key=b"a", range_end=b"\0", sort_target=target, sort_order=order)
    assert keys(apply_range(store, request)) == found
    request.limit = 1
    assert keys(apply_range(store, request)) == found[:1]


def test_an_order_that_does_not_exist_is_refused(store):
    with pytest.raises(errors.InvalidSortOptionError):
        apply_range(store, pb.RangeRequest(key=b"a", sort_target=9))
    with pytest.raises(errors.InvalidSortOptionError):
        apply_range(store, pb.RangeRequest(key=b"a", sort_order=9))


def test_a_range_may_be_narrowed_by_revision(store):
    fill(store, a=b"", b=b"", c=b"")
    store.put(b"a", b"")
    for field, value, found in (
        ("min_mod_revision", 4, [b"a", b"c"]),
        ("max_mod_revision", 4, [b"b", b"c"]),
        ("min_create_revision", 3, [b"b", b"c"]),
        ("max_create_revision", 3, [b"a", b"b"]),
    ):
        response = apply_range(store, pb.RangeRequest(key=b"a", range_end=b"\0", **{field: value}))
        assert (keys(response), response.count) == (found, 3)
