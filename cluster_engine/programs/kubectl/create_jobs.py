"""`kubectl create job` and `create cronjob`: something that runs to its end, now, at set times, or as a CronJob has it.

    create job once --image=busybox -- date            POST /apis/batch/v1/namespaces/default/jobs
    create job now --from=cronjob/nightly              GET the CronJob, POST a Job of its template that it owns

Modelled on kubectl/pkg/cmd/create/create_job.go and create_cronjob.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.arguments import targets
from cluster_engine.programs.kubectl.create import COMMON_FLAGS, named, named_namespace, new_metadata
from cluster_engine.programs.kubectl.create_more import send
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

JOB_FLAGS = (*COMMON_FLAGS, Flag("image", default=""), Flag("from", default=""))
CRON_JOB_FLAGS = (
    *COMMON_FLAGS,
    Flag("image", default=""),
    Flag("schedule", default=""),
    Flag("restart", default="OnFailure"),
)
INSTANTIATE = "cronjob.kubernetes.io/instantiate"


async def job(session: Session, arguments: list[str]) -> int:
    """Make a Job."""
    name, command = _command(session, arguments, "job")
    flags = session.flags
    if bool(flags["image"]) == bool(flags["from"]):
        raise CommandError("either --image or --from must be specified")
    if flags["from"]:
        if command:
            raise CommandError("cannot specify --from and command")
        return await send(session, await _from(session, name), "batch/v1", "jobs", "job")
    obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": new_metadata(name, named_namespace(session))}
    obj |= {"spec": {"template": _template(session, name, command, "Never")}, "status": {}}
    return await send(session, obj, "batch/v1", "jobs", "job")


async def _from(session: Session, name: str) -> Object:
    """Make a Job as a CronJob would at this moment. CommandError, Refusal."""
    target = (await targets(session, [session.flags["from"]]))[0]
    cron_job = await session.get(target.path(session))
    if target.resource.kind != "CronJob":
        raise CommandError(f"unknown object type *{target.resource.version}.{target.resource.kind}")
    template = cron_job["spec"]["jobTemplate"]
    inherited = template.get("metadata") or {}
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job["metadata"]["name"]}
    owner |= {"uid": cron_job["metadata"]["uid"], "controller": True}
    metadata = new_metadata(name, named_namespace(session))
    metadata["annotations"] = {INSTANTIATE: "manual", **(inherited.get("annotations") or {})}
    if inherited.get("labels"):
        metadata["labels"] = inherited["labels"]
    metadata["ownerReferences"] = [owner]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"], "status": {}}


async def cron_job(session: Session, arguments: list[str]) -> int:
    """Make a CronJob."""
    name, command = _command(session, arguments, "cronjob")
    missing = [flag for flag in ("image", "schedule") if not session.flags[flag]]
    if missing:
        flags = '", "'.join(missing)
        raise CommandError(f'required flag(s) "{flags}" not set')
    template = _template(session, name, command, session.flags["restart"])
    obj = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": new_metadata(name, named_namespace(session))}
    spec = {"jobTemplate": {"metadata": new_metadata(name), "spec": {"template": template}}}
    obj |= {"spec": {**spec, "schedule": session.flags["schedule"]}, "status": {}}
    return await send(session, obj, "batch/v1", "cronjobs", "cronjob")


def _command(session: Session, arguments: list[str], kind: str) -> tuple[str, list[str]]:
    dashes = session.flags.before_dashes
    return named(arguments[:dashes], kind), arguments[dashes:] if dashes is not None else []


def _template(session: Session, name: str, command: list[str], restart: str) -> Object:
    container: Object = {"image": session.flags["image"], "name": name, "resources": {}}
    if command:
        container["command"] = command
    return {"metadata": {"creationTimestamp": None}, "spec": {"containers": [container], "restartPolicy": restart}}
