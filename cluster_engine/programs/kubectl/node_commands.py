"""`kubectl cordon`, `uncordon`, `drain`, `taint`: what is done to nodes.

    cordon      GET, PATCH (strategic) {"spec": {"unschedulable": true}}
    drain       cordon; list the node's pods; POST an Eviction for each; ask each second until it is gone
    taint       GET, PATCH (strategic) of spec.taints

Modelled on kubectl/pkg/cmd/{drain,taint} and pkg/drain. Left out: disruption budgets' details, --disable-eviction.
"""

import asyncio

from cluster_engine.api.names import label_value_problems, qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import segment
from cluster_engine.api.selectors import parse_label
from cluster_engine.api.status import BadRequest, NotFound, Refusal, TooManyRequests
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import NO_NAME
from cluster_engine.programs.kubectl.errors import CommandError, network_text
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session

CORDON_FLAGS = (output.DRY_RUN, Flag("selector", "l", default=""))
DRAIN_FLAGS = (
    *CORDON_FLAGS,
    Flag("pod-selector", default=""),
    Flag("chunk-size", kind="int", default=500),
    Flag("skip-wait-for-delete-timeout", kind="int", default=0),
    Flag("ignore-daemonsets", kind="bool"),
    Flag("delete-emptydir-data", kind="bool"),
    Flag("force", kind="bool"),
    Flag("grace-period", kind="int", default=-1),
    Flag("timeout", kind="duration", default=0.0),
)
TAINT_FLAGS = (
    Flag("overwrite", kind="bool"),
    Flag("all", kind="bool"),
    Flag("selector", "l", default=""),
    Flag("validate", default="strict", without_value="strict"),
    Flag("field-manager", default=""),
    *output.FLAGS,
    output.DRY_RUN,
)
EVICTION_RETRY_SECONDS = 5.0
HINT = "See 'kubectl taint -h' for help and examples"
NODES = ("node", "nodes", "no")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


async def cordon(session: Session, arguments: list[str]) -> int:
    """Let no new pod come to nodes."""
    return await _cordon(session, arguments, "cordon", unschedulable=True)


async def uncordon(session: Session, arguments: list[str]) -> int:
    """Let new pods come again."""
    return await _cordon(session, arguments, "uncordon", unschedulable=False)


async def _cordon(session: Session, arguments: list[str], word: str, *, unschedulable: bool) -> int:
    dry, said = session.flags["dry-run"], output.said_of_dry_run(session)
    names = await _names(session, arguments, word)
    nodes = [(name, await session.get(f"/api/v1/nodes/{segment(name)}")) for name in names]
    for name, node in nodes:
        if bool(node["spec"].get("unschedulable")) is unschedulable:
            session.out(f"node/{name} already {word}ed{said}\n")
            continue
        patch = {"spec": {"unschedulable": True if unschedulable else None}}
        if dry != "client":
            await session.patch(f"/api/v1/nodes/{segment(name)}", patch, type_="strategic", dry_run=dry == "server")
        session.out(f"node/{name} {word}ed{said}\n")
    return 0


async def _names(session: Session, arguments: list[str], word: str) -> list[str]:
    """Return the nodes that are named or selected. CommandError."""
    selector, hint = session.flags["selector"], f"See 'kubectl {word} -h' for help and examples"
    if arguments and selector:
        raise CommandError(f"cannot specify both a node name and a --selector option\n{hint}")
    if not arguments and not selector:
        raise CommandError(f"USAGE: {word} NODE [flags]\n{hint}")
    if arguments:
        return [_node(name) for name in arguments]
    listed = await session.get("/api/v1/nodes", {"labelSelector": selector, "limit": 500})
    return [item["metadata"]["name"] for item in listed["items"]]


def _node(name: str) -> str:
    bare = name.rpartition("/")[2]
    if not bare:
        raise CommandError(NO_NAME)
    return bare


# -- drain -------------------------------------------------------------------------------------------------------------


async def drain(session: Session, arguments: list[str]) -> int:
    """Evict all pods of nodes, and wait until they have gone."""
    names = await _names(session, arguments, "drain")
    selector = session.flags["pod-selector"]
    try:
        parse_label(selector)
    except BadRequest as problem:
        raise CommandError("--pod-selector=<pod_selector> must be a valid label selector") from problem
    if not names:
        return 0
    await _cordon(session, arguments, "cordon", unschedulable=True)
    dry = session.flags["dry-run"] != "none"
    for name in names:
        query: Params = {"fieldSelector": f"spec.nodeName={name}", "labelSelector": selector or None, "limit": 500}
        pods = (await session.get("/api/v1/pods", query))["items"]
        _check(session, name, pods)
        if dry:
            _tell_dry(session, name, pods)
            continue
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


def _tell_dry(session: Session, node: str, pods: list[Object]) -> None:
    """Say which pods would go."""
    said = output.said_of_dry_run(session)
    for pod in pods:
        session.out(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}{said}\n")
    session.out(f"node/{node} drained{said}\n")


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
    flags = session.flags
    words = [argument for argument in arguments if not _is_taint(argument)]
    texts = [argument for argument in arguments if _is_taint(argument)]
    if not words:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    kind, slash, _ = words[0].partition("/")
    if kind not in NODES:
        raise CommandError(f"invalid resource type {kind}, only node types are supported")
    if not texts:
        raise CommandError("at least one taint update is required")
    _check_taints(texts)
    names = [_node(word) for word in (words if slash else words[1:])]
    if not names and not flags["all"] and not flags["selector"]:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if flags["all"] or flags["selector"]:
        listed = await session.get("/api/v1/nodes", {"labelSelector": flags["selector"] or None, "limit": 500})
        names = [node["metadata"]["name"] for node in listed["items"]]
    for name in names:
        node = await session.get(f"/api/v1/nodes/{segment(name)}")
        taints, done = _changed(session, node, texts)
        after = {**node, "spec": {**node["spec"], "taints": taints}}
        if not output.is_client_dry_run(session):
            after = await session.patch(
                f"/api/v1/nodes/{segment(name)}",
                {"spec": {"taints": taints}},
                type_="merge",
                manager=flags["field-manager"] or "kubectl-taint",
                strict=True,
                dry_run=flags["dry-run"] == "server",
            )
        output.tell(session, f"node/{name}", after, done, dry="")
    return 0


def _check_taints(texts: list[str]) -> None:
    """Refuse what contradicts itself. CommandError."""
    set_here: dict[tuple[str, str | None], None] = {}
    removed: list[tuple[str, str | None]] = []
    for text in texts:
        key, value, effect, removes = _parsed(text)
        if removes:
            removed.append((key, effect))
        elif (key, effect) in set_here:
            shown = f"{{{key} {value} {effect} <nil>}}"
            raise CommandError(f"duplicated taints with the same key and effect: {shown}\n{HINT}")
        else:
            set_here[key, effect] = None
    if both := [f"{key}={effect or ''}" for key, effect in removed if (key, effect) in set_here]:
        what = ", ".join(both)
        raise CommandError(f"can not both modify and remove the following taint(s) in the same command: {what}")


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
