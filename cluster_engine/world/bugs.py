"""Bugs of ours: who pays for one, and what is said of it.

Theory of operation. There are three families of errors. Refusals are protocol and faults are network or process facts;
both are meant to happen. Whatever else is raised is a bug of Glassplane, and goes through `World.bug`:

    a component, a program that somebody typed    that process crashes, with exit code 70; a supervisor starts it again
    a handler of an HTTP request                  the answer is a 500, or the stream is reset, as after Go's recover
    a handler of a gRPC call                      the process crashes: grpc-go recovers nothing
    the shell's own grammar                       the line ends with exit code 70
    the world itself, lens, journal               the cluster ends, with an apology that names the journal's position

In all cases but the last the journal gets a note of ours, `glassplane.bug`, with the trace, so nothing is swallowed and
nobody takes it for Kubernetes. A world that `is_strict` (tests, simulations) ends with each of them.

What code of the world does on behalf of a process, in that process's context, is the process's: its supervisor starts
it again, and the note shows where it broke. Running out of memory (MemoryError) is nobody's bug and ends the cluster.
"""

import traceback

KIND = "glassplane.bug"
APOLOGY = "this is a bug of Glassplane, not of yours"
EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: an internal software error."""

WORDS_CHARACTERS_MAX = 500
FRAMES_MAX = 24


def described(error: BaseException) -> str:
    """Return a bug in one line, "KeyError: 'x'"; of a group the first one."""
    innermost = first_of(error)
    text = " ".join(str(innermost).split())[:WORDS_CHARACTERS_MAX]
    return f"{type(innermost).__name__}: {text}" if text else type(innermost).__name__


def trace_of(error: BaseException) -> str:
    """Return where it was raised, a line for each frame, innermost last; no paths of this machine."""
    frames = traceback.extract_tb(first_of(error).__traceback__)[-FRAMES_MAX:]
    return "\n".join(f"{_module(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames)


def first_of(error: BaseException) -> BaseException:
    """Return the first of a group of exceptions (what a TaskGroup raises), or the exception itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _module(path: str) -> str:
    for root in ("cluster_engine/", "visualizer/", "site-packages/"):
        before, found, rest = path.rpartition(root)
        if before and found:
            return rest if root == "site-packages/" else found + rest
    return path.rpartition("/")[2]
