"""`kubectl rollout`: how the update of a deployment, daemon set or stateful set goes, and what sets one going.

    status     GET, then LIST and WATCH by name until the rollout is complete
    restart    a new annotation in the template, and so a new revision;  pause, resume: spec.paused

What a workload was before is in `rollout_history`. Modelled on kubectl/pkg/cmd/rollout, pkg/polymorphichelpers.
"""

from collections.abc import Awaitable, Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import rfc3339
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, Target, of_files, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
MANAGER = "kubectl-rollout"
WORKLOAD_FLAGS = (*FILE_FLAGS, Flag("selector", "l", default=""))
CHANGE_FLAGS = (*WORKLOAD_FLAGS, *output.FLAGS, Flag("field-manager", default=MANAGER))
STATUS_FLAGS = (
    *WORKLOAD_FLAGS,
    Flag("watch", "w", "bool", True),
    Flag("timeout", kind="duration", default=0.0),
    Flag("revision", kind="int", default=0),
)


async def each(
    session: Session,
    arguments: list[str],
    unfit: str,
    do: Callable[[Session, Target], Awaitable[None]],
    *,
    says_nothing: bool = False,
) -> int:
    """Do something for each workload that a command is about, also where something went wrong with another.

    `unfit` is said of what is no workload, with its {kind} or its {label}; that nothing was found, where the
    command `says_nothing` else.
    """
    code, found = 0, await _workloads(session, arguments)
    if not found and says_nothing:
        session.err(f"No resources found in {session.namespace} namespace.\n")
    for target in found:
        try:
            if target.resource.group != "apps" or target.resource.plural not in TEXTS:
                await session.get(target.path(session))
                label = f'{target.resource.resource_name} "{target.name}"'
                raise CommandError(unfit.format(kind=target.resource.kind, label=label))
            await do(session, target)
        except Refusal as refusal:
            session.err(f"{errors.refusal_text(refusal)}\n")
            code = 1
        except CommandError as problem:
            session.err(f"error: {problem}\n")
            code = 1
    return code


async def _workloads(session: Session, arguments: list[str]) -> list[Target]:
    """Return what a command is about, each by its name: what stands in files, is named, or is selected."""
    flags = session.flags
    if not arguments and not flags["filename"]:
        raise CommandError("required resource not specified")
    wanted = await of_files(session)
    if arguments:
        named = await targets(session, arguments)
        if flags["selector"] and any(target.name is not None for target in named):
            raise CommandError("name cannot be provided when a selector is specified")
        wanted += named
    found: list[Target] = []
    for target in wanted:
        if target.name is not None:
            found.append(target)
            continue
        query: Params = {"labelSelector": flags["selector"] or None, "limit": 500}
        listed = await session.get(target.path(session), query)
        found += [Target(target.resource, item["metadata"]["name"]) for item in listed["items"]]
    return found


# -- status ------------------------------------------------------------------------------------------------------------


async def status(session: Session, arguments: list[str]) -> int:
    """Say how rollouts go until they are complete."""
    unfit = "no status viewer has been implemented for {kind}"
    return await each(session, arguments, unfit, _status, says_nothing=True)


async def _status(session: Session, target: Target) -> None:
    await session.get(target.path(session))
    await _follow(session, target)


async def _follow(session: Session, target: Target) -> None:
    path = target.resource.path(target.namespace or session.namespace)
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
    doing = {"restarted": "restarting", "paused": "pausing", "resumed": "resuming"}[done]

    async def change(session: Session, target: Target) -> None:
        label = f'{target.resource.resource_name} "{target.name}"'
        if target.resource.plural != "deployments" and done != "restarted":
            raise CommandError(f"{label} {doing} is not supported")
        paused = bool((await session.get(target.path(session)))["spec"].get("paused"))
        if (done == "paused" and paused) or (done == "resumed" and not paused):
            raise CommandError(f"{label} {'is already paused' if paused else 'is not paused'}")
        if done == "restarted" and paused:
            raise CommandError(f"{label} can't restart paused deployment (run rollout resume first)")
        manager = session.flags["field-manager"]
        after = await session.patch(target.path(session), patch, type_="strategic", manager=manager)
        output.tell(session, target.resource.label(str(target.name)), after, done, dry="")

    return await each(session, arguments, "{label} " + f"{doing} is not supported", change, says_nothing=True)
