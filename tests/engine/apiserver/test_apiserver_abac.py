"""ABAC: which requests a line allows, and a line that cannot be read."""

import json

import pytest

from cluster_engine.apiserver.authentication.users import NOBODY, User
from cluster_engine.apiserver.authorization.abac import API_VERSION, PolicyLoadError, load
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain, Decision
from cluster_engine.apiserver.authorization.modes import Always

JANE = User("jane", groups=("dev", "system:authenticated"))
PODS = {"resource": "pods", "namespace": "default"}


def abac(**spec):
    return load(json.dumps({"apiVersion": API_VERSION, "kind": "Policy", "spec": spec}).encode(), "/p")


def may(found, verb="get", user=JANE, **what):
    return found.authorize(Attributes(user, verb, **(what or PODS))).allowed


def test_a_line_allows_a_user_what_it_names_and_nothing_else():
    found = abac(user="jane", namespace="default", resource="pods", apiGroup="")
    assert may(found) and may(found, "delete")
    assert not may(found, user=User("joe"))
    assert not may(found, resource="pods", namespace="kube-system")
    assert not may(found, resource="deployments", namespace="default", group="apps")
    assert found.authorize(Attributes(JANE, "get", resource="x")).reason == "No policy matched."


def test_a_line_that_is_read_only_allows_no_writes_and_a_star_is_everybody_known():
    found = abac(user="*", readonly=True, namespace="*", resource="*", apiGroup="*")
    assert may(found, "watch") and not may(found, "create")
    assert not may(found, user=NOBODY)


def test_paths_match_whole_or_by_their_beginning():
    found = abac(group="dev", nonResourcePath="/healthz*")
    assert may(found, path="/healthz/ping", is_resource=False)
    assert not may(found, path="/version", is_resource=False)
    assert not may(found)


def test_the_old_form_allows_everything_that_it_does_not_name():
    found = load(b'# a comment\n\n{"user": "jane"}\n', "/p")
    assert may(found, "delete", resource="nodes") and may(found, path="/version", is_resource=False)
    assert not may(load(b'{"user": "jane", "resource": "pods"}', "/p"), path="/version", is_resource=False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"user":', '{"user":: couldn\'t get version/kind; json parse error: '),
        ('{"user": 1}', "json: cannot unmarshal number into Go struct field PolicySpec.user of type string"),
        ('{"apiVersion": "v1", "kind": "Pod"}', 'no kind "Pod" is registered for version "v1" in scheme'),
        ("[" * 5000, "couldn't get version/kind; json parse error: "),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, why):
    with pytest.raises(PolicyLoadError) as error:
        load(f"# one\n{line}\n".encode(), "/etc/p")
    assert str(error.value).startswith("error reading policy file /etc/p, line 2: ")
    assert why in str(error.value)


def test_who_denies_ends_the_matter_whoever_comes_next():
    allow, deny = Decision(allowed=True), Decision(allowed=False, reason="no", denied=True)
    asked = Attributes(JANE, "get", **PODS)
    assert Chain(Always(deny), Always(allow)).authorize(asked) == deny
    assert Chain(Always(allow), Always(deny)).authorize(asked) == allow
