"""`kubectl set image`: GET, then a strategic patch that names the containers to be changed.

    kubectl set image deployment/web nginx=nginx:1.27
    PATCH {"spec": {"template": {"spec": {"$setElementOrder/containers": […], "containers": [{"name", "image"}]}}}}

Modelled on kubectl/pkg/cmd/set/set_image.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (Flag("all", kind="bool"), Flag("selector", "l", default=""))


async def run(session: Session, arguments: list[str]) -> int:
    """Set images."""
    words = [argument for argument in arguments if "=" not in argument]
    images = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    wanted = await targets(session, words)
    if not images:
        raise CommandError("at least one image update is required")
    for target in wanted:
        if target.name is None:
            raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        await _set(session, target, images)
    return 0


async def _set(session: Session, target: Target, images: dict[str, str]) -> None:
    path = target.resource.path(session.namespace, target.name)
    obj = await session.get(path)
    is_pod = target.resource.kind == "Pod"
    spec = obj["spec"] if is_pod else (obj["spec"].get("template") or {}).get("spec") or {}
    patch: Object = {}
    found: dict[str, None] = {}
    for field in ("initContainers", "containers"):
        present = spec.get(field) or []
        changes = []
        for container in present:
            name = container["name"]
            image = images.get(name, images.get("*"))
            if image is not None:
                found[name if name in images else "*"] = None
                if container.get("image") != image:
                    changes.append({"image": image, "name": name})
        if changes:
            patch[f"$setElementOrder/{field}"] = [{"name": container["name"]} for container in present]
            patch[field] = changes
    for name in images:
        if name not in found:
            raise CommandError(f'unable to find container named "{name}"')
    if not patch:
        return
    body = {"spec": patch} if is_pod else {"spec": {"template": {"spec": patch}}}
    await session.patch(path, body, type_="strategic", manager="kubectl-set")
    session.out(f"{target.resource.label(str(target.name))} image updated\n")
