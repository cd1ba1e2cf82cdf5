"""`kubectl set image`, `env`, `resources`, `serviceaccount`: GET, then a strategic patch of what is to differ in a pod.

    kubectl set image deployment/web nginx=nginx:1.27
    PATCH {"spec": {"template": {"spec": {"$setElementOrder/containers": […], "containers": [{"name", "image"}]}}}}

A copy of the object is changed, and the difference is sent; where there is none, nothing is sent and nothing is said.

Modelled on kubectl/pkg/cmd/set. Left out: -f, --all, -l, --local, --from, --resolve, wildcards in names of
containers but for `*`.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical
from cluster_engine.api.three_way import three_way
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

_CONTAINERS = Flag("containers", "c", default="*")
FLAGS = (output.DRY_RUN,)
ENV_FLAGS = (*FLAGS, _CONTAINERS, Flag("overwrite", kind="bool", default=True), Flag("list", kind="bool"))
RESOURCES_FLAGS = (*FLAGS, _CONTAINERS, Flag("requests", default=""), Flag("limits", default=""))
UNNAMED = "one or more resources must be specified as <resource> <name> or <resource>/<name>"

Change = Callable[[Object], None]
"""Changes a pod's spec."""


async def image(session: Session, arguments: list[str]) -> int:
    """Set images."""
    words = [argument for argument in arguments if "=" not in argument]
    images = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    wanted = await targets(session, words)
    if not images:
        raise CommandError("at least one image update is required")

    def change(spec: Object) -> None:
        found = set()
        for container in _containers(spec, "*"):
            name = container["name"] if container["name"] in images else "*"
            if name in images:
                found.add(name)
                container["image"] = images[name]
        for name in images:
            if name not in found:
                raise CommandError(f'unable to find container named "{name}"')

    return await _set(session, wanted, change, "image")


async def env(session: Session, arguments: list[str]) -> int:
    """Set or remove variables of the environment, or list them."""
    words, values, removed = _variables(arguments)
    flags = session.flags
    if not words:
        raise CommandError(UNNAMED)
    wanted = await targets(session, words)
    if flags["list"]:
        return await _list(session, wanted)
    if not values and not removed:
        raise CommandError("at least one environment variable must be provided")

    def change(spec: Object) -> None:
        for container in _containers(spec, flags["containers"]):
            variables = {one["name"]: one for one in container.get("env") or () if one["name"] not in removed}
            for name, value in values.items():
                before = variables.get(name, {}).get("value", "")
                if name in variables and before != value and not flags["overwrite"]:
                    raise CommandError(f"'{name}' already has a value ({before}), and --overwrite is false")
                variables[name] = {"name": name, "value": value}
            container["env"] = list(variables.values())
            if not variables:
                del container["env"]

    return await _set(session, wanted, change, "env")


async def resources(session: Session, arguments: list[str]) -> int:
    """Set requests and limits."""
    flags = session.flags
    wanted = await targets(session, arguments)
    if not flags["requests"] and not flags["limits"]:
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    given = {kind: _quantities(flags[kind]) for kind in ("limits", "requests") if flags[kind]}

    def change(spec: Object) -> None:
        chosen = list(_containers(spec, flags["containers"]))
        if not chosen:
            raise CommandError(f"unable to find container named {flags['containers']}")
        for container in chosen:
            before = container.get("resources") or {}
            container["resources"] = before | {kind: (before.get(kind) or {}) | new for kind, new in given.items()}

    return await _set(session, wanted, change, "resource requirements")


async def service_account(session: Session, arguments: list[str]) -> int:
    """Set the service account of a pod template."""
    *words, name = arguments or [""]
    if not words:
        raise CommandError("serviceaccount is required")

    def change(spec: Object) -> None:
        spec["serviceAccountName"] = name

    return await _set(session, await targets(session, words), change, "serviceaccount")


# -- what they share ---------------------------------------------------------------------------------------------------


async def _set(session: Session, wanted: list[Target], change: Change, what: str) -> int:
    for target in wanted:
        path, before = await _found(session, target)
        after = deepcopy(before)
        change(_spec(target, after))
        kind = BUILT_IN.by_kind(before["apiVersion"], before["kind"])
        assert kind is not None
        patch = three_way(kind, before, after, before)
        if patch:
            await send(session, target, path, patch, what)
    return 0


async def send(session: Session, target: Target, path: str, patch: Object, what: str) -> None:
    """Send a patch, or none where --dry-run says so, and tell of it."""
    dry = session.flags["dry-run"]
    if dry != "client":
        await session.patch(path, patch, type_="strategic", manager="kubectl-set", dry_run=dry == "server")
    said = {"none": "", "server": " (server dry run)"}.get(dry, " (dry run)")
    session.out(f"{target.resource.label(str(target.name))} {what} updated{said}\n")


async def _found(session: Session, target: Target) -> tuple[str, Object]:
    if target.name is None:
        raise CommandError(UNNAMED)
    path = target.resource.path(session.namespace if target.resource.namespaced else None, target.name)
    return path, await session.get(path)


def _spec(target: Target, obj: Object) -> Object:
    """Find the pod's spec in an object, its own or its template's. CommandError."""
    spec = obj.get("spec") or {}
    found: Object | None = spec if obj["kind"] == "Pod" else (spec.get("template") or {}).get("spec")
    if found is None:
        name = f"{target.resource.plural}/{target.name}"
        raise CommandError(f"{name} the object is not a pod or does not have a pod template: *v1.{obj['kind']}")
    return found


def _containers(spec: Object, selector: str) -> Iterator[Object]:
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            if selector in ("*", container["name"]):
                yield container


async def _list(session: Session, wanted: list[Target]) -> int:
    for target in wanted:
        _, obj = await _found(session, target)
        for container in _containers(_spec(target, obj), session.flags["containers"]):
            session.out(f"# {obj['kind']} {target.name}, container {container['name']}\n")
            for one in container.get("env") or ():
                session.out(f"{one['name']}={one.get('value', '')}\n" if "valueFrom" not in one else _referred(one))
    return 0


def _referred(variable: Object) -> str:
    """Say where a variable's value comes from (kubectl/pkg/cmd/set/env, GetEnvVarRefString)."""
    source = variable["valueFrom"]
    match next(iter(source.items()), ("", {})):
        case "configMapKeyRef", ref:
            where = f"configmap {ref['name']}, key {ref['key']}"
        case "secretKeyRef", ref:
            where = f"secret {ref['name']}, key {ref['key']}"
        case "fieldRef", ref:
            where = f"field path {ref['fieldPath']}"
        case "resourceFieldRef", ref:
            prefix = f"{ref['containerName']}/" if ref.get("containerName") else ""
            where = f"resource field {prefix}{ref['resource']}"
        case _:
            where = "invalid valueFrom"
    return f"# {variable['name']} from {where}\n"


def _variables(arguments: list[str]) -> tuple[list[str], dict[str, str], set[str]]:
    """Split what is typed: resources come first, then NAME=value and NAME-."""
    words: list[str] = []
    values: dict[str, str] = {}
    removed: set[str] = set()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name:
            values[name] = value
        elif argument.endswith("-"):
            removed.add(argument[:-1])
        elif values or removed:
            said = " ".join(arguments)
            raise CommandError(f"all resources must be specified before environment changes: {said}")
        else:
            words.append(argument)
    if removed & set(values):
        raise CommandError("can not both modify and remove the same environment variable in the same command")
    return words, values, removed


def _quantities(text: str) -> dict[str, str]:
    found = {}
    for statement in text.split(","):
        parts = statement.split("=")
        if len(parts) != 2:
            raise CommandError(f"Invalid argument syntax {statement}, expected <resource>=<value>")
        try:
            found[parts[0]] = canonical(parts[1])
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
    return found
