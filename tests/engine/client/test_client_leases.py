import asyncio

import msgspec

from cluster_engine.api.kinds import LEASE
from cluster_engine.api.status import Conflict, NotFound
from cluster_engine.client import Client, LeaderElector, LeadershipLost


class OneLease:
    """A server that keeps one Lease, with versions."""

    def __init__(self):
        self.lease = None
        self.version = 0
        self.asked = []
        self.silent = False

    def __call__(self, request):
        self.asked.append(request.method)
        if self.silent:
            return
        if request.method == "GET":
            if self.lease is None:
                request.respond(404, NotFound(LEASE, "x").status())
            else:
                request.respond(200, self.lease)
            return
        sent = msgspec.json.decode(request.body)
        if request.method == "PUT" and sent["metadata"]["resourceVersion"] != str(self.version):
            request.respond(409, Conflict(LEASE, "x").status())
            return
        self.version += 1
        sent["metadata"]["resourceVersion"] = str(self.version)
        self.lease = sent
        request.respond(200, sent)


async def lead(elector, log):
    await elector.acquire()
    log.append(asyncio.get_running_loop().time())
    await elector.renew()


def test_a_leader_writes_every_two_seconds_and_reads_only_once(with_client):
    server_side = OneLease()

    async def story(world, client, server):
        task = asyncio.create_task(lead(LeaderElector(client, client.process, "x"), []))
        await asyncio.sleep(20.5)
        task.cancel()

    with_client(server_side, story)
    assert server_side.asked == ["GET", "POST", *["PUT"] * 10]
    assert server_side.lease["spec"]["leaseTransitions"] == 0


def test_a_second_candidate_takes_over_fifteen_seconds_after_the_last_renewal(with_client):
    server_side = OneLease()

    async def story(world, client, server):
        first, second = [], []
        leader = asyncio.create_task(lead(LeaderElector(client, client.process, "x"), first))
        await asyncio.sleep(1)
        other = asyncio.create_task(lead(LeaderElector(client, client.process, "x"), second))
        await asyncio.sleep(30)
        assert not second
        leader.cancel()
        stopped = world.loop.time()
        await world.until(lambda: second)
        other.cancel()
        return second[0] - stopped

    assert 12 <= with_client(server_side, story) <= 15 + 4.4
    assert server_side.lease["spec"]["leaseTransitions"] == 1


def test_a_leader_that_cannot_renew_for_ten_seconds_stops(with_client):
    server_side = OneLease()

    async def story(world, client, server):
        lost_at = []

        async def whole():
            try:
                await lead(LeaderElector(client, client.process, "x"), [])
            except LeadershipLost:
                lost_at.append(world.loop.time())

        task = asyncio.create_task(whole())
        await asyncio.sleep(5)
        server_side.silent = True
        silent_at = world.loop.time()
        await world.until(lambda: lost_at)
        await task
        return lost_at[0] - silent_at

    assert 10 <= with_client(server_side, story) <= 12.1


def test_a_leader_that_has_lost_its_lease_stops_working_and_exits(with_client):
    server_side = OneLease()

    async def story(world, client, server):
        worked = []

        async def work():
            while True:
                worked.append(world.loop.time())
                await asyncio.sleep(1)

        async def main(process):
            await LeaderElector(Client.from_kubeconfig(process, "/config", user_agent="t"), process, "x").lead(work())

        candidate = world.spawn(client.process.host, "candidate", main)
        await asyncio.sleep(5)
        server_side.silent = True
        code = await candidate.wait()
        count = len(worked)
        await asyncio.sleep(5)
        return code, count > 5, len(worked) - count

    assert with_client(server_side, story) == (1, True, 0)
