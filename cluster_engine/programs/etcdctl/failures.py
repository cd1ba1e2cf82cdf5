"""How etcdctl ends when something went wrong: "Error: …" on standard error, and one of its exit codes.

Modelled on pkg/cobrautl/error.go (v3.5).
"""

ERROR, BAD_CONNECTION, INVALID_INPUT, BAD_FEATURE, INTERRUPTED, IO, BAD_ARGUMENTS = 1, 2, 3, 4, 5, 6, 128


class FailedError(Exception):
    """A command that could not be carried out; the text follows "Error: "."""

    def __init__(self, text: str, code: int = ERROR) -> None:
        super().__init__(text)
        self.code = code


def bad_arguments(text: str) -> FailedError:
    """Return the failure of a command line that cannot be carried out."""
    return FailedError(text, BAD_ARGUMENTS)
