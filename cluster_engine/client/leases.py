"""Leader election: of several equal processes, one works; a Lease object says which.

Theory of operation. client-go `tools/leaderelection` with a Lease lock. Every RETRY_PERIOD_SECONDS each candidate reads
the Lease and, where the holder is itself, nobody, or one whose record has not changed for LEASE_DURATION_SECONDS *by
the reader's own clock*, writes itself in; the resourceVersion in the PUT makes sure that one of two wins. The holder
writes `renewTime` as often, and stops leading when it could not for RENEW_DEADLINE_SECONDS: a real process exits
then, and so does ours (`lead`), leaving it to whatever started it to start it again.

    0 s  GET lease → 404, POST lease {holderIdentity: cp_…, leaseTransitions: 0}      leading
    2 s  PUT lease {renewTime: …}     4 s  PUT …                                      one write each time, no read

Left out: releasing the lease on exit (off in the control plane's components), coordinated leader election (alpha).
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from cluster_engine.api import time
from cluster_engine.api.kinds import LEASE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

LEASE_DURATION_SECONDS = 15
RENEW_DEADLINE_SECONDS = 10.0
RETRY_PERIOD_SECONDS = 2.0
JITTER = 1.2
CHECK_SECONDS = 20.0
"""How much longer than the lease a health check waits for it to be renewed."""


class LeadershipLost(Exception):  # noqa: N818, it says what happened
    """The lease could not be renewed in time."""


class LeaderElector:
    """One candidate for the Lease `name` in `namespace`; `identity` is told in it."""

    def __init__(self, client: Client, process: "Process", name: str, *, namespace: str = "kube-system") -> None:
        self.identity = f"{process.host.name}_{process.uuid()}"
        self._client = client
        self._process = process
        self._name = name
        self._namespace = namespace
        self._lease: Object | None = None
        self._observed: Object | None = None
        self._observed_at = 0.0
        self._renewed_at: float | None = None
        self._status = process.metrics.gauge(
            "leader_election_master_status",
            "[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates "
            "master. 'name' is the string used to identify the lease. Please make sure to group by name.",
            ("name",),
        )
        self._status.set(0, name)

    async def check(self) -> str | None:
        """Say what is wrong: that this leader has not renewed its lease for too long (HealthzAdaptor)."""
        if self._renewed_at is None:
            return None
        late = asyncio.get_running_loop().time() - self._renewed_at
        if late <= LEASE_DURATION_SECONDS + CHECK_SECONDS:
            return None
        return f"failed election to renew leadership on lease {self._name}"

    async def lead(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait until leading, then do the work for as long. SystemExit with code 1 when leadership is lost."""
        try:
            await self.acquire()
        except BaseException:
            work.close()
            raise
        tasks = (asyncio.create_task(self.renew(), name="leader-election"), asyncio.create_task(work, name="leader"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except LeadershipLost:
            raise SystemExit(1) from None
        finally:
            self._status.set(0, self._name)
            for task in tasks:
                task.cancel()

    async def acquire(self) -> None:
        """Wait until this candidate leads."""
        while not await self._try():  # noqa: ASYNC110, it asks a server, there is nothing to wait for
            await asyncio.sleep(RETRY_PERIOD_SECONDS * (1 + self._process.rng.random() * JITTER))
        self._process.note("leader.elected", f"became leader of {self._name}", lease=self._name, identity=self.identity)

    async def renew(self) -> None:
        """Keep leading for ever; LeadershipLost when that fails for too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(RETRY_PERIOD_SECONDS)
            renewed = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(loop.time() + RENEW_DEADLINE_SECONDS):
                    while not (renewed := await self._try()):  # noqa: ASYNC110
                        await asyncio.sleep(RETRY_PERIOD_SECONDS)
            if not renewed:
                self._process.note("leader.lost", f"failed to renew lease {self._namespace}/{self._name}: timed out")
                raise LeadershipLost

    async def _try(self) -> bool:
        try:
            return await self._acquire_or_renew()
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("leader.retry", f"error retrieving or updating lease {self._name}: {error}")
            self._lease = None
            return False

    async def _acquire_or_renew(self) -> bool:
        if self._lease is not None and self._is_ours(self._lease):
            return await self._write(self._lease)  # the fast path: nobody else writes a lease that is held
        try:
            lease = await self._client.get(LEASE, self._name, self._namespace)
        except NotFound:
            metadata = {"name": self._name, "namespace": self._namespace}
            lease = {"kind": "Lease", "apiVersion": LEASE.api_version, "metadata": metadata, "spec": self._record({})}
            self._lease = await self._client.create(LEASE, lease)
            self._leads()
            return True
        now = asyncio.get_running_loop().time()
        if lease.get("spec") != self._observed:
            self._observed, self._observed_at = lease.get("spec"), now
        duration = (lease.get("spec") or {}).get("leaseDurationSeconds", LEASE_DURATION_SECONDS)
        held = bool((lease.get("spec") or {}).get("holderIdentity")) and self._observed_at + duration > now
        if held and not self._is_ours(lease):
            return False
        return await self._write(lease)

    def _leads(self) -> None:
        self._renewed_at = asyncio.get_running_loop().time()
        self._status.set(1, self._name)

    async def _write(self, lease: Object) -> bool:
        lease = {**lease, "spec": self._record(lease.get("spec") or {})}
        self._lease = await self._client.update(LEASE, lease)
        self._leads()
        return True

    def _is_ours(self, lease: Object) -> bool:
        return bool((lease.get("spec") or {}).get("holderIdentity") == self.identity)

    def _record(self, before: Object) -> Object:
        now = time.micro(self._process.now())
        ours = before.get("holderIdentity") == self.identity
        transitions = before.get("leaseTransitions", 0) + (0 if ours or not before else 1)
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": LEASE_DURATION_SECONDS,
            "acquireTime": before["acquireTime"] if ours else now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }
