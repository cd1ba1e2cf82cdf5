"""A terminal on a host of a world without a cluster."""

from dataclasses import dataclass

import pytest

from cluster_engine.shell.terminal import Terminal


@dataclass
class Said:
    """What a line did, and its jobs after it."""

    code: int
    outs: list[str]
    errs: list[str]

    @property
    def out(self):
        return "".join(self.outs)

    @property
    def err(self):
        return "".join(self.errs)

    def __iter__(self):
        return iter((self.code, self.out, self.err))


class Typist:
    """Types lines into one terminal on the host "workstation"; there is a host "worker-1" beside it."""

    def __init__(self, world):
        self.world = world
        self.host = world.add_host("workstation", "10.0.0.100")
        self.worker = world.add_host("worker-1", "10.0.0.11")
        self.files = self.host.files
        self.terminal = Terminal(world, self.host, lambda work, name: world.loop.create_task(work, name=name))

    async def __call__(self, line, **options):
        out, err = [], []
        code = await self.terminal.run(
            line, lambda stream, text: (out if stream == "stdout" else err).append(text), **options
        )
        return Said(code, out, err)

    async def out(self, line):
        """What a line prints; it must end well and say nothing else."""
        said = await self(line)
        assert (said.code, said.err) == (0, ""), f"{line}: {said}"
        return said.out


@pytest.fixture
def on_host(run):
    """Run `story(sh)` with a terminal."""
    return lambda story: run(lambda world: story(Typist(world)))


@pytest.fixture
def prints(on_host):
    """Type one line and give what it prints."""
    return lambda line: on_host(lambda sh: sh.out(line))
