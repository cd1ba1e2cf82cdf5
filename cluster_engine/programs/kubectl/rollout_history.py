"""`kubectl rollout history` and `undo`: what a workload was before, and back.

    history    the deployment's replica sets, by the annotation deployment.kubernetes.io/revision;
               a daemon set's or stateful set's controller revisions
    undo       a JSON patch that puts an old replica set's template back; the patch that a controller revision is

Modelled on kubectl/pkg/polymorphichelpers/{history,rollback}.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import Target
from cluster_engine.programs.kubectl.describe.pod_template import template_lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.rollout import MANAGER, WORKLOAD_FLAGS, each
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.kubectl.tabwriter import layout

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"
KEPT_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
)
HISTORY_FLAGS = (*WORKLOAD_FLAGS, *output.FLAGS, Flag("revision", kind="int", default=0))
UNDO_FLAGS = (*WORKLOAD_FLAGS, *output.FLAGS, Flag("to-revision", kind="int", default=0), output.DRY_RUN)
REVISED = ("daemonsets", "statefulsets")
"""What keeps its past as controller revisions."""


async def _revisions(session: Session, target: Target, workload: Object) -> dict[int, Object]:
    """Return the replica sets of a deployment, or a daemon set's controller revisions, by revision."""
    is_revised = target.resource.plural in REVISED
    labels = workload["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
    kept_as = "controllerrevisions" if is_revised else "replicasets"
    path = f"/apis/apps/v1/namespaces/{workload['metadata']['namespace']}/{kept_as}"
    listed = await session.get(path, {"labelSelector": selector})
    uid = workload["metadata"]["uid"]
    found = {}
    for one in listed["items"]:
        owners = one["metadata"].get("ownerReferences") or []
        written = (one["metadata"].get("annotations") or {}).get(REVISION, "")
        revision = one["revision"] if is_revised else int_of(written)
        if revision is not None and any(owner["uid"] == uid for owner in owners):
            kind = "ControllerRevision" if is_revised else "ReplicaSet"
            found[revision] = {"kind": kind, "apiVersion": "apps/v1", **one}
    return dict(sorted(found.items()))


def _template(kept: Object) -> Object:
    """Return the template that a replica set or a controller revision keeps."""
    if "data" not in kept:
        template: Object = kept["spec"]["template"]
        return template
    return {key: value for key, value in kept["data"]["spec"]["template"].items() if key != "$patch"}


def _described(template: Object) -> str:
    return "".join(f"{line}\n" for line in template_lines(template))


# -- history -----------------------------------------------------------------------------------------------------------


async def history(session: Session, arguments: list[str]) -> int:
    """List revisions, or show one."""
    if session.flags["revision"] < 0:
        raise CommandError(f"revision must be a positive integer: {session.flags['revision']}")
    return await each(session, arguments, 'no history viewer has been implemented for "{kind}"', _history)


async def _history(session: Session, target: Target) -> None:
    workload = await session.get(target.path(session))
    found = await _revisions(session, target, workload)
    label, revision = target.resource.label(str(target.name)), session.flags["revision"]
    if revision and revision not in found:
        raise CommandError("unable to find the specified revision")
    if session.flags["output"] or session.flags["template"]:
        for kept in [found[revision]] if revision else found.values():
            output.tell(session, "", kept, "")
        return
    if revision:
        session.out(f"{label} with revision #{revision}\n{_described(_template(found[revision]))}\n")
        return
    rows = ["REVISION\tCHANGE-CAUSE"]
    for number, kept in found.items():
        cause = (kept["metadata"].get("annotations") or {}).get(CHANGE_CAUSE) or "<none>"
        rows.append(f"{number}\t{cause}")
    session.out(f"{label} \n" + layout("".join(f"{row}\n" for row in rows), minimum=0, padding=2) + "\n")


# -- undo --------------------------------------------------------------------------------------------------------------


async def undo(session: Session, arguments: list[str]) -> int:
    """Put an earlier template back."""
    warning = output.check(session)
    session.err(warning)
    return await each(session, arguments, 'no rollbacker has been implemented for "{kind}"', _undo)


async def _undo(session: Session, target: Target) -> None:
    workload = await session.get(target.path(session))
    is_revised = target.resource.plural in REVISED
    if workload["spec"].get("paused"):
        raise CommandError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    found = await _revisions(session, target, workload)
    none = f'no rollout history found for deployment "{target.name}"'
    none = "no last revision to roll back to" if is_revised else none
    old = _chosen(session.flags["to-revision"], found, none)
    label = target.resource.label(str(target.name))
    if output.is_client_dry_run(session):
        output.tell(session, label, workload, _described(_template(old)))
        return
    if _without_hash(_template(old)) == _without_hash(workload["spec"]["template"]):
        number = old["revision"] if is_revised else (old["metadata"].get("annotations") or {}).get(REVISION)
        text = f"skipped rollback (current template already matches revision {number})"
        output.tell(session, label, workload, text, dry="")
        return
    patch, type_ = (old["data"], "strategic") if is_revised else (_back_to(old, workload), "json")
    dry = session.flags["dry-run"] == "server"
    after = await session.patch(target.path(session), patch, type_=type_, manager=MANAGER, dry_run=dry)
    output.tell(session, label, after, "rolled back")


def _back_to(old: Object, deployment: Object) -> list[Object]:
    """Return the patch that gives a deployment the template and the annotations of an old replica set."""
    now, then = ((one["metadata"].get("annotations") or {}) for one in (deployment, old))
    kept = {key: value for key, value in now.items() if key in KEPT_ANNOTATIONS}
    restored = {key: value for key, value in then.items() if key not in KEPT_ANNOTATIONS}
    return [
        {"op": "replace", "path": "/spec/template", "value": _without_hash(old["spec"]["template"])},
        {"op": "replace", "path": "/metadata/annotations", "value": kept | restored},
    ]


def _chosen(revision: int, found: dict[int, Object], none: str) -> Object:
    if revision:
        if revision not in found:
            raise CommandError(f"unable to find specified revision {revision} in history")
        return found[revision]
    if len(found) < 2:
        raise CommandError(none)
    return list(found.values())[-2]


def _without_hash(template: Object) -> Object:
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}
