"""Who may do what with a cluster: the one place that says it, for views, consumers and the gateway's papers.

A role is what somebody is to a cluster, an action what they want of it; `MAY` is the whole answer. A cluster that one
may not even see is told apart from none by nobody: to a stranger `find` gives None.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from visualizer import selectors
from visualizer.lessons.lesson import INCIDENTS
from visualizer.models import Cluster
from visualizer.reasons import IMPORTED
from visualizer.rooms import selectors as rooms
from visualizer.selectors import Owner
from visualizer.sharing import selectors as sharing


class Role(StrEnum):
    """What somebody is to a cluster."""

    OWNER = "owner"
    HELD = "held"  # its owner, a learner in a room that is paused: time is the instructor's until it goes on
    INSTRUCTOR = "instructor"  # of the room whose learner owns it
    MEMBER = "member"  # of the room whose instructor it belongs to
    READER = "reader"  # who has a link that its owner has made
    TAKER = "taker"  # who has a link by which files may be taken along as well


class Action(StrEnum):
    """What somebody wants of a cluster."""

    SEE = "see"  # its page, journal, details and socket
    TAKE = "take"  # the journal as files, with the keys that open it
    TYPE = "type"  # commands, and Ctrl-C
    DRIVE = "drive"  # pace, pause, step
    BREAK = "break"  # faults, and healing them
    LEARN = "learn"  # go on in a lesson, answer, ask for a hint
    GATEWAY = "gateway"  # a kubeconfig
    REPLACE = "replace"  # undo, reset
    BRANCH = "branch"  # branches of it, their names, and deleting them
    SHARE = "share"  # links for readers


_ALL = frozenset(Action)
MAY: dict[Role, frozenset[Action]] = {
    Role.OWNER: _ALL,
    # A lesson that goes on lets time go on, and so does a branch.
    Role.HELD: _ALL - {Action.DRIVE, Action.LEARN, Action.REPLACE, Action.BRANCH},
    # A kubeconfig, a branch or a link would outlive the room.
    Role.INSTRUCTOR: _ALL - {Action.GATEWAY, Action.BRANCH, Action.SHARE},
    Role.MEMBER: frozenset({Action.SEE, Action.TAKE}),
    Role.READER: frozenset({Action.SEE}),
    Role.TAKER: frozenset({Action.SEE, Action.TAKE}),
}
READERS = frozenset({Role.READER, Role.TAKER})


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, and what somebody is to it."""

    cluster: Cluster
    role: Role

    def may(self, action: Action) -> bool:
        """Whether the action is theirs to do. What is broken in an incident is neither theirs to break nor to heal.

        Whoever could would learn what it is: by what is refused beside it, and by what is noted when it is over.
        """
        if self.cluster.reason == IMPORTED:  # it never ran
            return action in MAY[self.role] & {Action.SEE, Action.TAKE, Action.SHARE}
        if action is Action.BREAK and self.role is not Role.INSTRUCTOR and self.cluster.lesson.startswith(INCIDENTS):
            return False
        return action in MAY[self.role]


def find(owner: Owner, cluster: str) -> Access | None:
    """Look a cluster up for somebody; None when it does not exist or they may not see it."""
    if (theirs := selectors.owned_cluster(owner, cluster)) is not None:
        return Access(theirs, Role.HELD if rooms.is_held(cluster) else Role.OWNER)
    found = selectors.cluster(cluster)
    role = _role_in_a_room(owner, found) if found is not None else None
    return Access(found, role) if found is not None and role is not None else None


def by_link(token: str) -> Access | None:
    """Look up what a link leads to; None where there is none, or none any more."""
    found = sharing.share(token)
    return None if found is None else Access(found.cluster, Role.TAKER if found.files else Role.READER)


def seen_by(owner: Owner) -> list[str]:
    """List the running clusters that somebody may see: theirs, and those of the rooms that they lead or are in."""
    seen = owner.owns()
    if owner.user_id is not None:
        seen |= Q(members__room__owner=owner.user_id)
    if owner.visitor:
        seen |= Q(rooms__members__visitor=owner.visitor)
    running = Cluster.objects.filter(seen, state__in=selectors.ACTIVE)
    return list(running.values_list("pk", flat=True).distinct())


def _role_in_a_room(owner: Owner, cluster: Cluster) -> Role | None:
    lives = rooms.lineage(cluster)
    if owner.user_id is not None and rooms.instructs(owner.user_id, lives):
        return Role.INSTRUCTOR
    return Role.MEMBER if owner.visitor and rooms.watches(owner.visitor, lives) else None
