"""What a member does, case by case; what holds under any order of events is in test_raft_simulated."""

import random

import pytest

from cluster_engine.raft.log import Log
from cluster_engine.raft.messages import Entry, HardState, Kind, Message, Snapshot
from cluster_engine.raft.node import ELECTION_TICKS, Node, Role
from tests.engine.raft.raft_group import KEPT_ENTRIES, Group


def node_with(*terms, term=1, vote=0):
    """Member 1 of three, whose log has entries of these terms."""
    log = Log([Entry(index, one) for index, one in enumerate(terms, 1)])
    hard = HardState(term=term, vote=vote)
    return Node(1, (1, 2, 3), random.Random(1), log=log, hard=hard, snapshot=lambda: Snapshot(0, 0))


def said_by(node):
    ready = node.ready()
    node.advance(ready)
    return list(ready.messages)


def test_a_group_of_one_elects_itself_and_agrees_with_itself():
    group = Group(size=1)
    leader = group.elect()
    assert group.propose(leader)
    group.settle()
    assert [entry.data for entry in leader.applied] == [b"", b"1"]


def test_a_leader_is_elected_and_what_it_is_given_is_applied_by_all():
    group = Group()
    leader = group.elect()
    assert {one.node.leader for one in group.members.values()} == {leader.id}
    for _ in range(3):
        assert group.propose(leader)
    group.settle()
    assert [entry.data for entry in group.members[1].applied] == [b"", b"1", b"2", b"3"]
    assert group.members[1].applied == group.members[2].applied == group.members[3].applied


def test_a_follower_hands_proposals_and_reads_on_to_its_leader():
    group = Group()
    leader = group.elect()
    follower = next(one for one in group.members.values() if one is not leader)
    assert group.propose(follower)
    group.settle()
    group.read(follower)
    group.settle()
    assert follower.applied[-1].data == b"1"
    assert group.answers == {b"read 0": 2}


def test_without_a_leader_nothing_can_be_proposed_or_read():
    node = node_with()
    assert not node.propose(b"x")
    assert not node.read(b"r")


def test_a_member_that_was_cut_off_does_not_depose_the_leader_when_it_comes_back():
    group = Group()
    leader = group.elect()
    away = next(one for one in group.members.values() if one is not leader)
    term = leader.node.term
    group.cut = {away.id}
    group.pass_time(5 * ELECTION_TICKS)
    assert away.node.term == term, "it has only asked whether it would be elected"
    group.cut = set()
    group.pass_time(3 * ELECTION_TICKS)
    assert group.leader is leader
    assert leader.node.term == term


def test_a_leader_without_a_majority_steps_down_and_answers_no_reads():
    group = Group()
    old = group.elect()
    group.cut = {old.id}
    group.read(old)
    group.pass_time(1)
    assert old.node.role is Role.LEADER
    assert not group.answers
    group.pass_time(2 * ELECTION_TICKS)
    assert old.node.role is not Role.LEADER
    new = group.elect()
    assert new is not old
    assert new.node.term > 1


def test_a_leader_hands_over_at_once_to_whom_it_is_told():
    group = Group()
    old = group.elect()
    other = next(one for one in group.members.values() if one is not old)
    old.node.transfer(other.id)
    group.settle()
    assert group.leader is other
    assert other.node.term == 2


def test_who_was_away_too_long_gets_a_snapshot():
    group = Group()
    leader = group.elect()
    away = next(one for one in group.members.values() if one is not leader)
    away.crash()
    for _ in range(4 * KEPT_ENTRIES):
        group.propose(leader)
        group.settle()
    assert leader.node.log.start > len(away.applied) + 1
    away.start()
    group.pass_time(3)
    assert away.applied == leader.applied
    assert away.storage.start > 0


def test_what_two_logs_disagree_on_is_replaced_by_the_leaders():
    node = node_with(1, 1, 2, 2, term=3)
    node.step(Message(Kind.APP, 1, 2, term=3, index=4, log_term=3, entries=(Entry(5, 3),)))
    answer = said_by(node)[-1]
    assert (answer.reject, answer.hint, answer.log_term) == (True, 4, 2)
    node.step(Message(Kind.APP, 1, 2, term=3, index=2, log_term=1, entries=(Entry(3, 3), Entry(4, 3)), commit=4))
    assert said_by(node)[-1].index == 4
    assert [node.log.term(index) for index in (1, 2, 3, 4)] == [1, 1, 3, 3]


def test_what_is_agreed_upon_is_never_replaced():
    node = node_with(1, 1, term=1)
    node.log.commit(2)
    with pytest.raises(AssertionError, match="agreed upon and contradicted"):
        node.log.append(1, 1, [Entry(2, 2)])


@pytest.mark.parametrize(
    ("index", "log_term", "given"),
    [(2, 2, True), (3, 2, True), (1, 3, True), (1, 2, False), (9, 1, False)],
)
def test_a_vote_is_given_only_to_a_log_that_has_as_much(index, log_term, given):
    node = node_with(1, 2, term=2)
    node.step(Message(Kind.VOTE, 1, 2, term=5, index=index, log_term=log_term))
    assert said_by(node)[-1].reject is not given
    assert node.hard.vote == (2 if given else 0)


def test_one_vote_is_given_in_a_term_and_again_to_the_same():
    node = node_with(1, term=4, vote=2)
    node.step(Message(Kind.VOTE, 1, 3, term=4, index=1, log_term=1))
    node.step(Message(Kind.VOTE, 1, 2, term=4, index=1, log_term=1))
    assert [one.reject for one in said_by(node)] == [True, False]


def test_who_hears_a_leader_gives_nobody_a_vote_unless_the_leader_wishes_it():
    node = node_with(1)
    node.step(Message(Kind.HEARTBEAT, 1, 2, term=1))
    said_by(node)
    node.step(Message(Kind.VOTE, 1, 3, term=9, index=9, log_term=9))
    assert node.ready() is None
    node.step(Message(Kind.VOTE, 1, 3, term=9, index=9, log_term=9, context=b"CampaignTransfer"))
    assert [(one.kind, one.reject) for one in said_by(node)] == [(Kind.VOTE_RESP, False)]


def test_an_entry_of_an_earlier_term_is_agreed_only_along_with_one_of_this_term():
    """Figure 8 of the paper: a majority alone is not enough."""
    node = node_with(1, 2, term=3)
    node.step(Message(Kind.TIMEOUT_NOW, 1, 2, term=3))
    node.step(Message(Kind.VOTE_RESP, 1, 2, term=4))
    said_by(node)
    assert node.role is Role.LEADER
    node.step(Message(Kind.APP_RESP, 1, 2, term=4, index=2))
    assert node.log.committed == 0
    node.step(Message(Kind.APP_RESP, 1, 2, term=4, index=3))
    assert node.log.committed == 3


def test_a_leaders_own_disk_counts_only_once_it_has_written():
    node = node_with(term=3)
    node.step(Message(Kind.TIMEOUT_NOW, 1, 2, term=3))
    node.step(Message(Kind.VOTE_RESP, 1, 2, term=4))
    ready = node.ready()
    assert [entry.index for entry in ready.entries] == [1]
    node.step(Message(Kind.APP_RESP, 1, 3, term=4, index=1))
    assert node.log.committed == 0, "only one of three has it on its disk"
    node.advance(ready)
    assert node.log.committed == 1


def test_a_leaders_word_is_taken_only_for_entries_known_to_be_the_leaders():
    node = node_with(1, 1, 1)
    node.step(Message(Kind.APP, 1, 2, term=2, index=1, log_term=1, commit=3))
    assert node.log.committed == 1


def test_a_vote_given_is_remembered_over_a_crash():
    group = Group()
    voter = group.members[1]
    voter.node.step(Message(Kind.VOTE, 1, 2, term=1))
    voter.take()
    voter.finish()
    voter.crash()
    voter.start()
    assert voter.node.hard == HardState(term=1, vote=2)
    voter.node.step(Message(Kind.VOTE, 1, 3, term=1))
    assert said_by(voter.node)[-1].reject
