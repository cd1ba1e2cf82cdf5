"""Paths and keys to meaning, in the words that entries use."""

import json

import pytest
from lens_capture import KUBECTL, Capture, Grpc, clear_h2, kinds, one, secured_h2

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.lens import etcd, kubernetes, objects
from cluster_engine.lens.kubernetes import parse, plural, registry_token, singular
from cluster_engine.lens.opening import open_entry
from cluster_engine.rpc import cri_pb2, etcd_pb2, kv_pb2
from cluster_engine.words.sentences import explanation, sentence

KUBELET, CONTAINERD, API, ETCD = (
    "worker-1/kubelet",
    "worker-1/containerd",
    "control-plane/kube-apiserver",
    "control-plane/etcd",
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=true", ("watch", "", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=0", ("list", "", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces", ("list", "", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/default", ("get", "", "namespaces", "", "default", "")),
        ("PUT", "/api/v1/namespaces/x/finalize", ("update", "", "namespaces", "", "x", "finalize")),
        ("GET", "/api/v1/namespaces/x/pods/p?watch=1", ("get", "", "pods", "x", "p", "")),
        ("POST", "/api/v1/namespaces/x/pods/p/binding", ("create", "", "pods", "x", "p", "binding")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/x/deployments/w/scale",
            ("patch", "apps", "deployments", "x", "w", "scale"),
        ),
        ("DELETE", "/apis/apps/v1/namespaces/x/deployments", ("deletecollection", "apps", "deployments", "x", "", "")),
        ("GET", "/apis/apps/v1", ("get", "", "", "", "", "")),
        ("GET", "/version", ("get", "", "", "", "", "")),
        ("GET", "/api/v1/namespaces/x/pods/a%2Fb", ("get", "", "pods", "x", "a/b", "")),
    ],
)
def test_a_request_line_says_what_is_asked(method, path, expected):
    asked = parse(method, path)
    assert (asked.verb, asked.group, asked.resource, asked.namespace, asked.name, asked.subresource) == expected


@pytest.mark.parametrize(
    ("key", "token"),
    [
        ("/registry/pods/default/web-1", "pods/default/web-1"),
        ("/registry/minions/worker-1", "nodes//worker-1"),
        ("/registry/services/specs/default/kubernetes", "services/default/kubernetes"),
        ("/registry/services/endpoints/default/kubernetes", "endpoints/default/kubernetes"),
        ("/registry/apiregistration.k8s.io/apiservices/v1.apps", "apiservices//v1.apps"),
        ("/registry/namespaces/default", "namespaces//default"),
        ("/registry/pods/", "pods//"),
        ("compact_rev_key", ""),
    ],
)
def test_an_etcd_key_names_the_same_object_as_a_path(key, token):
    assert registry_token(key) == token


def test_one_and_many():
    pairs = {"pods": "Pod", "networkpolicies": "NetworkPolicy", "ingresses": "Ingress", "endpoints": "Endpoints"}
    for resource, kind in pairs.items():
        assert plural(kind) == resource
    assert [singular(resource) for resource in pairs] == ["pod", "networkpolicy", "ingress", "endpoints"]


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/api/v1/pods?limit=500", "GET pods"),
        ("GET", "/api/v1/nodes?watch=1&resourceVersion=7", "watch nodes"),
        ("DELETE", "/api/v1/namespaces/x/pods/p", "DELETE pods/p"),
        ("PATCH", "/api/v1/nodes/n/status", "PATCH nodes/n/status"),
        ("GET", "/version?timeout=5s", "GET /version"),
    ],
)
def test_a_request_has_a_short_label(method, path, label):
    assert parse(method, path).label == label


def test_a_watch_says_what_it_is_narrowed_to_and_where_it_begins():
    watch = parse("GET", "/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Da&labelSelector=app&resourceVersion=7")
    assert (watch.fields()["selector"], watch.fields()["since"]) == ("spec.nodeName=a, app", "7")
    assert not {"selector", "since"} & set(parse("GET", "/api/v1/pods?watch=1&resourceVersion=0").fields())


@pytest.mark.parametrize(
    ("path", "everywhere"),
    [("/api/v1/pods", True), ("/api/v1/namespaces/x/pods", False), ("/api/v1/nodes", False), ("/api/v1/pods/a", False)],
)
def test_a_collection_of_what_lies_in_namespaces_may_be_asked_for_in_all_of_them(path, everywhere):
    assert ("allNamespaces" in parse("GET", path).fields()) == everywhere


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("", "401 Unauthorized"),
        ("Unauthorized", "401 Unauthorized"),
        ("the token has expired", "401 Unauthorized, the token has expired"),
    ],
)
def test_a_refusal_says_what_its_status_does_not(problem, said):
    capture = Capture()
    h2 = secured_h2(capture)
    status = {"kind": "Status", "reason": "Unauthorized", "message": problem, "code": 401}
    h2.respond(h2.request("GET", "/api/v1/nodes"), 401, json.dumps(status).encode())
    assert sentence(one(capture.entries(), "http.response")) == f"kube-apiserver answers kubectl: {said}"


def test_objects_name_themselves_and_those_they_refer_to():
    pod = b"""{"kind":"Pod","metadata":{"name":"a","namespace":"x","uid":"u","ownerReferences":
        [{"kind":"ReplicaSet","name":"r","uid":"ru"}]},"spec":{"containers":[{"name":"c"}],"nodeName":null}}"""
    assert objects.read(pod).tokens("pods") == ["pods/x/a", "u", "ru", "replicasets/x/r"]
    token_request = b'{"kind":"TokenRequest","spec":{"boundObjectRef":{"kind":"Pod","name":"a","uid":"u"}}}'
    assert "u" in objects.read(token_request).tokens("serviceaccounts")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"metadata":7}', b'{"items":"no"}', b"\xff\xfe", b"null"])
def test_what_is_no_object_has_no_facts(body):
    assert objects.read(body).tokens("pods") == []
    assert objects.read_watch_event(body) is None


@pytest.mark.parametrize(
    "body", [b"", b"k8s", b"k8s\0\xff", b"k8s\0\x0a\x02\x0a\x00", b"k8s\0\x0a\x04\x0a\x02\xff\xff"]
)
def test_a_protobuf_body_that_an_api_server_would_refuse_has_no_facts(body):
    assert objects.decode_protobuf(body) is None
    assert objects.read_protobuf(body).tokens("pods") == []


def test_a_protobuf_body_is_read_for_its_name_and_shown_as_json():
    pytest.importorskip("cluster_engine.api.protobuf")
    capture = Capture()
    h2 = secured_h2(capture)
    metadata = b"\x0a\x03web\x1a\x07default"
    raw = b"\x0a" + bytes([len(metadata)]) + metadata
    body = b"k8s\0\x0a\x15\x0a\x07apps/v1\x12\x0aDeployment\x12" + bytes([len(raw)]) + raw
    stream = h2.request(
        "POST",
        "/apis/apps/v1/namespaces/default/deployments",
        body,
        [("content-type", "application/vnd.kubernetes.protobuf")],
    )
    assert stream
    journal = capture.journal()
    request = one(journal.since(0, 99), "http.request")
    assert request["fields"]["name"] == "web"
    shown = open_entry(journal, request["seq"])["body"]
    assert shown["type"] == "protobuf"
    assert '"name":"web"' in shown["text"]


def test_a_table_of_a_watch_is_read_by_its_row():
    capture = Capture()
    h2 = secured_h2(capture)
    stream = h2.request("GET", "/api/v1/namespaces/default/pods?watch=true")
    h2.respond(stream, 200, end=False, content_type="application/json;as=Table;v=v1;g=meta.k8s.io")
    row = b'{"cells":["a"],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"a","namespace":"default"}}}'
    h2.more(stream, b'{"type":"ADDED","object":{"kind":"Table","rows":[%b]}}\n' % row)
    assert one(capture.entries(), "watch.event")["fields"]["name"] == "a"


# -- etcd and CRI -----------------------------------------------------------------------------------------------------


def etcd_calls() -> tuple[Capture, Grpc]:
    capture = Capture()
    return capture, Grpc(secured_h2(capture, API, ETCD))


def test_ranges_puts_and_leases_say_which_keys_and_revisions():
    capture, call = etcd_calls()
    header = etcd_pb2.ResponseHeader(revision=12)
    stream = call.ask(
        "/etcdserverpb.KV/Range", etcd_pb2.RangeRequest(key=b"/registry/pods/", range_end=b"/registry/pods0")
    )
    pair = kv_pb2.KeyValue(key=b"/registry/pods/default/a", value=b"{}", mod_revision=9)
    call.answer(stream, etcd_pb2.RangeResponse(header=header, kvs=[pair], count=1))
    stream = call.ask("/etcdserverpb.Lease/LeaseGrant", etcd_pb2.LeaseGrantRequest(TTL=3600))
    call.answer(stream, etcd_pb2.LeaseGrantResponse(header=header, ID=7, TTL=3600))
    journal = capture.journal()
    entries = journal.since(0, 99)

    asked = one(entries, "grpc.request", method="Range")
    assert asked["label"] == "Range pods/"
    assert sentence(asked) == "kube-apiserver asks etcd for all keys under /registry/pods/"
    answer = one(entries, "grpc.response", count=1)
    assert (answer["replyTo"], answer["cause"], answer["fields"]["revision"]) == (asked["seq"], asked["seq"], 12)
    detail = open_entry(journal, answer["seq"])
    assert detail["body"]["type"] == "protobuf"
    assert '"key": "/registry/pods/default/a"' in detail["body"]["text"]
    assert ["grpc-status", "0"] in detail["headers"]
    assert "lease of 3600 seconds" in sentence(one(entries, "grpc.request", method="LeaseGrant"))


def test_a_transaction_says_whether_its_condition_held():
    capture, call = etcd_calls()
    key = b"/registry/pods/default/a"
    compare = etcd_pb2.Compare(key=key, target="MOD", mod_revision=5)
    get = etcd_pb2.RequestOp(request_range=etcd_pb2.RangeRequest(key=key))
    put = etcd_pb2.RequestOp(request_put=etcd_pb2.PutRequest(key=key, value=b"{}"))
    stream = call.ask("/etcdserverpb.KV/Txn", etcd_pb2.TxnRequest(compare=[compare], success=[put], failure=[get]))
    call.answer(stream, etcd_pb2.TxnResponse(header=etcd_pb2.ResponseHeader(revision=8), succeeded=False))
    stream = call.ask(
        "/etcdserverpb.KV/Txn",
        etcd_pb2.TxnRequest(
            compare=[compare], success=[etcd_pb2.RequestOp(request_delete_range=etcd_pb2.DeleteRangeRequest(key=key))]
        ),
    )
    call.answer(stream, etcd_pb2.TxnResponse(header=etcd_pb2.ResponseHeader(revision=9), succeeded=True))

    entries = capture.entries()
    update, delete = [entry for entry in entries if entry["kind"] == "grpc.request"]
    assert (update["fields"]["operation"], update["label"]) == ("update", "Txn update pods/default/a")
    assert delete["label"] == "Txn delete pods/default/a"
    assert one(entries, "grpc.response", succeeded=False)["label"] == "condition failed"
    assert one(entries, "grpc.response", succeeded=True)["label"] == "revision 9"


def test_each_event_of_an_etcd_watch_is_an_entry_and_a_lease_that_ran_out_is_a_timers_doing():
    capture, call = etcd_calls()
    create = etcd_pb2.WatchCreateRequest(key=b"/registry/events/", range_end=b"/registry/events0", start_revision=3)
    stream = call.ask("/etcdserverpb.Watch/Watch", etcd_pb2.WatchRequest(create_request=create), end=False)
    call.open_answer(stream)
    header = etcd_pb2.ResponseHeader(revision=3)
    call.say(stream, etcd_pb2.WatchResponse(header=header, created=True), from_client=False)
    events = [
        kv_pb2.Event(type="DELETE", kv=kv_pb2.KeyValue(key=b"/registry/events/default/%d" % n, mod_revision=n))
        for n in (4, 5)
    ]
    call.say(stream, etcd_pb2.WatchResponse(header=header, events=events), from_client=False)
    call.say(stream, etcd_pb2.WatchResponse(header=header), from_client=False)
    call.say(stream, etcd_pb2.WatchRequest(cancel_request=etcd_pb2.WatchCancelRequest(watch_id=1)))
    call.say(stream, etcd_pb2.WatchResponse(header=header, canceled=True, cancel_reason="so"), from_client=False)
    call.end(stream, 14, "gone")

    entries = capture.entries()
    after = kinds(entries)[kinds(entries).index("grpc.request") :]
    assert after == [
        "grpc.request",
        "grpc.message",
        "etcd.event",
        "etcd.event",
        "grpc.message",
        "grpc.message",
        "grpc.message",
        "grpc.response",
    ]
    event = one(entries, "etcd.event", revision=5)
    assert event["label"] == "DELETE events/default/5"
    assert (event["cause"], event["trigger"]) == (None, "timer")
    assert [entry["heartbeat"] for entry in entries if entry["kind"] == "grpc.message"] == [False, True, False, False]
    assert one(entries, "grpc.response")["label"] == "UNAVAILABLE"


def test_a_call_of_an_unknown_service_is_shown_by_name():
    capture, call = etcd_calls()
    stream = call.ask("/acme.Rocket/Launch", etcd_pb2.PutRequest(key=b"x"))
    call.answer(stream, etcd_pb2.PutResponse())
    entries = capture.entries()
    assert one(entries, "grpc.request")["fields"] == {"service": "acme.Rocket", "method": "Launch"}
    assert one(entries, "grpc.response")["label"] == "Launch done"


def test_a_message_that_is_no_such_message_is_shown_all_the_same():
    capture, call = etcd_calls()
    client = call.h2.client
    stream = client.get_next_available_stream_id()
    headers = [(":method", "POST"), (":scheme", "http"), (":authority", "e"), (":path", "/etcdserverpb.KV/Range")]
    client.send_headers(stream, [*headers, ("content-type", "application/grpc")])
    client.send_data(stream, b"\0\0\0\0\x02\xff\xff", end_stream=True)
    call.h2.flush()
    journal = capture.journal()
    request = one(journal.since(0, 99), "grpc.request")
    assert open_entry(journal, request["seq"])["body"]["text"] == "ff ff"


def test_containers_are_called_by_name_once_they_have_one():
    capture = Capture()
    call = Grpc(clear_h2(capture, KUBELET, CONTAINERD))
    metadata = cri_pb2.PodSandboxMetadata(name="web-1", namespace="default", uid="u")
    config = cri_pb2.PodSandboxConfig(metadata=metadata)
    service = "/runtime.v1.RuntimeService/"
    stream = call.ask(service + "RunPodSandbox", cri_pb2.RunPodSandboxRequest(config=config))
    call.answer(stream, cri_pb2.RunPodSandboxResponse(pod_sandbox_id="sss"))
    stream = call.ask(
        "/runtime.v1.ImageService/PullImage",
        cri_pb2.PullImageRequest(image=cri_pb2.ImageSpec(image="nginx"), sandbox_config=config),
    )
    call.answer(stream, cri_pb2.PullImageResponse(image_ref="r"))
    container = cri_pb2.ContainerConfig(metadata=cri_pb2.ContainerMetadata(name="nginx"))
    request = cri_pb2.CreateContainerRequest(pod_sandbox_id="sss", config=container, sandbox_config=config)
    call.answer(call.ask(service + "CreateContainer", request), cri_pb2.CreateContainerResponse(container_id="ccc"))
    stop = cri_pb2.StopContainerRequest(container_id="ccc")
    call.answer(call.ask(service + "StopContainer", stop), cri_pb2.StopContainerResponse())
    unknown = cri_pb2.StopContainerRequest(container_id="0123456789abcdef")
    call.answer(call.ask(service + "StopContainer", unknown), cri_pb2.StopContainerResponse())
    listing = call.ask(service + "ListPodSandbox", cri_pb2.ListPodSandboxRequest())
    call.answer(listing, cri_pb2.ListPodSandboxResponse(items=[cri_pb2.PodSandbox(id="sss")]))
    of_pod = cri_pb2.PodSandboxFilter(label_selector={"io.kubernetes.pod.uid": "u"})
    call.answer(
        call.ask(service + "ListPodSandbox", cri_pb2.ListPodSandboxRequest(filter=of_pod)),
        cri_pb2.ListPodSandboxResponse(),
    )

    entries = capture.entries()
    labels = [entry["label"] for entry in entries if entry["kind"] == "grpc.request"]
    assert labels == [
        "RunPodSandbox web-1",
        "PullImage nginx",
        "CreateContainer web-1/nginx",
        "StopContainer web-1/nginx",
        "StopContainer 0123456789abc",
        "ListPodSandbox",
        "ListPodSandbox",
    ]
    assert sentence(one(entries, "grpc.request", method="RunPodSandbox")) == (
        "worker-1's kubelet asks worker-1's containerd to make the sandbox of web-1"
    )
    heartbeats = [entry["heartbeat"] for entry in entries if entry["kind"] == "grpc.request"]
    assert heartbeats == [False, False, False, False, False, True, False]


def test_a_runtimes_event_follows_the_call_that_made_it():
    capture = Capture()
    call = Grpc(clear_h2(capture, KUBELET, CONTAINERD))
    service = "/runtime.v1.RuntimeService/"
    events = call.ask(service + "GetContainerEvents", cri_pb2.GetEventsRequest())
    call.open_answer(events)
    metadata = cri_pb2.PodSandboxMetadata(name="web-1", namespace="default", uid="u")
    run = cri_pb2.RunPodSandboxRequest(config=cri_pb2.PodSandboxConfig(metadata=metadata))
    stream = call.ask(service + "RunPodSandbox", run)
    status = cri_pb2.PodSandboxStatus(id="sss", metadata=metadata)
    event = cri_pb2.ContainerEventResponse(container_id="sss", container_event_type=1, pod_sandbox_status=status)
    call.say(events, event, from_client=False)
    call.answer(stream, cri_pb2.RunPodSandboxResponse(pod_sandbox_id="sss"))

    entries = capture.entries()
    message = one(entries, "grpc.message")
    assert message["cause"] == one(entries, "grpc.request", method="RunPodSandbox")["seq"]
    assert sentence(message) == "worker-1's containerd tells worker-1's kubelet: the sandbox of web-1 was started"


def test_a_compressed_message_is_shown_as_bytes():
    capture, call = etcd_calls()
    client = call.h2.client
    stream = client.get_next_available_stream_id()
    headers = [(":method", "POST"), (":scheme", "http"), (":authority", "e"), (":path", "/etcdserverpb.KV/Range")]
    client.send_headers(stream, [*headers, ("content-type", "application/grpc")])
    client.send_data(stream, b"\1\0\0\0\0", end_stream=True)
    call.h2.flush()
    last = capture.entries()[-1]
    assert (last["kind"], last["fields"]["unreadable"]) == ("tls.data", "a compressed gRPC message")


# -- words and explanations -------------------------------------------------------------------------------------------


def test_every_kind_that_the_lens_writes_is_explained():
    source = "".join(path.read_text() for path in kubernetes_sources())
    written = {
        part
        for part in source.replace("'", '"').split('"')
        if part.startswith(("tcp.", "tls.", "http.", "h2.", "watch.", "grpc.", "etcd."))
        and part.islower()
        and " " not in part
    }
    assert {"tls.client_hello", "watch.event", "tcp.syn"} <= written
    for kind in written:
        assert explanation({"kind": kind, "fields": {}}), f"{kind} is not explained"


def kubernetes_sources():
    from pathlib import Path

    return sorted(Path(kubernetes.__file__).parent.glob("*.py"))


def test_every_entry_has_a_sentence_with_both_names():
    capture = Capture()
    capture.note(KUBECTL, "command.started", "kubectl get pods")
    h2 = secured_h2(capture)
    h2.respond(h2.request("GET", "/api/v1/namespaces/default/pods"), 200, b'{"kind":"PodList","items":[]}')
    for entry in capture.entries():
        assert sentence(entry)
        assert entry["label"]
        if entry["to"]:
            assert "kubectl" in sentence(entry) and "kube-apiserver" in sentence(entry)


def test_etcd_knows_a_create_by_its_condition():
    key = b"/registry/pods/default/a"
    put = etcd_pb2.RequestOp(request_put=etcd_pb2.PutRequest(key=key))
    for compare in (
        etcd_pb2.Compare(key=key, target="MOD", mod_revision=0),
        etcd_pb2.Compare(key=key, target="VERSION"),
    ):
        meaning = etcd.request("Txn", etcd_pb2.TxnRequest(compare=[compare], success=[put]))
        assert meaning.fields["operation"] == "create"


@pytest.mark.parametrize("kind", BUILT_IN.stored, ids=lambda each: each.name)
def test_a_key_in_etcd_is_named_as_the_path_of_the_same_object(kind):
    place = "shop" if kind.namespaced else ""
    key = f"/registry/{kind.storage_prefix}/{'shop/' if kind.namespaced else ''}a"
    assert registry_token(key) == parse("GET", kind.path("shop", "a")).token == f"{kind.plural}/{place}/a"


def test_a_service_in_a_namespace_called_endpoints_is_a_service():
    assert registry_token("/registry/services/specs/endpoints/web") == "services/endpoints/web"
