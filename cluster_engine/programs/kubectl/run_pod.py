"""`kubectl run`: a pod with one container, and with -i or --attach its streams, to its end.

    run once --image=busybox -- sleep 5              POST …/pods?fieldManager=kubectl-run
    run -it --rm probe --image=busybox -- sh         POST; watch until it runs; attach; DELETE

    run web --image=nginx --port=80 --expose         POST …/pods, POST …/services

Modelled on kubectl/pkg/cmd/run.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.programs.kubectl import execute, logs, overrides, pods
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS
from cluster_engine.programs.kubectl.create import (
    COMMON_FLAGS,
    create,
    is_image,
    named_namespace,
    new_metadata,
    port_number,
    target_namespace,
)
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

MANAGER = "kubectl-run"
HINT = "\nSee 'kubectl run -h' for help and examples"
REMOVAL_FLAGS = (
    *FILE_FLAGS,
    Flag("cascade", default="background", without_value="background"),
    Flag("force", kind="bool"),
    Flag("grace-period", kind="int", default=-1),
    Flag("timeout", kind="duration", default=0.0),
    Flag("wait", kind="bool"),
)
"""How --rm deletes."""
FLAGS = (
    *COMMON_FLAGS,
    Flag("image", default=""),
    Flag("restart", default="Always"),
    Flag("port", default=""),
    Flag("labels", "l", default=""),
    Flag("env", kind="strings"),
    Flag("command", kind="bool"),
    Flag("rm", kind="bool"),
    Flag("stdin", "i", "bool"),
    Flag("tty", "t", "bool"),
    Flag("attach", kind="bool"),
    Flag("leave-stdin-open", kind="bool"),
    Flag("quiet", "q", "bool"),
    Flag("image-pull-policy", default=""),
    Flag("annotations", kind="strings"),
    Flag("privileged", kind="bool"),
    Flag("expose", kind="bool"),
    *overrides.FLAGS,
    *REMOVAL_FLAGS,
    Flag("pod-running-timeout", kind="duration", default=60.0),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Make a pod; attach to it where that is asked for."""
    flags = session.flags
    attaches = flags["attach"] if "attach" in flags else flags["stdin"]
    _check(session, arguments, attaches=attaches)
    obj = overrides.overridden(session, _pod(session, arguments))
    path, name = f"/api/v1/namespaces/{target_namespace(session)}/pods", arguments[0]
    if not attaches:
        code = 0
        if flags["expose"]:
            code = await _expose(session, obj)
        return code or await create(session, obj, path, f"pod/{name}", manager=MANAGER)
    pod = await session.post(path, obj, manager=MANAGER)
    try:
        return await _follow(session, pod)
    finally:
        if flags["rm"]:
            await _remove(session, path, name)


def _check(session: Session, arguments: list[str], *, attaches: bool) -> None:
    flags = session.flags
    if not flags["image"]:
        raise CommandError('required flag(s) "image" not set')
    if not is_image(flags["image"]):
        raise CommandError(f'Invalid image name "{flags["image"]}": invalid reference format')
    if not arguments or flags.before_dashes == 0:
        raise CommandError(f"NAME is required for run{HINT}")
    if flags["tty"] and not flags["stdin"]:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if flags["restart"] not in ("Always", "OnFailure", "Never"):
        raise CommandError(f"invalid restart policy: {flags['restart']}{HINT}")
    if flags["image-pull-policy"] not in ("", "Always", "IfNotPresent", "Never"):
        raise CommandError(f"invalid image pull policy: {flags['image-pull-policy']}{HINT}")
    if flags["expose"] and not flags["port"]:
        raise CommandError(f"--port must be set when exposing a service{HINT}")
    if flags["rm"] and not attaches:
        raise CommandError("--rm should only be used for attached containers")
    if attaches and flags["dry-run"] != "none":
        options = "(--attach, --stdin, or --tty)"
        raise CommandError(f"--dry-run=[server|client] can't be used with attached containers options {options}")


async def _expose(session: Session, pod: Object) -> int:
    """Make a ClusterIP service for a pod that is about to be made."""
    name, port = pod["metadata"]["name"], port_number(session.flags["port"])
    spec = {
        "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
        "selector": pod["metadata"].get("labels") or {},
    }
    service: Object = {"apiVersion": "v1", "kind": "Service", "metadata": new_metadata(name, named_namespace(session))}
    service |= {"spec": spec, "status": {"loadBalancer": {}}}
    path = f"/api/v1/namespaces/{target_namespace(session)}/services"
    return await create(session, service, path, f"service/{name}", manager=MANAGER)


def _pod(session: Session, arguments: list[str]) -> Object:
    flags = session.flags
    name, words = arguments[0], arguments[1:]
    container: Object = {"image": flags["image"], "name": name, "resources": {}}
    if words:
        container["command" if flags["command"] else "args"] = words
    if flags["env"]:
        pairs = [variable.partition("=") for variable in flags["env"]]
        if wrong := [name for name, equals, _ in pairs if not (name and equals)]:
            raise CommandError(f"invalid env: {wrong[0]}")
        container["env"] = [{"name": key, "value": value} for key, _, value in pairs]
    if flags["image-pull-policy"]:
        container["imagePullPolicy"] = flags["image-pull-policy"]
    if flags["port"]:
        container["ports"] = [{"containerPort": port_number(flags["port"])}]
    if flags["stdin"]:
        container |= {"stdin": True, **({} if flags["leave-stdin-open"] else {"stdinOnce": True})}
    if flags["tty"]:
        container["tty"] = True
    if flags["privileged"]:
        container["securityContext"] = {"privileged": True}
    given = [pair for pair in flags["labels"].split(",") if pair]
    if wrong := [pair for pair in given if "=" not in pair]:
        raise CommandError(f"unexpected label spec: {wrong[0]}")
    labels = dict(pair.split("=", 1) for pair in given) or {"run": name}
    metadata = new_metadata(name, named_namespace(session), **labels)
    if flags["annotations"]:
        metadata["annotations"] = _annotations(flags["annotations"])
    spec: Object = {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": flags["restart"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {}}


def _annotations(given: list[str]) -> dict[str, str]:
    for text in given:
        if "=" not in text:
            raise CommandError(f"invalid annotations format: {text}")
    return {key: value for key, _, value in (text.partition("=") for text in given)}


async def _follow(session: Session, pod: Object) -> int:
    """Attach to a pod as soon as it runs; where it has ended before that, print its log. Give its exit code."""
    flags = session.flags
    pod = await pods.until(session, pod, _has_begun)
    name = pod["metadata"]["name"]
    if pod["status"]["phase"] in pods.COMPLETED:
        await logs.printed(session, pod, name)
    else:
        try:
            await execute.attached(session, pod)
        except (CommandError, ConnectionError) as error:
            session.err(f"warning: couldn't attach to pod/{name}, falling back to streaming logs: {error}\n")
            await logs.printed(session, pod, name)
    if flags["restart"] == "Always" or flags["leave-stdin-open"]:
        return 0
    pod = await pods.until(session, pod, lambda found: found["status"].get("phase") in pods.COMPLETED)
    if pod["status"]["phase"] == "Succeeded":
        return 0
    where = f"{pod['metadata']['namespace']}/{name}"
    state = (pod["status"].get("containerStatuses") or [{}])[0].get("state", {}).get("terminated")
    if not state or not state.get("exitCode"):
        raise CommandError(f"pod {where} failed with unknown exit code")
    text = f"pod {where} terminated ({state.get('reason', '')})\n{state.get('message', '')}".rstrip("\n")
    raise CommandError(text, plain=True, code=state["exitCode"])


def _has_begun(pod: Object) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") in pods.COMPLETED:
        return True
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    return status.get("phase") == "Running" and ready


async def _remove(session: Session, path: str, name: str) -> None:
    try:
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if session.flags["grace-period"] >= 0:
            options["gracePeriodSeconds"] = session.flags["grace-period"]
        await session.delete(f"{path}/{name}", options)
    except NotFound:
        return
    if not session.flags["quiet"]:
        session.out(f'pod "{name}" deleted\n')
