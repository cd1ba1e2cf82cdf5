"""Who belongs to the etcd cluster: the one member that runs, and those that somebody adds.

Nobody but this member ever runs here, so that whoever is added stays "unstarted". Voters decide by majority: with a
second one that does not run there is none any more, and from then on nothing is written, nothing read but what this
member answers by itself, and nobody can be taken away again. A learner has no vote and does no harm.

    one member                      1 of 1 runs     works
    member add new                  1 of 2 runs     no leader; only a restored snapshot helps
    member add new --learner        1 of 1 runs     works; it cannot be promoted, since it is not in sync

Modelled on server/etcdserver/api/membership/cluster.go and the checks of `--strict-reconfig-check`, which is on.
"""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from cluster_engine.etcd.errors import (
    LearnerNotReadyError,
    MemberNotFoundError,
    MemberNotLearnerError,
    NotEnoughStartedMembersError,
    PeerURLExistsError,
    TooManyLearnersError,
)

CLUSTER_ID = 0xCDF818194E3A8C32
MEMBER_ID = 0x8E9E05C52164694D
"""What etcd computes for a single member called "default"; seen in many a transcript."""
LEARNERS_MAX = 1
MEMBERS_MAX = 16


class Member(msgspec.Struct, frozen=True):
    """One member; without a name it has not started yet."""

    id: int
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...] = ()
    is_learner: bool = False


class Members:
    """The members of a cluster, in the order of their IDs."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(sorted(self._members.values(), key=lambda member: member.id))

    @property
    def have_quorum(self) -> bool:
        """Whether a majority of those who vote runs."""
        voters = [member for member in self._members.values() if not member.is_learner]
        return 2 * sum(bool(member.name) for member in voters) > len(voters)

    def found(self, name: str, peer_url: str, token: str) -> int:
        """Add one of the members with which a cluster begins (`--initial-cluster`); give its ID."""
        id_ = _id(peer_url, token)
        self._members.setdefault(id_, Member(id_, name, (peer_url,)))
        return id_

    def publish(self, id_: int, name: str, client_urls: Sequence[str]) -> None:
        """A member says that it runs: what it is called, and where clients find it."""
        member = self._members.get(id_)
        if member is not None:
            self._members[id_] = replace(member, name=name, client_urls=tuple(client_urls))

    def start(self, name: str, client_url: str, peer_url: str) -> None:
        """Say who this member is: it keeps the peer URLs that it has been given."""
        old = self._members.get(MEMBER_ID)
        self._members[MEMBER_ID] = Member(MEMBER_ID, name, old.peer_urls if old else (peer_url,), (client_url,))

    def add(self, peer_urls: Sequence[str], *, is_learner: bool, seconds: int) -> Member:
        """Add a member at a time, by the clock. PeerURLExistsError, TooManyLearnersError."""
        self._check_free(peer_urls)
        if is_learner and sum(member.is_learner for member in self._members.values()) >= LEARNERS_MAX:
            raise TooManyLearnersError
        if not is_learner and len(self._members) >= MEMBERS_MAX:
            raise NotEnoughStartedMembersError
        id_ = _id("".join(sorted(peer_urls)), f"etcd-cluster{seconds}")
        member = self._members[id_] = Member(id_, "", tuple(peer_urls), is_learner=is_learner)
        return member

    def remove(self, id_: int) -> None:
        """Take a member away. MemberNotFoundError; NotEnoughStartedMembersError for the one that runs."""
        if self._get(id_).name:
            raise NotEnoughStartedMembersError
        del self._members[id_]

    def update(self, id_: int, peer_urls: Sequence[str]) -> None:
        """Give a member other peer URLs. MemberNotFoundError, PeerURLExistsError."""
        member = self._get(id_)
        self._check_free(peer_urls, but=id_)
        self._members[id_] = replace(member, peer_urls=tuple(peer_urls))

    def promote(self, id_: int) -> None:
        """Give a learner a vote: refused, for a learner that runs there is not."""
        raise LearnerNotReadyError if self._get(id_).is_learner else MemberNotLearnerError

    def _get(self, id_: int) -> Member:
        if id_ not in self._members:
            raise MemberNotFoundError
        return self._members[id_]

    def _check_free(self, peer_urls: Sequence[str], but: int = 0) -> None:
        taken = {url for member in self._members.values() if member.id != but for url in member.peer_urls}
        if taken & set(peer_urls):
            raise PeerURLExistsError


def cluster_id(members: Sequence[int]) -> int:
    """Return the number of the cluster that begins with these members."""
    data = b"".join(id_.to_bytes(8) for id_ in sorted(members))
    return int.from_bytes(hashlib.sha1(data, usedforsecurity=False).digest()[:8])


def _id(peer_urls: str, token: str) -> int:
    digest = hashlib.sha1(f"{peer_urls}{token}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8])
