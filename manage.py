#!/usr/bin/env python
"""Django's command line for Glassplane: `manage.py serve` is the one that people need."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "visualizer.settings")
    from django.core.management import execute_from_command_line

    from visualizer import environment

    with environment.ending_at_a_misfit():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
