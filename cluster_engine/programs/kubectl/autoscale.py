"""`kubectl autoscale`: a HorizontalPodAutoscaler for something that can be scaled.

    autoscale deployment web --min=1 --max=5 --cpu-percent=80
        GET …/deployments/web, POST /apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers

Modelled on kubectl/pkg/cmd/autoscale. Left out: autoscaling/v2.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.arguments import named
from cluster_engine.programs.kubectl.create import COMMON_FLAGS, create, named_namespace, new_metadata
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    *COMMON_FLAGS,
    Flag("min", kind="int", default=-1),
    Flag("max", kind="int", default=-1),
    Flag("cpu-percent", kind="int", default=-1),
    Flag("name", default=""),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Make an autoscaler for each object."""
    flags = session.flags
    if "max" not in flags:
        raise CommandError('required flag(s) "max" not set')
    if flags["max"] < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {flags['max']}")
    if flags["max"] < flags["min"]:
        raise CommandError(
            f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {flags['max']}, min: {flags['min']}"
        )
    for target in await named(session, arguments):
        there = await session.get(target.resource.path(session.namespace, target.name))
        reference = {"apiVersion": there["apiVersion"], "kind": there["kind"], "name": target.name}
        spec: Object = {"maxReplicas": flags["max"], "scaleTargetRef": reference}
        if flags["min"] > 0:
            spec["minReplicas"] = flags["min"]
        if flags["cpu-percent"] >= 0:
            spec["targetCPUUtilizationPercentage"] = flags["cpu-percent"]
        name = flags["name"] or str(target.name)
        obj = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}
        metadata = new_metadata(name, named_namespace(session))
        status = {"currentReplicas": 0, "desiredReplicas": 0}
        path = f"/apis/autoscaling/v1/namespaces/{session.namespace}/horizontalpodautoscalers"
        label = f"horizontalpodautoscaler.autoscaling/{name}"
        made = {**obj, "metadata": metadata, "spec": spec, "status": status}
        await create(session, made, path, label, manager="kubectl-autoscale", done="autoscaled")
    return 0
