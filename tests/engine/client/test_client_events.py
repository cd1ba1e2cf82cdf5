import asyncio

import msgspec

from cluster_engine.client import EventRecorder

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "shop", "uid": "u1"}}


def told(with_client, say, seconds=1.0):
    """Let `say(recorder)` speak; give what was written as (method, message or None, count)."""
    written = []

    def answer(request):
        body = msgspec.json.decode(request.body)
        written.append((request.method, body.get("message"), body["count"]))
        request.respond(201, {"metadata": {"name": body.get("metadata", {}).get("name", "x")}})

    async def story(world, client, server):
        recorder = EventRecorder(client, client.process, "tester")
        task = asyncio.create_task(recorder.run())
        result = say(recorder)
        if asyncio.iscoroutine(result):
            await result
        await asyncio.sleep(seconds)
        task.cancel()
        return server.requests

    return written, with_client(answer, story)


def test_the_same_event_again_counts_up_the_first(with_client):
    def say(recorder):
        for _ in range(3):
            recorder.event(POD, "Warning", "BackOff", "again")

    written, requests = told(with_client, say)
    assert written == [("POST", "again", 1), ("PATCH", None, 2), ("PATCH", None, 3)]
    assert requests[0].path == "/api/v1/namespaces/shop/events"
    assert requests[0].headers["content-type"] == "application/json"


def test_more_than_ten_similar_events_are_combined(with_client):
    def say(recorder):
        for number in range(12):
            recorder.event(POD, "Normal", "Scaled", f"to {number}")

    written, _ = told(with_client, say)
    assert written[9][1] == "to 9"
    assert written[10][1] == "(combined from similar events): to 10"


def test_a_source_that_talks_too_much_about_one_object_is_cut_short(with_client):
    def say(recorder):
        for _ in range(100):
            recorder.event(POD, "Warning", "BackOff", "again")

    assert len(told(with_client, say)[0]) == 25


def test_a_full_queue_drops_what_comes(with_client):
    def say(recorder):
        for number in range(3000):
            about = {**POD, "metadata": {**POD["metadata"], "name": f"p{number}"}}
            recorder.event(about, "Normal", "Scheduled", "said")

    assert len(told(with_client, say, seconds=20)[0]) == 1000
