"""How kubeadm says that something went wrong: the text, a hint, and the exit code (cmd/kubeadm/app/util/error.go)."""

from collections.abc import Sequence

HINT = "To see the stack trace of this error execute with --v=5 or higher"
VALIDATION_CODE = 3


class KubeadmError(Exception):
    """A command that cannot be carried out."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code

    def during(self, phase: str) -> "KubeadmError":
        """Say in which phase of a command that was."""
        return KubeadmError(f"error execution phase {phase}: {self}", code=self.code)


def invalid(problems: Sequence[str]) -> KubeadmError:
    """Say everything that is wrong with a configuration, as an aggregate of Go's errors is printed."""
    text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return KubeadmError(text, code=VALIDATION_CODE)
