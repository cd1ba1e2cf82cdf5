"""`kubectl cordon`, `uncordon`, `drain`, `taint`: what is done to nodes.

    cordon      GET, PATCH (strategic) {"spec": {"unschedulable": true}}
    drain       cordon; list the node's pods; POST an Eviction for each; ask each second until it is gone
    taint       GET, PATCH (strategic) of spec.taints

Modelled on kubectl/pkg/cmd/{drain,taint} and pkg/drain. Left out: disruption budgets' details, --pod-selector.
"""

import asyncio

from cluster_engine.api.names import label_value_problems, qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal, TooManyRequests
from cluster_engine.programs.kubectl.arguments import NO_NAME
from cluster_engine.programs.kubectl.errors import CommandError, network_text
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session

DRAIN_FLAGS = (
    Flag("ignore-daemonsets", kind="bool"),
    Flag("delete-emptydir-data", kind="bool"),
    Flag("force", kind="bool"),
    Flag("grace-period", kind="int", default=-1),
    Flag("timeout", kind="duration", default=0.0),
)
TAINT_FLAGS = (Flag("overwrite", kind="bool"), Flag("all", kind="bool"), Flag("selector", "l", default=""))
EVICTION_RETRY_SECONDS = 5.0
HINT = "See 'kubectl taint -h' for help and examples"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


async def cordon(session: Session, arguments: list[str]) -> int:
    """Let no new pod come to nodes."""
    return await _cordon(session, arguments, "cordon", unschedulable=True)


async def uncordon(session: Session, arguments: list[str]) -> int:
    """Let new pods come again."""
    return await _cordon(session, arguments, "uncordon", unschedulable=False)


async def _cordon(session: Session, arguments: list[str], word: str, *, unschedulable: bool) -> int:
    if not arguments:
        raise CommandError(f"USAGE: {word} NODE [flags]\nSee 'kubectl {word} -h' for help and examples")
    nodes = [(name, await session.get(f"/api/v1/nodes/{_node(name)}")) for name in arguments]
    for name, node in nodes:
        if bool(node["spec"].get("unschedulable")) is unschedulable:
            session.out(f"node/{_node(name)} already {word}ed\n")
            continue
        patch = {"spec": {"unschedulable": True if unschedulable else None}}
        await session.patch(f"/api/v1/nodes/{_node(name)}", patch, type_="strategic")
        session.out(f"node/{_node(name)} {word}ed\n")
    return 0


def _node(name: str) -> str:
    bare = name.rpartition("/")[2]
    if not bare:
        raise CommandError(NO_NAME)
    return bare


# -- drain -------------------------------------------------------------------------------------------------------------


async def drain(session: Session, arguments: list[str]) -> int:
    """Evict all pods of nodes, and wait until they have gone."""
    await _cordon(session, arguments, "cordon", unschedulable=True)
    for name in map(_node, arguments):
        query: Params = {"fieldSelector": f"spec.nodeName={name}", "limit": 500}
        pods = (await session.get("/api/v1/pods", query))["items"]
        _check(session, name, pods)
        await session.get("/api/v1")
        limit = session.flags["timeout"] or None
        try:
            async with asyncio.timeout(limit):
                failures = list(filter(None, await asyncio.gather(*(_evict(session, pod) for pod in pods))))
        except TimeoutError as error:
            raise CommandError(f'unable to drain node "{name}": global timeout reached: {limit}s') from error
        if failures:
            raise CommandError(_pending(name, *failures))
        session.out(f"node/{name} drained\n")
    return 0


def _check(session: Session, node: str, pods: list[Object]) -> None:
    alone = [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in pods
        if not any(owner.get("controller") for owner in pod["metadata"].get("ownerReferences") or [])
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
    if alone and not session.flags["force"]:
        raise CommandError(
            _pending(
                node, f"cannot delete Pods that declare no controller (use --force to override): {', '.join(alone)}"
            )
        )
    if alone:
        session.err(f"Warning: deleting Pods that declare no controller: {', '.join(alone)}\n")


def _pending(node: str, *reasons: str) -> str:
    why = ", ".join(reasons)
    text = f'unable to drain node "{node}" due to error: [{why}], continuing command...'
    return f"{text}\nThere are pending nodes to be drained:\n {node}\n{f'[{why}]' if len(reasons) > 1 else why}"


def _why(error: Refusal | OSError) -> str:
    return error.message if isinstance(error, Refusal) else network_text(error)


async def _evict(session: Session, pod: Object) -> str:
    """Evict a pod and wait until it is gone; return what came in the way, "" for nothing."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    session.out(f"evicting pod {namespace}/{name}\n")
    eviction: Object = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    if session.flags["grace-period"] >= 0:
        eviction["deleteOptions"] = {"gracePeriodSeconds": session.flags["grace-period"]}
    while True:
        try:
            await session.request("POST", f"{path}/eviction", body=eviction)
            break
        except NotFound:
            return ""
        except TooManyRequests as refusal:
            text = f'error when evicting pods/"{name}" -n "{namespace}" (will retry after 5s): {refusal.message}\n'
            session.err(text)
            await asyncio.sleep(EVICTION_RETRY_SECONDS)
        except (Refusal, OSError) as error:
            return f'error when evicting pods/"{name}" -n "{namespace}": {_why(error)}'
    try:
        while await _is_there(session, path, pod["metadata"]["uid"]):  # noqa: ASYNC110, as the real one
            await asyncio.sleep(1)
    except (Refusal, OSError) as error:
        return f'error when waiting for pod "{name}" in namespace "{namespace}" to terminate: {_why(error)}'
    session.out(f"pod/{name} evicted\n")
    return ""


async def _is_there(session: Session, path: str, uid: str) -> bool:
    try:
        return bool((await session.get(path))["metadata"]["uid"] == uid)
    except NotFound:
        return False


# -- taint -------------------------------------------------------------------------------------------------------------


async def taint(session: Session, arguments: list[str]) -> int:
    """Add or remove taints."""
    words = [argument for argument in arguments if argument not in ("node", "nodes")]
    names = [word for word in words if not _is_taint(word)]
    texts = [word for word in words if _is_taint(word)]
    if not names and not session.flags["all"]:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not texts:
        raise CommandError("at least one taint update is required")
    if session.flags["all"]:
        listed = await session.get("/api/v1/nodes", {"limit": 500})
        names = [node["metadata"]["name"] for node in listed["items"]]
    for name in map(_node, names):
        node = await session.get(f"/api/v1/nodes/{name}")
        taints, done = _changed(session, node, texts)
        await session.patch(
            f"/api/v1/nodes/{name}",
            {"spec": {"taints": taints}},
            type_="merge",
            manager="kubectl-taint",
            strict=True,
        )
        session.out(f"node/{name} {done}\n")
    return 0


def _is_taint(word: str) -> bool:
    return "=" in word or ":" in word or word.endswith("-")


def _parsed(text: str) -> tuple[str, str, str | None, bool]:
    """Read `key=value:effect`, `key:effect` or `key`, perhaps with a minus behind; (key, value, effect, removes).

    pkg/cmd/taint/utils.go, parseTaint.
    """
    spec = text.removesuffix("-")
    removes = spec != text
    pair, *effects = spec.split(":")
    key, *values = pair.split("=") if effects else [pair]
    if len(effects) == 1 and effects[0] not in EFFECTS:
        raise CommandError(f"invalid taint effect: {effects[0]}, unsupported taint effect\n{HINT}")
    if len(effects) > 1 or len(values) > 1 or (not effects and not removes):
        raise CommandError(f"invalid taint spec: {text}\n{HINT}")
    value = "".join(values)
    if problems := [*label_value_problems(value), *qualified_name_problems(key)]:
        raise CommandError(f"invalid taint spec: {spec}, {'; '.join(problems)}\n{HINT}")
    return key, value, effects[0] if effects else None, removes


def _changed(session: Session, node: Object, texts: list[str]) -> tuple[list[Object], str]:
    taints = list(node["spec"].get("taints") or [])
    added = removed = False
    for text in texts:
        key, value, effect, removes = _parsed(text)
        same = [each for each in taints if each["key"] == key and (effect is None or each["effect"] == effect)]
        if removes:
            if not same:
                raise CommandError(f'taint "{key}{":" + effect if effect else ""}" not found')
            removed = True
        elif same and not session.flags["overwrite"]:
            has = f"node {node['metadata']['name']} already has {key} taint(s) with same effect(s)"
            raise CommandError(f"{has} and --overwrite is false")
        taints = [each for each in taints if each not in same]
        if not removes:
            taints.append({"key": key, "effect": effect} | ({"value": value} if value else {}))
            added = True
    done = "modified" if added and removed else "untainted" if removed else "tainted"
    return taints, done
