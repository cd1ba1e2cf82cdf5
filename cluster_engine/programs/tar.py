"""tar: files into an archive and out of it. `-c`, `-x`, `-t`, `-f`, `-C`, `-v`; by standard input and output as well.

    tar cf - /tmp/a | kubectl exec -i web-0 -- tar xf - -C /srv

Modelled on GNU tar. Left out: compression, appending, links, empty directories, owners and times.
"""

from collections.abc import Sequence

import msgspec

from cluster_engine.programs import archive
from cluster_engine.programs.archive import ArchiveError
from cluster_engine.programs.invocation import Invocation, absolute
from cluster_engine.programs.streams import FileOutput

FAILED = 2
MODES = ("c", "x", "t")
IGNORED = frozenset("mpkz") - {"z"}
USAGE = "Try 'tar --help' or 'tar --usage' for more information.\n"
NO_MODE = f"tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n{USAGE}"
LEADING = "tar: Removing leading `/' from member names\n"
UNRECOVERABLE = "tar: Error is not recoverable: exiting now\n"
FATAL = "tar: Exiting with failure status due to previous errors\n"


class Asked(msgspec.Struct):
    """A command line, read."""

    mode: str = ""
    file: str = "-"
    directory: str = "."
    verbose: bool = False
    names: list[str] = msgspec.field(default_factory=list)
    problem: str = ""


async def tar(invocation: Invocation) -> int:
    """Run tar."""
    asked = _asked(invocation.argv[1:])
    if asked.problem or not asked.mode:
        invocation.err(asked.problem or NO_MODE)
        return FAILED
    directory = invocation.absolute(asked.directory)
    if asked.mode == "c":
        return await _create(invocation, asked, directory)
    try:
        return await _read(invocation, asked, directory)
    except OSError as error:
        invocation.err(f"tar: {asked.file}: Cannot open: {error.strerror}\n{UNRECOVERABLE}")
        return FAILED
    except ArchiveError as error:
        invocation.err(f"tar: {error}\n{FATAL}")
        return FAILED


def _asked(words: Sequence[str]) -> Asked:
    asked, rest = Asked(), list(words)
    if rest and not rest[0].startswith("-"):
        rest[0] = f"-{rest[0]}"  # the old form: tar xf
    while rest:
        word = rest.pop(0)
        if word == "--":
            asked.names += rest
            break
        if word.startswith("--"):
            if word not in ("--no-same-permissions", "--no-same-owner"):
                asked.problem = f"tar: unrecognized option '{word}'\n{USAGE}"
            continue
        if not word.startswith("-") or word == "-":
            asked.names.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in MODES:
                asked.mode = letter
            elif letter == "v":
                asked.verbose = True
            elif letter in ("f", "C"):
                value = letters or (rest.pop(0) if rest else "")
                letters = ""
                if not value:
                    asked.problem = f"tar: option requires an argument -- '{letter}'\n{USAGE}"
                setattr(asked, "file" if letter == "f" else "directory", value)
            elif letter not in IGNORED:
                asked.problem = f"tar: invalid option -- '{letter}'\n{USAGE}"
                letters = ""
    return asked


async def _create(invocation: Invocation, asked: Asked, directory: str) -> int:
    if not asked.names:
        invocation.err(f"tar: Cowardly refusing to create an empty archive\n{USAGE}")
        return FAILED
    if any(name.startswith("/") for name in asked.names):
        invocation.err(LEADING)
    members: dict[str, str] = {}
    code = 0
    for name in asked.names:
        full = absolute(name, directory)
        try:
            for path in archive.below(invocation.files, full):
                members[f"{name.rstrip('/')}{path[len(full) :]}".lstrip("/")] = path
        except FileNotFoundError:
            invocation.err(f"tar: {name}: Cannot stat: No such file or directory\n")
            code = FAILED
    try:
        to_file = asked.file != "-"
        output = FileOutput(invocation.files, invocation.absolute(asked.file), append=False) if to_file else None
        for piece in archive.pack(invocation.files, members):
            if output is not None:
                output.write(piece)
                invocation.moved(len(piece))
            else:
                invocation.out(piece)
            await invocation.drain()
    except OSError as error:
        invocation.err(f"tar: {error.strerror or error}\n")
        code = FAILED
    if asked.verbose:
        say = invocation.err if asked.file == "-" else invocation.out
        say("".join(f"{name}\n" for name in members))
    if code:
        invocation.err(FATAL)
    return code


async def _read(invocation: Invocation, asked: Asked, directory: str) -> int:
    code, found = 0, set()
    async for name, content, mode in archive.members(invocation.pieces(asked.file)):
        inside = name.lstrip("/")
        if asked.names and not any(inside == one or inside.startswith(f"{one.rstrip('/')}/") for one in asked.names):
            continue
        found.add(inside)
        if asked.mode == "t" or asked.verbose:
            invocation.out(f"{name}\n")
        if asked.mode == "x":
            if ".." in inside.split("/"):
                invocation.err(f"tar: {name}: Member name contains '..', skipping\n")
                code = FAILED
                continue
            try:
                invocation.files.write(absolute(inside, directory), content, mode)
            except OSError as error:
                invocation.err(f"tar: {name}: Cannot open: {error.strerror}\n")
                code = FAILED
        del content  # or it is held while the next one comes
        await invocation.drain()
    for name in asked.names:
        if not any(one == name or one.startswith(f"{name.rstrip('/')}/") for one in found):
            invocation.err(f"tar: {name}: Not found in archive\n")
            code = FAILED
    if code:
        invocation.err(FATAL)
    return code
