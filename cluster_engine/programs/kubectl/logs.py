"""`kubectl logs`: which pod and container, then GET …/pods/<name>/log, whole or followed.

    logs web-0             GET the pod, GET …/log?container=nginx
    logs deploy/web -f     GET the deployment, list its pods, GET …/log?container=nginx&follow=true

Modelled on kubectl/pkg/cmd/logs. Left out: --all-containers for several pods at once, --prefix, --max-log-requests.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.programs.kubectl import pods
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session

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
    Flag("selector", "l", default=""),
)
USAGE = """expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""
DOING = "get the logs from"
SELECTED_TAIL = 10


async def run(session: Session, arguments: list[str]) -> int:
    """Print logs."""
    flags = session.flags
    if not arguments and not flags["selector"]:
        raise CommandError(USAGE)
    container = flags["container"] or (arguments[1] if len(arguments) > 1 else "")
    for pod in await _pods(session, arguments):
        for name in _containers(session, pod, container):
            await _print(session, pod, name)
    return 0


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


async def _print(session: Session, pod: Object, container: str) -> None:
    flags = session.flags
    tail = flags["tail"] if flags["tail"] >= 0 else SELECTED_TAIL if flags["selector"] else None
    query: Params = {
        "container": container,
        "follow": flags["follow"] or None,
        "limitBytes": flags["limit-bytes"] or None,
        "previous": flags["previous"] or None,
        "sinceSeconds": int(flags["since"]) or None,
        "sinceTime": flags["since-time"] or None,
        "tailLines": tail,
        "timestamps": flags["timestamps"] or None,
    }
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
    async with session.stream(path, query, accept="application/json, */*") as chunks:
        async for chunk in chunks:
            session.out(chunk)
            await session.drain()
