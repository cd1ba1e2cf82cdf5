"""What etcd refuses, in etcd's own words.

An error of etcd is a gRPC status and a sentence; clients tell errors apart by the sentence alone, so every one here is
the literal text of etcd's `api/v3rpc/rpctypes/error.go`. The store raises them, grpclib writes them into the trailers,
and the client turns them back into the same classes: `except CompactedError` reads alike at both ends of the wire.

    store.range(b"a", revision=3)       after compaction at 5 raises CompactedError; on the wire:
    grpc-status: 11 (OUT_OF_RANGE)      grpc-message: etcdserver: mvcc: required revision has been compacted
"""

from typing import ClassVar

from grpclib.const import Status
from grpclib.exceptions import GRPCError


class EtcdError(GRPCError):
    """A request that etcd understood and refused. Each refusal is a subclass that fixes `CODE` and `TEXT`."""

    CODE: ClassVar[Status] = Status.UNKNOWN
    TEXT: ClassVar[str] = "etcdserver: unknown error"

    def __init__(self) -> None:
        super().__init__(self.CODE, self.TEXT)

    def __str__(self) -> str:
        return self.TEXT


class CompactedError(EtcdError):
    """The revision asked for is older than the last compaction, `compact_revision` where it is known (else 0)."""

    CODE = Status.OUT_OF_RANGE
    TEXT = "etcdserver: mvcc: required revision has been compacted"

    def __init__(self, compact_revision: int = 0) -> None:
        super().__init__()
        self.compact_revision = compact_revision


class FutureRevisionError(EtcdError):
    """The revision asked for has not happened yet."""

    CODE = Status.OUT_OF_RANGE
    TEXT = "etcdserver: mvcc: required revision is a future revision"


class EmptyKeyError(EtcdError):
    """A key may not be empty."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: key is not provided"


class KeyNotFoundError(EtcdError):
    """A put that keeps value or lease needs a key that exists."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: key not found"


class ValueProvidedError(EtcdError):
    """A put says to keep the value and yet brings one."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: value is provided"


class LeaseProvidedError(EtcdError):
    """A put says to keep the lease and yet brings one."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: lease is provided"


class TooManyOperationsError(EtcdError):
    """A transaction has more comparisons or operations than `OPERATIONS_MAX`."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: too many operations in txn request"


class DuplicateKeyError(EtcdError):
    """A transaction would change one key twice."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: duplicate key given in txn request"


class InvalidSortOptionError(EtcdError):
    """A range asks for an order that does not exist."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: invalid sort option"


class RequestTooLargeError(EtcdError):
    """A write is larger than `REQUEST_BYTES_MAX`."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: request is too large"


class NoSpaceError(EtcdError):
    """The store holds as much as it may."""

    CODE = Status.RESOURCE_EXHAUSTED
    TEXT = "etcdserver: mvcc: database space exceeded"


class LeaseNotFoundError(EtcdError):
    """There is no such lease, or no longer."""

    CODE = Status.NOT_FOUND
    TEXT = "etcdserver: requested lease not found"


class LeaseExistsError(EtcdError):
    """The lease ID asked for is taken."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: lease already exists"


class LeaseTTLTooLargeError(EtcdError):
    """The time to live asked for is beyond `TTL_SECONDS_MAX`."""

    CODE = Status.OUT_OF_RANGE
    TEXT = "etcdserver: too large lease TTL"


class RequestTimedOutError(EtcdError):
    """No majority of the members has agreed in time."""

    CODE = Status.UNAVAILABLE
    TEXT = "etcdserver: request timed out"


class LeaderFailedError(EtcdError):
    """As before, and the leader was lost meanwhile."""

    CODE = Status.UNAVAILABLE
    TEXT = "etcdserver: request timed out, possibly due to previous leader failure"


class NoLeaderError(EtcdError):
    """Nobody leads, and who asks wants a leader to be there."""

    CODE = Status.UNAVAILABLE
    TEXT = "etcdserver: no leader"


class LeaderChangedError(EtcdError):
    """The leader that a read was asked of leads no more."""

    CODE = Status.UNAVAILABLE
    TEXT = "etcdserver: leader changed"


class NotLeaderError(EtcdError):
    """Only the leader can do that."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: not leader"


class LeaderTransferTimedOutError(EtcdError):
    """The other member has not taken over in time."""

    CODE = Status.UNAVAILABLE
    TEXT = "etcdserver: request timed out, leader transfer took too long"


class TooManyRequestsError(EtcdError):
    """Too much is on its way to being agreed upon."""

    CODE = Status.RESOURCE_EXHAUSTED
    TEXT = "etcdserver: too many requests"


class MemberNotFoundError(EtcdError):
    """There is no such member."""

    CODE = Status.NOT_FOUND
    TEXT = "etcdserver: member not found"


class PeerURLExistsError(EtcdError):
    """Another member has that peer URL."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: Peer URLs already exists"


class BadMemberURLError(EtcdError):
    """A peer URL that is none."""

    CODE = Status.INVALID_ARGUMENT
    TEXT = "etcdserver: given member URLs are invalid"


class NotEnoughStartedMembersError(EtcdError):
    """After the change there would be no majority of members that run."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: re-configuration failed due to not enough started members"


class TooManyLearnersError(EtcdError):
    """There is a learner already."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: too many learner members in cluster"


class LearnerNotReadyError(EtcdError):
    """A learner that does not have what the leader has."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: can only promote a learner member which is in sync with leader"


class MemberNotLearnerError(EtcdError):
    """Only a learner is promoted."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: can only promote a learner member"


class BadLeaderTransfereeError(EtcdError):
    """Leadership cannot go to that member."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: bad leader transferee"


class RootUserNotExistError(EtcdError):
    """Authentication is not enabled without a user called root."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: root user does not exist"


class UserNotFoundError(EtcdError):
    """There is no such user."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: user name not found"


class RoleNotFoundError(EtcdError):
    """There is no such role."""

    CODE = Status.FAILED_PRECONDITION
    TEXT = "etcdserver: role name not found"


def from_grpc(error: GRPCError) -> GRPCError:
    """Return the class of ours whose words these are, or `error` itself where none is."""
    for known in EtcdError.__subclasses__():
        if error.message == known.TEXT:
            return known()
    return error
