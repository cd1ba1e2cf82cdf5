"""How often Python looks for garbage, in a process that is there to run clusters.

Theory of operation. Objects go when nobody refers to them; only those that refer to each other in circles wait for the
collector, which looks through the young ones whenever 700 more have been made than gone, and now and then through all.
A cluster makes thousands in a virtual second, nearly all of which go by themselves, and what was imported never goes.
So a program that runs clusters sets what it has imported aside (`gc.freeze`) and looks less often.

    collect_seldom()          # once, when all is imported; for the whole process, so a library must not

Measured with the walkthrough a-node-dies, whole: about a tenth less CPU for 1.5 MiB more memory.

Who forks a process for each cluster runs one to its end first, types a few commands into it, collects (`gc.collect()`),
sets all aside, and forks. Of the 25 MiB that an idle child of two nodes then writes to, 7 are its cluster's own; 9 are
pages of the parent that differ in a few words, reference counts of names and functions and the counters that Python
3.11 keeps in the code it runs; 6 were written to and are as they were; the rest are gaps between those. So it does not
help to fill the gaps before, to collect more often, or to have PYTHONMALLOC=malloc (29 MiB); without a cluster run
before it is 28 MiB and a quarter more CPU to start. `MALLOC_ARENA_MAX=1` saves 1 MiB where the cluster has a thread.

The collector counts objects, not bytes: of 1,200 TLS connections that have ended some 60 objects each stay, and with
them the buffers of OpenSSL, 80 MiB in all, and what is freed at last stays with the C library for its next use.
So who has grown much is told to `give_back`: the same process then holds 67 MiB instead of 151.
"""

import contextlib
import ctypes
import gc

YOUNG, MIDDLE, OLD = 10_000, 20, 20
"""CPython's own: 700, 10, 10."""


def collect_seldom() -> None:
    """Set aside what there is, and look for garbage less often from now on."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def give_back() -> None:
    """Look for all garbage now, and give the memory that is free to the operating system, where the C library can."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


__all__ = ["collect_seldom", "give_back"]
