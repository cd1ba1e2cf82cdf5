"""The Python `kubernetes` client, a second foreign client, over HTTP/1.1."""

import itertools

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from patience import until

pytestmark = [
    pytest.mark.foreign,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def api(control_plane):
    with config.new_client_from_config(control_plane.kubeconfig) as connection:
        yield connection


def test_objects_are_created_listed_patched_and_deleted(api, namespace):
    core = client.CoreV1Api(api)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="settings"), data={"a": "1"})
    made = core.create_namespaced_config_map(namespace, body)
    assert made.metadata.uid
    core.patch_namespaced_config_map("settings", namespace, {"data": {"b": "2"}})
    assert core.read_namespaced_config_map("settings", namespace).data == {"a": "1", "b": "2"}
    assert "settings" in [one.metadata.name for one in core.list_namespaced_config_map(namespace).items]
    core.delete_namespaced_config_map("settings", namespace)
    with pytest.raises(ApiException) as told:
        core.read_namespaced_config_map("settings", namespace)
    assert (told.value.status, told.value.reason) == (404, "Not Found")


def test_a_stale_update_is_a_conflict(api, namespace):
    core = client.CoreV1Api(api)
    stale = core.create_namespaced_config_map(
        namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="both"), data={"a": "1"})
    )
    core.patch_namespaced_config_map("both", namespace, {"data": {"a": "2"}})
    with pytest.raises(ApiException) as told:
        core.replace_namespaced_config_map("both", namespace, stale)
    assert told.value.status == 409
    assert "the object has been modified" in told.value.body


def test_a_watch_tells_what_happened_in_order(api, namespace):
    core = client.CoreV1Api(api)
    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="seen")))
    core.patch_namespaced_config_map("seen", namespace, {"data": {"x": "y"}})
    core.delete_namespaced_config_map("seen", namespace)
    events = watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=version,
        field_selector="metadata.name=seen",
        timeout_seconds=30,
    )
    assert [event["type"] for event in itertools.islice(events, 3)] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_deployment_comes_to_run(api, namespace):
    apps = client.AppsV1Api(api)
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": "x"}),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="nginx")]),
    )
    spec = client.V1DeploymentSpec(
        replicas=2, selector=client.V1LabelSelector(match_labels={"app": "x"}), template=template
    )
    apps.create_namespaced_deployment(namespace, client.V1Deployment(metadata=client.V1ObjectMeta(name="x"), spec=spec))
    until(lambda: apps.read_namespaced_deployment("x", namespace).status.available_replicas == 2)


def test_an_oversized_body_is_refused_with_413(api, namespace):
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="big"), data={"x": "x" * (3 * 1024 * 1024 + 1)})
    with pytest.raises(ApiException) as told:
        client.CoreV1Api(api).create_namespaced_config_map(namespace, body)
    assert told.value.status == 413
