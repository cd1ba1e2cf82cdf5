"""The heartbeat: a Lease in kube-node-lease, renewed every ten seconds.

A PUT with the version of the last answer is enough, since nobody else writes this object. When that fails five times
the lease is looked at anew (or made), for as long as it takes, after 0.1, 0.2 … 7 s. No request may take longer than
the interval; from the second failure in a row on all connections to the API server are closed first, in case the one
in use has silently died.

    PUT … 10 s … PUT … refused ×5, GET refused, 0.1 s, GET refused, 0.2 s … GET 200, PUT

Modelled on component-helpers/apimachinery/lease/controller.go and the kubelet's heartbeat client.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.api import time
from cluster_engine.api.kinds import LEASE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict, NotFound, Refusal
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

NAMESPACE = "kube-node-lease"
DURATION_SECONDS = 40
RENEW_SECONDS = 10.0
UPDATE_TRIES = 5
ENSURE_SECONDS, ENSURE_SECONDS_MAX = 0.1, 7.0
HEARTBEAT_TIMEOUT_SECONDS = 10.0


class NodeLease:
    """Keeps one node's lease. `owner` gives the Node's uid once that is known."""

    def __init__(self, client: Client, process: "Process", owner: Callable[[], str | None]) -> None:
        self._client = client
        self._process = process
        self._owner = owner
        self._name = process.host.hostname
        self._lease: Object | None = None

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            await self._renew()
            await asyncio.sleep(RENEW_SECONDS)

    async def _renew(self) -> None:
        if self._lease is not None and await self._update():
            return
        if not await self._ensure():
            await self._update()

    async def _update(self) -> bool:
        """PUT the lease, up to UPDATE_TRIES times; tell whether it worked."""
        for attempt in range(UPDATE_TRIES):
            assert self._lease is not None
            try:
                async with asyncio.timeout(HEARTBEAT_TIMEOUT_SECONDS):
                    lease = {**self._lease, "spec": {**self._lease["spec"], **self._spec()}}
                    self._lease = await self._client.update(LEASE, lease)
                return True
            except Conflict:
                await self._ensure()
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._note("failed to update lease", error)
                if attempt > 0:
                    await self._client.aclose()
        return False

    async def _ensure(self) -> bool:
        """Read the lease, or make it, however long it takes; tell whether it was made."""
        wait = ENSURE_SECONDS
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_TIMEOUT_SECONDS):
                    return await self._get_or_create()
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._note("failed to ensure lease exists, will retry", error)
            await asyncio.sleep(wait)
            wait = min(wait * 2, ENSURE_SECONDS_MAX)

    async def _get_or_create(self) -> bool:
        try:
            self._lease = await self._client.get(LEASE, self._name, NAMESPACE)
        except NotFound:
            metadata: Object = {"name": self._name, "namespace": NAMESPACE}
            if uid := self._owner():
                metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": self._name, "uid": uid}]
            lease = {"kind": "Lease", "apiVersion": LEASE.api_version, "metadata": metadata, "spec": self._spec()}
            self._lease = await self._client.create(LEASE, lease)
            return True
        return False

    def _spec(self) -> Object:
        now = time.micro(self._process.now())
        return {"holderIdentity": self._name, "leaseDurationSeconds": DURATION_SECONDS, "renewTime": now}

    def _note(self, what: str, error: Exception) -> None:
        self._process.note("kubelet.lease", f"{what}: {error or type(error).__name__}")
