"""Objects in kubectl's columns, and one object's history."""


def kind_of(answer, resource):
    return next(kind for kind in answer["kinds"] if kind["resource"] == resource)


def entry_of(told, kind, **fields):
    return next(
        entry["seq"] for entry in told.entries() if entry["kind"] == kind and fields.items() <= entry["fields"].items()
    )


def test_objects_stand_in_kubectls_columns_and_move_with_the_cursor(told):
    created = entry_of(told, "http.request", verb="create", resource="deployments")
    scaled = entry_of(told, "http.request", verb="patch", resource="deployments", subresource="scale")
    assert "deployments" not in [kind["resource"] for kind in told.ask("objects", created)["kinds"]]
    answer = told.ask("objects", scaled)
    assert [kind["resource"] for kind in answer["kinds"]][:4] == ["deployments", "replicasets", "pods", "nodes"]
    assert [kind["resource"] for kind in answer["kinds"]][-2:] == ["leases", "events"]
    pods = kind_of(answer, "pods")
    assert [column["name"] for column in pods["columns"]][:5] == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert [row["cells"][1:3] for row in pods["rows"]] == [["1/1", "Running"]] * 3
    only = told.ask("objects", scaled, kind="deployments.apps")
    assert only["kinds"] == [kind_of(answer, "deployments")]


def test_an_object_tells_who_wrote_it_and_what_each_write_changed(told):
    pod = kind_of(told.ask("objects", max(list(told.held)[:2])), "pods")["rows"][0]["name"]
    answer = told.ask("object", resource="pods", namespace="default", name=pod)
    writers = [(version["verb"], version["user"]) for version in answer["versions"]]
    assert writers[:3] == [
        ("create", "system:serviceaccount:kube-system:replicaset-controller"),
        ("update", "system:kube-scheduler"),
        ("update", f"system:node:{node_of(answer)}"),
    ]
    bound = answer["versions"][1]
    assert bound["by"] == "control-plane/kube-scheduler"
    request = told.journal.entry(bound["request"])
    assert (request["fields"]["resource"], request["fields"]["subresource"]) == ("pods", "binding")
    assert bound["diff"][0] == {"path": "spec.nodeName", "was": None, "is": node_of(answer)}


def node_of(answer):
    return answer["versions"][1]["diff"][0]["is"]


def test_a_deleted_object_has_its_history_and_what_comes_again_begins_anew(told):
    versions = told.ask("object", resource="configmaps", namespace="default", name="old")["versions"]
    assert [version["verb"] for version in versions][:3] == ["create", "delete", "create"]
    gone = told.ask("object", versions[1]["seq"], resource="configmaps", namespace="default", name="old")
    assert gone["object"] is None and gone["deleted"]
    there = told.ask("object", versions[0]["seq"], resource="configmaps", namespace="default", name="old")
    assert there["object"]["data"] == {"a": "b"} and not there["deleted"]
    restored = versions[3]
    assert (restored["revision"], restored["user"]) == (versions[0]["revision"], None)
    assert restored["diff"][-1]["is"] == "b"


def test_of_what_never_was_there_is_nothing(told):
    answer = told.ask("object", resource="pods", namespace="default", name="nobody")
    assert (answer["object"], answer["deleted"], answer["versions"]) == (None, False, [])
    assert told.ask("objects", kind="nonsense.example")["kinds"] == []
