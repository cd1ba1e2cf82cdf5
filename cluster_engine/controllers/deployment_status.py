"""A Deployment's status, from the status of its ReplicaSets. Pure functions.

Theory of operation. Numbers are sums over ReplicaSets; three conditions tell the story: *Available* (at least
`replicas - maxUnavailable` pods are available), *Progressing* (a ReplicaSet was found, made, changed, or is done; False
once nothing has moved for progressDeadlineSeconds), *ReplicaFailure* (pods could not be made). A condition's
lastTransitionTime changes with its status only, its lastUpdateTime with its reason too.

Modelled on `pkg/controller/deployment/{sync,progress}.go`.
"""

from datetime import datetime, timedelta

import msgspec

from cluster_engine.api import time
from cluster_engine.api.objects import Object
from cluster_engine.controllers.pods import condition
from cluster_engine.controllers.rolling import count, max_unavailable, total, wanted

NO_DEADLINE_SECONDS = 2**31 - 1
NEW_AVAILABLE, UPDATED, TIMED_OUT = "NewReplicaSetAvailable", "ReplicaSetUpdated", "ProgressDeadlineExceeded"
FOUND, CREATED, FAILED_CREATE = "FoundNewReplicaSet", "NewReplicaSetCreated", "ReplicaSetCreateError"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


class Conditions(msgspec.Struct):
    """The conditions of one status, in order; a change touches the times as the API conventions say."""

    conditions: list[Object]
    now: str

    def get(self, type_: str) -> Object | None:
        """Return a condition by its type."""
        return next((each for each in self.conditions if each["type"] == type_), None)

    def set(self, type_: str, status: str, reason: str, message: str) -> None:
        """Set a condition; nothing happens when status and reason are what they were."""
        before = self.get(type_)
        if before is not None and (before["status"], before.get("reason")) == (status, reason):
            return
        since = before["lastTransitionTime"] if before is not None and before["status"] == status else self.now
        self.remove(type_)
        self.conditions.append(
            {
                "type": type_,
                "status": status,
                "lastUpdateTime": self.now,
                "lastTransitionTime": since,
                "reason": reason,
                "message": message,
            }
        )

    def touch(self, type_: str, status: str, reason: str, message: str) -> None:
        """Set a condition even where only its lastUpdateTime changes: progress was made."""
        before = self.get(type_)
        self.remove(type_)
        self.set(type_, status, reason, message)
        if before is not None and before["status"] == status:
            self.conditions[-1]["lastTransitionTime"] = before["lastTransitionTime"]

    def remove(self, type_: str) -> None:
        """Remove a condition."""
        self.conditions[:] = [each for each in self.conditions if each["type"] != type_]


def has_deadline(deployment: Object) -> bool:
    """Return whether lack of progress is to be reported."""
    return 0 < int(deployment["spec"].get("progressDeadlineSeconds", 0)) < NO_DEADLINE_SECONDS


def summed(deployment: Object, new: Object | None, old: list[Object], now: datetime) -> Object:
    """Make the status from the ReplicaSets', with the Available condition; zeros are left out, as Go does."""
    everything = [*old, new] if new else old
    available = count(everything, "availableReplicas")
    before = deployment.get("status", {})
    numbers = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": count(everything, "replicas"),
        "updatedReplicas": count([new], "replicas") if new else 0,
        "readyReplicas": count(everything, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(everything) - available),
        "collisionCount": before.get("collisionCount", 0),
    }
    conditions = Conditions([dict(each) for each in before.get("conditions", ())], time.rfc3339(now))
    if available >= wanted(deployment) - max_unavailable(deployment):
        text = "Deployment has minimum availability."
        conditions.set("Available", "True", "MinimumReplicasAvailable", text)
    else:
        text = "Deployment does not have minimum availability."
        conditions.set("Available", "False", "MinimumReplicasUnavailable", text)
    status: Object = {name: number for name, number in numbers.items() if number}
    status["conditions"] = conditions.conditions
    return status


def rolled_out(deployment: Object, new: Object | None, old: list[Object], now: datetime) -> Object:
    """Make the status during a rollout: `summed`, with Progressing and ReplicaFailure."""
    status = summed(deployment, new, old, now)
    conditions = Conditions(status["conditions"], time.rfc3339(now))
    if not has_deadline(deployment):
        conditions.remove("Progressing")
    else:
        _progress(deployment, new, status, conditions, now)
    failure = next((found for one in [new, *old] if one and (found := condition(one, "ReplicaFailure"))), None)
    if failure is not None:
        conditions.set("ReplicaFailure", failure["status"], failure.get("reason", ""), failure.get("message", ""))
    else:
        conditions.remove("ReplicaFailure")
    return status


def _progress(deployment: Object, new: Object | None, status: Object, conditions: Conditions, now: datetime) -> None:
    current = condition(deployment, "Progressing")
    updated, replicas = status.get("updatedReplicas", 0), status.get("replicas", 0)
    if replicas == updated and current is not None and current.get("reason") == NEW_AVAILABLE:
        return  # it is done: scaling a finished rollout is no progress of it
    who = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if is_complete(deployment, status):
        conditions.set("Progressing", "True", NEW_AVAILABLE, f"{who} has successfully progressed.")
    elif _has_moved(deployment, status):
        conditions.touch("Progressing", "True", UPDATED, f"{who} is progressing.")
    elif _has_timed_out(deployment, now):
        conditions.set("Progressing", "False", TIMED_OUT, f"{who} has timed out progressing.")


def is_complete(deployment: Object, status: Object) -> bool:
    """Return whether every wanted pod is of the new template and available, and no other is left."""
    replicas = wanted(deployment)
    numbers = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    observed = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return observed and all(number == replicas for number in numbers)


def _has_moved(deployment: Object, status: Object) -> bool:
    before = deployment.get("status", {})

    def old_pods(one: Object) -> int:
        return int(one.get("replicas", 0) - one.get("updatedReplicas", 0))

    return old_pods(status) < old_pods(before) or any(
        status.get(name, 0) > before.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _has_timed_out(deployment: Object, now: datetime) -> bool:
    current = condition(deployment, "Progressing")
    if current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or deadline(deployment, current) < now


def deadline(deployment: Object, progressing: Object) -> datetime:
    """Return the moment at which a rollout that has not moved counts as stuck."""
    return time.parse(progressing["lastUpdateTime"]) + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])


def seconds_until_stuck(deployment: Object, status: Object, now: datetime) -> float | None:
    """Say when to look again for lack of progress; None when there is nothing to wait for."""
    current = condition({"status": status}, "Progressing")
    if not has_deadline(deployment) or current is None:
        return None
    if is_complete(deployment, status) or current.get("reason") == TIMED_OUT:
        return None
    return (deadline(deployment, current) - now).total_seconds() + 1
