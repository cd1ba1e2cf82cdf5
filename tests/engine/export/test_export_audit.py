"""The audit log, as the API server has written it."""

import json


def test_its_lines_are_the_notes(told):
    lines = told.export("audit").decode().splitlines()
    assert len(lines) > 100
    assert lines == [one["fields"]["line"] for one in told.entries() if one["kind"] == "audit.event"]
    assert {json.loads(line)["kind"] for line in lines} == {"Event"}
