"""The cells of Jobs, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.cells.common import status_of
from cluster_engine.api.objects import Object
from cluster_engine.api.time import age as human


def status(job: Object, now: datetime) -> str:
    """What has come of it."""
    del now
    true = {each["type"] for each in status_of(job).get("conditions") or () if each["status"] == "True"}
    for type_ in ("Complete", "Failed"):
        if type_ in true:
            return type_
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((type_ for type_ in ("Suspended", "FailureTarget") if type_ in true), "Running")


def completions(job: Object, now: datetime) -> str:
    """`2/3`; `1/1 of 4` where one success of several pods is enough."""
    del now
    spec, succeeded = job.get("spec") or {}, status_of(job).get("succeeded") or 0
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def duration(job: Object, now: datetime) -> str:
    """How long it has taken, or has been going on."""
    started, ended = status_of(job).get("startTime"), status_of(job).get("completionTime")
    if not started:
        return ""
    return human((datetime.fromisoformat(ended) if ended else now) - datetime.fromisoformat(started))
