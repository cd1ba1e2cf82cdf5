"""Listen to clusters' streams for what matters to rooms, in whichever web process records them.

`Applied`: a fault of an incident has begun, or cannot. `Lesson`: how far a learner is; the recorder writes that itself,
so here it is only said, a moment later, that there is something new to read. `State`: a cluster came, went or was
replaced. All of it may be heard twice, and by two processes when one takes over from the other: what is written is the
same.
"""

import asyncio
import contextlib
import logging
from typing import Any

from django.db import Error as DatabaseError

from cluster_engine.deeds import Applied, Deed, HealIncident, Incident, Input, Pause
from visualizer.database import in_database
from visualizer.hosting import messages, recorder, web_process
from visualizer.hosting.messages import Inputs, Lesson, State, Told
from visualizer.hosting.refused import Refused
from visualizer.rooms import ending, hub, incidents, selectors, services
from visualizer.rooms.changes import Changed
from visualizer.rooms.models import Report

logger = logging.getLogger(__name__)

WAITING_MAX = 1000  # clusters that said something and are not looked up yet

_tasks: "set[asyncio.Task[None]]" = set()
_waiting: set[str] = set()


def begin() -> None:
    """Listen with the recorder of this process, whenever it is the one that records; forget with it too."""
    recorder.listeners.append(hear)
    recorder.forgetters.append(forget)


async def forget() -> None:
    """Delete rooms that were closed long ago."""
    await ending.delete_old_rooms(web_process.current())


def hear(cluster: str, message: Told) -> None:
    """Take one message; never waits."""
    match message:
        case Applied(incident, _, _, problem) if incident is not None:
            _spawn(_applied(incident, cluster, problem))
        case State(_, _, _, successor) if successor is not None:
            _spawn(_replaced(cluster, successor))
        case State("running"):
            _spawn(_running(cluster))
        case Lesson() | State():
            if cluster not in _waiting and len(_waiting) < WAITING_MAX:
                _waiting.add(cluster)
                _spawn(_say_soon(cluster))


def _spawn(work: "asyncio._CoroutineLike[None]") -> None:
    task = asyncio.create_task(_tried(work))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _tried(work: Any) -> None:
    try:
        await work
    except DatabaseError:
        logger.exception("what a cluster told its room is not written")


async def _applied(incident: int, cluster: str, problem: str | None) -> None:
    members = await in_database(incidents.applied)(incident, cluster, problem)
    room = await in_database(selectors.room_of_incident)(incident)
    if room is not None and members:
        await hub.tell(web_process.current().bus, room, Changed(members=members))


async def _replaced(old: str, new: str) -> None:
    await in_database(services.replace_cluster)(old, new)
    await _say(new)


async def _running(cluster: str) -> None:
    """A cluster is up: if its room is held so is it, and what is broken in it is what was broken for its learner.

    One that was made by a reset knows of no incident; one that was away has missed that an incident was healed.
    """
    clusters = web_process.current().clusters
    await in_database(services.take_over)(cluster)
    missing: list[Deed] = [Pause()] if await in_database(selectors.is_held)(cluster) else []
    if reports := await in_database(selectors.reports_in)(cluster):
        with contextlib.suppress(Refused):
            missing += _missing(reports, messages.inputs(await clusters.ask(cluster, Inputs())))
    for deed in missing:
        with contextlib.suppress(Refused):
            await clusters.ask(cluster, deed)
    await _say_soon(cluster)


def _missing(reports: list[Report], inputs: list[Input]) -> list[Deed]:
    """What has to be done in a cluster so that it is broken as the reports say; `inputs` is what was done."""
    put_in = {one.act.incident for one in inputs if isinstance(one.act, Incident)}
    healed = {one.act.incident for one in inputs if isinstance(one.act, HealIncident)}
    return [
        HealIncident(one.incident_id) if one.healed_at else _again(one)
        for one in reports
        if (one.incident_id in put_in - healed if one.healed_at else one.incident_id not in put_in)
    ]


def _again(report: Report) -> Incident:
    """Let an incident happen; at once where its moment had come already."""
    when = report.incident.when if report.applied_at is None else None
    return Incident(report.incident_id, report.incident.record, when, sealed=True)


async def _say_soon(cluster: str) -> None:
    """Say that there is something new, once the recorder has written it."""
    try:
        await asyncio.sleep(1.5 * recorder.WRITE_SECONDS)
    finally:
        _waiting.discard(cluster)
    await _say(cluster)


async def _say(cluster: str) -> None:
    bus = web_process.current().bus
    for room, members in (await in_database(selectors.rooms_of_cluster)(cluster)).items():
        await hub.tell(bus, room, Changed(room=True, members=members))
