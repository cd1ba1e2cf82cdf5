"""Remote commands' channels in a WebSocket: what the first byte of each message means, and how it ends.

    client -> server   0 "ls\\n"                     standard input
    server -> client   1 "bin\\netc\\n"               standard output
    client -> server   4 {"Width":120,"Height":40}   the size of its terminal, then each time that it changes
    client -> server   255 0                         no more standard input (v5)
    server -> client   3 {"status": "Failure", …}    how it ended: a metav1.Status; then both close

A command that ended with another code than 0 is a Failure with reason NonZeroExitCode and the code as a cause.
Modelled on apimachinery/pkg/util/remotecommand/constants.go and kubelet/pkg/cri/streaming/remotecommand.
"""

from typing import Any

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PROTOCOLS = (V5, V4)
NON_ZERO_EXIT_CODE = "NonZeroExitCode"
EXIT_CODE = "ExitCode"
SUCCESS: Object = {"metadata": {}, "status": "Success"}
NO_STREAMS = "you must specify at least 1 of stdin, stdout, stderr"


class RemoteError(Exception):
    """A command that could not be run; the text is what the other end said."""


def size_message(columns: int, rows: int) -> bytes:
    """Return the message that says how large a terminal is (client-go/tools/remotecommand, TerminalSize)."""
    return b'%c{"Width":%d,"Height":%d}\n' % (RESIZE, columns, rows)


def size_in(raw: bytes) -> tuple[int, int]:
    """Read the columns and rows that such a message names; (0, 0) where it makes no sense."""
    try:
        said: Any = read_json(raw)
        columns, rows = said["Width"], said["Height"]
    except (Unreadable, KeyError, TypeError):
        return 0, 0
    return (columns, rows) if type(columns) is type(rows) is int else (0, 0)


def exit_status(code: int) -> Object:
    """Return the Status of a command that ended with a code."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: error executing command, exit code {code}",
        "reason": NON_ZERO_EXIT_CODE,
        "details": {"causes": [{"reason": EXIT_CODE, "message": str(code)}]},
    }


def failure(message: str) -> Object:
    """Return the Status of a command that could not be run."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }


def exit_code(raw: bytes) -> int:
    """Read what came on the error channel: the command's exit code, or RemoteError."""
    try:
        status: Any = read_json(raw)
        if status["status"] == "Success":
            return 0
        if status.get("reason") != NON_ZERO_EXIT_CODE:
            raise RemoteError(str(status["message"]))
        causes = status["details"]["causes"]
        code = next(int_of(cause["message"]) for cause in causes if cause["reason"] == EXIT_CODE)
    except (Unreadable, KeyError, TypeError, AttributeError, StopIteration) as error:
        said = raw[:256].decode("utf-8", "replace")
        raise RemoteError(f'error stream protocol error: {error} in "{said}"') from error
    if code is None:
        raise RemoteError("error stream protocol error: invalid exit code value")
    return code
