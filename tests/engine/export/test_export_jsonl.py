"""The journal for people: lines of JSON, each with its sentence."""

import io
import json

from cluster_engine.export.jsonl import lines_into
from cluster_engine.journal import Journal


def test_the_export_has_a_line_and_a_sentence_for_every_entry():
    out, journal = io.BytesIO(), Journal()
    journal.subscribe(lines_into(out))
    for line in ("kubectl get pods", "kubectl get nodes"):
        fields = {"host": "workstation"}
        entry = {"seq": 0, "kind": "command.started", "from": "workstation/terminal", "to": None, "label": line}
        journal.append({**entry, "size": 0, "fields": fields})
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.pop("sentence") for line in lines] == ["You run kubectl get pods", "You run kubectl get nodes"]
    assert lines == journal.since(0, 10)
