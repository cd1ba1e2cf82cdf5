"""Job: pods that are to come to an end, and how often. From `batch/v1`."""

from cluster_engine.api.cells import batch as cells
from cluster_engine.api.cells.apps import containers, images, selector
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.rules import batch as rules
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
    field_path,
    message,
)
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, conditions, object_message
from cluster_engine.api.schemas.pods import POD_TEMPLATE_SPEC

PACKAGE = "io.k8s.api.batch.v1."

ON_EXIT_CODES = message(
    PACKAGE + "PodFailurePolicyOnExitCodesRequirement",
    "PodFailurePolicyOnExitCodesRequirement matches a container's exit code.",
    Field(1, "containerName", STRING, "Which container; any, if none is named.", pointer=True),
    Field(2, "operator", STRING, "In, or NotIn.", required=True, always=True, enum=("In", "NotIn")),
    Field(3, "values", ListOf(INT32), "Exit codes, in order, without 0 for In.", required=True, patch_strategy="merge"),
)
ON_POD_CONDITIONS = message(
    PACKAGE + "PodFailurePolicyOnPodConditionsPattern",
    "PodFailurePolicyOnPodConditionsPattern matches a condition of the pod.",
    Field(1, "type", STRING, "The condition's type.", required=True, always=True),
    Field(2, "status", STRING, "The condition's status.", always=True, default="True"),
)
POD_FAILURE_POLICY_RULE = message(
    PACKAGE + "PodFailurePolicyRule",
    "PodFailurePolicyRule says what a failed pod that it matches means.",
    Field(
        1,
        "action",
        STRING,
        "FailJob, FailIndex, Ignore or Count.",
        required=True,
        always=True,
        enum=("Count", "FailIndex", "FailJob", "Ignore"),
    ),
    Field(2, "onExitCodes", ON_EXIT_CODES, "By exit code.", pointer=True),
    Field(3, "onPodConditions", ListOf(ON_POD_CONDITIONS), "By a condition of the pod."),
)
POD_FAILURE_POLICY = message(
    PACKAGE + "PodFailurePolicy",
    "PodFailurePolicy says what failed pods mean, beside the backoff limit.",
    Field(1, "rules", ListOf(POD_FAILURE_POLICY_RULE), "The first that matches counts.", required=True),
)
SUCCESS_POLICY_RULE = message(
    PACKAGE + "SuccessPolicyRule",
    "SuccessPolicyRule says when an indexed Job has succeeded early.",
    Field(1, "succeededIndexes", STRING, 'Indexes that must have succeeded, such as "0,3-5".', pointer=True),
    Field(2, "succeededCount", INT32, "How many indexes must have succeeded.", pointer=True),
)
SUCCESS_POLICY = message(
    PACKAGE + "SuccessPolicy",
    "SuccessPolicy says when a Job has succeeded before all its indexes have.",
    Field(1, "rules", ListOf(SUCCESS_POLICY_RULE), "The first that holds counts.", required=True),
)

JOB_SPEC = message(
    PACKAGE + "JobSpec",
    "JobSpec is what a Job is to do.",
    Field(1, "parallelism", INT32, "Most pods at the same time.", pointer=True, minimum=0),
    Field(2, "completions", INT32, "Pods that must succeed; none: one success is enough.", pointer=True, minimum=0),
    Field(3, "activeDeadlineSeconds", INT64, "Seconds after which it has failed.", pointer=True, minimum=0),
    Field(4, "selector", LABEL_SELECTOR, "Labels of its pods; made by the server.", pointer=True, immutable=True),
    Field(5, "manualSelector", BOOL, "The selector is the user's own.", pointer=True),
    Field(6, "template", POD_TEMPLATE_SPEC, "The pods to make.", required=True, always=True),
    Field(7, "backoffLimit", INT32, "Failures that are borne.", pointer=True, minimum=0),
    Field(8, "ttlSecondsAfterFinished", INT32, "Seconds after its end until it is deleted.", pointer=True, minimum=0),
    Field(
        9,
        "completionMode",
        STRING,
        "NonIndexed, or Indexed: each pod has a number.",
        pointer=True,
        enum=("Indexed", "NonIndexed"),
        immutable=True,
    ),
    Field(10, "suspend", BOOL, "No pods are wanted for now.", pointer=True),
    Field(11, "podFailurePolicy", POD_FAILURE_POLICY, "What failed pods mean.", pointer=True, immutable=True),
    Field(12, "backoffLimitPerIndex", INT32, "Failures borne of each index.", pointer=True, minimum=0, immutable=True),
    Field(13, "maxFailedIndexes", INT32, "Failed indexes after which the Job fails.", pointer=True, minimum=0),
    Field(
        14,
        "podReplacementPolicy",
        STRING,
        "When a pod on its way out is replaced.",
        pointer=True,
        enum=("Failed", "TerminatingOrFailed"),
    ),
    Field(15, "managedBy", STRING, "The controller that is to see to it.", pointer=True, immutable=True),
    Field(16, "successPolicy", SUCCESS_POLICY, "When it has succeeded early.", pointer=True, immutable=True),
    rules=rules.job_spec,
)

JOB_CONDITION = message(
    PACKAGE + "JobCondition",
    "JobCondition is one aspect of the Job's current state.",
    Field(1, "type", STRING, "Suspended, Complete, Failed, SuccessCriteriaMet or FailureTarget.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastProbeTime", TIME, "When it was last looked at."),
    Field(4, "lastTransitionTime", TIME, "When the status last changed."),
    Field(5, "reason", STRING, "Why, as one word in CamelCase."),
    Field(6, "message", STRING, "Why, for people."),
)
UNCOUNTED = message(
    PACKAGE + "UncountedTerminatedPods",
    "UncountedTerminatedPods are pods that have ended, and are about to be counted.",
    Field(1, "succeeded", ListOf(STRING), "Uids of pods that succeeded.", patch_strategy="merge"),
    Field(2, "failed", ListOf(STRING), "Uids of pods that failed.", patch_strategy="merge"),
)
JOB_STATUS = message(
    PACKAGE + "JobStatus",
    "JobStatus is what is known of a Job.",
    conditions(1, JOB_CONDITION, is_map=False),
    Field(2, "startTime", TIME, "When it was begun, or resumed.", pointer=True),
    Field(3, "completionTime", TIME, "When it had succeeded.", pointer=True),
    Field(4, "active", INT32, "Pods that are pending or running.", minimum=0),
    Field(5, "succeeded", INT32, "Pods that succeeded.", minimum=0),
    Field(6, "failed", INT32, "Pods that failed.", minimum=0),
    Field(7, "completedIndexes", STRING, 'Indexes that have succeeded, such as "0,3-5".'),
    Field(8, "uncountedTerminatedPods", UNCOUNTED, "Pods that are about to be counted.", pointer=True),
    Field(9, "ready", INT32, "Pods that are ready.", pointer=True),
    Field(10, "failedIndexes", STRING, "Indexes that have failed.", pointer=True),
    Field(11, "terminating", INT32, "Pods on their way out.", pointer=True),
)

JOB = Kind(
    group="batch",
    version="v1",
    name="Job",
    plural="jobs",
    singular="job",
    categories=("all",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    subresources=(STATUS_SUBRESOURCE,),
    prepare_create=rules.prepare_job,
    update_rules=rules.job_update,
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "metadata.namespace": field_path("metadata.namespace"),
        "status.successful": lambda job: str((job.get("status") or {}).get("succeeded", 0)),
    },
    schema=object_message(
        PACKAGE + "Job",
        "Job runs pods until so many of them have succeeded.",
        Field(2, "spec", JOB_SPEC, "What the Job is to do.", always=True),
        Field(3, "status", JOB_STATUS, "What is known of the Job.", always=True),
        defaults=rules.default_job,
        rules=rules.job,
    ),
    columns=(
        name(),
        Column("Status", cells.status, "What has come of it."),
        Column("Completions", cells.completions, "Pods that succeeded, of how many."),
        Column("Duration", cells.duration, "How long it has taken."),
        age(),
        Column("Containers", containers, "Names of the containers.", wide=True),
        Column("Images", images, "Images of the containers.", wide=True),
        Column("Selector", selector, "Labels of its pods.", wide=True),
    ),
)
