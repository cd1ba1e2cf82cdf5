"""Several faults as one: each begins at its time, and all are healed together."""

import asyncio

import pytest

from cluster_engine.faults import FaultError


def test_a_storyline_lets_its_parts_happen_in_turn_and_is_healed_with_them(broken):
    async def story(it):
        await it.deploy(2)
        await it.all_well(2)
        head, began = it.cluster.journal.head, it.world.loop.time()
        whole = it.cluster.fail("storyline", target="a-node-fails-slowly", worker="worker-1", start=5.0)
        with pytest.raises(FaultError, match="is the subject of"):
            it.cluster.fail("loss", target="worker-1")
        await asyncio.sleep(100.0)
        started = [one for one in it.notes("fault.started") if one["seq"] > head]
        assert [(one["fields"]["name"], round(one["at"] - began)) for one in started] == [
            ("storyline", 5),
            ("loss", 5),
            ("slow", 35),
            ("power-off", 95),
        ]
        await it.cluster.heal(whole)
        assert it.cluster.faults == []
        await it.all_well(2, within_seconds=900)

        before = it.cluster.fail("storyline", target="etcd-fills-up", start=50.0)
        await it.cluster.heal(before)
        assert it.cluster.faults == [], "healed before it began, with all its parts"

        it.cluster.fail("storyline", target="the-api-server-gives-way")
        await asyncio.sleep(10.0)
        await it.kubectl("get pods --request-timeout=30s")
        await it.until(lambda: not it.cluster.faults, within_seconds=400)
        await it.all_well(2, within_seconds=900)

    broken(story)
