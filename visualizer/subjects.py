"""The curriculum: its subjects by number, as lists name them, and its exercises by number (`curriculum.py`)."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

SUBJECTS = {
    1: _("Who talks to whom"),
    2: _("Ports"),
    3: _("The protocol stack"),
    4: _("Credentials"),
    5: _("TLS handshake"),
    6: _("Watch on the wire"),
    7: _("Thousands of watches"),
    8: _("kubeconfig"),
    9: _("Identity and RBAC"),
    10: _("A watch's life"),
    11: _("Looking from outside"),
    12: _("The full path"),
    13: _("kubectl and curl"),
    14: _("kubelet"),
    15: _("kube-proxy"),
    16: _("Controllers"),
    17: _("Scheduler"),
    18: _("etcd"),
    19: _("Audit log"),
    20: _("Who can read along"),
    21: _("Keys and forward secrecy"),
    22: _("A watch client"),
    23: _("Joining a node"),
    24: _("Heartbeats"),
    25: _("What a node may read"),
    26: _("API server down"),
    27: _("Node down"),
    28: _("From API server to kubelet"),
    29: _("Watch, in German"),  # the lessons on the watch and on who can read it, all together: each is in German too
}
EXERCISES = {
    1: "Find the connection",
    2: "Order the handshake",
    3: "Read a certificate",
    4: "Why 401, why 403",
    5: "Least rights for a node",
    6: "Resume a watch",
    7: "Survive 410 Gone",
    8: "Write a watch client",
    9: "Who watches what",
    10: "Schedule by hand",
    11: "Be the controller",
    12: "The pod that never starts",
    13: "Node down",
    14: "API server outage",
    15: "Decrypt or not",
    16: "The man in the middle",
    17: "The leaked token",
    18: "Join a node by hand",
    19: "Endpoints missing",
    20: "Two writers",
    21: "PATCH four ways",
    22: "etcd restored from yesterday",
}
LEVELS = {1: _("for newcomers"), 2: _("for people who know kubectl"), 3: _("for experts")}


def subject(number: int) -> str:
    """A subject's name in the active language; nothing for one that has none."""
    return gettext(SUBJECTS[number]) if number in SUBJECTS else ""


def level(number: int) -> str:
    """A level in words."""
    return gettext(LEVELS[number]) if number in LEVELS else ""
