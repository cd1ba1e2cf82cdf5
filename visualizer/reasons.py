"""Why a cluster has ended: the codes that travel and are stored, and what people read."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

REASONS = {
    "stopped": _("You stopped this cluster."),
    "idle": _("Nobody watched this cluster for a while, so it was stopped."),
    "room": _("This cluster was stopped to make room for others: nobody was watching it."),
    "full": _("The journal of this cluster is full, so it was stopped."),
    "failed": _("This cluster did not start. That is our mistake; please try a new one."),
    "broken": _("This cluster broke. That is our mistake; its journal is kept up to here."),
    "worker-lost": _("The process that ran this cluster is gone; its journal is kept up to here."),
    "server-stopped": _("The server was stopped, and this cluster with it; its journal is kept up to here."),
    "no-room": _("All engines are busy. Please try again in a few minutes."),
    "no-worker": _("No engine is running. Please try again in a moment."),
}

# What workers refuse with (visualizer.hosting knows no translations); looked up by its English text.
REFUSALS = (
    _("A command with this id is running already."),
    _("Too many commands are running in this cluster; interrupt one first."),
    _("This cluster does not run any more."),
    _("There is no such entry any more."),
    _("The cluster is busy and gave no answer in time."),
    _("This broke inside Glassplane; that is our mistake."),
    _("The engine cannot be reached just now; please try again."),
    _("Too many pages watch this cluster."),
)


def said(reason: str) -> str:
    """What people read for a reason, in the active language; nothing for no reason."""
    return gettext(REASONS.get(reason, REASONS["broken"])) if reason else ""
