import asyncio

from cluster_engine.api.kinds import POD, REPLICA_SET
from cluster_engine.api.status import Forbidden
from cluster_engine.client import SharedInformers
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.replica_set import ReplicaSetController

REPLICAS = {
    "kind": "ReplicaSet",
    "apiVersion": "apps/v1",
    "metadata": {"name": "web", "namespace": "d", "uid": "u", "generation": 1, "resourceVersion": "1"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
    },
}


class Server:
    """A client's other half that only counts; its watches never tell anything by themselves."""

    def __init__(self, refusal=None):
        self.created, self.deleted, self.statuses, self.refusal = [], [], [], refusal

    async def create(self, kind, obj):
        self.created.append(obj)
        if self.refusal is not None:
            raise self.refusal
        metadata = {**obj["metadata"], "name": f"web-{len(self.created)}", "uid": f"p{len(self.created)}"}
        return {**obj, "metadata": {**metadata, "resourceVersion": "1"}}

    async def delete(self, kind, name, namespace):
        self.deleted.append(name)

    async def update(self, kind, obj, subresource):
        self.statuses.append(obj["status"])


class Silent:
    def event(self, *_):
        pass


class Clock:
    def now(self):
        from datetime import UTC, datetime

        return datetime(2026, 1, 1, tzinfo=UTC)


def controller(server):
    informers = SharedInformers(server, Clock())
    made = ReplicaSetController(Context(Clock(), server, Silent(), informers))
    informers.informer(REPLICA_SET)._applied({**REPLICAS, "metadata": {**REPLICAS["metadata"]}})
    return made, informers.informer(POD)


def seen(pods, server, number):
    created = server.created[number - 1]
    metadata = {**created["metadata"], "name": f"web-{number}", "uid": f"p{number}", "resourceVersion": str(number)}
    pods._applied({**created, "metadata": metadata, "status": {"phase": "Pending"}})


def test_pods_not_yet_seen_are_not_made_twice(run):
    async def story(world):
        server = Server()
        made, pods = controller(server)
        await made._sync("d/web")
        await made._sync("d/web")
        assert len(server.created) == 3
        for number in (1, 2, 3):
            seen(pods, server, number)
        await made._sync("d/web")
        assert len(server.created) == 3
        assert server.statuses[-1]["replicas"] == 3

    run(story)


def test_pods_not_yet_seen_to_go_are_not_replaced_nor_others_deleted(run):
    async def story(world):
        server = Server()
        made, pods = controller(server)
        await made._sync("d/web")
        for number in (1, 2, 3):
            seen(pods, server, number)
        made._replica_sets._applied(
            {
                **REPLICAS,
                "metadata": {**REPLICAS["metadata"], "resourceVersion": "2"},
                "spec": {**REPLICAS["spec"], "replicas": 1},
            }
        )
        await made._sync("d/web")
        await made._sync("d/web")
        return len(server.deleted)

    assert run(story) == 2


def test_of_many_pods_that_cannot_be_made_only_one_is_tried(run):
    async def story(world):
        server = Server(Forbidden("exceeded quota"))
        made, _ = controller(server)
        try:
            await made._sync("d/web")
        except Forbidden:
            (condition,) = server.statuses[-1]["conditions"]
            assert (condition["type"], condition["reason"]) == ("ReplicaFailure", "FailedCreate")
            await asyncio.sleep(0)
            return len(server.created)

    assert run(story) == 1
