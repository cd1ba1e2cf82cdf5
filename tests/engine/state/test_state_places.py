"""Where things are: nodes with their pods, hosts with their programs, connections with what crossed them."""

from state_story import recorded


def entry_of(told, kind, **wanted):
    return next(
        entry
        for entry in told.entries()
        if entry["kind"] == kind and wanted.items() <= {**entry, **entry["fields"]}.items()
    )


def test_the_board_has_each_pod_on_its_node_or_waiting(told):
    created = entry_of(told, "etcd.event", resource="pods", type="PUT", created=True)["seq"]
    board = told.ask("board", created)
    assert [len(node["pods"]) for node in board["nodes"]] == [0, 0]
    assert [(pod["status"], pod["ready"], pod["restarts"]) for pod in board["waiting"]] == [("Pending", "0/1", 0)]
    running = list(told.held)[1]
    board = told.ask("board", running)
    assert board["waiting"] == []
    pods = {pod["name"]: node["name"] for node in board["nodes"] for pod in node["pods"]}
    stored = [one for name, one in told.held[running].items() if name.startswith("pods/")]
    assert pods == {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in stored}
    assert {pod["status"] for node in board["nodes"] for pod in node["pods"]} == {"Running"}


def test_a_node_that_nobody_hears_of_is_not_ready_and_tainted(told):
    cut_off = told.ask("board", list(told.held)[2])["nodes"][0]
    assert (cut_off["name"], cut_off["status"]) == ("worker-1", "NotReady")
    assert "node.kubernetes.io/unreachable:NoExecute" in cut_off["taints"]
    assert told.journal.entry(cut_off["seq"])["fields"]["name"] == "worker-1"


def test_hosts_have_the_programs_that_run(told):
    hosts = {host["name"]: host for host in told.ask("topology")["hosts"]}
    workers = [one["participant"] for one in hosts["worker-1"]["programs"]]
    assert workers == ["worker-1/containerd", "worker-1/kubelet", "worker-1/kube-proxy"]
    assert hosts["workstation"]["programs"] == [] and hosts["workstation"]["up"]
    kubectl = entry_of(told, "process.started", name="kubectl")["seq"]
    hosts = {host["name"]: host for host in told.ask("topology", kubectl)["hosts"]}
    assert [one["participant"] for one in hosts["workstation"]["programs"]] == ["workstation/kubectl"]


def test_a_connection_is_open_from_the_servers_syn_until_it_is_over(told):
    opened = next(
        entry for entry in told.entries() if entry["kind"] == "tcp.syn" and entry["from"] == "workstation/kubectl"
    )
    number = opened["connection"]
    its = [entry for entry in told.entries() if entry["connection"] == number]
    accepted, over = its[1]["seq"], its[-1]["seq"]

    def there(at):
        return number in [one["connection"] for one in told.ask("topology", at, state)["connections"]]

    state = told.state()
    told.ask("topology", of=state)
    found = [there(at) for at in (opened["seq"], accepted, over - 1, over, accepted)]
    assert found == [False, True, True, False, True]


def test_a_connection_says_what_is_spoken_by_whom_and_how_much(told):
    request = entry_of(told, "http.request", verb="create", resource="deployments")
    one = next(
        one for one in told.ask("topology", request["seq"])["connections"] if one["connection"] == request["connection"]
    )
    assert (one["from"], one["to"], one["port"]) == ("workstation/kubectl", "control-plane/kube-apiserver", 6443)
    assert (one["protocol"], one["identity"]) == ("HTTP/2 in TLS 1.3", "kubernetes-admin")
    assert one["last"] == request["seq"]
    before = [entry for entry in told.entries() if entry["connection"] == one["connection"]]
    said = sum(entry["size"] for entry in before if entry["seq"] <= one["last"] and entry["from"] == one["from"])
    assert said < one["sent"] < said + 1000, "what entries say, and TLS around it"
    etcd = next(one for one in told.ask("topology")["connections"] if one["port"] == 2379)
    assert (etcd["protocol"], etcd["identity"]) == ("gRPC in TLS 1.3", "kube-apiserver-etcd-client")


def test_a_host_whose_power_is_cut_is_down():
    async def story(tell):
        tell.cluster.fail("power-off", target="worker-1")
        await tell.ok("kubectl get nodes")

    with recorded(story, nodes=1) as told:
        worker = next(host for host in told.ask("topology")["hosts"] if host["name"] == "worker-1")
        assert not worker["up"] and worker["programs"] == []
