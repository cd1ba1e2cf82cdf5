"""`pods/log`: fetched from the kubelet, with the API server's own certificate, and passed on as it comes."""

import asyncio

from apiserver_objects import pod

from cluster_engine.apiserver.serving.exchange import Response

PODS = "/api/v1/namespaces/default/pods"


def test_a_log_comes_from_the_kubelet_whose_certificate_nobody_vouches_for(run_logs):
    async def story(plane, admin, kubelet):
        answer = await admin.get(f"{PODS}/web-0/log?tailLines=2&timestamps=true&pretty=true")
        assert (answer.code, answer.raw) == (200, b"line 1\nline 2\n")
        assert answer.headers["content-type"] == "text/plain"
        assert kubelet.asked == [
            ("kube-apiserver-kubelet-client", "/containerLogs/default/web-0/web", "tailLines=2&timestamps=true")
        ]

    run_logs(story)


def test_a_log_is_followed_line_by_line_until_the_reader_leaves(run_logs):
    async def story(plane, admin, kubelet):
        kubelet.answer = Response(200, "text/plain", stream=kubelet.follow)
        async with admin.watch(f"{PODS}/web-0/log?follow=true") as log:
            for text in (b'{"n":1}\n', b'{"n":2}\n'):
                await plane.world.until(lambda: bool(kubelet.writers))
                kubelet.writers[0].write(text)
                assert await log.next() is not None
        await admin.pool.aclose()
        await asyncio.sleep(1)
        assert kubelet.writers[0].closed, "the kubelet hears that nobody listens any more"

    run_logs(story)


def test_what_the_kubelet_refuses_is_passed_on_in_its_words(run_logs):
    async def story(plane, admin, kubelet):
        why = b'container "web" in pod "web-0" is waiting to start: ContainerCreating'
        kubelet.answer = Response(400, "text/plain", why)
        answer = await admin.get(f"{PODS}/web-0/log")
        assert (answer.code, answer.body["reason"], answer.body["message"]) == (400, "BadRequest", why.decode())

    run_logs(story)


def test_a_kubelet_that_is_gone_is_an_error_that_names_it(run_logs):
    async def story(plane, admin, kubelet):
        kubelet.process.kill()
        answer = await admin.get(f"{PODS}/web-0/log")
        assert answer.code == 500
        assert answer.body["message"].endswith(": dial tcp 10.0.0.11:10250: connect: connection refused")

    run_logs(story)


def test_the_container_must_be_clear_and_the_pod_must_run(run_logs):
    async def story(plane, admin, kubelet):
        assert (await admin.get(f"{PODS}/none/log")).code == 404
        unknown = await admin.get(f"{PODS}/web-0/log?container=nope")
        assert unknown.body["message"] == "container nope is not valid for pod web-0"
        two = pod("two")
        two["spec"]["containers"].append({"name": "side", "image": "busybox"})
        await admin.post(PODS, two)
        unclear = await admin.get(f"{PODS}/two/log")
        assert unclear.body["message"] == ("a container name must be specified for pod two, choose one of: [web side]")
        waiting = await admin.get(f"{PODS}/two/log?container=side")
        assert (waiting.code, waiting.raw) == (200, b"")

    run_logs(story)
