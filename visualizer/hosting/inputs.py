"""Inputs: what people did to a cluster, as documents that can be kept, taken again, and left out again.

`{"command": {"id", "line"}}`, `{"interrupt": id}`, `{"fault": record}` (with `when`, `incident` and `sealed` where they
were given), `{"heal": id | null}`, `{"healIncident": n}`, `{"advance": beat}`, `{"answer": {"question", "answer"}}`,
`{"hint": true}`. What they do is in performer.py, when they are taken in `cluster_engine.inputs`.
"""

from collections.abc import Sequence
from typing import Any

from visualizer.hosting import messages
from visualizer.hosting.messages import Doing, Input

INPUTS_MAX = 2000
INPUTS_BYTES_MAX = 4 * 1024 * 1024
UNDOABLE = frozenset({"command", "fault", "heal", "advance", "answer", "hint"})


def document_of(doing: Doing) -> dict[str, Any]:
    """Write what somebody does as an input's document."""
    match doing:
        case messages.Command(identifier, line):
            return {"command": {"id": identifier, "line": line}}
        case messages.Interrupt(identifier):
            return {"interrupt": identifier}
        case messages.Inject(record, when, incident, sealed):
            given = {"when": when, "incident": incident, "sealed": sealed or None}
            return {"fault": record, **{name: value for name, value in given.items() if value is not None}}
        case messages.Heal(fault):
            return {"heal": fault}
        case messages.HealIncident(incident):
            return {"healIncident": incident}
        case messages.Advance(beat):
            return {"advance": beat}
        case messages.Answer(question, answer):
            return {"answer": {"question": question, "answer": answer}}
        case messages.Hint():
            return {"hint": True}


def last_undoable(inputs: Sequence[Input]) -> Input | None:
    """Find what an undo takes back: the last input but a Ctrl-C. An instructor's incident is nobody's to undo."""
    for one in reversed(inputs):
        if "incident" in one.document or "healIncident" in one.document:
            return None
        if UNDOABLE & one.document.keys():
            return one
    return None
