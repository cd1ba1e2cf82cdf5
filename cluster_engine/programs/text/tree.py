"""mkdir, touch, cp, mv, basename, dirname, find, stat: files and directories. Modelled on coreutils 9.1, findutils 4.9.

    cp web.yaml copy.yaml        mv copy.yaml /tmp/        find /etc/kubernetes -name '*.crt'

Left out: links, `find`'s tests but -name, -iname, -path,
-type, -size, -empty, -maxdepth, -mindepth, and its actions but -print, -print0, -delete, -exec.
"""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

from cluster_engine.programs.files import remove_tree
from cluster_engine.programs.identity import GROUPS, shown
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import Nowhere, Streams, is_directory
from cluster_engine.programs.text import globs
from cluster_engine.programs.text.reading import Complaint, complain, read, say
from cluster_engine.world.files import FileSystem

FOUND_MAX = 100_000
DEPTH_MAX = 64


async def mkdir(invocation: Invocation) -> int:
    """Run mkdir: -p makes what leads there too, and says nothing of what is there."""
    try:
        options = read(invocation, "pvm:", ["parents", "verbose", "mode="])
        if not options.operands:
            raise Complaint("missing operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, files = 0, invocation.files
    for path in options.operands:
        full = invocation.absolute(path)
        parent = full.rpartition("/")[0] or "/"
        exists = is_directory(files, full) or files.exists(full)
        if "-p|--parents" in options and is_directory(files, full):
            continue
        try:
            if exists:
                raise FileExistsError(17, "File exists", path)
            if "-p|--parents" not in options and not is_directory(files, parent):
                why = "Not a directory" if files.exists(parent) else "No such file or directory"
                raise FileNotFoundError(2, why, path)
            files.make_directory(full)
        except OSError as error:
            code = complain(invocation, Complaint(f"cannot create directory '{path}': {error.strerror}"))
    return code


async def rmdir(invocation: Invocation) -> int:
    """Run rmdir."""
    code, files = 0, invocation.files
    for path in invocation.argv[1:]:
        full = invocation.absolute(path)
        if not is_directory(files, full):
            why = "Not a directory" if files.exists(full) else "No such file or directory"
        elif not files.remove_directory(full):
            why = "Directory not empty"
        else:
            continue
        code = complain(invocation, Complaint(f"failed to remove '{path}': {why}"))
    return code


async def touch(invocation: Invocation) -> int:
    """Run touch: makes files that are not there; of others the date is now (-c makes none)."""
    try:
        options = read(invocation, "camd:t:r:", ["no-create", "date="])
        if not options.operands:
            raise Complaint("missing file operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code = 0
    for path in options.operands:
        full = invocation.absolute(path)
        if is_directory(invocation.files, full) or ("-c|--no-create" in options and not invocation.files.exists(full)):
            continue
        try:
            if path.endswith("/"):
                raise FileNotFoundError(2, "No such file or directory", path)
            _check_parent(invocation.files, full)
            data = invocation.files.read(full) if invocation.files.exists(full) else b""
            invocation.files.write(full, data)
        except OSError as error:
            code = complain(invocation, Complaint(f"cannot touch '{path}': {error.strerror}"))
    return code


def _check_parent(files: FileSystem, path: str) -> None:
    parent = path.rpartition("/")[0] or "/"
    if not is_directory(files, parent):
        raise FileNotFoundError(2, "Not a directory" if files.exists(parent) else "No such file or directory", path)


async def cp(invocation: Invocation) -> int:
    """Run cp: -r copies directories."""
    return await _copy(invocation, moves=False)


async def mv(invocation: Invocation) -> int:
    """Run mv."""
    return await _copy(invocation, moves=True)


async def _copy(invocation: Invocation, *, moves: bool) -> int:
    try:
        options = read(invocation, "rRafinpvutT:", ["recursive", "archive", "force", "verbose", "no-clobber"])
        if len(options.operands) < 2:
            text = f"missing destination file operand after '{options.operands[0]}'" if options.operands else (
                "missing file operand"
            )  # fmt: skip
            raise Complaint(text, hint=True)
        *sources, target = options.operands
        into = is_directory(invocation.files, invocation.absolute(target))
        if len(sources) > 1 and not into:
            there = invocation.files.exists(invocation.absolute(target))
            raise Complaint(f"target '{target}': {'Not a directory' if there else 'No such file or directory'}")
    except Complaint as complaint:
        return complain(invocation, complaint)
    code = 0
    for source in sources:
        try:
            _copy_one(
                invocation, source, target, into=into, moves=moves, deep=moves or "-r|-R|-a|--recursive" in options
            )
        except Complaint as complaint:
            code = complain(invocation, complaint)
        except OSError as error:
            doing = "cannot create regular file" if not moves else f"cannot move '{source}' to"
            code = complain(invocation, Complaint(f"{doing} '{target}': {error.strerror}"))
        await invocation.drain()
    return code


def _copy_one(invocation: Invocation, source: str, target: str, *, into: bool, moves: bool, deep: bool) -> None:
    files, full = invocation.files, invocation.absolute(source)
    end = invocation.absolute(target)
    put = files.move if moves else files.copy
    if into:
        end = f"{end.rstrip('/')}/{full.rpartition('/')[2]}"
    if is_directory(files, full):
        if not deep:
            raise Complaint(f"-r not specified; omitting directory '{source}'")
        if f"{end}/".startswith(f"{full}/"):
            what = "move" if moves else "copy"
            raise Complaint(f"cannot {what} '{source}' to a subdirectory of itself, '{target}'" if moves else
                            f"cannot copy a directory, '{source}', into itself, '{target}'")  # fmt: skip
        for path in list(_walk(files, full)):
            there = f"{end}{path[len(full) :]}"
            if is_directory(files, path):
                files.make_directory(there)
            else:
                put(path, there)
        if moves:
            remove_tree(files, full)
        return
    if not files.exists(full):
        raise Complaint(f"cannot stat '{source}': No such file or directory")
    if full == end:
        raise Complaint(f"'{source}' and '{target}' are the same file")
    if target.endswith("/") and not into:
        raise Complaint(f"cannot create regular file '{target}': Not a directory")
    _check_parent(files, end)
    put(full, end)


def _walk(files: FileSystem, path: str, depth: int = 0) -> Iterator[str]:
    """Yield a path and what is below it, parents first."""
    yield path
    if depth < DEPTH_MAX and is_directory(files, path):
        for name in files.listdir(path) if files.exists(path) else []:
            yield from _walk(files, f"{path.rstrip('/')}/{name}", depth + 1)


async def stat(invocation: Invocation) -> int:
    """Run stat: size, mode and date of files; -c in a form of one's own."""
    try:
        options = read(invocation, "c:Lt", ["format=", "printf="])
        if not options.operands:
            raise Complaint("missing operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, files, host = 0, invocation.files, invocation.process.host
    form = options.value("-c|--format", "  File: %n\n  Size: %s\t\t%F\nAccess: (%a/%A)  Uid: (%u/%U)  Gid: (%g/%G)\n"
                         "Modify: %y")  # fmt: skip
    for path in options.operands:
        full = invocation.absolute(path)
        is_folder = is_directory(files, full)
        if not (is_folder or files.exists(full)):
            code = complain(invocation, Complaint(f"cannot statx '{path}': No such file or directory"))
            continue
        size = 4096 if is_folder else files.length(full)
        mode, (uid, gid) = files.mode(full), files.owner(full)
        letters = ("d" if is_folder else "-") + "".join(
            letter if mode >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx")
        )
        written = invocation.process.now() - timedelta(seconds=asyncio.get_running_loop().time() - files.written(full))
        kind = "directory" if is_folder else "regular file" if size else "regular empty file"
        values = {"n": path, "s": str(size), "F": kind, "a": f"{mode:o}", "A": letters, "U": shown(files, uid),
                  "G": shown(files, gid, GROUPS), "u": str(uid), "g": str(gid),
                  "y": f"{written:%Y-%m-%d %H:%M:%S.%f}000 +0000",
                  "Y": str(int(written.timestamp())),
                  "h": "1", "%": "%", "m": host.name}  # fmt: skip
        told = re.sub("%(.)", lambda found, values=values: values.get(found[1], "?"), form)  # type: ignore[misc]
        say(invocation, f"{told}\n")
    return code


async def basename(invocation: Invocation) -> int:
    """Run basename."""
    words = [word for word in invocation.argv[1:] if word != "--"]
    if not words:
        return complain(invocation, Complaint("missing operand", hint=True))
    if words[0] == "-a":
        names, suffix = words[1:], ""
    elif words[0] == "-s" and len(words) > 2:
        suffix, names = words[1], words[2:]
    else:
        if len(words) > 2:
            return complain(invocation, Complaint(f"extra operand '{words[2]}'", hint=True))
        names, suffix = words[:1], words[1] if len(words) > 1 else ""
    for name in names:
        bare = name.rstrip("/").rpartition("/")[2] or ("/" if name else "")
        say(invocation, f"{bare.removesuffix(suffix) if suffix and bare != suffix else bare}\n")
    return 0


async def dirname(invocation: Invocation) -> int:
    """Run dirname."""
    words = [word for word in invocation.argv[1:] if word != "--"]
    if not words:
        return complain(invocation, Complaint("missing operand", hint=True))
    for name in words:
        bare = name.rstrip("/")
        parent = bare.rpartition("/")[0].rstrip("/")
        say(invocation, f"{parent or ('/' if name.startswith('/') else '.')}\n")
    return 0


# -- find --------------------------------------------------------------------------------------------------------------

_TESTS = frozenset({"-name", "-iname", "-path", "-type", "-size"})
_DEPTHS = frozenset({"-maxdepth", "-mindepth"})


async def find(invocation: Invocation) -> int:
    """Run find."""
    words = list(invocation.argv[1:])
    roots: list[str] = []
    while words and not words[0].startswith(("-", "!", "(")):
        roots.append(words.pop(0))
    try:
        wanted = _wanted(words)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, files, count = 0, invocation.files, 0
    for root in roots or ["."]:
        full = invocation.absolute(root)
        if not (is_directory(files, full) or files.exists(full)):
            code = complain(invocation, Complaint(f"'{root}': No such file or directory"))
            continue
        for path in list(_walk(files, full)):
            count += 1
            depth = path[len(full.rstrip("/")) :].count("/")
            shown = root if path == full else f"{root.rstrip('/')}{path[len(full.rstrip('/')) :]}"
            if count <= FOUND_MAX and wanted.takes(files, path, shown, depth):
                code = await _act(invocation, wanted, path, shown) or code
            await invocation.drain()
    return code


class _Wanted:
    def __init__(self) -> None:
        self.tests: list[tuple[bool, str, str]] = []
        self.depths = {"-maxdepth": DEPTH_MAX, "-mindepth": 0}
        self.action, self.command = "-print", list[str]()

    def takes(self, files: FileSystem, path: str, shown: str, depth: int) -> bool:
        """Whether a path is one of them."""
        if not self.depths["-mindepth"] <= depth <= self.depths["-maxdepth"]:
            return False
        return all(self._holds(files, path, shown, test, value) is not negated for negated, test, value in self.tests)

    def _holds(self, files: FileSystem, path: str, shown: str, test: str, value: str) -> bool:
        name = path.rpartition("/")[2] or "/"
        is_folder = is_directory(files, path)
        match test:
            case "-name":
                return globs.matches(value, name if path != shown else shown.rpartition("/")[2] or name)
            case "-iname":
                return globs.matches(value.lower(), name.lower())
            case "-path":
                return globs.matches(value, shown)
            case "-type":
                return ("d" if is_folder else "f") in value.split(",")
            case "-empty":
                return not (files.listdir(path) if files.exists(path) else []) if is_folder else not files.read(path)
        size = 0 if is_folder else len(files.read(path))
        units = {"c": 1, "k": 1024, "M": 1024**2, "G": 1024**3, "w": 2, "b": 512}
        unit = units.get(value[-1:], 512)
        number = int(value.strip("+-cwbkMG") or 0)
        blocks = -(-size // unit)
        return (
            blocks > number if value.startswith("+") else blocks < number if value.startswith("-") else blocks == number
        )


def _wanted(words: list[str]) -> _Wanted:
    wanted, negated = _Wanted(), False
    while words:
        word = words.pop(0)
        if word in ("!", "-not"):
            negated = True
            continue
        if word in _TESTS or word in _DEPTHS:
            if not words:
                raise Complaint(f"missing argument to `{word}'")
            value = words.pop(0)
            if word in _DEPTHS:
                if not (value.isascii() and value.isdigit() and len(value) < 6):
                    text = f"Expected a positive decimal integer argument to {word}, but got '{value}'"
                    raise Complaint(text)
                wanted.depths[word] = int(value)
                continue
            if word == "-type" and not set(value.split(",")) <= set("bcdpfls"):
                raise Complaint(f"Unknown argument to -type: {value}")
            if word == "-size" and not value.strip("+-").rstrip("cwbkMG").isdigit():
                raise Complaint(f"Invalid argument `{value}' to -size")
            wanted.tests.append((negated, word, value[:1000]))
        elif word == "-empty":
            wanted.tests.append((negated, word, ""))
        elif word in ("-print", "-print0", "-delete"):
            wanted.action = word
        elif word == "-exec":
            end = next((at for at, one in enumerate(words) if one in (";", "+")), None)
            if end is None:
                raise Complaint("missing argument to `-exec'")
            wanted.action, wanted.command, words = word, words[:end], words[end + 1 :]
        elif word not in ("-a", "-and"):
            kind = "unknown predicate" if word.startswith("-") else "paths must precede expression:"
            raise Complaint(f"{kind} `{word}'")
        negated = False
    return wanted


async def _act(invocation: Invocation, wanted: _Wanted, path: str, shown: str) -> int:
    match wanted.action:
        case "-delete":
            if is_directory(invocation.files, path):
                remove_tree(invocation.files, path)
            elif invocation.files.exists(path):
                invocation.files.remove(path)
        case "-exec":
            words = [word.replace("{}", shown) for word in wanted.command]
            streams = Streams(Nowhere(), invocation.streams.stdout, invocation.streams.stderr)
            await invocation.drain()
            try:
                await invocation.execute(words, streams, invocation.environment)
            except (FileNotFoundError, IndexError):
                return complain(invocation, Complaint(f"'{(words or [''])[0]}': No such file or directory"))
        case _:
            say(invocation, shown + ("\0" if wanted.action == "-print0" else "\n"))
    return 0
