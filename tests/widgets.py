"""A kind that no cluster is born with, in a group and a version of its own: what a cluster gains while it runs."""

from typing import Any

from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.schema import INT32, STATUS_SUBRESOURCE, STRING, Column, Field, Kind, MapOf, message
from cluster_engine.api.schemas.meta import object_message

SPEC = message(
    "example.toys.v2alpha1.WidgetSpec",
    "WidgetSpec is what a widget is to be.",
    Field(1, "size", INT32, "How large it is.", minimum=1, default=3),
    Field(2, "colour", STRING, "What colour it has.", enum=("blue", "red")),
    Field(3, "parts", MapOf(STRING), "What it is made of."),
)
STATUS = message(
    "example.toys.v2alpha1.WidgetStatus",
    "WidgetStatus is what is known of a widget.",
    Field(1, "phase", STRING, "How far it is."),
)


def widget(**changes: Any) -> Kind:
    """Describe Widgets; `changes` are fields of `Kind`."""
    facts: dict[str, Any] = {
        "group": "toys.example",
        "version": "v2alpha1",
        "name": "Widget",
        "plural": "widgets",
        "singular": "widget",
        "short_names": ("wd",),
        "namespaced": True,
        "has_status": True,
        "has_generation": True,
        "subresources": (STATUS_SUBRESOURCE,),
        "schema": object_message(
            "example.toys.v2alpha1.Widget",
            "Widget is a toy.",
            Field(2, "spec", SPEC, "What it is to be.", always=True),
            Field(3, "status", STATUS, "What is known of it.", always=True),
        ),
        "columns": (name(), Column("Size", text("spec.size"), "How large it is."), age()),
    }
    return Kind(**facts | changes)


WIDGET = widget()
