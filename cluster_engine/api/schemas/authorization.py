"""SubjectAccessReview, its "may I?" and its "what may I?": questions to the authorizer. From `authorization/v1`."""

from cluster_engine.api.rules import authorization as rules
from cluster_engine.api.schema import BOOL, STRING, Field, Kind, ListOf, MapOf, message
from cluster_engine.api.schemas.meta import LABEL_SELECTOR_REQUIREMENT, object_message
from cluster_engine.api.schemas.meta import PACKAGE as META

GROUP = "authorization.k8s.io"
PACKAGE = "io.k8s.api.authorization.v1."

FIELD_SELECTOR_REQUIREMENT = message(
    META + "FieldSelectorRequirement",
    "FieldSelectorRequirement relates a field to a set of values.",
    Field(1, "key", STRING, "The field.", required=True),
    Field(2, "operator", STRING, "In, NotIn, Exists or DoesNotExist.", required=True),
    Field(3, "values", ListOf(STRING), "Values; none for Exists and DoesNotExist."),
)

FIELD_SELECTOR_ATTRIBUTES = message(
    PACKAGE + "FieldSelectorAttributes",
    "FieldSelectorAttributes narrows a list by fields.",
    Field(1, "rawSelector", STRING, "The selector as in a URL."),
    Field(2, "requirements", ListOf(FIELD_SELECTOR_REQUIREMENT), "The selector, parsed."),
)

LABEL_SELECTOR_ATTRIBUTES = message(
    PACKAGE + "LabelSelectorAttributes",
    "LabelSelectorAttributes narrows a list by labels.",
    Field(1, "rawSelector", STRING, "The selector as in a URL."),
    Field(2, "requirements", ListOf(LABEL_SELECTOR_REQUIREMENT), "The selector, parsed."),
)

RESOURCE_ATTRIBUTES = message(
    PACKAGE + "ResourceAttributes",
    "ResourceAttributes is a request for a resource.",
    Field(1, "namespace", STRING, "Namespace; empty is all, or none for cluster-scoped resources."),
    Field(2, "verb", STRING, "Verb, or * for all."),
    Field(3, "group", STRING, "API group, or * for all."),
    Field(4, "version", STRING, "API version, or * for all."),
    Field(5, "resource", STRING, "Resource, or * for all."),
    Field(6, "subresource", STRING, "Subresource, if any."),
    Field(7, "name", STRING, "Name; empty is all."),
    Field(8, "fieldSelector", FIELD_SELECTOR_ATTRIBUTES, "Fields that narrow a list.", pointer=True),
    Field(9, "labelSelector", LABEL_SELECTOR_ATTRIBUTES, "Labels that narrow a list.", pointer=True),
)

NON_RESOURCE_ATTRIBUTES = message(
    PACKAGE + "NonResourceAttributes",
    "NonResourceAttributes is a request for a path outside /api and /apis.",
    Field(1, "path", STRING, "The path."),
    Field(2, "verb", STRING, "The HTTP verb, in lower case."),
)

_ATTRIBUTES = (
    Field(1, "resourceAttributes", RESOURCE_ATTRIBUTES, "A request for a resource.", pointer=True),
    Field(2, "nonResourceAttributes", NON_RESOURCE_ATTRIBUTES, "A request for a path.", pointer=True),
)

SELF_SUBJECT_ACCESS_REVIEW_SPEC = message(
    PACKAGE + "SelfSubjectAccessReviewSpec",
    "SelfSubjectAccessReviewSpec is the request in question; exactly one of the two.",
    *_ATTRIBUTES,
    rules=rules.attributes,
)

SUBJECT_ACCESS_REVIEW_SPEC = message(
    PACKAGE + "SubjectAccessReviewSpec",
    "SubjectAccessReviewSpec is the request in question, exactly one of the two, and who would make it.",
    *_ATTRIBUTES,
    Field(3, "user", STRING, "Name of the user."),
    Field(4, "groups", ListOf(STRING), "Groups of the user."),
    Field(5, "extra", MapOf(ListOf(STRING)), "What else the authenticator knows of the user."),
    Field(6, "uid", STRING, "UID of the user."),
    rules=rules.subject_attributes,
)

SUBJECT_ACCESS_REVIEW_STATUS = message(
    PACKAGE + "SubjectAccessReviewStatus",
    "SubjectAccessReviewStatus is the authorizer's answer.",
    Field(1, "allowed", BOOL, "It is allowed.", always=True),
    Field(2, "reason", STRING, "Why."),
    Field(3, "evaluationError", STRING, "What went wrong on the way; the answer may still be good."),
    Field(4, "denied", BOOL, "It is denied, whatever other authorizers say."),
)

SELF_SUBJECT_ACCESS_REVIEW = Kind(
    group=GROUP,
    version="v1",
    name="SelfSubjectAccessReview",
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "SelfSubjectAccessReview",
        "SelfSubjectAccessReview asks whether the one who asks may do something.",
        Field(2, "spec", SELF_SUBJECT_ACCESS_REVIEW_SPEC, "The request in question.", required=True, always=True),
        Field(3, "status", SUBJECT_ACCESS_REVIEW_STATUS, "The answer.", always=True),
    ),
)

SUBJECT_ACCESS_REVIEW = Kind(
    group=GROUP,
    version="v1",
    name="SubjectAccessReview",
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "SubjectAccessReview",
        "SubjectAccessReview asks whether somebody may do something.",
        Field(
            2,
            "spec",
            SUBJECT_ACCESS_REVIEW_SPEC,
            "The request in question, and who would make it.",
            required=True,
            always=True,
        ),
        Field(3, "status", SUBJECT_ACCESS_REVIEW_STATUS, "The answer.", always=True),
    ),
)

LOCAL_SUBJECT_ACCESS_REVIEW = Kind(
    group=GROUP,
    version="v1",
    name="LocalSubjectAccessReview",
    plural="localsubjectaccessreviews",
    singular="localsubjectaccessreview",
    namespaced=True,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "LocalSubjectAccessReview",
        "LocalSubjectAccessReview asks whether somebody may do something in one namespace.",
        Field(
            2,
            "spec",
            SUBJECT_ACCESS_REVIEW_SPEC,
            "The request in question, and who would make it.",
            required=True,
            always=True,
        ),
        Field(3, "status", SUBJECT_ACCESS_REVIEW_STATUS, "The answer.", always=True),
    ),
)

RESOURCE_RULE = message(
    PACKAGE + "ResourceRule",
    "ResourceRule is what may be done with resources.",
    Field(1, "verbs", ListOf(STRING), "Verbs, * for all.", required=True),
    Field(2, "apiGroups", ListOf(STRING), "API groups, * for all."),
    Field(3, "resources", ListOf(STRING), "Resources, * for all."),
    Field(4, "resourceNames", ListOf(STRING), "Names; none is all."),
)

NON_RESOURCE_RULE = message(
    PACKAGE + "NonResourceRule",
    "NonResourceRule is what may be done with paths outside /api and /apis.",
    Field(1, "verbs", ListOf(STRING), "HTTP verbs in lower case, * for all.", required=True),
    Field(2, "nonResourceURLs", ListOf(STRING), "Paths, * as the last part for all below."),
)

SELF_SUBJECT_RULES_REVIEW_SPEC = message(
    PACKAGE + "SelfSubjectRulesReviewSpec",
    "SelfSubjectRulesReviewSpec is the namespace in question.",
    Field(1, "namespace", STRING, "The namespace."),
)

SUBJECT_RULES_REVIEW_STATUS = message(
    PACKAGE + "SubjectRulesReviewStatus",
    "SubjectRulesReviewStatus is what the authorizers could list.",
    Field(1, "resourceRules", ListOf(RESOURCE_RULE), "What may be done with resources.", required=True),
    Field(2, "nonResourceRules", ListOf(NON_RESOURCE_RULE), "What may be done with paths.", required=True),
    Field(3, "incomplete", BOOL, "An authorizer could not list all it would allow.", required=True),
    Field(4, "evaluationError", STRING, "What went wrong on the way."),
)

SELF_SUBJECT_RULES_REVIEW = Kind(
    group=GROUP,
    version="v1",
    name="SelfSubjectRulesReview",
    plural="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    namespaced=False,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "SelfSubjectRulesReview",
        "SelfSubjectRulesReview asks what one may do in a namespace.",
        Field(2, "spec", SELF_SUBJECT_RULES_REVIEW_SPEC, "The namespace in question.", required=True, always=True),
        Field(3, "status", SUBJECT_RULES_REVIEW_STATUS, "The answer.", pointer=True),
    ),
)
