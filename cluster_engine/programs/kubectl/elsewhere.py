"""Commands that need what this cluster has not, and say so as the real kubectl does against such a server.

kubectl top nodes                 error: Metrics API not available
kubectl plugin list               error: unable to find any kubectl plugins in your PATH
"""

from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

_TOP = (
    Flag("selector", "l", default=""),
    Flag("sort-by", default=""),
    Flag("no-headers", kind="bool"),
    Flag("use-protocol-buffers", kind="bool", default=True),
)
TOP_NODE_FLAGS = (*_TOP, Flag("show-capacity", kind="bool"))
TOP_POD_FLAGS = (
    *_TOP,
    Flag("all-namespaces", "A", "bool"),
    Flag("containers", kind="bool"),
    Flag("field-selector", default=""),
    Flag("sum", kind="bool"),
)


async def top(session: Session, arguments: list[str]) -> int:
    """Look for the Metrics API, which a metrics server would bring."""
    flags, what = session.flags, "pod" if "sum" in session.flags.values else "node"
    if flags["sort-by"] not in ("", "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")
    if len(arguments) > 1:
        raise CommandError(f"{what} [NAME | -l label]\nSee 'kubectl top {what} -h' for help and examples")
    if arguments and flags["selector"]:
        raise CommandError("only one of NAME or selector can be provided")
    await session.get("/api", accept="application/json, */*")
    groups = await session.get("/apis", accept="application/json, */*")
    assert all(group.get("name") != "metrics.k8s.io" for group in groups.get("groups") or [])
    raise CommandError("Metrics API not available")


PLUGIN_FLAGS = (Flag("name-only", kind="bool"),)


async def plugins(_: Session, __: list[str]) -> int:
    """List the plug-ins: a workstation has none."""
    raise CommandError("unable to find any kubectl plugins in your PATH")


async def alpha(session: Session, _: list[str]) -> int:
    """Say that there is nothing."""
    session.err("No alpha commands are available in this version of kubectl\n")
    return 0
