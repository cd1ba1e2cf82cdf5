"""The StatefulSet controller: pods with names, made one after the other and taken away from the end.

Theory of operation. It goes through the numbers. `OrderedReady`: a pod is made only when all before it run and are
ready, the one with the highest number goes first, and never two at a time; `Parallel`: all at once. A new template
becomes a new ControllerRevision; then the pod with the highest number that is of an older one is deleted, and made anew
under the same name, and when it is ready the next lower one, down to the partition.

    replicas 3             POST web-0 → (ready) → POST web-1 → (ready) → POST web-2
    template changed       DELETE web-2 → (gone) → POST web-2 → (ready) → DELETE web-1 …
    replicas 1             DELETE web-2 → (gone) → DELETE web-1

Modelled on `pkg/controller/statefulset/{stateful_set,stateful_set_control}.go`. Left out: volume claims,
maxUnavailable (off by default there).
"""

from cluster_engine.api.kinds import POD, STATEFUL_SET
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, NotFound, Refusal
from cluster_engine.client import WorkQueue
from cluster_engine.controllers import pods
from cluster_engine.controllers import stateful_pods as members
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.history import History
from cluster_engine.controllers.owned_pods import OwnedPods
from cluster_engine.controllers.ownership import is_deleting

WORKERS = 5
HASH = "controller.kubernetes.io/hash"


class StatefulSetController:
    """Keeps StatefulSets; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._sets = context.informers.informer(STATEFUL_SET)
        self._history = History(context, STATEFUL_SET, HASH)
        self._queue = WorkQueue[str]("statefulset")
        self._pods = OwnedPods(context, STATEFUL_SET, self._queue, Expectations())

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    async def _sync(self, key: str) -> None:
        stateful_set = self._sets.get(key)
        if stateful_set is None:
            return
        own = [pod for pod in await self._pods.claim(stateful_set) if members.is_member(stateful_set, pod)]
        own.sort(key=members.number_of)
        update, old = await self._history.present(stateful_set)
        known = (stateful_set.get("status") or {}).get("currentRevision", "")
        current = (self._history.named(stateful_set, known) if known else None) or update
        names = current["metadata"]["name"], update["metadata"]["name"]
        failure: Refusal | None = None
        if not is_deleting(stateful_set):
            try:
                await self._step(stateful_set, own, current, update)
            except Refusal as refusal:
                failure = refusal
        now = self._process.now()
        status = members.status_of(stateful_set, own, *names, now)
        if status != stateful_set.get("status"):
            await self._client.update(STATEFUL_SET, {**stateful_set, "status": status}, "status")
        await self._history.forget(stateful_set, old, {*names, *map(members.revision_of, own)})
        if failure is not None:
            raise failure
        if status.get("readyReplicas", 0) > status["availableReplicas"]:
            self._queue.add_after(key, stateful_set["spec"].get("minReadySeconds", 0))

    async def _step(self, stateful_set: Object, own: list[Object], current: Object, update: Object) -> None:
        """Take the next step, or in parallel all that can be taken; pods made are added to `own`."""
        wanted = members.numbers(stateful_set)
        in_order = stateful_set["spec"].get("podManagementPolicy") != "Parallel"
        by_number = {members.number_of(pod): pod for pod in own}
        for place, number in enumerate(wanted):
            pod = by_number.get(number)
            if pod is None:
                revision = current if self._stays_old(stateful_set, place) else update
                pod = by_number[number] = await self._create(
                    stateful_set, members.pod_of(stateful_set, number, revision)
                )
                own.append(pod)
            elif pods.is_terminal(pod) and not is_deleting(pod):
                await self._delete(stateful_set, pod)
            if in_order and not self._is_well(stateful_set, pod):
                return
        surplus = [by_number[number] for number in sorted(by_number, reverse=True) if number not in wanted]
        unwell = [pod for pod in reversed(surplus) if not self._is_well(stateful_set, pod)]
        for pod in surplus:
            if not is_deleting(pod) and (not in_order or pod in unwell[:1] or not unwell):
                await self._delete(stateful_set, pod)
            if in_order:
                return
        await self._roll(stateful_set, [by_number[number] for number in wanted], update["metadata"]["name"])

    @staticmethod
    def _stays_old(stateful_set: Object, place: int) -> bool:
        strategy = stateful_set["spec"].get("updateStrategy") or {}
        return strategy.get("type") == "RollingUpdate" and place < members.partition_of(stateful_set)

    def _is_well(self, stateful_set: Object, pod: Object) -> bool:
        return not is_deleting(pod) and members.is_available(stateful_set, pod, self._process.now())

    async def _roll(self, stateful_set: Object, replicas: list[Object], newest: str) -> None:
        """Delete the last pod that is of an older revision, if all behind it are well."""
        if (stateful_set["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
            return
        for pod in reversed(replicas[members.partition_of(stateful_set) :]):
            if members.revision_of(pod) != newest and not is_deleting(pod):
                await self._delete(stateful_set, pod)
                return
            if not self._is_well(stateful_set, pod):
                return

    # -- pods

    async def _create(self, stateful_set: Object, pod: Object) -> Object:
        metadata = pod["metadata"]
        what = f"create Pod {metadata['name']} in StatefulSet {stateful_set['metadata']['name']}"
        try:
            created = await self._client.create(POD, pod)
        except AlreadyExists:  # made by this controller, and not heard of yet; or not gone yet
            return await self._client.get(POD, metadata["name"], metadata["namespace"])
        except Refusal as refusal:
            self._events.event(stateful_set, "Warning", "FailedCreate", f"{what} failed error: {refusal}")
            raise
        self._events.event(stateful_set, "Normal", "SuccessfulCreate", f"{what} successful")
        return created

    async def _delete(self, stateful_set: Object, pod: Object) -> None:
        metadata = pod["metadata"]
        what = f"delete Pod {metadata['name']} in StatefulSet {stateful_set['metadata']['name']}"
        options = {"preconditions": {"uid": metadata["uid"]}}
        try:
            await self._client.delete(POD, metadata["name"], metadata["namespace"], options=options)
        except NotFound:
            return
        except Refusal as refusal:
            self._events.event(stateful_set, "Warning", "FailedDelete", f"{what} failed error: {refusal}")
            raise
        self._events.event(stateful_set, "Normal", "SuccessfulDelete", f"{what} successful")
