"""`kubectl set image`, `env`, `resources`, `serviceaccount`: GET, then a strategic patch of what is to differ in a pod.

    kubectl set image deployment/web nginx=nginx:1.27
    PATCH {"spec": {"template": {"spec": {"$setElementOrder/containers": […], "containers": [{"name", "image"}]}}}}

A copy of the object is changed, and the difference is sent; where there is none, nothing is sent and nothing is said.

Modelled on kubectl/pkg/cmd/set. Left out: --resolve, wildcards in names of containers but for `*`.
"""

import contextlib
from collections.abc import Callable, Iterator
from copy import deepcopy

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical
from cluster_engine.api.three_way import three_way
from cluster_engine.programs.kubectl import output, set_env_from
from cluster_engine.programs.kubectl.arguments import CHANGE_FLAGS, UNNAMED, UNSAID, Subject, subjects
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

_CONTAINERS = Flag("containers", "c", default="*")
FLAGS = (*CHANGE_FLAGS, *output.FLAGS, output.DRY_RUN, Flag("field-manager", default=""))
ENV_FLAGS = (
    *FLAGS,
    _CONTAINERS,
    Flag("overwrite", kind="bool", default=True),
    Flag("list", kind="bool"),
    Flag("env", "e", "strings"),
    Flag("from", default=""),
    Flag("keys", kind="strings"),
    Flag("prefix", default=""),
    Flag("resolve", kind="bool"),
)
RESOURCES_FLAGS = (*FLAGS, _CONTAINERS, Flag("requests", default=""), Flag("limits", default=""))

Change = Callable[[Object], None]
"""Changes a pod's spec."""


async def image(session: Session, arguments: list[str]) -> int:
    """Set images."""
    words = [argument for argument in arguments if "=" not in argument]
    images = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    wanted = await subjects(session, words)
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
    flags = session.flags
    words, values, removed = _variables([*arguments, *flags["env"]])
    if not words and not flags["filename"]:
        raise CommandError(UNNAMED)
    borrowed = await set_env_from.variables(session) if flags["from"] else []
    wanted = await subjects(session, words)
    if flags["list"]:
        return _list(session, wanted)

    def change(spec: Object) -> None:
        for container in _containers(spec, flags["containers"]):
            variables = {one["name"]: one for one in container.get("env") or () if one["name"] not in removed}
            for name, value in values.items():
                before = variables.get(name, {}).get("value", "")
                if name in variables and before != value and not flags["overwrite"]:
                    raise CommandError(f"'{name}' already has a value ({before}), and --overwrite is false")
                variables[name] = {"name": name, "value": value}
            variables |= {one["name"]: one for one in borrowed}
            container["env"] = list(variables.values())
            if not variables:
                del container["env"]

    for subject in wanted:
        with contextlib.suppress(CommandError):
            if not list(_containers(_spec(subject, subject.obj), flags["containers"])):
                name = f"{subject.obj['kind']}/{subject.obj['metadata']['name']}"
                session.err(f'Warning: {name} does not have any containers matching "{flags["containers"]}"\n')
    return await _set(session, wanted, change, "env")


async def resources(session: Session, arguments: list[str]) -> int:
    """Set requests and limits."""
    flags = session.flags
    wanted = await subjects(session, arguments)
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
    if not name:
        raise CommandError("serviceaccount is required")

    def change(spec: Object) -> None:
        spec["serviceAccountName"] = name

    return await _set(session, await subjects(session, words, UNSAID), change, "serviceaccount")


# -- what they share ---------------------------------------------------------------------------------------------------


async def _set(session: Session, wanted: list[Subject], change: Change, what: str) -> int:
    """Change each object; what cannot be changed is told at the end, and the others are."""
    failures: list[str] = []
    for subject in wanted:
        after = deepcopy(subject.obj)
        try:
            change(_spec(subject, after))
        except CommandError as error:
            failures.append(str(error))
            continue
        await send(session, subject, after, what)
    if failures:
        raise CommandError("\nerror: ".join(failures))
    return 0


async def send(session: Session, subject: Subject, after: Object, what: str) -> None:
    """Send how an object is to differ, if it is to, and tell of it; nothing is sent of a file's, or in a dry run."""
    before = subject.obj
    kind = BUILT_IN.by_kind(before["apiVersion"], before["kind"])
    assert kind is not None
    patch = three_way(kind, before, after, before)
    if not patch:
        return
    flags = session.flags
    if subject.target is not None and not output.is_client_dry_run(session):
        path, manager = subject.target.path(session), flags["field-manager"] or "kubectl-set"
        server = flags["dry-run"] == "server"
        after = await session.patch(path, patch, type_="strategic", manager=manager, dry_run=server)
    output.tell(session, subject.label, after, f"{what} updated")


def _spec(subject: Subject, obj: Object) -> Object:
    """Find the pod's spec in an object, its own or its template's. CommandError."""
    spec = obj.get("spec") or {}
    found: Object | None = spec if obj["kind"] == "Pod" else (spec.get("template") or {}).get("spec")
    if found is None:
        resource = subject.target.resource.plural if subject.target else subject.label.partition("/")[0]
        name = f"{resource}/{obj['metadata'].get('name', '')}"
        raise CommandError(f"{name} the object is not a pod or does not have a pod template: *v1.{obj['kind']}")
    return found


def _containers(spec: Object, selector: str) -> Iterator[Object]:
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            if selector in ("*", container["name"]):
                yield container


def _list(session: Session, wanted: list[Subject]) -> int:
    for subject in wanted:
        obj = subject.obj
        for container in _containers(_spec(subject, obj), session.flags["containers"]):
            session.out(f"# {obj['kind']} {obj['metadata']['name']}, container {container['name']}\n")
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
