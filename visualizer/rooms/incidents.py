"""Everything that is written of incidents: made, applied, noticed, diagnosed, healed.

What is healed is healed for a member: an incident that is for many is over once it is over for each of them.

Seconds count from the instant a fault was applied in the learner's own cluster, on the server's clock. What somebody
says before that, or of a cluster in which nothing is broken, is a false alarm; and a diagnosis tells nothing but
whether it is right.
"""

from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from cluster_engine import faults
from visualizer.rooms.models import Incident, Member, Report, Room

INCIDENTS_MAX = 50  # of one room
PROBLEM_MAX = 500


class TooManyIncidents(Exception):  # noqa: N818
    """A room has had as many incidents as it may."""


def make(
    room: Room, *, record: dict[str, Any], when: dict[str, Any] | None, targets: dict[str, Any], members: list[Member]
) -> Incident:
    """Note an incident, and a report for each member it is for. Raise `TooManyIncidents`."""
    with transaction.atomic():
        if Incident.objects.filter(room=room).count() >= INCIDENTS_MAX:
            raise TooManyIncidents
        incident = Incident.objects.create(room=room, record=record, when=when, targets=targets)
        shared = room.cluster_id if room.mode == Room.Mode.SHARED else None
        Report.objects.bulk_create(
            Report(incident=incident, member=member, cluster=shared or member.cluster_id or "") for member in members
        )
        return incident


def applied(incident: int, cluster: str, problem: str | None) -> list[int]:
    """Note that an incident has begun in a cluster, or why it cannot; the first word counts. Return the members."""
    reports = Report.objects.filter(Q(cluster=cluster) | Q(member__cluster=cluster), incident=incident)
    new = reports.filter(applied_at=None)
    members = list(new.values_list("member_id", flat=True))
    change = {"problem": problem[:PROBLEM_MAX]} if problem else {"applied_at": timezone.now(), "problem": ""}
    Report.objects.filter(incident=incident, member__in=members).update(**change)
    return members


def healed(incidents: list[int], members: list[int]) -> None:
    """Note that incidents are over for members, and for good once they are over for all."""
    with transaction.atomic():
        reports = Report.objects.filter(incident__in=incidents, healed_at=None)
        reports.filter(member__in=members).update(healed_at=timezone.now())
        open_still = reports.filter(incident=OuterRef("pk"))
        over = Incident.objects.filter(~Exists(open_still), pk__in=incidents, healed_at=None)
        over.update(healed_at=timezone.now())


def active(room: str) -> list[int]:
    """The incidents that nobody has healed."""
    return list(Incident.objects.filter(room=room, healed_at=None).values_list("pk", flat=True))


def notice(member: int) -> bool:
    """A learner says that something is wrong; whether something is."""
    broken = _broken(member)
    if not broken.exists():
        Member.objects.filter(pk=member).update(false_alarms=F("false_alarms") + 1)
        return False
    broken.filter(noticed_at=None).update(noticed_at=timezone.now())
    return True


def diagnose(member: int, fault: str, target: str) -> tuple[bool, int]:
    """A learner names a fault and its target: whether that is right, and which try it was at what is not yet found.

    A right one counts as noticing too. Of a wrong one every incident that is not yet diagnosed counts a try.
    """
    with transaction.atomic():
        broken = list(_broken(member).select_related("incident").select_for_update(of=("self",)))
        right = [one for one in broken if _names(one.incident.record, fault, target)]
        tried = [one for one in right if one.diagnosed_at is None] or ([] if right else _open(broken))
        now = timezone.now()
        for report in tried:
            report.tries += 1
            if right:
                report.diagnosed_at = now
                report.noticed_at = report.noticed_at or now
        Report.objects.bulk_update(tried, ["tries", "diagnosed_at", "noticed_at"])
    return bool(right), max((one.tries for one in tried or right), default=0)


def _broken(member: int) -> QuerySet[Report]:
    return Report.objects.filter(member=member, healed_at=None).exclude(applied_at=None)


def _open(reports: list[Report]) -> list[Report]:
    return [one for one in reports if one.diagnosed_at is None]


def _names(record: dict[str, Any], fault: str, target: str) -> bool:
    """Whether this names a fault. A storyline has its last part's name too: what is broken in the end."""
    whole = faults.read(record)
    return (fault, target) in {(one.name, one.target) for one in (whole, *whole.parts()[-1:])}
