"""Hostile files for programs that read them: etcd's database."""

import random
from functools import cache

from tests.fuzz import making


@cache
def _database() -> bytes:
    from cluster_engine.etcd.database import Database
    from cluster_engine.etcd.store import Store

    store = Store()
    store.grant(30, 77, 0.0)
    for number in range(20):
        store.put(b"/registry/pods/%d" % (number % 7), b"x" * number, 77 if number % 5 == 0 else 0)
    store.delete_range(b"/registry/pods/3")
    store.compact(9)
    return bytes(Database(store)).rstrip(b"\0") + bytes(4)


def make_database(rng: random.Random) -> bytes:
    return making.spoiled_bytes(rng, _database())


def take_database(case: bytes) -> None:
    """Read it: a store, which can be written again, or a refusal."""
    from cluster_engine.etcd.database import Database, DatabaseError, hash_of, read_database

    try:
        store = read_database(case)
    except DatabaseError:
        return
    store.put(b"/registry/pods/1", b"more")
    store.delete_range(b"a", b"\0")
    hash_of(read_database(bytes(Database(store))), store.revision)
