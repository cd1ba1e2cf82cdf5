"""Reads that are to see all that was acknowledged before them, without an entry of their own (ReadIndex).

A leader notes how far all is agreed, then asks the others by a heartbeat whether it still leads. Once a majority has
answered, whoever asked may read as soon as it has applied that far (section 6.4 of Ongaro's thesis).

    READ_INDEX "a" at commit 7    HEARTBEAT "a" to 2 and 3    HEARTBEAT_RESP "a" of 2    → Read(7, "a")

Heartbeats arrive in the order in which they were sent or not at all, so that an answer to one answers all before it.
Modelled on etcd/raft's read_only.go (ReadOnlySafe).
"""

import msgspec

from cluster_engine.raft.messages import Message

WAITING_MAX = 4096


class Pending(msgspec.Struct):
    """A read that waits for answers: who asked, how far all was agreed then, and who has answered."""

    asked: Message
    index: int
    answered: set[int]


class Reads:
    """The reads of one leader that wait for a majority, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Pending] = {}

    @property
    def newest(self) -> bytes:
        """The context of the newest one, which every heartbeat carries; empty when none waits."""
        return next(reversed(self._waiting), b"")

    def add(self, asked: Message, index: int, leader: int) -> None:
        """Begin a read; one too many is forgotten, and whoever asked asks again."""
        if asked.context not in self._waiting and len(self._waiting) < WAITING_MAX:
            self._waiting[asked.context] = Pending(asked, index, {leader})

    def answered(self, context: bytes, sender: int, quorum: int) -> list[Pending]:
        """A member has answered; give the reads that are sure now, oldest first."""
        pending = self._waiting.get(context)
        if pending is None:
            return []
        pending.answered.add(sender)
        if len(pending.answered) < quorum:
            return []
        sure: list[Pending] = []
        while context in self._waiting:
            sure.append(self._waiting.pop(next(iter(self._waiting))))
        return sure
