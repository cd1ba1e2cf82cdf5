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
    "[", "arch", "awk", "base64", "basename", "cat", "chmod", "chown", "clear", "cmp", "comm", "cp", "cut", "date",
    "df", "diff", "dirname", "dmesg", "du", "echo", "egrep", "env", "false", "find", "getent", "grep", "gunzip",
    "gzip", "head", "hostname", "id", "kill", "ls", "md5sum", "mkdir", "mktemp", "more", "mount", "mv", "nl", "nproc",
    "paste", "printenv", "printf", "readlink", "realpath", "rev", "rm", "rmdir", "sed", "seq", "sha1sum", "sha256sum",
    "sleep", "sort", "stat", "stty", "tac", "tail", "tar", "tee", "test", "timeout", "touch", "tput", "tr", "true",
    "uname", "uniq", "wc", "which", "whoami", "xargs", "yes", "zcat",
})  # fmt: skip
BUSYBOX = COREUTILS | {
    "arp",
    "free",
    "ip",
    "less",
    "nc",
    "netstat",
    "nslookup",
    "pgrep",
    "pidof",
    "ping",
    "pkill",
    "ps",
    "top",
    "traceroute",
    "tree",
    "uptime",
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
