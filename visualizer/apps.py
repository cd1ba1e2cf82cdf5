"""The Django application."""

from django.apps import AppConfig


class VisualizerConfig(AppConfig):
    """Glassplane's web tier."""

    name = "visualizer"
