"""What the controllers of one process share, and the form of a controller."""

from typing import TYPE_CHECKING, Protocol

import msgspec

from cluster_engine.client import Client, EventRecorder, SharedInformers

if TYPE_CHECKING:
    from cluster_engine.world.process import Process


class Context(msgspec.Struct):
    """What a controller is given: a client in its own name, an event recorder, the shared informers."""

    process: "Process"
    client: Client
    events: EventRecorder
    informers: SharedInformers


class Controller(Protocol):
    """A controller registers its handlers when made and works in `run`, until cancelled."""

    async def run(self) -> None:
        """Work for ever."""
