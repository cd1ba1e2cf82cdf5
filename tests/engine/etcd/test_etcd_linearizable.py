"""Three members are one: whatever breaks, clients see each key as if one store had answered, one request at a time."""

import asyncio
import math
import random
from datetime import timedelta

import pytest
from grpclib.exceptions import GRPCError

from cluster_engine.etcd.client import get, put
from cluster_engine.rpc import etcd_pb2 as pb
from tests.engine.etcd.linearizability import UNKNOWN, Operation, is_linearizable, is_linearizable_by_trying_all

STORY_SECONDS = 45.0
KEYS = ("a", "b", "c")


# -- the checker ------------------------------------------------------------------------------------------------------


def put_(value, begin, end, result=True):
    return Operation("x", "put", value, result, begin, end)


def get_(result, begin, end):
    return Operation("x", "get", None, result, begin, end)


def swap_(old, new, result, begin, end):
    return Operation("x", "swap", (old, new), result, begin, end)


GOOD = {
    "one after the other": [put_(1, 0, 1), get_(1, 2, 3), put_(2, 4, 5), get_(2, 6, 7)],
    "reads during a write see before and after": [put_(1, 0, 9), get_(None, 1, 2), get_(1, 3, 4)],
    "two writes at a time end in either": [put_(1, 0, 5), put_(2, 0, 5), get_(1, 6, 7)],
    "a write that timed out happened later": [put_(1, 0, 1), put_(2, 2, 9, UNKNOWN), get_(1, 20, 21), get_(2, 22, 23)],
    "a write that timed out never happened": [put_(1, 0, 1), put_(2, 2, 9, UNKNOWN), get_(1, 30, 31)],
    "of two swaps one succeeds": [put_(1, 0, 1), swap_(1, 2, True, 2, 5), swap_(1, 3, False, 2, 5), get_(2, 6, 7)],
}
BAD = {
    "a read of what was overwritten": [put_(1, 0, 1), put_(2, 2, 3), get_(1, 4, 5)],
    "a write acknowledged and lost": [put_(1, 0, 1), get_(None, 2, 3)],
    "a value that nobody wrote": [put_(1, 0, 1), get_(7, 0, 3)],
    "a new value, then the old one again": [put_(1, 0, 1), put_(2, 2, 20), get_(2, 3, 4), get_(1, 5, 6)],
    "a value read before it is written": [get_(1, 0, 1), put_(1, 2, 3)],
    "two swaps of the same value": [put_(1, 0, 1), swap_(1, 2, True, 2, 5), swap_(1, 3, True, 2, 5)],
    "a swap that failed for no reason": [put_(1, 0, 1), swap_(1, 2, False, 2, 3)],
    "a write that timed out undone": [put_(2, 0, 9, UNKNOWN), get_(2, 10, 11), get_(None, 12, 13)],
    "readers that see two writes in two orders": [
        put_(1, 0, 9), put_(2, 0, 9), get_(1, 1, 2), get_(2, 3, 4), get_(1, 5, 6),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_taken(name):
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_refused(name):
    assert not is_linearizable(BAD[name])


def test_the_checker_says_what_trying_all_orders_says():
    rng, verdicts = random.Random(1), []
    for _ in range(300):
        history = [_drawn(rng) for _ in range(rng.randint(2, 5))]
        verdicts.append(is_linearizable(history))
        assert verdicts[-1] == is_linearizable_by_trying_all(history), history
    assert 60 < sum(verdicts) < 240


def _drawn(rng):
    begin = rng.uniform(0, 10)
    end = begin + rng.uniform(0, 6)
    match rng.randrange(4):
        case 0 | 1:
            return get_(rng.choice((None, 1, 2)), begin, end)
        case 2:
            return put_(rng.choice((1, 2)), begin, end, rng.choice((True, True, UNKNOWN)))
        case _:
            return swap_(rng.choice((None, 1, 2)), rng.choice((1, 2)), rng.choice((True, False, UNKNOWN)), begin, end)


# -- three members ----------------------------------------------------------------------------------------------------


class Clients:
    """Clients that put, get and swap, some at one member, some at all, and what they saw."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.history, self.written = [], 0

    async def run(self, client):
        while True:
            await asyncio.sleep(self.rng.expovariate(3.0))
            key = self.rng.choice(KEYS)
            begin = self.world.loop.time()
            kind, value = self._drawn(key)
            try:
                async with asyncio.timeout(12):
                    result = await self._do(client, key.encode(), kind, value)
            except ConnectionRefusedError:
                continue  # nothing was sent
            except (OSError, GRPCError, TimeoutError):
                result = UNKNOWN
            except asyncio.CancelledError:  # the story is over, and what was asked for may happen yet
                self.history.append(Operation(key, kind, value, UNKNOWN, begin, math.inf))
                raise
            end = math.inf if result is UNKNOWN else self.world.loop.time()
            self.history.append(Operation(key, kind, value, result, begin, end))

    def _drawn(self, key):
        chance = self.rng.random()
        if chance < 0.5:
            return "get", None
        self.written += 1
        if chance < 0.8:
            return "put", self.written
        seen = [
            one.result for one in self.history if one.key == key and one.kind == "get" and one.is_known and one.result
        ]
        return "swap", (seen[-1] if seen else 0, self.written)

    async def _do(self, client, key, kind, value):
        if kind == "get":
            found = (await client.get(key)).kvs
            return int(found[0].value) if found else None
        if kind == "put":
            await client.put(key, b"%d" % value)
            return True
        same = pb.Compare(key=key, target=pb.Compare.VALUE, result=pb.Compare.EQUAL, value=b"%d" % value[0])
        return (await client.txn([same], [put(key, b"%d" % value[1])], [get(key)])).succeeded


async def trouble(world, members, rng):
    """Break something, put it right, and again."""
    while True:
        await asyncio.sleep(rng.uniform(0.5, 3))
        name = rng.choice(members.names)
        host = members.host(name)
        match rng.randrange(6):
            case 0:
                await members.kill(name)
                await asyncio.sleep(rng.uniform(0, 4))
                members.start(name)
            case 1:
                members.cut_off(name)
                await asyncio.sleep(rng.uniform(0, 8))
                members.join(name)
            case 2:
                other = rng.choice([one for one in members.names if one != name])
                world.network.partition(name, other, both_ways=False)
                await asyncio.sleep(rng.uniform(0, 6))
                world.network.heal(name, other)
            case 3:
                host.fsync_seconds = rng.uniform(0, 2)
                await asyncio.sleep(rng.uniform(1, 4))
                host.fsync_seconds = 0.0
            case 4:
                host.skew = timedelta(seconds=rng.uniform(-3600, 3600))
            case 5:
                for one in members.names:
                    members.processes[one].kill()
                for one in members.names:
                    await asyncio.sleep(rng.uniform(0, 1))
                    members.start(one)


@pytest.mark.parametrize("seed", (1, 1053))  # at the end of 1053 somebody reads what nobody was told had been written
def test_clients_see_one_store_whatever_breaks(run_members, seed):
    async def story(world, members):
        rng = random.Random(seed)
        clients = Clients(world, random.Random(f"{seed}/clients"))
        async with (
            members.client(*members.names[:1]) as first,
            members.client(*members.names[1:2]) as second,
            members.client(*members.names[2:]) as third,
            members.client() as everywhere,
        ):
            ways = (first, second, third, everywhere, everywhere)
            tasks = [asyncio.create_task(clients.run(way)) for way in ways]
            breaking = asyncio.create_task(trouble(world, members, rng))
            await asyncio.sleep(STORY_SECONDS)
            for task in (*tasks, breaking):
                assert not task.done(), task
                task.cancel()
            await asyncio.gather(*tasks, breaking, return_exceptions=True)
        for name in members.names:
            members.join(name)
            members.host(name).fsync_seconds = 0.0
            if not members.processes[name].is_alive:
                members.start(name)
        await asyncio.sleep(20)
        await members.settle()
        stores = [
            [(kv.key, kv.value, kv.mod_revision) for kv in members.store(n).range(b"a", b"z").kvs]
            for n in members.names
        ]
        return clients.history, stores

    history, stores = run_members(story, seed=seed)
    assert is_linearizable(history), f"seed {seed}"
    assert stores[0] == stores[1] == stores[2]
    known = [one for one in history if one.result is not UNKNOWN]
    assert len(known) > 100, "the story is no idle one"
