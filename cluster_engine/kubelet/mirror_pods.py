"""Mirror pods: what the API is shown of static pods. Nobody can run or stop one; it is a picture.

Theory of operation. For each static pod there is to be one pod of its name in the API, made by this kubelet, that bears
the hash of the file it is a picture of. Whenever static or mirror pods have changed all are compared:

    static pod, no mirror               POST it: annotation kubernetes.io/config.mirror = the hash, owner the Node
    mirror that is being deleted        DELETE it with grace 0, and POST it again: its containers never notice
    mirror of another hash              the same: the file has changed
    mirror, no static pod, none ends    DELETE it

What fails is tried again after RETRY_SECONDS. Modelled on pkg/kubelet/pod/mirror_client.go and kubelet.go
`tryReconcileMirrorPods`.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Conflict, NotFound, Refusal
from cluster_engine.client.informer import Informer
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.static_pods import StaticPods

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

RETRY_SECONDS = 10.0


class MirrorPods:
    """Keeps the mirror pods of this node. `ending` names the static pods, in full, that still are to end."""

    def __init__(
        self,
        client: Client,
        process: "Process",
        static: StaticPods,
        api: Informer,
        *,
        node_uid: Callable[[], str | None],
        ending: Callable[[], set[str]],
    ) -> None:
        self._client = client
        self._process = process
        self._static = static
        self._api = api
        self._node_uid = node_uid
        self._ending = ending
        self._news = asyncio.Event()

    def look(self) -> None:
        """Know that something has changed."""
        self._news.set()

    async def run(self) -> None:
        """Compare whenever there is news, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._compare()
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._process.note("kubelet.mirror", f"failed creating or deleting a mirror pod: {error}")
                await asyncio.sleep(RETRY_SECONDS)
                self._news.set()

    async def _compare(self) -> None:
        mirrors = {pods.full_name(pod): pod for pod in self._api.items() if pods.is_mirror(pod)}
        ending = self._ending()
        for name, mirror in mirrors.items():
            static = self._static.get(name)
            is_picture = static is not None and pods.is_mirror_of(mirror, static)
            if (not is_picture and name not in ending) or pods.is_deleted(mirror):
                await self._delete(mirror)
        for static in self._static.items():
            known = mirrors.get(pods.full_name(static))
            if known is None or not pods.is_mirror_of(known, static) or pods.is_deleted(known):
                await self._create(static)

    async def _create(self, static: Object) -> None:
        try:
            await self._client.create(POD, picture(static, self._node_uid() or ""), static["metadata"]["namespace"])
        except AlreadyExists:
            return  # the watch has not told of it yet

    async def _delete(self, mirror: Object) -> None:
        metadata = mirror["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        try:
            await self._client.delete(POD, metadata["name"], metadata["namespace"], options=options)
        except (NotFound, Conflict):
            return


def picture(static: Object, node_uid: str) -> Object:
    """Return the mirror pod of a static pod."""
    metadata, spec = static["metadata"], static["spec"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": spec["nodeName"], "uid": node_uid, "controller": True}
    shown = {key: value for key, value in metadata.items() if key != "uid"}
    annotations = {**metadata["annotations"], pods.MIRROR: metadata["annotations"][pods.HASH]}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {**shown, "annotations": annotations, "ownerReferences": [owner]},
        "spec": spec,
    }
