"""crictl: containers, pods and images as the runtime of a worker has them, past the API server and the kubelet.

    crictl ps -a                     containers, ended ones too
    crictl pods --name web           pod sandboxes
    crictl logs $(crictl ps -q --name nginx)
    crictl stopp POD; crictl rmp POD

What is stopped here the kubelet soon starts again. Modelled on cri-tools 1.32. Left out: checkpoint, events, update,
and create, run and runp, whose pods the kubelet takes away again as it does not know them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from cluster_engine.programs.crictl import logs, stats, streams
from cluster_engine.programs.crictl.runtime import SOCKET, CrictlError, Runtime
from cluster_engine.programs.crictl.session import Session, labels_of
from cluster_engine.programs.crictl.showing import ago, as_dict, document, moment, short, size, table
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl.errors import UsageError
from cluster_engine.programs.kubectl.flags import Flag, Parsed, parse
from cluster_engine.rpc import cri_pb2 as cri

VERSION = "v1.32.0"
GLOBAL_FLAGS = (
    Flag("runtime-endpoint", "r", default=f"unix://{SOCKET}"),
    Flag("image-endpoint", "i", default=""),
    Flag("config", "c", default=""),
    Flag("timeout", "t", default="2s"),
    Flag("debug", "D", kind="bool"),
)
GLOBAL_WITH_VALUE = frozenset(
    {"-r", "--runtime-endpoint", "-i", "--image-endpoint", "-c", "--config", "-t", "--timeout"}
)
OUTPUT = Flag("output", "o", default="")
QUIET = Flag("quiet", "q", kind="bool")
WHOLE = Flag("no-trunc", kind="bool")
HELP = Flag("help", "h", kind="bool")
LISTING = (OUTPUT, QUIET, WHOLE, Flag("label", kind="strings"), Flag("name", default=""), Flag("id", default=""),
           Flag("last", "n", kind="int", default=0), Flag("latest", "l", kind="bool"),
           Flag("state", "s", default=""))  # fmt: skip
STATES = {0: "Created", 1: "Running", 2: "Exited", 3: "Unknown"}
POD_STATES = {0: "Ready", 1: "NotReady"}


def _matches(pattern: str, text: str) -> bool:
    """Return whether a name is what was asked for: a regular expression, as crictl has it. CrictlError."""
    if not pattern:
        return True
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return bool(re2.compile(pattern, options).search(text))
    except re2.error as error:
        raise CrictlError(f"error parsing regexp: {pattern}") from error


def _newest(found: list[Any], flags: Parsed) -> list[Any]:
    return found[:1] if flags["latest"] else found[: flags["last"]] if flags["last"] > 0 else found


async def ps(session: Session) -> None:
    """crictl ps."""
    flags = session.flags
    wanted: dict[str, Any] = {"label_selector": labels_of(flags)}
    if flags["id"]:
        wanted["id"] = await session.runtime.container_id(flags["id"])
    if flags["pod"]:
        wanted["pod_sandbox_id"] = await session.runtime.pod_id(flags["pod"])
    state = flags["state"].lower()
    by_state = {name.lower(): number for number, name in STATES.items()}
    if state and state not in by_state:
        raise CrictlError("--state should be one of created, running, exited or unknown")
    shown = by_state[state] if state else None if flags["all"] or flags["latest"] or flags["last"] else 1
    found = [
        one
        for one in await session.runtime.containers(**wanted)
        if (shown is None or one.state == shown)
        and _matches(flags["name"], one.metadata.name)
        and (not flags["image"] or flags["image"] in (one.image.image, one.image_ref, short(one.image_ref)))
    ]
    found = _newest(found, flags)
    if flags["quiet"]:
        session.out("".join(f"{one.id}\n" for one in found))
    elif flags["output"] in ("json", "yaml"):
        session.out(document({"containers": [as_dict(one) for one in found]}, flags["output"]))
    else:
        pods = {one.id: one.metadata for one in await session.runtime.pods()}
        now, whole = session.invocation.process.now(), flags["no-trunc"]
        rows = [["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"]]
        for one in found:
            pod = pods.get(one.pod_sandbox_id, cri.PodSandboxMetadata(name="unknown", namespace="unknown"))
            rows.append(
                [
                    short(one.id, whole=whole), short(one.image_id or one.image_ref, whole=whole),
                    ago(now, one.created_at), STATES[one.state], one.metadata.name, str(one.metadata.attempt),
                    short(one.pod_sandbox_id, whole=whole), pod.name, pod.namespace,
                ]
            )  # fmt: skip
        session.out(table(rows))


async def pods(session: Session) -> None:
    """crictl pods."""
    flags = session.flags
    state = flags["state"].lower()
    if state and state not in ("ready", "notready"):
        raise CrictlError("--state should be ready or notready")
    found = [
        one
        for one in await session.runtime.pods(label_selector=labels_of(flags))
        if one.id.startswith(flags["id"])
        and (not state or POD_STATES[one.state].lower() == state)
        and _matches(flags["name"], one.metadata.name)
        and _matches(flags["namespace"], one.metadata.namespace)
    ]
    found = _newest(found, flags)
    if flags["quiet"]:
        session.out("".join(f"{one.id}\n" for one in found))
    elif flags["output"] in ("json", "yaml"):
        session.out(document({"items": [as_dict(one) for one in found]}, flags["output"]))
    else:
        now, whole = session.invocation.process.now(), flags["no-trunc"]
        rows = [["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]]
        rows += [
            [
                short(one.id, whole=whole), ago(now, one.created_at), POD_STATES[one.state], one.metadata.name,
                one.metadata.namespace, str(one.metadata.attempt), one.runtime_handler or "(default)",
            ]
            for one in found
        ]  # fmt: skip
        session.out(table(rows))


async def images(session: Session) -> None:
    """crictl images."""
    flags = session.flags
    answer = await session.runtime.call("ListImages", "list images")
    wanted = flags.arguments[0] if flags.arguments else ""
    found = sorted(
        (one for one in answer.images if not wanted or any(wanted in tag for tag in one.repo_tags)),
        key=lambda one: list(one.repo_tags),
    )
    if flags["quiet"]:
        session.out("".join(f"{one.id}\n" for one in found))
    elif flags["output"] in ("json", "yaml"):
        session.out(document({"images": [as_dict(one) for one in found]}, flags["output"]))
    else:
        header = ["IMAGE", "TAG", *(["DIGEST"] if flags["digests"] else []), "IMAGE ID", "SIZE"]
        rows = [header]
        for one in found:
            digest = [short(one.repo_digests[0].partition("@")[2])] if flags["digests"] and one.repo_digests else []
            for tag in one.repo_tags or ["<none>:<none>"]:
                name, _, version = tag.rpartition(":")
                id_ = short(one.id, whole=flags["no-trunc"])
                rows.append([name, version, *digest, id_, size(one.size)])
        session.out(table(rows))


async def inspect(session: Session) -> None:
    """crictl inspect."""
    for typed in session.arguments:
        id_ = await session.runtime.container_id(typed)
        doing = f'getting the status of the container "{typed}"'
        answer = await session.runtime.call("ContainerStatus", doing, container_id=id_, verbose=True)
        status = as_dict(answer.status)
        for name in ("createdAt", "startedAt", "finishedAt"):
            status[name] = moment(int(status[name]))
        _print_status(session, {"info": dict(answer.info), "status": status})


async def inspect_pod(session: Session) -> None:
    """crictl inspectp."""
    for typed in session.arguments:
        id_ = await session.runtime.pod_id(typed)
        doing = f'getting the pod sandbox status for "{typed}"'
        answer = await session.runtime.call("PodSandboxStatus", doing, pod_sandbox_id=id_, verbose=True)
        status = as_dict(answer.status)
        status["createdAt"] = moment(int(status["createdAt"]))
        _print_status(session, {"info": dict(answer.info), "status": status})


async def inspect_image(session: Session) -> None:
    """crictl inspecti."""
    for typed in session.arguments:
        image = await _image(session, typed)
        if image is None:
            raise CrictlError(f'no such image "{typed}" present')
        _print_status(session, {"info": {}, "status": as_dict(image)})


async def _image(session: Session, typed: str) -> cri.Image | None:
    answer = await session.runtime.call("ListImages", "list images")
    for image in answer.images:
        if image.id.removeprefix("sha256:").startswith(typed.removeprefix("sha256:")):
            found: cri.Image = image
            return found
    spec = cri.ImageSpec(image=typed)
    answer = await session.runtime.call("ImageStatus", f'image status for "{typed}" request', image=spec)
    return answer.image if answer.HasField("image") else None


def _print_status(session: Session, told: Mapping[str, Any]) -> None:
    form = session.flags["output"]
    session.out(document(told, "yaml" if form == "yaml" else "json"))


async def start(session: Session) -> None:
    """crictl start."""
    for typed in session.arguments:
        id_ = await session.runtime.container_id(typed)
        await session.runtime.call("StartContainer", f'starting the container "{typed}"', container_id=id_)
        session.out(f"{typed}\n")


async def stop(session: Session) -> None:
    """crictl stop."""
    for typed in session.arguments:
        id_ = await session.runtime.container_id(typed)
        await session.runtime.call(
            "StopContainer", f'stopping the container "{typed}"', container_id=id_, timeout=session.flags["timeout"]
        )
        session.out(f"{typed}\n")


async def remove(session: Session) -> None:
    """crictl rm."""
    for typed in [one.id for one in await session.runtime.containers()] if session.flags["all"] else session.arguments:
        id_ = await session.runtime.container_id(typed)
        doing = f'removing the container "{typed}"'
        answer = await session.runtime.call("ContainerStatus", doing, container_id=id_)
        if answer.status.state == cri.CONTAINER_RUNNING and not session.flags["force"]:
            raise CrictlError(f'container "{id_}" is running, please stop it first')
        await session.runtime.call("RemoveContainer", doing, container_id=id_)
        session.out(f"{typed}\n")


async def stop_pod(session: Session) -> None:
    """crictl stopp."""
    for typed in session.arguments:
        id_ = await session.runtime.pod_id(typed)
        await session.runtime.call("StopPodSandbox", f'stopping the pod sandbox "{typed}"', pod_sandbox_id=id_)
        session.out(f"Stopped sandbox {typed}\n")


async def remove_pod(session: Session) -> None:
    """crictl rmp."""
    for typed in [one.id for one in await session.runtime.pods()] if session.flags["all"] else session.arguments:
        id_ = await session.runtime.pod_id(typed)
        doing = f'getting sandbox status of pod "{typed}"'
        answer = await session.runtime.call("PodSandboxStatus", doing, pod_sandbox_id=id_)
        if answer.status.state == cri.SANDBOX_READY and not session.flags["force"]:
            raise CrictlError(f'pod sandbox "{typed}" is running, please stop it first')
        await session.runtime.call("RemovePodSandbox", f'removing the pod sandbox "{typed}"', pod_sandbox_id=id_)
        session.out(f"Removed sandbox {typed}\n")


async def pull(session: Session) -> None:
    """crictl pull."""
    name = session.arguments[0]
    answer = await session.runtime.call("PullImage", "pulling image", image=cri.ImageSpec(image=name))
    session.out(f"Image is up to date for {answer.image_ref}\n")


async def remove_image(session: Session) -> None:
    """crictl rmi."""
    for typed in session.arguments:
        image = await _image(session, typed)
        if image is None:
            raise CrictlError(f'no such image "{typed}" present')
        await session.runtime.call("RemoveImage", f'remove image "{typed}"', image=cri.ImageSpec(image=image.id))
        session.out("".join(f"Deleted: {tag}\n" for tag in image.repo_tags))


async def info(session: Session) -> None:
    """crictl info."""
    answer = await session.runtime.call("Status", "getting status of runtime", verbose=True)
    _print_status(session, as_dict(answer))


async def version(session: Session) -> None:
    """crictl version."""
    answer = await session.runtime.call("Version", "getting the runtime version", version="v1")
    session.out(
        f"Version:  {answer.version}\nRuntimeName:  {answer.runtime_name}\n"
        f"RuntimeVersion:  {answer.runtime_version}\nRuntimeApiVersion:  {answer.runtime_api_version}\n"
    )


class Command(msgspec.Struct, frozen=True):
    """One command: what it says of itself, its flags, and what runs it."""

    summary: str
    flags: Sequence[Flag]
    run: Callable[[Session], Awaitable[None]]


FORCE, ALL = Flag("force", "f", kind="bool"), Flag("all", "a", kind="bool")
COMMANDS: Mapping[str, Command] = {
    "attach": Command("Attach to a running container", streams.STDIN_FLAGS, streams.attach),
    "exec": Command("Run a command in a running container", streams.EXEC_FLAGS, streams.execute),
    "imagefsinfo": Command("Return image filesystem info", (OUTPUT,), stats.image_file_system),
    "images": Command("List images", (OUTPUT, QUIET, WHOLE, Flag("digests", kind="bool")), images),
    "info": Command("Display information of the container runtime", (OUTPUT,), info),
    "inspect": Command("Display the status of one or more containers", (OUTPUT,), inspect),
    "inspecti": Command("Return the status of one or more images", (OUTPUT,), inspect_image),
    "inspectp": Command("Display the status of one or more pods", (OUTPUT,), inspect_pod),
    "logs": Command("Fetch the logs of a container", logs.FLAGS, logs.logs),
    "pods": Command("List pods", (*LISTING, Flag("namespace", default="")), pods),
    "port-forward": Command("Forward local port to a pod", (streams.TRANSPORT,), streams.forward),
    "ps": Command("List containers", (*LISTING, ALL, Flag("pod", "p", default=""), Flag("image", default="")), ps),
    "pull": Command("Pull an image from a registry", (), pull),
    "rm": Command("Remove one or more containers", (FORCE, ALL), remove),
    "rmi": Command("Remove one or more images", (), remove_image),
    "rmp": Command("Remove one or more pods", (FORCE, ALL), remove_pod),
    "start": Command("Start one or more created containers", (), start),
    "stats": Command("List container(s) resource usage statistics", stats.CONTAINER_FLAGS, stats.stats),
    "statsp": Command("List pod statistics", stats.FLAGS, stats.pod_stats),
    "stop": Command("Stop one or more running containers", (Flag("timeout", "t", kind="int", default=0),), stop),
    "stopp": Command("Stop one or more running pods", (), stop_pod),
    "version": Command("Display runtime version information", (), version),
}  # fmt: skip
SYNONYMS = {"image": "images", "img": "images"}


async def crictl(invocation: Invocation) -> int:
    """Run crictl; give its exit code."""
    words = list(invocation.argv[1:])
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in GLOBAL_WITH_VALUE else 1
    leading, rest = words[:at], words[at:]
    if {"--version", "-v"} & set(leading):
        invocation.out(f"crictl version {VERSION}\n")
        return 0
    command = COMMANDS.get(SYNONYMS.get(rest[0], rest[0])) if rest else None
    if command is None:
        if rest and rest[0] not in ("help", "h"):
            invocation.err(f"No help topic for '{rest[0]}'\n")
            return 3
        invocation.out(_help())
        return 0
    try:
        chosen = parse(leading, GLOBAL_FLAGS, "crictl")
        flags = parse(_until_argument(rest[1:], rest[0]), [*command.flags, HELP], "crictl")
    except UsageError as problem:
        invocation.err(f"FATA[0000] {str(problem).splitlines()[0]}\n")
        return 1
    if flags["help"]:
        invocation.out(f"NAME:\n   crictl {rest[0]} - {command.summary}\n\nOPTIONS:\n{_options(command.flags)}")
        return 0
    runtime = Runtime(invocation, chosen["runtime-endpoint"])
    try:
        await command.run(Session(invocation, runtime, flags))
    except CrictlError as problem:
        invocation.err(f"FATA[0000] {problem}\n")
        return 1
    finally:
        runtime.close()
    return 0


def _until_argument(words: list[str], name: str) -> list[str]:
    """Keep what is to be run in a container apart from crictl's own flags."""
    at = next((at for at, word in enumerate(words) if not word.startswith("-")), len(words))
    return [*words[:at], "--", *words[at:]] if name == "exec" else words


def _options(flags: Sequence[Flag]) -> str:
    return "".join(f"   --{flag.name}{f', -{flag.short}' if flag.short else ''}\n" for flag in [*flags, HELP])


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = "".join(f"   {name:<{width}}{command.summary}\n" for name, command in COMMANDS.items())
    return (
        "NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options] "
        f"[arguments...]\n\nVERSION:\n   {VERSION}\n\nCOMMANDS:\n{lines}"
    )
