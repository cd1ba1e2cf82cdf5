"""`kubectl rollout`: how the update of a deployment, daemon set or stateful set goes, what it was before, and back.

    status     GET, then LIST and WATCH by name until the rollout is complete
    history    the deployment's replica sets, by the annotation deployment.kubernetes.io/revision;
               a daemon set's or stateful set's controller revisions
    undo       a JSON patch that puts an old replica set's template back; the patch that a controller revision is
    restart    a new annotation in the template, and so a new revision;  pause, resume: spec.paused

Modelled on kubectl/pkg/cmd/rollout, pkg/polymorphichelpers.
"""

from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.api.time import rfc3339
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.describe.pod_template import template_lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session
from cluster_engine.programs.kubectl.tabwriter import layout

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
HASH = "pod-template-hash"
KEPT_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
)
STATUS_FLAGS = (
    Flag("watch", "w", "bool", True),
    Flag("timeout", kind="duration", default=0.0),
    Flag("revision", kind="int", default=0),
)
HISTORY_FLAGS = (Flag("revision", kind="int", default=0),)
UNDO_FLAGS = (Flag("to-revision", kind="int", default=0), Flag("dry-run", default="none"))
MANAGER = "kubectl-rollout"


async def _workloads(session: Session, arguments: list[str]) -> list[Target]:
    if not arguments:
        raise CommandError("required resource not specified")
    found = await targets(session, arguments)
    for target in found:
        if target.resource.group != "apps" or target.resource.plural not in TEXTS:
            raise CommandError(f"no status viewer has been implemented for {target.resource.kind}")
    if any(target.name is None for target in found):
        listed = await session.get(found[0].resource.path(session.namespace), {"limit": 500})
        found = [Target(found[0].resource, item["metadata"]["name"]) for item in listed["items"]]
    return found


# -- status ------------------------------------------------------------------------------------------------------------


async def status(session: Session, arguments: list[str]) -> int:
    """Say how rollouts go until they are complete."""
    for target in await _workloads(session, arguments):
        await session.get(target.resource.path(session.namespace, target.name))
        await _follow(session, target)
    return 0


async def _follow(session: Session, target: Target) -> None:
    path = target.resource.path(session.namespace)
    selector = f"metadata.name={target.name}"
    while True:
        listed = await session.get(path, {"fieldSelector": selector, "limit": 500, "resourceVersion": "0"})
        text_of = TEXTS[target.resource.plural]
        for workload in listed["items"]:
            if _tell(session, text_of, workload):
                return
        if not listed["items"]:
            raise CommandError("object has been deleted")
        if not session.flags["watch"]:
            return
        query: Params = {
            "allowWatchBookmarks": True,
            "fieldSelector": selector,
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": 300 + session.process.rng.randrange(300),
        }
        async with session.watch(path, query) as events:
            async for type_, workload in events:
                if type_ == "DELETED":
                    raise CommandError("object has been deleted")
                if type_ in ("ADDED", "MODIFIED") and _tell(session, text_of, workload):
                    return


def _tell(session: Session, text_of: Callable[[Object], tuple[str, bool]], workload: Object) -> bool:
    text, done = text_of(workload)
    session.out(text)
    return done


def daemon_text(daemon_set: Object) -> tuple[str, bool]:
    """Say how far a daemon set's rollout is, and whether it is complete. CommandError where it has none."""
    name, status = daemon_set["metadata"]["name"], daemon_set.get("status") or {}
    if (daemon_set["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if daemon_set["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...\n", False
    if status.get("numberAvailable", 0) < wanted:
        return f"{waiting}{status.get('numberAvailable', 0)} of {wanted} updated pods are available...\n", False
    return f'daemon set "{name}" successfully rolled out\n', True


def stateful_text(stateful_set: Object) -> tuple[str, bool]:
    """Say how far a stateful set's rollout is, and whether it is complete. CommandError where it has none."""
    spec, status = stateful_set["spec"], stateful_set.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    observed = status.get("observedGeneration", 0)
    if not observed or stateful_set["metadata"].get("generation", 0) > observed:
        return "Waiting for statefulset spec update to be observed...\n", False
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if status.get("readyReplicas", 0) < wanted:
        return f"Waiting for {wanted - status.get('readyReplicas', 0)} pods to be ready...\n", False
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    if updated < wanted - partition:
        done = f"{updated} out of {wanted - partition} new pods have been updated...\n"
        return f"Waiting for partitioned roll out to finish: {done}", False
    return f"partitioned roll out complete: {updated} new pods have been updated...\n", True


def rollout_text(deployment: Object) -> tuple[str, bool]:
    """Say how far a rollout is, and whether it is complete. CommandError when it has run out of time."""
    name, spec, status = deployment["metadata"]["name"], deployment["spec"], deployment.get("status") or {}
    if deployment["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    for condition in status.get("conditions") or []:
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise CommandError(f'deployment "{name}" exceeded its progress deadline')
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...\n", False
    if status.get("replicas", 0) > updated:
        return f"{waiting}{status['replicas'] - updated} old replicas are pending termination...\n", False
    if status.get("availableReplicas", 0) < updated:
        return f"{waiting}{status.get('availableReplicas', 0)} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


TEXTS = {"deployments": rollout_text, "daemonsets": daemon_text, "statefulsets": stateful_text}
REVISED = ("daemonsets", "statefulsets")
"""What keeps its past as controller revisions."""


# -- history and undo --------------------------------------------------------------------------------------------------


async def _revisions(session: Session, target: Target, workload: Object) -> dict[int, Object]:
    """Return the replica sets of a deployment, or a daemon set's controller revisions, by revision."""
    is_revised = target.resource.plural in REVISED
    labels = workload["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
    kept_as = "controllerrevisions" if is_revised else "replicasets"
    path = f"/apis/apps/v1/namespaces/{session.namespace}/{kept_as}"
    listed = await session.get(path, {"labelSelector": selector})
    uid = workload["metadata"]["uid"]
    found = {}
    for one in listed["items"]:
        owners = one["metadata"].get("ownerReferences") or []
        written = (one["metadata"].get("annotations") or {}).get(REVISION, "")
        revision = one["revision"] if is_revised else int_of(written)
        if revision is not None and any(owner["uid"] == uid for owner in owners):
            found[revision] = one
    return dict(sorted(found.items()))


def _template(kept: Object) -> Object:
    """Return the template that a replica set or a controller revision keeps."""
    if "data" not in kept:
        template: Object = kept["spec"]["template"]
        return template
    return {key: value for key, value in kept["data"]["spec"]["template"].items() if key != "$patch"}


async def history(session: Session, arguments: list[str]) -> int:
    """List revisions, or show one."""
    for target in await _workloads(session, arguments):
        workload = await session.get(target.resource.path(session.namespace, target.name))
        found = await _revisions(session, target, workload)
        label, revision = target.resource.label(str(target.name)), session.flags["revision"]
        if revision:
            if revision not in found:
                raise CommandError("unable to find the specified revision")
            lines = template_lines(_template(found[revision]))
            session.out(f"{label} with revision #{revision}\n" + "".join(f"{line}\n" for line in lines) + "\n")
            continue
        rows = ["REVISION\tCHANGE-CAUSE"]
        for number, kept in found.items():
            cause = (kept["metadata"].get("annotations") or {}).get(CHANGE_CAUSE) or "<none>"
            rows.append(f"{number}\t{cause}")
        session.out(f"{label} \n" + layout("".join(f"{row}\n" for row in rows), minimum=0, padding=2) + "\n")
    return 0


async def undo(session: Session, arguments: list[str]) -> int:
    """Put an earlier template back."""
    for target in await _workloads(session, arguments):
        path = target.resource.path(session.namespace, target.name)
        deployment = await session.get(path)
        if target.resource.plural in REVISED:
            await _undo_revised(session, target, path, deployment)
            continue
        if deployment["spec"].get("paused"):
            raise CommandError(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume "
                f"deployment/{target.name}' and try again"
            )
        found = await _revisions(session, target, deployment)
        old = _chosen(session.flags["to-revision"], found, f'deployment "{target.name}"')
        template = _without_hash(old["spec"]["template"])
        if template == _without_hash(deployment["spec"]["template"]):
            number = (old["metadata"].get("annotations") or {}).get(REVISION)
            label = target.resource.label(str(target.name))
            session.out(f"{label} skipped rollback (current template already matches revision {number})\n")
            continue
        kept = {
            key: value
            for key, value in (deployment["metadata"].get("annotations") or {}).items()
            if key in KEPT_ANNOTATIONS
        }
        restored = {
            key: value
            for key, value in (old["metadata"].get("annotations") or {}).items()
            if key not in KEPT_ANNOTATIONS
        }
        patch = [
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": kept | restored},
        ]
        await session.patch(path, patch, type_="json", manager="kubectl-rollout")
        session.out(f"{target.resource.label(str(target.name))} rolled back\n")
    return 0


async def _undo_revised(session: Session, target: Target, path: str, workload: Object) -> None:
    found = await _revisions(session, target, workload)
    if not session.flags["to-revision"] and len(found) < 2:
        raise CommandError("no last revision to roll back to")
    old = _chosen(session.flags["to-revision"], found, target.resource.kind)
    label = target.resource.label(str(target.name))
    if _template(old) == workload["spec"]["template"]:
        session.out(f"{label} skipped rollback (current template already matches revision {old['revision']})\n")
        return
    await session.patch(path, old["data"], type_="strategic", manager=MANAGER)
    session.out(f"{label} rolled back\n")


def _chosen(revision: int, found: dict[int, Object], whose: str) -> Object:
    if revision:
        if revision not in found:
            raise CommandError(f"unable to find specified revision {revision} in history")
        return found[revision]
    if len(found) < 2:
        raise CommandError(f"no rollout history found for {whose}")
    return list(found.values())[-2]


def _without_hash(template: Object) -> Object:
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


# -- restart, pause, resume --------------------------------------------------------------------------------------------


async def restart(session: Session, arguments: list[str]) -> int:
    """Make a new revision of the same template."""
    now = rfc3339(session.process.now())
    template = {"metadata": {"annotations": {RESTARTED_AT: now}}}
    return await _patch_each(session, arguments, {"spec": {"template": template}}, "restarted")


async def pause(session: Session, arguments: list[str]) -> int:
    """Let changes of the template wait."""
    return await _patch_each(session, arguments, {"spec": {"paused": True}}, "paused")


async def resume(session: Session, arguments: list[str]) -> int:
    """Let changes of the template take effect."""
    return await _patch_each(session, arguments, {"spec": {"paused": None}}, "resumed")


async def _patch_each(session: Session, arguments: list[str], patch: Object, done: str) -> int:
    code = 0
    for target in await _workloads(session, arguments):
        path = target.resource.path(session.namespace, target.name)
        deployment = await session.get(path)
        if target.resource.plural in REVISED and done != "restarted":
            what = "pausing" if done == "paused" else "resuming"
            raise CommandError(f'{target.resource.resource_name} "{target.name}" {what} is not supported')
        paused = bool(deployment["spec"].get("paused"))
        label = f'{target.resource.resource_name} "{target.name}"'
        if (done == "paused" and paused) or (done == "resumed" and not paused):
            session.err(f"error: {label} {'is already paused' if paused else 'is not paused'}\n")
            code = 1
            continue
        if done == "restarted" and paused:
            raise CommandError("can't restart paused deployment (run rollout resume first)")
        await session.patch(path, patch, type_="strategic", manager=MANAGER)
        session.out(f"{target.resource.label(str(target.name))} {done}\n")
    return code
