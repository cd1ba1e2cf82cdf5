"""Members of a Raft group on a network that loses, repeats, reorders and cuts, with disks that outlive crashes.

All is drawn from one seed. The claims of the paper's figure 3 are checked against everything that has ever happened:
one leader a term, logs that match, leaders that have all that was agreed, equal entries applied by all; and that reads
see what was agreed before they were asked.
"""

import itertools
import random

import msgspec

from cluster_engine.raft.messages import Entry, Snapshot
from cluster_engine.raft.node import Node
from cluster_engine.raft.storage import Storage

KEPT_ENTRIES = 8  # so few that whoever was away for a while needs a snapshot


class Member:
    """One member: its disk, and while it runs its node. Its state machine is the list of the entries it has applied."""

    def __init__(self, group, id_):
        self.group, self.id = group, id_
        self.storage, self.applied = Storage(), []
        self.node = self.taken = None
        self.begun = 0
        self.start()

    def start(self):
        self.begun += 1
        self.node = Node(
            self.id,
            self.group.voters,
            random.Random(f"{self.group.seed}/{self.id}/{self.begun}"),
            log=self.storage.log(len(self.applied)),
            hard=self.storage.hard,
            snapshot=self.snapshot,
        )

    def crash(self):
        self.node = self.taken = None

    def snapshot(self):
        return Snapshot(len(self.applied), self.applied[-1].term, msgspec.json.encode(self.applied))

    def take(self):
        """Begin what is ready. A leader's messages go out while it writes."""
        if self.node is None or self.taken is not None:
            return
        ready = self.node.ready()
        self.taken = None if ready is None else (ready, self.node.leadership is not None)
        if self.taken is not None and self.taken[1]:
            self.group.post(ready.messages)

    def finish(self):
        """The disk has written it."""
        if self.taken is None:
            return
        ready, was_sent = self.taken
        self.taken = None
        self.storage.save(ready)
        if ready.snapshot is not None:
            self.applied = msgspec.json.decode(ready.snapshot.data, type=list[Entry])
        if not was_sent:
            self.group.post(ready.messages)
        for entry in ready.committed:
            assert entry.index == len(self.applied) + 1, "entries are applied in turn"
            self.applied.append(entry)
            self.group.agreed_upon(entry)
        self.node.advance(ready)
        self.group.answers.update({read.context: read.index for read in ready.reads})
        if len(self.applied) - self.storage.start > 2 * KEPT_ENTRIES:
            self.storage.compact(len(self.applied) - KEPT_ENTRIES)
            self.node.log.compact(len(self.applied) - KEPT_ENTRIES)


class Group:
    """Members, what is between them, and what has been seen of them."""

    def __init__(self, seed=1, size=3):
        self.seed, self.rng = seed, random.Random(seed)
        self.voters = tuple(range(1, size + 1))
        self.flying, self.cut = [], set()
        self.leaders, self.agreed, self.answers, self.asked = {}, [], {}, {}
        self.proposals = 0
        self.members = {id_: Member(self, id_) for id_ in self.voters}

    # -- what is between them

    def post(self, messages):
        self.flying += messages

    def deliver(self, number=0):
        message = self.flying.pop(number)
        receiver = self.members[message.to]
        if receiver.node is not None and not {message.to, message.sender} & self.cut:
            receiver.node.step(message)

    # -- what is seen of them

    @property
    def running(self):
        return [one for one in self.members.values() if one.node is not None]

    @property
    def leader(self):
        """The leader of the newest term, if it runs."""
        leading = [one for one in self.running if one.node.leadership is not None]
        return max(leading, key=lambda one: one.node.term, default=None)

    def agreed_upon(self, entry):
        if entry.index <= len(self.agreed):
            assert self.agreed[entry.index - 1] == entry, "two members have applied different entries"
        else:
            assert entry.index == len(self.agreed) + 1
            self.agreed.append(entry)

    def check(self):
        for one in self.running:
            node = one.node
            if node.leadership is None:
                continue
            assert self.leaders.setdefault(node.term, one.id) == one.id, f"two leaders of term {node.term}"
            for entry in self.agreed[node.log.start :]:
                if entry.term < node.term:
                    assert node.log.term(entry.index) == entry.term, "a leader lacks what was agreed"
        logs = [one.node.log for one in self.running]
        for first, second in itertools.pairwise(logs):
            after = max(first.start, second.start)
            upto = min(first.last, second.last)
            common = max((at for at in range(after, upto + 1) if first.term(at) == second.term(at)), default=after)
            assert first.slice(after, common) == second.slice(after, common), "logs that end alike differ before"
        for context, index in self.answers.items():
            assert index >= self.asked.get(context, 0), "a read does not see what was agreed before it was asked"

    # -- what happens to them

    def propose(self, member):
        self.proposals += 1
        return member.node.propose(f"{self.proposals}".encode())

    def read(self, member):
        context = f"read {len(self.asked)}".encode()
        self.asked[context] = len(self.agreed)
        member.node.read(context)

    def happen(self):
        """Something happens, now to one, now to another."""
        member = self.rng.choice(list(self.members.values()))
        what = self.rng.random()
        if member.node is None:
            if what < 0.05:
                member.start()
        elif what < 0.30:
            member.node.tick()
        elif what < 0.34:
            self.propose(member)
        elif what < 0.36:
            self.read(member)
        elif what < 0.363:
            member.crash()
        elif what < 0.366:
            member.node.transfer(self.rng.choice(self.voters))
        elif what < 0.368:
            member.node.unreachable(self.rng.choice(self.voters))
        elif what < 0.372:
            self.cut = set(self.rng.sample(self.voters, self.rng.randint(0, len(self.voters) - 1)))
        if self.flying:
            number = self.rng.randrange(min(len(self.flying), 4))
            what = self.rng.random()
            if what < 0.03:
                self.flying.pop(number)
            elif what < 0.06:
                self.flying.append(self.flying[number])
            elif what < 0.8:
                self.deliver(number)
        for one in self.running:
            if self.rng.random() < 0.5:
                one.take()
            if self.rng.random() < 0.5:
                one.finish()

    def settle(self):
        """Do at once all that is ready and on its way."""
        while True:
            for one in self.running:
                one.take()
                one.finish()
            if not self.flying and not any(one.node.ready() for one in self.running):
                return
            while self.flying:
                self.deliver()

    def pass_time(self, ticks=1):
        for _ in range(ticks):
            for one in self.running:
                one.node.tick()
            self.settle()
            self.check()

    def elect(self):
        """Let time pass until there is a leader that has been heard by all who can hear it."""
        for _ in range(100):
            self.pass_time()
            if self.leader is not None:
                return self.leader
        raise AssertionError("nobody is elected")
