"""What a client says of an answer that is a failure and no Status: a proxy's, or a text such as /livez gives.

    unexplained(503, "")                                the server is currently unable to handle the request
    unexplained(500, "boom")                            an error on the server ("boom") has prevented the request from …
    unexplained(404, "", verb="get", resource="pods")   the server could not find the requested resource (get pods)

Modelled on NewGenericServerResponse in apimachinery/pkg/api/errors.
"""

import json

from cluster_engine.api.status import Refusal

UNKNOWN = "unknown"
THE_BODY = ""
"""As a message: what the body says."""
MESSAGES = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", THE_BODY),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", THE_BODY),
    409: ("Conflict", "the server reported a conflict"),
    415: ("UnsupportedMediaType", THE_BODY),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}


def unexplained(status: int, body: str, *, verb: str = "", resource: str = "") -> Refusal:
    """Make the refusal that an answer without a Status stands for."""
    if status in MESSAGES:
        reason, message = MESSAGES[status]
    elif status >= 500:
        quoted = json.dumps(body or UNKNOWN, ensure_ascii=False)
        reason, message = (
            "InternalError",
            f"an error on the server ({quoted}) has prevented the request from succeeding",
        )
    else:
        reason = ""
        message = f"the server responded with the status code {status} but did not return more information"
    if status == 409 and verb == "post":
        reason = "AlreadyExists"
    asked = f" ({verb} {resource})" if resource else ""
    return Refusal.from_status({"code": status, "reason": reason, "message": f"{message or body or UNKNOWN}{asked}"})
