"""Probes: is a container alive, ready, started? One worker for each probe of each running container.

A probe is asked every `periodSeconds`; `failureThreshold` failures in a row make it fail, `successThreshold` successes
make it succeed. Until its first success a container with a readiness probe is not ready; liveness is taken as good
until it fails. While there is a startup probe that has not succeeded, the others are not asked.

    readiness fails    the pod is not Ready: no traffic from Services         event Unhealthy
    liveness fails     the container is killed and started anew               events Unhealthy, Killing

What is asked, and how, is in `prober.py`. Modelled on pkg/kubelet/prober.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cluster_engine.api.objects import Object
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.prober import ProbeError, ProbeFailure, ask
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.runtime_cache import PodRuntime, RuntimeCache
from cluster_engine.rpc import cri_pb2 as cri

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

KINDS = ("startup", "readiness", "liveness")
Key = tuple[str, str, str]


@dataclass(slots=True)
class _Outcome:
    """What is known of one probe: None until the first success or the first failure that counts."""

    container_id: str
    kind: str
    probe: Object
    ip: str
    healthy: bool | None = None
    task: asyncio.Task[None] | None = None
    wants_news: Callable[[], None] = field(default=lambda: None)


class Probes:
    """All probes of the node, by pod uid, container name and kind."""

    def __init__(self, process: "Process", runtime: Runtime, cache: RuntimeCache, recorder: EventRecorder) -> None:
        self._process = process
        self._runtime = runtime
        self._cache = cache
        self._recorder = recorder
        self._outcomes: dict[Key, _Outcome] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def serve(self, tasks: asyncio.TaskGroup) -> None:
        """Probe in this group."""
        self._tasks = tasks

    def follow(self, pod: Object, runtime: PodRuntime, look: Callable[[], None]) -> None:
        """Probe the containers that run, and no longer those that do not. `look` is called when an outcome changes."""
        assert self._tasks is not None
        running = {status.metadata.name: status.id for status in runtime.running()}
        for container in [*pods.sidecars(pod), *pods.containers(pod)]:
            for kind in KINDS:
                probe = container.get(f"{kind}Probe")
                if not probe:
                    continue
                key = (pods.uid(pod), container["name"], kind)
                id_ = running.get(container["name"])
                known = self._outcomes.get(key)
                if known is not None and known.container_id == id_:
                    continue
                self._drop(key)
                if id_ is not None:
                    ip = runtime.ip or self._process.host.address
                    outcome = self._outcomes[key] = _Outcome(id_, kind, probe, ip, wants_news=look)
                    work = self._probe(pod, container, outcome)
                    outcome.task = self._tasks.create_task(work, name=f"probe {kind} {container['name']}")

    def stop(self, uid: str) -> None:
        """Probe nothing of a pod any more."""
        for key in [key for key in self._outcomes if key[0] == uid]:
            self._drop(key)

    def results(self, uid: str) -> tuple[Mapping[str, bool], Mapping[str, bool]]:
        """Tell which containers with probes are ready, and which have started."""
        of = {(name, kind): outcome.healthy for (pod, name, kind), outcome in self._outcomes.items() if pod == uid}
        ready = {name: healthy is True for (name, kind), healthy in of.items() if kind == "readiness"}
        started = {name: healthy is True for (name, kind), healthy in of.items() if kind == "startup"}
        return ready, started

    def unhealthy(self, uid: str) -> Mapping[str, str]:
        """Name the container ids that a probe wants dead, and the probe."""
        return {
            outcome.container_id: kind
            for (pod, _, kind), outcome in self._outcomes.items()
            if pod == uid and kind != "readiness" and outcome.healthy is False
        }

    def _drop(self, key: Key) -> None:
        outcome = self._outcomes.pop(key, None)
        if outcome is not None and outcome.task is not None:
            outcome.task.cancel()

    async def _probe(self, pod: Object, container: Object, outcome: _Outcome) -> None:
        kind, probe = outcome.kind, outcome.probe
        period = probe.get("periodSeconds") or 10
        await asyncio.sleep(probe.get("initialDelaySeconds") or 0)
        await asyncio.sleep(period * self._process.rng.random())
        streak, last = 0, None
        while self._runs(pods.uid(pod), outcome.container_id):
            if kind == "startup" or self._has_started(pods.uid(pod), container["name"]):
                succeeded = await self._ask(pod, container, outcome)
                if succeeded is None:
                    await asyncio.sleep(period)
                    continue
                streak = streak + 1 if succeeded is last else 1
                last = succeeded
                threshold = probe.get("successThreshold") or 1 if succeeded else probe.get("failureThreshold") or 3
                if streak >= threshold and outcome.healthy is not succeeded:
                    outcome.healthy = succeeded
                    outcome.wants_news()
                if kind == "startup" and outcome.healthy:
                    return
            await asyncio.sleep(period)

    def _runs(self, uid: str, id_: str) -> bool:
        status = self._cache.get(uid).container(id_)
        return status is not None and status.state == cri.CONTAINER_RUNNING

    def _has_started(self, uid: str, name: str) -> bool:
        outcome = self._outcomes.get((uid, name, "startup"))
        return outcome is None or outcome.healthy is True

    async def _ask(self, pod: Object, container: Object, outcome: _Outcome) -> bool | None:
        """Ask once; return whether all is well, told in an event if not. None: it could not be asked."""
        title = outcome.kind.capitalize()
        try:
            await ask(outcome.probe, container, outcome.container_id, outcome.ip, self._runtime)
        except ProbeFailure as failure:
            healthy, text = False, f"{title} probe failed: {failure}"
        except ProbeError as error:
            healthy, text = None, f"{title} probe errored and resulted in unknown state: {error}"
        else:
            return True
        place = pods.container_field(pod, container)
        self._recorder.event(pod, "Warning", "Unhealthy", text, field_path=place)
        return healthy
