"""Pods' subresource `eviction`: a deletion that disruption budgets may refuse.

Theory of operation. A pod that does not run (pending, ended, on its way out) goes at once. Of one that runs, the budget
that selects it is asked: `status.disruptionsAllowed` is taken one down and the pod noted in `disruptedPods`, by one
write of the budget's status; at 0 the answer is 429, and the caller comes again. The controller counts anew once the
pod is gone. Then the pod gets the condition DisruptionTarget, and is deleted.

    POST …/pods/web-0/eviction   budget web: disruptionsAllowed 1 → 0, disruptedPods {web-0: 10:02:03}   201
    POST …/pods/web-1/eviction   429 Cannot evict pod as it would violate the pod's disruption budget.

Modelled on pkg/registry/core/pod/storage/eviction.go.
"""

import asyncio

from msgspec.structs import replace

from cluster_engine.api.kinds import POD, POD_DISRUPTION_BUDGET
from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.api.status import BadRequest, Cause, Conflict, Forbidden, Refusal, TooManyRequests, success
from cluster_engine.api.time import rfc3339
from cluster_engine.apiserver.registry import deletion
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.store import Store
from cluster_engine.apiserver.storage import prefix_of

DISRUPTED_PODS_MAX = 2000
TRIES_MAX, RETRY_SECONDS = 20, 0.5
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


async def evict(store: Store, call: Call, eviction: Object) -> Object:
    """Delete a pod, if its budget allows it. TooManyRequests when it does not."""
    named = (eviction.get("metadata") or {}).get("name")
    if named and named != call.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    options = deletion.options_from(eviction.get("deleteOptions") or {}, call.parameters)
    for tries_left in reversed(range(TRIES_MAX)):
        pod = (await store.get(call)).object
        phase = (pod.get("status") or {}).get("phase")
        is_going = "deletionTimestamp" in pod["metadata"]
        if not is_going and phase not in ("Succeeded", "Failed", "Pending"):
            break
        this_one = is_going or phase != "Pending" or bool(options.version)
        try:
            await _delete(store, call, options if this_one else _of_just(pod, options))
        except Conflict:
            if options.version or not tries_left:
                raise
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return success(code=201)
    budgets = _budgets_of(store, pod)
    if len(budgets) > 1:
        raise Refusal(SEVERAL)
    if budgets and _counts(pod, budgets[0]):
        await _spend(store, call, budgets[0]["metadata"]["name"], dry_run=options.dry_run)
    elif budgets:
        return await _evict_unready(store, call, pod, budgets[0], options)
    await _delete(store, call, options)
    return success(code=201)


async def _evict_unready(store: Store, call: Call, pod: Object, budget: Object, options: deletion.Options) -> Object:
    """Delete a pod that no budget counts, if it is still so."""
    try:
        await _delete(store, call, options if options.version else _of_just(pod, options))
    except Conflict:
        if options.version:
            raise
        raise _not_yet(budget["metadata"]["name"]) from None
    return success(code=201)


def _of_just(pod: Object, options: deletion.Options) -> deletion.Options:
    return replace(options, version=pod["metadata"]["resourceVersion"])


def _budgets_of(store: Store, pod: Object) -> list[Object]:
    prefix = prefix_of(POD_DISRUPTION_BUDGET, pod["metadata"]["namespace"])
    found = []
    for each in store.cache(POD_DISRUPTION_BUDGET).select(prefix):
        selector = label_selector_from_object((each.object.get("spec") or {}).get("selector"))
        if selector.matches(pod["metadata"].get("labels")):
            found.append(each.object)
    return found


def _counts(pod: Object, budget: Object) -> bool:
    """Return whether the pod's going is a disruption: one that is not ready may go while others are enough."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        return True
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return False
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return not (status.get("currentHealthy", 0) >= desired > 0)


async def _spend(store: Store, call: Call, name: str, *, dry_run: bool) -> None:
    """Take one from what the budget allows."""
    moment = rfc3339(call.now)
    asked = Call(
        POD_DISRUPTION_BUDGET, "update", call.user, call.now, call.namespace, name, "status", manager="kube-apiserver"
    )
    asked.dry_run = dry_run

    def spend(old: Object) -> Object:
        status = old.get("status") or {}
        _check(name, old, status)
        left = status["disruptionsAllowed"] - 1
        spent = {
            "disruptionsAllowed": left,
            "disruptedPods": {**(status.get("disruptedPods") or {}), call.name: moment},
        }
        if not left:
            spent["conditions"] = [_exhausted(each, moment) for each in status.get("conditions") or ()]
        return {**old, "metadata": dict(old["metadata"]), "status": {**status, **spent}}

    await store.update_status(asked, spend)


def _exhausted(condition: Object, moment: str) -> Object:
    if condition["type"] != "DisruptionAllowed" or condition["status"] == "False":
        return condition
    return {**condition, "status": "False", "reason": "InsufficientPods", "lastTransitionTime": moment}


def _check(name: str, budget: Object, status: Object) -> None:
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _not_yet(name)
    allowed = status.get("disruptionsAllowed", 0)
    why = ""
    if allowed < 0:
        why = "pdb disruptions allowed is negative"
    elif len(status.get("disruptedPods") or ()) > DISRUPTED_PODS_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
    if why:
        raise Forbidden(f'poddisruptionbudget.policy "{name}" is forbidden: {why}', POD_DISRUPTION_BUDGET, name)
    if not allowed:
        needed, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        why = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        raise TooManyRequests(REFUSED, causes=[Cause("", "DisruptionBudget", why)])


def _not_yet(name: str) -> TooManyRequests:
    why = f"The disruption budget {name} is still being processed by the server."
    return TooManyRequests(REFUSED, 10, causes=[Cause("", "DisruptionBudget", why)])


async def _delete(store: Store, call: Call, options: deletion.Options) -> None:
    """Say on the pod why it goes, and delete it."""
    if not options.dry_run:

        def mark(pod: Object) -> Object:
            deletion.check_preconditions(POD, call.key, pod, options)
            status = pod.get("status") or {}
            return {**pod, "status": {**status, "conditions": _marked(status.get("conditions") or [], call)}}

        marked = await store.guaranteed_update(call, mark)
        if options.version:
            options = replace(options, version=marked["metadata"]["resourceVersion"])
    await store.delete(call, options)


def _marked(conditions: list[Object], call: Call) -> list[Object]:
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(call.now),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    known = [each for each in conditions if each["type"] == condition["type"] and each["status"] == "True"]
    others = [each for each in conditions if each["type"] != condition["type"]]
    return [*others, {**condition, "lastTransitionTime": known[0]["lastTransitionTime"]} if known else condition]
