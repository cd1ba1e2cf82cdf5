"""Recording Events: what a component tells the humans, as objects that others may list and that vanish after an hour.

Theory of operation. client-go `tools/record`. `event()` returns at once; a task of the recorder writes. The same thing
said again is not a new Event: its `count` and `lastTimestamp` are PATCHed. More than 10 similar ones (same but for the
message) within 600 s become one "(combined from similar events)". And a source that talks too much about one object is
cut short: 25 at once, then one in 300 s. What does not fit in the queue is dropped: losing Events is normal.

    event(pod, "Warning", "FailedScheduling", "0/2 nodes are available…")    POST  …/events          count 1
    event(pod, "Warning", "FailedScheduling", "0/2 nodes are available…")    PATCH …/events/web.18…  count 2

Modelled on event.go and events_cache.go, writing core/v1 Events (the real scheduler writes events.k8s.io/v1).
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import EVENT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client.rate_limits import Limit, TokenBucket
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

QUEUE_MAX = 1000
CACHE_ENTRIES_MAX = 4096
SIMILAR_MAX, SIMILAR_SECONDS = 10, 600.0
SPAM = Limit(1 / 300, 25)
TRIES_MAX, RETRY_SECONDS = 12, 10.0

Identity = tuple[str, ...]


class _Similar(msgspec.Struct):
    messages: list[str]
    at: float


class _Bounded(OrderedDict[Identity, object]):
    """A cache that forgets what was used least recently."""

    def __setitem__(self, key: Identity, value: object) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > CACHE_ENTRIES_MAX:
            self.popitem(last=False)


class EventRecorder:
    """Events of one component. `run()` must be running for them to be written."""

    def __init__(self, client: Client, process: "Process", component: str, *, host: str = "") -> None:
        self._client = client
        self._process = process
        self._source = {"component": component, **({"host": host} if host else {})}
        self._queue: asyncio.Queue[Object] = asyncio.Queue(QUEUE_MAX)
        self._written = _Bounded()
        self._similar = _Bounded()
        self._buckets = _Bounded()

    def event(self, about: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Say something about an object; `type_` is Normal or Warning."""
        involved = _reference(about, field_path)
        if not self._may_speak(involved):
            return
        now = time.rfc3339(self._process.now())
        message = self._combined(involved, type_, reason, message)[:1024]
        event = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"namespace": involved.get("namespace") or "default"},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": type_,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(event)

    async def run(self) -> None:
        """Write what was said, in order, for ever."""
        while True:
            event = await self._queue.get()
            for attempt in range(TRIES_MAX):
                try:
                    await self._write(event)
                    break
                except Refusal:
                    break  # the server has seen it and does not want it
                except (ConnectionError, TimeoutError):
                    share = self._process.rng.random() if attempt == 0 else 1.0
                    await asyncio.sleep(RETRY_SECONDS * share)

    async def _write(self, event: Object) -> None:
        identity = (*_identity(event), event["message"])
        known = self._written.get(identity)
        if isinstance(known, dict):
            count = known["count"] + 1
            change = {"count": count, "lastTimestamp": event["lastTimestamp"]}
            namespace = event["metadata"]["namespace"]
            try:
                await self._client.patch(EVENT, known["name"], change, namespace)
            except NotFound:
                pass  # its hour is over
            else:
                self._written[identity] = {"name": known["name"], "count": count}
                return
        event["metadata"]["name"] = f"{event['involvedObject']['name']}.{self._process.rng.getrandbits(64):016x}"
        await self._client.create(EVENT, event)
        self._written[identity] = {"name": event["metadata"]["name"], "count": 1}

    def _may_speak(self, involved: Object) -> bool:
        identity = tuple(str(involved.get(field, "")) for field in ("kind", "namespace", "name", "uid", "apiVersion"))
        bucket = self._buckets.get(identity)
        if not isinstance(bucket, TokenBucket):
            bucket = TokenBucket(SPAM)
        self._buckets[identity] = bucket
        return bucket.take()

    def _combined(self, involved: Object, type_: str, reason: str, message: str) -> str:
        """Return the message, or its combined form when many similar ones were said lately."""
        now = asyncio.get_running_loop().time()
        identity = (*(str(value) for value in involved.values()), type_, reason)
        similar = self._similar.get(identity)
        if not isinstance(similar, _Similar) or now - similar.at > SIMILAR_SECONDS:
            similar = _Similar([], now)
        similar.at = now
        if message not in similar.messages and len(similar.messages) < SIMILAR_MAX:
            similar.messages.append(message)
        self._similar[identity] = similar
        return message if message in similar.messages else f"(combined from similar events): {message}"


def _reference(about: Object, field_path: str) -> Object:
    metadata = about["metadata"]
    reference = {
        "kind": about["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "apiVersion": about["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion", ""),
        "fieldPath": field_path,
    }
    return {name: value for name, value in reference.items() if value}


def _identity(event: Object) -> Identity:
    involved = event["involvedObject"]
    fields = ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")
    source = event["source"]
    return (
        source["component"],
        source.get("host", ""),
        *(str(involved.get(field, "")) for field in fields),
        event["reason"],
        event["type"],
    )
