"""Which pod and which container a command is about: logs, exec, attach, cp and port-forward all ask.

    web-0            that pod                  deploy/web        the first pod of its selector
    -c side          that container            (nothing)         the annotated one, else the first

Modelled on kubectl/pkg/polymorphichelpers (AttachablePodForObject) and kubectl/pkg/cmd/util/podcmd.
"""

from collections.abc import Callable
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.api.resource import segment
from cluster_engine.programs.kubectl.arguments import NO_NAME, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
COMPLETED = ("Succeeded", "Failed")


async def selected(session: Session, argument: str, *, doing: str) -> tuple[Object, int]:
    """Return the pod that an argument names, or the first of what it selects, and of how many. CommandError, Refusal.

    `doing` is what cannot be done to an object without pods: "get the logs from".
    """
    path = f"/api/v1/namespaces/{session.namespace}/pods"
    if not argument:
        raise CommandError(NO_NAME)
    if "/" not in argument:
        return await session.get(f"{path}/{segment(argument)}"), 1
    target = (await targets(session, [argument]))[0]
    obj = await session.get(target.resource.path(session.namespace, target.name))
    if target.resource.kind == "Pod":
        return obj, 1
    text = label_selector(obj, target.resource.kind, doing)
    found = (await session.get(path, {"labelSelector": text, "limit": 500}))["items"]
    if not found:
        raise CommandError("timed out waiting for the condition")
    active = [pod for pod in found if pod.get("status", {}).get("phase") == "Running"]
    return dict((active or found)[0]), len(found)


async def all_selected(session: Session, argument: str, *, doing: str) -> list[Object]:
    """Return all pods of what an argument names. CommandError, Refusal."""
    target = (await targets(session, [argument]))[0]
    obj = await session.get(target.resource.path(session.namespace, target.name))
    if target.resource.kind == "Pod":
        return [obj]
    text = label_selector(obj, target.resource.kind, doing)
    path = f"/api/v1/namespaces/{session.namespace}/pods"
    return list((await session.get(path, {"labelSelector": text, "limit": 500}))["items"])


async def until(session: Session, pod: Object, is_so: Callable[[Object], bool]) -> Object:
    """Watch a pod until it is so; give it as it is then. CommandError when it goes before."""
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods"
    async with session.watch(path, {"fieldSelector": f"metadata.name={metadata['name']}"}) as events:
        async for type_, found in events:
            if type_ == "DELETED":
                break
            if is_so(found):
                return found
    raise CommandError(f'pods "{metadata["name"]}" not found')


def label_selector(obj: Object, kind: str, doing: str) -> str:
    """Return what selects an object's pods. CommandError where nothing does."""
    selector = (obj.get("spec") or {}).get("selector") or {}
    labels = selector if kind == "Service" else selector.get("matchLabels") or {}
    if not labels:
        raise CommandError(f"cannot {doing} {obj.get('apiVersion', 'v1')}, Kind={kind}: selector is not set")
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def all_containers(pod: Object) -> dict[str, Object]:
    """Return a pod's containers by name: init containers, then the others, then ephemeral ones."""
    spec = pod["spec"]
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return {each["name"]: each for kind in kinds for each in spec.get(kind) or ()}


def container(session: Session, pod: Object, wanted: str, *, quiet: bool = False) -> str:
    """Return the container that is meant; say on standard error which, where it was not said. CommandError."""
    spec: Any = pod["spec"]
    names = [each["name"] for each in spec.get("containers") or ()]
    if wanted:
        if wanted not in all_containers(pod):
            raise CommandError(f"container {wanted} not found in pod {pod['metadata']['name']}")
        return wanted
    chosen = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if chosen in names:
        return str(chosen)
    if chosen and not quiet:
        session.err(f'Default container name "{chosen}" not found in pod {pod["metadata"]["name"]}\n')
    texts = [*names, *(f"{each['name']} (ephem)" for each in spec.get("ephemeralContainers") or ())]
    texts += [f"{each['name']} (init)" for each in spec.get("initContainers") or ()]
    if len(texts) > 1 and not quiet:
        session.err(f'Defaulted container "{names[0]}" out of: {", ".join(texts)}\n')
    return str(names[0])
