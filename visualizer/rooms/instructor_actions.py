"""What an instructor does to all clusters of a room at once: break, heal, pause.

Each is a question to every cluster, put side by side; a cluster that does not answer holds up no other, and its report
says why nothing happened there. Whether a fault has begun is told later, in the cluster's own stream
(stream_listener.py).
"""

import asyncio
from typing import Any

from django.utils.translation import gettext_noop as _

from cluster_engine import deeds, faults, predicates
from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.deeds import Deed, HealIncident, Pause, Resume
from visualizer import json_bounds
from visualizer.database import in_database
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Workers
from visualizer.hosting.refused import Refused
from visualizer.hosting.web_process import WebProcess
from visualizer.rooms import clusters, hub, incidents, protocol, selectors, services
from visualizer.rooms.changes import Changed
from visualizer.rooms.models import Incident, Member, Room

NO_CLUSTER = _("This learner has not opened the room's page yet.")


class Impossible(Exception):  # noqa: N818
    """What was asked cannot be done; the text is for people."""


async def break_clusters(host: WebProcess, room: Room, asked: protocol.Break) -> tuple[int, int]:
    """Break the targets' clusters; the incident, and how many clusters took it. Raise `Impossible`."""
    record, when = _fault(asked.fault), _when(asked.when)
    incident, clusters = await in_database(_make)(room, record, when, asked.targets)
    await hub.tell(host.bus, room.pk, Changed(incidents=[incident.pk], members=await _reported(incident)))
    deed = deeds.Incident(incident.pk, record, when, sealed=True)
    taken = await asyncio.gather(*(_break(host, room, cluster, deed) for cluster in clusters))
    return incident.pk, sum(taken)


async def _break(host: WebProcess, room: Room, cluster: str, deed: deeds.Incident) -> bool:
    """Break one cluster. What its stream tells says the same, and later what waits for its moment."""
    try:
        answer = await host.clusters.answer(cluster, deed)
        problem = None
    except Refused as refusal:
        answer, problem = {}, str(refusal)
    if problem is not None or answer.get("fault") is not None:
        members = await in_database(incidents.applied)(deed.incident, cluster, problem)
        await hub.tell(host.bus, room.pk, Changed(members=members))
    return problem is None


async def _reported(incident: Incident) -> list[int]:
    return await in_database(lambda: list(incident.reports.values_list("member_id", flat=True)))()


def _fault(document: dict[str, Any]) -> dict[str, Any]:
    try:
        return faults.write(faults.read(document))
    except faults.FaultError as problem:
        raise Impossible(str(problem)) from problem


def _when(document: dict[str, Any] | str | None) -> dict[str, Any] | None:
    """Read a trigger; a text is YAML."""
    if isinstance(document, str):
        try:
            document = json_bounds.checked(read_one_yaml(document))
        except (Unreadable, json_bounds.OutOfBounds) as problem:
            raise Impossible(f"YAML: {str(problem).removeprefix('yaml: ')}") from problem
    if document is None:
        return None
    try:
        predicates.read(document)
    except predicates.PredicateError as problem:
        raise Impossible(str(problem)) from problem
    assert isinstance(document, dict)
    return document


def _make(
    room: Room, record: dict[str, Any], when: dict[str, Any] | None, targets: protocol.Targets
) -> tuple[Incident, list[str]]:
    if room.state != Room.State.OPEN:
        raise Impossible(_("This room is closed."))
    whose = _whose(room, targets)
    members = selectors.targeted(room, whose)
    if not members:
        raise Impossible(_("Nobody is there whose cluster could be broken."))
    try:
        incident = incidents.make(room, record=record, when=when, targets=whose, members=members)
    except incidents.TooManyIncidents as problem:
        raise Impossible(_("This room has had as many incidents as it may.")) from problem
    incidents.applied(incident.pk, "", NO_CLUSTER)
    return incident, _clusters(room, members)


def _whose(room: Room, targets: protocol.Targets) -> dict[str, Any]:
    if room.mode == Room.Mode.SHARED:
        return {"all": True}
    said = {"all": targets.all, "group": targets.group, "member": targets.member}
    return {key: value for key, value in said.items() if value is not None}


def _clusters(room: Room, members: list[Member]) -> list[str]:
    if room.mode == Room.Mode.SHARED:
        return [room.cluster_id] if room.cluster_id else []
    return [member.cluster_id for member in members if member.cluster_id]


async def heal(host: WebProcess, room: Room, asked: protocol.Heal) -> None:
    """Heal one incident or all of them, for the targets or for everybody. Raise `Impossible`."""
    chosen, members = await in_database(_to_heal)(room, asked)
    pairs = await in_database(selectors.incident_clusters)(chosen, members)
    answers = await asyncio.gather(*(_ask(host, cluster, HealIncident(one)) for one, cluster in pairs))
    await in_database(incidents.healed)(chosen, members)
    await hub.tell(host.bus, room.pk, Changed(incidents=chosen, members=members))
    if problems := [problem for problem in answers if problem is not None]:
        raise Impossible(problems[0])


def _to_heal(room: Room, asked: protocol.Heal) -> tuple[list[int], list[int]]:
    """The incidents that are meant, and the members for whom they are not over yet."""
    active = incidents.active(room.pk)
    if asked.incident is not None and asked.incident not in active:
        raise Impossible(_("There is no such incident, or it is healed already."))
    chosen = active if asked.incident is None else [asked.incident]
    whose = {"all": True} if asked.targets is None else _whose(room, asked.targets)
    members = selectors.with_incidents(chosen, [one.pk for one in selectors.targeted(room, whose)])
    if asked.targets is not None and not members:
        raise Impossible(_("Nothing is broken there."))
    return chosen, members


async def pause(host: WebProcess, room: Room, on: bool) -> None:
    """Hold all clusters of a room, or let them go on; who may not drive meanwhile says visualizer.access."""
    await in_database(services.set_paused)(room.pk, on)
    await hub.tell(host.bus, room.pk, Changed(room=True))
    held = list(dict.fromkeys(await in_database(selectors.clusters_of)(room)))
    await clusters.reconsider(host, held)
    deed = Pause() if on else Resume()
    await asyncio.gather(*(_ask(host, cluster, deed) for cluster in held))


async def workers(host: WebProcess, room: Room) -> list[str]:
    """Return the names of the machines for pods in any cluster of a room, those that were switched on later too."""
    asked = dict.fromkeys(await in_database(selectors.clusters_of)(room))
    answers = await asyncio.gather(*(_workers_of(host, cluster) for cluster in asked))
    return list(dict.fromkeys(name for names in answers for name in names))


async def _workers_of(host: WebProcess, cluster: str) -> list[str]:
    """One that sleeps, or gives no answer, has nothing to tell."""
    try:
        return list(await host.clusters.answer(cluster, Workers()))
    except Refused:
        return []


async def _ask(host: WebProcess, cluster: str, deed: Deed) -> str | None:
    """Have it done; why it was refused. A cluster that sleeps is asked again when it wakes (stream_listener.py)."""
    try:
        await host.clusters.ask(cluster, deed)
    except NotRunning:
        return None
    except Refused as refusal:
        return str(refusal)
    return None
