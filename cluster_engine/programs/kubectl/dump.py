"""`kubectl cluster-info dump`: everything of importance in one text, or in a file for each thing, to look at later.

    cluster-info dump                                   the nodes, and what is in kube-system and default, with all logs
    cluster-info dump --output-directory=/tmp/dump      /tmp/dump/nodes.json, /tmp/dump/default/pods.json, …/logs.txt

Kinds that this server has not are passed over, where the real one gives up.

Modelled on kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("output", "o", default="json"),
    *output.FLAGS[1:],
    Flag("output-directory", default=""),
    Flag("namespaces", kind="strings"),
    Flag("all-namespaces", "A", "bool"),
    Flag("pod-running-timeout", kind="duration", default=20.0),
)
KINDS = (
    ("/api/v1", "events"),
    ("/api/v1", "replicationcontrollers"),
    ("/api/v1", "services"),
    ("/apis/apps/v1", "daemonsets"),
    ("/apis/apps/v1", "deployments"),
    ("/apis/apps/v1", "replicasets"),
    ("/api/v1", "pods"),
)
FILE_NAMES = {"replicationcontrollers": "replication-controllers"}
OF_SYSTEM = "kube-system"


async def dump(session: Session, _: list[str]) -> int:
    """Print everything, or write it to files."""
    flags = session.flags
    extension = {"json": ".json", "yaml": ".yaml"}.get(flags["output"], ".txt")
    await _write(session, f"nodes{extension}", _shown(session, await session.get("/api/v1/nodes")))
    for namespace in await _namespaces(session):
        for group, plural in KINDS:
            try:
                listed = await session.get(f"{group}/namespaces/{namespace}/{plural}")
            except NotFound:
                continue
            name = f"{namespace}/{FILE_NAMES.get(plural, plural)}{extension}"
            await _write(session, name, _shown(session, listed))
            if plural == "pods":
                await _logs(session, namespace, listed["items"])
    where = flags["output-directory"]
    if where and where != "-":
        session.out(f"Cluster info dumped to {where}\n")
    return 0


async def _namespaces(session: Session) -> list[str]:
    flags = session.flags
    if flags["all-namespaces"]:
        listed = await session.get("/api/v1/namespaces")
        return [item["metadata"]["name"] for item in listed["items"]]
    given = [name for names in flags["namespaces"] for name in names.split(",")]
    return given or [OF_SYSTEM, session.namespace]


async def _logs(session: Session, namespace: str, pods: list[Object]) -> None:
    for pod in pods:
        name = pod["metadata"]["name"]
        texts = []
        for container in pod["spec"].get("containers") or ():
            where = f"{container['name']} of pod {namespace}/{name}"
            path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
            try:
                raw = await session.raw("GET", path, params={"container": container["name"]}, accept="*/*")
                text = raw.decode("utf-8", "replace")
            except Refusal as refusal:
                text = f"Request log error: {refusal.message}\n"
            begin, end = (f"==== {word} logs for container {where} ====\n" for word in ("START", "END"))
            texts.append(f"{begin}{text}{end}")
        await _write(session, f"{namespace}/{name}/logs.txt", "".join(texts))


def _shown(session: Session, listed: Object) -> str:
    show = output.printer(session)
    assert show is not None, "only `get` has tables"
    return show(listed)


async def _write(session: Session, name: str, text: str) -> None:
    where = session.flags["output-directory"]
    if where in ("", "-"):
        session.out(text)
        await session.drain()
        return
    try:
        session.process.files.write(session.absolute(f"{where.rstrip('/')}/{name}"), text.encode())
    except OSError as error:
        raise CommandError(f"open {where}/{name}: {str(error.strerror).lower()}") from error
