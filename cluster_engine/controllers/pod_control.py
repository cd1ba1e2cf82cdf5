"""Making and deleting pods for a controller: the request, the event that tells of it, what is no failure.

    failure = await control.create(job, pod)        POST pod; Event "Created pod: pi-x7k2p"; None
    failure = await control.delete(job, key, pod)   DELETE pod; Event "Deleted pod: …"; None

Of a deletion of which nothing will be seen the controller's expectations are told at once. Many pods are made by
`slow_start`, so that a quota that refuses the first is not asked for the others. Modelled on RealPodControl and
slowStartBatch in `pkg/controller`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Forbidden, NotFound, Refusal
from cluster_engine.client import key_of
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.expectations import Expectations

Failure = Refusal | ConnectionError | TimeoutError


class PodControl:
    """The pods of one controller's objects."""

    def __init__(self, context: Context, expectations: Expectations) -> None:
        self._client, self._events, self._expectations = context.client, context.events, expectations

    async def create(self, owner: Object, pod: Object, made: list[Object] | None = None) -> Failure | None:
        """Create a pod, and add it to `made`; return the failure."""
        try:
            created = await self._client.create(POD, pod)
        except (Refusal, ConnectionError, TimeoutError) as failure:
            if isinstance(failure, Forbidden) and namespace_ends(failure):
                return None  # it would never succeed, and will soon not matter
            self._events.event(owner, "Warning", "FailedCreate", f"Error creating: {failure}")
            return failure
        if made is not None:
            made.append(created)
        self._events.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
        return None

    async def delete(self, owner: Object, key: str, pod: Object) -> Failure | None:
        """Delete a pod of the object with this key; return the failure. One that is gone already is none."""
        metadata = pod["metadata"]
        try:
            await self._client.delete(POD, metadata["name"], metadata["namespace"])
        except NotFound:
            self._expectations.deleted(key, key_of(pod))
            return None
        except (Refusal, ConnectionError, TimeoutError) as failure:
            self._expectations.deleted(key, key_of(pod))
            self._events.event(owner, "Warning", "FailedDelete", f"Error deleting: {failure}")
            return failure
        self._events.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {metadata['name']}")
        return None


async def slow_start(count: int, create: Callable[[], Awaitable[Failure | None]]) -> tuple[int, Failure | None]:
    """Call `create` so often, in batches of 1, 2, 4 …, until one fails. Give successes and the failure."""
    created, batch = 0, 1
    while created < count:
        results = await asyncio.gather(*(create() for _ in range(min(batch, count - created))))
        failures = [result for result in results if result is not None]
        created += len(results) - len(failures)
        if failures:
            return created, failures[0]
        batch *= 2
    return created, None


def namespace_ends(refusal: Refusal) -> bool:
    """Return whether something was refused because its namespace is on its way out."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in refusal.details.get("causes", ()))
