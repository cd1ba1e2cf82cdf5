"""The node IPAM controller: gives every node a range of pod addresses.

Of the cluster's range each node gets the first /24 that no other node has; the node's network plug-in hands out pod
addresses from it. Until a node has one its container network is not ready, and so neither is the node.

    --cluster-cidr=10.244.0.0/16 → worker-1: PATCH spec.podCIDR 10.244.0.0/24, worker-2: 10.244.1.0/24

Modelled on `pkg/controller/nodeipam/ipam/range_allocator.go` (mask 24: `--node-cidr-mask-size`). Left out: dual stack.
"""

import contextlib
import ipaddress
from typing import Any

from cluster_engine.api.kinds import NODE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.client import WorkQueue
from cluster_engine.controllers.context import Context

CLUSTER_CIDR = ipaddress.IPv4Network("10.244.0.0/16")
NODE_MASK = 24


class NodeIpamController:
    """Keeps a pod range on every node; ranges are never shared and return when their node is deleted."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._events = context.events
        self._nodes = context.informers.informer(NODE)
        self._queue = WorkQueue[str]("node")
        self._taken: dict[str, str] = {}
        self._nodes.on(add=self._node_seen, update=lambda _, new: self._node_seen(new), delete=self._node_gone)

    def _node_seen(self, node: Object) -> None:
        name = node["metadata"]["name"]
        if cidr := node["spec"].get("podCIDR"):
            self._taken[cidr] = name
        else:
            self._queue.add(name)

    def _node_gone(self, node: Object) -> None:
        self._taken.pop(node["spec"].get("podCIDR", ""), None)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    async def _sync(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is None or node["spec"].get("podCIDR"):
            return
        cidr = next((cidr for cidr in map(str, _ranges()) if self._taken.get(cidr, name) == name), None)
        if cidr is None:
            self._events.event(node, "Normal", "CIDRNotAvailable", f"Node {name} status is now: CIDRNotAvailable")
            return
        self._taken[cidr] = name
        with contextlib.suppress(NotFound):
            await self._client.patch(NODE, name, {"spec": {"podCIDR": cidr, "podCIDRs": [cidr]}})


def _ranges() -> Any:
    return CLUSTER_CIDR.subnets(new_prefix=NODE_MASK)
