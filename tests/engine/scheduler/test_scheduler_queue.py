import asyncio

from cluster_engine.scheduler.queue import SchedulingQueue


def pod(name, priority=0, image="nginx"):
    spec = {"priority": priority, "containers": [{"image": image}]}
    return {"metadata": {"name": name, "namespace": "d", "uid": name}, "spec": spec}


def name(queued):
    return queued.pod["metadata"]["name"]


def test_higher_priority_comes_first_then_who_waits_longer(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        await asyncio.sleep(1)
        queue.add(pod("b"))
        queue.add(pod("urgent", priority=10))
        return [name(await queue.pop()) for _ in range(3)]

    assert run(story) == ["urgent", "a", "b"]


def test_an_unschedulable_pod_waits_for_a_change_and_its_back_off(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        waits = []
        for _ in range(6):
            queued = await queue.pop()
            queue.put_back(queued)
            failed_at = world.loop.time()
            await asyncio.sleep(0.25)
            queue.something_changed()
            queued = await queue.pop()
            waits.append(world.loop.time() - failed_at)
            queue.put_back(queued, retry=True)
        return waits

    assert run(story) == [1, 4, 10, 10, 10, 10]  # the retries between double the wait too


def test_without_a_change_it_is_tried_again_after_five_minutes(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        queue.put_back(await queue.pop())
        await queue.pop()
        return world.loop.time()

    assert 300 < run(story) <= 331


def test_a_change_during_the_cycle_is_not_missed(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        queued = await queue.pop()
        queue.something_changed()
        queue.put_back(queued)
        await queue.pop()
        return world.loop.time()

    assert run(story) == 1


def test_a_change_of_the_pod_itself_wakes_it_but_not_one_of_its_status(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        queue.put_back(await queue.pop())
        await asyncio.sleep(5)
        queue.update(pod("a"), {**pod("a"), "status": {"phase": "Pending"}})
        await asyncio.sleep(5)
        queue.update(pod("a"), pod("a", image="nginx:2"))
        queued = await queue.pop()
        return world.loop.time(), queued.pod["spec"]["containers"][0]["image"]

    assert run(story) == (10, "nginx:2")


def test_a_removed_pod_is_not_popped(run):
    async def story(world):
        queue = SchedulingQueue()
        queue.add(pod("a"))
        queue.add(pod("b"))
        queue.remove(pod("a"))
        return name(await queue.pop())

    assert run(story) == "b"
