"""realpath, readlink, mktemp, chmod, chown, cmp, tree: small things about files. Modelled on coreutils 9.1, tree 2.1.

    chmod u+x,go-w run.sh        mktemp -d        cmp a b        tree /etc/kubernetes

There are no links, so that a path is its own target. Left out: chmod -R's and chown -R's rarer flags, users and groups
by name but root.
"""

import re

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory, read_file
from cluster_engine.programs.text.reading import Complaint, complain, read
from cluster_engine.world.files import PRIVATE_MODE, FileSystem

DEPTH_MAX = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CLAUSE = re.compile(r"([ugoa]*)([-+=])([rwxXst]*)")
_BITS = {"r": 4, "w": 2, "x": 1, "X": 1, "s": 0, "t": 0}
_SHIFTS = {"u": 6, "g": 3, "o": 0}


def _exists(files: FileSystem, path: str) -> bool:
    return is_directory(files, path) or files.exists(path)


async def realpath(invocation: Invocation) -> int:
    """Run realpath: -e what is not there is an error, -m it is not."""
    try:
        options = read(invocation, "emqsz", ["canonicalize-existing", "canonicalize-missing", "quiet"])
        if not options.operands:
            raise Complaint("missing operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code = 0
    for path in options.operands:
        full = invocation.absolute(path)
        needed = full if "-e|--canonicalize-existing" in options else full.rpartition("/")[0] or "/"
        if "-m|--canonicalize-missing" in options or _exists(invocation.files, needed):
            invocation.out(f"{full}\n")
        else:
            code = complain(invocation, Complaint(f"{path}: No such file or directory"))
    return code


async def readlink(invocation: Invocation) -> int:
    """Run readlink: nothing is a link, so that only -f says something."""
    try:
        options = read(invocation, "fenmqsvz", ["canonicalize", "no-newline", "canonicalize-existing"])
        if not options.operands:
            raise Complaint("missing operand", hint=True)
    except Complaint as complaint:
        return complain(invocation, complaint)
    names = ("-f|--canonicalize", "-m", "-e|--canonicalize-existing")
    if not any(name in options for name in names):
        return 1
    code = 0
    for path in options.operands:
        full = invocation.absolute(path)
        parent = full if names[2] in options else full.rpartition("/")[0] or "/"
        if "-m" in options or _exists(invocation.files, parent):
            invocation.out(full if "-n|--no-newline" in options else f"{full}\n")
        else:
            code = 1
    return code


async def mktemp(invocation: Invocation) -> int:
    """Run mktemp: -d a directory, -u only a name, -p where, -t below /tmp."""
    try:
        options = read(invocation, "dup:tq", ["directory", "dry-run", "tmpdir=", "suffix="])
        given = options.operands[0] if options.operands else ""
        stem = given or "tmp.XXXXXXXXXX"
        found = re.search(r"X{3,}(?=[^X]*\Z)", stem)
        if found is None:
            raise Complaint(f"too few X's in template '{stem}'")
        where = options.value("-p|--tmpdir", "" if given and "-t" not in options else "/tmp")
        chosen = "".join(invocation.process.rng.choice(_LETTERS) for _ in found[0])
        name = stem[: found.start()] + chosen + stem[found.end() :] + options.value("--suffix")
        path = f"{where.rstrip('/')}/{name}" if where else name
        full = invocation.absolute(path)
        if not is_directory(invocation.files, full.rpartition("/")[0] or "/"):
            what = "directory" if "-d|--directory" in options else "file"
            raise Complaint(f"failed to create {what} via template '{path}': No such file or directory")
        if "-u|--dry-run" not in options:
            if "-d|--directory" in options:
                invocation.files.make_directory(full)
            else:
                invocation.files.write(full, b"", PRIVATE_MODE)
    except Complaint as complaint:
        return complain(invocation, complaint)
    except OSError as error:
        return complain(invocation, Complaint(f"failed to create file via template '{stem}': {error.strerror}"))
    invocation.out(f"{path}\n")
    return 0


async def chmod(invocation: Invocation) -> int:
    """Run chmod: octal or symbolic, -R what is below too."""
    words = list(invocation.argv[1:])
    flags = [word for word in words if word in ("-R", "--recursive", "-v", "-f", "-c")]
    operands = [word for word in words if word not in flags and word != "--"]
    try:
        if len(operands) < 2:
            text = f"missing operand after '{operands[0]}'" if operands else "missing operand"
            raise Complaint(text, hint=True)
        changed_mode(0, operands[0], is_folder=False)
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, files = 0, invocation.files
    for path in operands[1:]:
        full = invocation.absolute(path)
        if not _exists(files, full):
            code = complain(invocation, Complaint(f"cannot access '{path}': No such file or directory"))
            continue
        for one in _all(files, full) if {"-R", "--recursive"} & set(flags) else [full]:
            mode = changed_mode(files.mode(one), operands[0], is_folder=is_directory(files, one))
            try:
                files.change_mode(one, mode)
            except OSError as error:
                code = complain(invocation, Complaint(f"changing permissions of '{path}': {error.strerror}"))
    return code


def changed_mode(mode: int, text: str, *, is_folder: bool) -> int:
    """Return permission bits after a change: "600", "u+x,go-w". Complaint."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8) & 0o777
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None:
            raise Complaint(f"invalid mode: '{text}'", hint=True)
        who, sign, letters = found.groups()
        bits = 0
        for letter in letters:
            if letter != "X" or is_folder or mode & 0o111:
                bits |= _BITS[letter]
        for one in set("ugo" if not who or "a" in who else who):
            shift = _SHIFTS[one]
            if sign == "=":
                mode &= ~(7 << shift)
            mode = mode & ~(bits << shift) if sign == "-" else mode | bits << shift
    return mode


async def chown(invocation: Invocation) -> int:
    """Run chown: USER[:GROUP], by number or root."""
    try:
        options = read(invocation, "Rvfch", ["recursive"])
        if len(options.operands) < 2:
            after = f" after '{options.operands[0]}'" if options.operands else ""
            raise Complaint(f"missing operand{after}", hint=True)
        user, colon, group = options.operands[0].partition(":")
        uid = _number(user, f"invalid user: '{options.operands[0]}'") if user else None
        gid = _number(group, f"invalid group: '{options.operands[0]}'") if group else uid if colon else None
    except Complaint as complaint:
        return complain(invocation, complaint)
    code, files = 0, invocation.files
    for path in options.operands[1:]:
        full = invocation.absolute(path)
        if not _exists(files, full):
            code = complain(invocation, Complaint(f"cannot access '{path}': No such file or directory"))
            continue
        for one in _all(files, full) if "-R|--recursive" in options else [full]:
            old = files.owner(one)
            try:
                files.change_owner(one, (old[0] if uid is None else uid, old[1] if gid is None else gid))
            except OSError as error:
                code = complain(invocation, Complaint(f"changing ownership of '{path}': {error.strerror}"))
    return code


def _number(text: str, complaint: str) -> int:
    if text == "root":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Complaint(complaint)
    return int(text)


def _all(files: FileSystem, top: str, depth: int = 0) -> list[str]:
    found = [top]
    if depth < DEPTH_MAX and is_directory(files, top):
        for name in files.listdir(top) if files.exists(top) else []:
            found += _all(files, f"{top.rstrip('/')}/{name}", depth + 1)
    return found


async def cmp(invocation: Invocation) -> int:
    """Run cmp: -s says nothing, -l says every difference."""
    try:
        options = read(invocation, "sln:b", ["silent", "quiet", "verbose"], code=2)
        if not options.operands:
            raise Complaint(f"missing operand after '{invocation.argv[-1]}'", 2, hint=True)
        if len(options.operands) > 2:
            raise Complaint(f"extra operand '{options.operands[2]}'", 2, hint=True)
        names = [*options.operands, "-"][:2]
        left, right = [await _bytes(invocation, path) for path in names]
    except Complaint as complaint:
        return complain(invocation, complaint)
    shorter = min(len(left), len(right))
    if left == right:
        return 0
    silent = "-s|--silent" in options or "--quiet" in options
    if "-l|--verbose" in options and not silent:
        width = len(str(max(len(left), len(right))))
        for at in range(shorter):
            if left[at] != right[at]:
                invocation.out(f"{at + 1:{width}} {left[at]:3o} {right[at]:3o}\n")
                await invocation.drain()
    if silent:
        return 1
    at = next((at for at in range(shorter) if left[at] != right[at]), shorter)
    line = left[:at].count(b"\n")
    if at < shorter:
        if "-l|--verbose" not in options:
            invocation.out(f"{' '.join(names)} differ: byte {at + 1}, line {line + 1}\n")
    else:
        short = names[0 if len(left) < len(right) else 1]
        where = f"line {line}" if left[:at].endswith(b"\n") else f"in line {line + 1}"
        tail = "which is empty" if not at else f"after byte {at}, {where}"
        invocation.err(f"cmp: EOF on {short} {tail}\n")
    return 1


async def _bytes(invocation: Invocation, path: str) -> bytes:
    try:
        if path == "-":
            return await invocation.all()
        data = read_file(invocation.files, invocation.absolute(path))
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}", 2) from error
    invocation.moved(len(data))
    return data


async def tree(invocation: Invocation) -> int:
    """Run tree: -L DEPTH, -d directories alone, -a hidden ones too."""
    try:
        options = read(invocation, "adL:fhpsC", ["dirsfirst", "noreport"])
        text = options.value("-L", str(DEPTH_MAX))
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 4 and int(text)):
            raise Complaint("Invalid level, must be greater than 0.")
    except Complaint as complaint:
        return complain(invocation, complaint)
    counts = [0, 0]
    code = 0
    for path in options.operands or ["."]:
        full = invocation.absolute(path)
        if not is_directory(invocation.files, full):
            invocation.out(f"{path}  [error opening dir]\n")
            code = 2
            continue
        counts[0] += 1
        invocation.out(f"{path}\n")
        hidden, only = "-a" in options, "-d" in options
        await _branch(invocation, full, "", int(text), hidden=hidden, only_folders=only, counts=counts)
    if "--noreport" not in options:
        folders = f"{counts[0]} director{'y' if counts[0] == 1 else 'ies'}"
        files = "" if "-d" in options else f", {counts[1]} file{'' if counts[1] == 1 else 's'}"
        invocation.out(f"\n{folders}{files}\n")
    return code


async def _branch(
    invocation: Invocation,
    directory: str,
    prefix: str,
    depth: int,
    *,
    hidden: bool,
    only_folders: bool,
    counts: list[int],
) -> None:
    files = invocation.files
    if depth == 0 or not files.exists(directory):
        return
    entries = []
    for name in files.listdir(directory):
        path = f"{directory.rstrip('/')}/{name}"
        is_folder = is_directory(files, path)
        if (hidden or not name.startswith(".")) and (is_folder or not only_folders):
            entries.append((name, path, is_folder))
    for at, (name, path, is_folder) in enumerate(entries):
        is_last = at == len(entries) - 1
        counts[0 if is_folder else 1] += 1
        invocation.out(f"{prefix}{'└── ' if is_last else '├── '}{name}\n")
        await invocation.drain()
        if is_folder:
            below = prefix + ("    " if is_last else "│\u00a0\u00a0 ")
            await _branch(invocation, path, below, depth - 1, hidden=hidden, only_folders=only_folders, counts=counts)
