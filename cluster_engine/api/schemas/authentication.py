"""TokenRequest, TokenReview and SelfSubjectReview: a token, whose it is, and "who am I?". From `authentication/v1`."""

from cluster_engine.api.schema import BOOL, INT64, STRING, TIME, Field, Kind, ListOf, MapOf, message
from cluster_engine.api.schemas.meta import object_message

PACKAGE = "io.k8s.api.authentication.v1."

BOUND_OBJECT_REFERENCE = message(
    PACKAGE + "BoundObjectReference",
    "BoundObjectReference is the object with which a token ends.",
    Field(1, "kind", STRING, "Pod, Secret or Node."),
    Field(2, "apiVersion", STRING, "API version of the object."),
    Field(3, "name", STRING, "Name of the object."),
    Field(4, "uid", STRING, "UID of the object."),
)

TOKEN_REQUEST_SPEC = message(
    PACKAGE + "TokenRequestSpec",
    "TokenRequestSpec is the token asked for.",
    Field(1, "audiences", ListOf(STRING), "Whom the token is for; the API server unless given.", always=True),
    Field(3, "boundObjectRef", BOUND_OBJECT_REFERENCE, "Object with which the token ends.", pointer=True),
    Field(
        4,
        "expirationSeconds",
        INT64,
        "Seconds for which it is to be good.",
        pointer=True,
        default=3600,
        minimum=600,
    ),
)

TOKEN_REQUEST_STATUS = message(
    PACKAGE + "TokenRequestStatus",
    "TokenRequestStatus is the token given.",
    Field(1, "token", STRING, "The token.", always=True),
    Field(2, "expirationTimestamp", TIME, "Until when it is good.", always=True),
)

TOKEN_REQUEST = Kind(
    group="authentication.k8s.io",
    version="v1",
    name="TokenRequest",
    plural="tokenrequests",
    singular="tokenrequest",
    namespaced=True,
    verbs=(),
    schema=object_message(
        PACKAGE + "TokenRequest",
        "TokenRequest asks for a token of a service account.",
        Field(2, "spec", TOKEN_REQUEST_SPEC, "The token asked for.", always=True),
        Field(3, "status", TOKEN_REQUEST_STATUS, "The token given.", always=True),
    ),
)

USER_INFO = message(
    PACKAGE + "UserInfo",
    "UserInfo is who somebody is.",
    Field(1, "username", STRING, "Name of the user."),
    Field(2, "uid", STRING, "Identity of the user over time."),
    Field(3, "groups", ListOf(STRING), "Groups of the user."),
    Field(4, "extra", MapOf(ListOf(STRING)), "What else the authenticator knows."),
)

SELF_SUBJECT_REVIEW_STATUS = message(
    PACKAGE + "SelfSubjectReviewStatus",
    "SelfSubjectReviewStatus is the answer.",
    Field(1, "userInfo", USER_INFO, "Who asked.", always=True),
)

SELF_SUBJECT_REVIEW = Kind(
    group="authentication.k8s.io",
    version="v1",
    name="SelfSubjectReview",
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "SelfSubjectReview",
        "SelfSubjectReview asks the API server who one is.",
        Field(2, "status", SELF_SUBJECT_REVIEW_STATUS, "The answer.", always=True),
    ),
)

TOKEN_REVIEW_SPEC = message(
    PACKAGE + "TokenReviewSpec",
    "TokenReviewSpec is the token in question.",
    Field(1, "token", STRING, "The token."),
    Field(2, "audiences", ListOf(STRING), "Whom the token should be for; the API server unless given."),
)

TOKEN_REVIEW_STATUS = message(
    PACKAGE + "TokenReviewStatus",
    "TokenReviewStatus is the answer.",
    Field(1, "authenticated", BOOL, "The token is good."),
    Field(2, "user", USER_INFO, "Whose it is.", always=True),
    Field(3, "error", STRING, "Why it is not good."),
    Field(4, "audiences", ListOf(STRING), "Those asked for whom it is for."),
)

TOKEN_REVIEW = Kind(
    group="authentication.k8s.io",
    version="v1",
    name="TokenReview",
    plural="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "TokenReview",
        "TokenReview asks whose a token is.",
        Field(2, "spec", TOKEN_REVIEW_SPEC, "The token in question.", required=True, always=True),
        Field(3, "status", TOKEN_REVIEW_STATUS, "The answer.", always=True),
    ),
)
