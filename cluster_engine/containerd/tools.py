"""The programs that an image brings beside its own: a BusyBox-like set, or Debian's, of those that can be typed.

What stands in `programs/` means the same in a container as on a host; this module names what images have of it, and
adds what only means something in a container.
"""

from collections.abc import Mapping

from cluster_engine.programs.facts import says
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.running import Program
from cluster_engine.programs.table import PROGRAMS

COREUTILS = frozenset({
    "[", "awk", "base64", "cat", "chmod", "chown", "clear", "cp", "cut", "date", "echo", "egrep", "env",
    "false", "grep", "head", "hostname", "id", "kill", "ls", "md5sum", "mkdir", "mv", "nproc", "printenv",
    "printf", "rm", "rmdir", "sed", "seq", "sha256sum", "sleep", "sort", "tail", "tar", "tee", "test", "touch",
    "tr", "true", "uname", "uniq", "wc", "which", "whoami", "xargs", "yes",
})  # fmt: skip
BUSYBOX = COREUTILS | {
    "find",
    "ip",
    "less",
    "nc",
    "netstat",
    "nslookup",
    "pgrep",
    "pidof",
    "ping",
    "ps",
    "watch",
    "wget",
}
CURL = frozenset({"curl"})


async def hostname(invocation: Invocation) -> int:
    """Run hostname: the pod's name, or its address (-i)."""
    if "-i" in invocation.argv or "-I" in invocation.argv:
        invocation.out(f"{invocation.process.host.address}\n")
        return 0
    files = invocation.files
    name = files.read("/etc/hostname").decode().strip() if files.exists("/etc/hostname") else "localhost"
    invocation.out(f"{name}\n")
    return 0


IN_CONTAINERS: Mapping[str, Program] = {
    program.name: program
    for program in (
        Program("hostname", hostname),
        Program("nproc", says(lambda _: "2")),
    )
}
KNOWN: Mapping[str, Program] = {**PROGRAMS, **IN_CONTAINERS}


def tools(names: frozenset[str]) -> Mapping[str, Program]:
    """Return those of the named programs that there are."""
    return {name: program for name, program in KNOWN.items() if name in names}
