"""Why everything was said: from any entry the chain leads back to a command, a timer, a fault or a start."""

import json

import pytest
from lens_capture import API, ETCD, KUBECTL, Capture, Clear, Grpc, chain, clear_h2, kinds, one, secured_h2

from cluster_engine.journal.recent import Recent
from cluster_engine.lens.causes import WORK_SECONDS_MAX, Causes, Serving
from cluster_engine.rpc import cri_pb2, etcd_pb2, kv_pb2
from cluster_engine.words.sentences import sentence

MANAGER, SCHEDULER, KUBELET = (
    "control-plane/kube-controller-manager",
    "control-plane/kube-scheduler",
    "worker-1/kubelet",
)
JSON = [("content-type", "application/json")]


def obj(kind: str, name: str, uid: str, version: int, **more) -> dict:
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": uid,
        "resourceVersion": str(version),
        **more.pop("meta", {}),
    }
    return {"kind": kind, "metadata": metadata, **more}


def encoded(value: dict) -> bytes:
    return json.dumps(value).encode()


class Cluster:
    """A capture in which etcd, an API server and its clients say by hand what the real ones would say."""

    def __init__(self) -> None:
        self.capture = Capture()
        for process in (ETCD, API, MANAGER, SCHEDULER, KUBELET):
            self.capture.note(process, "process.started", name=process.partition("/")[2])
        self.etcd = Grpc(secured_h2(self.capture, API, ETCD))
        self.revision = 10
        self.capture.at += 1
        self.events = self.etcd.ask("/etcdserverpb.Watch/Watch", self._watch_request(), end=False)
        self.etcd.open_answer(self.events)
        header = etcd_pb2.ResponseHeader(revision=self.revision)
        self.etcd.say(self.events, etcd_pb2.WatchResponse(header=header, created=True), from_client=False)
        self.watches: dict[str, tuple] = {}

    @staticmethod
    def _watch_request() -> etcd_pb2.WatchRequest:
        create = etcd_pb2.WatchCreateRequest(key=b"/registry/", range_end=b"/registry0")
        return etcd_pb2.WatchRequest(create_request=create)

    def watch(self, client: str, resource: str) -> None:
        h2 = secured_h2(self.capture, client, API)
        prefix = "/api/v1" if resource in ("pods", "nodes") else "/apis/apps/v1"
        listing = h2.request("GET", f"{prefix}/{resource}?limit=500")
        h2.respond(listing, 200, encoded({"kind": "List", "metadata": {"resourceVersion": "9"}, "items": []}))
        stream = h2.request("GET", f"{prefix}/{resource}?watch=true&resourceVersion=9")
        h2.respond(stream, 200, end=False)
        self.watches[client] = (h2, stream)

    def store(self, key: str, value: dict, *, create: bool = True, event_first: bool = False) -> int:
        """The API server writes; etcd answers and tells its watch."""
        self.revision += 1
        value["metadata"]["resourceVersion"] = str(self.revision)
        compare = etcd_pb2.Compare(key=key.encode(), target="MOD", mod_revision=0 if create else 5)
        put = etcd_pb2.RequestOp(request_put=etcd_pb2.PutRequest(key=key.encode(), value=encoded(value)))
        stream = self.etcd.ask("/etcdserverpb.KV/Txn", etcd_pb2.TxnRequest(compare=[compare], success=[put]))
        if event_first:
            self._tell(key, value)
        header = etcd_pb2.ResponseHeader(revision=self.revision)
        self.etcd.answer(stream, etcd_pb2.TxnResponse(header=header, succeeded=True))
        if not event_first:
            self._tell(key, value)
        return self.revision

    def _tell(self, key: str, value: dict) -> None:
        pair = kv_pb2.KeyValue(key=key.encode(), value=encoded(value), mod_revision=self.revision, create_revision=1)
        header = etcd_pb2.ResponseHeader(revision=self.revision)
        response = etcd_pb2.WatchResponse(header=header, events=[kv_pb2.Event(type="PUT", kv=pair)])
        self.etcd.say(self.events, response, from_client=False)

    def tell(self, client: str, kind: str, value: dict) -> None:
        h2, stream = self.watches[client]
        h2.more(stream, encoded({"type": kind, "object": value}) + b"\n")


@pytest.mark.parametrize("event_first", [False, True])
def test_from_a_kubelets_status_the_chain_leads_back_to_the_command(event_first):
    cluster = Cluster()
    capture = cluster.capture
    cluster.watch(MANAGER, "deployments")
    cluster.watch(SCHEDULER, "pods")
    cluster.watch(KUBELET, "pods")
    capture.at += 10
    capture.note("workstation", "command.started", "kubectl create deployment web", process=KUBECTL)
    capture.note(KUBECTL, "process.started", "kubectl starts", name="kubectl")
    kubectl = secured_h2(capture)
    post = kubectl.request(
        "POST", "/apis/apps/v1/namespaces/default/deployments", encoded(obj("Deployment", "web", "", 0)), JSON
    )
    deployment = obj("Deployment", "web", "d", 0)
    cluster.store("/registry/deployments/default/web", deployment, event_first=event_first)
    kubectl.respond(post, 201, encoded(deployment))
    cluster.tell(MANAGER, "ADDED", deployment)

    manager, _ = cluster.watches[MANAGER]
    owner = [{"kind": "Deployment", "name": "web", "uid": "d"}]
    post = manager.request(
        "POST",
        "/apis/apps/v1/namespaces/default/replicasets",
        encoded(obj("ReplicaSet", "web-5d", "", 0, meta={"ownerReferences": owner})),
        JSON,
    )
    replica_set = obj("ReplicaSet", "web-5d", "r", 0)
    cluster.store("/registry/replicasets/default/web-5d", replica_set)
    manager.respond(post, 201, encoded(replica_set))

    owner = [{"kind": "ReplicaSet", "name": "web-5d", "uid": "r"}]
    generated = {"kind": "Pod", "metadata": {"generateName": "web-5d-", "ownerReferences": owner}}
    post = manager.request("POST", "/api/v1/namespaces/default/pods", encoded(generated), JSON)
    pod = obj("Pod", "web-5d-abcde", "p", 0)
    cluster.store("/registry/pods/default/web-5d-abcde", pod)
    manager.respond(post, 201, encoded(pod))
    cluster.tell(SCHEDULER, "ADDED", pod)
    capture.at += 0.5

    scheduler, _ = cluster.watches[SCHEDULER]
    binding = {"kind": "Binding", "metadata": {"name": "web-5d-abcde"}, "target": {"kind": "Node", "name": "worker-1"}}
    bind = scheduler.request("POST", "/api/v1/namespaces/default/pods/web-5d-abcde/binding", encoded(binding), JSON)
    cluster.store("/registry/pods/default/web-5d-abcde", pod, create=False)
    scheduler.respond(bind, 201, b'{"kind":"Status","status":"Success"}')
    cluster.tell(KUBELET, "ADDED", pod)

    runtime = Grpc(clear_h2(capture, KUBELET, "worker-1/containerd"))
    metadata = cri_pb2.PodSandboxMetadata(name="web-5d-abcde", namespace="default", uid="p")
    sandbox = runtime.ask(
        "/runtime.v1.RuntimeService/RunPodSandbox",
        cri_pb2.RunPodSandboxRequest(config=cri_pb2.PodSandboxConfig(metadata=metadata)),
    )
    capture.at += 1
    runtime.answer(sandbox, cri_pb2.RunPodSandboxResponse(pod_sandbox_id="sandbox-1"))
    create = cri_pb2.CreateContainerRequest(
        pod_sandbox_id="sandbox-1", config=cri_pb2.ContainerConfig(metadata=cri_pb2.ContainerMetadata(name="nginx"))
    )
    created = runtime.ask("/runtime.v1.RuntimeService/CreateContainer", create)
    runtime.answer(created, cri_pb2.CreateContainerResponse(container_id="container-1"))
    started = runtime.ask(
        "/runtime.v1.RuntimeService/StartContainer", cri_pb2.StartContainerRequest(container_id="container-1")
    )
    capture.at += 1
    runtime.answer(started, cri_pb2.StartContainerResponse())

    kubelet, _ = cluster.watches[KUBELET]
    patch = kubelet.request("PATCH", "/api/v1/namespaces/default/pods/web-5d-abcde/status", b'{"status":{}}', JSON)
    cluster.store("/registry/pods/default/web-5d-abcde", pod, create=False)
    kubelet.respond(patch, 200, encoded(pod))
    capture.note(KUBELET, "kubelet.running", "it runs", pod="default/web-5d-abcde")

    entries = capture.entries()
    story = chain(entries, [entry for entry in entries if entry["kind"] == "etcd.event"][-1])
    assert [f"{entry['kind']} {entry['label']}" for entry in story] == [
        "etcd.event PUT pods/default/web-5d-abcde",
        "grpc.request Txn update pods/default/web-5d-abcde",
        "http.request PATCH pods/web-5d-abcde/status",
        "grpc.response StartContainer done",
        "grpc.request StartContainer web-5d-abcde/nginx",
        "grpc.response CreateContainer done",
        "grpc.request CreateContainer web-5d-abcde/nginx",
        "grpc.response RunPodSandbox done",
        "grpc.request RunPodSandbox web-5d-abcde",
        "watch.event ADDED pod web-5d-abcde",
        "etcd.event PUT pods/default/web-5d-abcde",
        "grpc.request Txn update pods/default/web-5d-abcde",
        "http.request POST pods/web-5d-abcde/binding",
        "watch.event ADDED pod web-5d-abcde",
        "etcd.event PUT pods/default/web-5d-abcde",
        "grpc.request Txn create pods/default/web-5d-abcde",
        "http.request POST pods",
        "http.response 201 Created",
        "http.request POST replicasets",
        "watch.event ADDED deployment web",
        "etcd.event PUT deployments/default/web",
        "grpc.request Txn create deployments/default/web",
        "http.request POST deployments",
        "command.started kubectl create deployment web",
    ]
    assert story[-1]["kind"] == "command.started"
    assert chain(entries, entries[-1])[-1]["kind"] == "command.started"
    begun = one(entries, "command.started")["seq"]
    for entry in entries[begun:]:
        assert chain(entries, entry)[-1]["seq"] == begun, entry


def test_a_pod_that_waited_is_bound_for_what_became_of_the_node():
    cluster = Cluster()
    capture = cluster.capture
    cluster.watch(SCHEDULER, "nodes")
    nodes = cluster.watches[SCHEDULER]
    cluster.watch(SCHEDULER, "pods")
    pod = obj("Pod", "web", "p", 0)
    cluster.store("/registry/pods/default/web", pod)
    cluster.tell(SCHEDULER, "MODIFIED", pod)
    capture.at += 5
    node = obj("Node", "worker-1", "n", 0, meta={"namespace": ""})
    cluster.store("/registry/minions/worker-1", node)
    scheduler, _ = cluster.watches[SCHEDULER]
    cluster.watches[SCHEDULER] = nodes
    cluster.tell(SCHEDULER, "MODIFIED", node)
    capture.at += 0.002  # it computes
    binding = {"kind": "Binding", "metadata": {"name": "web"}, "target": {"kind": "Node", "name": "worker-1"}}
    scheduler.request("POST", "/api/v1/namespaces/default/pods/web/binding", encoded(binding), JSON)
    entries = capture.entries()
    bound = next(one for one in entries if one["label"] == "POST pods/web/binding")
    (cause,) = [one for one in entries if one["seq"] == bound["cause"]]
    assert (cause["kind"], cause["label"]) == ("watch.event", "MODIFIED node worker-1")


def test_before_any_command_everything_leads_back_to_a_start():
    cluster = Cluster()
    cluster.watch(MANAGER, "deployments")
    entries = cluster.capture.entries()
    assert {chain(entries, entry)[-1]["trigger"] for entry in entries} <= {"start", "timer"}
    watch = one(entries, "http.request", verb="watch")
    assert chain(entries, watch)[-1]["from"] == MANAGER


def test_a_request_out_of_the_blue_has_the_clock_as_its_reason():
    cluster = Cluster()
    cluster.watch(MANAGER, "deployments")
    cluster.capture.at += 60
    manager, _ = cluster.watches[MANAGER]
    manager.request("PATCH", "/api/v1/nodes/worker-1", b"{}")
    request = one(cluster.capture.entries(), "http.request", verb="patch")
    assert (request["cause"], request["trigger"], request["heartbeat"]) == (None, "timer", False)


def test_what_was_received_too_long_ago_is_no_cause():
    cluster = Cluster()
    cluster.watch(MANAGER, "deployments")
    cluster.tell(MANAGER, "ADDED", obj("Deployment", "web", "d", 7))
    manager, _ = cluster.watches[MANAGER]
    cluster.capture.at += 1
    manager.request("GET", "/apis/apps/v1/namespaces/default/deployments/web")
    cluster.capture.at += 300
    manager.request("PUT", "/apis/apps/v1/namespaces/default/deployments/web", b"{}")

    entries = cluster.capture.entries()
    event = one(entries, "watch.event")
    assert one(entries, "http.request", verb="get")["cause"] == event["seq"]
    assert one(entries, "http.request", verb="update")["trigger"] == "timer"


def test_an_endpoint_slice_follows_the_pod_that_it_lists():
    cluster = Cluster()
    cluster.watch(MANAGER, "pods")
    cluster.tell(MANAGER, "MODIFIED", obj("Pod", "web-1", "p1", 7))
    manager, _ = cluster.watches[MANAGER]
    slices = obj(
        "EndpointSlice", "web-x", "", 0, endpoints=[{"targetRef": {"kind": "Pod", "uid": "p1", "name": "web-1"}}]
    )
    manager.request("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", encoded(slices), JSON)
    entries = cluster.capture.entries()
    assert one(entries, "http.request", verb="create")["cause"] == one(entries, "watch.event")["seq"]


def test_an_event_object_follows_the_last_word_about_what_it_involves():
    cluster = Cluster()
    cluster.watch(SCHEDULER, "pods")
    cluster.tell(SCHEDULER, "ADDED", obj("Pod", "web-1", "p1", 7))
    scheduler, _ = cluster.watches[SCHEDULER]
    event = {"kind": "Event", "metadata": {"generateName": "web-1."}, "involvedObject": {"kind": "Pod", "uid": "p1"}}
    scheduler.request("POST", "/api/v1/namespaces/default/events", encoded(event), JSON)
    entries = cluster.capture.entries()
    assert one(entries, "http.request", verb="create")["cause"] == one(entries, "watch.event")["seq"]


def test_a_lease_renewal_is_a_heartbeat_from_the_request_to_the_watcher():
    cluster = Cluster()
    cluster.watch(MANAGER, "leases")
    kubelet = secured_h2(cluster.capture, KUBELET, API)
    cluster.capture.at += 10
    lease = obj("Lease", "worker-1", "l", 0)
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1"
    put = kubelet.request("PUT", path, encoded(lease), JSON)
    lease["metadata"]["namespace"] = "kube-node-lease"
    cluster.store("/registry/leases/kube-node-lease/worker-1", lease, create=False)
    kubelet.respond(put, 200, encoded(lease))
    cluster.tell(MANAGER, "MODIFIED", lease)

    entries = cluster.capture.entries()
    request = one(entries, "http.request", verb="update")
    assert (request["heartbeat"], request["trigger"]) == (True, "timer")
    after = entries[request["seq"] :]
    assert kinds(after) == [
        "grpc.request",
        "grpc.response",
        "etcd.event",
        "http.response",
        "watch.event",
    ]
    assert all(entry["heartbeat"] for entry in after)
    assert chain(entries, after[-1])[-1] == request


def test_a_node_status_is_a_heartbeat_only_when_nothing_else_has_changed():
    def patch(status: dict) -> dict:
        capture = Capture()
        kubelet = secured_h2(capture, KUBELET, API)
        kubelet.request("PATCH", "/api/v1/nodes/worker-1/status", encoded({"status": status}), JSON)
        return one(capture.entries(), "http.request")

    beat = {"type": "Ready", "lastHeartbeatTime": "2026-11-21T10:00:00Z"}
    order = {"$setElementOrder/conditions": [{"type": "Ready"}]}
    assert patch({"conditions": [beat], **order})["heartbeat"] is True
    assert patch({"conditions": [{**beat, "status": "False"}], **order})["heartbeat"] is False
    assert patch({"addresses": []})["heartbeat"] is False
    assert patch({"conditions": "no list"})["heartbeat"] is False


def test_a_bookmark_is_a_heartbeat_and_so_is_the_watch_that_goes_on_from_an_ended_one():
    cluster = Cluster()
    cluster.watch(SCHEDULER, "pods")
    cluster.tell(SCHEDULER, "BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "30"}})
    h2, stream = cluster.watches[SCHEDULER]
    cluster.capture.at += 300
    h2.more(stream, b"", end=True)
    h2.request("GET", "/api/v1/pods?watch=true&resourceVersion=30&timeoutSeconds=311")

    entries = cluster.capture.entries()
    assert one(entries, "watch.event")["heartbeat"] is True
    first, again = [
        entry for entry in entries if entry["kind"] == "http.request" and entry["fields"]["verb"] == "watch"
    ]
    assert (first["heartbeat"], again["heartbeat"]) == (False, True)
    assert again["cause"] == one(entries, "http.end")["seq"]


def test_a_watch_resumed_after_a_broken_connection_is_no_heartbeat():
    cluster = Cluster()
    cluster.watch(SCHEDULER, "pods")
    h2, _ = cluster.watches[SCHEDULER]
    cluster.capture.flag(h2.wire.number, False, "R")
    cluster.watch(SCHEDULER, "pods")
    entries = cluster.capture.entries()
    watches = [entry for entry in entries if entry["kind"] == "http.request" and entry["fields"]["verb"] == "watch"]
    assert [watch["heartbeat"] for watch in watches] == [False, False]


def test_an_error_event_leads_to_the_list_that_follows():
    cluster = Cluster()
    cluster.watch(SCHEDULER, "pods")
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (4280)"}
    cluster.tell(SCHEDULER, "ERROR", gone)
    h2, _ = cluster.watches[SCHEDULER]
    cluster.capture.at += 0.8
    h2.request("GET", "/api/v1/pods?limit=500&resourceVersion=")

    entries = cluster.capture.entries()
    error = one(entries, "watch.event", type="ERROR")
    assert (error["label"], error["fields"]["code"]) == ("ERROR 410 Expired", 410)
    assert entries[-1]["cause"] == error["seq"]


def test_a_command_that_asks_twice_asks_the_second_time_because_of_the_first_answer():
    capture = Capture()
    capture.note("workstation", "command.started", "kubectl scale", process=KUBECTL)
    h2 = secured_h2(capture)
    h2.respond(h2.request("GET", "/apis/apps/v1/namespaces/default/deployments/web"), 200, b"{}")
    capture.at += 1
    h2.request("GET", "/version")
    capture.note(KUBECTL, "process.exited", "")
    capture.note("workstation", "command.finished", "", process=KUBECTL)

    entries = capture.entries()
    answer = one(entries, "http.response")
    assert one(entries, "http.request", path="/version")["cause"] == answer["seq"]
    assert one(entries, "process.exited")["cause"] == answer["seq"]
    assert one(entries, "command.finished")["cause"] == one(entries, "process.exited")["seq"]


def test_a_process_that_is_ended_ends_because_of_who_ends_it_and_not_of_what_it_heard():
    capture = Capture()
    for process in (KUBELET, SCHEDULER, MANAGER):
        capture.note(process, "process.started", "")
        h2 = secured_h2(capture, process, API)
        h2.respond(h2.request("GET", "/api/v1/nodes/worker-1"), 200, b"{}")
    capture.at += 1
    capture.note("", "fault.started", "kill", fault="f1", host="worker-1")
    capture.note(KUBELET, "process.exited", "", exitCode=137, signal=9)
    capture.at += 1
    capture.note("", "command.started", "systemctl stop kube-scheduler", host="control-plane")
    capture.note(SCHEDULER, "process.exited", "", exitCode=0, signal=15)
    capture.note("", "command.finished", "exit 0", host="control-plane")
    capture.at += 1
    capture.note(MANAGER, "process.exited", "", exitCode=137, signal=9)

    entries = capture.entries()
    killed, stopped, gone = [entry for entry in entries if entry["kind"] == "process.exited"]
    assert killed["cause"] == one(entries, "fault.started")["seq"]
    assert stopped["cause"] == one(entries, "command.started")["seq"]
    assert (gone["cause"], gone["trigger"]) == (None, "signal")


def test_what_is_started_once_more_is_started_because_its_last_life_has_ended():
    capture = Capture()
    capture.note(KUBELET, "process.started", "")
    capture.note(KUBELET, "process.exited", "", exitCode=137, signal=9)
    capture.at += 10
    capture.note(KUBELET, "process.started", "")
    capture.note(SCHEDULER, "process.started", "")

    first, ended, again, other = capture.entries()
    assert [(one["cause"], one["trigger"]) for one in (first, other)] == [(None, "start")] * 2
    assert (again["cause"], again["trigger"], again["how"]) == (ended["seq"], None, "again")


def test_a_component_that_ends_by_itself_claims_no_cause_that_it_heard_long_ago():
    capture = Capture()
    capture.note(MANAGER, "process.started", "")
    h2 = secured_h2(capture, MANAGER, API)
    h2.respond(h2.request("GET", "/api/v1/nodes/worker-1"), 200, b"{}")
    capture.at += 10
    capture.note(MANAGER, "process.exited", "", exitCode=1)
    ended = one(capture.entries(), "process.exited")
    assert (ended["cause"], ended["trigger"]) == (None, "timer"), "a lease that it could not renew"


def test_a_command_that_names_no_process_is_why_the_programs_of_its_host_start():
    capture = Capture()
    capture.note("", "command.started", "kubectl get pods | grep web", host="workstation")
    capture.note(KUBECTL, "process.started", "", name="kubectl")
    h2 = secured_h2(capture)
    h2.request("GET", "/api/v1/namespaces/default/pods")
    capture.note(KUBECTL, "process.exited", "")
    capture.at += 1
    capture.note("workstation/grep", "process.started", "", name="grep")
    capture.note("workstation/grep", "process.exited", "")
    capture.note("", "command.finished", "exit 0", host="workstation")
    capture.at += 1
    capture.note("workstation/curl", "process.started", "", name="curl")
    capture.note("worker-1/kubelet", "process.started", "", name="kubelet")

    entries = capture.entries()
    command = one(entries, "command.started")
    assert (command["from"], sentence(command)) == ("workstation/terminal", "You run kubectl get pods | grep web")
    starts = [entry["cause"] for entry in entries if entry["kind"] == "process.started"]
    assert starts == [1, 1, None, None]
    assert one(entries, "http.request")["cause"] == 1
    finished = one(entries, "command.finished")
    assert chain(entries, finished)[-1] == command
    assert entries[finished["cause"] - 1]["from"] == "workstation/grep"


def test_a_command_without_a_program_finishes_because_it_was_typed():
    capture = Capture()
    for line in ("kubectl version", "ls /etc"):
        capture.note("", "command.started", line, host="workstation")
        if line.startswith("kubectl"):
            capture.note(KUBECTL, "process.started", "")
            capture.note(KUBECTL, "process.exited", "")
        capture.note("", "command.finished", "exit code 0", host="workstation")
    entries = capture.entries()
    first, second = [entry for entry in entries if entry["kind"] == "command.finished"]
    assert first["cause"] == one(entries, "process.exited")["seq"]
    assert second["cause"] == second["seq"] - 1


def test_programs_from_outside_know_nothing_of_each_other():
    capture = Capture()
    for _ in range(2):
        h2 = secured_h2(capture, "outside/client", API)
        h2.respond(h2.request("GET", "/api/v1/pods"), 200, b"{}")
        h2.request("GET", "/version")
    entries = capture.entries()
    asked = [entry for entry in entries if entry["kind"] == "http.request"]
    assert [(entry["cause"], entry["trigger"]) for entry in asked[::2]] == [(None, "command")] * 2
    answers = [entry["seq"] for entry in entries if entry["kind"] == "http.response"]
    assert [entry["cause"] for entry in asked[1::2]] == answers


def test_a_second_command_does_not_inherit_from_the_first():
    capture = Capture()
    for _ in range(2):
        capture.note("workstation", "command.started", "kubectl get pods", process=KUBECTL)
        capture.note(KUBECTL, "process.started", "", name="kubectl")
        h2 = secured_h2(capture)
        h2.respond(h2.request("GET", "/api/v1/namespaces/default/pods"), 200, b"{}")
    entries = capture.entries()
    commands = [entry["seq"] for entry in entries if entry["kind"] == "command.started"]
    assert [entry["cause"] for entry in entries if entry["kind"] == "process.started"] == commands
    assert [entry["cause"] for entry in entries if entry["kind"] == "http.request"] == commands
    assert [entry["cause"] for entry in entries if entry["label"] == "SYN"] == commands


def test_a_fault_is_why_a_connection_breaks_and_segments_are_lost():
    capture = Capture()
    h2 = secured_h2(capture)
    capture.at += 5
    capture.note("", "fault.reset", "the connection is reset")
    capture.flag(h2.wire.number, True, "R")
    capture.flag(h2.wire.number, True, "PA", b"x", lost=True)
    entries = capture.entries()
    fault = one(entries, "fault.reset")
    assert fault["trigger"] == "fault"
    assert one(entries, "tcp.rst")["cause"] == fault["seq"]


def test_an_unfinished_exchange_leaves_nothing_behind_that_could_be_a_cause():
    capture = Capture()
    h2 = secured_h2(capture)
    h2.request("POST", "/api/v1/namespaces/default/pods", encoded(obj("Pod", "a", "", 0)), JSON)
    capture.flag(h2.wire.number, True, "R")
    etcd = Clear(capture, capture.connect(API, ETCD))
    assert etcd.number == 2
    lens_causes = Causes()
    server = lens_causes.participant(API)
    lens_causes.serve(server, 1, Serving("pods/default/a", (), watches=False, heartbeat=False))
    server.serving.pop(1)
    assert lens_causes.serving(server, ["pods/default/a"]) is None


def test_each_of_two_creations_with_generated_names_has_its_own_transaction():
    cluster = Cluster()
    cluster.watch(MANAGER, "pods")
    manager, _ = cluster.watches[MANAGER]
    posts = []
    for _ in range(2):
        body = encoded({"kind": "Pod", "metadata": {"generateName": "web-"}})
        posts.append(manager.request("POST", "/api/v1/namespaces/default/pods", body, JSON))
    for name in ("web-aaaaa", "web-bbbbb"):
        cluster.store(f"/registry/pods/default/{name}", obj("Pod", name, name, 0))
    manager.request("PATCH", "/api/v1/namespaces/default/pods/web-aaaaa/status", b"{}", JSON)
    cluster.store("/registry/pods/default/web-aaaaa", obj("Pod", "web-aaaaa", "web-aaaaa", 0), create=False)

    entries = cluster.capture.entries()
    asked = [entry["seq"] for entry in entries if entry["kind"] == "http.request"][-3:]
    written = [entry["cause"] for entry in entries if entry["kind"] == "grpc.request"][-3:]
    assert written == asked


def test_an_api_servers_own_lease_is_renewed_by_a_timer():
    cluster = Cluster()
    cluster.capture.at += 10
    cluster.store("/registry/leases/kube-system/apiserver-1", obj("Lease", "apiserver-1", "l", 0), create=False)
    entries = cluster.capture.entries()
    renewal = one(entries, "grpc.request", operation="update")
    assert (renewal["trigger"], renewal["heartbeat"]) == ("timer", True)
    assert one(entries, "etcd.event")["heartbeat"] is True


def test_the_first_object_of_a_namespace_follows_the_namespace():
    cluster = Cluster()
    cluster.watch(MANAGER, "namespaces")
    cluster.tell(MANAGER, "ADDED", {"kind": "Namespace", "metadata": {"name": "shop", "resourceVersion": "9"}})
    cluster.capture.at += 0.1
    manager, _ = cluster.watches[MANAGER]
    account = encoded({"kind": "ServiceAccount", "metadata": {"name": "default"}})
    manager.request("POST", "/api/v1/namespaces/shop/serviceaccounts", account, JSON)
    entries = cluster.capture.entries()
    assert one(entries, "http.request", verb="create")["cause"] == one(entries, "watch.event")["seq"]


def test_indexes_forget_the_oldest_and_keep_what_is_used():
    recent: Recent[str, int] = Recent(4)
    recent["a"] = 1
    recent["b"] = 2
    assert recent.get("a") == 1
    recent["c"] = 3
    assert (recent.get("b"), recent.get("a"), recent.get("c"), len(recent)) == (None, 1, 3, 2)


def test_an_index_holds_its_bound_and_at_least_the_latest_half_of_it():
    recent: Recent[int, int] = Recent(100)
    for number in range(1, 1000):
        recent[number] = number
        assert len(recent) <= 100
        assert all(recent.get(known) for known in range(max(1, number - 49), number + 1))


def test_what_was_heard_too_long_ago_to_react_to_is_not_kept():
    causes = Causes()
    who = causes.participant(API)
    for second in range(1000):
        causes.heard(who, second + 1, float(second), [f"pods/default/p{second}"])
        assert len(causes._heard) <= 62
    assert causes.why(who, 1000.5, ["pods/default/p971"])[:2] == (972, None), "29.5 s ago"
    assert causes.why(who, 1000.5, ["pods/default/p970"])[:2] == (None, "timer"), "30.5 s ago"


def test_what_participants_heard_is_bounded():
    causes = Causes()
    who = causes.participant(API)
    for number in range(20_000):
        causes.heard(who, number + 1, 1.0, [f"pods/default/p{number}"])
        causes.serve(who, number + 1, Serving("", (), watches=False, heartbeat=True))
        causes.participant(f"outside/client-{number}")
    assert len(causes._heard) <= 8192
    assert len(who.serving) <= 512
    assert len(causes._participants) <= 1024
    assert causes.why(who, 1.0, ["pods/default/p0"])[:2] != (1, None)


def test_a_lease_is_asked_for_the_event_that_is_being_stored_however_many_requests_are_served():
    causes = Causes()
    server = causes.participant(API)
    for seq, own in ((1, "pods/default/a"), (2, "events/default/a.1"), (3, "pods/default/b")):
        causes.serve(server, seq, Serving(own, (own,), watches=False, heartbeat=False))
    assert causes.why(server, 1.0, ("events/",))[:2] == (2, None)
    assert causes.why(server, 1.0, ())[:2] == (None, "timer")


def test_who_opens_a_connection_may_have_worked_on_what_led_to_it():
    causes = Causes()
    manager = causes.participant(MANAGER)
    causes.heard(manager, 7, 1.0, ())
    assert causes.origin(manager, 1.004, WORK_SECONDS_MAX)[:2] == (7, None)
    assert causes.origin(manager, 1.004)[:2] == (None, "timer")
    assert causes.origin(manager, 1.2, WORK_SECONDS_MAX)[:2] == (None, "timer")


def test_one_more_of_a_kind_follows_from_the_answer_to_the_last_and_not_from_the_event_that_came_with_it():
    """pkg/controller/replicaset, slowStartBatch: the second batch waits for the first one's answers."""
    causes = Causes()
    who = causes.participant(MANAGER)
    about = ("replicasets//uid-1", "pods/default/")
    causes.heard(who, 1, 5.0, about)
    causes.created(who, 1, 5.0, "pods", about)  # 201 Created
    causes.heard(who, 2, 5.0, about)  # ADDED pod
    assert causes.why(who, 5.0, about, resource="pods")[:2] == (1, None)
    assert causes.why(who, 5.0, about)[:2] == (2, None), "what creates nothing follows from the latest, as ever"
    assert causes.why(who, 5.0, about, resource="events")[:2] == (2, None)
    assert causes.why(who, 5.0, ("replicasets//uid-2",), resource="pods")[:2] == (2, None), "of another owner"
    assert causes.why(who, 6.0, about, resource="pods")[:2] == (2, None), "a second later it is not known"


def test_an_inferred_cause_says_by_which_rule():
    causes = Causes()
    who = causes.participant(SCHEDULER)
    causes.heard(who, 1, 1.0, ["pods/default/a"])
    assert causes.why(who, 1.0, ["pods/default/a"]) == (1, None, "object", None)
    assert causes.why(who, 1.0, ["nodes//worker-1"]) == (1, None, "instant", None)
    assert causes.why(who, 3.0, ["nodes//worker-1"]) == (None, "timer", None, None)


def test_what_triggered_something_and_what_it_waited_for_are_told_apart():
    causes = Causes()
    kubelet = causes.participant(KUBELET)
    causes.heard(kubelet, 1, 1.0, ["pods/default/a"])
    causes.heard(kubelet, 2, 1.0, ["pods/default/b"])
    causes.heard(kubelet, 3, 2.0, ["pods/default/a"])  # the first pod's image is there, so the second one's is pulled
    assert causes.why(kubelet, 2.0, ["pods/default/b"]) == (2, None, "object", 3)


def test_that_an_event_was_taken_is_no_news_of_what_it_is_about():
    cluster = Cluster()
    capture = cluster.capture
    cluster.watch(KUBELET, "pods")
    pod = obj("Pod", "web", "p", 12)
    cluster.tell(KUBELET, "ADDED", pod)
    kubelet, _ = cluster.watches[KUBELET]
    capture.at += 1
    event = obj("Event", "web.1", "e", 0, involvedObject={"kind": "Pod", "namespace": "default", "name": "web"})
    post = kubelet.request("POST", "/api/v1/namespaces/default/events", encoded(event), JSON)
    kubelet.respond(post, 201, encoded(event))
    capture.at += 1
    kubelet.request("PUT", "/api/v1/namespaces/default/pods/web/status", encoded(pod), JSON)
    entries = capture.entries()
    put = one(entries, "http.request", verb="update", resource="pods")
    assert chain(entries, put)[1]["kind"] == "watch.event"
