import asyncio
import functools

from control_plane import ControlPlane, deployment

from cluster_engine.api.kinds import DEPLOYMENT, LEASE, REPLICA_SET, SERVICE_ACCOUNT
from cluster_engine.controllers.credentials import ServiceAccountToken


def test_each_controller_writes_in_the_name_of_its_own_service_account(cluster):
    async def story(plane):
        accounts = {each["metadata"]["name"] for each in await plane.items(SERVICE_ACCOUNT, "kube-system")}
        assert {"deployment-controller", "replicaset-controller", "generic-garbage-collector"} <= accounts
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        (one,) = await plane.items(REPLICA_SET, "default")
        managers = {each["manager"] for each in one["metadata"].get("managedFields", ())}
        assert managers <= {"kube-controller-manager"}

    cluster(story)


def test_one_of_two_managers_works_and_the_other_takes_over(cluster):
    async def story(plane):
        host = plane.world.host("control-plane")
        first = plane.process("kube-controller-manager")
        lease = await plane.client.get(LEASE, "kube-controller-manager", "kube-system")
        second = plane.world.spawn(host, "second-manager", functools.partial(first.main, secure_port=0))
        await asyncio.sleep(30)
        again = await plane.client.get(LEASE, "kube-controller-manager", "kube-system")
        assert again["spec"]["holderIdentity"] == lease["spec"]["holderIdentity"]
        first.kill()
        async with asyncio.timeout(20):
            await second.wait_ready()
        await plane.client.create(DEPLOYMENT, deployment())
        await asyncio.sleep(3)
        return len(await plane.items(REPLICA_SET, "default"))

    assert cluster(story) == 1


def test_a_manager_that_loses_the_api_server_exits_with_code_1(cluster):
    async def story(plane):
        manager = plane.process("kube-controller-manager")
        plane.process("kube-apiserver").kill()
        killed_at = plane.world.loop.time()
        assert await manager.wait() == 1
        return plane.world.loop.time() - killed_at

    assert 10 <= cluster(story) <= 13


def test_a_token_is_asked_for_again_when_four_fifths_of_its_life_are_over(run):
    async def story(world):
        plane = ControlPlane(world)
        await plane.start(nodes=0, programs=())
        token = ServiceAccountToken(plane.client, plane.client.process, "some-controller")
        first = await token()
        await asyncio.sleep(2800)
        assert await token() == first
        await asyncio.sleep(200)
        assert await token() != first

    run(story)
