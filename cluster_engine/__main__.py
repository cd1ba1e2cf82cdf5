"""`python -m cluster_engine`: sees to it that Python looks for garbage seldom, then leads to `command_line`.

Before anything else is imported: importing makes so many objects that the collector would look through all of them at
once, for 25 ms of a start's 700, and find nothing.
"""

import sys
from typing import TYPE_CHECKING

from cluster_engine.collecting import collect_seldom

if TYPE_CHECKING:
    from cluster_engine.world.clock import Machine


def main(arguments: list[str] | None = None, machine: "Machine | None" = None) -> int:
    """Run the command line; give the exit code."""
    collect_seldom()
    from cluster_engine import command_line

    return command_line.main(arguments, machine)


if __name__ == "__main__":
    sys.exit(main())
