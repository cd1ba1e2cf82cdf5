"""What a leader does for as long as it leads: replicate, count, commit, answer reads, hand over.

An entry is agreed once a majority has it on its disk *and* it is of the leader's own term (section 5.4.2: one of an
earlier term, though a majority has it, may still be replaced; it is agreed along with the first of this term, which is
why every term begins with an empty one). The leader's own disk counts as one member's: it may be the slowest.

    propose x at 8      APP 8 → 2, 3        2: APP_RESP 8       two of three have it: committed 8; APP commit=8 → 2, 3
    3 is silent         PROBE, then heartbeats only; what it lacks is sent once it answers one
    both are silent     after ELECTION_TICKS without a majority it steps down (check quorum)

Modelled on etcd/raft's raft.go, stepLeader.
"""

from typing import Protocol

from cluster_engine.raft.log import Log
from cluster_engine.raft.messages import Entry, Kind, Message, Read, Snapshot
from cluster_engine.raft.progress import Progress, State
from cluster_engine.raft.reads import Reads

MESSAGE_BYTES_MAX = 512 * 1024
UNCOMMITTED_MAX = 5000
READS_WAITING_MAX = 4096


class Member(Protocol):
    """What a leader needs of the member that it is."""

    id: int
    voters: tuple[int, ...]
    term: int
    log: Log
    reads: list[Read]

    def send(self, kind: Kind, to: int, **fields: object) -> None:
        """Send a message of the present term."""
        ...

    def snapshot(self) -> Snapshot:
        """Return what has been applied."""
        ...


class Leadership:
    """One term of one leader."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._log = member.log
        following = self._log.last + 1
        self.progress = {peer: Progress(following) for peer in member.voters}
        self.transferee = 0
        self._reads = Reads()
        self._early_reads: list[Message] = []
        self._log.extend(member.term, [b""])
        self.on_disk()
        self.broadcast()

    @property
    def quorum(self) -> int:
        """How many members are a majority."""
        return len(self._member.voters) // 2 + 1

    def on_disk(self) -> None:
        """Its own entries have come to the disk."""
        own = self.progress[self._member.id]
        own.is_active = True
        if own.has(self._log.stable) and self._commit():
            self.broadcast()

    def propose(self, data: list[bytes]) -> bool:
        """Add entries, unless leadership is being handed over or too much is not agreed yet."""
        if self.transferee or self._log.last - self._log.committed >= UNCOMMITTED_MAX:
            return False
        self._log.extend(self._member.term, data)
        self.broadcast()
        return True

    def broadcast(self) -> None:
        """Send everybody what they lack."""
        for peer in self._peers():
            self._send_entries(peer, even_empty=True)

    def heartbeat(self) -> None:
        """Say that the leader is there."""
        for peer in self._peers():
            self._send_heartbeat(peer, self._reads.newest)

    def has_quorum(self) -> bool:
        """Count who has been heard of since this was last asked."""
        active = sum(one.is_active for one in self.progress.values())
        for peer in self._peers():
            self.progress[peer].is_active = False
        return active >= self.quorum

    def unreachable(self, peer: int) -> None:
        """A message may not have arrived."""
        progress = self.progress.get(peer)
        if progress is not None and progress.state is not State.PROBE:
            if progress.state is State.SNAPSHOT:
                progress.snapshot = 0
            progress.probe()

    def snapshot_sent(self, peer: int, *, arrived: bool) -> None:
        """A snapshot has arrived, or has not: go on behind it, once a heartbeat is answered, or ask again."""
        progress = self.progress.get(peer)
        if progress is not None and progress.state is State.SNAPSHOT:
            if not arrived:
                progress.snapshot = 0
            progress.probe()
            progress.probed = True

    def transfer(self, to: int) -> None:
        """Hand leadership over once `to` has everything; meanwhile nothing is proposed."""
        progress = self.progress.get(to)
        if progress is None or to == self._member.id:
            return
        self.transferee = to
        if progress.match == self._log.last:
            self._member.send(Kind.TIMEOUT_NOW, to)
        else:
            self._send_entries(to, even_empty=True)

    def read(self, asked: Message) -> None:
        """Let a read through once it is sure that nobody else leads."""
        if self._log.term(self._log.committed) != self._member.term:
            if len(self._early_reads) < READS_WAITING_MAX:
                self._early_reads.append(asked)  # what is agreed is not known before the term's first entry is
            return
        if self.quorum == 1:
            self._answer_read(asked, self._log.committed)
            return
        self._reads.add(asked, self._log.committed, self._member.id)
        for peer in self._peers():
            self._send_heartbeat(peer, asked.context)

    def step(self, message: Message) -> None:
        """Take an answer."""
        progress = self.progress.get(message.sender)
        if progress is None:
            return
        progress.is_active = True
        if message.kind is Kind.APP_RESP:
            self._appended(message, progress)
        elif message.kind is Kind.HEARTBEAT_RESP:
            progress.heartbeat_answered()
            if progress.match < self._log.last:
                self._send_entries(message.sender, even_empty=True)
            for pending in self._reads.answered(message.context, message.sender, self.quorum):
                self._answer_read(pending.asked, pending.index)

    def _appended(self, message: Message, progress: Progress) -> None:
        peer = message.sender
        if message.reject:
            hint, _ = self._log.conflict(message.hint, message.log_term)
            if progress.rejects(message.index, hint):
                self._send_entries(peer, even_empty=True)
            return
        was_paused = progress.is_paused
        if not progress.has(message.index):
            return
        if self._commit():
            self.broadcast()
        elif was_paused:
            self._send_entries(peer, even_empty=True)
        while self._send_entries(peer):
            pass
        if self.transferee == peer and progress.match == self._log.last:
            self._member.send(Kind.TIMEOUT_NOW, peer)

    def _commit(self) -> bool:
        matches = sorted((one.match for one in self.progress.values()), reverse=True)
        agreed = matches[self.quorum - 1]
        if self._log.term(agreed) != self._member.term or not self._log.commit(agreed):
            return False
        early, self._early_reads = self._early_reads, []
        for asked in early:
            self.read(asked)
        return True

    def _answer_read(self, asked: Message, index: int) -> None:
        if asked.sender == self._member.id:
            self._member.reads.append(Read(index, asked.context))
        else:
            self._member.send(Kind.READ_INDEX_RESP, asked.sender, index=index, context=asked.context)

    def _send_heartbeat(self, peer: int, context: bytes) -> None:
        commit = min(self.progress[peer].match, self._log.committed)
        self._member.send(Kind.HEARTBEAT, peer, commit=commit, context=context)

    def _send_entries(self, peer: int, *, even_empty: bool = False) -> bool:
        """Send what comes next, if it may be sent; say whether something was."""
        progress = self.progress[peer]
        if progress.is_paused:
            return False
        before = progress.next - 1
        term = self._log.term(before)
        if term is None:
            snapshot = self._member.snapshot()
            progress.send_snapshot(snapshot.index)
            self._member.send(Kind.SNAP, peer, snapshot=snapshot)
            return True
        entries: tuple[Entry, ...] = self._log.slice(before, bytes_max=MESSAGE_BYTES_MAX)
        if not entries and not even_empty:
            return False
        self._member.send(Kind.APP, peer, index=before, log_term=term, entries=entries, commit=self._log.committed)
        progress.sent(before + len(entries), len(entries))
        return True

    def _peers(self) -> list[int]:
        return [peer for peer in self._member.voters if peer != self._member.id]
