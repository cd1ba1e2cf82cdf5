"""Faults of images: the registry has lost one, or the program in it has learnt to crash, to leak or to hang."""

from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.containerd.references import normalise
from cluster_engine.containerd.trouble import trouble_of
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, FaultError, Heal, Host, Text, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFault(Fault):
    """An image as one worker sees it."""

    target: str = field(metadata=bounded(Host(worker=True)))
    image: str = field(default="nginx", metadata=bounded(Text()))

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when it is no image's name."""
        Fault.check(self, ground)
        try:
            normalise(self.image)
        except ValueError as error:
            raise FaultError(str(error)) from error

    def claims(self) -> str:
        """One trouble of a kind for an image on a host."""
        return f"{self.name} of {normalise(self.image)} on {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNotFound(ImageFault):
    """Pulls are refused; what runs goes on."""

    name: ClassVar[str] = "image-not-found"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Lose the image."""
        missing = trouble_of(ground.world.host(self.target).disk).missing
        reference = normalise(self.image)
        missing[reference] = None

        async def find() -> None:
            missing.pop(reference, None)

        return find


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashLoop(ImageFault):
    """Its containers end with exit code 1, now and soon after every start."""

    name: ClassVar[str] = "crash-loop"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Let it crash."""
        trouble = trouble_of(ground.world.host(self.target).disk)
        reference = normalise(self.image)
        trouble.crash(reference)

        async def mend() -> None:
            trouble.crashing.pop(reference, None)

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfMemory(ImageFault):
    """Its containers take ever more memory until the kernel kills them (137, OOMKilled), after every start."""

    name: ClassVar[str] = "out-of-memory"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Let it leak."""
        trouble = trouble_of(ground.world.host(self.target).disk)
        reference = normalise(self.image)
        trouble.leak(reference)

        async def mend() -> None:
            trouble.leaking.pop(reference, None)

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang(ImageFault):
    """Its containers take connections and answer nothing: probes over HTTP time out, those of TCP do not."""

    name: ClassVar[str] = "hang"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Let it hang."""
        trouble = trouble_of(ground.world.host(self.target).disk)
        reference = normalise(self.image)
        trouble.hang(reference, hangs=True)

        async def go_on() -> None:
            trouble.hang(reference, hangs=False)

        return go_on
