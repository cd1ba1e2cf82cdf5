"""The subjects of the curriculum by number, as lists name them."""

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
    29: _("Watch, in German"),
}
LEVELS = {1: _("for newcomers"), 2: _("for people who know kubectl"), 3: _("for experts")}


def subject(number: int) -> str:
    """A subject's name in the active language; nothing for one that has none."""
    return gettext(SUBJECTS[number]) if number in SUBJECTS else ""


def level(number: int) -> str:
    """A level in words."""
    return gettext(LEVELS[number]) if number in LEVELS else ""
