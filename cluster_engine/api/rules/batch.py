"""Rules for Jobs, from `pkg/apis/batch` (v1/defaults.go, validation) and `pkg/registry/batch/job/strategy.go`."""

from cluster_engine.api.causes import IMMUTABLE, Go, child, invalid, not_supported, required
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.selection import label_selector, matches
from cluster_engine.api.status import Cause

PREFIX = "batch.kubernetes.io/"
CONTROLLER_UID, JOB_NAME = f"{PREFIX}controller-uid", f"{PREFIX}job-name"
BACKOFF_LIMIT = 6
INT32_MAX = 2**31 - 1
RESTART_POLICIES = ("OnFailure", "Never")


def _default_job_spec(spec: Object) -> None:
    """Without numbers, one pod is to succeed; with one of them the other follows."""
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", BACKOFF_LIMIT if spec.get("backoffLimitPerIndex") is None else INT32_MAX)
    replaces = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    spec.setdefault("podReplacementPolicy", replaces)


def default_job(job: Object) -> None:
    """A Job without labels has those of its template. (A CronJob's template of Jobs stays as it is.)"""
    _default_job_spec(job["spec"])
    labels = (((job.get("spec") or {}).get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def prepare_job(job: Object) -> None:
    """Make the selector, and the labels that it selects, unless the user has said to see to that."""
    spec, metadata = job["spec"], job["metadata"]
    if spec.get("manualSelector") or "template" not in spec:
        return
    own = {CONTROLLER_UID: metadata["uid"], JOB_NAME: metadata["name"]}
    old = {"controller-uid": metadata["uid"], "job-name": metadata["name"]}
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels.update({**own, **old})
    selector = spec.setdefault("selector", {})
    selector.setdefault("matchLabels", {})[CONTROLLER_UID] = metadata["uid"]


def job_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Its pods can come to an end."""
    template = obj.get("template") or {}
    policy = (template.get("spec") or {}).get("restartPolicy")
    where = child(path, "template.spec.restartPolicy")
    if policy == "Always" or policy is None:
        causes.append(required(where, 'valid values: "OnFailure", "Never"'))
    elif policy not in RESTART_POLICIES:
        causes.append(not_supported(where, policy, RESTART_POLICIES))
    if obj.get("completionMode") == "Indexed" and obj.get("completions") is None:
        causes.append(required(child(path, "completions"), "when completion mode is Indexed"))
    if obj.get("maxFailedIndexes") is not None and obj.get("backoffLimitPerIndex") is None:
        causes.append(required(child(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
    if obj.get("completionMode") != "Indexed":
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if (value := obj.get(field)) is not None:
                shown = Go("batch.SuccessPolicy{…}") if isinstance(value, dict) else value
                causes.append(invalid(child(path, field), shown, "requires indexed completion mode"))


def job(obj: Object, path: str, causes: list[Cause]) -> None:
    """Its pods are those that it selects."""
    spec, path = obj["spec"], child(path, "spec")
    selector = spec.get("selector")
    if selector is None:
        causes.append(required(child(path, "selector")))
    else:
        label_selector(selector, child(path, "selector"), causes)
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if not matches(selector, labels):
            detail = "`selector` does not match template `labels`"
            causes.append(invalid(child(path, "template.metadata.labels"), labels, detail))


def job_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """What a Job is to do stays; how much of it at a time may change."""
    mine, theirs = new["spec"], old["spec"]
    if mine.get("template") != theirs.get("template"):
        causes.append(invalid("spec.template", Go("core.PodTemplateSpec{…}"), IMMUTABLE))
    indexed = mine.get("completionMode") == "Indexed"
    grown = mine.get("completions") == mine.get("parallelism")
    if mine.get("completions") != theirs.get("completions") and not (indexed and grown):
        if indexed:
            detail = "can only be modified in tandem with spec.parallelism"
            causes.append(invalid("spec.completions", mine.get("completions"), f"{IMMUTABLE}: {detail}"))
        else:
            causes.append(invalid("spec.completions", mine.get("completions"), IMMUTABLE))
