"""Event: something that happened to an object, told for people and kept for an hour. From `core/v1`."""

from cluster_engine.api.cells import events as cells
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import events as rules
from cluster_engine.api.schema import INT32, MICRO_TIME, STRING, TIME, Column, Field, Kind, field_path, message
from cluster_engine.api.schemas.meta import object_message
from cluster_engine.api.schemas.references import OBJECT_REFERENCE, PACKAGE

EVENT_SOURCE = message(
    PACKAGE + "EventSource",
    "EventSource is who reports an event.",
    Field(1, "component", STRING, "The component."),
    Field(2, "host", STRING, "The node it runs on."),
)

EVENT_SERIES = message(
    PACKAGE + "EventSeries",
    "EventSeries counts events that happen again and again.",
    Field(1, "count", INT32, "How many."),
    Field(2, "lastObservedTime", MICRO_TIME, "When last.", always=True),
)


def _source(event: Object) -> str:
    return (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""


_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

EVENT = Kind(
    group="",
    version="v1",
    name="Event",
    plural="events",
    singular="event",
    short_names=("ev",),
    namespaced=True,
    create_on_update=True,
    ttl_seconds=3600,
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "metadata.namespace": field_path("metadata.namespace"),
        **{f"involvedObject.{each}": field_path(f"involvedObject.{each}") for each in _INVOLVED},
        "reason": field_path("reason"),
        "reportingComponent": field_path("reportingComponent"),
        "source": _source,
        "type": field_path("type"),
    },
    schema=object_message(
        PACKAGE + "Event",
        "Event is a report of something that happened. Losing events is normal; nothing must depend on them.",
        Field(2, "involvedObject", OBJECT_REFERENCE, "The object it is about.", required=True, always=True),
        Field(3, "reason", STRING, "Why, as one word in CamelCase."),
        Field(4, "message", STRING, "What happened, for people."),
        Field(5, "source", EVENT_SOURCE, "Who reports it.", always=True),
        Field(6, "firstTimestamp", TIME, "When it was first seen.", always=True),
        Field(7, "lastTimestamp", TIME, "When it was last seen.", always=True),
        Field(8, "count", INT32, "How often it was seen."),
        Field(9, "type", STRING, "Normal or Warning."),
        Field(10, "eventTime", MICRO_TIME, "When it was first seen, for reporters of the newer API.", always=True),
        Field(11, "series", EVENT_SERIES, "The series it begins, if any.", pointer=True),
        Field(12, "action", STRING, "What was done or failed."),
        Field(13, "related", OBJECT_REFERENCE, "A second object, for actions on two.", pointer=True),
        Field(14, "reportingComponent", STRING, "Controller that reports it.", always=True),
        Field(15, "reportingInstance", STRING, "Instance of that controller.", always=True),
        rules=rules.event,
    ),
    columns=(
        Column("Last Seen", cells.last_seen, "When it was last seen."),
        Column("Type", cells.type_, "Normal or Warning."),
        Column("Reason", cells.reason, "Why, as one word."),
        Column("Object", cells.involved, "The object it is about."),
        Column("Subobject", cells.subobject, "Part of the object.", wide=True),
        Column("Source", cells.source, "Who reports it.", wide=True),
        Column("Message", cells.message, "What happened."),
        Column("First Seen", cells.first_seen, "When it was first seen.", wide=True),
        Column("Count", cells.count, "How often it was seen.", wide=True),
        Column("Name", cells.name, "Name of the event.", format="name", wide=True),
    ),
)
