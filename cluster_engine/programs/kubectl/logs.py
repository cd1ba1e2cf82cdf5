"""`kubectl logs`: which pod and container, then GET …/pods/<name>/log, whole or followed.

    logs web-0             GET the pod, GET …/log?container=nginx
    logs deploy/web -f     GET the deployment, list its pods, GET …/log?container=nginx&follow=true
    logs -l app=web -f     list the pods, and one GET for each, all at once, whose lines come as they come

Modelled on kubectl/pkg/cmd/logs. Without effect: --ignore-errors, --pod-running-timeout.
"""

import asyncio

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.programs.kubectl import pods
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import OutOfTimeError, Params, Session

FLAGS = (
    Flag("container", "c", default=""),
    Flag("follow", "f", "bool"),
    Flag("previous", "p", "bool"),
    Flag("tail", kind="int", default=-1),
    Flag("timestamps", kind="bool"),
    Flag("since", kind="duration", default=0.0),
    Flag("since-time", default=""),
    Flag("limit-bytes", kind="int", default=0),
    Flag("all-containers", kind="bool"),
    Flag("all-pods", kind="bool"),
    Flag("prefix", kind="bool"),
    Flag("max-log-requests", kind="int", default=5),
    Flag("selector", "l", default=""),
    Flag("ignore-errors", kind="bool"),
    Flag("insecure-skip-tls-verify-backend", kind="bool"),
    Flag("pod-running-timeout", kind="duration", default=20.0),
)
USAGE = """expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""
DOING = "get the logs from"
SELECTED_TAIL = 10


async def run(session: Session, arguments: list[str]) -> int:
    """Print logs."""
    flags = session.flags
    _check(session, arguments)
    container = flags["container"] or (arguments[1] if len(arguments) > 1 else "")
    found = await _pods(session, arguments)
    sources = [(pod, name) for pod in found for name in _containers(session, pod, container)]
    if not flags["follow"] or len(sources) < 2:
        for pod, name in sources:
            await printed(session, pod, name)
        return 0
    most = flags["max-log-requests"]
    if len(sources) > most:
        raise CommandError(
            f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {most}, "
            "use --max-log-requests to increase the limit"
        )
    async with asyncio.TaskGroup() as tasks:
        for pod, name in sources:
            tasks.create_task(printed(session, pod, name))
    return 0


def _check(session: Session, arguments: list[str]) -> None:
    flags = session.flags
    if flags["selector"] and arguments:
        raise CommandError("only a selector (-l) or a POD name is allowed")
    if not arguments and not flags["selector"]:
        raise CommandError(USAGE)
    if flags["tail"] < -1:
        raise CommandError("--tail must be greater than or equal to -1")
    if flags["since"] and flags["since-time"]:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if flags["limit-bytes"] < 0:
        raise CommandError("--limit-bytes must be greater than 0")


async def _pods(session: Session, arguments: list[str]) -> list[Object]:
    path = f"/api/v1/namespaces/{session.namespace}/pods"
    if session.flags["selector"]:
        listed = await session.get(path, {"labelSelector": session.flags["selector"], "limit": 500})
        if not listed["items"]:
            session.err(f"No resources found in {session.namespace} namespace.\n")
        return list(listed["items"])
    if "/" not in arguments[0]:
        try:
            return [(await pods.selected(session, arguments[0], doing=DOING))[0]]
        except NotFound as refusal:
            text = f'error from server (NotFound): {refusal.message} in namespace "{session.namespace}"'
            raise CommandError(text) from refusal
    if session.flags["all-pods"]:
        session.flags.values["prefix"] = True
        return await pods.all_selected(session, arguments[0], doing=DOING)
    pod, count = await pods.selected(session, arguments[0], doing=DOING)
    if count > 1:
        session.err(f"Found {count} pods, using pod/{pod['metadata']['name']}\n")
    return [pod]


def _containers(session: Session, pod: Object, wanted: str) -> list[str]:
    if session.flags["all-containers"]:
        return list(pods.all_containers(pod))
    if wanted and wanted not in pods.all_containers(pod):
        raise CommandError(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    return [pods.container(session, pod, wanted)]


async def printed(session: Session, pod: Object, container: str) -> None:
    """Print one container's log, line by line."""
    values = session.flags.values
    tail = values.get("tail", -1)
    tail = tail if tail >= 0 else SELECTED_TAIL if values.get("selector") else None
    query: Params = {
        "container": container,
        "follow": values.get("follow") or None,
        "limitBytes": values.get("limit-bytes") or None,
        "previous": values.get("previous") or None,
        "sinceSeconds": int(values.get("since", 0)) or None,
        "sinceTime": values.get("since-time") or None,
        "tailLines": tail,
        "timestamps": values.get("timestamps") or None,
    }
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
    prefix = f"[pod/{metadata['name']}/{container}] ".encode() if values.get("prefix") else b""
    rest = b""
    try:
        async with session.stream(path, query, accept="application/json, */*") as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                session.out(b"".join(b"%b%b\n" % (prefix, line) for line in lines))
                await session.drain()
    except OutOfTimeError as error:
        session.out(prefix + rest if rest else b"")
        raise CommandError("context deadline exceeded") from error
    if rest:
        session.out(prefix + rest)
