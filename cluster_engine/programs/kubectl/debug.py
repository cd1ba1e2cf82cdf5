"""`kubectl debug`: a container to look around with, beside what is to be looked at, and its streams.

    debug web-0 -it --image=busybox --target=nginx     PATCH …/pods/web-0/ephemeralcontainers; watch; attach
    debug web-0 -it --image=busybox --copy-to=probe    POST …/pods; watch; attach
    debug node/worker-1 -it --image=busybox            POST …/pods, in the host's namespaces, its files at /host

Where the container has ended before it could be joined, its log is printed.

Modelled on kubectl/pkg/cmd/debug. Left out: several objects at once, volume mounts in --custom for a copy's others.
"""

import msgspec

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.names import generated
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.api.strategic import strategic_patch
from cluster_engine.programs.kubectl import debug_pods, documents, execute, logs, pods
from cluster_engine.programs.kubectl.arguments import targets
from cluster_engine.programs.kubectl.create import is_image
from cluster_engine.programs.kubectl.debug_pods import Wish
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import read_manifests
from cluster_engine.programs.kubectl.session import Session

KEPT = ("keep-annotations", "keep-labels", "keep-liveness", "keep-readiness", "keep-startup")
FLAGS = (
    Flag("image", default=""),
    Flag("container", "c", default=""),
    Flag("target", default=""),
    Flag("copy-to", default=""),
    Flag("share-processes", kind="bool", default=True),
    Flag("stdin", "i", "bool"),
    Flag("tty", "t", "bool"),
    Flag("attach", kind="bool"),
    Flag("quiet", "q", "bool"),
    Flag("profile", default=debug_pods.LEGACY),
    Flag("custom", default=""),
    Flag("env", kind="pairs"),
    Flag("image-pull-policy", default=""),
    Flag("arguments-only", kind="bool"),
    Flag("replace", kind="bool"),
    Flag("same-node", kind="bool"),
    Flag("set-image", kind="pairs"),
    Flag("filename", "f", "strings"),
    Flag("keep-init-containers", kind="bool", default=True),
    *(Flag(name, kind="bool") for name in KEPT),
)
STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
LEGACY_WARNING = (
    "--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a "
    'profile, for example "--profile=general".\n'
)
TARGETING = (
    'Targeting container "{}". If you don\'t see processes from this container it may be because the container '
    "runtime doesn't support this feature.\n"
)
_NOT_CUSTOM = ("name", "command", "image", "lifecycle", "volumeDevices")


class Debugger(msgspec.Struct, frozen=True):
    """A container that was made, in its pod; without a name there is none to be joined."""

    pod: Object
    container: str


async def run(session: Session, arguments: list[str]) -> int:
    """Make what is asked for, and join it."""
    flags = session.flags
    dashes = flags.before_dashes
    words, command = arguments[:dashes], arguments[dashes:] if dashes is not None else []
    custom = _custom(session)
    _check(session, words, command)
    attaches = flags["attach"] if "attach" in flags else flags["stdin"]
    for argument in [*_of_files(session), *words]:
        kind, obj = await _found(session, argument)
        wish = _wish(session, command)
        if kind == "Node":
            made = await _on_node(session, obj, wish, custom)
        elif flags["copy-to"]:
            made = await _by_copy(session, obj, wish, custom)
        else:
            made = await _in_pod(session, obj, wish, custom)
        if attaches and made.container:
            await _join(session, made)
    return 0


# -- what is asked for -------------------------------------------------------------------------------------------------


def _check(session: Session, words: list[str], command: list[str]) -> None:
    """Refuse what does not go together, in the order of the real one. CommandError."""
    flags = session.flags
    if flags["profile"] not in debug_pods.PROFILES:
        raise CommandError(f"unknown profile: {flags['profile']}")
    if flags["attach"] and not flags["image"] and not flags["container"]:
        raise CommandError("you must specify --container or create a new container using --image in order to attach.")
    _check_copy(session, command)
    if flags["image"] and not is_image(flags["image"]):
        raise CommandError(f'invalid image name "{flags["image"]}": invalid reference format')
    if not words and not flags["filename"]:
        raise CommandError("NAME or filename is required for debug")
    if flags["image-pull-policy"] not in ("", "Always", "IfNotPresent", "Never"):
        raise CommandError(f"invalid image pull policy: {flags['image-pull-policy']}")
    for name, image in flags["set-image"].items():
        if not is_image(image):
            raise CommandError(f'invalid image name "{image}" for container "{name}": invalid reference format')
    if flags["target"]:
        if flags["copy-to"]:
            raise CommandError("--target is incompatible with --copy-to. Use --share-processes instead.")
        if not flags["quiet"]:
            session.out(TARGETING.format(flags["target"]))
    if flags["tty"] and not flags["stdin"]:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if flags["profile"] == debug_pods.LEGACY:
        session.err(LEGACY_WARNING)


def _check_copy(session: Session, command: list[str]) -> None:
    flags = session.flags
    if flags["copy-to"]:
        if not flags["image"] and not flags["set-image"] and not command:
            raise CommandError("you must specify --image, --set-image or command arguments.")
        if command and not flags["container"] and not flags["image"]:
            raise CommandError("you must specify an existing container or a new image when specifying args.")
        return
    for name in ("replace", "same-node", "set-image"):
        if flags[name]:
            raise CommandError(f"--{name} may only be used with --copy-to.")
    if not flags["image"]:
        raise CommandError("you must specify --image when not using --copy-to.")


def _custom(session: Session) -> Object:
    """Read --custom, a part of a container. CommandError."""
    path = session.flags["custom"]
    if not path:
        return {}
    try:
        read = list(documents.read_all(session.read(path)))
    except CommandError as error:
        text = f"must pass a container spec json file for custom profile: open {path}: no such file or directory"
        raise CommandError(text) from error
    except documents.ManifestError as error:
        raise CommandError(f"{path} does not contain a valid container spec: {error}") from error
    found = read[0] if read else {}
    if any(found.get(name) for name in _NOT_CUSTOM):
        raise CommandError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")
    return found


def _wish(session: Session, command: list[str]) -> Wish:
    flags = session.flags
    fields: Object = {}
    if flags["env"]:
        fields["env"] = [{"name": name, "value": value} for name, value in flags["env"].items()]
    if flags["image-pull-policy"]:
        fields["imagePullPolicy"] = flags["image-pull-policy"]
    fields |= {name: True for name in ("stdin", "tty") if flags[name]}
    shares = bool(flags["share-processes"])
    return Wish(
        profile=flags["profile"],
        image=flags["image"],
        fields=fields,
        arguments=command,
        arguments_only=flags["arguments-only"],
        kept=frozenset(name for name in (*KEPT, "keep-init-containers") if flags[name]),
        share_processes=shares if "share-processes" in flags else None,
    )


def _of_files(session: Session) -> list[str]:
    found = read_manifests(session, session.flags["filename"])
    return [f"{one.document['kind'].lower()}/{one.name}" for one in found]


async def _found(session: Session, argument: str) -> tuple[str, Object]:
    target = (await targets(session, [argument if "/" in argument else f"pods/{argument}"]))[0]
    namespace = session.namespace if target.resource.namespaced else None
    obj = await session.get(target.resource.path(namespace, target.name))
    if target.resource.kind not in ("Pod", "Node"):
        raise CommandError(f'"{target.resource.api_version}, Kind={target.resource.kind}" not supported by debug')
    return target.resource.kind, obj


# -- what is made ------------------------------------------------------------------------------------------------------


async def _on_node(session: Session, node: Object, wish: Wish, custom: Object) -> Debugger:
    flags, name = session.flags, node["metadata"]["name"]
    container = flags["container"] or "debugger"
    pod_name = generated(f"node-debugger-{name}-", session.process.rng)
    if not flags["quiet"]:
        session.out(f"Creating debugging pod {pod_name} with container {container} on node {name}.\n")
    pod = debug_pods.for_node(wish, pod_name, container, name)
    pod["spec"]["containers"] = [_customized(pod["spec"]["containers"][0], custom)]
    path = f"/api/v1/namespaces/{session.namespace}/pods"
    return Debugger(await session.request("POST", path, body=pod), container)


async def _by_copy(session: Session, pod: Object, wish: Wish, custom: Object) -> Debugger:
    flags = session.flags
    name = flags["container"]
    copy = debug_pods.copied(pod, flags["copy-to"], flags["set-image"], same_node=flags["same-node"])
    if name in debug_pods.names(copy) or wish.image:
        name = name or _new_name(session, copy)
        debug_pods.with_debugger(copy, wish, name)
        containers = copy["spec"]["containers"]
        copy["spec"]["containers"] = [_customized(one, custom) if one["name"] == name else one for one in containers]
        _warn(session, copy, next((one for one in containers if one["name"] == name), {}))
    elif flags["set-image"]:
        name = ""
    else:
        raise CommandError("you must specify image when creating new container")
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
    made = await session.request("POST", path, body=copy)
    if flags["replace"]:
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        await session.delete(f"{path}/{pod['metadata']['name']}", options)
    return Debugger(made, name)


async def _in_pod(session: Session, pod: Object, wish: Wish, custom: Object) -> Debugger:
    name = session.flags["container"] or _new_name(session, pod)
    container = _customized(debug_pods.for_running(wish, name, session.flags["target"]), custom)
    _warn(session, pod, container)
    spec: Object = {"ephemeralContainers": [container]}
    if before := pod["spec"].get("ephemeralContainers"):
        spec["$setElementOrder/ephemeralContainers"] = [{"name": one["name"]} for one in (*before, container)]
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/ephemeralcontainers"
    try:
        return Debugger(await session.patch(path, {"spec": spec}, type_="strategic"), name)
    except NotFound as refusal:
        if refusal.details.get("name"):
            raise
        text = f'ephemeral containers are disabled for this cluster (error from server: "{refusal.message}")'
        raise CommandError(text) from refusal


def _customized(container: Object, custom: Object) -> Object:
    """Lay --custom over a container."""
    if not custom:
        return container
    kind = BUILT_IN.by_kind("v1", "Pod")
    assert kind is not None
    patch = {"spec": {"containers": [{**custom, "name": container["name"]}]}}
    patched: Object = strategic_patch(kind, {"spec": {"containers": [container]}}, patch)["spec"]["containers"][0]
    return patched


def _new_name(session: Session, pod: Object) -> str:
    name = generated("debugger-", session.process.rng)
    while name in debug_pods.names(pod):
        name = generated("debugger-", session.process.rng)
    if not session.flags["quiet"]:
        session.out(f"Defaulting debug container name to {name}.\n")
    return name


def _warn(session: Session, pod: Object, container: Object) -> None:
    """Warn where a pod's user, who is not root, makes what a profile grants worth nothing."""
    context = container.get("securityContext") or {}
    granted = context.get("privileged") or (context.get("capabilities") or {}).get("add")
    user = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    if user and granted and context.get("runAsUser") != 0:
        session.err(
            "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug "
            'profile may not work. Please consider using "--custom" with a custom profile that specifies '
            '"securityContext.runAsUser: 0".\n'
        )


# -- joining it --------------------------------------------------------------------------------------------------------


async def _join(session: Session, made: Debugger) -> None:
    """Attach to the container once it runs; where that is over already, print its log."""
    name = made.container
    told = ""

    def has_begun(pod: Object) -> bool:
        nonlocal told
        state = _state(pod, name)
        said = (state.get("waiting") or {}).get("message", "")
        if said and said != told and not session.flags["quiet"]:
            session.err(f"Warning: container {name}: {said}\n")
        told = said
        return "running" in state or "terminated" in state

    pod = await pods.until(session, made.pod, has_begun)
    if "terminated" in _state(pod, name):
        await logs.printed(session, pod, name)
        return
    try:
        await execute.attached(session, pod, name)
    except (CommandError, ConnectionError) as error:
        where = f"pod/{pod['metadata']['name']}"
        session.err(f"warning: couldn't attach to {where}, falling back to streaming logs: {error}\n")
        await logs.printed(session, pod, name)


def _state(pod: Object, name: str) -> Object:
    status = pod.get("status") or {}
    states = [one for kind in STATUSES for one in status.get(kind) or ()]
    found: Object = next((one.get("state") or {} for one in states if one["name"] == name), {})
    return found
