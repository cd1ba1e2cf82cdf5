"""Imports as a Django application."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Files of other clusters, as recordings."""

    name = "visualizer.imports"
    label = "imports"
    default_auto_field = "django.db.models.BigAutoField"
