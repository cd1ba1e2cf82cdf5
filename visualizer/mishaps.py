"""What ended the process of a cluster, and what becomes of that: it comes back, and the second time without it.

A process that hangs, takes too much memory or crashes is ended alone (`hosting.watchdog`), and the last thing done to
its cluster is noted in the cluster's row. The cluster is brought back with all its inputs: the cause may have been
another. If the same thing was the last one done when it is ended again, it is *left out*: another cluster takes the
place of this one, with the inputs before it, as an undo does. Whatever came after it would have had another world.

    {"reason": "memory", "n": 3, "text": "kubectl apply -f big.yaml", "deaths": 1, "leftOut": false}
"""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from visualizer.hosting.messages import KILLED, State

DEATHS_MAX = 2

WHAT_HAPPENED = {
    "hung": _(
        "The process of this cluster was ended: it had done one single thing for ten seconds and gave no answer."
    ),
    "memory": _("The process of this cluster was ended: it took more memory than a cluster may have."),
    "crashed": _("The process of this cluster crashed. That is our mistake."),
}
LAST_DONE = _("The last thing done was: %(text)s")
BACK = _("The cluster was brought back.")
LEFT_OUT = _("Since this was the second time, that was left out.")


def after(known: dict[str, Any] | None, state: State) -> dict[str, Any] | None:
    """What is to be remembered once a cluster has come to this state."""
    if state.reason not in KILLED:
        return known
    again = known is not None and (known["n"], known["text"]) == (state.n, state.doing)
    deaths = known["deaths"] + 1 if known is not None and again else 1
    return {"reason": state.reason, "n": state.n, "text": state.doing, "deaths": deaths, "leftOut": False}


def is_poison(mishap: dict[str, Any] | None) -> bool:
    """Whether the cluster was ended over the same thing as often as that may happen."""
    return mishap is not None and mishap["deaths"] >= DEATHS_MAX and not mishap["leftOut"]


def in_words(mishap: dict[str, Any] | None, *, is_over: bool) -> str:
    """What people read, in the active language: what happened, what was being done and, if it is over, what now."""
    if mishap is None or mishap["reason"] not in WHAT_HAPPENED:
        return ""
    said = [gettext(WHAT_HAPPENED[mishap["reason"]])]
    if mishap["text"]:
        said.append(gettext(LAST_DONE) % {"text": mishap["text"]})
    if is_over:
        said.append(gettext(LEFT_OUT if mishap["leftOut"] else BACK))
    return " ".join(said)
