"""`manage.py serve`: bring the database and the static files up to date, then serve until Ctrl-C."""

import logging
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from visualizer import private_files


class Command(BaseCommand):
    """Serve Glassplane."""

    help = "Migrate, collect the static files, and serve on HOST:PORT until SIGINT or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """HOST and PORT may be given here instead."""
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--no-set-up", action="store_true", help="neither migrate nor collect")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set up and serve."""
        if not options["no_set_up"]:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("collectstatic", verbosity=0, interactive=False)
            settings.STATIC_COLLECTED = not settings.DEBUG
        os.umask(private_files.UMASK)
        logging.getLogger("daphne").setLevel(logging.CRITICAL)
        from visualizer.server import serve  # installs Twisted's reactor

        host, port = options["host"].strip("[]"), options["port"]
        endpoint = "tcp:port={}:interface={}".format(port, host.replace(":", r"\:"))
        from visualizer.asgi import application

        def ready(address: tuple[str, int]) -> None:
            shown = f"[{host}]" if ":" in host else host
            self.stdout.write(f"Glassplane is at http://{shown}:{address[1]}/   (Ctrl-C ends it)")
            sys.stdout.flush()

        if not serve(application, [endpoint], ready):
            raise CommandError(
                f"Cannot listen on {host} port {port}; is it in use? `PORT=8001 make run` takes another."
            )
