"""Kinds of the events family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

EVENT = Kind(
    group="",
    version="v1",
    name="Event",
    plural="events",
    singular="event",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Event", "Event."),
    short_names=("ev",),
    create_on_update=True,
)
