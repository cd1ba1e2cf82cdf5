"""ls: what a directory holds. Modelled on coreutils 9.1, in the C locale: into a pipe one name a line, in
columns on a terminal whose size is known.

    ls -l /etc/kubernetes/pki/apiserver.*
    -rw-r--r-- 1 root root 1302 Jan  1 10:00 /etc/kubernetes/pki/apiserver.crt
    -rw------- 1 root root 1704 Jan  1 10:00 /etc/kubernetes/pki/apiserver.key

Directories exist by having something in them and are as old as the newest of it (`world/files.py`). Left out: colours,
`.` and `..` of -a.
"""

import asyncio
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from cluster_engine.programs.identity import GROUPS, shown
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory

FLAGS = frozenset("1aAdhlrRtSp")
BLOCK_BYTES = 4096
COLUMN_LETTERS_MIN = 3
RECENT_SECONDS = 31_556_952 // 2
"""Older than half a year, a file is listed with its year."""
UNITS = "KMGT"


class Entry(msgspec.Struct, frozen=True):
    """What is listed: its name as shown, and what is known of it."""

    name: str
    is_directory: bool
    size: int
    mode: int
    written: float
    owner: str
    group: str


async def ls(invocation: Invocation) -> int:
    """Run ls."""
    words = list(invocation.argv[1:])
    flags = "".join(word[1:] for word in words if word.startswith("-") and len(word) > 1)
    for flag in flags:
        if flag not in FLAGS:
            invocation.err(f"ls: invalid option -- '{flag}'\nTry 'ls --help' for more information.\n")
            return 2
    paths = [word for word in words if not (word.startswith("-") and len(word) > 1)] or ["."]
    code = 0
    files: list[Entry] = []
    directories: list[Entry] = []
    for path in paths:
        full = invocation.absolute(path)
        is_folder = is_directory(invocation.files, full)
        if not path or not (is_folder or invocation.files.exists(full)):
            invocation.err(f"ls: cannot access '{path}': No such file or directory\n")
            code = 2
        elif is_folder and "d" not in flags:
            directories.append(_entry(invocation, path, full))
        else:
            files.append(_entry(invocation, path, full))
    _show(invocation, files, flags)
    gap, left = "\n" if files else "", [one.name for one in reversed(_in_order(directories, flags))]
    while left:
        path = left.pop()
        await invocation.drain()
        invocation.out(f"{gap}{path}:\n" if len(paths) > 1 or "R" in flags else "")
        gap = "\n"
        inside = _inside(invocation, invocation.absolute(path), flags)
        if "l" in flags:
            blocks = sum(-(-entry.size // BLOCK_BYTES) * BLOCK_BYTES for entry in inside)
            invocation.out(f"total {_human(blocks) if 'h' in flags else blocks // 1024}\n")
        _show(invocation, inside, flags)
        if "R" in flags:
            left += [f"{path.rstrip('/')}/{one.name}" for one in reversed(_in_order(inside, flags)) if one.is_directory]
    return code


def _inside(invocation: Invocation, directory: str, flags: str) -> list[Entry]:
    if not invocation.files.exists(directory):
        return []
    names = invocation.files.listdir(directory)
    shown = [name for name in names if "a" in flags or "A" in flags or not name.startswith(".")]
    return [_entry(invocation, name, f"{directory.rstrip('/')}/{name}") for name in shown]


def _entry(invocation: Invocation, name: str, path: str) -> Entry:
    files = invocation.files
    uid, gid = files.owner(path)
    names = shown(files, uid), shown(files, gid, GROUPS)
    if is_directory(files, path):
        return Entry(name, True, BLOCK_BYTES, stat.S_IFDIR | files.mode(path), files.written(path), *names)
    return Entry(name, False, files.length(path), stat.S_IFREG | files.mode(path), files.written(path), *names)


def _in_order(entries: list[Entry], flags: str) -> list[Entry]:
    key = (lambda entry: -entry.size) if "S" in flags else (lambda entry: -entry.written if "t" in flags else 0)
    ordered = sorted(sorted(entries, key=lambda entry: entry.name), key=key)
    return ordered[::-1] if "r" in flags else ordered


def _show(invocation: Invocation, entries: list[Entry], flags: str) -> None:
    entries = _in_order(entries, flags)
    sizes = [_human(entry.size) if "h" in flags else str(entry.size) for entry in entries]
    width, users, groups = (
        max(map(len, column), default=0) for column in (sizes, [e.owner for e in entries], [e.group for e in entries])
    )
    terminal = invocation.columns
    if terminal is not None and not {"l", "1"} & set(flags):
        names = [f"{entry.name}/" if "p" in flags and entry.is_directory else entry.name for entry in entries]
        invocation.out("".join(in_columns(names, terminal)))
        return
    for entry, size in zip(entries, sizes, strict=True):
        name = f"{entry.name}/" if "p" in flags and entry.is_directory else entry.name
        if "l" in flags:
            links = 2 if entry.is_directory else 1
            owner = f"{_column(entry.owner, users)} {_column(entry.group, groups)}"
            date = _date(invocation, entry.written)
            invocation.out(f"{stat.filemode(entry.mode)} {links} {owner} {size:>{width}} {date} {name}\n")
        else:
            invocation.out(f"{name}\n")


def in_columns(names: Sequence[str], width: int) -> Iterator[str]:
    """Lay names out in as many columns as go into a width, each column from top to bottom, as ls.c does."""
    widths: list[int] = []
    for columns in range(min(len(names), max(1, width // COLUMN_LETTERS_MIN)), 0, -1):
        rows = -(-len(names) // columns)
        widths = [max(map(len, names[at : at + rows])) for at in range(0, len(names), rows)]
        if sum(widths) + 2 * min(len(widths), columns - 1) < width:
            break
    for row in range(-(-len(names) // len(widths)) if names else 0):
        cells = [f"{name:<{widths[at]}}" for at, name in enumerate(names[row :: -(-len(names) // len(widths))])]
        yield "  ".join(cells).rstrip() + "\n"


def _column(name: str, width: int) -> str:
    """Write a name to the left, a number to the right."""
    return name.rjust(width) if name.isdecimal() else name.ljust(width)


def _date(invocation: Invocation, written: float) -> str:
    ago = asyncio.get_running_loop().time() - written
    moment: datetime = invocation.process.now() - timedelta(seconds=ago)
    return moment.strftime("%b %e %H:%M" if 0 <= ago < RECENT_SECONDS else "%b %e  %Y")


def _human(size: int) -> str:
    if size < 1024:
        return str(size)
    amount = float(size)
    for unit in UNITS:  # noqa: B007
        amount /= 1024
        if amount < 1024:
            break
    tenths = -(-amount * 10 // 1) / 10
    return f"{tenths:.1f}{unit}" if tenths < 10 else f"{-(-amount // 1):.0f}{unit}"
