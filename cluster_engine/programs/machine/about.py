"""uname, lsb_release, nproc, arch and dmesg: what a machine is, and what its kernel has said.

    uname -r            6.1.0-28-amd64
    dmesg -T            [Thu Jan  1 10:00:07 2026] Memory cgroup out of memory: Killed process 140 (stress) …

Of the kernel's ring there are the boot and the processes that it ended for want of memory. Modelled on coreutils 9.1,
lsb-release 12 and util-linux 2.38.
"""

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.ps import booted
from cluster_engine.programs.text.reading import Complaint, complain, read
from cluster_engine.world.hardware import CPUS, KERNEL, KERNEL_LOG, OS_IMAGE

VERSION = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)"
DISTRIBUTION = {
    "i": ("Distributor ID", "Debian"),
    "d": ("Description", OS_IMAGE),
    "r": ("Release", "12"),
    "c": ("Codename", "bookworm"),
}
RELEASE_LONG = {"i": "id", "d": "description", "r": "release", "c": "codename"}


async def uname(invocation: Invocation) -> int:
    """Run uname."""
    long = ["all", "kernel-name", "nodename", "kernel-release", "kernel-version", "machine", "operating-system"]
    try:
        options = read(invocation, "asnrvmpio", long)
        if options.operands:
            raise Complaint(f"extra operand '{options.operands[0]}'", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    parts = {
        "-s|--kernel-name": "Linux",
        "-n|--nodename": invocation.process.host.name.partition(".")[0],
        "-r|--kernel-release": KERNEL,
        "-v|--kernel-version": VERSION,
        "-m|--machine": "x86_64",
        "-o|--operating-system": "GNU/Linux",
    }
    everything = "-a|--all" in options
    chosen = [value for name, value in parts.items() if everything or name in options]
    unknown = ["unknown" for letter in ("-p", "-i") if letter in options]
    invocation.out(f"{' '.join([*chosen, *unknown]) or 'Linux'}\n")
    return 0


async def nproc(invocation: Invocation) -> int:
    """Run nproc."""
    invocation.out(f"{CPUS}\n")
    return 0


async def arch(invocation: Invocation) -> int:
    """Run arch."""
    invocation.out("x86_64\n")
    return 0


async def lsb_release(invocation: Invocation) -> int:
    """Run lsb_release: -a all of it, -i, -d, -r, -c one of it, -s without its name."""
    try:
        options = read(invocation, "vidrcas", [*RELEASE_LONG.values(), "all", "short"])
    except Complaint as complaint:
        return complain(invocation, complaint)
    everything = "-a|--all" in options
    if everything or not options.pairs:
        invocation.err("No LSB modules are available.\n")
    for letter, (name, value) in DISTRIBUTION.items():
        if everything or f"-{letter}|--{RELEASE_LONG[letter]}" in options:
            invocation.out(f"{value}\n" if "-s|--short" in options else f"{name}:\t{value}\n")
    return 0


async def dmesg(invocation: Invocation) -> int:
    """Run dmesg: -T with the time of day."""
    try:
        options = read(invocation, "THwxkul:f:", ["ctime", "human", "follow", "nopager", "level="])
    except Complaint as complaint:
        return complain(invocation, complaint)
    machine, began = invocation.process.host.machine, booted(invocation.process)
    compiled = f"Linux version {KERNEL} (debian-kernel@lists.debian.org) {VERSION}"
    said = [(began, compiled)]
    said += [(line.at, line.text) for line in machine.log.lines({KERNEL_LOG}) if line.boot == machine.boots]
    for at, text in said:
        since = max(0.0, (at - began).total_seconds())
        stamp = f"{at:%a %b %e %H:%M:%S %Y}" if "-T|--ctime" in options else f"{since:12.6f}"
        invocation.out(f"[{stamp}] {text}\n")
    return 0
