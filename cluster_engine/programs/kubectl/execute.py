"""`kubectl exec` and `kubectl attach`: which pod and container, then its streams (`remote`).

    exec web-0 -- date                GET the pod, GET …/pods/web-0/exec?command=date&container=nginx&…
    exec -it deploy/web -- sh         what is typed goes to the shell there, until it ends or Ctrl-D
    attach web-0                      what the container's own program writes from now on

The exit code is the command's. Modelled on kubectl/pkg/cmd/{exec,attach}.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.keyboard import is_terminal
from cluster_engine.programs.kubectl import pods, remote
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.programs.streams import Streams

FLAGS = (
    Flag("container", "c", default=""),
    Flag("stdin", "i", "bool"),
    Flag("tty", "t", "bool"),
    Flag("quiet", "q", "bool"),
    Flag("pod-running-timeout", kind="duration", default=60.0),
)
NO_DASHES = """exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead
See 'kubectl exec -h' for help and examples"""
NO_TTY = "Unable to use a TTY - input is not a terminal or the right kind of file"


async def run(session: Session, arguments: list[str]) -> int:
    """Run a command in a container."""
    before = session.flags.before_dashes
    if before is None and len(arguments) > 1:
        raise CommandError(NO_DASHES)
    if not arguments or before == 0:
        raise CommandError("pod, type/name or --filename must be specified")
    command = [] if before is None else arguments[before:]
    if not command:
        raise CommandError("you must specify at least one command for the container")
    pod, _ = await pods.selected(session, arguments[0], doing="attach to")
    refuse_completed(pod, "exec into")
    flags = session.flags
    container = pods.container(session, pod, flags["container"], quiet=flags["quiet"])
    tty = _has_terminal(session)
    stdin = flags["stdin"]
    return ended(await executed(session, pod, container, command, session.streams, stdin=stdin, tty=tty))


async def executed(
    session: Session,
    pod: Object,
    container: str,
    command: list[str],
    streams: Streams,
    *,
    stdin: bool = False,
    tty: bool = False,
) -> int:
    """Run a command in a pod's container; give its exit code."""
    path = _path(pod, "exec")
    return await remote.stream(
        session, path, streams=streams, container=container, command=command, stdin=stdin, tty=tty
    )


def ended(code: int) -> int:
    """Return an exit code; where it is not 0, kubectl says so."""
    if code:
        raise CommandError(f"command terminated with exit code {code}", plain=True, code=code)
    return code


async def attach(session: Session, arguments: list[str]) -> int:
    """Join a container's streams."""
    if not arguments:
        raise CommandError("at least 1 argument is required for attach")
    if len(arguments) > 2:
        shown = " ".join(arguments)
        raise CommandError(
            f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(arguments)}: [{shown}]"
        )
    pod, _ = await pods.selected(session, "/".join(arguments), doing="attach to")
    refuse_completed(pod, "attach")
    return await attached(session, pod, session.flags["container"])


async def attached(session: Session, pod: Object, container: str = "") -> int:
    """Join the streams of a container; "": of the pod's default one."""
    flags = session.flags
    name = pods.container(session, pod, container, quiet=flags["quiet"])
    has_tty = bool(pods.all_containers(pod)[name].get("tty"))
    if flags["tty"] and not has_tty and not flags["quiet"]:
        session.err(f"error: Unable to use a TTY - container {name} did not allocate one\n")
    session.flags.values["tty"] = has_tty
    tty = _has_terminal(session)
    if not flags["quiet"]:
        session.err("If you don't see a command prompt, try pressing enter.\n")
    path, stdin = _path(pod, "attach"), flags["stdin"]
    code = await remote.stream(session, path, container=name, stdin=stdin, tty=tty, redraws=True)
    if tty and not flags["quiet"] and pod["spec"].get("restartPolicy") == "Always":
        session.out(_how_to_return(pod, name))
    return ended(code)


def _how_to_return(pod: Object, container: str) -> str:
    again = f"'kubectl attach {pod['metadata']['name']} -c {container} -i -t'"
    if any(one["name"] == container for one in pod["spec"].get("ephemeralContainers") or ()):
        what = "the ephemeral container will not be restarted but may be reattached using"
        return f"Session ended, {what} {again} if it is still running\n"
    return f"Session ended, resume using {again} command when the pod is running\n"


def _has_terminal(session: Session) -> bool:
    """Return whether there is to be a terminal, as SetupTTY decides: only with -i, and only from one."""
    flags = session.flags
    if not (flags["stdin"] and flags["tty"]):
        return False
    if is_terminal(session.streams.stdin):
        return True
    if not flags["quiet"]:
        session.err(f"{NO_TTY}\n")
    return False


def refuse_completed(pod: Object, what: str) -> None:
    """Raise CommandError where a pod has come to its end."""
    phase = (pod.get("status") or {}).get("phase")
    if phase in pods.COMPLETED:
        raise CommandError(f"cannot {what} a container in a completed pod; current phase is {phase}")


def _path(pod: Object, subresource: str) -> str:
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/{subresource}"
