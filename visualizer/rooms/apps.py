"""Rooms as a Django application."""

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    """Rooms: opened by an account, joined by code."""

    name = "visualizer.rooms"
    label = "rooms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear what the clusters' streams tell of incidents and lessons."""
        from visualizer.rooms import stream_listener

        stream_listener.begin()
