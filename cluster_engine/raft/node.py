"""One member of a Raft group, as a pure state machine: messages and ticks go in, a `Ready` comes out.

Theory of operation. Nothing here waits, reads a clock, sends or writes. Whoever drives it calls `tick` each TICK (etcd:
100 ms), `step` with what has arrived and `propose` with what is to be agreed upon, then carries out what `ready` says,
in the order of `messages.Ready`, and says `advance`. So every order of events can be played, in tests too.

    FOLLOWER ──10 … 19 ticks without leader──► PRE_CANDIDATE ──majority would──► CANDIDATE ──majority does──► LEADER
        ▲                                          │ refused                         │ refused              │
        └─── a message of a higher term, or of this term's leader; a leader without a majority for 10 ticks ┘

- *Pre-vote*: before a member raises its term it asks whether it would win, so that one that was cut off does not
  depose a leader when it comes back (section 9.6 of Ongaro's thesis).
- *Check quorum*: who has heard of a leader within an election timeout gives nobody a vote; in return a leader that has
  not heard of a majority for that long steps down.
- *Transfer*: a leader that stops lets another one that has everything begin an election at once (TIMEOUT_NOW).

A group of one elects itself and agrees with itself.

Modelled on Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014) and etcd/raft's raft.go.
Left out: changes of the membership, learners, leases in place of ReadIndex.
"""

import enum
import random
from collections.abc import Callable
from typing import Any

from cluster_engine.raft.leadership import Leadership
from cluster_engine.raft.log import Log
from cluster_engine.raft.messages import Entry, HardState, Kind, Message, Read, Ready, Snapshot

ELECTION_TICKS = 10
TRANSFERRED = b"CampaignTransfer"
"""The context of a vote asked for on a leader's wish: given although that leader is there."""

_OF_LEADERS = frozenset({Kind.APP, Kind.HEARTBEAT, Kind.SNAP})
_VOTES = {Kind.VOTE: Kind.VOTE_RESP, Kind.PRE_VOTE: Kind.PRE_VOTE_RESP}


class Role(enum.Enum):
    """What a member is at present."""

    FOLLOWER = enum.auto()
    PRE_CANDIDATE = enum.auto()
    CANDIDATE = enum.auto()
    LEADER = enum.auto()


class Node:
    """One member. `leader` is whom it takes for the leader, 0 for nobody; `leadership` is there while it is one."""

    def __init__(
        self,
        id_: int,
        voters: tuple[int, ...],
        rng: random.Random,
        *,
        log: Log,
        hard: HardState,
        snapshot: Callable[[], Snapshot],
    ) -> None:
        """Begin as a follower with what lies on the disk; `snapshot` gives what has been applied when it is asked."""
        self.id = id_
        self.voters = voters
        self.log = log
        self.snapshot = snapshot
        self.term, self.vote = hard.term, hard.vote
        self.role = Role.FOLLOWER
        self.leader = 0
        self.leadership: Leadership | None = None
        self.reads: list[Read] = []
        self._rng = rng
        self._votes: dict[int, bool] = {}
        self._messages: list[Message] = []
        self._installed: Snapshot | None = None
        self._saved = hard
        self._elapsed = self._timeout = 0
        log.commit(hard.commit)
        self._become(Role.FOLLOWER, self.term)

    # -- what goes in ----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Time has passed."""
        self._elapsed += 1
        if self.leadership is None:
            if self._elapsed >= self._timeout and self.id in self.voters:
                self._elapsed = 0
                self._campaign(Kind.PRE_VOTE)
            return
        if self._elapsed >= ELECTION_TICKS:
            self._elapsed = 0
            self.leadership.transferee = 0
            if not self.leadership.has_quorum():
                self._become(Role.FOLLOWER, self.term)
                return
        self.leadership.heartbeat()

    def propose(self, data: bytes) -> bool:
        """Have something agreed upon; False: not now, since there is no leader or it takes nothing."""
        return self.step(Message(Kind.PROP, self.id, self.id, entries=(Entry(0, 0, data),)))

    def read(self, context: bytes) -> bool:
        """Ask how far one has to have applied to read what is acknowledged; `Ready.reads` has the answer, or never."""
        return self.step(Message(Kind.READ_INDEX, self.id, self.id, context=context))

    def transfer(self, to: int) -> None:
        """Have `to` lead."""
        self.step(Message(Kind.TRANSFER_LEADER, self.leader or self.id, to))

    def unreachable(self, peer: int) -> None:
        """What was last sent to a member may not have arrived."""
        if self.leadership is not None:
            self.leadership.unreachable(peer)

    def snapshot_sent(self, peer: int, *, arrived: bool) -> None:
        """A snapshot for a member has arrived there, or has not."""
        if self.leadership is not None:
            self.leadership.snapshot_sent(peer, arrived=arrived)

    def step(self, message: Message) -> bool:
        """Take a message; False when it is a proposal or a read that nobody here can do anything with."""
        kind = message.kind
        if message.term > self.term:
            if kind in _VOTES and message.context != TRANSFERRED and self._is_led():
                return True
            if kind is not Kind.PRE_VOTE and (kind is not Kind.PRE_VOTE_RESP or message.reject):
                self._become(Role.FOLLOWER, message.term, message.sender if kind in _OF_LEADERS else 0)
        elif 0 < message.term < self.term:
            self._answer_past(message)
            return True
        if kind in _VOTES:
            self._give_vote(message)
        elif kind in _OF_LEADERS:
            self._follow(message)
        elif kind in (Kind.VOTE_RESP, Kind.PRE_VOTE_RESP):
            self._take_vote(message)
        elif kind in (Kind.PROP, Kind.READ_INDEX, Kind.TRANSFER_LEADER):
            return self._for_leader(message)
        elif kind is Kind.TIMEOUT_NOW:
            if self.role is Role.FOLLOWER:
                self._campaign(Kind.VOTE, TRANSFERRED)
        elif kind is Kind.READ_INDEX_RESP:
            self.reads.append(Read(message.index, message.context))
        elif self.leadership is not None:
            self.leadership.step(message)
        return True

    # -- what comes out --------------------------------------------------------------------------------------------

    @property
    def hard(self) -> HardState:
        """What it must not forget."""
        return HardState(self.term, self.vote, self.log.committed)

    def ready(self) -> Ready | None:
        """Return what is to be done now; None when nothing is. `advance` must be called before the next."""
        log, hard = self.log, self.hard
        # After a snapshot nothing is applied before that has taken the place of the state machine.
        after = max(log.applied, log.start)
        ready = Ready(
            None if hard == self._saved else hard,
            self._installed,
            log.slice(log.stable),
            tuple(self._messages),
            log.slice(after, log.committed) if log.committed > after else (),
            tuple(self.reads),
        )
        if not (ready.hard or ready.snapshot or ready.entries or ready.messages or ready.committed or ready.reads):
            return None
        self._messages, self.reads = [], []
        return ready

    def advance(self, ready: Ready) -> None:
        """It is done."""
        if ready.hard is not None:
            self._saved = ready.hard
        if ready.snapshot is not None:
            if self._installed is ready.snapshot:
                self._installed = None
            self.log.applied = max(self.log.applied, ready.snapshot.index)
        if ready.entries:
            self.log.stabilized(ready.entries[-1].index, ready.entries[-1].term)
            if self.leadership is not None:
                self.leadership.on_disk()
        if ready.committed:
            self.log.applied = max(self.log.applied, ready.committed[-1].index)

    def send(self, kind: Kind, to: int, **fields: Any) -> None:
        """Send a message, of the present term unless `fields` say another."""
        self._messages.append(Message(kind, to, self.id, **{"term": self.term, **fields}))

    # -- roles -----------------------------------------------------------------------------------------------------

    def _become(self, role: Role, term: int, leader: int = 0) -> None:
        if term != self.term:
            self.term, self.vote = term, 0
        self.role, self.leader = role, leader
        self.leadership = None
        self._elapsed = 0
        self._timeout = ELECTION_TICKS + self._rng.randrange(ELECTION_TICKS)

    def _is_led(self) -> bool:
        return self.leader != 0 and self._elapsed < ELECTION_TICKS

    def _campaign(self, kind: Kind, context: bytes = b"") -> None:
        self._votes = {}
        if kind is Kind.PRE_VOTE:
            self._become(Role.PRE_CANDIDATE, self.term)
            term = self.term + 1
        else:
            self._become(Role.CANDIDATE, self.term + 1)
            self.vote = self.id
            term = self.term
        for peer in self.voters:
            if peer != self.id:
                self.send(kind, peer, term=term, index=self.log.last, log_term=self.log.last_term, context=context)
        self._count(self.id, granted=True)

    def _give_vote(self, message: Message) -> None:
        is_new = message.kind is Kind.PRE_VOTE and message.term > self.term
        may = self.vote == message.sender or (not self.vote and not self.leader) or is_new
        answer = _VOTES[message.kind]
        if not (may and self.log.is_up_to_date(message.index, message.log_term)):
            self.send(answer, message.sender, reject=True)
            return
        self.send(answer, message.sender, term=message.term)
        if message.kind is Kind.VOTE:
            self._elapsed = 0
            self.vote = message.sender

    def _take_vote(self, message: Message) -> None:
        asked = {Role.PRE_CANDIDATE: Kind.PRE_VOTE_RESP, Role.CANDIDATE: Kind.VOTE_RESP}.get(self.role)
        if message.kind is asked:
            self._count(message.sender, granted=not message.reject)

    def _count(self, voter: int, *, granted: bool) -> None:
        self._votes.setdefault(voter, granted)
        quorum = len(self.voters) // 2 + 1
        given = sum(self._votes.values())
        if given >= quorum:
            if self.role is Role.PRE_CANDIDATE:
                self._campaign(Kind.VOTE)
            else:
                self._become(Role.LEADER, self.term, self.id)
                self.leadership = Leadership(self)
        elif len(self._votes) - given >= quorum:
            self._become(Role.FOLLOWER, self.term)

    # -- messages --------------------------------------------------------------------------------------------------

    def _answer_past(self, message: Message) -> None:
        """Tell an old leader, or one who would like to be elected into the past, which term it is."""
        if message.kind in (Kind.APP, Kind.HEARTBEAT):
            self.send(Kind.APP_RESP, message.sender)
        elif message.kind is Kind.PRE_VOTE:
            self.send(Kind.PRE_VOTE_RESP, message.sender, reject=True)

    def _for_leader(self, message: Message) -> bool:
        if self.leadership is None:
            if self.leader:
                # From whom a transfer is wished is to whom: that stays; all else is asked by this member.
                sender = message.sender
                self._messages.append(
                    Message(message.kind, self.leader, sender, entries=message.entries, context=message.context)
                )
            return self.leader != 0
        if message.kind is Kind.PROP:
            return self.leadership.propose([entry.data for entry in message.entries])
        if message.kind is Kind.READ_INDEX:
            self.leadership.read(message)
        else:
            self.leadership.transfer(message.sender)
        return True

    def _follow(self, message: Message) -> None:
        assert self.leadership is None, "two leaders in one term"
        if self.role is not Role.FOLLOWER or self.leader != message.sender:
            self._become(Role.FOLLOWER, self.term, message.sender)
        self._elapsed = 0
        if message.kind is Kind.APP:
            self._append(message)
        elif message.kind is Kind.HEARTBEAT:
            self.log.commit(message.commit)
            self.send(Kind.HEARTBEAT_RESP, message.sender, context=message.context)
        elif message.snapshot is not None:
            self._install(message.sender, message.snapshot)

    def _append(self, message: Message) -> None:
        log = self.log
        if message.index < log.committed:
            self.send(Kind.APP_RESP, message.sender, index=log.committed)
            return
        last = log.append(message.index, message.log_term, message.entries)
        if last is None:
            hint, term = log.conflict(min(message.index, log.last), message.log_term)
            fields = {"index": message.index, "reject": True, "hint": hint, "log_term": term}
            self.send(Kind.APP_RESP, message.sender, **fields)
            return
        log.commit(min(message.commit, last))
        self.send(Kind.APP_RESP, message.sender, index=last)

    def _install(self, leader: int, snapshot: Snapshot) -> None:
        log = self.log
        if snapshot.index > log.committed:
            if log.term(snapshot.index) == snapshot.term:
                log.commit(snapshot.index)
            else:
                log.restore(snapshot)
                self._installed = snapshot
        self.send(Kind.APP_RESP, leader, index=log.committed)
