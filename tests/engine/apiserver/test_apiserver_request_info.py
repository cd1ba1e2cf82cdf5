"""What a method and a URL alone say about a request."""

import pytest

from cluster_engine.api.status import NotAcceptable
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Attributes, refusal_text
from cluster_engine.apiserver.handlers.negotiation import Form, negotiate, wants_aggregated_discovery
from cluster_engine.apiserver.request_info import request_info


@pytest.mark.parametrize(
    ("method", "url", "verb", "what"),
    [
        ("GET", "/api/v1/pods", "list", ("", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=1", "watch", ("", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=true", "watch", ("", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=false", "list", ("", "pods", "", "", "")),
        ("GET", "/api/v1/watch/pods", "watch", ("", "pods", "", "", "")),
        ("GET", "/api/v1/watch/namespaces/a/pods/x", "watch", ("", "pods", "", "a", "x")),
        ("GET", "/api/v1/namespaces/a/pods/x", "get", ("", "pods", "", "a", "x")),
        ("GET", "/api/v1/namespaces/a/pods/x?watch=1", "get", ("", "pods", "", "a", "x")),
        ("GET", "/api/v1/namespaces/a/pods/x/status", "get", ("", "pods", "status", "a", "x")),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", "create", ("apps", "deployments", "", "a", "")),
        ("PUT", "/apis/apps/v1/namespaces/a/deployments/x/scale", "update", ("apps", "deployments", "scale", "a", "x")),
        ("PATCH", "/api/v1/nodes/n", "patch", ("", "nodes", "", "", "n")),
        ("DELETE", "/api/v1/namespaces/a/pods/x", "delete", ("", "pods", "", "a", "x")),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection", ("", "pods", "", "a", "")),
        ("GET", "/api/v1/namespaces", "list", ("", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/a", "get", ("", "namespaces", "", "a", "a")),
        ("PUT", "/api/v1/namespaces/a/finalize", "update", ("", "namespaces", "finalize", "a", "a")),
        ("GET", "/api/v1/nodes?fieldSelector=metadata.name%3Dn1", "list", ("", "nodes", "", "", "n1")),
        ("GET", "/api/v1/pods?fieldSelector=spec.nodeName=n1", "list", ("", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/a/pods/x%2Fy", "get", ("", "pods", "", "a", "x/y")),
        ("GET", "/api/v1/pods/", "list", ("", "pods", "", "", "")),
    ],
)
def test_a_resource_request_is_read_from_method_and_url(method, url, verb, what):
    path, _, query = url.partition("?")
    info = request_info(method, path, query)
    assert info.is_resource
    assert info.verb == verb
    assert (info.group, info.resource, info.subresource, info.namespace, info.name) == what


@pytest.mark.parametrize(
    "path", ["/", "/version", "/healthz", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/x/y/z"]
)
def test_what_lies_outside_group_versions_is_no_resource(path):
    info = request_info("GET", path, "")
    assert not info.is_resource
    assert (info.verb, info.path) == ("get", path)


def test_a_name_from_a_field_selector_is_no_named_object():
    assert not request_info("GET", "/api/v1/nodes", "fieldSelector=metadata.name=n1").names_object
    assert request_info("GET", "/api/v1/nodes/n1", "").names_object


def test_the_refusal_has_the_words_that_kubectl_users_know():
    jane = User("jane")
    asked = Attributes(jane, "list", resource="pods", namespace="default")
    assert refusal_text(asked, "") == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    asked = Attributes(jane, "update", group="apps", resource="deployments", subresource="scale", name="web")
    assert refusal_text(asked, "because") == (
        'deployments.apps "web" is forbidden: User "jane" cannot update resource "deployments/scale" '
        'in API group "apps" at the cluster scope: because'
    )
    asked = Attributes(jane, "get", "/metrics", is_resource=False)
    assert refusal_text(asked, "") == 'forbidden: User "jane" cannot get path "/metrics"'


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        ("application/yaml", Form("yaml")),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form("json", "Table", "v1")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Form("json", "Table", "v1beta1")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form()),
        ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", Form("json", "PartialObjectMetadata", "v1")),
        ("application/yaml;q=0.5, application/json;q=0.9", Form()),
        ("application/json;stream=watch", Form()),
    ],
)
def test_the_first_form_that_can_be_served_is_chosen(accept, form):
    assert negotiate(accept) == form


@pytest.mark.parametrize("accept", ["application/cbor", "text/html", "application/json;as=Table;v=v9;g=meta.k8s.io"])
def test_what_cannot_be_served_is_not_acceptable(accept):
    with pytest.raises(NotAcceptable):
        negotiate(accept)


def test_aggregated_discovery_is_given_to_who_prefers_it():
    new = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    assert wants_aggregated_discovery(new)
    assert not wants_aggregated_discovery("application/json")
    assert not wants_aggregated_discovery("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")
