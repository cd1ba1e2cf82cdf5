import asyncio
from urllib.parse import parse_qs, urlsplit

from cluster_engine.api.kinds import POD
from cluster_engine.api.status import Expired
from cluster_engine.client import Informer


def pod(name, version, node="n1", uid=None):
    metadata = {"name": name, "namespace": "default", "resourceVersion": str(version), "uid": uid or f"u-{name}"}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {**metadata, "managedFields": []},
        "spec": {"nodeName": node},
    }


class Script:
    """Answers lists from `lists` in turn (the last one again and again), keeps watches open."""

    def __init__(self, *lists):
        self.lists = [*lists]
        self.asked = []
        self.watches = []

    def __call__(self, request):
        query = {name: value[0] for name, value in parse_qs(urlsplit(request.path).query).items()}
        if "watch" in query:
            self.asked.append(("WATCH", query["resourceVersion"]))
            self.watches.append((request, query))
            request.respond(200, end=False)
            return
        version = query.get("resourceVersion", "")
        assert query.get("limit") == ("500" if version in ("", "0") else None)
        self.asked.append(("LIST", version))
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(answer, Expired):
            request.respond(410, answer.status())
            return
        version, pods = answer
        items = [{name: value for name, value in item.items() if name not in ("kind", "apiVersion")} for item in pods]
        request.respond(200, {"kind": "PodList", "metadata": {"resourceVersion": version}, "items": items})


def followed(informer, log):
    informer.on(
        add=lambda obj: log.append(("add", obj["metadata"]["name"])),
        update=lambda old, new: log.append(("update", new["metadata"]["name"])),
        delete=lambda obj: log.append(("delete", obj["metadata"]["name"])),
    )


def tell(with_client, script, story):
    async def whole(world, client, server):
        informer = Informer(client, POD, client.process)
        log = []
        followed(informer, log)
        task = asyncio.create_task(informer.run())
        await informer.synced()
        await world.until(lambda: script.watches)
        await story(world, informer, server)
        await asyncio.sleep(0.1)
        task.cancel()
        return log

    return with_client(script, whole)


def test_an_informer_lists_once_then_follows(with_client):
    script = Script(("7", [pod("a", 3)]))

    async def story(world, informer, server):
        request, query = script.watches[0]
        assert 300 <= int(query["timeoutSeconds"]) <= 600
        assert query["allowWatchBookmarks"] == "true"
        request.say(("ADDED", pod("b", 8)), ("MODIFIED", pod("a", 9)), ("DELETED", pod("b", 10)))
        await asyncio.sleep(1)
        found = informer.get("default/a")
        assert found["metadata"]["resourceVersion"] == "9"
        assert "managedFields" not in found["metadata"]
        assert found["kind"] == "Pod"
        assert informer.get("default/b") is None

    log = tell(with_client, script, story)
    assert log == [("add", "a"), ("add", "b"), ("update", "a"), ("delete", "b")]
    assert script.asked == [("LIST", "0"), ("WATCH", "7")]


def test_a_watch_that_ends_is_taken_up_where_a_bookmark_left_it(with_client):
    script = Script(("7", []))

    async def story(world, informer, server):
        await asyncio.sleep(2)
        request, _ = script.watches[0]
        request.say(("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "20"}}))
        request.end()
        await world.until(lambda: len(script.watches) == 2)

    tell(with_client, script, story)
    assert script.asked == [("LIST", "0"), ("WATCH", "7"), ("WATCH", "20")]


def test_a_broken_connection_is_no_reason_to_list(with_client):
    script = Script(("7", []))

    async def story(world, informer, server):
        await asyncio.sleep(2)
        server.connections[0].transport.abort()
        await world.until(lambda: len(script.watches) == 2)

    tell(with_client, script, story)
    assert script.asked == [("LIST", "0"), ("WATCH", "7"), ("WATCH", "7")]


def test_a_reflector_lists_again_once_its_version_has_expired(with_client):
    script = Script(("7", [pod("a", 3), pod("b", 4)]), ("31", [pod("b", 9), pod("c", 30)]))

    async def story(world, informer, server):
        request, _ = script.watches[0]
        request.say(("ERROR", Expired("too old resource version: 7 (30)").status()))
        request.end()
        started = world.loop.time()
        await world.until(lambda: len(script.watches) == 2)
        assert 0.8 <= world.loop.time() - started <= 1.7  # back-off with jitter

    log = tell(with_client, script, story)
    assert script.asked == [("LIST", "0"), ("WATCH", "7"), ("LIST", "7"), ("WATCH", "31")]
    assert log[2:] == [("delete", "a"), ("update", "b"), ("add", "c")]


def test_an_expired_list_is_asked_for_again_without_a_version(with_client):
    script = Script(("7", []), Expired("gone"), ("31", []))

    async def story(world, informer, server):
        request, _ = script.watches[0]
        request.say(("ERROR", Expired("too old resource version").status()))
        request.end()
        await world.until(lambda: len(script.watches) == 2)

    tell(with_client, script, story)
    assert script.asked == [("LIST", "0"), ("WATCH", "7"), ("LIST", "7"), ("LIST", ""), ("WATCH", "31")]


def test_a_server_that_stays_away_is_asked_ever_more_slowly(with_client):
    script = Script(("7", []))

    async def story(world, informer, server):
        await asyncio.sleep(2)
        for process in list(world.host("control-plane").processes.values()):
            process.kill()
        await asyncio.sleep(300)
        await world.spawn(world.host("control-plane"), "kube-apiserver", server.main).wait_ready()
        await world.until(lambda: len(script.watches) == 2)

    tell(with_client, script, story)
    assert script.asked == [("LIST", "0"), ("WATCH", "7"), ("WATCH", "7")]


def test_an_object_made_anew_under_the_same_name_is_a_deletion_and_an_addition(with_client):
    script = Script(("7", [pod("a", 3)]))

    async def story(world, informer, server):
        request, _ = script.watches[0]
        request.say(("MODIFIED", pod("a", 9, uid="another")))

    assert tell(with_client, script, story) == [("add", "a"), ("delete", "a"), ("add", "a")]


def test_an_index_follows_its_objects(with_client):
    script = Script(("7", [pod("a", 3), pod("b", 4, node="n2")]))

    async def story(world, informer, server):
        informer.add_index("node", lambda obj: [obj["spec"]["nodeName"]])

        def names(node):
            return [obj["metadata"]["name"] for obj in informer.by_index("node", node)]

        assert (names("n1"), names("n2")) == (["a"], ["b"])
        request, _ = script.watches[0]
        request.say(("MODIFIED", pod("a", 9, node="n2")), ("DELETED", pod("b", 10, node="n2")))
        await asyncio.sleep(1)
        assert (names("n1"), names("n2"), names("n3")) == ([], ["a"], [])

    tell(with_client, script, story)
