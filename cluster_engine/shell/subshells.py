"""The shells that stay in the background for what is more than one program: processes, to be found and killed.

    while true; do curl …; sleep 5; done &      a fork of bash runs the loop:   ps aux   …   bash
    sleep 60 &                                  only sleep is there: the fork has become it
    tail -f log | grep x &                      only tail and grep

A fork has the command line of the shell that it is a copy of, `bash -c 'while …'` where ssh has begun that one. When it
is killed, its work ends with it. Modelled on bash (execute_cmd.c, execute_in_subshell). Left out: what the killed one's
child still does as an orphan; here it ends too.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cluster_engine.shell.syntax_tree import Item, Simple

if TYPE_CHECKING:
    from cluster_engine.world.process import Host, Process
    from cluster_engine.world.world import World


def stays(item: Item) -> bool:
    """Return whether a shell has to stay to run an item of a list."""
    first, *others = item.and_or.pipelines
    return bool(others) or not all(isinstance(command, Simple) for command in first.commands)


def begin(world: "World", host: "Host", argv: Sequence[str], work: "asyncio.Task[int]") -> "Process":
    """Start the process that a job's work is done in: whichever of the two ends first ends the other."""

    async def main(_: "Process") -> None:
        await asyncio.wait([work])

    def end(_: "Process") -> None:
        work.cancel()

    process = world.spawn(host, "bash", main, told=False)
    process.argv, process.on_exit = argv, end
    return process
