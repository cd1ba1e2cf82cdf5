"""Sharing as a Django application."""

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Links to runs, for whoever has them."""

    name = "visualizer.sharing"
    label = "sharing"
    default_auto_field = "django.db.models.BigAutoField"
