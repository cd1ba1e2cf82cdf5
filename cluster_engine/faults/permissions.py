"""Faults of permission: an administrator takes a binding away, by an ordinary request, and restores it by another."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, FaultError, Heal, Text, bounded
from cluster_engine.pki.layout import SUPER_ADMIN

KUBECTL = f"kubectl --kubeconfig={SUPER_ADMIN.kubeconfig}"
RETRY_SECONDS = 1.0
REGISTRY = "/registry"


async def insist(ground: Ground, line: str, settled: str) -> None:
    """Type a line until it works, or until its answer shows that there is nothing to do."""
    while True:
        code, printed = await ground.administer(line)
        if code == 0 or settled in printed:
            return
        await asyncio.sleep(RETRY_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRevoked(Fault):
    """`target` is "system:kube-scheduler", or "kube-system/name" for a RoleBinding."""

    name: ClassVar[str] = "binding-revoked"

    target: str = field(metadata=bounded(Text()))

    def claims(self) -> str:
        """Deleted and restored by one."""
        return f"the binding {self.target}"

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when there is no such binding."""
        Fault.check(self, ground)
        self._binding(ground)

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Delete the binding as an administrator would."""
        binding = self._binding(ground)
        where = f" -n {binding['metadata']['namespace']}" if "namespace" in binding["metadata"] else ""
        await insist(ground, f"{KUBECTL} delete {binding['kind'].lower()} {self._name()}{where}", "NotFound")
        path = f"/root/{id_}.json"
        ground.world.host(CONTROL_PLANE).files.write(path, msgspec.json.encode(bare(binding)))

        async def restore() -> None:
            await insist(ground, f"{KUBECTL} create -f {path}", "AlreadyExists")

        return restore

    def _name(self) -> str:
        return self.target.rpartition("/")[2]

    def _binding(self, ground: Ground) -> dict[str, Any]:
        kind = "rolebindings" if "/" in self.target else "clusterrolebindings"
        prefix = f"{REGISTRY}/{kind}/"
        namespace = self.target.rpartition("/")[0]
        for binding in ground.objects(prefix):
            metadata = binding["metadata"]
            if metadata["name"] == self._name() and metadata.get("namespace", "") == namespace:
                return binding
        raise FaultError(f"there is no binding {self.target} among the cluster's {kind}")


def bare(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object as it may be created again: without what the API server gave it."""
    kept = {
        key: obj["metadata"][key] for key in ("name", "namespace", "labels", "annotations") if key in obj["metadata"]
    }
    return {**obj, "metadata": kept}
