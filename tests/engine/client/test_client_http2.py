import asyncio
import ssl

import pytest

from cluster_engine.api.kinds import CONFIG_MAP, NODE, POD, SECRET, SERVICE
from cluster_engine.api.status import Conflict, NotFound, Refusal
from cluster_engine.client.transport import Transport


def hello(request):
    request.respond(200, {"path": request.path})


def test_a_get_says_who_asks_and_gives_the_object(with_client):
    async def story(world, client, server):
        found = await client.get(NODE, "worker-1")
        request = server.requests[0]
        assert (request.method, request.path) == ("GET", "/api/v1/nodes/worker-1")
        assert request.headers["user-agent"] == "test"
        assert "authorization" not in request.headers
        return found

    assert with_client(hello, story) == {"path": "/api/v1/nodes/worker-1"}


def test_many_requests_and_watches_share_one_connection(with_client):
    watches = []

    def answer(request):
        if "watch=true" in request.path:
            request.respond(200, end=False)
            watches.append(request)
        else:
            hello(request)

    async def story(world, client, server):
        async def follow(kind):
            async with client.watch(kind, resource_version="1") as events:
                type_, obj = await anext(events)
                return type_, obj["metadata"]["name"]

        tasks = [asyncio.create_task(follow(kind)) for kind in (POD, NODE, SERVICE, SECRET, CONFIG_MAP)]
        await world.until(lambda: len(watches) == 5)
        watches[4].say(("ADDED", {"metadata": {"name": "x", "resourceVersion": "2"}}))
        async with asyncio.timeout(1):
            assert await tasks[4] == ("ADDED", "x")  # the others are silent, and are not waited for
        await client.get(NODE, "a")
        for task in tasks:
            task.cancel()
        return len(server.connections)

    assert with_client(answer, story) == 1


def test_a_watch_that_is_left_is_reset(with_client):
    def answer(request):
        request.respond(200, end=False)

    async def story(world, client, server):
        async with client.watch(POD, resource_version="1"):
            pass
        await world.until(lambda: server.resets)
        return server.resets

    assert with_client(answer, story) == [(1, 8)]


def test_a_peer_that_has_gone_silent_is_noticed_by_a_ping(with_client):
    def answer(request):
        request.respond(200, end=False)

    async def story(world, client, server):
        async with client.watch(POD, resource_version="1") as events:
            world.network.partition("control-plane", "worker-1")
            started = world.loop.time()
            with pytest.raises(TimeoutError, match="http2: client connection lost"):
                await anext(events)
            return world.loop.time() - started

    assert with_client(answer, story) == pytest.approx(45, abs=0.1)


def test_a_quiet_connection_is_pinged_and_stays(with_client):
    def answer(request):
        request.respond(200, end=False) if "watch" in request.path else hello(request)

    async def story(world, client, server):
        async with client.watch(POD, resource_version="1"):
            await asyncio.sleep(200)
            await client.get(NODE, "a")
        return server.pings, len(server.connections)

    pings, connections = with_client(answer, story)
    assert (4 <= pings <= 6, connections) == (True, 1)


def test_a_connection_without_a_free_stream_is_joined_by_another(with_client):
    held = []

    async def story(world, client, server):
        await client.get(NODE, "first")  # by now the server has said how many streams it wants
        tasks = [asyncio.create_task(client.get(NODE, f"n{i}")) for i in range(5)]
        await world.until(lambda: len(held) == 5)
        for request in held:
            hello(request)
        await asyncio.gather(*tasks)
        return len(server.connections)

    def answer(request):
        hello(request) if request.path.endswith("first") else held.append(request)

    assert with_client(answer, story, streams_max=2) == 2


def test_a_stream_that_goaway_leaves_out_is_sent_again_elsewhere(with_client):
    def answer(request):
        if len(request.server.fake.connections) == 1:
            request.go_away(last_stream=0)
        else:
            hello(request)

    async def story(world, client, server):
        found = await client.get(NODE, "a")
        return found, len(server.connections)

    assert with_client(answer, story) == ({"path": "/api/v1/nodes/a"}, 2)


def test_a_stream_that_goaway_includes_runs_to_its_end(with_client):
    def answer(request):
        request.go_away(last_stream=request.stream)
        request.respond(200, {"size": 1})

    async def story(world, client, server):
        await client.get(NODE, "a")
        await client.get(NODE, "b")
        return len(server.connections)

    assert with_client(answer, story) == 2


def test_a_body_larger_than_the_window_arrives_whole(with_client):
    def answer(request):
        request.respond(201, {"size": len(request.body)})

    async def story(world, client, server):
        return await client.create(
            CONFIG_MAP, {"metadata": {"name": "x", "namespace": "d"}, "data": {"k": "v" * 300_000}}
        )

    assert with_client(answer, story)["size"] > 300_000


def test_a_server_that_is_not_there_refuses(with_client):
    async def story(world, client, server):
        for process in list(world.host("control-plane").processes.values()):
            process.kill()
        with pytest.raises(ConnectionRefusedError, match=r"dial tcp 10\.0\.0\.1:6443: connect: connection refused"):
            await client.get(NODE, "a")

    with_client(hello, story)


def test_a_name_that_nobody_knows_is_said_in_the_words_of_go(with_client):
    async def story(world, client, server):
        transport = Transport("nosuch", 6443, ssl.create_default_context())
        with pytest.raises(ConnectionError, match=r"^dial tcp: lookup nosuch: no such host$"):
            await transport.open([], None)

    with_client(hello, story)


def test_a_server_killed_under_a_request_breaks_it(with_client):
    async def story(world, client, server):
        async def kill():
            await world.until(lambda: server.requests)
            for process in list(world.host("control-plane").processes.values()):
                process.kill()

        killer = asyncio.create_task(kill())
        with pytest.raises(ConnectionError):
            await client.create(CONFIG_MAP, {"metadata": {"name": "x", "namespace": "d"}})
        await killer

    with_client(lambda request: None, story)


def test_retry_after_is_waited_for_ten_times(with_client):
    async def story(world, client, server):
        started = world.loop.time()
        with pytest.raises(Refusal) as caught:
            await client.get(NODE, "a")
        assert caught.value.code == 429
        return len(server.requests), round(world.loop.time() - started)

    assert with_client(lambda request: request.respond(429, None, {"retry-after": "2"}), story) == (11, 20)


def test_refusals_are_the_servers_status(with_client):
    def answer(request):
        name = request.path.rpartition("/")[2]
        refusal = NotFound(NODE, name) if name == "gone" else Conflict(NODE, name)
        request.respond(refusal.code, refusal.status())

    async def story(world, client, server):
        with pytest.raises(NotFound, match='nodes "gone" not found'):
            await client.get(NODE, "gone")
        with pytest.raises(Conflict):
            await client.get(NODE, "stale")

    with_client(answer, story)


def test_a_token_travels_over_a_connection_without_certificate(with_client):
    async def story(world, client, server):
        await client.get(NODE, "a")
        other = client.with_token("abc")
        await other.get(NODE, "b")
        await client.with_token("def").get(NODE, "c")
        said = [request.headers.get("authorization") for request in server.requests]
        assert said == [None, "Bearer abc", "Bearer def"]
        return [bool(one.transport.get_extra_info("peercert_chain")) for one in server.connections]

    assert with_client(hello, story) == [True, False]
