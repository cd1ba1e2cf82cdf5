"""The Django application."""

import os
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from visualizer.catalogs import compile_catalogs


class VisualizerConfig(AppConfig):
    """Glassplane's web tier."""

    name = "visualizer"

    def ready(self) -> None:
        """Bring the translations up to date, where the folder may be written."""
        for folder in settings.LOCALE_PATHS:
            if os.access(folder, os.W_OK):
                compile_catalogs(Path(folder))
