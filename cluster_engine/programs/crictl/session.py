"""One run of crictl: the runtime, the flags, and what is printed."""

import msgspec

from cluster_engine.programs.crictl.runtime import CrictlError, Runtime
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl.flags import Parsed


class Session(msgspec.Struct):
    """What a command needs."""

    invocation: Invocation
    runtime: Runtime
    flags: Parsed

    def out(self, text: str | bytes) -> None:
        """Print."""
        self.invocation.out(text)

    @property
    def arguments(self) -> list[str]:
        """The words that are no flags. CrictlError where there are none."""
        if not self.flags.arguments:
            raise CrictlError("ID cannot be empty")
        return self.flags.arguments


def labels_of(flags: Parsed) -> dict[str, str]:
    """Return the labels that were asked for. CrictlError."""
    pairs = [one.partition("=") for one in flags["label"]]
    if any(not equals for _, equals, _ in pairs):
        raise CrictlError("labels should be in the form of key=value")
    return {key: value for key, _, value in pairs}
