"""The Django application."""

import os
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from visualizer import one_file
from visualizer.catalogs import compile_catalogs
from visualizer.page_words import write_words


class VisualizerConfig(AppConfig):
    """Glassplane's web tier."""

    name = "visualizer"

    def ready(self) -> None:
        """Bring translations, the page's words and its frame for one file up to date, where that may be written."""
        for folder in settings.LOCALE_PATHS:
            if os.access(folder, os.W_OK):
                compile_catalogs(Path(folder))
        for folder in settings.STATICFILES_DIRS:
            if os.access(folder, os.W_OK):
                write_words(Path(folder) / "words")
            one_file.write(Path(folder))
