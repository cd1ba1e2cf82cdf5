"""CronJob: Jobs that are made as time goes by. From `batch/v1`."""

from cluster_engine.api.cells import cron_jobs as cells
from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.rules import cron_jobs as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    ListOf,
    message,
)
from cluster_engine.api.schemas.batch import JOB_SPEC, PACKAGE
from cluster_engine.api.schemas.meta import OBJECT_META, object_message
from cluster_engine.api.schemas.references import OBJECT_REFERENCE

JOB_TEMPLATE_SPEC = message(
    PACKAGE + "JobTemplateSpec",
    "JobTemplateSpec is what the Jobs look like.",
    Field(1, "metadata", OBJECT_META, "Labels and annotations of the Jobs.", always=True),
    Field(2, "spec", JOB_SPEC, "What the Jobs are to do.", always=True),
    rules=rules.job_template,
)
CRON_JOB_SPEC = message(
    PACKAGE + "CronJobSpec",
    "CronJobSpec says when a Job is made, and of what kind.",
    Field(1, "schedule", STRING, 'When, in cron\'s words: "*/5 * * * *", "@hourly".', always=True),
    Field(
        2,
        "startingDeadlineSeconds",
        INT64,
        "Seconds after its time until which a Job may still be begun.",
        pointer=True,
        minimum=0,
    ),
    Field(
        3,
        "concurrencyPolicy",
        STRING,
        "Allow several at a time, Forbid the next, or Replace the running one.",
        default="Allow",
        enum=("Allow", "Forbid", "Replace"),
    ),
    Field(4, "suspend", BOOL, "No Jobs are made for now.", pointer=True, default=False),
    Field(5, "jobTemplate", JOB_TEMPLATE_SPEC, "The Jobs to make.", required=True, always=True),
    Field(6, "successfulJobsHistoryLimit", INT32, "Finished Jobs to keep.", pointer=True, default=3, minimum=0),
    Field(7, "failedJobsHistoryLimit", INT32, "Failed Jobs to keep.", pointer=True, default=1, minimum=0),
    Field(8, "timeZone", STRING, "Time zone of the schedule; if none, the controller's.", pointer=True),
    rules=rules.cron_job_spec,
)
CRON_JOB_STATUS = message(
    PACKAGE + "CronJobStatus",
    "CronJobStatus is what is known of a CronJob.",
    Field(1, "active", ListOf(OBJECT_REFERENCE), "Jobs that are running."),
    Field(4, "lastScheduleTime", TIME, "When a Job was last due and made.", pointer=True),
    Field(5, "lastSuccessfulTime", TIME, "When a Job had last succeeded.", pointer=True),
)

CRON_JOB = Kind(
    group="batch",
    version="v1",
    name="CronJob",
    plural="cronjobs",
    singular="cronjob",
    short_names=("cj",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    subresources=(STATUS_SUBRESOURCE,),
    schema=object_message(
        PACKAGE + "CronJob",
        "CronJob makes a Job whenever its time has come.",
        Field(2, "spec", CRON_JOB_SPEC, "When, and what Jobs.", always=True),
        Field(3, "status", CRON_JOB_STATUS, "What is known of the CronJob.", always=True),
        rules=rules.cron_job,
    ),
    columns=(
        name(),
        Column("Schedule", text("spec.schedule"), "When a Job is made."),
        Column("Timezone", cells.time_zone, "Time zone of the schedule."),
        Column("Suspend", cells.suspend, "No Jobs are made for now."),
        Column("Active", cells.active, "Jobs that are running.", type="integer"),
        Column("Last Schedule", cells.last_schedule, "When a Job was last due."),
        age(),
        Column("Containers", cells.containers, "Names of the containers.", wide=True),
        Column("Images", cells.images, "Images of the containers.", wide=True),
        Column("Selector", cells.selector, "Labels of its pods.", wide=True),
    ),
)
