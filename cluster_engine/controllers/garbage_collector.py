"""The garbage collector: what happens to objects whose owners go.

Theory of operation. The API server deletes one object; everything that follows is done here, by looking at objects one
by one in a queue. An object all of whose owners are gone is deleted too (*background*, the default). With `foreground`
the owner stays, with a finalizer, until its blocking dependents are gone; with `orphan` the dependents only lose the
reference. Before it deletes, the collector asks the server itself (the graph may be old): the object, then its owner.

    kubectl delete deployment web:   DELETED web → look at web-5d: GET web-5d, GET web → 404 → DELETE web-5d
                                     DELETED web-5d → look at its pods: GET pod … → DELETE pod (the owner is known gone)

Which kinds there are it asks the server, every 30 seconds: of a kind that comes it watches the objects (of every kind
but Events), of one that goes no longer. An owner of a kind that is not known now may be of one that comes: what it owns
is looked at again, ever more rarely.

Modelled on `pkg/controller/garbagecollector/garbagecollector.go` (Sync and attemptToDeleteItem), fed by the shared
informers.
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

from cluster_engine.api.kinds import EVENT
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Conflict, Invalid, NotFound, Refusal, UnsupportedMediaType
from cluster_engine.client import WorkQueue
from cluster_engine.client.discovery import Discovered, discover, preferred
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership_graph import FOREGROUND, ORPHAN, Graph, Node

WORKERS = 4
ABSENT_OWNERS_MAX = 500
RETRY_SECONDS = 0.1
KINDS_PERIOD_SECONDS = 30.0


class GarbageCollector:
    """Deletes what has lost its owners; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._informers = context.informers
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._followed: dict[str, Resource] = {}
        self._graph = Graph()
        self._to_delete = WorkQueue[str]("garbage_collector_attempt_to_delete")
        self._to_orphan = WorkQueue[str]("garbage_collector_attempt_to_orphan")
        self._absent: OrderedDict[str, None] = OrderedDict()

    # -- which kinds there are

    async def _know_kinds(self, known: asyncio.Event) -> None:
        """Ask the server which kinds it has, again and again."""
        while True:
            with contextlib.suppress(Refusal, ConnectionError, TimeoutError):  # the wire shows it; next time, perhaps
                self._take_kinds(await discover(self._client))
                known.set()
            await asyncio.sleep(KINDS_PERIOD_SECONDS)

    def _take_kinds(self, discovered: list[Discovered]) -> None:
        self._kinds = {(each.api_version, each.name): each for each in discovered if "get" in each.verbs}
        wanted = {each.path(): each for each in preferred(discovered) if _is_collected(each)}
        for path in [path for path in self._followed if path not in wanted]:
            self._informers.drop(self._followed.pop(path))
        for path, resource in wanted.items():
            if path not in self._followed:
                self._followed[path] = resource
                self._follow(resource)

    def _kind_of(self, node: Node) -> Resource:
        kind = self._kinds.get((node.api_version, node.kind))
        if kind is None:
            raise Refusal(f'no matches for kind "{node.kind}" in version "{node.api_version}"')
        return kind

    def _follow(self, kind: Resource) -> None:
        def seen(obj: Object) -> None:
            look, orphan = self._graph.seen(kind.name, kind.api_version, obj)
            for node in look:
                self._to_delete.add(node.uid)
            for node in orphan:
                self._to_orphan.add(node.uid)

        informer = self._informers.informer(kind)
        informer.on(add=seen, update=lambda _, new: seen(new), delete=self._gone)

    def _gone(self, obj: Object) -> None:
        self._lose(obj["metadata"]["uid"])

    def _lose(self, uid: str) -> None:
        self._absent[uid] = None
        if len(self._absent) > ABSENT_OWNERS_MAX:
            self._absent.popitem(last=False)
        for node in self._graph.gone(uid):
            self._to_delete.add(node.uid)

    async def run(self) -> None:
        """Work for ever."""
        known = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._know_kinds(known))
            await known.wait()
            tasks.create_task(self._to_delete.run(self._look, workers=WORKERS))
            tasks.create_task(self._to_orphan.run(self._orphan))

    # -- one look

    async def _look(self, uid: str) -> None:
        node = self._graph.get(uid)
        if node is None or (node.is_deleting and not node.waits_for_dependents):
            return
        if not (node.is_virtual or node.owners or node.waits_for_dependents):
            return  # it was virtual when it was queued, and has been seen since
        live = await self._live(node)
        if live is None:
            self._lose(uid)
            return
        if node.is_virtual:
            return  # it exists after all; its informer will tell of it
        if node.waits_for_dependents:
            await self._finish_foreground(node, live)
            return
        references = live["metadata"].get("ownerReferences") or []
        if references:
            await self._judge(node, live, references)

    async def _live(self, node: Node) -> Object | None:
        try:
            live = await self._client.get(self._kind_of(node), node.name, node.namespace or None)
        except NotFound:
            return None
        return live if live["metadata"]["uid"] == node.uid else None

    async def _judge(self, node: Node, live: Object, references: list[Object]) -> None:
        solid, dangling, waiting = [], [], []
        for reference in references:
            owner = await self._owner(node, reference)
            if owner is None:
                dangling.append(reference)
            elif "deletionTimestamp" in owner["metadata"] and FOREGROUND in (owner["metadata"].get("finalizers") or []):
                waiting.append(reference)
            else:
                solid.append(reference)
        if solid:
            if dangling or waiting:
                await self._drop_references(node, live, [each["uid"] for each in (*dangling, *waiting)])
            return
        policy = "Background"
        if waiting and node.dependents:
            policy = "Foreground"
        finalizers = live["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers:
            policy = "Foreground"
        await self._delete(node, live, policy)

    async def _owner(self, node: Node, reference: Object) -> Object | None:
        uid = reference["uid"]
        if uid in self._absent:
            return None
        owner = Node(uid, reference["apiVersion"], reference["kind"], node.namespace, reference["name"])
        live = await self._live(owner)
        if live is None:
            self._absent[uid] = None
        return live

    async def _delete(self, node: Node, live: Object, policy: str) -> None:
        preconditions = {"uid": node.uid, "resourceVersion": live["metadata"]["resourceVersion"]}
        options = {"preconditions": preconditions, "propagationPolicy": policy}
        try:
            await self._client.delete(self._kind_of(node), node.name, node.namespace or None, options=options)
        except NotFound:
            self._lose(node.uid)
        except Conflict:  # it has changed since it was read: look again
            self._to_delete.add_after(node.uid, RETRY_SECONDS)

    async def _finish_foreground(self, node: Node, live: Object) -> None:
        """Let an owner go once no dependent blocks it; hurry those that do."""
        blocking = [each for each in node.dependents.values() if each.blocks(node)]
        if not blocking:
            await self._remove_finalizer(node, live, FOREGROUND)
            return
        for dependent in blocking:
            if not dependent.waits_for_dependents:
                self._to_delete.add(dependent.uid)

    async def _orphan(self, uid: str) -> None:
        """Take the reference to this owner from all its dependents, then let the owner go."""
        node = self._graph.get(uid)
        if node is None:
            return
        for dependent in list(node.dependents.values()):
            live = await self._live(dependent)
            if live is not None:
                await self._drop_references(dependent, live, [uid])
        live = await self._live(node)
        if live is not None:
            await self._remove_finalizer(node, live, ORPHAN)

    async def _drop_references(self, node: Node, live: Object, uids: list[str]) -> None:
        metadata = live["metadata"]
        gone: list[Object] = [{"$patch": "delete", "uid": uid} for uid in uids]
        try:
            await self._patch(node, {"ownerReferences": gone, "uid": metadata["uid"]})
        except UnsupportedMediaType:  # a kind without strategic merge patches: say the whole list, of just this version
            left = [each for each in metadata["ownerReferences"] if each["uid"] not in uids]
            merge = {"ownerReferences": left, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
            await self._patch(node, merge, type_="merge")

    async def _remove_finalizer(self, node: Node, live: Object, finalizer: str) -> None:
        metadata = live["metadata"]
        finalizers = [each for each in metadata.get("finalizers") or [] if each != finalizer]
        if finalizers != (metadata.get("finalizers") or []):
            patch = {"resourceVersion": metadata["resourceVersion"], "finalizers": finalizers}
            try:
                await self._patch(node, patch, type_="merge")
            except Conflict:
                self._to_delete.add_after(node.uid, RETRY_SECONDS)

    async def _patch(self, node: Node, metadata: Object, *, type_: Any = "strategic") -> None:
        with contextlib.suppress(NotFound, Invalid):  # gone, or another of the same name: nothing to do
            await self._client.patch(
                self._kind_of(node), node.name, {"metadata": metadata}, node.namespace or None, type=type_
            )


def _is_collected(resource: Resource) -> bool:
    return {"delete", "list", "watch"} <= set(resource.verbs) and resource.resource_name != EVENT.resource_name
