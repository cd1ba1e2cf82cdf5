"""Why a cluster does not run, and what is refused: the codes that travel and are stored, and what people read."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

IMPORTED = "imported"  # it never ran: `visualizer.imports`

REASONS = {
    IMPORTED: _("This is a recording of another cluster, read from a file."),
    "stopped": _("You stopped this cluster."),
    "idle": _("Nobody watched this cluster for a while, so it was stopped."),
    "room": _("This cluster was stopped to make room for others: nobody was watching it."),
    "full": _("The journal of this cluster is full, so it was stopped."),
    "failed": _("This cluster did not start. That is our mistake; please try a new one."),
    "broken": _("This cluster broke. That is our mistake; its journal is kept up to here."),
    "worker-lost": _("The worker that ran this cluster is gone; its journal is kept up to here."),
    "process-lost": _("The process that ran this cluster is gone; its journal is kept up to here."),
    "hung": _("This cluster did not answer and was stopped; its journal is kept up to here."),
    "memory": _("This cluster took too much memory and was stopped; its journal is kept up to here."),
    "crashed": _("The process that ran this cluster has crashed. That is our mistake; its journal is kept up to here."),
    "server-stopped": _("The server was stopped, and this cluster with it; its journal is kept up to here."),
    "replaced": _("Another cluster has taken the place of this one; its journal is kept."),
    "outside": _("This cluster was stopped. It was spoken to from outside, so it cannot be brought back as it was."),
    "too-long": _("This cluster was stopped. It had run for so long that it cannot be brought back."),
    "differs": _("This cluster did not come back as it was. That is our mistake; its journal is kept."),
    "other-version": _(
        "This cluster did not come back as it was, because another version of Glassplane made it. Its journal is kept."
    ),
    "no-room": _("All engines are busy. Please try again in a few minutes."),
    "no-worker": _("No engine is running. Please try again in a moment."),
}

# What workers refuse with (visualizer.hosting knows no translations); looked up by its English text.
REFUSALS = (
    _("A command with this id is running already."),
    _("Too many commands are running in this cluster; interrupt one first."),
    _("This command reads nothing that is typed."),
    _("Nothing reads what is typed; please wait, or press Ctrl-C."),
    _("This cluster does not run just now."),
    _("There is no such entry any more."),
    _("The cluster is busy and gave no answer in time."),
    _("This broke inside Glassplane; that is our mistake."),
    _("The engine cannot be reached just now; please try again."),
    _("Too many pages watch this cluster."),
    _("Of this recording there are its messages alone."),
    _("A capture has no audit log: that is written by an API server, and crosses no wire."),
    _("An audit log says what was asked of an API server, nothing of connections."),
    _("No packet shows the forwarding rules of a node."),
    _("An audit log has no packets: it says what was asked for, not what crossed a wire."),
    _("An audit log has no keys: it says what was asked for, not what crossed a wire."),
    _("This cluster sleeps, and was woken often just now; please try again in a minute."),
    _("This cluster is still starting; please try again in a moment."),
    _("This cluster has been told as much as it can keep; please start a new one."),
    _("Too many faults wait for their moment in this cluster; heal some first."),
    _("This fault is over already."),
    _("Whoever let this happen heals it; find out first what it is."),
    _("There is no lesson in this cluster."),
    _("Nothing but heartbeats came in five minutes."),
)

# What somebody is told who may see a cluster, and wants more of it (keys: visualizer.access.Action).
NOT_YOURS = {
    "see": _("You may not see this."),
    "type": _("You may watch this cluster, not type into it."),
    "drive": _("Time in this cluster is not yours to drive."),
    "break": _("You may watch this cluster, not break or heal it."),
    "learn": _("You may watch this lesson, not go on in it."),
    "gateway": _("A kubeconfig for this cluster is not yours to have."),
    "replace": _("Undo and reset of this cluster are not yours."),
    "branch": _("Only whose cluster this is may make branches of it, name and delete them."),
    "share": _("This cluster is not yours to share."),
    "take": _("Whoever shares this run does not want it taken along as files."),
}


def said(reason: str, head: int = 0) -> str:
    """Return what people read for a reason, in the active language; nothing for no reason.

    Of a cluster that a bug of ours has ended it names the place in the journal, entry number `head`, where it is known.
    """
    text = gettext(REASONS.get(reason, REASONS["broken"])) if reason else ""
    return f"{text} (#{head})" if reason == "broken" and head else text
