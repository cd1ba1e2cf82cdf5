"""Who controls whom: ownerReferences, and how controllers adopt and release what their selector says.

Theory of operation. An object made by a controller names its maker in `metadata.ownerReferences`; at most one of them
has `controller: true`. Whether a controller counts an object as its own is decided by two facts, the reference (its
uid) and the selector:

    controlled by me, selected        mine
    controlled by me, not selected    released: the reference is taken away
    controlled by nobody, selected    adopted: the reference is added (after asking the server whether I still live)
    controlled by another             left alone

Modelled on `pkg/controller/controller_ref_manager.go`.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.selectors import LabelSelector
from cluster_engine.api.status import Invalid, NotFound
from cluster_engine.client import Client

BY_CONTROLLER = "controller"
"""The index of an informer's objects by their controller's uid; "" for those that nobody controls."""


def controller_uids(obj: Object) -> list[str]:
    """Index an object under BY_CONTROLLER."""
    reference = controller_of(obj)
    return [reference["uid"] if reference else ""]


def controller_of(obj: Object) -> Object | None:
    """Return the reference to the object's controller."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Return whether the owner, and not a namesake of it, controls the object."""
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def controller_reference(kind: Resource, owner: Object) -> Object:
    """Make the reference that says: this one controls you, and waits for you in a foreground deletion."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_deleting(obj: Object) -> bool:
    """Return whether the object is on its way out."""
    return "deletionTimestamp" in obj["metadata"]


class Claims:
    """Claims of one controller object on objects of one kind, in one sync."""

    def __init__(
        self, client: Client, owner_kind: Resource, owner: Object, kind: Resource, selector: LabelSelector
    ) -> None:
        self._client = client
        self._owner_kind = owner_kind
        self._owner = owner
        self._kind = kind
        self._selector = selector
        self._may_adopt: bool | None = None

    async def claim(self, candidates: list[Object]) -> list[Object]:
        """Return those of the candidates that are the owner's, after adopting and releasing."""
        return [obj for obj in candidates if await self._is_ours(obj)]

    async def _is_ours(self, obj: Object) -> bool:
        matches = self._selector.matches(obj["metadata"].get("labels"))
        reference = controller_of(obj)
        if reference is not None:
            if reference["uid"] != self._owner["metadata"]["uid"]:
                return False
            if not matches and not is_deleting(self._owner):
                await self._release(obj)
            return matches
        if not matches or is_deleting(self._owner) or is_deleting(obj):
            return False
        return await self._adopt(obj)

    async def _adopt(self, obj: Object) -> bool:
        metadata = self._owner["metadata"]
        if self._may_adopt is None:  # the cache may be old: never adopt for somebody who is gone
            try:
                live = await self._client.get(self._owner_kind, metadata["name"], metadata["namespace"])
            except NotFound:
                self._may_adopt = False
            else:
                self._may_adopt = live["metadata"]["uid"] == metadata["uid"] and not is_deleting(live)
        if not self._may_adopt:
            return False
        reference = controller_reference(self._owner_kind, self._owner)
        return await self._patch(obj, [reference])

    async def _release(self, obj: Object) -> None:
        await self._patch(obj, [{"$patch": "delete", "uid": self._owner["metadata"]["uid"]}])

    async def _patch(self, obj: Object, references: list[Object]) -> bool:
        metadata = obj["metadata"]
        patch = {"metadata": {"ownerReferences": references, "uid": metadata["uid"]}}
        try:
            await self._client.patch(self._kind, metadata["name"], patch, metadata["namespace"])
        except (NotFound, Invalid):  # gone, or made anew under the same name
            return False
        return True
