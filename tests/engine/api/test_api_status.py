"""Refusals: texts, codes, and the way over the wire and back."""

import pytest

from cluster_engine.api import status
from cluster_engine.api.causes import forbidden, invalid, not_supported, required
from cluster_engine.api.kinds import DEPLOYMENT, NODE, POD
from cluster_engine.api.status import Refusal

REFUSALS = [
    (status.NotFound(POD, "a"), 404, 'pods "a" not found'),
    (status.NotFound(DEPLOYMENT, "a"), 404, 'deployments.apps "a" not found'),
    (status.NotFound(), 404, "the server could not find the requested resource"),
    (status.AlreadyExists(DEPLOYMENT, "a"), 409, 'deployments.apps "a" already exists'),
    (
        status.Conflict(POD, "a"),
        409,
        'Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the '
        "latest version and try again",
    ),
    (
        status.Conflict(POD, "a", 'pod a is already assigned to node "n"', subresource="binding"),
        409,
        'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n"',
    ),
    (status.Unauthorized(), 401, "Unauthorized"),
    (status.Forbidden.because(NODE, "n", "not yours"), 403, 'nodes "n" is forbidden: not yours'),
    (status.MethodNotAllowed(), 405, "the server does not allow this method on the requested resource"),
    (status.TooManyRequests("later", 1), 429, "later"),
    (status.InternalError("boom"), 500, "Internal error occurred: boom"),
    (status.Timeout("Too large resource version", 1), 504, "Timeout: Too large resource version"),
    (status.TooLarge("limit is 3145728"), 413, "Request entity too large: limit is 3145728"),
]


@pytest.mark.parametrize(("refusal", "code", "message"), REFUSALS, ids=lambda each: str(each)[:30])
def test_a_refusal_says_what_the_real_server_says(refusal: Refusal, code: int, message: str) -> None:
    assert (refusal.code, refusal.message) == (code, message)


@pytest.mark.parametrize(("refusal", "code", "message"), REFUSALS, ids=lambda each: str(each)[:30])
def test_a_refusal_survives_the_wire(refusal: Refusal, code: int, message: str) -> None:
    received = Refusal.from_status(refusal.status())
    assert type(received) is type(refusal)
    assert received.status() == refusal.status()
    assert received.retry_after_seconds == refusal.retry_after_seconds


def test_a_not_found_status_is_letter_by_letter_the_real_one() -> None:
    assert status.NotFound(DEPLOYMENT, "web").status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "web" not found',
        "reason": "NotFound",
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


def test_one_cause_stands_alone_and_several_in_brackets() -> None:
    one = status.Invalid(POD, "a", [required("spec.containers")])
    assert one.message == 'Pod "a" is invalid: spec.containers: Required value'
    two = status.Invalid(DEPLOYMENT, "a", [required("x"), forbidden("y", "no"), required("x")])
    assert two.message == 'Deployment.apps "a" is invalid: [x: Required value, y: Forbidden: no]'
    assert two.details["kind"] == "Deployment"
    assert two.details["causes"][1] == {"reason": "FieldValueForbidden", "message": "Forbidden: no", "field": "y"}


def test_values_are_printed_as_go_prints_them() -> None:
    assert str(invalid("a", 'x"y', "bad")) == 'a: Invalid value: "x\\"y": bad'
    assert str(invalid("a", {"b": "1"}, "bad")) == 'a: Invalid value: map[string]string{"b":"1"}: bad'
    assert str(invalid("a", True, "bad")) == "a: Invalid value: true: bad"
    assert str(not_supported("a", "z", ("x", "y"))) == 'a: Unsupported value: "z": supported values: "x", "y"'


def test_an_unknown_reason_is_still_a_refusal() -> None:
    refusal = Refusal.from_status({"code": 500, "message": "who knows"})
    assert (type(refusal), refusal.code, refusal.reason) == (Refusal, 500, "")
