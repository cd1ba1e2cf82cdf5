"""Which commands there are: the one list that help, parsing and "did you mean" read."""

from cluster_engine.shell.kubectl import get
from cluster_engine.shell.kubectl.commands import Command, register


def fill() -> None:
    """Register every command."""
    register(
        Command(
            "get",
            get.run,
            get.FLAGS,
            "Display one or many resources",
            "get [(-o|--output=)…] (TYPE [NAME] | TYPE/NAME …)",
        ),
    )
