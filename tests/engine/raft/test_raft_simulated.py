"""Raft under everything that a network and a power cut can do to it; see raft_group for what is checked."""

import pytest

from tests.engine.raft.raft_group import Group

EVENTS = 3000


@pytest.mark.parametrize("seed", range(24))
def test_nothing_agreed_is_lost_and_nobody_disagrees_whatever_breaks(seed):
    group = Group(seed, size=5 if seed % 4 == 3 else 3)
    for number in range(EVENTS):
        group.happen()
        if number % 5 == 0:
            group.check()

    group.cut = set()
    for member in group.members.values():
        if member.node is None:
            member.start()
    group.flying.clear()
    leader = group.elect()
    before = len(group.agreed)
    for _ in range(40):  # a transfer under way refuses proposals for an election timeout
        leader = group.leader or leader
        if group.propose(leader):
            break
        group.pass_time()
    group.pass_time(20)
    assert len(group.agreed) > before, "it goes on once all is well"
    assert {len(one.applied) for one in group.members.values()} == {len(group.agreed)}
    assert len({tuple(one.applied[-5:]) for one in group.members.values()}) == 1


def test_the_simulation_is_no_idle_one():
    groups = []
    for seed in range(3):
        group = Group(seed)
        for _ in range(EVENTS):
            group.happen()
        group.check()
        groups.append(group)
    assert all(len(group.agreed) > 20 for group in groups), [len(group.agreed) for group in groups]
    assert sum(len(group.answers) for group in groups) > 20
    assert max(one.begun for group in groups for one in group.members.values()) > 1
