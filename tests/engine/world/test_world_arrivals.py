"""Segments that arrive together arrive as they would one by one."""

import asyncio
import contextvars

from cluster_engine.world.arrivals import Arrivals


def test_segments_and_timers_of_one_time_come_in_the_order_in_which_they_were_set(run):
    async def story(world):
        seen, here = [], contextvars.copy_context()
        arrivals, loop = Arrivals(world.loop), world.loop
        for name in "ab":
            arrivals.add(1.0, here, lambda name=name: seen.append(name))
        loop.call_at(1.0, seen.append, "timer")
        for name in "cd":
            arrivals.add(1.0, here, lambda name=name: seen.append(name))
        arrivals.add(0.5, here, lambda: seen.append("earlier"))
        arrivals.add(1.0, here, lambda: seen.append("e"))
        await asyncio.sleep(2)
        assert seen == ["earlier", "a", "b", "timer", "c", "d", "e"]

    run(story)


def test_what_is_sent_while_others_arrive_arrives_later(run):
    async def story(world):
        seen, here = [], contextvars.copy_context()
        arrivals = Arrivals(world.loop)

        def forward():
            arrivals.add(world.loop.time(), here, lambda: seen.append("forwarded"))
            world.loop.call_soon(seen.append, "soon")

        arrivals.add(1.0, here, forward)
        arrivals.add(1.0, here, lambda: seen.append("second"))
        await asyncio.sleep(2)
        assert seen == ["second", "soon", "forwarded"]

    run(story)


def test_each_arrives_in_its_own_context_and_one_that_fails_keeps_none_back(run):
    variable = contextvars.ContextVar("variable", default="none")

    async def story(world):
        seen = []
        arrivals = Arrivals(world.loop)
        for value in ("one", "two"):
            context = contextvars.copy_context()
            context.run(variable.set, value)
            arrivals.add(1.0, context, lambda: seen.append(variable.get()))

        def fail():
            raise ConnectionResetError("as sockets do")

        arrivals.add(1.0, contextvars.copy_context(), fail)
        arrivals.add(1.0, contextvars.copy_context(), lambda: seen.append(variable.get()))
        await asyncio.sleep(2)
        assert seen == ["one", "two", "none"]

    run(story)
