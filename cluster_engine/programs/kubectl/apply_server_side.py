"""`kubectl apply --server-side`: send the manifest as it is and let the server merge it.

    PATCH …/deployments/web?fieldManager=kubectl&force=false     application/apply-patch+yaml, the whole manifest

What was applied from the client before is owned by `kubectl-client-side-apply`. After the first server-side apply its
entries in managedFields are made kubectl's own, by two requests more: one keeps the annotation with an owner of its
own, one moves the fields; then the manifest is sent again.

Modelled on kubectl/pkg/cmd/apply and client-go/util/csaupgrade.
"""

from typing import Any

from cluster_engine.api.field_sets import HERE, union
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import APPLY_PATCH, JSON_PATCH
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl.create import LAST_APPLIED
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import Manifest
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl"
ANNOTATIONS_MANAGER = "kubectl-last-applied"
FLAGS = (
    Flag("server-side", kind="bool"),
    Flag("force-conflicts", kind="bool"),
)
WHAT_TO_DO = """Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def check(session: Session) -> None:
    """Refuse flags that do not go together."""
    flags = session.flags
    if flags["force-conflicts"] and not flags["server-side"]:
        raise CommandError("--force-conflicts only works with --server-side")
    if not flags["server-side"]:
        return
    if flags["dry-run"] == "client":
        hint = "did you mean --dry-run=server instead?"
        raise CommandError(f"--dry-run=client doesn't work with --server-side ({hint})")
    if flags["force"]:
        raise CommandError("--force cannot be used with --server-side")


async def apply(session: Session, resource: Resource, manifest: Manifest, namespace: str | None) -> Object:
    """Apply one manifest; give the object as it is then. CommandError for conflicts, Refusal for all else."""
    manager = session.flags["field-manager"] or MANAGER
    document = manifest.document
    if namespace is not None:
        document = {**document, "metadata": {**document["metadata"], "namespace": namespace}}
    path = resource.path(namespace, manifest.name)
    found = await _send(session, path, document, manager)
    if manager == MANAGER:
        found = await _keep_annotation(session, path, found)
    if await _migrate(session, path, found, manager):
        found = await _send(session, path, document, manager)
    return found


async def _send(session: Session, path: str, document: Object, manager: str) -> Object:
    force = str(session.flags["force-conflicts"]).lower()
    try:
        return await _patch(session, path, document, APPLY_PATCH, {"fieldManager": manager, "force": force})
    except Refusal as refusal:
        if refusal.reason != "Conflict":
            raise
        raise CommandError(f"{refusal.message}\n{WHAT_TO_DO}") from refusal


async def _patch(session: Session, path: str, patch: Any, media: str, params: dict[str, str]) -> Object:
    dry_run = {"dryRun": "All"} if session.flags["dry-run"] == "server" else {}
    query = {**dry_run, **params, "fieldValidation": "Strict"}
    answer: Object = await session.request("PATCH", path, body=patch, params=query, content_type=media)
    return answer


async def _keep_annotation(session: Session, path: str, obj: Object) -> Object:
    """Give the annotation an owner who applies, so that it stays when its first owner is gone."""
    annotation = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if annotation is None or any(_owns_annotation(each, "Apply") for each in _entries(obj)):
        return obj
    metadata = {name: obj["metadata"][name] for name in ("name", "namespace") if name in obj["metadata"]}
    metadata["annotations"] = {LAST_APPLIED: annotation}
    config = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
    return await _patch(session, path, config, APPLY_PATCH, {"fieldManager": ANNOTATIONS_MANAGER})


async def _migrate(session: Session, path: str, obj: Object, manager: str) -> bool:
    """Make one's own what was applied from the client; return whether there was something."""
    entries = _entries(obj)
    names = {each["manager"] for each in entries if _owns_annotation(each, "Update")}
    old = [each for each in entries if each["manager"] in names and each["operation"] == "Update" and _is_main(each)]
    if not old:
        return False
    own = next(each for each in entries if (each["manager"], each["operation"]) == (manager, "Apply"))
    fields = own["fieldsV1"]
    for each in old:
        fields = union(fields, each["fieldsV1"])
    kept = [{**each, "fieldsV1": fields} if each is own else each for each in entries if each not in old]
    patch = [
        {"op": "replace", "path": "/metadata/managedFields", "value": kept},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
    ]
    await _patch(session, path, patch, JSON_PATCH, {"fieldManager": manager})
    return True


def _entries(obj: Object) -> list[Object]:
    return list(obj["metadata"].get("managedFields") or ())


def _is_main(entry: Object) -> bool:
    return not entry.get("subresource")


def _owns_annotation(entry: Object, operation: str) -> bool:
    annotations = (entry["fieldsV1"].get("f:metadata") or {}).get("f:annotations") or {}
    found = annotations.get(f"f:{LAST_APPLIED}")
    return entry["operation"] == operation and found is not None and (not found or HERE in found)
