"""`manage.py serve`: bring the database and the static files up to date, then serve until Ctrl-C."""

import errno
import logging
import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from visualizer import environment, private_files
from visualizer.static_fingerprint import fingerprint

NOT_OURS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}  # what binding to another machine's address gives


class Command(BaseCommand):
    """Serve Glassplane."""

    help = "Migrate, collect the static files, and serve on HOST:PORT until SIGINT or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """HOST and PORT may be given here instead."""
        parser.add_argument("--host", type=environment.HOST.parse, default=settings.HOST)
        parser.add_argument("--port", type=environment.PORT.parse, default=settings.PORT)
        parser.add_argument("--no-set-up", action="store_true", help="neither migrate nor collect")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set up and serve."""
        if not options["no_set_up"]:
            set_up()
        os.umask(private_files.UMASK)
        logging.getLogger("daphne").setLevel(logging.CRITICAL + 1)  # why it cannot listen is said below
        from visualizer.server import serve  # installs Twisted's reactor

        host, port = options["host"], options["port"]
        endpoint = "tcp:port={}:interface={}".format(port, host.replace(":", r"\:"))
        from visualizer.asgi import application

        def ready(address: tuple[str, int]) -> None:
            shown = f"[{host}]" if ":" in host else host
            self.stdout.write(f"Glassplane is at http://{shown}:{address[1]}/   (Ctrl-C ends it)")
            sys.stdout.flush()

        try:
            serve(application, [endpoint], ready)
        except OSError as problem:
            raise cannot_listen(host, port, problem) from problem


def set_up() -> None:
    """Bring database and static files up to date. Raise `CommandError` where they cannot be written."""
    database = settings.DATABASES["default"]["NAME"]
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as problem:
        raise CommandError(f"The database {database} cannot be used: {problem}.", returncode=2) from problem
    try:
        call_command("collectstatic", verbosity=0, interactive=False)
    except OSError as problem:
        raise CommandError(f"Cannot write the files of the page: {problem}.", returncode=2) from problem
    settings.STATIC_FINGERPRINT = "" if settings.DEBUG else fingerprint(settings.STATIC_ROOT)


def cannot_listen(host: str, port: int, problem: OSError) -> CommandError:
    """Say why nobody can be served."""
    if problem.errno == errno.EADDRINUSE:
        return CommandError(f"Port {port} of {host} is in use. `PORT=8001 make run` takes another.")
    if isinstance(problem, socket.gaierror) or problem.errno in NOT_OURS:
        return CommandError(f"HOST must be {environment.HOST.must_be}, not {host!r}.", returncode=2)
    return CommandError(f"Cannot listen on port {port} of {host}: {problem.strerror}.", returncode=2)
