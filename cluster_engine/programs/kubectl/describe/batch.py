"""`kubectl describe job` and `cronjob`."""

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.api.time import age, parse
from cluster_engine.programs.kubectl.describe.lines import Lines, controller, date
from cluster_engine.programs.kubectl.describe.pod_template import describe_template

INDEXES_LENGTH = 50


_FIELDS = (
    ("completionMode", "Completion Mode"),
    ("suspend", "Suspend"),
    ("backoffLimit", "Backoff Limit"),
    ("ttlSecondsAfterFinished", "TTL Seconds After Finished"),
)


def describe_job(lines: Lines, job: Object, events: list[Object]) -> None:
    """Write a Job."""
    metadata, spec, status = job["metadata"], job["spec"], job.get("status") or {}
    lines.identity(metadata)
    lines.add(0, f"Selector:\t{label_selector_from_object(spec.get('selector'))}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    if owner := controller(metadata):
        lines.add(0, f"Controlled By:\t{owner}")
    _numbers(lines, spec, unset_parallelism=False)
    for field, title in (
        ("completionMode", "Completion Mode"),
        ("suspend", "Suspend"),
        ("backoffLimit", "Backoff Limit"),
    ):
        if field in spec:
            lines.add(0, f"{title}:\t{_text(spec[field])}")
    if "ttlSecondsAfterFinished" in spec:
        lines.add(0, f"TTL Seconds After Finished:\t{spec['ttlSecondsAfterFinished']}")
    started, ended = status.get("startTime"), status.get("completionTime")
    if started:
        lines.add(0, f"Start Time:\t{date(started)}")
    if ended:
        lines.add(0, f"Completed At:\t{date(ended)}")
    if started and ended:
        lines.add(0, f"Duration:\t{age(parse(ended) - parse(started))}")
    _deadline(lines, spec)
    ready = f" ({status['ready']} Ready)" if "ready" in status else ""
    active, succeeded, failed = (status.get(field, 0) for field in ("active", "succeeded", "failed"))
    lines.add(0, f"Pods Statuses:\t{active} Active{ready} / {succeeded} Succeeded / {failed} Failed")
    if spec.get("completionMode") == "Indexed":
        lines.add(0, f"Completed Indexes:\t{_indexes(status.get('completedIndexes', ''))}")
    describe_template(lines, spec["template"])
    lines.events(events)


def _numbers(lines: Lines, spec: Object, *, unset_parallelism: bool) -> None:
    if "parallelism" in spec or unset_parallelism:
        lines.add(0, f"Parallelism:\t{spec.get('parallelism', '<unset>')}")
    lines.add(0, f"Completions:\t{spec.get('completions', '<unset>')}")


def _deadline(lines: Lines, spec: Object) -> None:
    if "activeDeadlineSeconds" in spec:
        lines.add(0, f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _indexes(text: str) -> str:
    """Cut a list of indexes at the first comma after so many characters."""
    end = text.find(",", INDEXES_LENGTH)
    return (text if end < 0 else f"{text[: end + 1]}...") or "<none>"


def describe_cron_job(lines: Lines, cron_job: Object, events: list[Object]) -> None:
    """Write a CronJob."""
    metadata, spec, status = cron_job["metadata"], cron_job["spec"], cron_job.get("status") or {}
    lines.identity(metadata)
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"Schedule:\t{spec.get('schedule', '')}")
    lines.add(0, f"Concurrency Policy:\t{spec.get('concurrencyPolicy', '')}")
    lines.add(0, f"Suspend:\t{spec.get('suspend', '<unset>')}")
    lines.add(0, f"Successful Job History Limit:\t{spec.get('successfulJobsHistoryLimit', '<unset>')}")
    lines.add(0, f"Failed Job History Limit:\t{spec.get('failedJobsHistoryLimit', '<unset>')}")
    deadline = spec.get("startingDeadlineSeconds")
    lines.add(0, f"Starting Deadline Seconds:\t{'<unset>' if deadline is None else f'{deadline}s'}")
    template = spec["jobTemplate"]["spec"]
    selector = template.get("selector")
    lines.add(0, f"Selector:\t{'<unset>' if selector is None else label_selector_from_object(selector)}")
    _numbers(lines, template, unset_parallelism=True)
    _deadline(lines, template)
    describe_template(lines, template["template"])
    lines.add(0, f"Last Schedule Time:\t{date(status.get('lastScheduleTime'))}")
    active = ", ".join(each["name"] for each in status.get("active") or ())
    lines.add(0, f"Active Jobs:\t{active or '<none>'}")
    lines.events(events)
