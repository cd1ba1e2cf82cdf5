"""df, du and mount: what lies on a machine's disk.

    df -h /            Filesystem      Size  Used Avail Use% Mounted on
    du -sh /etc        40K	/etc

The disk's figures are those by which a kubelet sees it run short (`world/hardware.py`); files take blocks of 4 KiB.
Modelled on coreutils 9.1 and util-linux 2.38. Left out: other file systems than the one that is written to.
"""

import math

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory
from cluster_engine.programs.text.reading import Complaint, Options, complain, read
from cluster_engine.world.files import FILES_MAX
from cluster_engine.world.hardware import DISK_KIB, disk_left_bytes

DEVICE = "/dev/vda1"
BLOCK_BYTES = 4096
MOUNTS = """sysfs on /sys type sysfs (rw,nosuid,nodev,noexec,relatime)
proc on /proc type proc (rw,nosuid,nodev,noexec,relatime)
/dev/vda1 on / type ext4 (rw,relatime,errors=remount-ro)
cgroup2 on /sys/fs/cgroup type cgroup2 (rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot)
"""


async def mount(invocation: Invocation) -> int:
    """Run mount, which only lists."""
    if len(invocation.argv) > 1 and invocation.argv[1] not in ("-l", "-v"):
        invocation.err("mount: nothing can be mounted here\n")
        return 1
    invocation.out(MOUNTS)
    return 0


async def df(invocation: Invocation) -> int:
    """Run df: -h and -H for people, -T with the type, -i of inodes."""
    try:
        options = read(invocation, "hHkTiaPlmx:t:", ["human-readable", "si", "print-type", "inodes", "total"])
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, found = 0, not options.operands
    for path in options.operands:
        full = invocation.absolute(path)
        if is_directory(invocation.files, full) or invocation.files.exists(full):
            found = True
        else:
            code = complain(invocation, Complaint(f"{path}: No such file or directory"))
    if not found:
        return complain(invocation, Complaint("no file systems processed")) if not options.operands else code
    files = invocation.process.host.machine.files
    typed = "-T|--print-type" in options
    if "-i|--inodes" in options:
        count = len(files.below("/"))
        titles = ["Inodes", "IUsed", "IFree", "IUse%"]
        numbers = [str(FILES_MAX), str(count), str(FILES_MAX - count), f"{math.ceil(count / FILES_MAX * 100)}%"]
    else:
        total, left = DISK_KIB * 1024, disk_left_bytes(files)
        used = total - left
        titles = _titles(options)
        numbers = [*(_size(value, options) for value in (total, used, left)), f"{math.ceil(used / total * 100)}%"]
    widths = [max(len(title), len(number), 5) for title, number in zip(titles, numbers, strict=True)]
    widths[-1] = max(len(titles[-1]), len(numbers[-1]))
    for name, type_, cells, where in (("Filesystem", "Type", titles, "Mounted on"), (DEVICE, "ext4", numbers, "/")):
        padded = " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        invocation.out(f"{name:<14} {f'{type_} ' if typed else ''}{padded} {where}\n")
    return code


def _titles(options: Options) -> list[str]:
    if "-h|--human-readable" in options or "-H|--si" in options:
        return ["Size", "Used", "Avail", "Use%"]
    return ["1M-blocks" if "-m" in options else "1K-blocks", "Used", "Available", "Use%"]


def _size(value: int, options: Options) -> str:
    if "-h|--human-readable" in options:
        return human(value)
    if "-H|--si" in options:
        return human(value, 1000).replace("K", "k")
    return str(math.ceil(value / (1024**2 if "-m" in options else 1024)))


def human(value: int, base: int = 1024) -> str:
    """Write a size as coreutils do for people, rounded up: "4.0K", "59G"."""
    size, unit = float(value), 0
    while size >= base and unit < 5:
        size, unit = size / base, unit + 1
    if unit == 0:
        return str(value)
    letter = "KMGTP"[unit - 1]
    tenths = math.ceil(size * 10) / 10
    return f"{tenths:.1f}{letter}" if tenths < 10 else f"{math.ceil(size)}{letter}"


async def du(invocation: Invocation) -> int:
    """Run du: -s in sum, -a files too, -h for people, -b in bytes, -c with a total, -d DEPTH."""
    try:
        options = read(invocation, "sahbckmd:x", ["summarize", "all", "human-readable", "bytes", "total", "max-depth="])
        depth = options.value("-d|--max-depth", "0" if "-s|--summarize" in options else "999")
        if not (depth.isascii() and depth.isdigit() and len(depth) < 5):
            raise Complaint(f"invalid maximum depth '{depth}'", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code = total = 0
    for path in options.operands or ["."]:
        full = invocation.absolute(path)
        files = invocation.files
        if not (is_directory(files, full) or files.exists(full)):
            code = complain(invocation, Complaint(f"cannot access '{path}': No such file or directory"))
            continue
        sizes = _sizes(invocation, full, every="-a|--all" in options, in_bytes="-b|--bytes" in options)
        total += sizes[full]
        for name in sorted(sizes, key=lambda name: (name.count("/") if name != full else -1, name), reverse=True):
            below = name[len(full.rstrip("/")) :]
            if below.count("/") <= int(depth) or name == full:
                shown = path if name == full else path.rstrip("/") + below
                invocation.out(f"{_shown(sizes[name], options)}\t{shown}\n")
        await invocation.drain()
    if "-c|--total" in options:
        invocation.out(f"{_shown(total, options)}\ttotal\n")
    return code


def _sizes(invocation: Invocation, top: str, *, every: bool, in_bytes: bool) -> dict[str, int]:
    """Return what a path and each directory below it take, and with `every` each file."""
    files = invocation.files
    if files.is_file(top):
        return {top: _taken(files.length(top), in_bytes=in_bytes)}
    lengths = {path: _taken(files.length(path), in_bytes=in_bytes) for path in files.below(top)}
    directories = {top} | {above for path in lengths for above in _above(path, top)}
    sizes = dict.fromkeys(directories, 0)
    for path, size in [*lengths.items(), *dict.fromkeys(directories, BLOCK_BYTES).items()]:
        for above in [*_above(path, top), *([path] if path in directories else [])]:
            sizes[above] += size
    return sizes | lengths if every else sizes


def _above(path: str, top: str) -> list[str]:
    """Return the directories that lead from `top` to a path, that one not."""
    found = []
    while path != top:
        path = path.rpartition("/")[0] or "/"
        found.append(path)
    return found


def _taken(length: int, *, in_bytes: bool) -> int:
    return length if in_bytes else math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES


def _shown(size: int, options: Options) -> str:
    if "-h|--human-readable" in options:
        return human(size)
    if "-b|--bytes" in options:
        return str(size)
    return str(math.ceil(size / (1024**2 if "-m" in options else 1024)))
