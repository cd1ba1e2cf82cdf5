"""What the pods of a DaemonSet or StatefulSet have looked like: ControllerRevisions.

Theory of operation. For each template that an object has had there is one ControllerRevision, with the patch that
brings it back, a number that counts up, and a name that ends in a hash of the template. Going back to an old template
gives its revision the highest number. Old ones beyond the object's limit go, but none that a pod is of.

    template A, B, A again     web-6d9f (A) 1   web-7c4b (B) 2     →     web-7c4b 2   web-6d9f 3

Modelled on `pkg/controller/history/controller_history.go`.
"""

from collections.abc import Set as AbstractSet

from cluster_engine.api.kinds import CONTROLLER_REVISION
from cluster_engine.api.names import pod_template_hash
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import AlreadyExists, NotFound
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import BY_CONTROLLER, controller_reference, controller_uids

LIMIT = 10
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class History:
    """The revisions of all objects of one kind; `label` is where a revision keeps its hash."""

    def __init__(self, context: Context, kind: Resource, label: str) -> None:
        self._client = context.client
        self._kind, self._label = kind, label
        self._revisions = context.informers.informer(CONTROLLER_REVISION)
        self._revisions.add_index(BY_CONTROLLER, controller_uids)

    def named(self, owner: Object, name: str) -> Object | None:
        """Return the revision of that name, if it is known."""
        return self._revisions.get(f"{owner['metadata']['namespace']}/{name}")

    async def present(self, owner: Object) -> tuple[Object, list[Object]]:
        """Return the revision of the present template, made if there is none, and the others, oldest first."""
        known = self._revisions.by_index(BY_CONTROLLER, owner["metadata"]["uid"])
        known.sort(key=lambda one: (one["revision"], one["metadata"]["name"]))
        wanted = patch_of(owner)
        newest = max((one["revision"] for one in known), default=0)
        current = next((one for one in reversed(known) if one.get("data") == wanted), None)
        if current is None:
            current = await self._write(owner, newest + 1)
        elif current["revision"] < newest:
            current = await self._client.update(CONTROLLER_REVISION, {**current, "revision": newest + 1})
        return current, [one for one in known if one["metadata"]["uid"] != current["metadata"]["uid"]]

    async def _write(self, owner: Object, number: int) -> Object:
        made = self._revision_of(owner, number)
        try:
            return await self._client.create(CONTROLLER_REVISION, made)
        except AlreadyExists:  # this controller made it, and its cache has not heard of it
            metadata = made["metadata"]
            return await self._client.get(CONTROLLER_REVISION, metadata["name"], metadata["namespace"])

    def _revision_of(self, owner: Object, number: int) -> Object:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        digest = pod_template_hash(template, owner.get("status", {}).get("collisionCount", 0))
        labels = {**(template.get("metadata") or {}).get("labels", {}), self._label: digest}
        annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
        return {
            "kind": "ControllerRevision",
            "apiVersion": CONTROLLER_REVISION.api_version,
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "namespace": metadata["namespace"],
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [controller_reference(self._kind, owner)],
            },
            "data": patch_of(owner),
            "revision": number,
        }

    async def forget(self, owner: Object, old: list[Object], used: AbstractSet[str]) -> None:
        """Delete the oldest revisions beyond the limit, but none whose name or hash pods carry."""
        unused = [one for one in old if not {one["metadata"]["name"], self.digest_of(one)} & used]
        for one in unused[: max(0, len(old) - owner["spec"].get("revisionHistoryLimit", LIMIT))]:
            try:
                await self._client.delete(CONTROLLER_REVISION, one["metadata"]["name"], one["metadata"]["namespace"])
            except NotFound:
                continue

    def digest_of(self, revision: Object) -> str:
        """Return the hash of a revision's template."""
        return str((revision["metadata"].get("labels") or {}).get(self._label, ""))


def patch_of(owner: Object) -> Object:
    """Return a template as a ControllerRevision keeps it: the patch that brings it back."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: Object) -> Object:
    """Return the template that a revision keeps."""
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
