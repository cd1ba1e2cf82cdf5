"""Bringing suspended clusters back: under the same id, with the same journal, which goes on where it stood.

A cluster is suspended when its process is gone (nobody watched it, the server was stopped, its worker died) and comes
back as soon as somebody opens it, or at once when somebody is watching. Whoever wants that *claims* it in the database:
of several web processes one wins, and places it on a worker in a new life with all its inputs. The worker replays them
(`cluster_engine.run`); what has been recorded is made again and passed over (`replay.py`), so pages that stayed
connected see the state "starting", then the entry after their last.

    suspended, life 1, recorded 2,240     a page opens: claimed, life 2, starting
    Create(inputs, until=80.0, recorded=2240, last=…)     the worker leaps to 80 s: 1 … 2,240 again, 2,241 is new
    running                               and time stands or goes as it did

What cannot be brought back ends, with the reason: a run that was spoken to from outside, or for too long.
"""

import asyncio
import contextlib
import logging
from typing import Any

from visualizer import mishaps, selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.clusters import NoRoom
from visualizer.hosting.hub import Feed
from visualizer.hosting.messages import Create, State
from visualizer.hosting.placement import Placement, Spawn, create_of
from visualizer.hosting.recorder import end, suspend
from visualizer.hosting.replay import REPLAY_SECONDS_MAX
from visualizer.models import Cluster

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 15.0  # a cluster that has just lost its process is recorded to its end first
LOOK_SECONDS = 0.05
NO_WORKER, NO_ROOM = "no-worker", "no-room"  # the reasons of `NoRoom`
AGAIN_SECONDS = {NO_WORKER: 5.0, NO_ROOM: 15.0}  # between tries to place a cluster that is watched
STARTS_LOST_MAX = 5  # one that has not come up so often in a row never will


def obstacle(cluster: Cluster, create: Create) -> str | None:
    """Say why a cluster cannot be brought back, as a reason; None when it can."""
    if cluster.outside:
        return "outside"
    if cluster.starts_lost >= STARTS_LOST_MAX:
        return "failed"
    return "too-long" if create.until > REPLAY_SECONDS_MAX else None


class Revival:
    """Brings clusters back, for one web process. `spawn(work, name)` does some work beside the requests."""

    def __init__(self, bus: Bus, placement: Placement, spawn: Spawn) -> None:
        self._bus, self._placement, self._spawn = bus, placement, spawn
        self._claiming: set[str] = set()
        self._stopped = False

    def stop(self) -> None:
        """Bring nothing back any more: this process stops."""
        self._stopped = True

    async def wake(self, cluster: Cluster) -> Cluster:
        """Have a cluster that somebody opens brought back, if it is suspended; give its row as it is then."""
        if cluster.state != Cluster.State.SUSPENDED or self._stopped:
            return cluster
        claimed = await in_database(services.claim_revival)(cluster.pk)
        if claimed is None:
            return await in_database(selectors.cluster)(cluster.pk) or cluster
        self._spawn(self._bring_back(claimed), f"bring back {cluster.pk}")
        return claimed

    def watched(self, feed: Feed) -> None:
        """Have a cluster that is suspended while somebody watches brought back; after a pause where it had no place."""
        state = feed.state
        if not feed.is_watched or state is None or feed.id in self._claiming or self._stopped:
            return
        if state.state == "suspended" and state.reason in messages.SUSPENDING | AGAIN_SECONDS.keys():
            self._claiming.add(feed.id)
            self._spawn(self._wake_while_watched(feed, state), f"wake {feed.id}")

    async def _wake_while_watched(self, feed: Feed, state: State) -> None:
        try:
            await asyncio.sleep(AGAIN_SECONDS.get(state.reason, 0))
            async with asyncio.timeout(CLAIM_SECONDS):
                while (row := await in_database(selectors.cluster)(feed.id)) is not None and row.life == state.life:
                    if not feed.is_watched:
                        return
                    if row.state == Cluster.State.SUSPENDED:
                        await self.wake(row)
                        return
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            pass
        finally:
            self._claiming.discard(feed.id)

    async def _bring_back(self, cluster: Cluster) -> None:
        bus, stream = self._bus, messages.cluster_name(cluster.pk)
        with contextlib.suppress(BusLost):
            await bus.append(stream, messages.say(State("starting", life=cluster.life), cluster.life))
        try:
            create = await in_database(create_of)(cluster)
        except ValueError as problem:  # another version of Glassplane kept what this one cannot read
            logger.error("cluster %s cannot be brought back, its inputs are not understood: %s", cluster.pk, problem)
            await end(bus, cluster.pk, "failed", cluster.life)
            return
        if mishaps.is_poison(cluster.mishap):
            await self._replace(cluster, create)
            return
        if (reason := obstacle(cluster, create)) is not None:
            await end(bus, cluster.pk, reason, cluster.life)
            return
        try:
            await self._until_free(stream)
            await self._placement.wait_for_own_workers()
            await self._placement.place(cluster.pk, create)
        except NoRoom as problem:
            await suspend(bus, cluster.pk, problem.reason, cluster.life)
        except BusLost:
            await suspend(bus, cluster.pk, NO_WORKER, cluster.life)

    async def _replace(self, cluster: Cluster, create: Create) -> None:
        """Have another take the place of a cluster that cannot live with the last thing done to it."""
        mishap: dict[str, Any] = cluster.mishap or {}
        before = [one for one in create.inputs if one.n < mishap["n"]]
        if not before and not create.inputs:  # nothing was done: it is how it begins that ends it
            await end(self._bus, cluster.pk, "failed", cluster.life)
            return
        until = next((one.at for one in create.inputs if one.n == mishap["n"]), create.until)
        make = in_database(services.make_successor)
        successor, is_new = await make(cluster.pk, before, until, left_out=True)
        await end(self._bus, cluster.pk, mishap["reason"], cluster.life, successor.pk)
        if is_new:
            self._placement.launch(successor)

    async def _until_free(self, lease: str) -> None:
        """Wait until the last life has let go of the lease."""
        await self._bus.release(lease, messages.ENDED)
        for _ in range(round(messages.LEASE_SECONDS / LOOK_SECONDS)):
            if await self._bus.holder(lease) is None:
                return
            await asyncio.sleep(LOOK_SECONDS)
