"""The garbage collector's picture of the cluster: who owns whom.

Theory of operation. Every object seen is a node; its ownerReferences are edges. An owner that is referred to and not
(yet) seen stands in the graph as *virtual*, to be looked up. The graph only answers two questions: who depends on this
object, and what is to be looked at now that something has happened.

    pod web-5d-x → ReplicaSet web-5d → Deployment web
    Deployment web DELETED: look at web-5d.     web-5d DELETED: look at web-5d-x.

Modelled on `pkg/controller/garbagecollector/graph_builder.go`.
"""

import msgspec

from cluster_engine.api.objects import Object

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


class Node(msgspec.Struct, eq=False):
    """One object of the graph, by uid. Two nodes are the same only if they are one record."""

    uid: str
    api_version: str
    kind: str
    namespace: str
    name: str
    owners: list[Object] = msgspec.field(default_factory=list)
    dependents: dict[str, "Node"] = msgspec.field(default_factory=dict)
    is_virtual: bool = False
    is_deleting: bool = False
    waits_for_dependents: bool = False

    def blocks(self, owner: "Node") -> bool:
        """Return whether a foreground deletion of the owner waits for this one."""
        return any(each["uid"] == owner.uid and each.get("blockOwnerDeletion") for each in self.owners)


class Graph:
    """All nodes. `added`, `changed` and `gone` give the nodes to look at: (to delete, to orphan)."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def get(self, uid: str) -> Node | None:
        """Return the node of that uid."""
        return self._nodes.get(uid)

    def seen(self, kind: str, api_version: str, obj: Object) -> tuple[list[Node], list[Node]]:
        """Take an object that was added or has changed."""
        metadata = obj["metadata"]
        node = self._nodes.get(metadata["uid"])
        if node is None:
            namespace = metadata.get("namespace", "")
            node = self._nodes[metadata["uid"]] = Node(metadata["uid"], api_version, kind, namespace, metadata["name"])
        node.is_virtual, node.namespace = False, metadata.get("namespace", "")
        look = self._set_owners(node, metadata.get("ownerReferences") or [])
        orphan = []
        if "deletionTimestamp" in metadata:
            node.is_deleting = True
            finalizers = metadata.get("finalizers") or []
            if ORPHAN in finalizers:
                orphan.append(node)
            if FOREGROUND in finalizers and not node.waits_for_dependents:
                node.waits_for_dependents = True
                look += [*node.dependents.values(), node]
        return look, orphan

    def _set_owners(self, node: Node, owners: list[Object]) -> list[Node]:
        before, after = {each["uid"]: each for each in node.owners}, {each["uid"]: each for each in owners}
        node.owners = owners
        look = []
        for uid in before:
            owner = self._nodes.get(uid)
            if owner is not None and uid not in after:
                owner.dependents.pop(node.uid, None)
                look.append(owner)
        for uid, reference in after.items():
            owner = self._nodes.get(uid)
            if owner is None:
                owner = Node(uid, reference["apiVersion"], reference["kind"], node.namespace, reference["name"])
                owner.is_virtual = True
                self._nodes[uid] = owner
                look.append(owner)
            owner.dependents[node.uid] = node
            unblocked = before.get(uid, {}).get("blockOwnerDeletion") and not reference.get("blockOwnerDeletion")
            if owner.waits_for_dependents and (uid not in before or unblocked):
                look += [owner, node]
        return [each for each in look if each.is_virtual or each.waits_for_dependents or each is node]

    def gone(self, uid: str) -> list[Node]:
        """Take a deletion: those who depended on it are to be looked at, and owners who waited for it."""
        node = self._nodes.pop(uid, None)
        if node is None:
            return []
        look = list(node.dependents.values())
        for reference in node.owners:
            owner = self._nodes.get(reference["uid"])
            if owner is not None:
                owner.dependents.pop(uid, None)
                if owner.waits_for_dependents:
                    look.append(owner)
        return look
