"""Commands that need what this cluster has not, and say so as the real kubectl does against such a server.

kubectl top nodes                 error: Metrics API not available
kubectl certificate approve x     error: the server doesn't have a resource type "certificatesigningrequests"
kubectl plugin list               error: unable to find any kubectl plugins in your PATH
"""

from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session


async def top(session: Session, _: list[str]) -> int:
    """Look for the Metrics API, which a metrics server would bring."""
    await session.get("/api", accept="application/json, */*")
    groups = await session.get("/apis", accept="application/json, */*")
    assert all(group.get("name") != "metrics.k8s.io" for group in groups.get("groups") or [])
    raise CommandError("Metrics API not available")


async def certificate(session: Session, arguments: list[str]) -> int:
    """Look for certificate signing requests."""
    if not arguments:
        raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
    await discovery.find(session, "certificatesigningrequests")
    raise CommandError("certificatesigningrequests cannot be changed by this workstation's kubectl")


async def plugins(_: Session, __: list[str]) -> int:
    """List the plug-ins: a workstation has none."""
    raise CommandError("unable to find any kubectl plugins in your PATH")


async def alpha(session: Session, _: list[str]) -> int:
    """Say that there is nothing."""
    session.err("No alpha commands are available in this version of kubectl\n")
    return 0
