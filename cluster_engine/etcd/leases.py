"""Leases: keys that disappear unless somebody keeps saying "still here".

Modelled on etcd's `lease` package. A lease is granted for a time to live; keys put with its ID hang on it; each
keep-alive starts the time anew; when it runs out, all its keys are deleted in one revision. Kubernetes keeps Events
this way (one hour), while its own `Lease` objects are ordinary keys that merely share the name.

    at 0    grant(ttl=10)   -> lease 1, due at 10
    at 1    put a with lease 1
    at 8    keep_alive(1)   -> due at 18
    at 18   due(18) == [1]: the store deletes a and forgets the lease

Nothing here waits or reads a clock: every method is told the time, in seconds of the event loop. After a restart
nobody knows how long the server was away, so every lease starts its full time anew, as in etcd when a leader takes
over. Left out: checkpoints of the remaining time between members, and the pacing of mass revocation.
"""

import math
from collections.abc import Iterator

import msgspec

from cluster_engine.etcd.errors import LeaseExistsError, LeaseNotFoundError, LeaseTTLTooLargeError

TTL_SECONDS_MAX = 9_000_000_000
TTL_SECONDS_MIN = 2
"""One and a half election timeouts, so that a lease outlives a change of leader."""

FIRST_ID = 0x694D_0000_0000_0001


class Lease(msgspec.Struct):
    """One lease: runs out at `expires_at`, and takes `keys` with it. The keys keep their order of attachment."""

    id: int
    ttl: int
    expires_at: float
    keys: dict[bytes, None] = msgspec.field(default_factory=dict)

    def remaining_seconds(self, now: float) -> int:
        """Say how many whole seconds are left; it may run out within one second more."""
        return max(0, math.floor(self.expires_at - now))


class Leases:
    """The leases of one store, and which key hangs on which; a key hangs on one at most."""

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._next_id = FIRST_ID

    def __contains__(self, lease_id: int) -> bool:
        return lease_id in self._leases

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._leases))

    def get(self, lease_id: int) -> Lease:
        """Find a lease; LeaseNotFoundError."""
        try:
            return self._leases[lease_id]
        except KeyError:
            raise LeaseNotFoundError from None

    def grant(self, ttl: int, lease_id: int, now: float) -> Lease:
        """Make a lease of `ttl` seconds, at least two; ID 0 lets us choose. LeaseExistsError, LeaseTTLTooLargeError."""
        if ttl > TTL_SECONDS_MAX:
            raise LeaseTTLTooLargeError
        if lease_id in self._leases:
            raise LeaseExistsError
        ttl = max(ttl, TTL_SECONDS_MIN)
        lease = Lease(lease_id or self._unused_id(), ttl, now + ttl)
        self._leases[lease.id] = lease
        return lease

    def keep_alive(self, lease_id: int, now: float) -> Lease:
        """Start the lease's time anew; LeaseNotFoundError."""
        lease = self.get(lease_id)
        lease.expires_at = now + lease.ttl
        return lease

    def remove(self, lease_id: int) -> Lease:
        """Forget a lease and give it back, with the keys it takes along; LeaseNotFoundError."""
        lease = self.get(lease_id)
        del self._leases[lease_id]
        return lease

    def attach(self, key: bytes, lease_id: int) -> None:
        """Hang a key on a lease that exists."""
        self._leases[lease_id].keys[key] = None

    def detach(self, key: bytes, lease_id: int) -> None:
        """Take a key off its lease, if the lease is still there."""
        lease = self._leases.get(lease_id)
        if lease is not None:
            lease.keys.pop(key, None)

    def due(self, now: float) -> list[int]:
        """List the leases that have run out, the longest due first."""
        over = [lease for lease in self._leases.values() if lease.expires_at <= now]
        return [lease.id for lease in sorted(over, key=lambda lease: (lease.expires_at, lease.id))]

    def next_due(self) -> float | None:
        """Tell when the next lease runs out, if nobody keeps it alive; None without leases."""
        return min((lease.expires_at for lease in self._leases.values()), default=None)

    def renew_all(self, now: float) -> None:
        """Start every lease's time anew, after a restart."""
        for lease in self._leases.values():
            lease.expires_at = now + lease.ttl

    def _unused_id(self) -> int:
        while self._next_id in self._leases:
            self._next_id += 1
        lease_id = self._next_id
        self._next_id += 1
        return lease_id
