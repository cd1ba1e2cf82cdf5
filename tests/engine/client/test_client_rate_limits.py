import asyncio

import pytest

from cluster_engine.client.rate_limits import Limit, ThrottleLog, TokenBucket

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}}


def test_a_bucket_lets_a_burst_through_and_then_one_at_a_time(run):
    async def story(world):
        bucket = TokenBucket(Limit(20, 3))
        at_once = [bucket.reserve() for _ in range(5)]
        await asyncio.sleep(10)
        return [*at_once, *(bucket.reserve() for _ in range(4))]

    assert run(story) == pytest.approx([0, 0, 0, 0.05, 0.1, 0, 0, 0, 0.05])


def test_who_gives_up_at_the_end_of_the_queue_frees_a_place_and_who_gives_up_before_others_does_not(run):
    async def story(world):
        bucket = TokenBucket(Limit(1, 1))
        bucket.reserve()
        waiting = [asyncio.ensure_future(bucket.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        third = bucket.reserve()
        last = asyncio.ensure_future(bucket.wait())
        await asyncio.sleep(0)
        last.cancel()
        await asyncio.wait([last])
        return third, bucket.reserve()

    assert run(story) == pytest.approx((3, 4))


def test_requests_wait_for_their_turn_while_watches_and_clients_without_a_limit_do_not(with_client):
    def answer(request):
        request.respond(200, POD)

    async def story(world, client, server):
        limited = client.with_limit(Limit(5, 10))
        at = world.loop.time()
        await asyncio.gather(*(limited.request("GET", f"/api/v1/pods/{n}") for n in range(20)))
        took = [world.loop.time() - at]
        async with limited.stream("GET", "/api/v1/pods", params={"watch": True}):
            took.append(world.loop.time() - at - took[0])
        await asyncio.gather(*(client.request("GET", f"/api/v1/pods/{n}") for n in range(50)))
        await asyncio.gather(*(limited.with_user_agent("other").request("GET", "/api/v1/pods") for n in range(5)))
        return [*took, world.loop.time() - at - sum(took)], [request.path for request in server.requests[:20]]

    took, paths = with_client(answer, story)
    assert took == pytest.approx([2, 0, 0], abs=0.1), "ten at once and ten in two seconds, in order; the rest at once"
    assert paths == [f"/api/v1/pods/{n}" for n in range(20)]


def test_a_long_wait_is_said_once_in_ten_seconds(run):
    async def story(world):
        said = []
        log = ThrottleLog(said.append)
        for seconds in (0.9, 1.0512, 2.0, 3.0):
            log.waited(seconds, "GET:https://10.0.0.1:6443/api/v1/pods")
        await asyncio.sleep(10)
        log.waited(65.0, "GET:https://10.0.0.1:6443/api/v1/pods")
        return said

    text = "due to client-side throttling, not priority and fairness, request: GET:https://10.0.0.1:6443/api/v1/pods"
    assert run(story) == [f"Waited for 1.0512s {text}", f"Waited for 1m5s {text}"]
