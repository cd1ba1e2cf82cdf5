"""A story told in a copy of this process, to a cluster that is left as it was.

Theory of operation. What takes long to set up is set up once, and each story is told to a copy of it, in a child
process that ends with the story. What the story returns or raises comes back through a pipe, pickled; whatever else it
does, the child keeps: a story returns all that its test wants to see. What nobody could catch, such as a warning of
something that was not closed, is raised in the end, as pytest does.
"""

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any


def forked(tell: Callable[[], Any]) -> Any:
    """Call in a child process; return what that returns, raise what it raises with the child's traceback as a note."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():  # of threads, such as one that reports to pytest: the child needs none of them
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_outcome(tell))
        os._exit(0)  # nothing of the parent's is to be closed, flushed or told a second time
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            returned, raised = pickle.loads(pipe.read())
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.waitpid(child, 0)
    if raised is not None:
        raise raised
    return returned


def _outcome(tell: Callable[[], Any]) -> bytes:
    uncaught: list[str] = []
    sys.unraisablehook = lambda one: uncaught.append(f"{one.exc_value!r} in {one.object!r}")
    try:
        returned = tell()
        if uncaught:
            raise RuntimeError("\n".join(uncaught))
        return pickle.dumps((returned, None))
    except BaseException as error:
        text = traceback.format_exc()
        error.add_note(text)
        try:
            return pickle.dumps((None, error))
        except Exception:
            return pickle.dumps((None, RuntimeError(text)))
