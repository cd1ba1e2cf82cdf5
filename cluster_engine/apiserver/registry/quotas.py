"""ResourceQuota: what a new object uses is added to its namespace's quotas before it is written, or it is refused.

Theory of operation. Each quota of the namespace whose scopes are about the object, and which limits something that it
uses, must have room for it. Only then their status is written, each on condition that nobody was faster. An object that
is then not written after all (its name is taken) is counted too much, until the controller counts anew.

    quota sum: pods 3/3   POST pods   403 pods "d" is forbidden: exceeded quota: sum, requested: pods=1, used: pods=3, …

Modelled on apiserver/pkg/admission/plugin/resourcequota. Left out: updates (a Service's type) are not counted, nor what
no quota may do without (LimitedResources).
"""

from collections.abc import Awaitable, Callable, Mapping

from cluster_engine.api import usage
from cluster_engine.api.kinds import EVENT, POD, RESOURCE_QUOTA
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.storage import prefix_of

Write = Callable[[Call, Callable[[Object], Object]], Awaitable[Object]]
"""Write the status of an object, as Store.update_status does."""


async def charge(backend: Backend, call: Call, obj: Object, write: Write) -> None:
    """Count a new object. Forbidden when a quota has no room for it."""
    if not call.namespace or call.kind in (EVENT, RESOURCE_QUOTA):
        return
    found = [each.object for each in backend.caches[RESOURCE_QUOTA].select(prefix_of(RESOURCE_QUOTA, call.namespace))]
    if not found:
        return
    used = usage.usage_of(call.kind, obj)
    charged = [quota["metadata"]["name"] for quota in found if _checked(call, quota, used, obj)]
    for name in charged if not call.dry_run else ():
        asked = Call(
            RESOURCE_QUOTA, "update", call.user, call.now, call.namespace, name, "status", manager="kube-apiserver"
        )

        def spend(old: Object) -> Object:
            status = old.get("status") or {}
            _check_room(call, old, used)
            more = {**status, "used": usage.added(status.get("used") or {}, used)}
            return {**old, "metadata": dict(old["metadata"]), "status": more}

        await write(asked, spend)


def _checked(call: Call, quota: Object, used: Mapping[str, str], obj: Object) -> bool:
    """Return whether a quota is to be charged, after it was found to have room."""
    if not usage.counts(quota, call.kind, obj):
        return False
    status, name = quota.get("status") or {}, quota["metadata"]["name"]
    hard = status.get("hard") or {}
    if call.kind is POD and (missing := usage.undemanded(obj["spec"], hard)):
        said = "; ".join(f"{resource} for: {','.join(names)}" for resource, names in missing.items())
        raise Forbidden.because(call.kind, call.name, f"failed quota: {name}: must specify {said}")
    limited = [resource for resource in hard if resource in used]
    if unknown := sorted(each for each in limited if each not in (status.get("used") or {})):
        why = f"status unknown for quota: {name}, resources: {','.join(unknown)}"
        raise Forbidden.because(call.kind, call.name, why)
    if all(usage.is_none(used[each]) for each in limited):
        return False
    _check_room(call, quota, used)
    return True


def _check_room(call: Call, quota: Object, used: Mapping[str, str]) -> None:
    status = quota.get("status") or {}
    hard, before = status.get("hard") or {}, status.get("used") or {}
    wanted = {name: amount for name, amount in used.items() if name in hard and not usage.is_none(amount)}
    after = usage.added({name: before[name] for name in wanted if name in before}, wanted)
    if exceeded := usage.beyond(after, hard):
        said = [
            f"{word}: {','.join(f'{name}={amounts[name]}' for name in exceeded)}"
            for word, amounts in (("requested", wanted), ("used", before), ("limited", hard))
        ]
        why = f"exceeded quota: {quota['metadata']['name']}, {', '.join(said)}"
        raise Forbidden.because(call.kind, call.name, why)
