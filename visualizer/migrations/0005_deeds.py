"""Write kept inputs as deeds are spelled: `{"type": "command", "id", "line"}`, not `{"command": {"id", "line"}}`."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AT_ONCE = 500


def deed_of(old: dict[str, Any]) -> dict[str, Any]:
    """Spell an input as `cluster_engine.deeds` does; what is not known is left as it is."""
    match old:
        case {"command": {"id": identifier, "line": line}}:
            return {"type": "command", "id": identifier, "line": line}
        case {"interrupt": identifier}:
            return {"type": "interrupt", "id": identifier}
        case {"fault": record, **others}:
            return {"type": "incident" if "incident" in others else "inject", "fault": record, **others}
        case {"heal": None}:
            return {"type": "heal"}
        case {"heal": fault}:
            return {"type": "heal", "fault": fault}
        case {"healIncident": incident}:
            return {"type": "healIncident", "incident": incident}
        case {"advance": beat}:
            return {"type": "advance", "beat": beat}
        case {"answer": {"question": question, "answer": answer}}:
            return {"type": "answer", "question": question, "answer": answer}
        case {"hint": True}:
            return {"type": "hint"}
        case _:
            return old


def spell(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Rewrite every input, some at a time."""
    inputs = apps.get_model("visualizer", "Input").objects
    last = 0
    while rows := list(inputs.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = rows[-1].pk
        for row in rows:
            if "type" not in row.document:
                row.document = deed_of(row.document)
        inputs.bulk_update(rows, ["document"])


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0004_effort"),
    ]

    operations = [migrations.RunPython(spell)]
