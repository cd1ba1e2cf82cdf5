"""Who may do what with a cluster: the one place that says it, for views, consumers and the gateway's papers.

A role is what somebody is to a cluster, an action what they want of it; `MAY` is the whole answer. A cluster that one
may not even see is told apart from none by nobody.
"""

from dataclasses import dataclass
from enum import StrEnum

from visualizer import selectors
from visualizer.models import Cluster
from visualizer.selectors import Owner


class Role(StrEnum):
    """What somebody is to a cluster."""

    OWNER = "owner"


class Action(StrEnum):
    """What somebody wants of a cluster."""

    SEE = "see"  # its page, journal, details and socket
    TYPE = "type"  # commands, and Ctrl-C
    DRIVE = "drive"  # pace, pause, step
    BREAK = "break"  # faults, and healing them
    LEARN = "learn"  # go on in a lesson, answer, ask for a hint
    GATEWAY = "gateway"  # a kubeconfig
    REPLACE = "replace"  # undo, reset


MAY: dict[Role, frozenset[Action]] = {Role.OWNER: frozenset(Action)}


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, and what somebody is to it."""

    cluster: Cluster
    role: Role

    def may(self, action: Action) -> bool:
        """Whether the action is theirs to do."""
        return action in MAY[self.role]


def find(owner: Owner, cluster: str) -> Access | None:
    """Look a cluster up for somebody; None when it does not exist or they may not see it."""
    found = selectors.owned_cluster(owner, cluster)
    return Access(found, Role.OWNER) if found is not None else None
